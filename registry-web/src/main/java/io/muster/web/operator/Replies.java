// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.json.Json;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.problem.RegistryException;
import io.muster.search.Sifted;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/** Replies of the operator API. No cache keeps them: some show a secret, and all are for one operator at one time. */
final class Replies {

    /** The member of a reply in which something is missing that could not be read. */
    static final String INCOMPLETE = "incomplete";

    private static final Set<ProblemType> NOT_NOW = EnumSet.of(ProblemType.TOO_BUSY, ProblemType.TOO_SLOW);

    private Replies() {}

    /** Reads an optional part of a reply; empty if it cannot be read now. */
    static <T> Optional<T> perhaps(Supplier<T> read) {
        try {
            return Optional.of(read.get());
        } catch (DatabaseUnavailableException e) {
            return Optional.empty();
        } catch (RegistryException e) {
            if (NOT_NOW.contains(e.type())) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /**
     * Answers for a change that was stored. Reading the rest of the reply may fail, which must not look as if the
     * change had failed. The reply then has only the known members and {@code "incomplete": true}.
     *
     * @param known the members that need no reading
     * @param read the whole reply
     */
    static Response.ResponseBuilder stored(Map<String, Object> known, Supplier<Map<String, Object>> read) {
        return json(perhaps(read).orElseGet(() -> {
            Map<String, Object> view = new LinkedHashMap<>(known);
            view.put(INCOMPLETE, true);
            return view;
        }));
    }

    /**
     * Answers with a page of a list. {@code next}, the cursor of the following page, is present if the page is full.
     *
     * @param member the name of the list
     * @param found the entries of the page
     * @param next the cursor behind an entry
     */
    static <T> Response page(
            String member, List<T> found, int limit, Function<T, Map<String, Object>> view, Function<T, ?> next) {
        Map<String, Object> page = new LinkedHashMap<>();
        page.put(member, found.stream().map(view).toList());
        if (found.size() == limit) {
            page.put("next", next.apply(found.get(limit - 1)));
        }
        return json(page).build();
    }

    /** Answers with a page of the entries of a list that match a filter. */
    static <T> Response sifted(String member, Sifted<T> found, Function<T, Map<String, Object>> view) {
        return sifted(member, found.entries().stream().map(view).toList(), found.next(), found.complete());
    }

    /** Answers with a page of the entries of a list that match a filter. */
    static Response sifted(String member, List<Map<String, Object>> views, Optional<String> next, boolean complete) {
        Map<String, Object> page = new LinkedHashMap<>();
        page.put(member, views);
        next.ifPresent(cursor -> page.put("next", cursor));
        page.put("complete", complete);
        return json(page).build();
    }

    /** Begins a reply with this body; 200 by default. */
    static Response.ResponseBuilder json(Object body) {
        return Response.ok(Json.bytes(body), MediaType.APPLICATION_JSON).header(HttpHeaders.CACHE_CONTROL, "no-store");
    }
}
