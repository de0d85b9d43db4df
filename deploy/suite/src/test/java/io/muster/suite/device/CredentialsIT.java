// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.pointers;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWEObject;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.ECDHDecrypter;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.io.IOException;
import java.text.ParseException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Devices that come back, keep their own key, lose replies, renew their credentials, and are revoked. */
@Tag("portable")
class CredentialsIT {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();

    private static ECKey key() {
        try {
            return new ECKeyGenerator(Curve.P_256).generate();
        } catch (JOSEException e) {
            throw new AssertionError(e);
        }
    }

    private String nonce() {
        return registry.post("nonce", JSON, "").json().path("nonce").asText();
    }

    private String proof(ECKey key, String serial) {
        // The registry itself tells its address.
        String issuer = registry.get(".well-known/oauth-authorization-server")
                .json()
                .path("issuer")
                .asText();
        try {
            JWSObject proof = new JWSObject(
                    new JWSHeader.Builder(JWSAlgorithm.ES256)
                            .type(new JOSEObjectType("muster-proof+jwt"))
                            .build(),
                    new Payload(Map.<String, Object>of("serial", serial, "aud", issuer, "nonce", nonce())));
            proof.sign(new ECDSASigner(key));
            return proof.serialize();
        } catch (JOSEException e) {
            throw new AssertionError(e);
        }
    }

    private String withKey(ECKey key, String serial) {
        return "{\"serial\":\"" + serial + "\",\"publicKey\":" + key.toPublicJWK() + ",\"proof\":\""
                + proof(key, serial) + "\"}";
    }

    private static String sealed(ECKey reader, String serial, String requestId) {
        return "{\"serial\":\"" + serial + "\",\"requestId\":\"" + requestId + "\",\"replyKey\":" + reader.toPublicJWK()
                + "}";
    }

    private static JsonNode open(Reply reply, ECKey reader) {
        try {
            JWEObject jwe = JWEObject.parse(reply.text());
            jwe.decrypt(new ECDHDecrypter(reader));
            return MAPPER.readTree(jwe.getPayload().toString());
        } catch (ParseException | JOSEException | IOException e) {
            throw new AssertionError(e);
        }
    }

    private Reply operator(String path, String body) {
        return registry.post("api/v1/" + path, JSON, body, registry.asOperator());
    }

    private JsonNode device(String deviceId) {
        return registry.get("api/v1/devices/" + deviceId, registry.asOperator()).json();
    }

    private Reply rotate(Registered device, String body) {
        return registry.post(
                "devices/me/credentials",
                JSON,
                body,
                "Authorization",
                RegistryUnderTest.basic(device.key(), device.secret()));
    }

    @Test
    void deviceThatKeepsItsKeyGetsNoSecretAndTheSameAnswerAgain() {
        String serial = registry.expectedSerial();
        ECKey own = key();

        Reply first = registry.post("register", JSON, withKey(own, serial));
        Reply again = registry.post("register", JSON, withKey(own, serial));

        assertThat(first.status()).as(first.toString()).isEqualTo(200);
        assertThat(first.json().has("secret")).isFalse();
        assertThat(again.json().path("key")).isEqualTo(first.json().path("key"));
        JsonNode credentials = device(first.json().path("deviceId").asText()).path("credentials");
        assertThat(credentials).hasSize(1);
        assertThat(credentials.get(0).path("kind").asText()).isEqualTo("public-key");
        assertProblem(registry.post("register", JSON, withKey(key(), serial)), 400, "registration-refused");
        assertProblem(registry.register(serial), 400, "registration-refused");
    }

