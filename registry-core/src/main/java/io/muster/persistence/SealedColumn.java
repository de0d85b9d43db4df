// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A column whose values are sealed under the {@link MasterKey}.
 *
 * @param table that has it
 * @param column its name
 * @param index the columns of a unique index that hold texts; rows are read in its order
 * @param purpose the purpose of a value's seal, by the texts of its row in the columns of the index
 */
public record SealedColumn(String table, String column, List<String> index, Function<List<String>, String> purpose) {

    private static final int PAGE = 1000;

    /** A value that is to be replaced. */
    private record Stale(List<String> row, byte[] before, byte[] after) {}

    /** A page of rows: its last row, and the values that are to be replaced. */
    private record Page(Optional<List<String>> last, List<Stale> stale) {}

    /**
     * Seals under the first key of the master key what its second one sealed, a thousand rows at a time. Other nodes may go on
     * working, as long as they have both keys.
     *
     * @return how many values were sealed anew
     * @throws io.muster.config.ConfigurationException if a value was sealed under neither
     */
    public long reseal(Database database, MasterKey master) {
        long resealed = 0;
        List<String> after = Collections.nCopies(index.size(), "");
        while (true) {
            List<String> from = after;
            Page page = database.jdbc(connection -> page(from, master).in(connection));
            int[] changed = database.jdbcTransaction(Sql.batch(update(), page.stale(), SealedColumn::parameters));
            long missed = Arrays.stream(changed).filter(rows -> rows == 0).count();
            resealed += changed.length - missed;
            if (missed > 0) {
                // Somebody else wrote them meanwhile: they are read again.
                continue;
            }
            if (page.last().isEmpty()) {
                return resealed;
            }
            after = page.last().get();
        }
    }

    private Database.SqlWork<Page> page(List<String> after, MasterKey master) {
        String select = "SELECT " + String.join(", ", index) + ", " + column + " FROM " + table + " WHERE " + behind(0)
                + " ORDER BY " + String.join(", ", index) + " LIMIT " + PAGE;
        return connection -> {
            List<Stale> stale = new ArrayList<>();
            List<String> last = new ArrayList<>();
            Sql.of(select, positions(after))
                    .forEach(row -> {
                        last.clear();
                        last.addAll(texts(row));
                        byte[] value = row.getBytes(index.size() + 1);
                        List<String> texts = List.copyOf(last);
                        // A value that was lost with a master key is empty.
                        if (value.length > 0) {
                            master.resealed(value, purpose.apply(texts))
                                    .ifPresent(again -> stale.add(new Stale(texts, value, again)));
                        }
                    })
                    .in(connection);
            return new Page(last.isEmpty() ? Optional.empty() : Optional.of(List.copyOf(last)), stale);
        };
    }

    private List<String> texts(ResultSet row) throws SQLException {
        List<String> texts = new ArrayList<>();
        for (int i = 1; i <= index.size(); i++) {
            texts.add(row.getString(i));
        }
        return texts;
    }

    /** Returns the condition for a row that comes after another one, from this column of the index on. */
    private String behind(int from) {
        String name = index.get(from);
        return from == index.size() - 1
                ? name + " > ?"
                : "(" + name + " > ? OR (" + name + " = ? AND " + behind(from + 1) + "))";
    }

    /** Returns the parameters of {@link #behind}. */
    private static List<String> positions(List<String> row) {
        List<String> positions = new ArrayList<>();
        row.subList(0, row.size() - 1).forEach(text -> positions.addAll(List.of(text, text)));
        positions.add(row.get(row.size() - 1));
        return positions;
    }

    private String update() {
        return "UPDATE " + table + " SET " + column + " = ? WHERE " + String.join(" = ? AND ", index) + " = ? AND "
                + column + " = ?";
    }

    private static Object[] parameters(Stale stale) {
        List<Object> parameters = new ArrayList<>();
        parameters.add(stale.after());
        parameters.addAll(stale.row());
        parameters.add(stale.before());
        return parameters.toArray();
    }
}
