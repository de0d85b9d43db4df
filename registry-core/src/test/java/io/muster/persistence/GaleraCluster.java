// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import io.muster.Required;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A MariaDB Galera cluster for tests: three database nodes, each a process on free ports of the loopback address. Each
 * node is a {@link MariaDbServer} that can be killed, frozen and started again, and then joins the cluster again. All
 * have the same user and password. Needs the packages mariadb-server, galera-4 and rsync.
 *
 * <p>The nodes notice a lost one after about a second and a half, as {@code docs/galera.md} recommends. Linux only.
 */
public final class GaleraCluster implements AutoCloseable {

    /** The account of the server's processes when the tests run as root: rsync cannot transfer the state of root. */
    static final String ACCOUNT = "mysql";

    /** The settings of the provider that {@code docs/galera.md} recommends. */
    public static final String PROVIDER_OPTIONS = "evs.keepalive_period=PT0.3S;evs.inactive_check_period=PT0.3S;"
            + "evs.suspect_timeout=PT1.2S;evs.inactive_timeout=PT4S;evs.install_timeout=PT4S";

    private static final int NODES = 3;
    private static final Duration DEADLINE = Duration.ofSeconds(90);
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final Pattern POSITION = Pattern.compile(".*Recovered position: *([0-9a-f-]{36}:-?[0-9]+).*");
    private static final Set<Integer> GIVEN = new HashSet<>();

    private final Path directory;
    private final List<MariaDbServer> nodes = new ArrayList<>();

    private GaleraCluster(Path directory) {
        this.directory = directory;
    }

    /** Skips the test if this machine has no Galera; in CI it fails instead. */
    public static void required() {
        Required.there(
                provider().isPresent() && MariaDbServer.Installation.ofMachine().isPresent(),
                "there is no Galera (mariadb-server, galera-4)");
        Required.programs("rsync");
    }

    /** Starts a cluster of three; each node takes writes on return. */
    public static GaleraCluster start() {
        return start(PROVIDER_OPTIONS);
    }

