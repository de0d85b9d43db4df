// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** Finds settings of a Galera node with which the registry cannot be right, all at once. */
final class ClusterCheck {

    /**
     * A variable of the server.
     *
     * @param right its right values; the first one is recommended
     * @param otherwise the consequence of any other value
     */
    private record Variable(String name, List<String> right, String otherwise) {}

    private static final List<Variable> VARIABLES = List.of(
            new Variable("autocommit", List.of("ON"), "statements outside of transactions would not be committed"),
            new Variable(
                    "tx_isolation",
                    List.of("READ-COMMITTED", "REPEATABLE-READ"),
                    "Galera does not support it, and transactions would see or block each other"),
            new Variable("binlog_format", List.of("ROW"), "the nodes of the cluster would come to differ"),
            new Variable("innodb_autoinc_lock_mode", List.of("2"), "the nodes of the cluster would block each other"),
            new Variable("wsrep_osu_method", List.of("TOI"), "a change of the schema would reach one node only"),
            new Variable("read_only", List.of("OFF"), "it accepts no changes"));

    private static final String WITHOUT_KEY = "SELECT t.table_name FROM information_schema.tables t"
            + " WHERE t.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' AND NOT EXISTS"
            + " (SELECT 1 FROM information_schema.table_constraints c WHERE c.table_schema = t.table_schema"
            + " AND c.table_name = t.table_name AND c.constraint_type = 'PRIMARY KEY') ORDER BY 1";
    private static final String OTHER_ENGINE = "SELECT t.table_name FROM information_schema.tables t"
            + " WHERE t.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' AND t.engine <> 'InnoDB' ORDER BY 1";

    private ClusterCheck() {}

    /** Returns every fault as a sentence that names the database; empty if there is none. */
    static List<String> faults(Connection connection, String place) throws SQLException {
        List<String> faults = new ArrayList<>();
        for (Variable variable : VARIABLES) {
            String value = value(connection, variable.name());
            if (!value.isEmpty() && !variable.right().contains(value)) {
                faults.add("muster.database: " + place + " is a Galera node with " + variable.name() + " = " + value
                        + ", so " + variable.otherwise() + "; set it to "
                        + variable.right().get(0));
            }
        }
        tables(connection, WITHOUT_KEY)
                .forEach(table -> faults.add("muster.database: the table " + table + " of " + place
                        + " has no primary key, so its nodes would differ; add one"));
        tables(connection, OTHER_ENGINE)
                .forEach(table -> faults.add("muster.database: the table " + table + " of " + place
                        + " is not of the engine InnoDB, so Galera does not replicate it; convert it"));
        return faults;
    }

    private static String value(Connection connection, String variable) throws SQLException {
        try (Statement show = connection.createStatement();
                ResultSet row = show.executeQuery("SHOW GLOBAL VARIABLES LIKE '" + variable + "'")) {
            return row.next() ? row.getString(2) : "";
        }
    }

    private static List<String> tables(Connection connection, String select) throws SQLException {
        List<String> names = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(select)) {
            while (rows.next()) {
                names.add(rows.getString(1));
            }
        }
        return names;
    }
}
