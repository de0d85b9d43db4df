// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.SharedWorld;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

/** A list that the registry writes while it reads the database says that it is incomplete if the database goes away. */
@Tag("extended")
@Aside
@Order(6)
@ResourceLock("SharedWorld.disposable")
class CutListIT {

    private static final int SERIALS = 20_000;

    private final RegistryUnderTest registry = SharedWorld.disposable().registry();

    @Test
    void listOfCodesThatBreaksOffSaysSo() throws Exception {
        String fleet = "f-cut";
        String document = "{\"verifiers\":[\"database\"],\"claims\":{\"users\":[\"customers\"],\"by\":[\"code\"]}}";
        registry.send(
                "PUT",
                "api/v1/fleets/" + fleet,
                document.getBytes(StandardCharsets.UTF_8),
                "Authorization",
                "Bearer " + registry.operatorToken(),
                "Content-Type",
                "application/json");
        registry.load(
                fleet,
                "text/csv",
                IntStream.range(0, SERIALS)
                        .mapToObj("SN-%05d,L-1"::formatted)
                        .collect(Collectors.joining("\n", "serial,lot\n", "\n"))
                        .getBytes(StandardCharsets.UTF_8));
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create(registry.base() + "api/v1/fleets/" + fleet + "/claim-codes"))
                .header("Authorization", "Bearer " + registry.operatorToken())
                .header("Content-Type", "application/json")
                .header("Accept", "text/csv")
                .POST(HttpRequest.BodyPublishers.ofString("{\"lot\":\"L-1\"}"))
                .build();

        HttpResponse<InputStream> response =
                HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream body = response.body()) {
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(new String(body.readNBytes(15), StandardCharsets.UTF_8)).isEqualTo("serial,code,url");
            SharedWorld.disposable().mariaDb().kill();
            String rest = new String(body.readAllBytes(), StandardCharsets.UTF_8);
            assertThat(rest.lines().count()).isLessThan(SERIALS);
            assertThat(rest).endsWith("\r\nTHIS LIST IS INCOMPLETE,REQUEST IT AGAIN,\r\n");
        } finally {
            SharedWorld.disposable().mariaDb().restart();
        }
        within(
                Duration.ofSeconds(30),
                "ready again",
                () -> registry.get("health/ready").status() == 200);
    }
}
