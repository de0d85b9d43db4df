// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.muster.suite.fixture.Factory;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

/** An installed Mosquitto with its plug-in for dynamic security, in a directory of its own, on a port of its own. */
final class MosquittoServer implements AutoCloseable {

    static final String ADMIN = "admin";
    static final String ADMIN_PASSWORD = "password-of-the-broker-administrator";

    private final Path directory;
    private final int port;
    private final int tlsPort;
    private Process process;

    private MosquittoServer(Path directory, int port, int tlsPort) {
        this.directory = directory;
        this.port = port;
        this.tlsPort = tlsPort;
    }

    static boolean isInstalled() {
        return plugin().isPresent() && Files.isExecutable(Path.of("/usr/sbin/mosquitto"));
    }

    private static Optional<Path> plugin() {
        try (Stream<Path> directories = Files.list(Path.of("/usr/lib"))) {
            return directories
                    .map(one -> one.resolve("mosquitto_dynamic_security.so"))
                    .filter(Files::exists)
                    .findFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Starts one whose plug-in knows only its administrator. */
    static MosquittoServer start(Path directory) {
        MosquittoServer server = new MosquittoServer(directory, SharedWorld.unusedPort(), SharedWorld.unusedPort());
        Factory.ServerFiles tls = Factory.serverFiles(directory);
        try {
            Files.writeString(
                    directory.resolve("mosquitto.conf"),
                    """
                    %slistener %d 127.0.0.1
                    allow_anonymous false
                    plugin %s
                    plugin_opt_config_file %s
                    log_dest stderr
                    log_dest topic
                    connection_messages true
                    listener %d 127.0.0.1
                    certfile %s
                    keyfile %s
                    """
                            .formatted(
                                    // Otherwise it changes to a user who may not write here.
                                    System.getProperty("user.name").equals("root") ? "user root\n" : "",
                                    server.port,
                                    plugin().orElseThrow(),
                                    server.file(),
                                    server.tlsPort,
                                    tls.certificate(),
                                    tls.key()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.forget();
        server.launch();
        return server;
    }

    private Path file() {
        return directory.resolve("dynamic-security.json");
    }

    /** Makes the plug-in's file anew, while the broker does not run. */
    void forget() {
        try {
            Files.deleteIfExists(file());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        run("mosquitto_ctrl", "dynsec", "init", file().toString(), ADMIN, ADMIN_PASSWORD);
    }

    /** Does an administrator's work with {@code mosquitto_ctrl}. */
    void control(String... command) {
        List<String> all = new ArrayList<>(List.of(
                "mosquitto_ctrl",
                "-h",
                "127.0.0.1",
                "-p",
                String.valueOf(port),
                "-u",
                ADMIN,
                "-P",
                ADMIN_PASSWORD,
                "dynsec"));
        all.addAll(Arrays.asList(command));
        run(all.toArray(String[]::new));
    }

    private void run(String... command) {
        Processes.Ended ended = Processes.run(directory, Map.of(), List.of(command));
        if (ended.status() != 0 || ended.err().contains("Error")) {
            throw new AssertionError(String.join(" ", command) + ": " + ended.all());
        }
    }

    void launch() {
        try {
            process = new ProcessBuilder(
                            "/usr/sbin/mosquitto",
                            "-c",
                            directory.resolve("mosquitto.conf").toString())
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("mosquitto.log").toFile())
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Within.within(Duration.ofSeconds(20), "Mosquitto started, see " + directory, () -> log().contains(" running"));
    }

    String address() {
        return "tcp://127.0.0.1:" + port;
    }

    int port() {
        return port;
    }

    /** For TLS, with a certificate of {@code localhost} in the key store {@link #keyStore}. */
    int tlsPort() {
        return tlsPort;
    }

    Path keyStore() {
        return directory.resolve("server.p12");
    }

    String log() {
        return read(directory.resolve("mosquitto.log"));
    }

    /**
     * Returns the content of the plug-in's file. The plug-in writes it in place: meanwhile the file is empty, or half
     * of it is there.
     */
    String known() {
        AtomicReference<String> whole = new AtomicReference<>();
        Within.within(Duration.ofSeconds(20), "the plug-in has written its file", () -> {
            String text = read(file());
            whole.set(text);
            return isJson(text);
        });
        return whole.get();
    }

    private static boolean isJson(String text) {
        try {
            return new JsonMapper().readTree(text).isObject();
        } catch (JsonProcessingException e) {
            return false;
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Kills it, as a power cut does. */
    void kill() {
        process.destroyForcibly().onExit().join();
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }
}
