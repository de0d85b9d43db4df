// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.muster.persistence.MariaDbServer;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * All measured processes: one MariaDB with a database for each way to register, the registry, and the floors on a
 * server of their own. All of it is on this machine's loopback address, and ends when this is closed.
 */
final class Stage implements AutoCloseable {

    /** Databases with the same tables on the same server. */
    static final String MUSTER = "muster";

    static final String FLOOR = "floor";
    static final String JDBC = "jdbc";
    static final String AGAINST = "against";

    /** The fleet whose only verifier asks a server that never answers. */
    static final String HANGING = "hanging";

    /** The secret of the broker that asks for logins. */
    static final String LISTENER = "a-broker-of-the-bench-and-of-nothing-else";

    /** Processes that are not servers of HTTP. */
    static final String MARIADB = "mariadb";

    static final String DRIVER = "driver";

    private static final String JAR = "muster.jar";
    private static final String AGAINST_JAR = "against.jar";
    private static final List<String> TABLES = List.of("device", "credential", "expected_serial");
    private static final List<String> JVM = List.of("-Xmx512m");

    @FunctionalInterface
    private interface Closing {
        void close() throws IOException, SQLException;
    }

    private final Path directory;
    private final Deque<Closing> closing = new ArrayDeque<>();
    private final MariaDbServer mariaDb;
    private final Connection administration;
    private final Map<String, Server> servers = new LinkedHashMap<>();
    private final Map<String, Stock> stocks = new LinkedHashMap<>();
    private final Map<String, ProcessHandle> processes = new LinkedHashMap<>();
    private final SilentServer silent;

    private Stage(Path directory, Path musterJar, Options options)
            throws IOException, SQLException, InterruptedException {
        this.directory = directory;
        Files.createDirectories(directory);
        closing.push(() -> delete(directory));
        try {
            // A copy, because a build may replace the jar meanwhile.
            Path jar = Files.copy(musterJar, directory.resolve(JAR), StandardCopyOption.REPLACE_EXISTING);
            if (options.against().isPresent()) {
                Files.copy(options.against().get(), directory.resolve(AGAINST_JAR));
            }
            Set<ProcessHandle> before = children();
            mariaDb = MariaDbServer.start(directory.resolve("mariadb"));
            closing.push(mariaDb::close);
            Set<ProcessHandle> started = children();
            started.removeAll(before);
            administration = connect("");
            closing.push(administration::close);
            enlarge();
            silent = new SilentServer();
            closing.push(silent::close);
            processes.put(MARIADB, started.iterator().next());
            processes.put(DRIVER, ProcessHandle.current());
            if (options.cold()) {
                stocks.put(MUSTER, new Stock(serials -> insert(MUSTER, serials)));
                return;
            }
            registry(MUSTER, jar, options.musterOptions(), options.musterArguments(), Map.of());
            if (options.against().isPresent()) {
                registry(AGAINST, directory.resolve(AGAINST_JAR), List.of(), List.of(), Map.of());
            }
            floor(FloorJar.make(jar, directory));
            mariaDb.jdbcUrl(JDBC);
            for (Server server : servers.values()) {
                server.await();
            }
            for (String database : List.of(FLOOR, JDBC)) {
                for (String table : TABLES) {
                    execute("CREATE TABLE " + database + "." + table + " LIKE " + MUSTER + "." + table);
                }
                stocks.put(database, new Stock(serials -> insert(database, serials)));
            }
            for (String registry : servers.keySet()) {
                if (!registry.equals(FLOOR)) {
                    stocks.put(registry, new Stock(serials -> upload(registry, serials)));
                }
            }
            servers.forEach((name, server) -> processes.put(name, server.process()));
        } catch (IOException | SQLException | InterruptedException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Starts everything.
     *
     * @param target the parent of a directory for this run; those of runs that were killed are removed
     */
    static Stage set(Path target, Path musterJar, Options options)
            throws IOException, SQLException, InterruptedException {
        try (DirectoryStream<Path> runs = Files.newDirectoryStream(target, "run-*")) {
            for (Path run : runs) {
                long pid = Long.parseLong(run.getFileName().toString().substring(4));
                if (ProcessHandle.of(pid).isEmpty()) {
                    delete(run);
                }
            }
        }
        Path directory = target.resolve("run-" + ProcessHandle.current().pid());
        return new Stage(directory, musterJar, options);
    }

    /**
     * Ends the process of the registry and starts another one on the same database and data, without waiting for it.
     *
     * @param other whether to start the other jar
     * @param environment further settings
     */
    void restart(boolean other, Options options, Map<String, String> environment) throws IOException {
        stop();
        registry(
                MUSTER,
                directory.resolve(other ? AGAINST_JAR : JAR),
                other ? List.of() : options.musterOptions(),
                other ? List.of() : options.musterArguments(),
                environment);
        processes.put(MUSTER, servers.get(MUSTER).process());
    }

    /** Ends the process of the registry, if there is one. */
    void stop() {
        Server server = servers.remove(MUSTER);
        if (server != null) {
            server.close();
        }
    }

    private void registry(String name, Path jar, List<String> jvm, List<String> arguments, Map<String, String> settings)
            throws IOException {
        Map<String, String> environment = new HashMap<>(settings);
        Path password = Files.writeString(directory.resolve("database-password"), mariaDb.password());
        environment.putAll(Map.ofEntries(
                Map.entry("MUSTER_DATABASE_URL", mariaDb.jdbcUrl(name)),
                Map.entry("MUSTER_DATABASE_USER", mariaDb.user()),
                Map.entry("MUSTER_DATABASE_PASSWORD_FILE", password.toString()),
                // so that no token of the driver expires in a long run
                Map.entry("MUSTER_TOKEN_LIFETIME", "PT2H"),
                Map.entry("MUSTER_MQTT_BROKERS", "rabbit"),
                Map.entry("MUSTER_MQTT_BROKER_RABBIT_SECRET", LISTENER),
                Map.entry("MUSTER_FLEETS", HANGING),
                Map.entry("MUSTER_FLEET_HANGING_VERIFIERS", HANGING),
                Map.entry("MUSTER_VERIFIER_HANGING_TYPE", "http"),
                Map.entry("MUSTER_VERIFIER_HANGING_URL", "http://127.0.0.1:" + silent.port() + "/{serial}"),
                Map.entry("MUSTER_VERIFIER_HANGING_ALLOW_HTTP", "true"),
                Map.entry("MUSTER_VERIFIER_HANGING_ALLOW_PRIVATE", "true"),
                Map.entry("MUSTER_VERIFIER_HANGING_STATUS_ONLY", "true"),
                // so that the circuit stays closed, and every question hangs to the end
                Map.entry("MUSTER_VERIFIER_HANGING_BREAKER_FAILURES", "1000")));
        start(name, Server.launch(jar, directory.resolve(name), concat(JVM, jvm), arguments, environment));
    }

    private void floor(Path jar) throws IOException {
        List<String> properties = List.of(
                "-Dbench.database.url=" + mariaDb.jdbcUrl(FLOOR),
                "-Dbench.database.user=" + mariaDb.user(),
                "-Dbench.database.password=" + mariaDb.password());
        start(FLOOR, Server.launch(jar, directory.resolve(FLOOR), concat(JVM, properties), List.of(), Map.of()));
    }

    private void start(String name, Server server) {
        servers.put(name, server);
        closing.push(server::close);
    }

    /**
     * Enlarges the test server, which is small. Otherwise its flushing would be measured, which a registry's server
     * would not do.
     */
    private void enlarge() throws SQLException {
        execute("SET GLOBAL innodb_buffer_pool_size = 512 * 1024 * 1024");
        execute("SET GLOBAL innodb_log_file_size = 512 * 1024 * 1024");
    }

    /** The databases of registries and floors. */
    List<String> databases() {
        return List.copyOf(stocks.keySet());
    }

    /** The registry, and the other one if there is one. */
    List<String> registries() {
        return stocks.keySet().stream()
                .filter(name -> name.equals(MUSTER) || name.equals(AGAINST))
                .toList();
    }

    /** Returns the registry's process that {@link #restart} started. */
    Server server() {
        return servers.get(MUSTER);
    }

    int port(String server) {
        return servers.get(server).port();
    }

    String operatorToken(String registry) throws IOException {
        return Files.readString(directory.resolve(registry).resolve("data/operator-token"))
                .strip();
    }

    Stock stock(String database) {
        return stocks.get(database);
    }

    /** Returns how many questions hung so far. */
    long hung() {
        return silent.accepted();
    }

    Map<String, ProcessHandle> processes() {
        return processes;
    }

    Gauge gauge() throws SQLException {
        Connection connection = connect("");
        closing.push(connection::close);
        return new Gauge(connection, processes);
    }

    /** Opens a connection of its own to a database. */
    Connection connect(String database) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:mariadb://127.0.0.1:" + mariaDb.port() + "/" + database
                        + "?useServerPrepStmts=true&cachePrepStmts=true",
                mariaDb.user(),
                mariaDb.password());
    }

