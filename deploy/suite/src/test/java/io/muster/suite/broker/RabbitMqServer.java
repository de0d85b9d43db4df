// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import io.muster.suite.fixture.Factory;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The machine's RabbitMQ, with all its files in a directory of its own and on the loopback address only. Its
 * configuration and the commands for its only user are those of docs/brokers/rabbitmq.md, with other addresses and
 * files. It asks a registry about every client except the registry.
 */
final class RabbitMqServer implements AutoCloseable {

    private static final Path INSTALLED = Path.of("/usr/lib/rabbitmq/lib");
    private static final Path PAGE = Path.of(System.getProperty("basedir", ""), "../../docs/brokers/rabbitmq.md");

    private final Path directory;
    private final Ports ports;
    private final List<Process> processes = new ArrayList<>();

    /** Where it will listen, which a registry must know before it starts. */
    record Ports(int mqtt, int mqtts, int management, int distribution, int epmd) {

        static Ports free() {
            return new Ports(
                    SharedWorld.unusedPort(),
                    SharedWorld.unusedPort(),
                    SharedWorld.unusedPort(),
                    SharedWorld.unusedPort(),
                    SharedWorld.unusedPort());
        }

        URI managementAddress() {
            return URI.create("http://127.0.0.1:" + management);
        }
    }

    private RabbitMqServer(Path directory, Ports ports) {
        this.directory = directory;
        this.ports = ports;
    }

    static boolean isInstalled() {
        return programs().isPresent();
    }

