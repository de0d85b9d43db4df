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

/** Gives databases of H2 in memory an up-to-date schema, faster than the migrations, which have tests of their own. */
public final class MigratedH2 {

    private static final List<String> STATEMENTS = statements();

    private MigratedH2() {}

    /** Gives the empty database at this address the schema, and the rows of its migrations. */
    public static void fill(String url) {
        try (Connection connection = DriverManager.getConnection(Pool.completed(url));
                Statement statement = connection.createStatement()) {
            for (String sql : STATEMENTS) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> statements() {
        String url = Pool.completed("jdbc:h2:mem:template;DB_CLOSE_DELAY=-1");
        MusterConfig.Database config = new MusterConfig.Database(
                url, Optional.empty(), Optional.empty(), 2, Duration.ofSeconds(10), Duration.ZERO);
        Database.open(config, List.of(), Clock.systemUTC()).close();
        List<String> statements = new ArrayList<>();
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SCRIPT NOPASSWORDS NOSETTINGS")) {
            while (rows.next()) {
                String sql = rows.getString(1);
                if (!sql.startsWith("CREATE USER")) {
                    statements.add(sql);
                }
            }
            return statements;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
