// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.Required;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.Processes.Ended;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The programs of {@code docs/devices}, as they stand there, against a registry. */
@Aside
class DevicesInOtherHandsIT {

    private static final Path DEVICES =
            Path.of(System.getProperty("muster.plugins"), "../../docs/devices").normalize();
    private static final String JOSE = "application/jose";

    @TempDir
    Path directory;

    private final RegistryUnderTest registry = SharedWorld.embedded();

    /** A program that keeps a secret. */
    enum Program {
        SHELL(RegistryUnderTest.JSON, "bash", "curl", "openssl") {
            @Override
            List<String> command(Path directory) {
                return List.of("bash", DEVICES.resolve("shell/device.sh").toString());
            }
        },
        NODE(JOSE, "node") {
            @Override
            List<String> command(Path directory) {
                return node(directory, "device.mjs");
            }
        },
        PYTHON(JOSE, "python3") {
            @Override
            List<String> command(Path directory) {
                Required.there(
                        run(directory, "python3", "-c", "import cryptography").status() == 0,
                        "Python has no package cryptography, without which replies are not sealed");
                return List.of("python3", DEVICES.resolve("python/device.py").toString());
            }
        },
        /** Without any package that is installed. */
        PYTHON_ALONE(RegistryUnderTest.JSON, "python3") {
            @Override
            List<String> command(Path directory) {
                return List.of(
                        "python3",
                        "-I",
                        "-S",
                        DEVICES.resolve("python/device.py").toString());
            }
        },
        C(RegistryUnderTest.JSON, "gcc") {
            @Override
            List<String> command(Path directory) throws IOException {
                Path probe = Files.writeString(
                        directory.resolve("probe.c"),
                        "#include <curl/curl.h>\n#include <openssl/rand.h>\nint main(void) { return 0; }\n");
                Required.there(
                        compiled(directory, probe, "probe").status() == 0,
                        "the headers of libcurl or OpenSSL are missing (libcurl4-openssl-dev)");
                Ended compiled = compiled(directory, DEVICES.resolve("c/device.c"), "device");
                assertThat(compiled.status()).as(compiled.all()).isZero();
                return List.of(directory.resolve("device").toString());
            }

            private Ended compiled(Path directory, Path source, String to) {
                return run(
                        directory,
                        "gcc",
                        "-std=c11",
                        "-Wall",
                        "-Wextra",
                        "-Werror",
                        "-O2",
                        "-o",
                        to,
                        source.toString(),
                        "-lcurl",
                        "-lcrypto");
            }
        };

        private final String typeOfReceipt;

        @SuppressWarnings("ImmutableEnumChecker") // nobody changes it
        private final String[] tools;

        Program(String typeOfReceipt, String... tools) {
            this.typeOfReceipt = typeOfReceipt;
            this.tools = tools;
        }

        /** Prepares the program, and returns the command that starts it. */
        abstract List<String> command(Path directory) throws IOException;
    }

    private static Ended run(Path directory, String... command) {
        return Processes.run(directory, Map.of(), List.of(command));
    }

    private static List<String> node(Path directory, String program) {
        Required.there(
                run(directory, "node", "-e", "process.exit(process.versions.node.split('.')[0] >= 18 ? 0 : 1)")
                                .status()
                        == 0,
                "node is older than 18");
        return List.of("node", DEVICES.resolve("node").resolve(program).toString());
    }

    private Ended start(List<String> command, String address, String serial, int attempts) {
        List<String> all = new ArrayList<>(command);
        all.addAll(List.of(address, serial, "identity", Integer.toString(attempts)));
        return Processes.run(directory, Map.of(), all);
    }

