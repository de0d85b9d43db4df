// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.muster.Required;
import io.muster.persistence.GaleraCluster;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Three registry nodes on three database nodes, behind a proxy, are replaced one after another by those of this build,
 * under load, and then restarted one after another. The jar that {@code muster.upgrade.from} names is the build before
 * the tables had locks that Galera certifies; {@code .ci/old-jar} makes it. Nodes of that build fail on a cluster by
 * themselves: they refuse keys that another node issued a moment ago. This is counted and printed.
 */
@Tag("extended")
class RollingUpgradeIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int NODES = 3;
    private static final int THREADS = 3;
    private static final Duration START = Duration.ofMinutes(3);

    /** Requests until the load ends, if the upgrade is done by then. */
    private static final int REQUESTS = Integer.getInteger("muster.upgrade.requests", 3_000);

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    /** Failures by nodes of the build before. */
    private final Queue<String> before = new ConcurrentLinkedQueue<>();

    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final Queue<String> registered = new ConcurrentLinkedQueue<>();
    private final AtomicInteger requests = new AtomicInteger();

    /** A registry node, which is a process. */
    private final class Node {

        private final int port = SharedWorld.unusedPort();
        private final ServerSettings settings;
        private Process process;
        private volatile boolean isOld;

        Node(ServerSettings settings) {
            this.settings = settings;
        }

        void start(Path jar, boolean old) throws IOException {
            List<String> command = new ArrayList<>(List.of(Recipe.java(), "-Xmx400m"));
            command.addAll(Recipe.LIGHT);
            command.addAll(List.of("-jar", jar.toString(), "--port", Integer.toString(port)));
            Files.createDirectories(settings.directory());
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(
                            ProcessBuilder.Redirect.appendTo(settings.log().toFile()));
            builder.environment().keySet().removeIf(name -> name.startsWith("MUSTER_"));
            builder.environment().putAll(settings.environment());
            process = builder.start();
            isOld = old;
            Within.within(START, "ready, see " + settings.log(), this::isReady);
        }

        private boolean isReady() {
            if (!process.isAlive()) {
                throw new AssertionError("it ended, see " + settings.log());
            }
            try {
                return exchange(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/health/ready"))
                                        .build())
                                .statusCode()
                        == 200;
            } catch (IOException notYet) {
                return false;
            }
        }

        void stop() {
            if (process != null) {
                process.destroy();
                process.onExit()
                        .orTimeout(60, TimeUnit.SECONDS)
                        .exceptionally(late -> process.destroyForcibly())
                        .join();
            }
        }
    }

    private HttpResponse<byte[]> exchange(HttpRequest request) throws IOException {
        try {
            return http.send(request, BodyHandlers.ofByteArray());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    /** Sends a request to the proxy; anything but 200 is a failure. */
    private JsonNode send(List<Node> nodes, int port, String path, String type, String body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(Duration.ofSeconds(60))
                .header("Content-Type", type)
                .POST(BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        requests.incrementAndGet();
        try {
            HttpResponse<byte[]> reply = exchange(request.build());
            if (reply.statusCode() == 200) {
                return JSON.readTree(reply.body());
            }
            // Which of the nodes answered; none if it was the proxy.
            int node = Integer.parseInt(reply.headers().firstValue("X-Node").orElse("-1"));
            (node >= 0 && nodes.get(node).isOld ? before : failures)
                    .add("node " + node + " " + path + " " + reply.statusCode() + " "
                            + new String(reply.body(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            failures.add(path + " " + e);
        }
        return JSON.createObjectNode();
    }

    /** Registers a device, and gets a token for it, twice. */
    private void device(List<Node> nodes, int port, String serial) {
        JsonNode receipt = send(nodes, port, "/register", RegistryUnderTest.JSON, RegistryUnderTest.body(serial));
        if (receipt.has("key")) {
            registered.add(serial);
            for (int i = 0; i < 2; i++) {
                send(
                        nodes,
                        port,
                        "/token",
                        RegistryUnderTest.FORM,
                        "grant_type=client_credentials",
                        "Authorization",
                        RegistryUnderTest.basic(
                                receipt.path("key").asText(),
                                receipt.path("secret").asText()));
            }
        }
    }

    @Test
    void noRequestFailsWhileOneNodeAfterAnotherIsReplaced() throws Exception {
        GaleraCluster.required();
        String old = System.getProperty("muster.upgrade.from", "");
        // Not a tool: a clone without history cannot have it.
        assumeTrue(!old.isEmpty() && Files.exists(Path.of(old)), "there is no older muster.jar");
        Path program = Path.of("/usr/sbin/haproxy");
        Required.there(Files.isExecutable(program), "there is no haproxy");
        List<Node> nodes = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        AtomicBoolean over = new AtomicBoolean();
        Process proxy = null;
        try (GaleraCluster cluster = GaleraCluster.start()) {
            try {
                cluster.createDatabase("muster");
                Path key = null;
                for (int i = 0; i < NODES; i++) {
                    Node node = new Node(settings(cluster, i));
                    nodes.add(node);
                    if (key != null) {
                        Files.createDirectories(node.settings.dataDir());
                        Files.copy(key, node.settings.dataDir().resolve("master-key"));
                    }
                    node.start(Path.of(old), true);
                    if (key == null) {
                        expectSerials(cluster);
                    }
                    key = node.settings.dataDir().resolve("master-key");
                }
                int port = SharedWorld.unusedPort();
                proxy = new ProcessBuilder(
                                program.toString(),
                                "-f",
                                configuration(port, nodes).toString())
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
                Within.within(Duration.ofSeconds(20), "the proxy serves", () -> exchangeStatus(port) == 200);
                for (int thread = 0; thread < THREADS; thread++) {
                    String prefix = "UPGRADE-" + thread + "-";
                    threads.execute(() -> {
                        for (int i = 0; !over.get() || requests.get() < REQUESTS; i++) {
                            device(nodes, port, prefix + i);
                        }
                    });
                }
                Within.within(Duration.ofSeconds(60), "devices register", () -> registered.size() > 50);

                for (String change : List.of("upgraded", "restarted")) {
                    for (Node node : nodes) {
                        node.stop();
                        node.start(Recipe.named("muster.jar"), false);
                    }
                    System.out.printf(
                            "UPGRADE: %s after %d requests; failed: %d by nodes of the build before, %d others%n",
                            change, requests.get(), before.size(), failures.size());
                }
                over.set(true);
                threads.shutdown();
                assertThat(threads.awaitTermination(30, TimeUnit.MINUTES)).isTrue();

                System.out.printf(
                        "UPGRADE: %d requests; failed: %d by nodes of the build before, %d others%n%s",
                        requests.get(), before.size(), failures.size(), String.join("\n", before));
                assertThat(failures).isEmpty();
                assertThat(devices(cluster))
                        .isBetween((long) registered.size(), (long) registered.size() + before.size());
            } finally {
                over.set(true);
                threads.shutdownNow();
                nodes.forEach(Node::stop);
                if (proxy != null) {
                    proxy.destroyForcibly();
                }
            }
        }
    }

    private int exchangeStatus(int port) {
        try {
            return exchange(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/health/ready"))
                            .build())
                    .statusCode();
        } catch (IOException notYet) {
            return 0;
        }
    }

    /** Lists the serials, which is no part of the load. */
    private static void expectSerials(GaleraCluster cluster) throws SQLException {
        try (Connection connection = DriverManager.getConnection(
                        cluster.node(0).addressOf("muster"), cluster.user(), cluster.password());
                Statement insert = connection.createStatement()) {
            for (int thread = 0; thread < THREADS; thread++) {
                insert.execute("INSERT INTO expected_serial (fleet, serial, state) SELECT 'default', CONCAT('UPGRADE-"
                        + thread + "-', seq), 'E' FROM seq_0_to_60000");
            }
        }
    }

    private static long devices(GaleraCluster cluster) throws SQLException {
        try (Connection connection = DriverManager.getConnection(
                        cluster.node(0).addressOf("muster"), cluster.user(), cluster.password());
                Statement select = connection.createStatement();
                ResultSet row = select.executeQuery("SELECT COUNT(*) FROM device")) {
            row.next();
            return row.getLong(1);
        }
    }

    private static ServerSettings settings(GaleraCluster cluster, int node) {
        Map<String, String> properties = new TreeMap<>(Map.of(
                "muster.issuer", "http://upgrade.muster.test",
                "muster.database.url", cluster.node(node).addressOf("muster"),
                "muster.database.user", cluster.user(),
                "muster.database.password", cluster.password()));
        return SharedWorld.settings(SharedWorld.directory("upgrade"), properties);
    }

    /** Asks another node if one is not there or does not answer, and if it says 503: then it has done nothing. */
    private static Path configuration(int port, List<Node> nodes) throws IOException {
        List<String> lines = new ArrayList<>(List.of(
                "defaults",
                "  mode http",
                "  timeout http-request 10s",
                "  timeout client 60s",
                "  timeout connect 2s",
                "  timeout server 75s",
                "  option http-buffer-request",
                "  retries 3",
                "  retry-on conn-failure empty-response 503",
                "  option redispatch 1",
                "listen muster",
                "  bind 127.0.0.1:" + port,
                "  balance leastconn",
                "  http-response set-header X-Node %[srv_id,sub(1)]",
                "  option httpchk GET /health/ready",
                "  http-check expect status 200",
                "  default-server check inter 500ms fall 1 rise 1"));
        for (int i = 0; i < nodes.size(); i++) {
            lines.add("  server n" + i + " 127.0.0.1:" + nodes.get(i).port);
        }
        return Files.write(SharedWorld.directory("proxy").resolve("haproxy.cfg"), lines);
    }
}
