package io.muster.suite.server;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a server is started with.
 *
 * @param directory for everything that this server writes, its data, log and configuration; made if absent. One directory
 *     is for one server
 * @param environment for the server's process, beside this JVM's own environment without names that start with
 *     {@code MUSTER_}. Without {@code MUSTER_DATA_DIR} it is set to {@code data} below the directory
 * @param systemProperties for the server's JVM
 * @param arguments of the command line; only {@link ServerKind#MICRO} takes any
 */
public record ServerSettings(
        Path directory, Map<String, String> environment, Map<String, String> systemProperties, List<String> arguments) {

    private static final String DATA_DIR = "MUSTER_DATA_DIR";

    /** Makes the directory absolute, adds {@code MUSTER_DATA_DIR} and copies the collections. */
    public ServerSettings {
        directory = directory.toAbsolutePath();
        Map<String, String> complete = new TreeMap<>(environment);
        complete.putIfAbsent(DATA_DIR, directory.resolve("data").toString());
        environment = Map.copyOf(complete);
        systemProperties = Map.copyOf(systemProperties);
        arguments = List.copyOf(arguments);
    }

    /** Settings with nothing but a directory. */
    public static ServerSettings in(Path directory) {
        return new ServerSettings(directory, Map.of(), Map.of(), List.of());
    }

    /** These settings with one more environment variable. */
    public ServerSettings withEnvironment(String name, String value) {
        return new ServerSettings(directory, with(environment, name, value), systemProperties, arguments);
    }

    /** These settings with one more system property. */
    public ServerSettings withSystemProperty(String name, String value) {
        return new ServerSettings(directory, environment, with(systemProperties, name, value), arguments);
    }

    /** These settings with more arguments at the end of the command line. */
    public ServerSettings withArguments(String... more) {
        List<String> all = new ArrayList<>(arguments);
        all.addAll(List.of(more));
        return new ServerSettings(directory, environment, systemProperties, all);
    }

    /** The console log of a server with these settings; there also after a start that failed. */
    public Path log() {
        return directory.resolve("server.log");
    }

    /** The directory that Muster keeps its own files in. */
    public Path dataDir() {
        return Path.of(environment.get(DATA_DIR));
    }

    private static Map<String, String> with(Map<String, String> map, String name, String value) {
        Map<String, String> copy = new TreeMap<>(map);
        copy.put(name, value);
        return copy;
    }
}
