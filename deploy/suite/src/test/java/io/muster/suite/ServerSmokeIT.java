package io.muster.suite;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.server.MusterServer;
import io.muster.suite.server.ServerSettings;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("portable")
class ServerSmokeIT {

    @TempDir
    Path directory;

    @Test
    void isReadyAgainAfterItWasKilledAndAfterItWasStopped() throws Exception {
        try (MusterServer server = MusterServer.start(ServerSettings.in(directory))) {
            assertThat(ready(server)).isEqualTo(200);

            server.kill();
            server.restart();

            assertThat(ready(server)).isEqualTo(200);

            server.stop();
            server.restart();

            assertThat(ready(server)).isEqualTo(200);
        }
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
