// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import io.muster.config.ConfigurationException;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/**
 * Opens connections to one of several servers of an address such as {@code jdbc:mariadb:sequential://a,b,c/muster}.
 * {@code sequential} takes the first that works, {@code loadbalance} any. A server works if it answers a query and takes
 * changes. A connection stays at its server.
 *
 * <p>The driver itself would take a node that is outside of its cluster's primary component for one that works. It would
 * also move an open connection to another server unseen. Thread-safe.
 */
final class Hosts implements DataSource {

    private static final Pattern ADDRESS = Pattern.compile(
            "jdbc:mariadb:(?:(sequential|loadbalance|load-balance|failover|replication):)?//([^/?]*)(.*)");

    /** A server that did not work is tried last for so long. */
    private static final Duration AVOIDED = Duration.ofSeconds(5);

    private final List<String> urls;
    private final boolean random;
    private final Properties properties;
    private final Map<String, Long> failedAt = new ConcurrentHashMap<>();

    private Hosts(List<String> urls, boolean random, Properties properties) {
        this.urls = urls;
        this.random = random;
        this.properties = properties;
    }

    /** Tells whether an address names several servers. */
    static boolean areIn(String url) {
        Matcher address = ADDRESS.matcher(url);
        return address.matches() && address.group(2).contains(",");
    }

    /**
     * Takes an address with several servers.
     *
     * @param properties of the driver
     * @throws ConfigurationException if it is an address for replicas, which may be behind
     */
    static Hosts of(String url, Properties properties) {
        Matcher address = ADDRESS.matcher(url);
        if (!address.matches()) {
            throw new IllegalArgumentException("not an address of MariaDB");
        }
        String mode = String.valueOf(address.group(1));
        if (mode.equals("replication")) {
            throw new ConfigurationException(
                    List.of("muster.database.url: the mode \"replication\" reads from replicas,"
                            + " which may be behind; use \"sequential\" with the nodes of a Galera cluster"));
        }
        List<String> urls = Arrays.stream(address.group(2).split(","))
                .map(host -> "jdbc:mariadb://" + host.strip() + address.group(3))
                .toList();
        return new Hosts(urls, mode.startsWith("load"), properties);
    }

    @Override
    public Connection getConnection() throws SQLException {
        SQLException first = null;
        for (String url : order()) {
            try {
                Connection connection = connect(url);
                failedAt.remove(url);
                return connection;
            } catch (SQLException e) {
                failedAt.put(url, System.nanoTime());
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        throw first;
    }

    private List<String> order() {
        List<String> all = new ArrayList<>(urls);
        if (random) {
            Collections.shuffle(all);
        }
        List<String> avoided = all.stream().filter(this::isAvoided).toList();
        all.removeAll(avoided);
        all.addAll(avoided);
        return all;
    }

    private boolean isAvoided(String url) {
        Long at = failedAt.get(url);
        return at != null && System.nanoTime() - at < AVOIDED.toNanos();
    }

    private Connection connect(String url) throws SQLException {
        Connection connection = driver(url).connect(url, properties);
        try (Statement select = connection.createStatement();
                ResultSet row = select.executeQuery("SELECT @@read_only")) {
            if (row.next() && row.getInt(1) == 0) {
                return connection;
            }
            throw new SQLTransientConnectionException("The server is read-only", "08004");
        } catch (SQLException | RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    /** Returns the driver of an address. It is loaded by name: on some servers DriverManager finds no driver of the WAR. */
    static Driver driver(String url) {
        try {
            return Class.forName(Pool.driver(url))
                    .asSubclass(Driver.class)
                    .getConstructor()
                    .newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the driver is part of the WAR", e);
        }
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        return getConnection();
    }

    @Override
    public PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public void setLoginTimeout(int seconds) {
        // The time is limited by a property of the driver.
    }

    @Override
    public int getLoginTimeout() {
        return 0;
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return false;
    }
}
