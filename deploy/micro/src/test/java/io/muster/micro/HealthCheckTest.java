// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HealthCheckTest {

    private HttpServer server;
    private int status;

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/health/ready", exchange -> {
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void aRegistryThatIsReadyHasNoFault() {
        status = 200;
        assertThat(HealthCheck.fault(ready())).isNull();
    }

    @Test
    void aRegistryThatIsNotReadyIsAFaultThatSaysWhatItAnswered() {
        status = 503;
        assertThat(HealthCheck.fault(ready())).endsWith("/health/ready answered 503");
    }

    @Test
    void aPortThatNobodyListensOnIsAFault() {
        URI ready = ready();
        server.stop(0);
        assertThat(HealthCheck.fault(ready)).contains(ready.toString());
    }

    private URI ready() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/health/ready");
    }
}
