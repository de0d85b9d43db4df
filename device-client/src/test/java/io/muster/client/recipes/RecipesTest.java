// SPDX-License-Identifier: Apache-2.0
package io.muster.client.recipes;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.client.ScriptedRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The recipes of docs/device-client.md run, and are shown there unchanged. */
@Timeout(30)
class RecipesTest {

    @TempDir
    Path directory;

    @AutoClose
    private final ScriptedRegistry registry = new ScriptedRegistry().thenReceipt();

    private String url() {
        return registry.uri().toString();
    }

    private String file() {
        return directory.resolve("device.json").toString();
    }

    @Test
    void devicesRegisterOnceAndCallApis() throws Exception {
        registry.thenToken("the-token", 900).then(200, "text/plain", "hello");

        RegisterOnce.main(new String[] {url(), "SN-0007", file()});
        CallAnApi.main(new String[] {file(), url() + "/api"});

        assertThat(registry.bodies()).hasSize(3);
    }

    @Test
    void devicesProveThemselves() throws Exception {
        ProveWithHmac.main(new String[] {url(), "SN-0007", file(), "00ff"});

        assertThat(registry.bodies()).singleElement().asString().contains("\"evidence\":{\"hmac\":\"");
    }

    @Test
    void fleetsStartTogether() throws Exception {
        registry.thenToken("the-token", 900);

        StartWithTheFleet.main(new String[] {url(), "SN-0007", file(), "1"});

        assertThat(registry.bodies()).hasSize(2);
    }

    @Test
    void devicesRegisterWithTheirOwnKey() throws Exception {
        try (ScriptedRegistry keys = new ScriptedRegistry()
                .then(200, "application/json", "{\"nonce\":\"N-1\"}")
                .then(200, "application/json", "{\"deviceId\":\"d\",\"key\":\"k\"}")) {

            RegisterWithKey.main(new String[] {keys.uri().toString(), "SN-0007", file()});

            assertThat(keys.bodies().get(1)).contains("\"publicKey\"");
        }
    }

    @Test
    void devicesRotateCallApisAndConnectToBrokers() throws Exception {
        registry.then(200, "application/json", "{\"deviceId\":\"d\",\"key\":\"k\",\"secret\":\"new\"}")
                .thenToken("token-2", 900)
                .thenToken("token-3", 900)
                .then(200, "text/plain", "hello")
                .thenToken("token-4", 900)
                .then(200, "application/json", "{\"topics\":{\"publish\":[\"a\"],\"subscribe\":[]}}");
        RegisterOnce.main(new String[] {url(), "SN-0007", file()});

        Rotate.main(new String[] {file()});
        CallAnApiWithTokenSource.main(new String[] {file(), url() + "/api"});
        MqttUserAndPassword.main(new String[] {file()});

        assertThat(registry.bodies()).hasSize(7);
    }

    @Test
    void devicesShowACodeUntilSomebodyOwnsThem() throws Exception {
        registry.thenToken("token-1", 900)
                .then(200, "application/json", "{\"owned\":false}")
                .then(
                        201,
                        "application/json",
                        "{\"code\":\"7ZQ4-02HV-N\",\"expiresAt\":\"2026-01-01T00:10:00Z\",\"url\":\"https://r/claim#7\"}")
                .thenToken("token-2", 900)
                .then(200, "application/json", "{\"owned\":true}");
        RegisterOnce.main(new String[] {url(), "SN-0007", file()});

        ShowClaimCode.main(new String[] {file()});
        ShowClaimCode.main(new String[] {file()});

        assertThat(registry.bodies()).hasSize(6);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "RegisterOnce",
                "CallAnApi",
                "CallAnApiWithTokenSource",
                "MqttUserAndPassword",
                "MqttWithHiveMqClient",
                "ProveWithHmac",
                "ProveWithCertificate",
                "RegisterWithKey",
                "Rotate",
                "ShowClaimCode",
                "StartWithTheFleet"
            })
    void pageShowsTheRecipeAsItIsCompiled(String recipe) throws Exception {
        List<String> source = Files.readAllLines(Path.of("src/test/java/io/muster/client/recipes", recipe + ".java"));
        List<String> stripped = source.stream().map(String::strip).toList();
        int from = stripped.indexOf("// tag::recipe") + 1;
        String snippet = String.join("\n", source.subList(from, stripped.indexOf("// end::recipe")))
                .stripIndent();

        assertThat(Path.of("../docs/device-client.md")).content().contains(snippet);
    }
}
