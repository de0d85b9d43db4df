package io.muster.suite;

import io.muster.persistence.MariaDbServer;
import io.muster.suite.server.MusterServer;
import io.muster.suite.server.ServerSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The registries that tests share, each started when it is first asked for and ended with this JVM. Tests leave them running and
 * use serials of their own.
 */
final class Registries {

    private static final List<Path> DIRECTORIES = new CopyOnWriteArrayList<>();
    private static final VerifierStub STUB = new VerifierStub();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(Registries::deleteWhatServersUnpacked, "registries-cleanup"));
    }

    private Registries() {}

    /** On MariaDB, with the fleets that {@link #fleets} has; everything else as it comes. */
    static RegistryUnderTest onMariaDb() {
        return OnMariaDb.REGISTRY;
    }

    /** On the embedded database, and refusing with 401. */
    static RegistryUnderTest embedded() {
        return Embedded.REGISTRY;
    }

    /** A second node of {@link #onMariaDb}, which refuses with 403 and whose tokens live for ten seconds. */
    static RegistryUnderTest secondNode() {
        return SecondNode.REGISTRY;
    }

    /** The server below {@link #onMariaDb}, whose database is {@code shared}. Not to be stopped. */
    static MariaDbServer mariaDb() {
        return Shared.MARIA_DB;
    }

    /** A registry on a MariaDB of its own, both of which a test may kill; it brings them back before it ends. */
    static Disposable disposable() {
        return OnDisposable.PAIR;
    }

    /** A registry and its database. */
    record Disposable(RegistryUnderTest registry, MariaDbServer mariaDb) {}

    /** Who makes the devices of the verifier {@code x509}. */
    static Factory factory() {
        return Certificates.FACTORY;
    }

    static VerifierStub stub() {
        return STUB;
    }

    /** A new directory below the module's target. */
    static Path directory(String name) {
        try {
            Path parent = Files.createDirectories(
                    Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolve("target/registries"));
            Path directory = Files.createTempDirectory(parent, name + "-");
            DIRECTORIES.add(directory);
            return directory;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Settings with a property file of these lines. */
    static ServerSettings settings(Path directory, Map<String, String> properties) {
        Map<String, String> all =
                new TreeMap<>(Map.of("muster.limits.refusals", "1000000", "muster.limits.failures", "1000000"));
        all.putAll(properties);
        return ServerSettings.in(directory)
                .withEnvironment(
                        "MUSTER_CONFIG_FILE",
                        write(
                                        directory.resolve("muster.properties"),
                                        all.entrySet().stream()
                                                .map(line -> line.getKey() + " = " + line.getValue())
                                                .collect(Collectors.joining("\n")))
                                .toString());
    }

    /** The settings of a database of this server. */
    static Map<String, String> database(Path directory, MariaDbServer server, String database) {
        return new TreeMap<>(Map.of(
                "muster.database.url",
                server.jdbcUrl(database),
                "muster.database.user",
                server.user(),
                "muster.database.password-file",
                write(directory.resolve("database-password"), server.password()).toString()));
    }

    private static Path write(Path file, String text) {
        try {
            return Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Fleets for verifiers and rules, beside the default one. */
    private static Map<String, String> fleets() {
        Map<String, String> properties = new TreeMap<>();
        properties.put("muster.fleets", "erp, both, either, dead, lenient, always, never");
        properties.put("muster.fleet.erp.verifiers", "erp");
        properties.put("muster.fleet.both.verifiers", "erp, database");
        properties.put("muster.fleet.both.required", "2");
        properties.put("muster.fleet.either.verifiers", "erp, database");
        properties.put("muster.fleet.dead.verifiers", "dead, database");
        properties.put("muster.fleet.lenient.verifiers", "skipped, database");
        properties.put("muster.fleet.always.register-again", "always");
        properties.put("muster.fleet.never.register-again", "never");
        http(properties, "erp", STUB.port());
        int nobody = unusedPort();
        http(properties, "dead", nobody);
        http(properties, "skipped", nobody);
        properties.put("muster.verifier.skipped.on-unavailable", "skip");
        properties.put("muster.verifier.jwt.issuer", "factory");
        properties.put("muster.verifier.jwt.secret", "a secret of the factory, at least 32 bytes long");
        properties.put("muster.verifier.x509.ca-file", factory().caFile().toString());
        brokers(properties);
        return properties;
    }

    /** A broker of each kind, which asks and is not told. */
    private static void brokers(Map<String, String> properties) {
        properties.put("muster.mqtt.brokers", String.join(", ", BrokerQuestions.KINDS));
        for (String kind : BrokerQuestions.KINDS) {
            properties.put("muster.mqtt.broker." + kind + ".kind", kind);
            properties.put("muster.mqtt.broker." + kind + ".secret", listenerSecret(kind));
        }
    }

    /**
     * The settings of one broker, whose name is its kind, with its management. The password is in {@code management-password} in the
     * directory; the secret of one that asks is {@link #listenerSecret}.
     */
    static Map<String, String> broker(Path directory, String kind, URI management, String user, String password) {
        String broker = "muster.mqtt.broker." + kind + ".";
        Map<String, String> properties = new TreeMap<>(Map.of(
                "muster.mqtt.brokers",
                kind,
                broker + "kind",
                kind,
                broker + "management-url",
                management.toString(),
                broker + "management-user",
                user,
                broker + "management-password-file",
                write(directory.resolve("management-password"), password).toString()));
        if (!kind.equals("mosquitto")) {
            properties.put(broker + "secret", listenerSecret(kind));
        }
        return properties;
    }

    /** The secret of a broker of this kind. */
    static String listenerSecret(String kind) {
        return "secret-of-the-listener-of-" + kind + "-in-tests";
    }

    private static void http(Map<String, String> properties, String name, int port) {
        String verifier = "muster.verifier." + name + ".";
        properties.put(verifier + "type", "http");
        properties.put(verifier + "url", "http://127.0.0.1:" + port + "/units/{serial}");
        properties.put(verifier + "allow-http", "true");
        properties.put(verifier + "allow-private", "true");
        properties.put(verifier + "timeout", "PT1S");
        properties.put(verifier + "refused-status", "403");
        properties.put(verifier + "pointer", "/genuine");
        properties.put(verifier + "serial-pointer", "/serial");
        // Tests make it fail on purpose, one after the other.
        properties.put(verifier + "breaker-failures", "1000");
    }

    static int unusedPort() {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static RegistryUnderTest start(ServerSettings settings) {
        MusterServer server = MusterServer.start(settings);
        return new RegistryUnderTest(server, server.operatorToken());
    }

    private static void deleteWhatServersUnpacked() {
        for (Path directory : DIRECTORIES) {
            try (Stream<Path> paths = Files.walk(directory.resolve("data/run"))) {
                paths.sorted(Comparator.reverseOrder())
                        .forEach(path -> path.toFile().delete());
            } catch (IOException | UncheckedIOException e) {
                // There is none, or the server deletes it itself.
                continue;
            }
        }
    }

    /** What a short wait means is tested with {@link #disposable}; others shall not depend on how busy the machine is. */
    private static Map<String, String> patient(Map<String, String> properties) {
        Map<String, String> all = new TreeMap<>(properties);
        all.put("muster.database.connect-timeout", "PT10S");
        // As long as the slowest refusal takes on a busy machine with two cores: what is tested is that it hides the
        // rest.
        all.put("muster.registration.refused-after", "PT0.25S");
        return all;
    }

    private static final class Shared {
        static final MariaDbServer MARIA_DB = MariaDbServer.start();
    }

    private static final class Certificates {
        static final Factory FACTORY = new Factory(directory("factory"));
    }

    private static final class OnMariaDb {
        static final Path DIRECTORY = directory("mariadb");
        static final RegistryUnderTest REGISTRY = start();

        private static RegistryUnderTest start() {
            Map<String, String> properties = database(DIRECTORY, mariaDb(), "shared");
            properties.putAll(fleets());
            properties.put("muster.issuer", "http://shared.muster.test");
            return Registries.start(settings(DIRECTORY, patient(properties)));
        }
    }

    private static final class Embedded {
        static final RegistryUnderTest REGISTRY =
                start(settings(directory("embedded"), patient(Map.of("muster.registration.refused-status", "401"))));
    }

    private static final class SecondNode {
        static final RegistryUnderTest REGISTRY = start();

        private static RegistryUnderTest start() {
            RegistryUnderTest first = onMariaDb();
            Path directory = directory("second");
            Map<String, String> properties = database(directory, mariaDb(), "shared");
            properties.putAll(fleets());
            properties.put("muster.issuer", "http://shared.muster.test");
            properties.put(
                    "muster.master-key-file",
                    first.server().dataDir().resolve("master-key").toString());
            properties.put("muster.registration.refused-status", "403");
            properties.put("muster.token.lifetime", "PT10S");
            return new RegistryUnderTest(
                    MusterServer.start(settings(directory, patient(properties))), first.operatorToken());
        }
    }

    private static final class OnDisposable {
        static final Disposable PAIR = start();

        private static Disposable start() {
            MariaDbServer mariaDb = MariaDbServer.start();
            Path directory = directory("disposable");
            Map<String, String> properties = database(directory, mariaDb, "muster");
            brokers(properties);
            return new Disposable(Registries.start(settings(directory, properties)), mariaDb);
        }
    }
}
