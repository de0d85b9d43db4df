// SPDX-License-Identifier: Apache-2.0
package io.muster.install;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The rules that the container file keeps, read from its instructions. */
class ContainerfileTest {

    private List<String> instructions;

    @BeforeEach
    void read() throws IOException {
        String file = Files.readString(Repository.file("deploy/container/Containerfile"));
        instructions = file.replaceAll("\\\\\n", "")
                .lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                .toList();
    }

    @Test
    void theImageBelowIsAShortNameThatTheUserCanReplace() {
        assertThat(instructions.get(1)).isEqualTo("FROM ${BASE}");
        String base = only("ARG").substring("BASE=".length());
        // A host would have a dot or a port before the first slash.
        assertThat(base).matches("[a-z0-9-]+:[a-z0-9-]+");
    }

    @Test
    void theProcessIsAUserByNumberAndNotRoot() {
        assertThat(only("USER")).matches("[1-9][0-9]{3,}:[1-9][0-9]{3,}");
        String last = instructions.get(instructions.size() - 1);
        assertThat(last).startsWith("ENTRYPOINT");
        assertThat(only("RUN")).contains("-m 0700 /var/lib/muster");
    }

    @Test
    void nothingButTheJarIsCopied() {
        assertThat(only("COPY")).isEqualTo("muster.jar /opt/muster/muster.jar");
        assertThat(only("ENV")).isEqualTo("MUSTER_DATA_DIR=/var/lib/muster MUSTER_HTTP_ADDRESS=0.0.0.0");
    }

    @Test
    void theHealthCheckIsAClassOfTheJar() throws IOException {
        String check = only("HEALTHCHECK");
        JsonNode words = new ObjectMapper().readTree(check.substring(check.indexOf('[')));
        assertThat(words.get(0).asText()).isEqualTo("java");
        String type = words.get(words.size() - 1).asText();
        assertThat(Repository.file("deploy/micro/src/main/java/" + type.replace('.', '/') + ".java"))
                .exists();
    }

    @Test
    void signalsReachTheRegistryBecauseNoShellStandsBefore() throws IOException {
        JsonNode words = new ObjectMapper().readTree(only("ENTRYPOINT"));
        assertThat(words.get(0).asText()).isEqualTo("java");
        assertThat(words.get(words.size() - 1).asText()).isEqualTo("/opt/muster/muster.jar");
        assertThat(only("STOPSIGNAL")).isEqualTo("SIGTERM");
    }

    private String only(String instruction) {
        List<String> found = instructions.stream()
                .filter(line -> line.startsWith(instruction + " "))
                .toList();
        assertThat(found).as(instruction).hasSize(1);
        return found.get(0).substring(instruction.length() + 1);
    }
}