    private static Optional<Path> programs() {
        if (!Files.isDirectory(INSTALLED)) {
            return Optional.empty();
        }
        try (Stream<Path> versions = Files.list(INSTALLED)) {
            return versions.map(version -> version.resolve("sbin"))
                    .filter(Files::isDirectory)
                    .findFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Starts one that asks at this address, which ends before {@code /user}.
     *
     * @param directory has the registry's password there in {@code management-password}
     */
    static RabbitMqServer start(Path directory, Ports ports, String listener, Factory.ServerFiles tls) {
        RabbitMqServer server = new RabbitMqServer(directory, ports);
        server.write("rabbitmq.conf", server.configuration(listener, tls));
        server.write("enabled_plugins", block("erlang", "rabbitmq_auth_backend_http]"));
        server.launchOrClose();
        return server;
    }

    /**
     * Starts one that checks access tokens itself, and asks at the address about every client without an accepted one.
     *
     * @param directory as above
     * @param jwks where the keys are published
     * @param audience of the tokens
     */
    static RabbitMqServer startWithTokens(
            Path directory, Ports ports, String listener, Factory.ServerFiles tls, URI jwks, String audience) {
        RabbitMqServer server = new RabbitMqServer(directory, ports);
        String backends = block("ini", "auth_oauth2.resource_server_id")
                .lines()
                // Its other file takes an address that is not https.
                .filter(line -> !line.startsWith("auth_oauth2.jwks_url") && !line.startsWith("auth_oauth2.https"))
                .collect(Collectors.joining("\n", "", "\n"))
                .replace("https://registry.example", audience);
        String others = server.configuration(listener, tls)
                .lines()
                .filter(line -> !line.startsWith("auth_backends."))
                .collect(Collectors.joining("\n", "", "\n"));
        server.write("rabbitmq.conf", others + backends);
        server.write("enabled_plugins", block("erlang", "rabbitmq_auth_backend_oauth2]"));
        server.write(
                "advanced.config",
                block("erlang", "key_config").replace("http://127.0.0.1:8080/.well-known/jwks.json", jwks.toString()));
        server.launchOrClose();
        return server;
    }

    /** Returns the block of the page in this language that contains this text. */
    private static String block(String language, String text) {
        try {
            return Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL)
                    .matcher(Files.readString(PAGE))
                    .results()
                    .map(block -> block.group(1))
                    .filter(block -> block.contains(text))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String configuration(String listener, Factory.ServerFiles tls) {
        return block("ini", "mqtt.listeners.ssl")
                        .replace("mqtt.listeners.tcp = none", "mqtt.listeners.tcp.1 = 127.0.0.1:" + ports.mqtt())
                        .replace(
                                "mqtt.listeners.ssl.default = 8883",
                                "mqtt.listeners.ssl.1 = 127.0.0.1:" + ports.mqtts())
                        .replace("/etc/rabbitmq/ca.pem", tls.ca().toString())
                        .replace("/etc/rabbitmq/server.pem", tls.certificate().toString())
                        .replace("/etc/rabbitmq/server.key", tls.key().toString())
                        .replace("http://127.0.0.1:8080/mqtt/SECRET/rabbitmq", listener)
                + block("ini", "management_agent.disable_metrics_collector")
                + """
                management.tcp.port = %d
                log.console = true
                log.console.level = info
                log.file = false
                """
                        .formatted(ports.management());
    }

    /** Creates the user with which the registry disconnects devices. */
    private void addUser() {
        String commands = block("sh", "rabbitmqctl add_user")
                .replace(
                        "/etc/muster/rabbitmq-management",
                        directory.resolve("management-password").toString());
        Map<String, String> environment = new TreeMap<>(environment());
        environment.put("PATH", programs().orElseThrow() + ":" + System.getenv("PATH"));
        Processes.Ended ended = Processes.run(directory, environment, List.of("sh", "-e", "-c", commands));
        if (ended.status() != 0) {
            throw new AssertionError(ended.all());
        }
    }

    private void launchOrClose() {
        try {
            launch();
            addUser();
        } catch (AssertionError e) {
            close();
            throw e;
        }
    }

    private void write(String name, String text) {
        try {
            Files.writeString(directory.resolve(name), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void launch() {
        // Of its own, or the one that RabbitMQ starts would stay when it ends.
        processes.add(run("epmd.log", "epmd", "-port", String.valueOf(ports.epmd()), "-address", "127.0.0.1"));
        processes.add(run(
                "rabbitmq.log",
                programs().orElseThrow().resolve("rabbitmq-server").toString()));
        Within.within(Duration.ofSeconds(90), "RabbitMQ started, see " + directory, () -> log().contains(
                        "Server startup complete"));
    }

    private Process run(String log, String... command) {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve(log).toFile())
                .directory(directory.toFile());
        builder.environment().putAll(environment());
        try {
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Map<String, String> environment() {
        String loopback = "-kernel inet_dist_use_interface {127,0,0,1}";
        return Map.ofEntries(
                Map.entry("HOME", directory.toString()),
                Map.entry("RABBITMQ_NODENAME", "muster" + ports.mqtt() + "@localhost"),
                Map.entry("RABBITMQ_CONF_ENV_FILE", "/dev/null"),
                Map.entry(
                        "RABBITMQ_CONFIG_FILE",
                        directory.resolve("rabbitmq.conf").toString()),
                Map.entry(
                        "RABBITMQ_ADVANCED_CONFIG_FILE",
                        directory.resolve("advanced.config").toString()),
                Map.entry(
                        "RABBITMQ_ENABLED_PLUGINS_FILE",
                        directory.resolve("enabled_plugins").toString()),
                Map.entry("RABBITMQ_MNESIA_BASE", directory.resolve("db").toString()),
                Map.entry("RABBITMQ_LOG_BASE", directory.resolve("log").toString()),
                Map.entry("RABBITMQ_PID_FILE", directory.resolve("pid").toString()),
                Map.entry("RABBITMQ_DIST_PORT", String.valueOf(ports.distribution())),
                Map.entry("ERL_EPMD_PORT", String.valueOf(ports.epmd())),
                Map.entry("ERL_EPMD_ADDRESS", "127.0.0.1"),
                Map.entry("RABBITMQ_CTL_ERL_ARGS", loopback),
                Map.entry("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", loopback + " +S 2:2"));
    }

    Ports ports() {
        return ports;
    }

    String log() {
        try {
            return Files.readString(directory.resolve("rabbitmq.log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Kills it, as a power cut does. */
    void kill() {
        Process rabbit = processes.remove(1);
        rabbit.descendants().forEach(ProcessHandle::destroyForcibly);
        rabbit.destroyForcibly();
        rabbit.onExit().join();
        processes.remove(0).destroyForcibly().onExit().join();
    }

    /** Starts it again after it was killed. */
    void restart() {
        launch();
    }

    @Override
    public void close() {
        for (int i = processes.size() - 1; i >= 0; i--) {
            List<ProcessHandle> children = processes.get(i).descendants().toList();
            processes.get(i).destroy();
            children.forEach(ProcessHandle::destroy);
            processes.get(i).onExit().join();
            children.forEach(ProcessHandle::destroyForcibly);
        }
        processes.clear();
    }
}
