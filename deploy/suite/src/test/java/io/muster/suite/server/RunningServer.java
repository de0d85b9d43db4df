// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import io.muster.suite.fixture.FreePorts;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** One server process with its descendants, launched by a {@link Recipe}. */
final class RunningServer implements MusterServer {

    private static final int DEPLOYMENTS = 6;
    private static final Duration READY_DEADLINE = Duration.ofMinutes(3);
    private static final Duration STOP_DEADLINE = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(100);
    /** The variables that would make a test depend on its shell. */
    private static final List<String> STRANGERS =
            List.of("MUSTER_", "JBOSS_", "WLP_", "AS_", "JAVA_OPTS", "JVM_ARGS", "PREPEND_JAVA_OPTS");

    private final ServerKind kind;
    private final Recipe recipe;
    private final ServerSettings settings;
    private final URI base;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
    private final Thread cleanup = new Thread(this::kill, "server-cleanup");
    private volatile Process process;
    private volatile Process deploying;
    private long logged;

    private RunningServer(ServerKind kind, Recipe recipe, ServerSettings settings, int port) {
        this.kind = kind;
        this.recipe = recipe;
        this.settings = settings;
        this.base = URI.create("http://127.0.0.1:" + port + "/");
    }

    static MusterServer start(ServerKind kind, Recipe recipe, ServerSettings settings) {
        FreePorts ports = new FreePorts();
        int port = ports.next();
        RunningServer server = new RunningServer(kind, recipe, settings, port);
        try {
            Files.createDirectories(settings.directory());
            recipe.prepare(settings, port, ports);
            Runtime.getRuntime().addShutdownHook(server.cleanup);
            server.launch();
            server.deploy();
            server.awaitReady();
            return server;
        } catch (IOException e) {
            server.close();
            throw new UncheckedIOException(e);
        } catch (ServerFailedException e) {
            server.close();
            throw e;
        }
    }

    @Override
    public ServerKind kind() {
        return kind;
    }

    @Override
    public URI base() {
        return base;
    }

    @Override
    public long pid() {
        return jvm().pid();
    }

    @Override
    public void stop() {
        if (process == null) {
            return;
        }
        List<ProcessHandle> tree = tree();
        jvm().destroy();
        for (ProcessHandle handle : tree) {
            if (!awaitExit(handle, STOP_DEADLINE)) {
                kill();
                throw new IllegalStateException(kind + " does not stop within " + STOP_DEADLINE.toSeconds() + " s");
            }
        }
    }

    @Override
    public void kill() {
        for (Process each : Stream.of(Optional.ofNullable(deploying), Optional.ofNullable(process))
                .flatMap(Optional::stream)
                .toList()) {
            // The parent first, for it might start the child again.
            List<ProcessHandle> tree = Stream.concat(Stream.of(each.toHandle()), each.descendants())
                    .toList();
            tree.forEach(ProcessHandle::destroyForcibly);
            tree.forEach(handle -> awaitExit(handle, STOP_DEADLINE));
        }
    }

    @Override
    public void restart() {
        stop();
        launch();
        awaitReady();
    }

    @Override
    public Path log() {
        return settings.log();
    }

    @Override
    public Path dataDir() {
        return settings.dataDir();
    }

    @Override
    public String operatorToken() {
        Path file = dataDir().resolve("operator-token");
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new IllegalStateException("no operator's token at " + file, e);
        }
    }

    @Override
    public void close() {
        try {
            stop();
        } finally {
            kill();
            try {
                Runtime.getRuntime().removeShutdownHook(cleanup);
            } catch (IllegalStateException shuttingDown) {
                // then the hook runs as well, and finds nothing to do
            }
        }
    }

    private void launch() {
        try {
            logged = Files.exists(log()) ? Files.size(log()) : 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        process = run(recipe.command());
    }

    private void deploy() {
        List<String> command = recipe.deployment().orElse(null);
        if (command == null) {
            return;
        }
        await("does not open its administration port", () -> isOpen(recipe.deploymentPort()));
        // Another process may have had the port for a moment, or the server opens it before it listens.
        for (int tries = 1; !deployed(command); tries++) {
            if (tries == DEPLOYMENTS || !loggedSinceLaunch().contains("does not listen for requests")) {
                throw new ServerFailedException(kind, "refused the WAR", log());
            }
            LockSupport.parkNanos(Duration.ofSeconds(5).toNanos());
        }
    }

    private boolean deployed(List<String> command) {
        deploying = run(command);
        try {
            // Its handle may report the end before the process knows the exit value.
            return deploying.waitFor(READY_DEADLINE.toSeconds(), TimeUnit.SECONDS) && deploying.exitValue() == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for " + kind, e);
        }
    }

    private void awaitReady() {
        await("is not ready", this::isReady);
    }

    private void await(String fault, BooleanSupplier condition) {
        long deadline = System.nanoTime() + READY_DEADLINE.toNanos();
        while (!condition.getAsBoolean()) {
            if (!process.isAlive()) {
                throw new ServerFailedException(kind, "ended with " + process.exitValue(), log());
            }
            if (recipe.refused(loggedSinceLaunch())) {
                throw new ServerFailedException(kind, "refused the WAR", log());
            }
            if (System.nanoTime() > deadline) {
                throw new ServerFailedException(kind, fault + " after " + READY_DEADLINE.toSeconds() + " s", log());
            }
            LockSupport.parkNanos(POLL.toNanos());
        }
    }

    private boolean isReady() {
        HttpRequest request = HttpRequest.newBuilder(base.resolve("health/ready"))
                .timeout(Duration.ofSeconds(10))
                .build();
        try {
            return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException notYet) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for " + kind, e);
        }
    }

    private static boolean isOpen(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    private Process run(List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(settings.directory().toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
        Map<String, String> environment = builder.environment();
        environment.keySet().removeIf(name -> STRANGERS.stream().anyMatch(name::startsWith));
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        // Tests start many servers, and none of them needs to be fast.
        environment.put("MUSTER_WARM_UP", "PT0S");
        environment.putAll(recipe.environment());
        environment.putAll(settings.environment());
        try {
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot run " + command.get(0), e);
        }
    }

    /** The last in the line of processes: scripts and administration programs stand before it. */
    private ProcessHandle jvm() {
        ProcessHandle last = process.toHandle();
        Optional<ProcessHandle> child = last.children().findFirst();
        while (child.isPresent()) {
            last = child.get();
            child = last.children().findFirst();
        }
        return last;
    }

    private List<ProcessHandle> tree() {
        return Stream.concat(Stream.of(process.toHandle()), process.descendants())
                .toList();
    }

    private static boolean awaitExit(ProcessHandle handle, Duration deadline) {
        long end = System.nanoTime() + deadline.toNanos();
        while (handle.isAlive()) {
            if (System.nanoTime() > end) {
                return false;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
        return true;
    }

    private String loggedSinceLaunch() {
        try (RandomAccessFile file = new RandomAccessFile(log().toFile(), "r")) {
            file.seek(logged);
            byte[] bytes = new byte[(int) Math.max(0, file.length() - logged)];
            file.readFully(bytes);
            return new String(bytes, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
