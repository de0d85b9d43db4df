// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A statement of SQL with its parameters. To run it, pass it to a plain connection:
 * {@code database.jdbc(Sql.of(...).list(...))}, or {@code Sql.of(...).update().in(connection)} among other work.
 * Immutable, so that a transaction can run it again.
 *
 * <p>A parameter is a text, a number, a truth value, bytes, a time, or {@code null}. A time is stored in milliseconds.
 */
public final class Sql {

    /** Reads the current row of a result. */
    @FunctionalInterface
    public interface Row<T> {
        /** Returns a value made of the row; columns count from 1. */
        T read(ResultSet row) throws SQLException;
    }

    /** Does something with the current row of a result. */
    @FunctionalInterface
    public interface RowAction {
        /** Takes the row; columns count from 1. */
        void take(ResultSet row) throws SQLException;
    }

    private final String text;
    private final Object[] parameters;

    private Sql(String text, Object[] parameters) {
        this.text = text;
        this.parameters = parameters;
    }

    /** Makes a statement with its parameters in the order of its question marks. */
    public static Sql of(String text, Object... parameters) {
        return new Sql(text, parameters);
    }

    /** Makes a statement with its parameters in the order of its question marks. */
    public static Sql of(String text, List<?> parameters) {
        return new Sql(text, parameters.toArray());
    }

    /** Changes rows, and returns how many. */
    public Database.SqlWork<Integer> update() {
        return connection -> {
            try (PreparedStatement statement = prepared(connection)) {
                return statement.executeUpdate();
            }
        };
    }

    /** Reads all rows. */
    public <T> Database.SqlWork<List<T>> list(Row<T> row) {
        return connection -> {
            List<T> all = new ArrayList<>();
            forEach(rows -> all.add(row.read(rows))).in(connection);
            return all;
        };
    }

    /** Reads the first row, if there is one. */
    public <T> Database.SqlWork<Optional<T>> first(Row<T> row) {
        return connection -> {
            try (PreparedStatement statement = prepared(connection);
                    ResultSet rows = statement.executeQuery()) {
                return rows.next() ? Optional.of(row.read(rows)) : Optional.empty();
            }
        };
    }

    /** Tells whether there is a row. */
    public Database.SqlWork<Boolean> exists() {
        return connection -> first(row -> true).in(connection).isPresent();
    }

    /** Does something with each row; returns nothing. */
    public Database.SqlWork<Void> forEach(RowAction action) {
        return connection -> {
            try (PreparedStatement statement = prepared(connection);
                    ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    action.take(rows);
                }
            }
            return null;
        };
    }

    /**
     * Runs one statement for each of many elements, all sent at once, and returns how many rows each changed.
     *
     * @param parameters of one element, in the order of the question marks
     */
    public static <E> Database.SqlWork<int[]> batch(
            String text, Collection<E> elements, Function<E, Object[]> parameters) {
        return connection -> {
            if (elements.isEmpty()) {
                return new int[0];
            }
            try (PreparedStatement statement = connection.prepareStatement(text)) {
                for (E element : elements) {
                    bind(statement, parameters.apply(element));
                    statement.addBatch();
                }
                return statement.executeBatch();
            } catch (BatchUpdateException e) {
                throw fault(e);
            }
        };
    }

    /** Without pipelining, as on a cluster, the driver hides the fault behind exceptions without a code. */
    private static SQLException fault(SQLException hidden) {
        return hidden instanceof BatchUpdateException
                        && hidden.getErrorCode() == 0
                        && hidden.getCause() instanceof SQLException cause
                ? fault(cause)
                : hidden;
    }

    private PreparedStatement prepared(Connection connection) throws SQLException {
        PreparedStatement statement = connection.prepareStatement(text);
        try {
            bind(statement, parameters);
            return statement;
        } catch (SQLException | RuntimeException e) {
            statement.close();
            throw e;
        }
    }

    // Sets each parameter by its type: a driver that is given an object looks for the type itself, which takes longer.
    private static void bind(PreparedStatement statement, Object[] parameters) throws SQLException {
        for (int i = 0; i < parameters.length; i++) {
            Object value = parameters[i];
            if (value instanceof String text) {
                statement.setString(i + 1, text);
            } else if (value instanceof Long number) {
                statement.setLong(i + 1, number);
            } else if (value instanceof byte[] bytes) {
                statement.setBytes(i + 1, bytes);
            } else if (value instanceof Instant time) {
                statement.setLong(i + 1, time.toEpochMilli());
            } else if (value instanceof Integer number) {
                statement.setInt(i + 1, number);
            } else if (value instanceof Boolean truth) {
                statement.setBoolean(i + 1, truth);
            } else if (value == null) {
                statement.setNull(i + 1, Types.NULL);
            } else {
                throw new IllegalArgumentException("a " + value.getClass().getSimpleName() + " cannot be bound");
            }
        }
    }

    /** Reads a number that may be missing. */
    public static Optional<Long> number(ResultSet row, int column) throws SQLException {
        long number = row.getLong(column);
        return row.wasNull() ? Optional.empty() : Optional.of(number);
    }

    /** Reads a time that may be missing, which is stored in milliseconds. */
    public static Optional<Instant> time(ResultSet row, int column) throws SQLException {
        return number(row, column).map(Instant::ofEpochMilli);
    }
}
