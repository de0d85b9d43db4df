// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/**
 * HiveMQ CE from Maven in a process of its own, with the extension as it is delivered: its zip, unpacked and
 * configured.
 */
final class HiveMqServer implements AutoCloseable {

    private final Path directory;
    private final int port;
    private final Process process;

    private HiveMqServer(Path directory, int port, Process process) {
        this.directory = directory;
        this.port = port;
        this.process = process;
    }

    /**
     * Starts one.
     *
     * @param registry the address of the registry that it asks
     * @param secret of this broker there
     * @param management where it listens for orders to disconnect
     * @param password of the user {@code muster} there
     */
    static HiveMqServer start(Path directory, URI registry, String secret, URI management, String password) {
        int port = SharedWorld.unusedPort();
        Path module = Path.of(System.getProperty("muster.plugins")).resolve("hivemq-extension/target");
        try {
            Path conf = Files.createDirectories(directory.resolve("conf"));
            Files.writeString(
                    conf.resolve("config.xml"),
                    """
                    <?xml version="1.0"?>
                    <hivemq>
                      <listeners>
                        <tcp-listener><port>%d</port><bind-address>127.0.0.1</bind-address></tcp-listener>
                      </listeners>
                      <persistence><mode>in-memory</mode></persistence>
                      <anonymous-usage-statistics><enabled>false</enabled></anonymous-usage-statistics>
                    </hivemq>
                    """
                            .formatted(port));
            Path extensions = Files.createDirectories(directory.resolve("extensions"));
            unzip(module.resolve("muster-hivemq-extension.zip"), extensions);
            Path extension = extensions.resolve("muster");
            Path settings = extension.resolve("muster.properties");
            Files.writeString(
                    settings,
                    Files.readString(settings)
                            .replace("http://127.0.0.1:8080", registry.toString())
                            .replace("8090", String.valueOf(management.getPort())));
            Files.writeString(extension.resolve("listener-secret"), secret + "\n");
            Files.writeString(extension.resolve("management-password"), password + "\n");
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx512m",
                            "-cp",
                            module.resolve("test-classes") + ":" + Files.readString(module.resolve("class-path")),
                            "io.muster.hivemq.EmbeddedBroker",
                            conf.toString(),
                            Files.createDirectories(directory.resolve("data")).toString(),
                            extensions.toString())
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("hivemq.log").toFile())
                    .start();
            HiveMqServer server = new HiveMqServer(directory, port, process);
            try {
                Within.within(Duration.ofSeconds(90), "HiveMQ started, see " + directory, () -> server.log()
                        .contains("HiveMQ is up"));
            } catch (AssertionError e) {
                server.close();
                throw e;
            }
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void unzip(Path zip, Path directory) throws IOException {
        try (InputStream in = Files.newInputStream(zip);
                ZipInputStream entries = new ZipInputStream(in)) {
            for (ZipEntry entry = entries.getNextEntry(); entry != null; entry = entries.getNextEntry()) {
                Path file = directory.resolve(entry.getName());
                if (entry.isDirectory()) {
                    Files.createDirectories(file);
                } else {
                    Files.createDirectories(file.getParent());
                    Files.copy(entries, file);
                }
            }
        }
    }

    int port() {
        return port;
    }

    String address() {
        return "tcp://127.0.0.1:" + port;
    }

    String log() {
        try {
            return Files.readString(directory.resolve("hivemq.log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
