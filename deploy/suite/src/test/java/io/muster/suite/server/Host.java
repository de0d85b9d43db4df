// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A machine like the one in {@code docs/operations.md}, for the commands of that page: {@code muster.jar} is a service. The directories
 * of the machine are below one of ours, and a {@code systemctl} starts and stops the service. Ends with this JVM, or before.
 */
final class Host implements MusterServer {

    private static final Pattern PLACES =
            Pattern.compile("/var/lib/muster|/etc/muster|/opt/muster|/var/backups/muster|/mnt/safe|/root(?=/)");
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final Path root;
    private final int port = SharedWorld.unusedPort();
    private final URI base = URI.create("http://127.0.0.1:" + port + "/");
    private final HttpServer systemd;
    private final Thread cleanup = new Thread(this::kill, "host-cleanup");
    private volatile Process service;

    /** A machine whose service is not started yet. */
    Host(String name, Map<String, String> properties) {
        this.root = SharedWorld.directory(name);
        Runtime.getRuntime().addShutdownHook(cleanup);
        try {
            for (String place : List.of("var/lib/muster", "etc/muster", "opt/muster", "root", "bin")) {
                Files.createDirectories(root.resolve(place));
            }
            Files.copy(Recipe.named("muster.jar"), place("/opt/muster").resolve("muster.jar"));
            Map<String, String> all = new TreeMap<>(properties);
            all.put("muster.data-dir", dataDir().toString());
            Files.writeString(
                    place("/etc/muster").resolve("muster.properties"),
                    all.entrySet().stream()
                            .map(line -> line.getKey() + " = " + line.getValue() + "\n")
                            .collect(Collectors.joining()));
            systemd = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            systemd.createContext("/", this::systemctl);
            systemd.start();
            Path systemctl = Files.writeString(
                    root.resolve("bin/systemctl"),
                    """
                    #!/bin/bash
                    [ "$2" = muster ] && exec curl -fsS -X POST "http://127.0.0.1:%d/$1"
                    """
                            .formatted(systemd.getAddress().getPort()));
            Files.setPosixFilePermissions(systemctl, PosixFilePermissions.fromString("rwx------"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void systemctl(HttpExchange exchange) throws IOException {
        int status = 204;
        switch (exchange.getRequestURI().getPath()) {
            case "/start" -> launch();
            case "/stop" -> stop();
            case "/restart" -> {
                stop();
                launch();
            }
            default -> status = 400;
        }
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    /** Returns where a directory of the page is. */
    Path place(String directory) {
        return Path.of(root + directory);
    }

    /** Runs commands of the page, of which the first that fails ends them. */
    Processes.Ended run(String commands) {
        String mine = PLACES.matcher(commands)
                .replaceAll(place -> Matcher.quoteReplacement(root + place.group()))
                .replace("http://127.0.0.1:8080/", base.toString())
                // There is no such account.
                .replace("-o muster -g muster ", "");
        String path = root.resolve("bin") + ":" + Path.of(System.getProperty("java.home"), "bin") + ":"
                + System.getenv("PATH");
        Processes.Ended ended =
                Processes.run(root, Map.of("PATH", path), List.of("bash", "-euo", "pipefail", "-c", mine));
        if (ended.status() != 0) {
            throw new AssertionError(mine + "\nended with " + ended.status() + "\n" + ended.all());
        }
        return ended;
    }

    /** Starts the service, as the machine does when it is switched on; on return it is ready. */
    void start() {
        launch();
        Within.within(PATIENCE, "ready: " + log(), this::isReady);
    }

    private synchronized void launch() {
        ProcessBuilder builder = new ProcessBuilder(
                        Recipe.java(),
                        "-Xmx512m",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-jar",
                        place("/opt/muster").resolve("muster.jar").toString(),
                        "--port",
                        Integer.toString(port))
                .directory(dataDir().toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
        builder.environment().keySet().removeIf(name -> name.startsWith("MUSTER_") || name.startsWith("JAVA_"));
        builder.environment().put("MUSTER_WARM_UP", "PT0S");
        builder.environment()
                .put(
                        "MUSTER_CONFIG_FILE",
                        place("/etc/muster").resolve("muster.properties").toString());
        try {
            service = builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean isReady() {
        if (!service.isAlive()) {
            throw new ServerFailedException(kind(), "ended with " + service.exitValue(), log());
        }
        try {
            return HttpClient.newHttpClient()
                            .send(
                                    HttpRequest.newBuilder(base.resolve("health/ready"))
                                            .timeout(Duration.ofSeconds(10))
                                            .build(),
                                    HttpResponse.BodyHandlers.discarding())
                            .statusCode()
                    == 200;
        } catch (IOException notYet) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static boolean ended(Process process) {
        try {
            return process.waitFor(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public ServerKind kind() {
        return ServerKind.MICRO;
    }

    @Override
    public URI base() {
        return base;
    }

    @Override
    public long pid() {
        return service.pid();
    }

    @Override
    public synchronized void stop() {
        if (service != null) {
            service.destroy();
            if (!ended(service)) {
                throw new IllegalStateException("muster.jar does not stop: " + log());
            }
        }
    }

    @Override
    public void kill() {
        if (service != null) {
            service.destroyForcibly();
            ended(service);
        }
    }

    @Override
    public void restart() {
        stop();
        start();
    }

    @Override
    public Path log() {
        return root.resolve("server.log");
    }

    @Override
    public Path dataDir() {
        return place("/var/lib/muster");
    }

    @Override
    public String operatorToken() {
        try {
            return Files.readString(dataDir().resolve("operator-token")).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            stop();
        } finally {
            kill();
            systemd.stop(0);
            try {
                Runtime.getRuntime().removeShutdownHook(cleanup);
            } catch (IllegalStateException shuttingDown) {
                // then the hook runs as well, and finds nothing to do
            }
        }
    }
}
