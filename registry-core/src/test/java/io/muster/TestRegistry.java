// SPDX-License-Identifier: Apache-2.0
package io.muster;

import io.muster.config.Sources;
import io.muster.persistence.GaleraCluster;
import io.muster.persistence.MariaDbServer;
import io.muster.persistence.MigratedH2;
import io.muster.persistence.MigratedMariaDb;
import io.muster.plugin.NamedBeans;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.SerialVerifier;
import io.muster.start.Surroundings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
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

/** A whole registry without a container, for tests; by default on H2 in memory. */
public final class TestRegistry {

    /** When fixed clocks stand still. */
    public static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");

    private final Map<String, String> settings = new HashMap<>();
    private final Map<String, SerialVerifier> verifiers = new HashMap<>();
    private final Map<String, CredentialIssuer> issuers = new HashMap<>();
    private final List<Object> events = Collections.synchronizedList(new ArrayList<>());
    private final List<String> databaseNodes = new ArrayList<>();
    private final AtomicInteger starts = new AtomicInteger();
    private Clock clock = Clock.fixed(NOW, ZoneOffset.UTC);

    /** Begins with a data directory of its own. */
    public TestRegistry(Path dataDir) {
        settings.put("muster.data-dir", dataDir.toString());
        settings.put("muster.issuer", "https://registry.example");
        settings.put("muster.warm-up", "PT0S");
        String url = "jdbc:h2:mem:" + dataDir.toString().hashCode() + ";DB_CLOSE_DELAY=-1";
        MigratedH2.fill(url);
        settings.put("muster.database.url", url);
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

    /** Begins with a new database on a MariaDB that all tests share; no test may stop it. */
    public static TestRegistry freshOnMariaDb() {
        MariaDbServer server = SharedMariaDb.SERVER;
        return fresh().with("muster.database.url", SharedMariaDb.TEMPLATE.copy())
                .with("muster.database.user", server.user())
                .with("muster.database.password", server.password());
    }

    /** The driver prepares every statement anew, if it prepares statements, as on a new connection. */
    private static final String FORGETS_STATEMENTS = "?prepStmtCacheSize=1";

    /**
     * Begins with a database on a cluster. Each node that is started from it has the next database node for its own, in
     * the order of the cluster.
     */
    public static TestRegistry onGalera(GaleraCluster cluster, String database) {
        cluster.createDatabase(database);
        TestRegistry registry = fresh().with("muster.database.user", cluster.user())
                .with("muster.database.password", cluster.password());
        cluster.nodes().forEach(node -> registry.databaseNodes.add(node.addressOf(database) + FORGETS_STATEMENTS));
        return registry.with("muster.database.url", registry.databaseNodes.get(0));
    }

    /** Has its nodes use this address of the database. */
    public TestRegistry at(String url) {
        databaseNodes.clear();
        return with("muster.database.url", url);
    }

    /** Started when it is first asked for, and ended with this JVM. */
    private static final class SharedMariaDb {
        static final MariaDbServer SERVER = MariaDbServer.start();
        static final MigratedMariaDb TEMPLATE;

        static {
            Runtime.getRuntime().addShutdownHook(new Thread(SERVER::close, "shared-mariadb"));
            TEMPLATE = new MigratedMariaDb(SERVER);
        }
    }

    /** Sets a key. */
    public TestRegistry with(String key, String value) {
        settings.put(key, value);
        return this;
    }

    /** Names an identity provider of users, which no test asks for its keys. */
    public TestRegistry withUsers(String provider, String issuer) {
        settings.merge("muster.users", provider, (some, one) -> some + "," + one);
        return with("muster.users." + provider + ".issuer", issuer)
                .with("muster.users." + provider + ".audience", "muster");
    }

    /** Returns the value of a key. */
    public String setting(String key) {
        return settings.get(key);
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
    public TestNode start() {
        Map<String, String> own = new HashMap<>(settings);
        if (!databaseNodes.isEmpty()) {
            own.put(
                    "muster.database.url",
                    databaseNodes.get(Math.floorMod(starts.getAndIncrement(), databaseNodes.size())));
        }
        return TestNode.start(new Surroundings(
                new Sources(key -> Optional.ofNullable(own.get(key)), own.keySet()),
                new NamedBeans(verifiers, issuers),
                clock,
                Optional.of(events::add)));
    }

    /** Executes a statement in the database, unnoticed by any node, and returns how many rows it changed. */
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

    /** Returns the one number that a query behind the back of every node returns. */
    public long number(String sql) {
        try (Connection connection = DriverManager.getConnection(
                        settings.get("muster.database.url"),
                        settings.get("muster.database.user"),
                        settings.get("muster.database.password"));
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns the events so far. */
    public List<Object> events() {
        return List.copyOf(events);
    }

    /** Returns where it keeps its data. */
    public Path dataDir() {
        return Path.of(settings.get("muster.data-dir"));
    }
}