    /** Counts the devices in a database. */
    long devices(String database) throws SQLException {
        return number("SELECT COUNT(*) FROM " + database + ".device");
    }

    String mariaDbVersion() throws SQLException {
        return administration.getMetaData().getDatabaseProductVersion();
    }

    /** Reads a setting of MariaDB. */
    long setting(String name) throws SQLException {
        return number("SELECT @@GLOBAL." + name);
    }

    private long number(String query) throws SQLException {
        try (Statement statement = administration.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = administration.createStatement()) {
            statement.execute(sql);
        }
    }

    private void upload(String registry, List<String> serials) throws IOException {
        try (HttpConnection connection = new HttpConnection(port(registry))) {
            HttpConnection.Reply reply = connection.postLast(
                    "/api/v1/fleets/default/serials",
                    "text/csv",
                    "Bearer " + operatorToken(registry),
                    "serial\n" + String.join("\n", serials) + "\n");
            JsonNode result = new JsonMapper().readTree(reply.body());
            if (reply.status() != 200 || result.path("accepted").asInt() != serials.size()) {
                throw new IOException("the registry does not take serials: " + reply);
            }
        }
    }

    private void insert(String database, List<String> serials) throws SQLException {
        try (Connection connection = connect(database)) {
            connection.setAutoCommit(false);
            try (PreparedStatement put = connection.prepareStatement(
                    "INSERT INTO expected_serial (fleet, serial, state) VALUES ('default', ?, 'E')")) {
                for (String serial : serials) {
                    put.setString(1, serial);
                    put.addBatch();
                }
                put.executeBatch();
            }
            connection.commit();
        }
    }

    @Override
    public void close() {
        while (!closing.isEmpty()) {
            try {
                closing.pop().close();
            } catch (IOException | SQLException e) {
                System.err.println("Not cleaned up below " + directory.getFileName() + ": " + e);
            }
        }
    }

    private static Set<ProcessHandle> children() {
        Set<ProcessHandle> children = new HashSet<>();
        ProcessHandle.current().children().forEach(children::add);
        return children;
    }

    private static List<String> concat(List<String> first, List<String> second) {
        List<String> all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }

    /** Returns the copy of the jar that is measured. */
    Path jar() {
        return directory.resolve(JAR);
    }

    private static void delete(Path directory) throws IOException {
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException fault) throws IOException {
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
