// SPDX-License-Identifier: Apache-2.0
package io.muster.hivemq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigurationTest {

    @TempDir
    Path folder;

    @BeforeEach
    void asItIsDelivered() throws IOException {
        Files.copy(Path.of("src/main/extension/muster.properties"), folder.resolve("muster.properties"));
        Files.writeString(folder.resolve("listener-secret"), "the-secret\n");
        Files.writeString(folder.resolve("management-password"), "the-password\n");
    }

    @Test
    void whatIsDeliveredNeedsTheTwoFilesAndNoMore() throws Configuration.FaultyException {
        Configuration configuration = Configuration.read(folder);

        assertThat(configuration.registry()).hasToString("http://127.0.0.1:8080/mqtt/the-secret/json/login");
        assertThat(configuration.managementPassword()).isEqualTo("the-password");
        assertThat(configuration.toString()).doesNotContain("the-secret", "the-password");
    }

    @Test
    void everyFaultIsSaidAtOnceAndNoSecret() throws IOException {
        Files.writeString(folder.resolve("listener-secret"), "the-secret and another");
        Files.delete(folder.resolve("management-password"));
        Files.writeString(
                folder.resolve("muster.properties"),
                "registry-url = ftp://x\nsecret-file = listener-secret\nmanagement-port = x\nmanagement-user =\n"
                        + "management-address = 127.0.0.1\nmanagement-password-file = management-password\n");

        assertThatThrownBy(() -> Configuration.read(folder))
                .hasMessageContaining("registry-url is not")
                .hasMessageContaining("secret-file has more in it")
                .hasMessageContaining("management-port is not a port")
                .hasMessageContaining("management-user is required")
                .hasMessageContaining("management-password cannot be read")
                .hasMessageNotContaining("another");
    }

    @Test
    void folderWithoutAConfigurationIsFaulty() {
        assertThatThrownBy(() -> Configuration.read(folder.resolve("nowhere")))
                .hasMessageContaining("muster.properties cannot be read")
                .hasMessageContaining("registry-url is required");
    }
}
