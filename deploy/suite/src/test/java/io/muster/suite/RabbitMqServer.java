package io.muster.suite;

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
import java.util.stream.Stream;

/**
 * A RabbitMQ of the machine's, with everything that it has in a directory of its own and on the loopback address only. It has no users
 * of its own: it asks a registry about everybody.
 */
final class RabbitMqServer implements AutoCloseable {

    private static final Path INSTALLED = Path.of("/usr/lib/rabbitmq/lib");

    private final Path directory;
    private final Ports ports;
    private final List<Process> processes = new ArrayList<>();

    /** Where it will listen, which a registry must know before it starts. */
    record Ports(int mqtt, int mqtts, int management, int distribution, int epmd) {

        static Ports free() {
            return new Ports(
                    Registries.unusedPort(),
                    Registries.unusedPort(),
                    Registries.unusedPort(),
                    Registries.unusedPort(),
                    Registries.unusedPort());
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

    /** Starts one that asks at this address, which ends before {@code /user}. */
    static RabbitMqServer start(Path directory, Ports ports, String listener, Factory.ServerFiles tls) {
        RabbitMqServer server = new RabbitMqServer(directory, ports);
        server.configure(listener, tls, "auth_backends.1 = http\n", "");
        server.launchOrClose();
        return server;
    }

    /**
     * Starts one that checks access tokens itself, and asks at the address about everybody who has none that it accepts.
     *
     * @param jwks where the keys are published
     * @param audience of the tokens
     */
    static RabbitMqServer startWithTokens(
            Path directory, Ports ports, String listener, Factory.ServerFiles tls, URI jwks, String audience) {
        RabbitMqServer server = new RabbitMqServer(directory, ports);
        server.configure(
                listener,
                tls,
                """
                auth_backends.1 = rabbit_auth_backend_oauth2
                auth_backends.2 = http
                auth_oauth2.resource_server_id = %s
                auth_oauth2.algorithms.1 = ES256
                auth_oauth2.algorithms.2 = EdDSA
                """
                        .formatted(audience),
                ",rabbitmq_auth_backend_oauth2");
        // Its other file takes an address that is not https.
        server.write(
                "advanced.config",
                "[{rabbitmq_auth_backend_oauth2, [{key_config, [{jwks_url, \"%s\"}]}]}].\n".formatted(jwks));
        server.launchOrClose();
        return server;
    }

    private void configure(String listener, Factory.ServerFiles tls, String backends, String plugin) {
        write(
                "rabbitmq.conf",
                """
                listeners.tcp = none
                mqtt.listeners.tcp.1 = 127.0.0.1:%1$d
                mqtt.listeners.ssl.1 = 127.0.0.1:%2$d
                mqtt.allow_anonymous = false
                ssl_options.cacertfile = %5$s
                ssl_options.certfile = %6$s
                ssl_options.keyfile = %7$s
                ssl_options.verify = verify_none
                management.tcp.ip = 127.0.0.1
                management.tcp.port = %3$d
                management_agent.disable_metrics_collector = true
                collect_statistics_interval = 60000
                log.console = true
                log.console.level = info
                log.connection.level = warning
                log.file = false
                auth_http.http_method = post
                auth_http.user_path = %4$s/user
                auth_http.vhost_path = %4$s/vhost
                auth_http.resource_path = %4$s/resource
                auth_http.topic_path = %4$s/topic
                auth_http.request_timeout = 3000
                auth_http.connection_timeout = 2000
                """
                                .formatted(
                                        ports.mqtt(),
                                        ports.mqtts(),
                                        ports.management(),
                                        listener,
                                        tls.ca(),
                                        tls.certificate(),
                                        tls.key())
                        + backends);
        write("enabled_plugins", "[rabbitmq_management,rabbitmq_mqtt,rabbitmq_auth_backend_http" + plugin + "].\n");
    }

    private void launchOrClose() {
        try {
            launch();
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