    private void assertStarted(Ended ended, String deviceId) throws IOException {
        assertThat(ended.status()).as(ended.all()).isZero();
        assertThat(Reply.json(ended.out().getBytes(StandardCharsets.UTF_8))
                        .path("deviceId")
                        .asText())
                .isEqualTo(deviceId);
        assertThat(ended.err()).contains("I am " + deviceId);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("identity"))))
                .isEqualTo("rw-------");
        assertThat(directory.resolve("identity.tmp")).doesNotExist();
    }

    @ParameterizedTest
    @EnumSource
    void registersOnceAsPatientlyAsItIsToldAndStartsFromItsFileFromThenOn(Program program) throws IOException {
        Required.programs(program.tools);
        List<String> command = program.command(directory);
        String serial = registry.expectedSerial();

        try (UnsteadyFront front = new UnsteadyFront(registry)) {
            Ended first = start(command, front.address(), serial, 5);
            Ended second = start(command, front.address(), serial, 5);

            String deviceId = registry.devicesOf(serial).get(0).path("deviceId").asText();
            assertStarted(first, deviceId);
            assertStarted(second, deviceId);
            assertThat(first.err()).contains("registered as " + deviceId);
            assertThat(second.err()).doesNotContain("registered");
            assertThat(front.registrations()).hasSize(2);
            assertThat(front.registrations().get(1) - front.registrations().get(0))
                    .isGreaterThanOrEqualTo(UnsteadyFront.RETRY_AFTER.toNanos());
            assertThat(front.typeOfReceipt()).isEqualTo(program.typeOfReceipt);
        }

        Ended alone = start(command, "http://127.0.0.1:1", serial, 1);
        assertThat(alone.status()).as(alone.all()).isEqualTo(3);
        assertThat(alone.err()).contains("I am ").doesNotContain("registered");
    }

    @ParameterizedTest
    @EnumSource
    void refusalEndsItAndAFileOfAnotherDeviceIsNeverRegisteredOver(Program program) throws IOException {
        Required.programs(program.tools);
        List<String> command = program.command(directory);
        String base = registry.base().toString().replaceAll("/$", "");

        Ended refused = start(command, base, "SN-\"nobody\"", 5);

        assertThat(refused.status()).as(refused.all()).isEqualTo(1);
        assertThat(refused.err()).contains("401", "registration-refused");
        assertThat(directory.resolve("identity")).doesNotExist();

        Files.writeString(directory.resolve("identity"), "{}\n");
        Ended other = start(command, base, registry.expectedSerial(), 5);

        assertThat(other.status()).as(other.all()).isEqualTo(4);
        assertThat(directory.resolve("identity")).hasContent("{}");
    }

    @Test
    void deviceWithAKeyOfItsOwnRegistersOnceAndAuthenticatesWithItsKey() throws IOException {
        Required.programs("node");
        assertThat(registry.get(".well-known/oauth-authorization-server").text())
                .contains("private_key_jwt");
        List<String> command = node(directory, "device-key.mjs");
        String serial = registry.expectedSerial();
        String base = registry.base().toString().replaceAll("/$", "");

        Ended first = start(command, base, serial, 5);
        Ended second = start(command, base, serial, 5);

        String deviceId = registry.devicesOf(serial).get(0).path("deviceId").asText();
        assertStarted(first, deviceId);
        assertStarted(second, deviceId);
        assertThat(first.err()).contains("registered as " + deviceId);
        assertThat(second.err()).doesNotContain("registered");
        assertThat(Reply.json(second.out().getBytes(StandardCharsets.UTF_8))
                        .at("/credentials/0/kind")
                        .asText())
                .isEqualTo("public-key");
    }

    @ParameterizedTest
    @CsvSource({
        "shell, shell/device.sh",
        "node, node/device.mjs",
        "node, node/device-key.mjs",
        "python, python/device.py",
        "c, c/device.c"
    })
    void pageShowsTheProgramAsItIs(String page, String program) throws IOException {
        assertThat(Files.readString(DEVICES.resolve(page + ".md")))
                .contains("\n" + Files.readString(DEVICES.resolve(program)) + "```\n");
    }
}
