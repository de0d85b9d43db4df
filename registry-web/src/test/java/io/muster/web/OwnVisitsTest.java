// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The requests of the warm-up to its own process. */
class OwnVisitsTest {

    private static final String PORT = "launcher.http-port";

    private final List<String> asked = new CopyOnWriteArrayList<>();
    private HttpServer server;

    @BeforeEach
    void listen() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            asked.add((exchange.getRequestMethod() + " " + exchange.getRequestURI() + " " + body).strip()
                    + (exchange.getRequestHeaders().containsKey("Authorization") ? " authorized" : ""));
            exchange.sendResponseHeaders(body.isEmpty() ? 200 : 400, -1);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        System.clearProperty(PORT);
        server.stop(0);
    }

    /** None of these reaches a limit, the database or the record of decisions. */
    @Test
    void asksForTheKeySetAndWhatIsMalformedAndShowsNoCredential() {
        System.setProperty(PORT, String.valueOf(server.getAddress().getPort()));

        new OwnVisits("/root").run();

        assertThat(asked)
                .containsExactly(
                        "GET /root/.well-known/jwks.json",
                        "POST /root/register {\"warmUp\": true}",
                        "POST /root/token grant_type=warm_up");
    }

    @Test
    void asksNothingWhereNobodySaysAtWhichPort() {
        new OwnVisits("").run();

        assertThat(asked).isEmpty();
    }

    @Test
    void asksNoMoreOnceNobodyAnswers() throws Exception {
        System.setProperty(PORT, String.valueOf(server.getAddress().getPort()));
        server.stop(0);
        OwnVisits visits = new OwnVisits("");

        assertThatCode(visits::run).doesNotThrowAnyException();

        HttpServer later = HttpServer.create(server.getAddress(), 0);
        later.createContext("/", exchange -> asked.add("again"));
        later.start();
        try {
            visits.run();
            assertThat(asked).isEmpty();
        } finally {
            later.stop(0);
        }
    }
}
