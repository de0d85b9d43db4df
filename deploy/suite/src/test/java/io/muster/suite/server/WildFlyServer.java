// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import io.muster.suite.fixture.FreePorts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** WildFly, with a base directory of its own that starts from the installation's configuration. */
final class WildFlyServer implements Recipe {

    private final Path home = Recipe.named("muster.server.home");
    private final List<String> command = new ArrayList<>();
    private Path baseDirectory;

    @Override
    public void prepare(ServerSettings settings, int port, FreePorts others) throws IOException {
        baseDirectory = settings.directory().resolve("wildfly");
        Layout.copyTree(home.resolve("standalone/configuration"), baseDirectory.resolve("configuration"));
        // As docs/deploying.md advises: without it, a thread waits for a client that reads nothing.
        Path configuration = baseDirectory.resolve("configuration/standalone.xml");
        Files.writeString(
                configuration,
                Files.readString(configuration)
                        .replace(
                                "<http-listener name=\"default\"",
                                "<http-listener name=\"default\" write-timeout=\"10000\""));
        Path deployments = Files.createDirectories(baseDirectory.resolve("deployments"));
        // This name puts it at the context root /.
        Files.copy(Recipe.war(settings), deployments.resolve("ROOT.war"));

        command.addAll(List.of(
                home.resolve("bin/standalone.sh").toString(),
                "-c",
                "standalone.xml",
                "-b",
                "127.0.0.1",
                "-bmanagement",
                "127.0.0.1",
                "-Djboss.http.port=" + port,
                "-Djboss.https.port=" + others.next(),
                "-Djboss.management.http.port=" + others.next(),
                "-Djboss.management.https.port=" + others.next()));
        settings.systemProperties().forEach((name, value) -> command.add("-D" + name + "=" + value));
    }

    @Override
    public List<String> command() {
        return List.copyOf(command);
    }

    @Override
    public Map<String, String> environment() {
        return Map.of(
                "JBOSS_HOME",
                home.toString(),
                "JBOSS_BASE_DIR",
                baseDirectory.toString(),
                // JAVA_OPTS would replace WildFly's own options.
                "JAVA_TOOL_OPTIONS",
                String.join(" ", LIGHT));
    }

    @Override
    public boolean refused(String logged) {
        // the line that ends a start in which something failed
        return logged.contains("WFLYSRV0026");
    }
}
