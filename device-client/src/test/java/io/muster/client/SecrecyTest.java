// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Collections;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class SecrecyTest {

    private static final String SECRET = ScriptedRegistry.SECRET;
    private static final String EVIDENCE = "0123456789abcdefHMAC";

    @TempDir
    Path directory;

    private DeviceClient.Builder device(ScriptedRegistry registry) {
        return registry.device(directory, new FakeTime())
                .evidence(() -> Map.of("hmac", EVIDENCE))
                .giveUpAfter(Duration.ofSeconds(5))
                .random(() -> -1L);
    }

    /** Servers that echo everything they know, in every place a client might quote. */
    static Stream<String> echoes() {
        return Stream.of(
                "{\"access_token\":" + SECRET,
                "{\"access_token\":\"\",\"x\":\"" + SECRET + "\"} " + SECRET,
                SECRET,
                "{\"type\":\"urn:muster:problem:" + SECRET + "\",\"title\":\"" + SECRET + "\",\"detail\":\"" + SECRET
                        + "\",\"instance\":\"" + SECRET + "\",\"errors\":[{\"pointer\":\"" + SECRET + "\"}]}",
                "{\"error\":\"" + SECRET + "\",\"error_description\":\"" + SECRET + "\"}");
    }

    @ParameterizedTest
    @MethodSource("echoes")
    void noExceptionRepeatsTheSecretThatAServerEchoes(String body) throws Exception {
        for (int status : new int[] {200, 400, 401, 503}) {
            try (ScriptedRegistry registry = new ScriptedRegistry().thenReceipt()) {
                for (int i = 0; i < 50; i++) {
                    registry.then(status, "application/json", body);
                }
                Files.deleteIfExists(directory.resolve("device.json"));

                Throwable failure = catchThrowable(device(registry).build()::accessToken);

                assertThat(failure).isNotNull();
                assertSilent(everythingSaidBy(failure));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                EVIDENCE + "\r\n\r\n",
                "HTTP/1.1 " + EVIDENCE + "\r\n\r\n",
                "HTTP/1.1 200 OK\r\n" + EVIDENCE + "\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: " + EVIDENCE + "\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + EVIDENCE + "\r\n\r\n",
                "HTTP/1.1 503 " + EVIDENCE + "\r\nRetry-After: " + EVIDENCE + "\r\nContent-Length: 0\r\n\r\n"
            })
    void noExceptionRepeatsWhatABrokenServerSendsInPlaceOfHttp(String bytes) throws Exception {
        try (BreakingServer server =
                        new BreakingServer(Collections.nCopies(20, bytes).toArray(String[]::new));
                ScriptedRegistry unused = new ScriptedRegistry()) {

            Throwable failure =
                    catchThrowable(device(unused).registry(server.uri()).build()::register);

            assertThat(failure).isInstanceOf(UnavailableException.class);
            assertSilent(everythingSaidBy(failure));
        }
    }

    @Test
    void noExceptionRepeatsTheEvidence() throws Exception {
        try (ScriptedRegistry registry = new ScriptedRegistry()
                .then(400, "application/problem+json", "{\"type\":\"x\",\"detail\":\"" + EVIDENCE + "\"}")) {

            assertSilent(everythingSaidBy(catchThrowable(device(registry).build()::register)));
        }
    }

    @Test
    void noExceptionRepeatsTheSecretWhenTheStoreFailsAfterTheReply() throws Exception {
        try (ScriptedRegistry registry = new ScriptedRegistry().then(exchange -> {
            // While the registry answers, the place of the temporary file is taken.
            Files.createDirectories(directory.resolve("device.json.tmp/x"));
            byte[] reply = ScriptedRegistry.RECEIPT.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, reply.length);
            exchange.getResponseBody().write(reply);
        })) {
            DeviceClient client = device(registry).build();

            Throwable failure = catchThrowable(client::register);

            assertSilent(everythingSaidBy(failure));
            assertThat(client.identity()).isEmpty();
        }
    }

    @Test
    void nothingPrintsTheSecret() throws Exception {
        try (ScriptedRegistry registry = new ScriptedRegistry().thenReceipt()) {
            DeviceClient client = device(registry).build();
            DeviceIdentity identity = client.register();

            assertThat(identity.toString()).contains(identity.deviceId(), identity.key());
            assertSilent(identity + " " + client + " " + CredentialStore.at(directory.resolve("device.json")));
        }
    }

    private static String everythingSaidBy(Throwable failure) {
        StringWriter text = new StringWriter();
        failure.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    private static void assertSilent(String text) {
        assertThat(text)
                .doesNotContain(SECRET)
                .doesNotContain("s3cr3t")
                .doesNotContain(URLEncoder.encode(SECRET, StandardCharsets.UTF_8))
                .doesNotContain(Base64.getEncoder().encodeToString(SECRET.getBytes(StandardCharsets.UTF_8)))
                .doesNotContain(EVIDENCE);
    }
}
