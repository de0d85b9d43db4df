// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.ledger;

import io.muster.persistence.GaleraCluster;
import io.muster.persistence.MariaDbServer;
import io.muster.suite.fixture.Line;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import io.muster.suite.server.ServerSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Registries, their databases, the lines to both, and the systems that they ask. The fleets are {@code default}, which
 * knows the serials that were imported; {@code erp}, which asks the API; and {@code kept}, which asks it too and
 * registers no serial twice. In each a replaced credential ends at once.
 */
final class World implements AutoCloseable {

    /** The databases that the harness runs on. */
    enum Databases {
        GALERA(3),
        MARIADB(3),
        EMBEDDED(1);

        private final int registries;

        Databases(int registries) {
            this.registries = registries;
        }
    }

    /** No request waits for longer, so that a cut line does not stop the load. */
    private static final Duration PATIENCE = Duration.ofSeconds(8);

    private static final String DATABASE = "muster";

    /**
     * A registry.
     *
     * @param direct for operators and for checks
     * @param front its line, which devices take
     * @param toDatabase the line to its database, if that is a process of its own
     */
    record Node(
            int number,
            RegistryUnderTest direct,
            RegistryUnderTest throughFront,
            Line front,
            Optional<Line> toDatabase) {}

    private final Databases kind;
    private final Outside outside = new Outside();
    private final Optional<GaleraCluster> cluster;
    private final List<MariaDbServer> databases;
    private final Optional<SmallDisk> disk;
    private final List<Node> nodes = new ArrayList<>();

    private World(Databases kind) {
        this.kind = kind;
        this.disk = kind == Databases.GALERA ? Optional.empty() : SmallDisk.mount(SharedWorld.directory("small-disk"));
        this.cluster = kind == Databases.GALERA ? Optional.of(GaleraCluster.start()) : Optional.empty();
        this.databases = switch (kind) {
            case GALERA -> cluster.orElseThrow().nodes();
            case MARIADB ->
                List.of(disk.map(small -> MariaDbServer.start(small.directory()))
                        .orElseGet(MariaDbServer::start));
            case EMBEDDED -> List.of();
        };
        cluster.ifPresent(galera -> galera.createDatabase(DATABASE));
        for (int number = 0; number < kind.registries; number++) {
            nodes.add(start(number));
        }
        document("default", "{\"verifiers\":[\"database\"],\"rotationOverlap\":\"PT0S\"}");
        document("erp", "{\"verifiers\":[\"erp\"],\"rotationOverlap\":\"PT0S\"}");
        document("kept", "{\"verifiers\":[\"erp\"],\"rotationOverlap\":\"PT0S\",\"registerAgain\":\"never\"}");
    }

    static World start(Databases kind) {
        return new World(kind);
    }

    private Node start(int number) {
        Path directory = SharedWorld.directory("ledger");
        Map<String, String> properties = new TreeMap<>();
        Optional<Line> toDatabase = Optional.empty();
        if (!databases.isEmpty()) {
            MariaDbServer database = databases.get(number % databases.size());
            properties.putAll(SharedWorld.database(directory, database, DATABASE));
            Line line = new Line(database.port());
            properties.computeIfPresent(
                    "muster.database.url",
                    (key, url) -> url.replace(":" + database.port() + "/", ":" + line.port() + "/"));
            toDatabase = Optional.of(line);
        }
        properties.put("muster.issuer", "http://ledger.muster.test");
        verifier(properties);
        properties.putAll(SharedWorld.broker(directory, "json", outside.address(), "muster", "management"));
        if (number > 0) {
            properties.put(
                    "muster.master-key-file",
                    nodes.get(0)
                            .direct()
                            .server()
                            .dataDir()
                            .resolve("master-key")
                            .toString());
        }
        ServerSettings settings = SharedWorld.settings(directory, properties);
        if (kind == Databases.EMBEDDED && disk.isPresent()) {
            settings = settings.withEnvironment(
                    "MUSTER_DATA_DIR", disk.get().directory().resolve("data").toString());
        }
        MusterServer server = MusterServer.start(settings);
        RegistryUnderTest direct = new RegistryUnderTest(
                server,
                number == 0 ? server.operatorToken() : nodes.get(0).direct().operatorToken());
        Line front = new Line(server.base().getPort());
        return new Node(
                number,
                direct.within(PATIENCE.plusSeconds(12)),
                direct.within(PATIENCE).through(front),
                front,
                toDatabase);
    }

    private void verifier(Map<String, String> properties) {
        properties.put("muster.verifier.erp.type", "http");
        properties.put("muster.verifier.erp.url", outside.address() + "/units/{serial}");
        properties.put("muster.verifier.erp.allow-http", "true");
        properties.put("muster.verifier.erp.allow-private", "true");
        properties.put("muster.verifier.erp.timeout", "PT1S");
        properties.put("muster.verifier.erp.pointer", "/genuine");
        properties.put("muster.verifier.erp.serial-pointer", "/serial");
    }

    private void document(String fleet, String json) {
        RegistryUnderTest first = nodes.get(0).direct();
        Reply reply = first.send(
                "PUT",
                "api/v1/fleets/" + fleet,
                json.getBytes(StandardCharsets.UTF_8),
                "Authorization",
                "Bearer " + first.operatorToken(),
                "Content-Type",
                RegistryUnderTest.JSON);
        if (reply.status() != 200 && reply.status() != 201) {
            throw new IllegalStateException(reply.toString());
        }
    }

    Databases kind() {
        return kind;
    }

    List<Node> nodes() {
        return nodes;
    }

    Node node(int number) {
        return nodes.get(Math.floorMod(number, nodes.size()));
    }

    List<MariaDbServer> databases() {
        return databases;
    }

    Optional<GaleraCluster> cluster() {
        return cluster;
    }

    Optional<SmallDisk> disk() {
        return disk;
    }

    Outside outside() {
        return outside;
    }

    /** Addresses at which devices reach the registries. */
    List<URI> fronts() {
        return nodes.stream().map(node -> node.throughFront().base()).toList();
    }

    @Override
    public void close() {
        for (Node node : nodes) {
            node.direct().server().kill();
            node.direct().server().close();
            closed(node.front());
            node.toDatabase().ifPresent(World::closed);
        }
        cluster.ifPresent(GaleraCluster::close);
        if (cluster.isEmpty()) {
            databases.forEach(MariaDbServer::close);
        }
        disk.ifPresent(SmallDisk::close);
        outside.close();
    }

    private static void closed(Line line) {
        try {
            line.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
