// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.device.DeviceState;
import io.muster.fleet.Fleet;
import io.muster.search.DeviceFields;
import io.muster.search.DeviceSearch;
import io.muster.search.Expression;
import io.muster.search.Field;
import io.muster.search.FilterException;
import io.muster.search.FilterParser;
import io.muster.search.Relation;
import io.muster.search.Schema;
import io.muster.search.Sort;
import io.muster.search.Typed;
import io.muster.verification.SerialForm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the parameters of a search for devices: {@code filter}, {@code q} and {@code sort}. */
final class DeviceQuery {

    private static final String FILTER = "filter";
    /** The filter that nothing matches. */
    private static final Expression NOTHING = new Expression.Or(List.of());

    private DeviceQuery() {}

    /** Tells whether a list is a search. */
    static boolean isSearch(Query query) {
        return query.has(FILTER) || query.has("q") || query.has("sort");
    }

    /**
     * Reads the search. Its faults are added to those of the query.
     *
     * @param among the fleets to search, of which there must be one
     */
    static Optional<DeviceSearch.Wanted> of(
            Query query,
            List<Fleet> among,
            Optional<String> serial,
            Optional<Map.Entry<String, String>> tag,
            Optional<DeviceState> state) {
        if (among.size() != 1) {
            query.fault("filter, q and sort need a fleet");
        }
        SerialForm form = among.size() == 1 ? among.get(0).document().serials() : SerialForm.EXACT;
        Schema schema = new DeviceFields(form);
        Optional<Expression> filter = filter(query, schema);
        Optional<Typed> typed = query.get("q", Typed.WORDS, text -> Typed.of(text, form));
        Optional<Sort> sort = query.get("sort", Sort.WORDS, Sort::of);
        if (among.size() != 1) {
            return Optional.empty();
        }
        List<Expression> all = new ArrayList<>();
        filter.ifPresent(all::add);
        serial.ifPresent(text -> all.add(equal(schema, "serial", text)));
        state.ifPresent(word -> all.add(equal(schema, "state", word.word())));
        tag.ifPresent(named -> all.add(equal(schema, "tags." + named.getKey(), named.getValue())));
        return Optional.of(
                new DeviceSearch.Wanted(among.get(0).name(), new Expression.And(List.copyOf(all)), typed, sort));
    }

    private static Expression equal(Schema schema, String name, String text) {
        Optional<Field> field = schema.find(name);
        return field.<Expression>map(known -> new Expression.Comparison(known, Relation.EQ, schema.stored(known, text)))
                .orElse(NOTHING);
    }

    /** Reads the filter of any list. */
    static Optional<Expression> filter(Query query, Schema schema) {
        Optional<String> text = query.get(FILTER, "a filter", Optional::of);
        try {
            return text.isPresent() ? Optional.of(FilterParser.parse(text.get(), schema)) : Optional.empty();
        } catch (FilterException e) {
            e.faults().forEach(fault -> query.fault("#/" + FILTER, "filter, " + fault));
            return Optional.empty();
        }
    }
}
