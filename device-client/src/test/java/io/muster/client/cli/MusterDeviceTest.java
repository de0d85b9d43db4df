// SPDX-License-Identifier: Apache-2.0
package io.muster.client.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.client.ScriptedRegistry;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class MusterDeviceTest {

    @TempDir
    Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @AutoClose
    private final ScriptedRegistry registry = new ScriptedRegistry();

    private int run(String... args) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        return MusterDevice.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
    }

    private int register(String... more) {
        List<String> args = new ArrayList<>(
                List.of("register", "--registry", registry.uri().toString(), "--serial", "SN-0007", "--store", file()));
        args.addAll(List.of(more));
        return run(args.toArray(String[]::new));
    }

    private String file() {
        return directory.resolve("device.json").toString();
    }

    @Test
    void registersAndPrintsTheIdentityWithoutItsSecret() {
        registry.thenReceipt();

        assertThat(register()).isZero();

        assertThat(out.toString())
                .contains("deviceId: 0190b6f0a1b27c3d8e4f5a6b7c8d9e0f", "tags.serial: SN-0007", "name: Sensor 7")
                .doesNotContain(ScriptedRegistry.SECRET)
                .doesNotContain("AKEY");
        assertThat(err.toString()).contains("registered; saved in").doesNotContain(ScriptedRegistry.SECRET);
        assertThat(Path.of(file())).exists();
    }

    @Test
    void registeringAgainAsksNobodyAndIsNoError() {
        registry.thenReceipt();
        register();

        assertThat(register()).isZero();
        assertThat(err.toString()).contains("was registered before");
    }

    @Test
    void evidenceComesFromTheCommandLineOrAFile() throws Exception {
        Path file = Files.writeString(directory.resolve("proof"), "from a file\n");
        registry.thenReceipt();

        int code = register(
                "--fleet", "hall-b", "--evidence", "hmac=ab=cd", "--evidence", "jwt=@" + file, "--evidence", "at=@@x");

        assertThat(code).isZero();
        assertThat(registry.bodies())
                .singleElement()
                .asString()
                .contains("\"hmac\":\"ab=cd\"", "\"jwt\":\"from a file\"", "\"at\":\"@x\"");
    }

    @Test
    void evidenceFileThatIsMissingIsWrongUsage() {
        assertThat(register("--evidence", "jwt=@" + directory.resolve("none"))).isEqualTo(2);
        assertThat(err.toString()).contains("--evidence jwt");
    }

    @Test
    void certificateAndKeyGoTogetherAndMustBeReadable() throws Exception {
        Path file = Files.writeString(directory.resolve("some.pem"), "nothing");

        assertThat(register("--certificate", file.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("go together");
        assertThat(register("--key", file.toString())).isEqualTo(2);
        assertThat(register("--certificate", file.toString(), "--key", file.toString()))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--certificate, --key: ", "some.pem");
        assertThat(registry.bodies()).isEmpty();
    }

    @Test
    void serialMayBeginWithAnAtSign() {
        registry.thenReceipt();

        assertThat(run("register", "--registry", registry.uri().toString(), "--serial", "@SN7", "--store", file()))
                .isZero();
    }

    @Test
    void refusalIs1AndSaysWhy() {
        registry.then(
                400,
                "application/problem+json",
                "{\"type\":\"urn:muster:problem:invalid-request\",\"detail\":\"bad\\u001b[2J\",\"errors\":[{\"pointer\":\"#/serial\",\"detail\":\"short\"}]}");

        assertThat(register()).isEqualTo(1);
        assertThat(err.toString()).contains("HTTP 400 invalid-request", "bad?[2J", "#/serial: short");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void wrongUsageIs2() {
        assertThat(run()).isEqualTo(2);
        assertThat(run("fly")).isEqualTo(2);
        assertThat(run("register")).isEqualTo(2);
        assertThat(register("--give-up-after", "soon")).isEqualTo(2);
        assertThat(register("--give-up-after", "PT0S")).isEqualTo(2);
        assertThat(run("register", "--registry", "http://registry.example", "--serial", "SN-0007", "--store", file()))
                .isEqualTo(2);
        assertThat(err.toString()).contains("use https");
    }

    @Test
    void givingUpIs3AndSaysWhenToComeBack() {
        registry.thenStatus(503, "Retry-After", "3600");

        assertThat(register("--give-up-after", "PT30S")).isEqualTo(3);
        assertThat(err.toString()).contains("HTTP 503", "next attempt in PT1H");
    }

    @Test
    void missingAndDamagedStoreAre4() throws Exception {
        assertThat(run("show", "--store", file())).isEqualTo(4);
        assertThat(run("token", "--store", file())).isEqualTo(4);

        Files.writeString(Path.of(file()), "{\"secret\":\"abc");
        assertThat(run("show", "--store", file())).isEqualTo(4);
        assertThat(err.toString()).contains("cannot be used").doesNotContain("abc");
        assertThat(run("token", "--store", file())).isEqualTo(4);
        assertThat(register()).isEqualTo(4);
    }

    @Test
    void tokenPrintsTheTokenAndNothingElse() {
        registry.thenReceipt().thenToken("eyJ.the.token", 900);
        register();

        assertThat(run("token", "--store", file())).isZero();
        assertThat(out.toString()).isEqualTo("eyJ.the.token" + System.lineSeparator());
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void mqttPrintsWhatABrokerAsksForAndTheTopics() {
        registry.thenReceipt()
                .thenToken("eyJ.the.token", 900)
                .then(200, "application/json", "{\"topics\":{\"publish\":[\"a\",\"b\"],\"subscribe\":[\"c\"]}}")
                .thenToken("eyJ.another", 900)
                .then(200, "application/json", "{\"topics\":{\"publish\":[],\"subscribe\":[]}}");
        register();

        assertThat(run("mqtt", "--store", file())).isZero();
        assertThat(out.toString().lines())
                .containsExactly(
                        "clientId: 0190b6f0a1b27c3d8e4f5a6b7c8d9e0f",
                        "userName: AKEY0123456789abcdef",
                        "password: " + ScriptedRegistry.SECRET,
                        "publish: a",
                        "publish: b",
                        "subscribe: c");
        assertThat(run("mqtt", "--store", file(), "--token")).isZero();
        assertThat(out.toString()).contains("password: eyJ.another").doesNotContain(ScriptedRegistry.SECRET);
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void showPrintsTheSecretOnlyWhenAsked() {
        registry.thenReceipt();
        register();

        assertThat(run("show", "--store", file())).isZero();
        assertThat(out.toString()).contains("fleet: default").doesNotContain(ScriptedRegistry.SECRET, "AKEY");

        assertThat(run("show", "--store", file(), "--secret")).isZero();
        assertThat(out.toString()).contains("key: AKEY0123456789abcdef", "secret: " + ScriptedRegistry.SECRET);
    }

    @Test
    void showPrintsJson() {
        registry.thenReceipt();
        register();

        assertThat(run("show", "--store", file(), "--json")).isZero();
        assertThat(out.toString())
                .contains("\"temperature\" : 21.5", "\"indoor\" : true", "\"interval\" : \"PT30S\"")
                .doesNotContain(ScriptedRegistry.SECRET);

        assertThat(run("show", "--store", file(), "--json", "--secret")).isZero();
        assertThat(out.toString()).contains("\"secret\" : \"" + ScriptedRegistry.SECRET + "\"");
    }

    @Test
    void registersWithAKeyOfTheDeviceAndShowsNoneOfIt() throws Exception {
        registry.then(200, "application/json", "{\"nonce\":\"N-1\"}")
                .then(200, "application/json", "{\"deviceId\":\"d\",\"key\":\"AKEY7\"}");

        assertThat(register("--device-key")).isZero();

        assertThat(registry.bodies().get(1)).contains("\"publicKey\":{\"crv\":\"P-256\"", "\"proof\":\"ey");
        assertThat(run("show", "--store", file(), "--secret")).isZero();
        assertThat(out.toString()).contains("key: AKEY7").doesNotContain("secret", "privateKey");
    }

    @Test
    void kindOfTheKeyCanBeChosen() {
        registry.then(200, "application/json", "{\"nonce\":\"N-1\"}")
                .then(200, "application/json", "{\"deviceId\":\"d\",\"key\":\"AKEY7\"}");

        assertThat(register("--device-key=ED25519")).isZero();
        assertThat(registry.bodies().get(1)).contains("\"publicKey\":{\"crv\":\"Ed25519\"");
        assertThat(register("--device-key=RSA")).isEqualTo(2);
    }

    @Test
    void kindOfKeyMayBeWrittenInAnyCaseAndTheHelpHasThem() throws Exception {
        registry.then(200, "application/json", "{\"nonce\":\"N-1\"}")
                .then(200, "application/json", "{\"deviceId\":\"d\",\"key\":\"AKEY7\"}");

        assertThat(register("--device-key=Ed25519")).isZero();
        assertThat(registry.bodies().get(1)).contains("\"publicKey\":{\"crv\":\"Ed25519\"");
        for (String command : List.of("register", "rotate")) {
            out.getBuffer().setLength(0);
            assertThat(run(command, "--help")).isZero();
            assertThat(out.toString()).contains("P256").contains("ED25519");
        }
    }

    @Test
    void rotateReplacesTheCredentialAndPrintsNothingOfIt() throws Exception {
        assertThat(run("rotate", "--store", file())).isEqualTo(4);
        registry.thenReceipt()
                .then(200, "application/json", "{\"deviceId\":\"d\",\"key\":\"NEW\",\"secret\":\"new-secret\"}")
                .thenToken("token-2", 900);
        register();

        assertThat(run("rotate", "--store", file())).isZero();

        assertThat(out.toString()).isEmpty();
        assertThat(err.toString()).contains("rotated; saved in").doesNotContain("new-secret", "NEW");
        assertThat(Path.of(file())).content().contains("\"key\":\"NEW\"").doesNotContain(ScriptedRegistry.SECRET);
    }

    @Test
    void forgetWantsAYes() {
        registry.thenReceipt();
        register();

        assertThat(run("forget", "--store", file())).isEqualTo(2);
        assertThat(Path.of(file())).exists();

        assertThat(run("forget", "--store", file(), "--yes")).isZero();
        assertThat(Path.of(file())).doesNotExist();
        assertThat(run("forget", "--store", file(), "--yes")).isZero();
    }

    @Test
    void helpNamesEveryExitCode() {
        assertThat(run("--help")).isZero();
        assertThat(out.toString())
                .contains("0 ", "1 ", "2 ", "3 ", "4 ", "70", "register", "token", "mqtt", "rotate", "show", "forget");
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).matches("muster-device \\d\\S*\\s+");
    }

    @Test
    void statusAndClaimCodeAreForDisplays() {
        registry.thenReceipt()
                .thenToken("token-1", 900)
                .then(200, "application/json", "{\"owned\":true}")
                .thenToken("token-2", 900)
                .then(
                        201,
                        "application/json",
                        "{\"code\":\"7ZQ4-02HV\\u001b-N\",\"expiresAt\":\"2026-01-01T00:10:00Z\","
                                + "\"url\":\"https://registry.example/claim#7ZQ402HVN\"}")
                .thenToken("token-3", 900)
                .thenStatus(404);
        register();

        assertThat(run("status", "--store", file())).isZero();
        assertThat(out.toString().strip()).isEqualTo("owned: true");
        assertThat(run("claim-code", "--store", file())).isZero();
        assertThat(out.toString().lines())
                .containsExactly(
                        "code: 7ZQ4-02HV?-N",
                        "expiresAt: 2026-01-01T00:10:00Z",
                        "url: https://registry.example/claim#7ZQ402HVN");
        assertThat(run("claim-code", "--store", file())).isEqualTo(1);
        assertThat(run("status", "--store", directory.resolve("none").toString()))
                .isEqualTo(4);
    }
}
