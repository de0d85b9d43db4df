// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * A process that was started from {@code muster.jar} or a copy of it, on a free port. Its launcher opens the port when
 * it can serve requests.
 */
final class Server implements AutoCloseable {

    private static final Duration READY = Duration.ofMinutes(3);
    private static final Duration STOPPED = Duration.ofSeconds(40);

    private final Process process;
    private final Path log;
    private final int port;
    private final Thread cleanup = new Thread(this::kill, "server-cleanup");

    private Server(Process process, Path log, int port) {
        this.process = process;
        this.log = log;
        this.port = port;
        Runtime.getRuntime().addShutdownHook(cleanup);
    }

    /**
     * Starts the process, and does not wait.
     *
     * @param directory its working directory, with its data
     * @param options of the virtual machine
     * @param arguments of the jar
     */
    static Server launch(
            Path jar, Path directory, List<String> options, List<String> arguments, Map<String, String> environment)
            throws IOException {
        Files.createDirectories(directory);
        int port = freePort();
        Path log = directory.resolve("server.log");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of("-jar", jar.toString(), "--port", Integer.toString(port)));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("MUSTER_"));
        builder.environment().put("MUSTER_DATA_DIR", directory.resolve("data").toString());
        builder.environment().putAll(environment);
        return new Server(builder.start(), log, port);
    }

    /** Waits until its port is open. */
    Server await() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + READY.toNanos();
        while (!isOpen()) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                throw new IOException(
                        "the server did not start:\n" + Files.readString(log, StandardCharsets.ISO_8859_1));
            }
            Thread.sleep(100);
        }
        return this;
    }

    /** Waits until the registry reports that it is ready. */
    void awaitReady() throws IOException, InterruptedException {
        await();
        long deadline = System.nanoTime() + READY.toNanos();
        while (!isReady()) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                throw new IOException(
                        "the registry is not ready:\n" + Files.readString(log, StandardCharsets.ISO_8859_1));
            }
            Thread.sleep(100);
        }
    }

    private boolean isReady() {
        try (HttpConnection connection = new HttpConnection(port)) {
            return connection.getLast("/health/ready").status() == 200;
        } catch (IOException closedWhileItOpensItsPort) {
            return false;
        }
    }

    int port() {
        return port;
    }

    ProcessHandle process() {
        return process.toHandle();
    }

    private boolean isOpen() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(STOPPED.toSeconds(), TimeUnit.SECONDS)) {
                kill();
            }
        } catch (InterruptedException e) {
            kill();
            Thread.currentThread().interrupt();
        }
        try {
            Runtime.getRuntime().removeShutdownHook(cleanup);
        } catch (IllegalStateException shuttingDown) {
            // then the hook runs as well, and finds nothing to do
        }
    }

    private void kill() {
        process.destroyForcibly();
    }

    /** Returns a port below the range from which the system takes those of outgoing connections. */
    private static int freePort() throws IOException {
        for (int attempt = 0; attempt < 200; attempt++) {
            int candidate = ThreadLocalRandom.current().nextInt(23_000, 32_000);
            try (ServerSocket socket = new ServerSocket()) {
                socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), candidate));
                return candidate;
            } catch (IOException taken) {
                // Another number may be free.
            }
        }
        throw new IOException("no free port between 23000 and 32000");
    }
}
