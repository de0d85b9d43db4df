// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.Processes.Ended;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The record is exported and verified, as an auditor does it. */
@Tag("portable")
class RecordIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();

    @TempDir
    Path directory;

    private Reply get(String path) {
        Reply reply = registry.get("api/v1/" + path, registry.asOperator());
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply;
    }

    private Path file(String name, String text) throws IOException {
        return Files.writeString(directory.resolve(name), text);
    }

    private Ended verify(Path file) throws IOException {
        Path keys = file("keys.json", registry.get(".well-known/seal-keys.json").text());
        return Processes.java(
                directory,
                Map.of(),
                List.of(
                        "-jar",
                        System.getProperty("muster-command.jar"),
                        "audit",
                        "verify",
                        file.toString(),
                        "--keys",
                        keys.toString()));
    }

    private void waitForSealOf(String record) {
        within(
                LIMIT,
                record + " is sealed",
                () -> registry.get("api/v1/audit/records/" + record + "/receipt", registry.asOperator())
                                .status()
                        == 200);
    }

    private void change(Registered device, String method, String body) {
        List<String> headers = new ArrayList<>(List.of(registry.asOperator()));
        headers.addAll(List.of("Content-Type", "application/merge-patch+json"));
        Reply reply = registry.send(
                method,
                "api/v1/devices/" + device.deviceId(),
                body == null ? null : body.getBytes(StandardCharsets.UTF_8),
                headers.toArray(String[]::new));
        assertThat(reply.status()).as(reply.toString()).isIn(200, 204);
    }

    private String newestEvent(Registered device) {
        return get("devices/" + device.deviceId() + "/events?limit=1")
                .json()
                .path("events")
                .path(0)
                .path("id")
                .asText();
    }

    @Test
    void exportIsVerifiedWithoutTheRegistryAndOneChangedByteHasTheNameOfItsRecord() throws IOException {
        Registered device = registry.newDevice();
        change(device, "PATCH", "{\"name\":\"Boiler seven\"}");
        String changed = newestEvent(device);
        waitForSealOf(device.key());
        waitForSealOf(changed);
        String receipt = get("audit/records/" + changed + "/receipt").text();
        long seal = get("audit/records/" + device.key() + "/receipt")
                .json()
                .path("inSeal")
                .asLong();
        assertThat(get("audit/seals/" + seal).json().path("number").asLong()).isEqualTo(seal);
        assertThat(get("audit/seals?limit=1")
                        .json()
                        .path("seals")
                        .path(0)
                        .path("number")
                        .asLong())
                .isGreaterThanOrEqualTo(seal);

        String export = get("audit/export?from=" + seal).text();
        Ended intact = verify(file("export.ndjson", export));
        assertThat(intact.status()).as(intact.all()).isZero();
        assertThat(intact.out()).contains("seals " + seal + " to ").contains(": intact");
        assertThat(export).contains("Boiler seven");

        Ended other = verify(file("changed.ndjson", export.replace("Boiler seven", "Boiler Seven")));
        assertThat(other.status()).isEqualTo(1);
        assertThat(other.out().lines().findFirst().orElseThrow())
                .startsWith("seal ")
                .endsWith("record " + changed + ": changed");

        assertThat(verify(file("receipt.json", receipt)).status()).isZero();
        assertThat(verify(file("forged.json", receipt.replace("seven", "Seven")))
                        .status())
                .isEqualTo(1);
    }

    @Test
    void requestsForNothingAreProblems() {
        String[] operator = registry.asOperator();
        assertProblem(registry.get("api/v1/audit/seals/999999999999", operator), 404, "not-found");
        assertProblem(registry.get("api/v1/audit/seals/none", operator), 404, "not-found");
        assertProblem(registry.get("api/v1/audit/records/none/receipt", operator), 404, "not-found");
        assertProblem(registry.get("api/v1/audit/export?from=0&to=x", operator), 400, "invalid-request");
        assertProblem(registry.get("api/v1/audit/export"), 401, "unauthorized");
        assertThat(get("audit/export?from=999999999999").text().strip()).isEqualTo("{\"end\":0}");
    }
}
