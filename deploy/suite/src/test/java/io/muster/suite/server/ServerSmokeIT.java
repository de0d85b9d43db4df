// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Aside
@Tag("portable")
@Tag("extended")
class ServerSmokeIT {

    @TempDir
    Path directory;

    @Test
    void isReadyAgainAfterItWasKilledAndAfterItWasStoppedAndThenHasTheOperatorThatAFileAskedFor() throws Exception {
        try (MusterServer server = MusterServer.start(ServerSettings.in(directory))) {
            assertThat(ready(server)).isEqualTo(200);

            server.kill();
            server.restart();

            assertThat(ready(server)).isEqualTo(200);

            server.stop();
            documented(server, "echo ");
            server.restart();

            assertThat(ready(server)).isEqualTo(200);
            String token = documented(server, "cat ").strip();
            Reply operators =
                    new RegistryUnderTest(server, token).get("api/v1/operators", RegistryUnderTest.bearer(token));
            assertThat(operators.status()).as(operators.toString()).isEqualTo(200);
            assertThat(operators.json().path("operators").findValuesAsText("name"))
                    .containsExactlyInAnyOrder("first", "alice");
            assertThat(server.dataDir().resolve("new-operator")).doesNotExist();
            assertThat(Files.readString(server.log())).doesNotContain(token);
        }
    }

    /** Runs the line with this beginning from {@code docs/deploying.md}, for an operator who lost every token. */
    private String documented(MusterServer server, String beginning) throws IOException {
        Path page = Path.of(System.getProperty("basedir", ""), "../../docs/deploying.md");
        String section = Files.readString(page).split("## If every operator token is lost", 2)[1];
        String line = section.lines()
                .filter(each -> each.startsWith(beginning))
                .findFirst()
                .orElseThrow()
                .replace("/var/lib/muster", server.dataDir().toString());
        Processes.Ended ended = Processes.run(directory, Map.of(), List.of("bash", "-c", line));
        assertThat(ended.status()).as(line + ended.all()).isZero();
        return ended.out();
    }

    private static int ready(MusterServer server) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(server.base().resolve("health/ready"))
                                .build(),
                        HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }
}
