// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import io.muster.suite.fixture.FreePorts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Open Liberty, with a user directory of its own and the smallest server.xml that serves the WAR and does not wait for
 * a client that reads nothing.
 */
final class LibertyServer implements Recipe {

    private final Path home = Recipe.named("muster.server.home");
    private Path userDirectory;

    @Override
    public void prepare(ServerSettings settings, int port, FreePorts others) throws IOException {
        userDirectory = settings.directory().resolve("liberty");
        Path server = Files.createDirectories(userDirectory.resolve("servers/muster"));
        Files.writeString(
                server.resolve("server.xml"),
                """
                <server>
                    <featureManager>
                        <feature>webProfile-10.0</feature>
                    </featureManager>
                    <httpEndpoint id="defaultHttpEndpoint" host="127.0.0.1" httpPort="%d" httpsPort="-1">
                        <httpOptions writeTimeout="10s"/>
                    </httpEndpoint>
                    <webApplication location="%s" contextRoot="/"/>
                    <applicationMonitor updateTrigger="disabled"/>
                    <config updateTrigger="disabled"/>
                    <logging consoleLogLevel="INFO"/>
                </server>
                """
                        .formatted(port, Recipe.war(settings)));
        StringBuilder options = new StringBuilder("-Xmx512m\n");
        LIGHT.forEach(option -> options.append(option).append('\n'));
        settings.systemProperties().forEach((name, value) -> options.append("-D%s=%s\n".formatted(name, value)));
        Files.writeString(server.resolve("jvm.options"), options);
    }

    @Override
    public List<String> command() {
        return List.of(home.resolve("bin/server").toString(), "run", "muster");
    }

    @Override
    public Map<String, String> environment() {
        return Map.of("WLP_USER_DIR", userDirectory.toString());
    }

    @Override
    public boolean refused(String logged) {
        // An exception during the start or its preparation; a start that a listener refused; no such file.
        return Stream.of("CWWKZ0002E", "CWWKZ0004E", "CWWKZ0012I", "CWWKZ0014W").anyMatch(logged::contains);
    }
}
