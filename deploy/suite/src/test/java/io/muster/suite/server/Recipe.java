// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import io.muster.suite.fixture.FreePorts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How one kind of server is laid out and launched; {@link RunningServer} does the rest. One object serves one server.
 */
interface Recipe {

    /** Options that halve the work of a JVM's start, of which a run of the suite has many. */
    List<String> LIGHT = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

    /**
     * Writes the server's files, below the directory of the settings. Called once, before anything else.
     *
     * @param port where it must answer, on the loopback address
     * @param others for its other ports
     */
    void prepare(ServerSettings settings, int port, FreePorts others) throws IOException;

    /**
     * Returns the command that runs the server in the foreground. The server's JVM is this process or a descendant of
     * it.
     */
    List<String> command();

    /** Environment variables that the command needs beside those of the settings. */
    default Map<String, String> environment() {
        return Map.of();
    }

    /**
     * Returns the command to run once, beside the server, to deploy the WAR. It waits by itself until the server
     * accepts it. The standard output is the server's log.
     */
    default Optional<List<String>> deployment() {
        return Optional.empty();
    }

    /** The port that must be open before {@link #deployment()} is run. */
    default int deploymentPort() {
        throw new UnsupportedOperationException();
    }

    /** Tells whether the log since the last launch shows that the server refused the WAR, and will not become ready. */
    boolean refused(String logged);

    /** A file or directory that the build names by a system property. */
    static Path named(String property) {
        String value = System.getProperty(property, "");
        if (value.isBlank()) {
            throw new IllegalStateException("system property " + property + " is not set");
        }
        Path path = Path.of(value).toAbsolutePath().normalize();
        if (!Files.exists(path)) {
            throw new IllegalStateException(
                    "system property " + property + " names " + path + ", which does not exist");
        }
        return path;
    }

    /** The WAR to deploy. */
    static Path war(ServerSettings settings) {
        return settings.war().orElseGet(() -> named("muster.war"));
    }

    /** The launcher of the JDK that runs the tests. */
    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }
}
