// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;

/**
 * A real Redis for tests: a process of its own on a free port of the loopback address, empty, with a password. Uses the
 * {@code redis-server} installed on the machine, else the binary in embedded-redis. If neither runs, tests are skipped,
 * except with {@code CI=true}.
 */
public final class RedisServer implements AutoCloseable {

    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final String PASSWORD = "redis-password-0123456789";

    private final Path directory;
    private final Path program;
    private final int port;
    private final Thread cleanup = new Thread(this::end, "redis-cleanup");
    private Process process;

    private RedisServer(Path directory, Path program, int port) {
        this.directory = directory;
        this.program = program;
        this.port = port;
    }

    /** Starts one; ready on return. */
    public static RedisServer start() {
        try {
            Path target = Files.createDirectories(
                    Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolve("target/redis"));
            Path directory = Files.createTempDirectory(target, "redis-");
            RedisServer server = new RedisServer(directory, program(target), freePort());
            Runtime.getRuntime().addShutdownHook(server.cleanup);
            server.launch();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (IllegalStateException e) {
            if ("true".equals(System.getenv("CI"))) {
                throw e;
            }
            throw new TestAbortedException("no Redis runs here: " + e.getMessage(), e);
        }
    }

    /** The port on 127.0.0.1; the same after {@link #restart()}. */
    public int port() {
        return port;
    }

    /** The address, without the password. */
    public String uri() {
        return "redis://127.0.0.1:" + port;
    }

    /** The password of the default user. */
    public String password() {
        return PASSWORD;
    }

    /** Sends a command and returns the first line of the answer. */
    public String command(String... parts) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(2000);
            send(socket, "AUTH", PASSWORD);
            String auth = line(socket.getInputStream());
            if (!auth.equals("+OK")) {
                return auth;
            }
            send(socket, parts);
            return line(socket.getInputStream());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void send(Socket socket, String... parts) throws IOException {
        StringBuilder command = new StringBuilder("*" + parts.length + "\r\n");
        for (String part : parts) {
            command.append('$')
                    .append(part.length())
                    .append("\r\n")
                    .append(part)
                    .append("\r\n");
        }
        socket.getOutputStream().write(command.toString().getBytes(StandardCharsets.ISO_8859_1));
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        int b;
        while ((b = in.read()) >= 0 && b != '\n') {
            line.append((char) b);
        }
        return line.toString().strip();
    }

    /** Stops the process in its tracks: connections stay open, and nothing answers. */
    public void freeze() {
        signal("STOP");
    }

    /** Continues a frozen server. */
    public void thaw() {
        signal("CONT");
    }

    /** Ends the process at once; its data is lost. */
    public void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    /** Starts it again, empty, on the same port. */
    public void restart() {
        kill();
        launch();
    }

    private void launch() {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of("--port", Integer.toString(port), "--bind", "127.0.0.1", "--requirepass", PASSWORD));
        command.addAll(List.of("--save", "", "--appendonly", "no", "--dir", directory.toString()));
        try {
            process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(
                            directory.resolve("redis.log").toFile()))
                    .start();
        } catch (IOException e) {
            throw new IllegalStateException("cannot run " + program, e);
        }
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (!answers()) {
            if (!process.isAlive() || System.nanoTime() > end) {
                throw new IllegalStateException(program + " did not start: " + log());
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    private boolean answers() {
        try {
            return command("PING").equals("+PONG");
        } catch (UncheckedIOException notYet) {
            return false;
        }
    }

    private String log() {
        try {
            return Files.readString(directory.resolve("redis.log"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "(no log)";
        }
    }

    private void signal(String name) {
        try {
            new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private void end() {
        if (process != null) {
            process.destroyForcibly().onExit().join();
        }
        try (Stream<Path> paths = Files.walk(directory)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        } catch (IOException | UncheckedIOException e) {
            System.getLogger(RedisServer.class.getName())
                    .log(System.Logger.Level.WARNING, "cannot delete " + directory, e);
        }
    }

    /** Stops it. Harmless the second time. */
    @Override
    public void close() {
        end();
    }

    private static Path program(Path target) throws IOException {
        String path = System.getenv().getOrDefault("PATH", "");
        Optional<Path> installed = Stream.of(path.split(":"))
                .filter(part -> !part.isEmpty())
                .map(part -> Path.of(part, "redis-server"))
                .filter(Files::isExecutable)
                .findFirst();
        return installed.isPresent() ? installed.get() : unpacked(target);
    }

    private static Path unpacked(Path target) throws IOException {
        boolean mac =
                System.getProperty("os.name").toLowerCase(java.util.Locale.ROOT).contains("mac");
        boolean arm = System.getProperty("os.arch").matches("aarch64|arm64");
        String name = mac
                ? "redis-server-6.2.6-v5-darwin-" + (arm ? "arm64" : "amd64")
                : arm ? "redis-server-6.2.7-linux-arm64" : "redis-server-6.2.6-v5-linux-amd64";
        try (InputStream in = RedisServer.class.getResourceAsStream("/" + name)) {
            if (in == null) {
                throw new IllegalStateException("install redis-server, or add com.github.codemonstur:embedded-redis");
            }
            Path part = Files.createTempFile(
                    target,
                    "part-",
                    "",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
            Files.write(part, in.readAllBytes());
            // In one step, so that an interrupted unpacking is never taken for a complete one.
            return Files.move(part, target.resolve(name), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /**
     * Returns a port below those from which the system takes the ports of outgoing connections, so that a restart finds
     * it free.
     */
    private static int freePort() {
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
}
