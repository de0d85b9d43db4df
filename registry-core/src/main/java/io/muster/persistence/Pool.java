// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.SQLExceptionOverride;
import io.muster.config.MusterConfig;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Properties;

/** Makes pools of connections, for MariaDB and for H2. */
final class Pool {

    /** A database that stops answering must not hold request threads for ever. */
    static final Duration ANSWER = Duration.ofSeconds(10);

    private static final Duration SHORTEST_VALIDATION = Duration.ofMillis(250);

    private Pool() {}

    /** A connection of H2 whose database was closed, as after a full disk, still says that it is good. */
    private static final SQLExceptionOverride CLOSED_IS_BROKEN = new SQLExceptionOverride() {
        @java.lang.Override
        public Override adjudicate(SQLException e) {
            return SqlFaults.isClosed(e) ? Override.MUST_EVICT : Override.CONTINUE_EVICT;
        }
    };

    /**
     * Makes a pool, which connects at its first use.
     *
     * @param url the whole address
     * @param galera whether that is a Galera cluster
     * @param name for the log
     * @param size connections at most
     */
    static HikariDataSource of(MusterConfig.Database config, String url, boolean galera, String name, int size) {
        HikariConfig pool = new HikariConfig();
        pool.setPoolName(name);
        Properties properties = new Properties();
        if (isMariaDb(url)) {
            // Statements are prepared once per connection: those of the hot path are few and always the same. Not on
            // Galera: if it aborts a transaction, the answer may be that the next statement cannot be prepared. The
            // driver then runs that statement without preparing it, in a new transaction, and tells nobody.
            properties.setProperty("useServerPrepStmts", Boolean.toString(!galera));
            properties.setProperty("cachePrepStmts", "true");
            properties.setProperty("socketTimeout", Long.toString(ANSWER.toMillis()));
            properties.setProperty(
                    "connectTimeout", Long.toString(config.connectTimeout().toMillis()));
        }
        if (galera) {
            // If Galera aborts a transaction between the two packets of a pipeline, the server answers one of them. The
            // driver would wait for the other answer until its time is over.
            properties.setProperty("disablePipeline", "true");
        }
        if (Hosts.areIn(url)) {
            config.user().ifPresent(user -> properties.setProperty("user", user));
            config.password().ifPresent(password -> properties.setProperty("password", password));
            pool.setDataSource(Hosts.of(url, properties));
        } else {
            pool.setDriverClassName(driver(url));
            pool.setJdbcUrl(url);
            pool.setDataSourceProperties(properties);
            config.user().ifPresent(pool::setUsername);
            config.password().ifPresent(pool::setPassword);
        }
        pool.setMaximumPoolSize(size);
        pool.setMinimumIdle(Math.min(2, size));
        pool.setConnectionTimeout(config.connectTimeout().toMillis());
        pool.setValidationTimeout(
                Math.max(SHORTEST_VALIDATION.toMillis(), config.connectTimeout().toMillis() / 2));
        pool.setInitializationFailTimeout(-1);
        pool.setExceptionOverride(CLOSED_IS_BROKEN);
        pool.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
        return new HikariDataSource(pool);
    }

    static boolean isMariaDb(String url) {
        return url.startsWith("jdbc:mariadb:");
    }

    /** Returns the class of the driver for this address. */
    static String driver(String url) {
        return isMariaDb(url) ? "org.mariadb.jdbc.Driver" : "org.h2.Driver";
    }

    /** Returns the address, and adds the options that an embedded database needs, unless the address sets them. */
    static String completed(String url) {
        if (isMariaDb(url)) {
            return url;
        }
        StringBuilder complete = new StringBuilder(url);
        for (String option : List.of(
                "MODE=MariaDB",
                "DATABASE_TO_LOWER=TRUE",
                "CASE_INSENSITIVE_IDENTIFIERS=TRUE",
                "DB_CLOSE_ON_EXIT=FALSE",
                // An acknowledged registration is in the file before the reply is sent.
                "WRITE_DELAY=0",
                // Write no trace file that others may read; the registry logs the failures.
                "TRACE_LEVEL_FILE=0",
                "LOCK_TIMEOUT=5000")) {
            String name = option.substring(0, option.indexOf('=') + 1);
            if (!url.toUpperCase(Locale.ROOT).contains(";" + name)) {
                complete.append(';').append(option);
            }
        }
        return complete.toString();
    }
}
