// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {

    @TempDir
    Path directory;

    @Test
    void defaultsAreTheWorkingDirectoryAndThisMachineOnly() {
        Settings settings = new Settings(new Properties(), Map.of());

        assertThat(settings.dataDirectory()).isEqualTo(Path.of("muster-data").toAbsolutePath());
        assertThat(settings.httpAddress()).isEqualTo("127.0.0.1");
    }

    @Test
    void systemPropertyBeatsEnvironmentBeatsFile() throws IOException {
        Path file = directory.resolve("acme.properties");
        Files.writeString(file, "muster.data-dir=/file\nmuster.http-address=10.0.0.1\n");
        Map<String, String> environment =
                Map.of("MUSTER_CONFIG_FILE", file.toString(), "MUSTER_DATA_DIR", "/environment");
        Properties system = new Properties();

        assertThat(new Settings(system, environment).dataDirectory()).isEqualTo(Path.of("/environment"));
        assertThat(new Settings(system, environment).httpAddress()).isEqualTo("10.0.0.1");

        system.setProperty("muster.data-dir", "/property");
        assertThat(new Settings(system, environment).dataDirectory()).isEqualTo(Path.of("/property"));
    }

    @Test
    void emptyValueIsNoValue() {
        assertThat(new Settings(new Properties(), Map.of("MUSTER_HTTP_ADDRESS", " ")).httpAddress())
                .isEqualTo("127.0.0.1");
    }

    @Test
    void fileThatCannotBeReadIsLeftForTheRegistryToReport() {
        Map<String, String> environment = Map.of(
                "MUSTER_CONFIG_FILE", directory.resolve("none.properties").toString());

        assertThat(new Settings(new Properties(), environment).httpAddress()).isEqualTo("127.0.0.1");
    }
}
