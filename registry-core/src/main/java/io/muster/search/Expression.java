// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/** A filter whose attributes exist and whose values have the right type. */
public sealed interface Expression {

    /** Returns the filter that every row matches. */
    static Expression all() {
        return new And(List.of());
    }

    /**
     * Tells whether a row matches.
     *
     * @param row returns the value of a field: text, number, truth value or time; null if it is missing
     */
    boolean matches(Function<Field, Object> row);

    /** Returns all fields that it names. */
    default Set<String> fields() {
        Set<String> names = new TreeSet<>();
        collect(names);
        return names;
    }

    /** Adds all fields that it names. */
    void collect(Set<String> names);

    /** Matches if all parts do; without any part, always. */
    record And(List<Expression> parts) implements Expression {
        @Override
        public boolean matches(Function<Field, Object> row) {
            return parts.stream().allMatch(part -> part.matches(row));
        }

        @Override
        public void collect(Set<String> names) {
            parts.forEach(part -> part.collect(names));
        }
    }

    /** Matches if one part does. */
    record Or(List<Expression> parts) implements Expression {
        @Override
        public boolean matches(Function<Field, Object> row) {
            return parts.stream().anyMatch(part -> part.matches(row));
        }

        @Override
        public void collect(Set<String> names) {
            parts.forEach(part -> part.collect(names));
        }
    }

    /** Matches if the other does not. */
    record Not(Expression other) implements Expression {
        @Override
        public boolean matches(Function<Field, Object> row) {
            return !other.matches(row);
        }

        @Override
        public void collect(Set<String> names) {
            other.collect(names);
        }
    }

    /**
     * A comparison.
     *
     * @param value null for {@link Relation#PR}
     */
    record Comparison(Field field, Relation relation, Object value) implements Expression {
        @Override
        public boolean matches(Function<Field, Object> row) {
            return relation.holds(row.apply(field), value);
        }

        @Override
        public void collect(Set<String> names) {
            names.add(field.name());
        }
    }
}
