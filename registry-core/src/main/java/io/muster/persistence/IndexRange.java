// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import java.util.ArrayList;
import java.util.List;

/**
 * A page of the rows that have given values in the first columns of an index, in the order of its next column. Every
 * page, the last one too, reads only as many index entries as it has rows.
 *
 * <p>Each given value is compared as a range of one value, and its column is part of the order. With {@code =} or
 * {@code BETWEEN}, MariaDB would read all rows that have the values, and drop those before the page one by one.
 */
public final class IndexRange {

    private final int equal;
    private final String sql;

    private IndexRange(List<String> columns) {
        this.equal = columns.size() - 1;
        List<String> conditions = new ArrayList<>();
        columns.subList(0, equal).forEach(column -> conditions.add(column + " >= ? AND " + column + " <= ?"));
        conditions.add(columns.get(equal) + " > ?");
        this.sql = String.join(" AND ", conditions) + " ORDER BY " + String.join(", ", columns) + " LIMIT ?";
    }

    /** Uses these columns, with which an index begins. Pages follow the last of them. */
    public static IndexRange of(String... columns) {
        return new IndexRange(List.of(columns));
    }

    /** Returns the text after {@code WHERE}: the condition, the order and the limit. */
    public String sql() {
        return sql;
    }

    /**
     * Returns the parameters of {@link #sql} in a new list.
     *
     * @param values of all columns but the last
     * @param after the last value of the page before, or less than any
     * @param atMost rows
     */
    public List<Object> values(List<?> values, Object after, int atMost) {
        if (values.size() != equal) {
            throw new IllegalArgumentException(values.size() + " values for " + equal + " columns");
        }
        List<Object> parameters = new ArrayList<>();
        for (Object value : values) {
            parameters.add(value);
            parameters.add(value);
        }
        parameters.add(after);
        parameters.add(atMost);
        return parameters;
    }
}
