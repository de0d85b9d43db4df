// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/**
 * The two keys of Muster that the launcher needs before the registry can read them. It uses the registry's sources and
 * their precedence: system property, environment, {@code muster.properties}. It leaves faults for the registry to
 * report.
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

    /** Returns the absolute directory of the data; by default {@code muster-data} in the working directory. */
    Path dataDirectory() {
        return Path.of(text("muster.data-dir").orElse("muster-data"))
                .toAbsolutePath()
                .normalize();
    }

    /** Returns the address to listen on; by default this machine's loopback address. */
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
        try {
            // The registry does the same: editors of Windows begin UTF-8 with a byte order mark.
            String text = Files.readString(path);
            properties.load(new StringReader(text.startsWith("\ufeff") ? text.substring(1) : text));
        } catch (IOException | IllegalArgumentException e) {
            return new Properties();
        }
        return properties;
    }
}
