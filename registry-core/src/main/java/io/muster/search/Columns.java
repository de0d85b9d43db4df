// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.device.Storable;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The attributes of the entries of a list that is read in one order, and their values. Immutable. */
public final class Columns<T> implements Schema {

    private static final String SERIAL = "serial";

    private final Map<Field, Function<T, Object>> columns;
    private final Map<Field, BiFunction<T, String, Object>> members;
    private final UnaryOperator<String> serials;

    private Columns(
            Map<Field, Function<T, Object>> columns,
            Map<Field, BiFunction<T, String, Object>> members,
            UnaryOperator<String> serials) {
        this.columns = columns;
        this.members = members;
        this.serials = serials;
    }

    /** Begins without attributes. */
    static <T> Columns<T> none() {
        return new Columns<>(Map.of(), Map.of(), UnaryOperator.identity());
    }

    /** Adds an attribute. A value is null if it is missing. */
    Columns<T> with(String name, Field.Kind kind, Function<T, Object> value) {
        return with(Field.of(name, kind), value);
    }

    /** Adds an attribute that has one of these words for its value. */
    Columns<T> with(String name, Stream<String> words, Function<T, Object> value) {
        return with(new Field(name, Field.Kind.WORD, words.toList()), value);
    }

    private Columns<T> with(Field field, Function<T, Object> value) {
        Map<Field, Function<T, Object>> more = new LinkedHashMap<>(columns);
        more.put(field, value);
        return new Columns<>(more, members, serials);
    }

    /** Adds the members of an object, such as {@code tags}. */
    Columns<T> withMembers(String name, Field.Kind kind, BiFunction<T, String, Object> value) {
        Map<Field, BiFunction<T, String, Object>> more = new LinkedHashMap<>(members);
        more.put(Field.of(name + ".", kind), value);
        return new Columns<>(columns, more, serials);
    }

    /** Brings the serials that a filter names into the form in which they are stored. */
    Columns<T> spelling(UnaryOperator<String> form) {
        return new Columns<>(columns, members, form);
    }

    @Override
    public Optional<Field> find(String name) {
        return columns.keySet().stream()
                .filter(field -> field.name().equalsIgnoreCase(name))
                .findFirst()
                .or(() -> members.keySet().stream()
                        .flatMap(object -> member(object, name).stream())
                        .findFirst());
    }

    private static Optional<Field> member(Field object, String name) {
        String prefix = object.name();
        return Optional.of(name)
                .filter(text -> text.regionMatches(true, 0, prefix, 0, prefix.length()))
                .map(text -> text.substring(prefix.length()))
                .filter(Storable::isMemberName)
                .map(key -> Field.of(prefix + key, object.kind()));
    }

    @Override
    public String stored(Field field, String text) {
        return field.name().equals(SERIAL) ? serials.apply(text) : text;
    }

    @Override
    public String names() {
        return Stream.concat(
                        columns.keySet().stream().map(Field::name),
                        members.keySet().stream().map(object -> object.name() + "<name>"))
                .collect(Collectors.joining(", "));
    }

    /** Tells whether an entry matches a filter over these attributes. */
    public boolean matches(Expression filter, T entry) {
        return filter.matches(field -> value(entry, field));
    }

    private Object value(T entry, Field field) {
        Function<T, Object> column = columns.get(field);
        if (column != null) {
            return column.apply(entry);
        }
        String prefix = field.name().substring(0, field.name().indexOf('.') + 1);
        return members.get(Field.of(prefix, field.kind()))
                .apply(entry, field.name().substring(prefix.length()));
    }

    /** Returns the text that an attribute has in every entry that a filter matches, if the filter says it. */
    static Optional<String> equal(Expression filter, String name) {
        return conjuncts(filter)
                .filter(one ->
                        one.relation() == Relation.EQ && one.field().name().equals(name))
                .map(one -> (String) one.value())
                .findFirst();
    }

    /** Returns how the text of an attribute begins in every entry that a filter matches, if the filter says it. */
    static Optional<String> beginning(Expression filter, String name) {
        return conjuncts(filter)
                .filter(one -> one.relation() == Relation.EQ || one.relation() == Relation.SW)
                .filter(one -> one.field().name().equals(name))
                .map(one -> (String) one.value())
                .findFirst();
    }

    private static Stream<Expression.Comparison> conjuncts(Expression filter) {
        if (filter instanceof Expression.And and) {
            return and.parts().stream().flatMap(Columns::conjuncts);
        }
        return filter instanceof Expression.Comparison comparison ? Stream.of(comparison) : Stream.empty();
    }
}
