// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import io.muster.config.MusterConfig;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Makes databases with an up-to-date schema, each a copy of one that was migrated. A copy takes a tenth of the time of
 * the migrations, which have tests of their own. Safe for use by several threads.
 */
public final class MigratedMariaDb {

    private static final String TEMPLATE = "template";

    private final MariaDbServer server;
    private final List<String> tables = new ArrayList<>();
    private final List<String> filled = new ArrayList<>();
    private final AtomicInteger copies = new AtomicInteger();

    /** Migrates a database of the server. */
    public MigratedMariaDb(MariaDbServer server) {
        this.server = server;
        MusterConfig.Database config = new MusterConfig.Database(
                server.jdbcUrl(TEMPLATE),
                Optional.of(server.user()),
                Optional.of(server.password()),
                2,
                Duration.ofSeconds(10),
                Duration.ZERO);
        Database.open(config, List.of(), Clock.systemUTC()).close();
        try (Connection connection = connect(TEMPLATE);
                Statement statement = connection.createStatement()) {
            List<String> names = new ArrayList<>();
            try (ResultSet rows = statement.executeQuery("SHOW TABLES")) {
                while (rows.next()) {
                    names.add(rows.getString(1));
                }
            }
            for (String name : names) {
                try (ResultSet row = statement.executeQuery("SHOW CREATE TABLE " + name)) {
                    row.next();
                    tables.add(row.getString(2));
                }
                try (ResultSet row = statement.executeQuery("SELECT 1 FROM " + name + " LIMIT 1")) {
                    if (row.next()) {
                        filled.add(name);
                    }
                }
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns the address of a new copy. */
    public String copy() {
        String database = "shared" + copies.incrementAndGet();
        String url = server.jdbcUrl(database);
        try (Connection connection = connect(database);
                Statement statement = connection.createStatement()) {
            for (String table : tables) {
                statement.execute(table);
            }
            for (String name : filled) {
                statement.execute("INSERT INTO " + name + " SELECT * FROM " + TEMPLATE + "." + name);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return url;
    }

    private Connection connect(String database) throws SQLException {
        return DriverManager.getConnection(server.addressOf(database), server.user(), server.password());
    }
}
