package io.muster.micro;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/**
 * The two keys of Muster that the launcher needs before the registry can read them, from the places and with the precedence
 * that the registry has: system property, environment, {@code muster.properties}. Faults are left for the registry to report.
 */
final class Settings {

    private final Properties system;
    private final Map<String, String> environment;
    private final Properties file;

    Settings(Properties system, Map<String, String> environment) {
        this.system = system;
        this.environment = environment;
        String named = environment.getOrDefault("MUSTER_CONFIG_FILE", system.getProperty("muster.config-file", ""));
        this.file = read(Path.of(named.isBlank() ? "muster.properties" : named));
    }

    /** Where data is kept, absolute; {@code muster-data} in the working directory unless said otherwise. */
    Path dataDirectory() {
        return Path.of(text("muster.data-dir").orElse("muster-data"))
                .toAbsolutePath()
                .normalize();
    }

    /** The address to listen on: this machine only, unless somebody said otherwise. */
    String httpAddress() {
        return text("muster.http-address").orElse("127.0.0.1");
    }

    private Optional<String> text(String key) {
        String variable = key.replaceAll("[.-]", "_").toUpperCase(Locale.ROOT);
        return Optional.ofNullable(system.getProperty(key))
                .or(() -> Optional.ofNullable(environment.get(variable)))
                .or(() -> Optional.ofNullable(file.getProperty(key)))
                .map(String::strip)
                .filter(value -> !value.isEmpty());
    }

    private static Properties read(Path path) {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(path)) {
            properties.load(reader);
        } catch (IOException | IllegalArgumentException e) {
            return new Properties();
        }
        return properties;
    }
}
