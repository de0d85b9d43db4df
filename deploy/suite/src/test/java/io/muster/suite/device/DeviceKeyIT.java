// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import static io.muster.suite.fixture.RegistryUnderTest.FORM;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.basic;
import static io.muster.suite.fixture.RegistryUnderTest.encoded;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.ProblemAssert;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Signer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Devices that keep their own key: they authenticate by signatures (RFC 7523), and bind their tokens (RFC 9449). */
@Tag("portable")
class DeviceKeyIT {

    /** The configured address of the registry; requests reach it elsewhere, as behind a proxy. */
    private static final String ISSUER = "http://shared.muster.test";

    private static final String GRANT = "grant_type=client_credentials";

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();
    private final Signer own = Signer.make();

    private static void assertError(Reply reply, int status, String error) {
        assertThat(reply.status()).as(reply.toString()).isEqualTo(status);
        assertThat(reply.json().path("error").asText()).as(reply.toString()).isEqualTo(error);
        assertThat(reply.header("Cache-Control")).hasValue("no-store");
        ProblemAssert.assertTellsNothing(reply);
    }

    private String register(Signer signer) {
        String serial = registry.expectedSerial();
        Reply reply = registry.post("register", JSON, signer.registration(ISSUER, serial));
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.json().has("secret")).isFalse();
        return reply.json().path("key").asText();
    }

    private Reply token(String more, String... headers) {
        return registry.post("token", FORM, GRANT + "&" + more, headers);
    }

    private String boundToken(Signer signer, String key) {
        Reply reply =
                token(Signer.form(signer.assertion(ISSUER, key)), "DPoP", signer.proof("POST", ISSUER + "/token"));
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.json().path("token_type").asText()).isEqualTo("DPoP");
        assertThat(reply.header("DPoP-Nonce")).isPresent();
        return reply.json().path("access_token").asText();
    }

    private Reply ownRecord(String token, String proof) {
        return registry.get("devices/me", "Authorization", "DPoP " + token, "DPoP", proof);
    }

    private static String record(Signer signer, String token) {
        return signer.proof("GET", ISSUER + "/devices/me", token);
    }

    @Test
    void assertionGetsOneToken() {
        String key = register(own);
        String assertion = own.assertion(ISSUER, key);

        Reply reply = token(Signer.form(assertion) + "&client_id=" + key);

        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.json().path("token_type").asText()).isEqualTo("Bearer");
        assertThat(registry.ownRecord(reply.json().path("access_token").asText())
                        .status())
                .isEqualTo(200);
        assertError(token(Signer.form(assertion)), 401, "invalid_client");
    }

    @Test
    void oneAssertion24TimesAtOnceOnTwoNodesGetsOneToken() throws Exception {
        String key = register(own);
        String form = GRANT + "&" + Signer.form(own.assertion(ISSUER, key));
        RegistryUnderTest second = SharedWorld.secondNode();
        ExecutorService threads = Executors.newFixedThreadPool(24);
        try {
            List<Future<Reply>> replies = IntStream.range(0, 24)
                    .mapToObj(i -> threads.submit(() -> (i % 2 == 0 ? registry : second).post("token", FORM, form)))
                    .toList();
            List<Integer> statuses = new ArrayList<>();
            for (Future<Reply> reply : replies) {
                statuses.add(reply.get().status());
            }

            assertThat(statuses).containsOnly(200, 401);
            assertThat(statuses).containsOnlyOnce(200);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void deviceOf1970GetsATokenInTwoRoundTrips() {
        String key = register(own);
        String nonce = registry.post("nonce", JSON, "{}").json().path("nonce").asText();

        Reply reply = token(Signer.form(
                own.sign("JWT", Map.of("iss", key, "sub", key, "aud", ISSUER, "iat", 5, "exp", 65, "nonce", nonce))));

        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.header("Date")).isPresent();
    }

    @Test
    void clientAuthenticatesInOneWayOnly() {
        String key = register(own);
        Registered secret = registry.newDevice();
        String form = Signer.form(own.assertion(ISSUER, key));
        String[] basic = {"Authorization", basic(secret.key(), secret.secret())};
        String post = "client_id=" + secret.key() + "&client_secret=" + encoded(secret.secret());

        assertError(token(form, basic), 400, "invalid_request");
        assertError(token(Signer.form("junk"), basic), 400, "invalid_request");
        assertError(token(post + "&" + Signer.form("junk")), 400, "invalid_request");
        assertError(token(post + "&client_assertion=junk"), 400, "invalid_request");
        assertError(token("client_assertion=" + own.assertion(ISSUER, key)), 400, "invalid_request");
        assertError(token("client_assertion_type=" + encoded(Signer.JWT_BEARER)), 400, "invalid_request");
        assertError(token(form.replace("jwt-bearer", "saml2-bearer")), 401, "invalid_client");
        assertError(token(form + "&client_id=" + secret.key()), 400, "invalid_request");
        assertError(token(Signer.form("junk")), 401, "invalid_client");
        // None of them was used up.
        assertThat(token(form).status()).isEqualTo(200);
    }

    @Test
    void noKindOfTokenIsTakenForAnother() {
        String key = register(own);
        String access = token(Signer.form(own.assertion(ISSUER, key)))
                .json()
                .path("access_token")
                .asText();
        String assertion = own.assertion(ISSUER, key);

        assertError(token(Signer.form(access)), 401, "invalid_client");
        assertError(token(Signer.form(own.proof("POST", ISSUER + "/token"))), 401, "invalid_client");
        ProblemAssert.assertProblem(registry.ownRecord(assertion), 401, "unauthorized");
        assertThat(registry.introspect(assertion).text()).isEqualTo("{\"active\":false}");
        String serial = registry.expectedSerial();
        ProblemAssert.assertProblem(
                registry.post(
                        "register",
                        JSON,
                        "{\"serial\":\"%s\",\"publicKey\":%s,\"proof\":\"%s\"}"
                                .formatted(serial, own.jwk(), own.assertion(ISSUER, key))),
                400,
                "registration-refused");
    }

    @Test
    void boundTokenIsGoodWithItsKeyAndWithNothingElse() {
        String key = register(own);
        String token = boundToken(own, key);
        Signer other = Signer.make();

        Reply introspected = registry.introspect(token);
        assertThat(introspected.json().path("cnf").path("jkt").asText()).isEqualTo(own.thumbprint());
        assertThat(introspected.json().path("token_type").asText()).isEqualTo("DPoP");
        Reply good = ownRecord(token, record(own, token));
        assertThat(good.status()).as(good.toString()).isEqualTo(200);
        assertThat(good.header("DPoP-Nonce")).isPresent();

        Reply stolen = registry.ownRecord(token);
        ProblemAssert.assertProblem(stolen, 401, "unauthorized");
        assertThat(stolen.header("WWW-Authenticate").orElse("")).startsWith("Bearer ");
        String used = record(own, token);
        assertThat(ownRecord(token, used).status()).isEqualTo(200);
        for (String proof : List.of(
                used,
                record(other, token),
                record(own, token + "x"),
                own.proof("GET", ISSUER + "/devices/me"),
                own.proof("POST", ISSUER + "/devices/me", token),
                own.proof("GET", registry.base().resolve("devices/me").toString(), token),
                "junk",
                record(own, token) + ", " + record(own, token))) {
            Reply refused = ownRecord(token, proof);
            ProblemAssert.assertProblem(refused, 401, "unauthorized");
            assertThat(refused.header("WWW-Authenticate").orElse(""))
                    .startsWith("DPoP ")
                    .contains("error=\"invalid_dpop_proof\"")
                    .contains("algs=\"ES256 EdDSA Ed25519\"");
            assertThat(refused.header("DPoP-Nonce")).isPresent();
        }
        Reply without = registry.get("devices/me", "Authorization", "DPoP " + token);
        ProblemAssert.assertProblem(without, 401, "unauthorized");
        Reply twice = registry.get(
                "devices/me", "Authorization", "DPoP " + token, "DPoP", record(own, token), "DPoP", record(own, token));
        ProblemAssert.assertProblem(twice, 401, "unauthorized");
    }

    @Test
    void bearerTokenIsNoBoundToken() {
        Registered device = registry.newDevice();
        String token = registry.accessToken(device);

        Reply refused = ownRecord(token, record(own, token));

        ProblemAssert.assertProblem(refused, 401, "unauthorized");
        assertThat(refused.header("WWW-Authenticate").orElse("")).startsWith("DPoP ");
    }

    @Test
    void deviceWithAWrongClockIsGivenANonceAtEveryPlace() {
        String key = register(own);
        long wrong = Instant.now().getEpochSecond() - 3600;
        String address = ISSUER + "/token";

        Reply first = token(
                Signer.form(own.assertion(ISSUER, key)), "DPoP", own.proof("POST", address, Map.of("iat", wrong)));
        assertError(first, 400, "use_dpop_nonce");
        String nonce = first.header("DPoP-Nonce").orElseThrow();
        Reply second = token(
                Signer.form(own.assertion(ISSUER, key)),
                "DPoP",
                own.proof("POST", address, Map.of("iat", wrong, "nonce", nonce)));
        assertThat(second.status()).as(second.toString()).isEqualTo(200);
        String token = second.json().path("access_token").asText();

        Map<String, Object> late = Map.of("iat", wrong, "ath", Signer.hash(token));
        Reply third = ownRecord(token, own.proof("GET", ISSUER + "/devices/me", late));
        ProblemAssert.assertProblem(third, 401, "unauthorized");
        assertThat(third.header("WWW-Authenticate").orElse("")).contains("error=\"use_dpop_nonce\"");
        Map<String, Object> fresh = Map.of(
                "iat",
                wrong,
                "ath",
                Signer.hash(token),
                "nonce",
                third.header("DPoP-Nonce").orElseThrow());
        assertThat(ownRecord(token, own.proof("GET", ISSUER + "/devices/me", fresh))
                        .status())
                .isEqualTo(200);
    }

    @Test
    void proofThatIsWrongGetsNoTokenAndSpendsNoAssertion() {
        String key = register(own);
        String form = Signer.form(own.assertion(ISSUER, key));

        for (String proof : List.of(
                "junk",
                own.proof("GET", ISSUER + "/token"),
                own.proof("POST", ISSUER + "/devices/me"),
                own.assertion(ISSUER, key))) {
            assertError(token(form, "DPoP", proof), 400, "invalid_dpop_proof");
        }
        String good = own.proof("POST", ISSUER + "/token");
        assertThat(token(form, "DPoP", good).status()).isEqualTo(200);
        assertError(token(Signer.form(own.assertion(ISSUER, key)), "DPoP", good), 400, "invalid_dpop_proof");
    }

    @Test
    void credentialIsRenewedWithABoundToken() {
        String key = register(own);
        String token = boundToken(own, key);

        Reply reply = registry.post(
                "devices/me/credentials",
                JSON,
                "{}",
                "Authorization",
                "DPoP " + token,
                "DPoP",
                own.proof("POST", ISSUER + "/devices/me/credentials", token));

        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.json().path("secret").asText()).isNotEmpty();
    }

    @Test
    void deviceWithASecretMayBindItsTokenToo() {
        Registered device = registry.newDevice();

        Reply reply = registry.post(
                "token",
                FORM,
                GRANT,
                "Authorization",
                basic(device.key(), device.secret()),
                "DPoP",
                own.proof("POST", ISSUER + "/token"));

        assertThat(reply.json().path("token_type").asText()).isEqualTo("DPoP");
        String token = reply.json().path("access_token").asText();
        assertThat(ownRecord(token, record(own, token)).status()).isEqualTo(200);
    }
}
