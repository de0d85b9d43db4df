package io.muster.config;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Where configuration comes from, with the precedence and naming rules of MicroProfile Config 3.1: system properties, then
 * environment variables (a key {@code a.b-c} is also looked up as {@code a_b_c} and {@code A_B_C}), then whatever the server
 * offers, then the file {@code muster.properties}.
 *
 * @param lookup the value of a key
 * @param names every key of the sources whose names are unambiguous, so not those of the environment
 */
public record Sources(Function<String, Optional<String>> lookup, Set<String> names) {

    /** What a start of the registry leaves among the system properties for whoever started the process. */
    private static final Set<String> LEFT_BY_A_START = Set.of("muster.start-fault", "muster.start-note");

    /**
     * Joins the sources of a process.
     *
     * @param properties system properties
     * @param environment environment variables
     * @param server what the application server offers beside them
     * @throws ConfigurationException if the file is named and cannot be read
     */
    public static Sources of(Properties properties, Map<String, String> environment, Sources server) {
        Properties file = file(Optional.ofNullable(environment.get("MUSTER_CONFIG_FILE"))
                .or(() -> Optional.ofNullable(properties.getProperty("muster.config-file")))
                .filter(path -> !path.isBlank()));
        Set<String> names = new HashSet<>(properties.stringPropertyNames());
        names.addAll(server.names());
        names.addAll(file.stringPropertyNames());
        names.removeAll(LEFT_BY_A_START);
        return new Sources(
                key -> Optional.ofNullable(properties.getProperty(key))
                        .or(() -> fromEnvironment(environment, key))
                        .or(() -> server.lookup().apply(key))
                        .or(() -> Optional.ofNullable(file.getProperty(key))),
                names);
    }

    /** Has nothing to offer. */
    public static Sources none() {
        return new Sources(key -> Optional.empty(), new TreeSet<>());
    }

    private static Optional<String> fromEnvironment(Map<String, String> environment, String key) {
        String folded = key.replaceAll("[^A-Za-z0-9]", "_");
        return Optional.ofNullable(environment.get(key))
                .or(() -> Optional.ofNullable(environment.get(folded)))
                .or(() -> Optional.ofNullable(environment.get(folded.toUpperCase(Locale.ROOT))));
    }

    private static Properties file(Optional<String> named) {
        Properties properties = new Properties();
        Path path = Path.of(named.orElse("muster.properties"));
        if (named.isPresent() || Files.exists(path)) {
            try (Reader reader = Files.newBufferedReader(path)) {
                properties.load(reader);
            } catch (IOException | IllegalArgumentException e) {
                throw new ConfigurationException(List.of("cannot read the configuration file " + path + " ("
                        + e.getClass().getSimpleName() + ")"));
            }
        }
        return properties;
    }
}
