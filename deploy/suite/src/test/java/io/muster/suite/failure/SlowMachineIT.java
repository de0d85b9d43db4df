// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tenth of a processor is enough, if one has the time. */
@Tag("extended")
@Aside
@Order(4)
class SlowMachineIT {

    /** Stops the process for nine tenths of the time, until it has ended. */
    private static final String A_TENTH =
            "exec {never}<> <(:); while kill -STOP $0 2> /dev/null; do read -t 0.09 -u $never;"
                    + " kill -CONT $0; read -t 0.01 -u $never; done";

    private static final Duration PATIENCE = Duration.ofMinutes(8);

    @Test
    void embeddedDatabaseOpensOnAMachineThatGivesATenthOfAProcessor(@TempDir Path directory) throws Exception {
        int port = SharedWorld.unusedPort();
        Path log = directory.resolve("log");
        ProcessBuilder java = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx400m",
                        "-XX:TieredStopAtLevel=1",
                        "-jar",
                        System.getProperty("muster.jar"),
                        "--port",
                        Integer.toString(port)))
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        java.environment().keySet().removeIf(name -> name.startsWith("MUSTER_") || name.startsWith("JAVA_"));
        java.environment().put("MUSTER_WARM_UP", "PT0S");
        Process registry = java.start();
        Process brake = new ProcessBuilder("bash", "-c", A_TENTH, Long.toString(registry.pid())).start();
        try {
            Within.within(PATIENCE, "ready", () -> isReady(port) || !registry.isAlive());

            assertThat(registry.isAlive()).as(Files.readString(log)).isTrue();
            assertThat(Files.readString(log)).doesNotContain("not there yet", "ERROR", "SEVERE");
        } finally {
            brake.destroy();
            brake.waitFor(10, TimeUnit.SECONDS);
            registry.destroyForcibly();
            registry.waitFor(10, TimeUnit.SECONDS);
        }
    }

    private static boolean isReady(int port) {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/health/ready"))
                .timeout(Duration.ofSeconds(20))
                .build();
        try {
            return HttpClient.newHttpClient()
                            .send(request, BodyHandlers.discarding())
                            .statusCode()
                    == 200;
        } catch (IOException notYet) {
            return false;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
