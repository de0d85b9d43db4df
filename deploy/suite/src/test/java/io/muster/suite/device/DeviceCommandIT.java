// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.client.DeviceClient;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.Processes.Ended;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code muster-device}, as a process of its own, against a registry. */
class DeviceCommandIT {

    @TempDir
    Path directory;

    private final RegistryUnderTest registry = SharedWorld.embedded();

    private Ended device(String... arguments) {
        List<String> all = new ArrayList<>(List.of("-jar", System.getProperty("muster-device.jar")));
        all.addAll(List.of(arguments));
        return Processes.java(directory, Map.of(), all);
    }

    private Ended register(String serial) {
        return device(
                "register", "--registry", registry.base().toString(), "--serial", serial, "--give-up-after", "PT20S");
    }

    @Test
    void registersOnceShowsWhoItIsAndGetsATokenThatIsGood() {
        String serial = registry.expectedSerial();

        Ended registered = register(serial);
        Ended again = register(serial);
        Ended shown = device("show", "--json");
        Ended token = device("token");

        assertThat(registered.status()).as(registered.all()).isZero();
        assertThat(again.status()).as(again.all()).isZero();
        assertThat(again.err()).contains("was registered before");
        assertThat(again.out()).isEqualTo(registered.out());
        JsonNode identity = Reply.json(shown.out().getBytes(StandardCharsets.UTF_8));
        assertThat(identity.path("serial").asText()).isEqualTo(serial);
        assertThat(identity.has("secret")).isFalse();
        assertThat(token.status()).as(token.all()).isZero();
        JsonNode active = registry.introspect(token.out().strip()).json();
        assertThat(active.path("sub").asText())
                .isEqualTo(identity.path("deviceId").asText());
    }

    @Test
    void renewsASecretByItselfAndByAKeyThenTheKey() {
        String serial = registry.expectedSerial();
        String issuer = registry.get(".well-known/oauth-authorization-server")
                .json()
                .path("issuer")
                .asText();
        String base = registry.base().toString();
        Ended registered = device("register", "--registry", base, "--serial", serial, "--audience", issuer);
        assertThat(registered.status()).as(registered.all()).isZero();

        for (String[] rotate : new String[][] {
            {"rotate", "--give-up-after", "PT20S"},
            {"rotate", "--device-key=p256", "--give-up-after", "PT20S"},
            {"rotate", "--give-up-after", "PT20S"}
        }) {
            Ended rotated = device(rotate);
            assertThat(rotated.status()).as(rotated.all()).isZero();
        }

        assertThat(registry.isActive(device("token").out().strip())).isTrue();
        JsonNode shown = Reply.json(device("show", "--json").out().getBytes(StandardCharsets.UTF_8));
        List<String> kinds = new ArrayList<>();
        registry.get("api/v1/devices/" + shown.path("deviceId").asText(), registry.asOperator())
                .json()
                .path("credentials")
                .forEach(credential -> kinds.add(credential.path("kind").asText()));
        assertThat(kinds).containsExactly("secret", "secret", "public-key", "public-key");
    }

    @Test
    void refusalEndsItWithOneAndWithoutRepetition() {
        Ended refused = register("SN-nobody");

        assertThat(refused.status()).as(refused.all()).isEqualTo(1);
        assertThat(refused.err()).contains("401", "registration-refused").doesNotContain("\tat ");
        assertThat(device("token").status()).isEqualTo(4);
    }

    /** The promise of docs/device-client.md about the library, which is the jar without the command. */
    @Test
    void libraryHasAboutAHundredKilobytes() throws Exception {
        Path jar = Path.of(DeviceClient.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());

        assertThat(jar).isRegularFile();
        assertThat(Files.size(jar)).as(jar.toString()).isLessThan(105_000);
    }
}
