package io.muster.suite.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** How one kind of server is laid out and launched; {@link RunningServer} does the rest. One object serves one server. */
interface Recipe {

    /**
     * Writes what the server needs, below the directory of the settings. Called once, before anything else.
     *
     * @param port where it shall answer, on the loopback address
     * @param others for whatever else it opens
     */
    void prepare(ServerSettings settings, int port, FreePorts others) throws IOException;

    /** The command that runs the server in the foreground; the server's JVM is this process or a descendant of it. */
    List<String> command();

    /** Environment variables that the command needs beside those of the settings. */
    default Map<String, String> environment() {
        return Map.of();
    }

    /**
     * What has to be run, once, beside the server before it has the WAR; waits by itself until the server takes it.
     * The standard output is the server's log.
     */
    default Optional<List<String>> deployment() {
        return Optional.empty();
    }

    /** The port that must be open before {@link #deployment()} is run. */
    default int deploymentPort() {
        throw new UnsupportedOperationException();
    }

    /** Whether what was logged since the last launch says that the server refused the WAR, and will not become ready. */
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
