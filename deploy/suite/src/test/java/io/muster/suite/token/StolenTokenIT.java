// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.token;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.pointers;
import static io.muster.suite.fixture.RegistryUnderTest.FORM;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.basic;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
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

/** The limits of a stolen access token, which is no credential, and a device's own proof for a further credential. */
@Tag("portable")
class StolenTokenIT {

    private static final String ISSUER = "http://shared.muster.test";
    private static final String RENEWAL = "devices/me/credentials";

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();
    private final Signer own = Signer.make();

    /** A device that keeps its own key. */
    private record Keeper(String serial, String deviceId, String key) {}

    private Keeper keeper() {
        String serial = registry.expectedSerial();
        Reply reply = registry.post("register", JSON, own.registration(ISSUER, serial));
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return new Keeper(
                serial,
                reply.json().path("deviceId").asText(),
                reply.json().path("key").asText());
    }

    private Reply renew(String body, String... headers) {
        return registry.post(RENEWAL, JSON, body, headers);
    }

    private static String[] secret(Registered device) {
        return new String[] {"Authorization", basic(device.key(), device.secret())};
    }

    private static String[] bound(String token, String proof) {
        return new String[] {"Authorization", "DPoP " + token, "DPoP", proof};
    }

    private static String asserting(String members, String assertion) {
        return "{" + members + (members.isEmpty() ? "" : ",") + "\"clientAssertion\":\"" + assertion + "\"}";
    }

    private static String serial(String serial) {
        return "\"serial\":\"" + serial + "\"";
    }

    private String boundToken(Registered device) {
        Reply reply = registry.post(
                "token",
                FORM,
                "grant_type=client_credentials",
                "Authorization",
                basic(device.key(), device.secret()),
                "DPoP",
                own.proof("POST", ISSUER + "/token"));
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply.json().path("access_token").asText();
    }

    private JsonNode credentials(String deviceId) {
        return registry.get("api/v1/devices/" + deviceId, registry.asOperator())
                .json()
                .path("credentials");
    }

