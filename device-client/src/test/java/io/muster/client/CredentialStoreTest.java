// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class CredentialStoreTest {

    private static final DeviceIdentity IDENTITY = new DeviceIdentity(
            URI.create("https://registry.example/muster"),
            "SN-0007",
            "0190b6f0a1b27c3d8e4f5a6b7c8d9e0f",
            "AKEY0123456789abcdef",
            "the-secret-\"Ünïcödé\"",
            "default",
            "Sensor 7",
            Map.of("serial", "SN-0007"),
            Map.of("floor", 3, "indoor", true, "room", "B"),
            Map.of("interval", "PT30S"),
            Instant.parse("2026-11-24T00:00:00Z"),
            Map.of("token", "https://registry.example/token"));

    @TempDir
    Path directory;

    private Path file() {
        return directory.resolve("device.json");
    }

    private CredentialStore store() {
        return CredentialStore.at(file());
    }

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    @Test
    void emptyStoreHasNoIdentity() throws Exception {
        assertThat(store().load()).isEmpty();
        assertThat(CredentialStore.at(directory.resolve("none/device.json")).load())
                .isEmpty();
    }

    @Test
    void whatWasSavedIsLoaded() throws Exception {
        store().save(StoreContent.of(IDENTITY));

        assertThat(store().load()).contains(IDENTITY);
    }

    @Test
    void savingReplacesAndLeavesNothingBehind() throws Exception {
        store().save(StoreContent.of(Processes.Save.identity(1)));
        store().save(StoreContent.of(IDENTITY));

        assertThat(store().load()).contains(IDENTITY);
        assertThat(directory).isDirectoryContaining(path -> path.equals(file()));
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void fileIsForItsOwnerOnly() throws Exception {
        store().save(StoreContent.of(IDENTITY));

        assertThat(permissions(file())).isEqualTo("rw-------");
    }

    @Test
    void directoryThatHasToBeMadeIsForItsOwnerOnly() throws Exception {
        Path made = directory.resolve("a/b");

        CredentialStore.at(made.resolve("device.json"))
                .lock(new FakeTime(), Duration.ZERO)
                .orElseThrow()
                .close();

        assertThat(permissions(made)).isEqualTo("rwx------");
        assertThat(permissions(made.getParent())).isEqualTo("rwx------");
        assertThat(permissions(made.resolve("device.json.lock"))).isEqualTo("rw-------");
    }

    @Test
    void fileThatOthersCanReadIsClosedToThem() throws Exception {
        store().save(StoreContent.of(IDENTITY));
        Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("rw-r--r--"));

        assertThat(store().load()).contains(IDENTITY);
        assertThat(permissions(file())).isEqualTo("rw-------");
    }

    @Test
    void leftoverOfACrashIsHarmless() throws Exception {
        Path leftover = directory.resolve("device.json.tmp");
        Files.writeString(leftover, "{\"half\":");
        Files.setPosixFilePermissions(leftover, PosixFilePermissions.fromString("rw-rw-rw-"));

        assertThat(store().load()).isEmpty();
        store().save(StoreContent.of(IDENTITY));

        assertThat(store().load()).contains(IDENTITY);
        assertThat(permissions(file())).isEqualTo("rw-------");
        assertThat(leftover).doesNotExist();
    }

    @Test
    void leftoverDoesNotHideTheGoodFile() throws Exception {
        store().save(StoreContent.of(IDENTITY));
        Files.writeString(directory.resolve("device.json.tmp"), "");

        assertThat(store().load()).contains(IDENTITY);
    }

    @Test
    void fileCutOffAnywhereIsAClearErrorAndIsLeftAlone() throws Exception {
        store().save(StoreContent.of(IDENTITY));
        byte[] whole = Files.readAllBytes(file());

        for (int length = 0; length < whole.length - 1; length++) { // the last byte is a line feed
            byte[] part = Arrays.copyOf(whole, length);
            Files.write(file(), part);

            assertThatThrownBy(() -> store().load())
                    .as("cut to %d bytes", length)
                    .isInstanceOf(CredentialStore.UnusableException.class)
                    .hasMessageContaining("device.json")
                    .hasNoCause()
                    .message()
                    .doesNotContain("the-secret", "AKEY");
            assertThat(Files.readAllBytes(file())).isEqualTo(part);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\0\0\0\0\0\0\0\0",
                "[]",
                "{}",
                "the-secret",
                "{\"format\":3,\"registry\":\"https://r\",\"serial\":\"s\",\"deviceId\":\"d\",\"key\":\"k\",\"secret\":\"x\"}",
                "{\"format\":1,\"registry\":\"h ttp\",\"serial\":\"s\",\"deviceId\":\"d\",\"key\":\"k\",\"secret\":\"x\"}",
                "{\"format\":1,\"registry\":\"https://r\",\"deviceId\":\"d\",\"key\":\"k\",\"secret\":\"x\"}",
                "{\"format\":1,\"registry\":\"https://r\",\"serial\":\"s\",\"deviceId\":\"d\",\"key\":\"k\",\"secret\":7}",
                "{\"format\":1,\"registry\":\"https://r\",\"serial\":\"s\",\"deviceId\":\"d\",\"key\":\"k\",\"secret\":\"x\"}}"
            })
    void whatIsNotAnIdentityIsAClearError(String content) throws Exception {
        Files.writeString(file(), content);

        assertThatThrownBy(() -> store().load())
                .isInstanceOf(CredentialStore.UnusableException.class)
                .message()
                .contains("device.json cannot be used: ")
                .doesNotContain("the-secret");
    }

    @Test
    void directoryInPlaceOfTheFileIsAClearError() throws Exception {
        Files.createDirectory(file());

        assertThatThrownBy(() -> store().load()).isInstanceOf(CredentialStore.UnusableException.class);
    }

    @Test
    void killedWriterLeavesTheOldOrTheNewIdentity() throws Exception {
        for (int round = 0; round < 5; round++) {
            Process writer = Processes.start(Processes.Save.class, file().toString());
            try (BufferedReader saved = writer.inputReader()) {
                String read = "";
                for (int line = 0; line < 20 + 7 * round; line++) {
                    read = saved.readLine();
                }
                writer.toHandle().destroyForcibly(); // not the process: that would close the pipe
                writer.waitFor();

                int last = Integer.parseInt(saved.lines().reduce(read, (before, after) -> after));
                DeviceIdentity found = store().load().orElseThrow();
                int number = Integer.parseInt(found.deviceId().substring("device".length()));
                assertThat(found).isEqualTo(Processes.Save.identity(number));
                assertThat(number).isBetween(last, last + 1);
                assertThat(permissions(file())).isEqualTo("rw-------");
            }
        }
    }

    @Test
    void lockIsHeldByOneAtATimeAndWaitingForItEnds() throws Exception {
        FakeTime time = new FakeTime();
        CredentialStore.Lock first = store().lock(time, Duration.ZERO).orElseThrow();

        Optional<CredentialStore.Lock> second = store().lock(time, Duration.ofSeconds(1));
        assertThat(second).isEmpty();
        assertThat(time.sleeps()).hasSize(10);

        first.close();
        store().lock(time, Duration.ZERO).orElseThrow().close();
    }

    @Test
    void threadThatDoesNotGetTheLockDoesNotGiveItToOtherProcessesEither() throws Exception {
        CredentialStore.Lock first = store().lock(new FakeTime(), Duration.ZERO).orElseThrow();

        assertThat(store().lock(new FakeTime(), Duration.ZERO)).isEmpty();
        assertThat(Processes.output(Processes.start(Processes.TryLock.class, file().toString())))
                .isEqualTo("held by another");

        first.close();
        assertThat(Processes.output(Processes.start(Processes.TryLock.class, file().toString())))
                .isEqualTo("had");
    }

    @Test
    void sameFileByAnotherNameIsTheSameLock() throws Exception {
        Path link =
                Files.createSymbolicLink(directory.resolve("link"), Files.createDirectory(directory.resolve("real")));
        CredentialStore.Lock first = CredentialStore.at(directory.resolve("real/device.json"))
                .lock(new FakeTime(), Duration.ZERO)
                .orElseThrow();

        assertThat(CredentialStore.at(link.resolve("../real/device.json")).lock(new FakeTime(), Duration.ZERO))
                .isEmpty();
        first.close();
    }

    @Test
    void interruptedThreadReadsTheStoreAllTheSame() throws Exception {
        store().save(StoreContent.of(IDENTITY));
        Thread.currentThread().interrupt();
        try {
            assertThat(store().load()).contains(IDENTITY);
        } finally {
            Thread.interrupted();
        }
    }

    @Test
    void forgettingDeletesDamagedContentAndLeftoversToo() throws Exception {
        Files.writeString(file(), "damaged");
        Files.writeString(directory.resolve("device.json.tmp"), "half");

        assertThat(store().forget()).isTrue();
        assertThat(store().forget()).isFalse();
        assertThat(directory).isEmptyDirectory();
        assertThatCode(() -> CredentialStore.at(directory.resolve("none/device.json"))
                        .forget())
                .doesNotThrowAnyException();
    }
}
