package io.muster;

import io.muster.config.Sources;
import io.muster.persistence.MariaDbServer;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.SerialVerifier;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** A whole registry without a container, for tests: on H2 in memory unless the settings say otherwise. */
public final class TestRegistry {

    /** When fixed clocks stand still. */
    public static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");

    private final Map<String, String> settings = new HashMap<>();
    private final Map<String, SerialVerifier> verifiers = new HashMap<>();
    private final Map<String, CredentialIssuer> issuers = new HashMap<>();
    private final List<Object> events = Collections.synchronizedList(new ArrayList<>());
    private Clock clock = Clock.fixed(NOW, ZoneOffset.UTC);

    /** Begins with a data directory of its own. */
    public TestRegistry(Path dataDir) {
        settings.put("muster.data-dir", dataDir.toString());
        settings.put("muster.issuer", "https://registry.example");
        settings.put("muster.database.url", "jdbc:h2:mem:" + dataDir.toString().hashCode() + ";DB_CLOSE_DELAY=-1");
    }

    /** Begins with a new data directory below the module's target. */
    public static TestRegistry fresh() {
        try {
            return new TestRegistry(
                    Files.createTempDirectory(Files.createDirectories(Path.of("target/registries")), "r"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Begins with a new database on a MariaDB that all tests share; nobody may stop it. */
    public static TestRegistry freshOnMariaDb() {
        MariaDbServer server = SharedMariaDb.SERVER;
        return fresh().with("muster.database.url", server.jdbcUrl("shared" + SharedMariaDb.DATABASES.incrementAndGet()))
                .with("muster.database.user", server.user())
                .with("muster.database.password", server.password());
    }

    /** Started when it is first asked for, and ended with this JVM. */
    private static final class SharedMariaDb {
        static final MariaDbServer SERVER = MariaDbServer.start();
        static final AtomicInteger DATABASES = new AtomicInteger();

        static {
            Runtime.getRuntime().addShutdownHook(new Thread(SERVER::close, "shared-mariadb"));
        }
    }

    /** Sets a key. */
    public TestRegistry with(String key, String value) {
        settings.put(key, value);
        return this;
    }

    /** Supplies a verifier, as a CDI bean would be. */
    public TestRegistry with(String name, SerialVerifier verifier) {
        verifiers.put(name, verifier);
        return this;
    }

    /** Supplies a credential issuer, as a CDI bean would be. */
    public TestRegistry withIssuer(String name, CredentialIssuer issuer) {
        issuers.put(name, issuer);
        return this;
    }

    /** Supplies a verifier no more. */
    public TestRegistry without(String name) {
        verifiers.remove(name);
        return this;
    }

    /** Tells another time. */
    public TestRegistry with(Clock other) {
        clock = other;
        return this;
    }

    /** Starts it. Several nodes may be started from one. */
    public Registry start() {
        return Registry.start(
                new Sources(key -> Optional.ofNullable(settings.get(key)), settings.keySet()),
                verifiers,
                issuers,
                clock,
                events::add);
    }

    /** Executes a statement in the database behind the back of every node, and returns how many rows it changed. */
    public int execute(String sql) {
        try (Connection connection = DriverManager.getConnection(
                        settings.get("muster.database.url"),
                        settings.get("muster.database.user"),
                        settings.get("muster.database.password"));
                Statement statement = connection.createStatement()) {
            return statement.executeUpdate(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns what happened. */
    public List<Object> events() {
        return List.copyOf(events);
    }

    /** Returns where it keeps its data. */
    public Path dataDir() {
        return Path.of(settings.get("muster.data-dir"));
    }
}
