// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads entries of an index: those with given values in its first columns, between two values of the next, in the
 * order of the index or in reverse. It reads as many entries as it returns, whatever the size of the index.
 *
 * <p>Given values are compared as ranges of one value, as in {@link io.muster.persistence.IndexRange}.
 */
final class Scan {

    private static final String IS_NULL = " IS NULL";

    private final String select;
    private final List<String> columns = new ArrayList<>();
    private final List<String> conditions = new ArrayList<>();
    private final List<Object> values = new ArrayList<>();
    private int missing = -1;

    /** Reads from this table with this index; the columns of an entry come first. */
    Scan(String select) {
        this.select = select;
    }

    /** Only entries with this value in the next column. */
    Scan equal(String column, Object value) {
        columns.add(column);
        conditions.add(column + " >= ? AND " + column + " <= ?");
        values.add(value);
        values.add(value);
        return this;
    }

    /** Only entries without a value in the next column, a text that is never empty. All further conditions are for these. */
    Scan missing(String column) {
        columns.add(column);
        conditions.add(column + IS_NULL);
        missing = conditions.size() - 1;
        return this;
    }

    /**
     * Returns the text after {@code WHERE}. If IS NULL stood alone, MariaDB would leave the column out of the order, not
     * find the rest in the index, and sort all rows. So there is a second range, in which nothing is.
     */
    private String condition() {
        if (missing < 0) {
            return String.join(" AND ", conditions);
        }
        String nothing = conditions.get(missing).replace(IS_NULL, " < ''");
        return String.join(" AND ", conditions.subList(0, missing)) + " AND ("
                + String.join(" AND ", conditions.subList(missing, conditions.size())) + " OR " + nothing + ")";
    }

    /** In the order of the next column. */
    Scan by(String column) {
        columns.add(column);
        return this;
    }

    /** Only entries with this relation to a value, such as {@code <=}. */
    Scan where(String column, String relation, Object value) {
        conditions.add(column + " " + relation + " ?");
        values.add(value);
        return this;
    }

    /** Only entries whose text begins so. */
    Scan begins(String column, String prefix) {
        where(column, ">=", prefix);
        String end = Prefix.end(prefix);
        return end.isEmpty() ? this : where(column, "<", end);
    }

    /** Reads at most so many. */
    List<Entry> read(Connection connection, boolean descending, int atMost) throws SQLException {
        List<Object> parameters = new ArrayList<>(values);
        parameters.add(atMost);
        String direction = descending ? " DESC" : "";
        return Sql.of(
                        select + " WHERE " + condition() + " ORDER BY " + String.join(direction + ", ", columns)
                                + direction + " LIMIT ?",
                        parameters)
                .list(row -> new Entry(row.getBytes(1), row.getString(2), row.getString(3)))
                .in(connection);
    }

    /** Where the texts that begin with another end. */
    static final class Prefix {

        private Prefix() {}

        /** Returns a text behind all that begin with the prefix, on every database; empty if there is none. */
        static String end(String prefix) {
            int[] points = prefix.codePoints().toArray();
            int length = points.length;
            // The databases differ in the order of these and of the characters behind them.
            while (length > 0 && (points[length - 1] >= 0xFFFF || points[length - 1] == 0xD7FF)) {
                length--;
            }
            if (length == 0) {
                return "";
            }
            points[length - 1]++;
            return new String(points, 0, length);
        }
    }
}