    private static void assertGiven(Reply reply, String deviceId) {
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.json().path("deviceId").asText()).isEqualTo(deviceId);
        assertThat(reply.json().path("secret").asText()).isNotEmpty();
    }

    @Test
    void stolenTokenRenewsNothingAndItsOwnerIsToldWhatDoes() {
        Registered device = registry.newDevice();
        String token = registry.accessToken(device);

        for (String[] headers : List.of(bearer(token), bearer(boundToken(device)), bearer("junk"), new String[0])) {
            Reply reply = renew("{}", headers);

            assertProblem(reply, 401, "unauthorized");
            assertThat(reply.json().path("detail").asText()).contains("Basic", "clientAssertion", "DPoP");
            assertThat(String.join(", ", reply.headers().get("WWW-Authenticate")))
                    .contains("Basic realm=\"muster\"", "DPoP realm=\"muster\"")
                    .doesNotContain("Bearer");
        }
        assertThat(credentials(device.deviceId())).hasSize(1);
        assertThat(registry.ownRecord(token).status()).isEqualTo(200);
    }

    @Test
    void stolenTokenDoesNotRegisterItsDeviceAgain() {
        Registered device = registry.newDevice();
        String token = registry.accessToken(device);
        String bound = boundToken(device);
        String body = RegistryUnderTest.body(device.serial());

        for (String path : List.of("register", "fleets/default/register")) {
            String address = ISSUER + "/" + path;
            String proof = own.proof("POST", address, bound);
            for (String[] headers : List.of(
                    bearer(token),
                    bearer(bound),
                    bound(token, own.proof("POST", address, token)),
                    bound(bound, Signer.make().proof("POST", address, bound)),
                    bound(bound, own.proof("POST", ISSUER + "/devices/me", bound)),
                    new String[] {"Authorization", "Bearer " + bound, "DPoP", proof})) {
                assertProblem(registry.post(path, JSON, body, headers), 400, "registration-refused");
            }
            assertThat(credentials(device.deviceId())).hasSize(path.equals("register") ? 1 : 2);
            assertGiven(registry.post(path, JSON, body, bound(bound, proof)), device.deviceId());
            assertProblem(registry.post(path, JSON, body, bound(bound, proof)), 400, "registration-refused");
        }
    }

    @Test
    void secretRenewsItselfAndIsUsedByThat() {
        Registered device = registry.newDevice();

        Reply reply = renew("{}", secret(device));

        assertGiven(reply, device.deviceId());
        JsonNode credentials = credentials(device.deviceId());
        assertThat(credentials).hasSize(2);
        assertThat(credentials.get(0).path("state").asText()).isEqualTo("confirmed");
        assertThat(credentials.get(1).path("state").asText()).isEqualTo("provisional");
        // A device that was on line is not taken over by its serial.
        assertProblem(registry.register(device.serial()), 400, "registration-refused");
        assertThat(registry.token(RegistryUnderTest.receipt(device.serial(), reply))
                        .status())
                .isEqualTo(200);
        Reply wrong = renew("{}", "Authorization", basic(device.key(), "wrong"));
        assertProblem(wrong, 401, "unauthorized");
        assertThat(wrong.header("WWW-Authenticate").orElse("")).startsWith("Basic ");
        assertProblem(renew("{}", "Authorization", "Basic junk"), 401, "unauthorized");
    }

    @Test
    void assertionRenewsItsCredentialOnceOnBothNodesTogether() throws Exception {
        Keeper device = keeper();
        RegistryUnderTest second = SharedWorld.secondNode();
        String body = asserting("", own.assertion(ISSUER, device.key()));
        ExecutorService threads = Executors.newFixedThreadPool(16);
        try {
            List<Future<Reply>> replies = IntStream.range(0, 16)
                    .mapToObj(i -> threads.submit(() -> (i % 2 == 0 ? registry : second).post(RENEWAL, JSON, body)))
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
        assertThat(credentials(device.deviceId())).hasSize(2);
        assertThat(second.get("devices/me").status()).isEqualTo(401);
    }

    @Test
    void assertionRegistersItsDeviceAgainOnce() {
        Keeper device = keeper();
        String assertion = own.assertion(ISSUER, device.key());
        String body = asserting(serial(device.serial()), assertion);
        Keeper other = keeper();

        assertProblem(
                registry.post("register", JSON, asserting(serial(device.serial()), own.assertion(ISSUER, other.key()))),
                400,
                "registration-refused");
        assertGiven(registry.post("fleets/default/register", JSON, body), device.deviceId());

        assertProblem(registry.post("register", JSON, body), 400, "registration-refused");
        assertProblem(renew(asserting("", assertion)), 401, "unauthorized");
        assertThat(registry.post("token", FORM, "grant_type=client_credentials&" + Signer.form(assertion))
                        .status())
                .isEqualTo(401);
        assertThat(credentials(device.deviceId())).hasSize(2);
    }

    @Test
    void assertionThatCannotBeOneIsAFaultAndUsesNothingUp() {
        Keeper device = keeper();
        Registered other = registry.newDevice();
        String assertion = own.assertion(ISSUER, device.key());

        for (Reply faulty : List.of(
                renew("{\"clientAssertion\":7}"),
                renew(asserting("", "junk")),
                renew(asserting("", assertion), secret(other)),
                renew(asserting("", assertion), bearer(registry.accessToken(other))),
                registry.post("register", JSON, asserting(serial(device.serial()), "junk")),
                registry.post("register", JSON, asserting(serial(device.serial()), assertion), secret(other)))) {
            assertProblem(faulty, 400, "invalid-request");
            assertThat(pointers(faulty)).containsExactly("#/clientAssertion");
        }
        Reply two = renew(asserting("\"requestId\":\"\"", assertion));
        assertThat(pointers(two)).containsExactly("#/requestId", "#/replyKey");
        assertGiven(renew(asserting("", assertion)), device.deviceId());
    }

    @Test
    void boundTokenWithoutAClockIsGivenANonceWhateverTheSerial() {
        Registered device = registry.newDevice();
        String token = boundToken(device);
        long wrong = Instant.now().getEpochSecond() - 3600;

        for (String serial : List.of(device.serial(), RegistryUnderTest.unusedSerial(), registry.expectedSerial())) {
            Map<String, Object> late = Map.of("iat", wrong, "ath", Signer.hash(token));
            Reply first = registry.post(
                    "register",
                    JSON,
                    RegistryUnderTest.body(serial),
                    bound(token, own.proof("POST", ISSUER + "/register", late)));

            assertProblem(first, 401, "unauthorized");
            assertThat(first.header("WWW-Authenticate").orElse(""))
                    .startsWith("DPoP ")
                    .contains("error=\"use_dpop_nonce\"");
            Map<String, Object> fresh = Map.of(
                    "iat",
                    wrong,
                    "ath",
                    Signer.hash(token),
                    "nonce",
                    first.header("DPoP-Nonce").orElseThrow());
            Reply second = registry.post(
                    "register",
                    JSON,
                    RegistryUnderTest.body(serial),
                    bound(token, own.proof("POST", ISSUER + "/register", fresh)));
            assertThat(second.header("WWW-Authenticate")).isEmpty();
            if (serial.equals(device.serial())) {
                assertGiven(second, device.deviceId());
            }
        }
        assertThat(credentials(device.deviceId())).hasSize(2);
    }
}
