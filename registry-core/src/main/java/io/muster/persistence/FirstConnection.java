// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The first connection of a start, which waits for a database that is not reachable yet. It has limits of its own. A
 * request does not wait as long as a start does, and opening the file of an embedded database takes as long as the
 * machine needs.
 */
final class FirstConnection {

    /** How long one attempt at a database server may take; the start makes several. */
    private static final Duration ATTEMPT = Duration.ofSeconds(10);

    private static final Duration PAUSE = Duration.ofMillis(500);
    private static final Duration LOG_AGAIN = Duration.ofSeconds(10);
    private static final Logger LOG = LoggerFactory.getLogger(FirstConnection.class);
    private static final Pattern EMBEDDED_FILE = Pattern.compile("jdbc:h2:(?:file:|(?=[./~]|[A-Za-z]:))([^;]*).*");
    private static final Pattern SERVER = Pattern.compile("jdbc:mariadb:(?:[a-z-]+:)?//([^?]*).*");

    private static final int ACCESS_DENIED = 1045;
    private static final int NO_RIGHTS_ON_DATABASE = 1044;
    private static final int NO_SUCH_DATABASE = 1049;
    private static final int TOO_MANY_CONNECTIONS = 1040;
    private static final int HOST_NOT_ALLOWED = 1130;
    private static final int HOST_BLOCKED = 1129;
    private static final int FILE_IN_USE = 90_020;
    private static final int OLD_FILE = 90_048;
    private static final int DAMAGED_FILE = 90_030;

    private final MusterConfig.Database config;
    private final Clock clock;

    FirstConnection(MusterConfig.Database config, Clock clock) {
        this.config = config;
        this.clock = clock;
    }

    /** Returns the file of an embedded database; empty for a server's, and for one in memory. */
    static Optional<Path> embeddedFile(String url) {
        Matcher embedded = EMBEDDED_FILE.matcher(url);
        return embedded.matches()
                ? Optional.of(
                        Path.of(embedded.group(1).replaceFirst("^~(?=/)", System.getProperty("user.home")) + ".mv.db"))
                : Optional.empty();
    }

    /** Returns the database as a message names it: its place, without the options of the address. */
    static String place(String url) {
        Matcher server = SERVER.matcher(url);
        return server.matches()
                ? server.group(1)
                : embeddedFile(url).map(Path::toString).orElse("memory");
    }

    /**
     * Connects, and retries until the start timeout has passed.
     *
     * @param url the whole address
     * @return a connection without a limit of time for its statements
     * @throws ConfigurationException if there is none within the start timeout, or waiting cannot help
     */
    Connection open(String url) {
        Instant end = clock.instant().plus(config.startTimeout());
        String said = "";
        Instant saidAt = Instant.MIN;
        while (true) {
            try {
                return connect(url);
            } catch (SQLException e) {
                Instant now = clock.instant();
                String cause = cause(e);
                if (!now.isBefore(end) || isFinal(e)) {
                    throw new ConfigurationException(List.of("muster.database: no connection to " + place(url)
                            + (isFinal(e) ? "" : " within " + config.startTimeout()) + ": " + cause));
                }
                if (!cause.equals(said) || !now.isBefore(saidAt.plus(LOG_AGAIN))) {
                    said = cause;
                    saidAt = now;
                    LOG.info(
                            "The database {} is not there yet, trying again until {} have passed: {}",
                            place(url),
                            config.startTimeout(),
                            cause);
                }
                LockSupport.parkNanos(PAUSE.toNanos());
            }
        }
    }

    private Connection connect(String url) throws SQLException {
        boolean mariaDb = Pool.isMariaDb(url);
        Properties properties = new Properties();
        config.user().ifPresent(user -> properties.setProperty("user", user));
        config.password().ifPresent(password -> properties.setProperty("password", password));
        if (mariaDb) {
            DriverLog.silence();
            properties.setProperty("connectTimeout", Long.toString(ATTEMPT.toMillis()));
        }
        return Hosts.areIn(url)
                ? Hosts.of(url, properties).getConnection()
                : Hosts.driver(url).connect(url, properties);
    }

    /**
     * Tells whether waiting cannot help. For an embedded database it helps only if another process is about to release
     * the file.
     */
    private boolean isFinal(SQLException e) {
        return !Pool.isMariaDb(config.url()) && e.getErrorCode() != FILE_IN_USE;
    }

    private String cause(SQLException e) {
        String user = config.user().map(name -> "the user \"" + name + "\"").orElse("a login without a user name");
        String codes = "(SQL state " + e.getSQLState() + ", code " + e.getErrorCode() + ")";
        return switch (e.getErrorCode()) {
            case ACCESS_DENIED ->
                "it refuses " + user + "; check muster.database.user and muster.database.password-file";
            case NO_RIGHTS_ON_DATABASE ->
                user + " may not use this database; grant it every right on it (GRANT ALL PRIVILEGES)";
            case NO_SUCH_DATABASE ->
                "the server runs and has no database of this name; create it (CREATE DATABASE), or"
                        + " mend the name in muster.database.url";
            case TOO_MANY_CONNECTIONS ->
                "it has too many connections already; raise max_connections there, or lower"
                        + " muster.database.pool-size of the nodes";
            case HOST_NOT_ALLOWED, HOST_BLOCKED ->
                "the server takes no connections from this machine; check the host part"
                        + " of the user's name there, and FLUSH HOSTS";
            case FILE_IN_USE -> "another process has the file open; only one node may use an embedded database";
            case OLD_FILE -> "the file was written by another version of H2 " + codes;
            case DAMAGED_FILE -> "the file is damaged " + codes + "; restore it from a backup";
            default ->
                network(e)
                        .orElse(
                                Pool.isMariaDb(config.url())
                                        ? "the login failed " + codes + "; see the server's log"
                                        : "the file cannot be opened " + codes
                                                + "; check its rights, and that the disk is not full");
        };
    }

    /** Describes a fault of the network. The driver's own text may contain too much to be repeated. */
    private static Optional<String> network(SQLException e) {
        for (Throwable t = e; t != null && t != t.getCause(); t = t.getCause()) {
            if (t instanceof UnknownHostException) {
                return Optional.of("the name of the host does not resolve; check muster.database.url");
            }
            if (t instanceof NoRouteToHostException) {
                return Optional.of("there is no route to the host; check muster.database.url and the network");
            }
            if (t instanceof ConnectException) {
                return Optional.of("nothing listens there; check that the database runs, and muster.database.url");
            }
            if (t instanceof SocketTimeoutException) {
                return Optional.of("no answer within " + ATTEMPT
                        + "; check that the database runs, muster.database.url and firewalls");
            }
        }
        return Optional.empty();
    }
}
