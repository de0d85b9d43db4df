package io.muster.web.operator;

import io.muster.api.Problem.Fault;
import io.muster.problem.RegistryException;
import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.core.UriInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/** The query of a request to the operator API: unknown, repeated and malformed parameters are faults, reported all at once. */
final class Query {

    private static final int MAX_PAGE = 1000;
    private static final int PAGE = 100;

    private final MultivaluedMap<String, String> parameters;
    private final List<Fault> faults = new ArrayList<>();

    Query(UriInfo uri, Set<String> known) {
        parameters = uri.getQueryParameters();
        parameters.forEach((name, values) -> {
            if (!known.contains(name)) {
                faults.add(new Fault(
                        "#",
                        known.isEmpty()
                                ? "there are no query parameters"
                                : "unknown query parameter; known are "
                                        + String.join(
                                                ", ", known.stream().sorted().toList())));
            } else if (values.size() > 1) {
                faults.add(new Fault("#", name + " is given twice"));
            }
        });
    }

    /** Returns what the text means, or empty if it was not given; meaning nothing is a fault. */
    <T> Optional<T> get(String name, String expected, Function<String, Optional<T>> meaning) {
        String text = parameters.getFirst(name);
        if (text == null || text.isEmpty()) {
            return Optional.empty();
        }
        Optional<T> value = meaning.apply(text);
        if (value.isEmpty()) {
            faults.add(new Fault("#", name + " must be " + expected));
        }
        return value;
    }

    /** Returns where the page begins: what the {@code next} of the page before said. */
    Optional<String> cursor(Predicate<String> isNext) {
        return get("cursor", "the next of the page before", text -> Optional.of(text)
                .filter(isNext));
    }

    int limit() {
        return get(
                        "limit",
                        "a number between 1 and " + MAX_PAGE,
                        text -> text.matches("\\d{1,4}")
                                ? Optional.of(Integer.parseInt(text)).filter(n -> n >= 1 && n <= MAX_PAGE)
                                : Optional.<Integer>empty())
                .orElse(PAGE);
    }

    void check() {
        if (!faults.isEmpty()) {
            throw RegistryException.invalid(faults);
        }
    }
}
