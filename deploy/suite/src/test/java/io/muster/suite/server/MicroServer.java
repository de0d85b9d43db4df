// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import io.muster.suite.fixture.FreePorts;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The runnable jar, which brings the server and the WAR. */
final class MicroServer implements Recipe {

    private final Path jar = Recipe.named("muster.jar");
    private final List<String> command = new ArrayList<>();

    @Override
    public void prepare(ServerSettings settings, int port, FreePorts others) {
        command.add(Recipe.java());
        command.add("-Xmx512m");
        command.addAll(LIGHT);
        settings.systemProperties().forEach((name, value) -> command.add("-D" + name + "=" + value));
        command.addAll(List.of("-jar", jar.toString(), "--port", Integer.toString(port)));
        command.addAll(settings.arguments());
    }

    @Override
    public List<String> command() {
        return List.copyOf(command);
    }

    @Override
    public boolean refused(String logged) {
        // It ends if it cannot run.
        return false;
    }
}