    @Test
    void keyWithoutProofIsAFaultAndProofOfAnotherKeyIsRefused() {
        String serial = registry.expectedSerial();
        ECKey own = key();

        Reply unproved = registry.post(
                "register", JSON, "{\"serial\":\"" + serial + "\",\"publicKey\":" + own.toPublicJWK() + "}");
        assertProblem(unproved, 400, "invalid-request");
        assertThat(pointers(unproved)).containsExactly("#/proof");
        assertProblem(
                registry.post(
                        "register",
                        JSON,
                        "{\"serial\":\"" + serial + "\",\"publicKey\":" + own.toPublicJWK() + ",\"proof\":\""
                                + proof(key(), serial) + "\"}"),
                400,
                "registration-refused");
        assertThat(registry.register(serial).status()).isEqualTo(200);
    }

    @Test
    void sealedReplyIsForTheDeviceAloneAndTheSameAgain() {
        String serial = registry.expectedSerial();
        ECKey reader = key();

        Reply first = registry.post("register", JSON, sealed(reader, serial, "attempt-1"));
        Reply again = registry.post("register", JSON, sealed(reader, serial, "attempt-1"));

        assertThat(first.status()).as(first.toString()).isEqualTo(200);
        assertThat(first.header("Content-Type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith("application/jose"));
        assertThat(again.text()).isEqualTo(first.text());
        JsonNode receipt = open(first, reader);
        assertThat(registry.token(
                                receipt.path("key").asText(),
                                receipt.path("secret").asText())
                        .status())
                .isEqualTo(200);
        assertProblem(
                registry.post("register", JSON, sealed(reader, serial, "attempt-1")), 400, "registration-refused");
    }

    @Test
    void registeredAndConfirmedDeviceIsNotTakenOverByItsSerialAndAnUnconfirmedOneHeals() {
        String serial = registry.expectedSerial();
        Registered lost = registry.registered(serial);
        Registered device = registry.registered(serial);
        assertThat(registry.token(lost).status()).isEqualTo(401);
        assertThat(registry.token(device).status()).isEqualTo(200);

        Reply attacker = registry.register(serial);

        assertProblem(attacker, 400, "registration-refused");
        assertThat(attacker.text()).doesNotContain("secret");
        assertThat(registry.token(device).status()).isEqualTo(200);
        assertThat(registry.devicesOf(serial)).hasSize(1);
    }

    @Test
    void deviceThatPresentsItsCredentialGetsAFurtherOne() {
        Registered device = registry.newDevice();
        registry.accessToken(device);

        Reply reply = registry.post(
                "register",
                JSON,
                RegistryUnderTest.body(device.serial()),
                "Authorization",
                RegistryUnderTest.basic(device.key(), device.secret()));

        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.json().path("deviceId").asText()).isEqualTo(device.deviceId());
        assertProblem(
                registry.post(
                        "register",
                        JSON,
                        RegistryUnderTest.body(device.serial()),
                        "Authorization",
                        RegistryUnderTest.basic(device.key(), "wrong")),
                400,
                "registration-refused");
    }

    @Test
    void allowanceLetsASerialInOnce() {
        Registered device = registry.newDevice();
        registry.accessToken(device);

        Reply allowed = operator(
                "fleets/default/allowances", "{\"serials\":[\"" + device.serial() + "\"],\"reason\":\"repaired\"}");
        assertThat(allowed.status()).as(allowed.toString()).isEqualTo(201);
        Registered back = registry.registered(device.serial());

        assertThat(back.deviceId()).isEqualTo(device.deviceId());
        assertThat(registry.token(device).status()).isEqualTo(200);
        assertThat(registry.token(back).status()).isEqualTo(200);
        assertThat(registry.token(device).status()).isEqualTo(401);
        assertProblem(registry.register(device.serial()), 400, "registration-refused");
        JsonNode allowance = registry.get(
                        "api/v1/fleets/default/allowances?serial=" + device.serial(), registry.asOperator())
                .json()
                .path("allowances")
                .get(0);
        assertThat(allowance.path("state").asText()).isEqualTo("spent");
        assertProblem(
                registry.send(
                        "DELETE",
                        "api/v1/fleets/default/allowances/"
                                + allowance.path("id").asText(),
                        null,
                        registry.asOperator()),
                409,
                "conflict");
        Reply faults = operator("fleets/default/allowances", "{\"serials\":[\"x\"],\"since\":1}");
        assertThat(pointers(faults)).contains("#/serials/0", "#/reason", "#/since");
    }

    @Test
    void deviceRenewsItsCredentialAndTheLastOneAskedForCounts() {
        Registered device = registry.newDevice();

        Registered lost = RegistryUnderTest.receipt(device.serial(), rotate(device, "{}"));
        Registered kept = RegistryUnderTest.receipt(device.serial(), rotate(device, "{}"));

        assertThat(registry.token(lost).status()).isEqualTo(401);
        assertThat(registry.token(device).status()).isEqualTo(200);
        assertThat(registry.token(kept).status()).isEqualTo(200);
        // For the fleet's overlap.
        assertThat(registry.token(device).status()).isEqualTo(200);
        JsonNode credentials =
                registry.ownRecord(registry.accessToken(kept)).json().path("credentials");
        assertThat(credentials).hasSize(2);
        assertThat(credentials.get(0).has("expiresAt")).isTrue();
        assertThat(credentials.get(1).path("state").asText()).isEqualTo("confirmed");
        assertProblem(rotate(lost, "{}"), 401, "unauthorized");
    }

    @Test
    void rotationMaySealItsReplyAndBindAKey() {
        Registered device = registry.newDevice();
        ECKey reader = key();
        ECKey own = key();

        Reply sealed = rotate(device, "{\"requestId\":\"r\",\"replyKey\":" + reader.toPublicJWK() + "}");
        Reply bound = rotate(
                device, "{\"publicKey\":" + own.toPublicJWK() + ",\"proof\":\"" + proof(own, device.serial()) + "\"}");

        assertThat(open(sealed, reader).path("deviceId").asText()).isEqualTo(device.deviceId());
        assertThat(bound.status()).as(bound.toString()).isEqualTo(200);
        assertThat(bound.json().has("secret")).isFalse();
    }

    @Test
    void orderedRotationIsToldWithTheToken() {
        Registered device = registry.newDevice();
        registry.accessToken(device);

        assertThat(operator("devices/" + device.deviceId() + "/rotate", "{\"reason\":\"drill\"}")
                        .status())
                .isEqualTo(200);

        within(Duration.ofSeconds(2), "the device is told to renew", () -> registry.token(device)
                .json()
                .has("rotate_by"));
        long by = registry.token(device).json().path("rotate_by").asLong();
        long now = System.currentTimeMillis() / 1000;
        assertThat(by).isBetween(now - 60, now + Duration.ofDays(1).toSeconds() + 60);
    }

    @Test
    void whatIsRevokedIsRefusedAndInactive() {
        Registered device = registry.newDevice();
        String token = registry.accessToken(device);
        Reply wrong = operator("devices/" + device.deviceId() + "/revoke", "{\"key\":\"nobodys\"}");
        assertProblem(wrong, 404, "not-found");

        assertThat(operator(
                                "devices/" + device.deviceId() + "/revoke",
                                "{\"key\":\"" + device.key() + "\",\"reason\":\"leaked\"}")
                        .status())
                .isEqualTo(200);

        assertThat(registry.token(device).status()).isEqualTo(401);
        assertThat(registry.isActive(token)).isFalse();
        assertThat(registry.ownRecord(token).status()).isEqualTo(401);
        assertProblem(registry.register(device.serial()), 400, "registration-refused");
    }

    @Test
    void lotIsRevokedAsAWholeAndItsNeighbourIsNot() {
        String lot = "L-" + RegistryUnderTest.unusedSerial();
        String serial = RegistryUnderTest.unusedSerial();
        assertThat(registry.load("serial,lot\n" + serial + "," + lot + "\n").status())
                .isEqualTo(200);
        Registered ofLot = registry.registered(serial);
        Registered other = registry.newDevice();
        String token = registry.accessToken(ofLot);
        registry.accessToken(other);

        Reply ambiguous = operator("fleets/default/revocations", "{\"reason\":\"leaked\"}");
        assertThat(pointers(ambiguous)).containsExactly("#/lot");
        assertThat(operator("fleets/default/revocations", "{\"lot\":\"" + lot + "\",\"reason\":\"leaked\"}")
                        .status())
                .isEqualTo(201);

        assertThat(registry.token(ofLot).status()).isEqualTo(401);
        assertThat(registry.isActive(token)).isFalse();
        assertThat(registry.token(other).status()).isEqualTo(200);
        assertThat(device(ofLot.deviceId())
                        .path("credentials")
                        .get(0)
                        .path("state")
                        .asText())
                .isEqualTo("revoked");
    }

    @Test
    void retiredDeviceNeverComesBackByItself() {
        Registered device = registry.newDevice();
        registry.accessToken(device);

        assertThat(registry.change(device.deviceId(), "retire").status()).isEqualTo(200);

        assertThat(registry.token(device).status()).isEqualTo(401);
        assertProblem(registry.register(device.serial()), 400, "registration-refused");
        assertProblem(registry.change(device.deviceId(), "enable"), 409, "conflict");
        assertThat(operator(
                                "fleets/default/allowances",
                                "{\"serials\":[\"" + device.serial() + "\"],\"reason\":\"found again\"}")
                        .status())
                .isEqualTo(201);
        Registered back = registry.registered(device.serial());
        assertThat(registry.token(back).status()).isEqualTo(200);
        assertThat(registry.token(device).status()).isEqualTo(401);
    }

    private String allow(String serial) {
        Reply reply =
                operator("fleets/default/allowances", "{\"serials\":[\"" + serial + "\"],\"reason\":\"repaired\"}");
        assertThat(reply.status()).as(reply.toString()).isEqualTo(201);
        return reply.json().at("/allowances/0/id").asText();
    }

    private List<JsonNode> events(String type, String serial) {
        List<JsonNode> found = new ArrayList<>();
        registry.get("api/v1/events?limit=200", registry.asOperator())
                .json()
                .path("events")
                .forEach(event -> {
                    if (event.path("type").asText().equals(type)
                            && event.path("serial").asText().equals(serial)) {
                        found.add(event);
                    }
                });
        return found;
    }

    @Test
    void allowanceThatIsTakenBackTakesAlongWhatWasGivenByIt() {
        Registered device = registry.newDevice();
        registry.accessToken(device);
        String allowance = allow(device.serial());
        Registered given = registry.registered(device.serial());

        Reply back =
                registry.send("DELETE", "api/v1/fleets/default/allowances/" + allowance, null, registry.asOperator());

        assertThat(back.status()).as(back.toString()).isEqualTo(204);
        assertThat(registry.token(given).status()).isEqualTo(401);
        assertThat(registry.token(device).status()).isEqualTo(200);
        assertThat(events("allowance-created", device.serial())).hasSize(1);
        assertThat(events("allowance-used", device.serial()))
                .singleElement()
                .satisfies(event -> assertThat(event.path("deviceId").asText()).isEqualTo(device.deviceId()));
        assertThat(events("allowance-revoked", device.serial())).hasSize(1);
    }

    @Test
    void deviceThatIsShutOutDoesNotComeBackByAnAllowanceOfBefore() {
        for (String verb : List.of("revoke", "retire")) {
            Registered device = registry.newDevice();
            registry.accessToken(device);
            allow(device.serial());

            for (int twice = 0; twice < 2; twice++) {
                assertThat(registry.change(device.deviceId(), verb).status()).isEqualTo(200);
                assertProblem(registry.register(device.serial()), 400, "registration-refused");
            }
            allow(device.serial());
            assertThat(registry.token(registry.registered(device.serial())).status())
                    .isEqualTo(200);
        }
    }

    @Test
    void orderForALotThatNoDeviceIsOfIsAFaultAndOthersSayHowManyTheyMean() {
        String lot = "L-" + RegistryUnderTest.unusedSerial();
        List<String> serials = RegistryUnderTest.unusedSerials(2);
        assertThat(registry.load("serial,lot\n" + serials.get(0) + "," + lot + "\n" + serials.get(1) + "," + lot + "\n")
                        .status())
                .isEqualTo(200);
        String order = "{\"lot\":\"" + lot + "\",\"reason\":\"a test\"}";
        for (String kind : List.of("revocations", "rotations")) {
            Reply nobody = operator("fleets/default/" + kind, order);
            assertProblem(nobody, 400, "invalid-request");
            assertThat(pointers(nobody)).containsExactly("#/lot");
        }
        serials.forEach(registry::registered);

        for (String kind : List.of("rotations", "revocations")) {
            Reply ordered = operator("fleets/default/" + kind, order);
            assertThat(ordered.status()).as(ordered.toString()).isEqualTo(201);
            assertThat(ordered.json().path("devices").asInt()).isEqualTo(2);
        }
        Reply both = operator("fleets/default/revocations", "{\"lot\":null,\"all\":true,\"reason\":\"a test\"}");
        assertThat(pointers(both)).containsExactly("#/lot");
    }

    @Test
    void windowThatIsOverIsAFault() {
        Registered device = registry.newDevice();
        String window = "\"notBefore\":\"2020-01-01T00:00:00Z\",\"notAfter\":\"2020-01-02T00:00:00Z\"}";
        for (Reply reply : List.of(
                operator("devices/" + device.deviceId() + "/rotate", "{" + window),
                operator("devices/" + device.deviceId() + "/rotate", "{\"notBefore\":\"2020-01-01T00:00:00Z\"}"),
                operator("fleets/default/rotations", "{\"all\":true,\"reason\":\"a test\"," + window),
                operator(
                        "fleets/default/allowances",
                        "{\"serials\":[\"" + device.serial() + "\"],\"reason\":\"a test\"," + window))) {
            assertProblem(reply, 400, "invalid-request");
            assertThat(pointers(reply)).containsExactly("#/notAfter");
        }
    }

    @Test
    void retiredDeviceIsNotToldToRenewAndIsRetiredAndRevokedAgainWithoutHarm() {
        Registered device = registry.newDevice();
        registry.change(device.deviceId(), "retire");

        Reply rotated = operator("devices/" + device.deviceId() + "/rotate", "{}");

        assertProblem(rotated, 409, "conflict");
        assertThat(rotated.json().path("detail").asText()).contains("retired");
        assertThat(registry.change(device.deviceId(), "retire").status()).isEqualTo(200);
        assertThat(registry.change(device.deviceId(), "revoke").status()).isEqualTo(200);
        assertThat(registry.change(device.deviceId(), "revoke").status()).isEqualTo(200);
    }

    @Test
    void keyThatIsNullDoesNotMeanAllCredentials() {
        Registered device = registry.newDevice();

        Reply reply = operator("devices/" + device.deviceId() + "/revoke", "{\"key\":null}");

        assertProblem(reply, 400, "invalid-request");
        assertThat(pointers(reply)).containsExactly("#/key");
        assertThat(registry.token(device).status()).isEqualTo(200);
    }

    @Test
    void endOfACredentialIsTheSameInTheFirstReplyAndAfterwards() {
        Registered device = registry.newDevice();
        Reply reply = registry.register(device.serial());

        String end = reply.json().path("expiresAt").asText();

        assertThat(end).matches("[0-9T:-]+(\\.[0-9]{1,3})?Z");
        assertThat(device(device.deviceId()).path("credentials"))
                .anySatisfy(credential ->
                        assertThat(credential.path("expiresAt").asText()).isEqualTo(end));
    }
}
