// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.Problem.Fault;
import io.muster.config.Nearest;
import io.muster.problem.RegistryException;
import io.muster.web.Form;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.container.ContainerRequestContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The query of a request to the API of operators or users. Unknown, repeated, empty and malformed parameters are faults, reported
 * all at once. {@link QueryFilter} makes one for each request.
 */
public final class Query {

    private static final String ATTRIBUTE = Query.class.getName();
    private static final int MAX_PAGE = 1000;
    private static final int PAGE = 100;
    private static final int MAX_SHOWN = 64;

    private final Form parameters;
    private final List<Fault> faults = new ArrayList<>();

    private Query(Form parameters) {
        this.parameters = parameters;
    }

    /**
     * Reads the query as it was sent.
     *
     * @param query null if there is none
     * @param known the names that the request accepts
     */
    static Query parse(String query, List<String> known) {
        Form form = Form.parse(new byte[0]);
        List<Fault> faults = new ArrayList<>();
        try {
            form = Form.parseQuery(query == null ? "" : query);
        } catch (IllegalArgumentException e) {
            faults.add(new Fault("#", "the query is malformed: " + e.getMessage()));
        }
        Query parsed = new Query(form);
        parsed.faults.addAll(faults);
        form.names().forEach(name -> parsed.checkName(name, known));
        return parsed;
    }

    private void checkName(String name, List<String> known) {
        if (!known.contains(name)) {
            faults.add(new Fault(
                    "#", "\"" + shown(name) + "\" is not a query parameter of this request" + hint(name, known)));
        } else if (parameters.isRepeated(name)) {
            faults.add(new Fault("#", name + " is given twice"));
        } else if (parameters.get(name).isEmpty()) {
            // Otherwise a script with an empty variable would get everything.
            faults.add(new Fault("#", name + " is empty; leave it out"));
        }
    }

    private static String hint(String name, List<String> known) {
        if (known.isEmpty()) {
            return ", which takes none";
        }
        return Nearest.of(name, known).map(near -> "; did you mean " + near).orElse("")
                + "; known are "
                + String.join(", ", known);
    }

    private static String shown(String text) {
        String start = text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "...";
        return start.replaceAll("[^\\x20-\\x7e]", "?");
    }

    /** Returns the query that the filter made for this request. */
    public static Query of(HttpServletRequest request) {
        return (Query) request.getAttribute(ATTRIBUTE);
    }

    /** Stores it with the request, for the resource method. */
    void keep(ContainerRequestContext request) {
        request.setProperty(ATTRIBUTE, this);
    }

    /** Returns the meaning of the text, or empty if it was not given. A text without a meaning is a fault. */
    <T> Optional<T> get(String name, String expected, Function<String, Optional<T>> meaning) {
        Optional<String> text = parameters.get(name);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        Optional<T> value = meaning.apply(text.get());
        if (value.isEmpty()) {
            faults.add(new Fault("#", name + " must be " + expected));
        }
        return value;
    }

    /** Returns the beginning of the page: the {@code next} of the page before. */
    public Optional<String> cursor(Predicate<String> isNext) {
        return get("cursor", "the next of the page before", text -> Optional.of(text)
                .filter(isNext));
    }

    /** Returns how many entries the page has at most. */
    public int limit() {
        return get(
                        "limit",
                        "a number between 1 and " + MAX_PAGE,
                        text -> text.matches("\\d{1,4}")
                                ? Optional.of(Integer.parseInt(text)).filter(n -> n >= 1 && n <= MAX_PAGE)
                                : Optional.<Integer>empty())
                .orElse(PAGE);
    }

    /** Tells whether a parameter was given. */
    boolean has(String name) {
        return parameters.get(name).isPresent();
    }

    /** Reports what is wrong with several parameters together. */
    void fault(String detail) {
        fault("#", detail);
    }

    /** Reports what is wrong with a part of a parameter. */
    void fault(String pointer, String detail) {
        faults.add(new Fault(pointer, detail));
    }

    /**
     * Ends the query.
     *
     * @throws RegistryException {@code INVALID_REQUEST} with every fault, if there is one
     */
    public void check() {
        if (!faults.isEmpty()) {
            throw RegistryException.invalid(faults);
        }
    }
}
