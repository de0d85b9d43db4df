// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.client.FaithfulRegistry.Rule;
import io.muster.client.cli.MusterDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A process limit on the size of files simulates a full disk, since it applies to the administrator too. */
@DisabledOnOs(OS.WINDOWS)
@Timeout(60)
class FullDiskTest {

    private static final int LONGER_THAN_THE_LIMIT = 3000;

    @TempDir
    Path directory;

    private FaithfulRegistry registry;

    @BeforeEach
    void start() throws IOException {
        registry = new FaithfulRegistry(Rule.NEVER).padded(LONGER_THAN_THE_LIMIT);
    }

    @AfterEach
    void stop() {
        registry.close();
    }

    private Path file() {
        return directory.resolve("device.json");
    }

    private DeviceClient device() {
        return DeviceClient.builder()
                .registry(registry.uri())
                .serial("SN-0007")
                .store(file())
                .waiting(new FakeTime())
                .build();
    }

    private int registerWithFilesOf(int blocks) throws Exception {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "ulimit -f " + blocks + "; exec \"$@\"", "sh"));
        command.addAll(Processes.command(
                MusterDevice.class,
                "register",
                "--registry",
                registry.uri().toString(),
                "--serial",
                "SN-0007",
                "--store",
                file().toString()));
        return Processes.start(command).waitFor();
    }

    @Test
    void diskThatIsFullFailsBeforeTheRegistryIsAsked() throws Exception {
        assertThat(registerWithFilesOf(0)).isEqualTo(4);

        assertThat(registry.requests()).isZero();
        assertThat(file()).doesNotExist();
    }

    @Test
    void diskThatFillsUpMeanwhileCostsNoCredential() throws Exception {
        assertThat(registerWithFilesOf(2)).isEqualTo(4);

        assertThat(registry.devices()).isEqualTo(1);
        assertThat(file()).doesNotExist();
        assertThat(directory.resolve("device.json.pending")).exists();

        DeviceClient later = device(); // there is room again; this registry gives no second credential
        later.register();
        assertThat(later.accessToken()).isNotEmpty();
        assertThat(registry.credentials("SN-0007")).isEqualTo(1);
    }

    @Test
    void processThatGoesOnKeepsTheCredentialUntilThereIsRoom() throws Exception {
        Path taken = directory.resolve("device.json.tmp/x");
        registry.with((request, path) -> {
            try {
                Files.createDirectories(taken);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
            return FaithfulRegistry.Fate.ANSWERED;
        });
        DeviceClient client = device();

        assertThatThrownBy(client::register).isInstanceOf(IOException.class);
        assertThatThrownBy(client::register).isInstanceOf(IOException.class);
        assertThat(client.identity()).isEmpty();
        Files.delete(taken);
        DeviceIdentity identity = client.register();

        assertThat(registry.requests()).isEqualTo(1);
        assertThat(CredentialStore.at(file()).load()).contains(identity);
        assertThat(directory.resolve("device.json.pending")).doesNotExist();
    }
}
