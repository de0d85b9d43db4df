// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The settings for starting a server.
 *
 * @param directory for everything that this server writes, its data, log and configuration; created if absent. One
 *     directory is for one server
 * @param environment for the server's process, beside this JVM's own environment without names that start with
 *     {@code MUSTER_}. Without {@code MUSTER_DATA_DIR} it is set to {@code data} below the directory
 * @param systemProperties for the server's JVM
 * @param arguments of the command line; only {@link ServerKind#MICRO} takes any
 * @param war deployed instead of the one that {@code muster.war} names; {@link ServerKind#MICRO} has its own
 */
public record ServerSettings(
        Path directory,
        Map<String, String> environment,
        Map<String, String> systemProperties,
        List<String> arguments,
        Optional<Path> war) {

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
        return new ServerSettings(directory, Map.of(), Map.of(), List.of(), Optional.empty());
    }

    /** These settings with one more environment variable. */
    public ServerSettings withEnvironment(String name, String value) {
        return new ServerSettings(directory, with(environment, name, value), systemProperties, arguments, war);
    }

    /** These settings with one more system property. */
    public ServerSettings withSystemProperty(String name, String value) {
        return new ServerSettings(directory, environment, with(systemProperties, name, value), arguments, war);
    }

    /** These settings with more arguments at the end of the command line. */
    public ServerSettings withArguments(String... more) {
        List<String> all = new ArrayList<>(arguments);
        all.addAll(List.of(more));
        return new ServerSettings(directory, environment, systemProperties, all, war);
    }

    /** These settings with another WAR. */
    public ServerSettings withWar(Path other) {
        return new ServerSettings(directory, environment, systemProperties, arguments, Optional.of(other));
    }

    /** Returns the console log of a server with these settings. It exists after a failed start too. */
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
