// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.logging.Logger;
import javax.sql.DataSource;

/**
 * Makes sure that what is read from the nodes of a Galera cluster is current. A database node applies the changes of
 * the others some milliseconds later, or much later if it is the donor of a state transfer or was asleep. Until then it
 * answers reads from the past.
 *
 * <p>A connection is handed out only if its database node was seen to be current within the last second. A committed
 * write shows that, since a database node commits only after it applied everything before. A registry node with one
 * database node writes twice a second ({@link Changes}), so there it costs nothing. Otherwise the database node is asked
 * to catch up first, with the one causal read of the registry. If it cannot, the connection is not handed out: the
 * request is answered 503, and not from the past.
 *
 * <p>On a single server all of this does nothing. Thread-safe.
 */
final class Cluster {

    /** How far in the past an answer may be. */
    static final Duration LAG = Duration.ofSeconds(1);

    private static final Duration CATCHING_UP = Duration.ofSeconds(3);
    private static final Executor AT_ONCE = Runnable::run;
    private static final String NAME =
            "SELECT CONCAT(@@hostname, ':', @@port, ' ', @@wsrep_node_name, ' ', @@wsrep_node_address)";
    private static final String CATCH_UP = "SET STATEMENT wsrep_sync_wait = 1 FOR SELECT 1";

    /** A database node. */
    private static final class Node {
        private final ReentrantLock catchingUp = new ReentrantLock();
        private volatile long currentAt;

        Node(long never) {
            this.currentAt = never;
        }
    }

    private final boolean galera;
    private final int answer;
    /** By the connection of the driver: one never changes its server. */
    private final Map<Connection, Node> nodesByConnection = Collections.synchronizedMap(new WeakHashMap<>());

    private final Map<String, Node> nodes = new ConcurrentHashMap<>();

    /** One for each database: a test has several in one JVM, and its threads end with it. */
    @SuppressWarnings("ThreadLocalUsage")
    private final ThreadLocal<Boolean> newest = ThreadLocal.withInitial(() -> false);

    /**
     * Watches the nodes of a cluster.
     *
     * @param galera false for a single server
     * @param answer how long a statement may take otherwise
     */
    Cluster(boolean galera, Duration answer) {
        this.galera = galera;
        this.answer = Math.toIntExact(answer.toMillis());
    }

    /** Tells whether the server of this connection is a node of a Galera cluster. */
    static boolean isGalera(Connection connection) throws SQLException {
        if (!connection.getMetaData().getDatabaseProductName().equals("MariaDB")) {
            return false;
        }
        try (Statement show = connection.createStatement();
                ResultSet row = show.executeQuery("SHOW GLOBAL VARIABLES LIKE 'wsrep_on'")) {
            return row.next() && row.getString(2).equals("ON");
        }
    }

    boolean isGalera() {
        return galera;
    }

    /** Tells whether connections go to more than one node of a cluster, or went so far. */
    boolean usesSeveral() {
        return nodes.size() > 1;
    }

    /**
     * Reads what is newest on the whole cluster at this time, whatever the database node has applied so far. It waits
     * for the database node, so it is for reads that found nothing, where a node that lags would give a wrong answer.
     */
    <T> T newest(Supplier<T> read) {
        if (!galera || newest.get()) {
            return read.get();
        }
        newest.set(true);
        try {
            return read.get();
        } finally {
            newest.remove();
        }
    }

    /** Returns connections of the pool whose database nodes are current. */
    DataSource current(DataSource pool) {
        return galera ? new Current(pool) : pool;
    }

    /** Notes that a write was committed on a connection. The time of the nanosecond clock is from before the write. */
    void committed(Connection connection, long before) throws SQLException {
        if (galera) {
            Node node = node(connection);
            node.currentAt = Math.max(node.currentAt, before);
        }
    }

    /** Notes that this registry node changed something that it must see from now on, on whichever database node. */
    void changed() {
        if (nodes.size() > 1) {
            nodes.values().forEach(node -> node.currentAt = never());
        }
    }

    private static long never() {
        return System.nanoTime() - TimeUnit.HOURS.toNanos(1);
    }

    private Node node(Connection connection) throws SQLException {
        Connection ofDriver = connection.unwrap(Connection.class);
        Node known = nodesByConnection.get(ofDriver);
        if (known != null) {
            return known;
        }
        try (Statement select = connection.createStatement();
                ResultSet row = select.executeQuery(NAME)) {
            row.next();
            Node node = nodes.computeIfAbsent(String.valueOf(row.getString(1)), name -> new Node(never()));
            nodesByConnection.put(ofDriver, node);
            return node;
        }
    }

    private void ensureCurrent(Connection connection) throws SQLException {
        Node node = node(connection);
        boolean wanted = newest.get();
        long now = System.nanoTime();
        if (!wanted && now - node.currentAt < LAG.toNanos()) {
            return;
        }
        if (!locked(node)) {
            throw new SQLTransientConnectionException("The database node does not catch up", "08S01");
        }
        try {
            // Another thread may have asked it meanwhile.
            if (wanted ? node.currentAt < now : System.nanoTime() - node.currentAt >= LAG.toNanos()) {
                long before = System.nanoTime();
                catchUp(connection);
                node.currentAt = Math.max(node.currentAt, before);
            }
        } finally {
            node.catchingUp.unlock();
        }
    }

    private static boolean locked(Node node) throws SQLException {
        try {
            return node.catchingUp.tryLock(LAG.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SQLTransientConnectionException("interrupted", "08S01", e);
        }
    }

    private void catchUp(Connection connection) throws SQLException {
        connection.setNetworkTimeout(AT_ONCE, Math.toIntExact(CATCHING_UP.toMillis()));
        try (Statement select = connection.createStatement()) {
            select.executeQuery(CATCH_UP).close();
        }
        connection.setNetworkTimeout(AT_ONCE, answer);
    }

    /** The pool, seen through the check. */
    private final class Current implements DataSource {

        private final DataSource pool;

        Current(DataSource pool) {
            this.pool = pool;
        }

        @Override
        public Connection getConnection() throws SQLException {
            Connection connection = pool.getConnection();
            try {
                ensureCurrent(connection);
                return connection;
            } catch (SQLException | RuntimeException e) {
                connection.close();
                throw e;
            }
        }

        @Override
        public Connection getConnection(String user, String password) throws SQLException {
            throw new SQLFeatureNotSupportedException();
        }

        @Override
        public PrintWriter getLogWriter() throws SQLException {
            return pool.getLogWriter();
        }

        @Override
        public void setLogWriter(PrintWriter out) throws SQLException {
            pool.setLogWriter(out);
        }

        @Override
        public void setLoginTimeout(int seconds) throws SQLException {
            pool.setLoginTimeout(seconds);
        }

        @Override
        public int getLoginTimeout() throws SQLException {
            return pool.getLoginTimeout();
        }

        @Override
        public Logger getParentLogger() throws SQLFeatureNotSupportedException {
            return pool.getParentLogger();
        }

        @Override
        public <T> T unwrap(Class<T> type) throws SQLException {
            return pool.unwrap(type);
        }

        @Override
        public boolean isWrapperFor(Class<?> type) throws SQLException {
            return pool.isWrapperFor(type);
        }
    }
}
