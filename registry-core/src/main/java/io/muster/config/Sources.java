// SPDX-License-Identifier: Apache-2.0
package io.muster.config;

import io.muster.spi.WrittenText;
import java.io.IOException;
import java.io.StringReader;
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
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The sources of the configuration, with the precedence and naming rules of MicroProfile Config 3.1. System properties
 * come first, then environment variables (a key {@code a.b-c} is also looked up as {@code a_b_c} and {@code A_B_C}).
 * The server's own sources follow, and then the file {@code muster.properties}.
 *
 * @param lookup the value of a key
 * @param names every key of the sources whose names are unambiguous, so not those of the environment
 * @param variables every environment variable that begins as ours do
 */
public record Sources(Function<String, Optional<String>> lookup, Set<String> names, Set<String> variables) {

    private static final String OURS = "MUSTER_";

    /**
     * Variables that Kubernetes sets for a service of the name muster, and those that a start reads before there is a
     * configuration.
     */
    private static final Pattern NOT_SETTINGS =
            Pattern.compile("MUSTER_(CONFIG_FILE|SERVICE_HOST|SERVICE_PORT(_.*)?|PORT|PORT_\\d+_(TCP|UDP)(_.*)?)");

    /** The system properties by which a start of the registry informs the program that started the process. */
    private static final Set<String> LEFT_BY_A_START = Set.of("muster.start-fault", "muster.start-note");

    /**
     * Joins the sources of a process.
     *
     * @param properties system properties
     * @param environment environment variables
     * @param server the additional sources of the application server
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
                names,
                environment.keySet().stream()
                        .filter(name -> name.toUpperCase(Locale.ROOT).startsWith(OURS))
                        .filter(name -> !NOT_SETTINGS.matcher(name).matches())
                        .collect(Collectors.toCollection(TreeSet::new)));
    }

    /** Has no environment. */
    public Sources(Function<String, Optional<String>> lookup, Set<String> names) {
        this(lookup, names, Set.of());
    }

    /** Returns sources without values. */
    public static Sources none() {
        return new Sources(key -> Optional.empty(), new TreeSet<>());
    }

    /** Returns the name, with an underscore for every character that the names of environment variables do not have. */
    static String folded(String key) {
        return key.replaceAll("[^A-Za-z0-9]", "_");
    }

    private static Optional<String> fromEnvironment(Map<String, String> environment, String key) {
        String folded = folded(key);
        return Optional.ofNullable(environment.get(key))
                .or(() -> Optional.ofNullable(environment.get(folded)))
                .or(() -> Optional.ofNullable(environment.get(folded.toUpperCase(Locale.ROOT))));
    }

    private static Properties file(Optional<String> named) {
        Properties properties = new Properties();
        Path path = Path.of(named.orElse("muster.properties"));
        if (named.isPresent() || Files.exists(path)) {
            try {
                properties.load(new StringReader(WrittenText.read(path)));
            } catch (IOException | IllegalArgumentException e) {
                throw new ConfigurationException(
                        List.of("cannot read the configuration file " + path + " (" + WrittenText.reason(e) + ")"));
            }
        }
        return properties;
    }
}