    /**
     * Starts a cluster of three; each node takes writes on return.
     *
     * @param providerOptions further options of the provider, separated by semicolons
     * @throws IllegalStateException if it does not come up; the message holds the end of a log
     */
    public static GaleraCluster start(String providerOptions) {
        GaleraCluster cluster;
        try {
            cluster = new GaleraCluster(Files.createTempDirectory(place(), "g-"));
            own(cluster.directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try {
            cluster.launch(providerOptions);
            return cluster;
        } catch (RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    private void launch(String providerOptions) {
        byte[] random = new byte[16];
        new SecureRandom().nextBytes(random);
        String password = HexFormat.of().formatHex(random);
        List<Ports> ports = Stream.generate(Ports::next).limit(NODES).toList();
        String address = ports.stream().map(one -> "127.0.0.1:" + one.group()).collect(Collectors.joining(","));
        for (int i = 0; i < NODES; i++) {
            nodes.add(MariaDbServer.member(
                    directory.resolve("node" + (i + 1)),
                    password,
                    ports.get(i).sql(),
                    new Member(ports.get(i), address, providerOptions),
                    i == 0 ? Optional.empty() : Optional.of(nodes.get(0))));
        }
        MariaDbServer first = nodes.get(0);
        first.launchMember(List.of("--wsrep-new-cluster", "--init-file=" + first.initFile()));
        first.requireReady();
        for (MariaDbServer other : nodes.subList(1, NODES)) {
            other.launchMember(List.of());
            other.requireReady();
        }
        awaitSize(NODES);
    }

    /** Returns the nodes, in the order of their start. */
    public List<MariaDbServer> nodes() {
        return List.copyOf(nodes);
    }

    /** Returns a node; they count from 0. */
    public MariaDbServer node(int number) {
        return nodes.get(number);
    }

    /** The user that may do everything, on all nodes. */
    public String user() {
        return nodes.get(0).user();
    }

    /** The password of {@link #user()}. */
    public String password() {
        return nodes.get(0).password();
    }

    /** Creates a database if it does not exist, and waits until each running node has it. */
    public void createDatabase(String database) {
        nodes.stream().filter(MariaDbServer::isRunning).forEach(node -> node.jdbcUrl(database));
    }

    /** Returns the address of a database, which must exist, at all nodes: {@code sequential} or {@code loadbalance}. */
    public String jdbcUrl(String mode, String database) {
        return nodes.stream()
                .map(node -> "127.0.0.1:" + node.port())
                .collect(Collectors.joining(",", "jdbc:mariadb:" + mode + "://", "/" + database));
    }

    /** Waits until each running node sees this many nodes in the primary component, and takes writes. */
    public void awaitSize(int size) {
        for (MariaDbServer node : nodes) {
            if (node.isRunning()) {
                awaitStatus(node, "wsrep_cluster_size", Integer.toString(size));
                awaitReady(node, true);
            }
        }
    }

    /** Waits until a node takes writes, or until it refuses them. */
    public void awaitReady(MariaDbServer node, boolean ready) {
        awaitStatus(node, "wsrep_ready", ready ? "ON" : "OFF");
    }

    private static void awaitStatus(MariaDbServer node, String variable, String wanted) {
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        String seen = "nothing";
        while (System.nanoTime() < deadline) {
            try {
                seen = status(node, variable);
                if (seen.equals(wanted)) {
                    return;
                }
            } catch (SQLException e) {
                seen = e.getMessage();
            }
            LockSupport.parkNanos(PAUSE.toNanos());
        }
        throw new IllegalStateException(variable + " is not " + wanted + " but " + seen);
    }

    private static String status(MariaDbServer node, String variable) throws SQLException {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SHOW STATUS LIKE '" + variable + "'")) {
            row.next();
            return row.getString(2);
        }
    }

    /**
     * Makes a node that lost its cluster the first of a new one, from its own data. Its process must have ended, and so
     * must all others.
     */
    public void bootstrap(MariaDbServer node) {
        Path state = directory.resolve("node" + (nodes.indexOf(node) + 1)).resolve("data/grastate.dat");
        try {
            Files.writeString(
                    state, Files.readString(state).replaceAll("safe_to_bootstrap: .*", "safe_to_bootstrap: 1"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        node.launchMember(List.of("--wsrep-new-cluster"));
        node.requireReady();
    }

    /** Ends all nodes and deletes their data. Harmless the second time. */
    @Override
    public void close() {
        // The data is deleted next, so no node has to leave the cluster in order.
        nodes.forEach(MariaDbServer::kill);
        nodes.forEach(MariaDbServer::close);
        try {
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns a directory that the account of the database can get to: below the module's target, if it may. */
    private static Path place() throws IOException {
        Path target = Files.createDirectories(MariaDbServer.target().resolve("galera"));
        for (Path one = target; one != null; one = one.getParent()) {
            if (MariaDbServer.runsAsRoot()
                    && !Files.getPosixFilePermissions(one).contains(PosixFilePermission.OTHERS_EXECUTE)) {
                return Path.of(System.getProperty("java.io.tmpdir"));
            }
        }
        return target;
    }

    private static Optional<Path> provider() {
        return Stream.of(
                        "/usr/lib/galera/libgalera_smm.so",
                        "/usr/lib64/galera-4/libgalera_smm.so",
                        "/usr/lib/galera-4/libgalera_smm.so")
                .map(Path::of)
                .filter(Files::exists)
                .findFirst();
    }

    private static void own(Path path) throws IOException {
        if (MariaDbServer.runsAsRoot()) {
            UserPrincipal account =
                    FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName(ACCOUNT);
            try (Stream<Path> all = Files.walk(path)) {
                for (Path one : all.toList()) {
                    Files.setOwner(one, account);
                }
            }
        }
    }

    /** The ports of one node on 127.0.0.1: for SQL, for the group, and for the two kinds of transfer of the state. */
    private record Ports(int sql, int group, int incremental, int full) {

        static Ports next() {
            return new Ports(free(), free(), free(), free());
        }

        private static int free() {
            synchronized (GIVEN) {
                int port = MariaDbServer.freePort();
                while (!GIVEN.add(port)) {
                    port = MariaDbServer.freePort();
                }
                return port;
            }
        }
    }

    /** The settings that make a server a member of the cluster. */
    record Member(Ports ports, String address, String providerOptions) {

        List<String> options() {
            return List.of(
                    "--wsrep-on=ON",
                    "--wsrep-provider=" + provider().orElseThrow(),
                    "--wsrep-cluster-name=muster-test",
                    "--wsrep-cluster-address=gcomm://" + address,
                    "--wsrep-node-address=127.0.0.1:" + ports.group(),
                    "--wsrep-node-incoming-address=127.0.0.1:" + ports.sql(),
                    "--wsrep-sst-method=rsync",
                    "--wsrep-sst-receive-address=127.0.0.1:" + ports.full(),
                    "--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:" + ports.group()
                            + ";ist.recv_addr=127.0.0.1:" + ports.incremental() + ";gcache.size=64M;"
                            + providerOptions,
                    "--binlog-format=ROW",
                    "--innodb-autoinc-lock-mode=2",
                    "--wsrep-slave-threads=2");
        }

        void own(Path path) throws IOException {
            GaleraCluster.own(path);
        }

        /** Finds the recovered position in the log, and returns the option with which the node goes on from there. */
        List<String> position(List<String> log) {
            return log.stream()
                    .map(POSITION::matcher)
                    .filter(matcher -> matcher.matches())
                    .map(matcher -> "--wsrep-start-position=" + matcher.group(1))
                    .reduce((earlier, later) -> later)
                    .map(List::of)
                    .orElse(List.of());
        }
    }
}
