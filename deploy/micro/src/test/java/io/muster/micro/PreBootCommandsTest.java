// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class PreBootCommandsTest {

    private final List<String> commands = commands();

    @Test
    void bothListenersHaveTheAddressOfTheLauncher() {
        for (String listener : List.of("http-listener", "https-listener")) {
            assertThat(commands)
                    .contains("set configs.config.server-config.network-config.network-listeners.network-listener."
                            + listener + ".address=${launcher.http-address}");
        }
    }

    @Test
    void whatIsSetForOneProtocolIsSetForTheOther() {
        List<String> http = ofProtocol("http-listener");
        List<String> https = ofProtocol("https-listener");

        assertThat(http).containsAll(https);
        assertThat(https)
                .containsAll(http.stream()
                        .filter(setting -> !setting.startsWith("http2-enabled="))
                        .toList());
    }

    /** A larger body than this is the registry's to refuse, an import among them. */
    @Test
    void serverSetsNoLimitToABody() {
        assertThat(commands).noneMatch(command -> command.contains("max-post-size"));
    }

    private List<String> ofProtocol(String name) {
        String prefix = "set configs.config.server-config.network-config.protocols.protocol." + name + ".http.";
        return commands.stream()
                .filter(command -> command.startsWith(prefix))
                .map(command -> command.substring(prefix.length()))
                .toList();
    }

    private static List<String> commands() {
        try (InputStream in = PreBootCommandsTest.class.getResourceAsStream("/MICRO-INF/pre-boot-commands.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .toList();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
