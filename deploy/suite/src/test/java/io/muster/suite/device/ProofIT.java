// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.ECDSASigner;
import io.muster.suite.fixture.Factory;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.interfaces.ECPrivateKey;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Devices that prove themselves by more than their serial: derived evidence, signed tokens, certificates. */
@Tag("portable")
class ProofIT {

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();

    private String fleet(String document) {
        String fleet = "p-" + RegistryUnderTest.unusedSerial().toLowerCase(Locale.ROOT);
        put(fleet, document);
        return fleet;
    }

    private void put(String fleet, String document) {
        Reply reply = registry.send(
                "PUT",
                "api/v1/fleets/" + fleet,
                document.getBytes(StandardCharsets.UTF_8),
                "Authorization",
                "Bearer " + registry.operatorToken(),
                "Content-Type",
                JSON);
        assertThat(reply.status()).as(reply.toString()).isIn(200, 201);
    }

    private Reply register(String fleet, String serial, String evidence) {
        return registry.post(
                "fleets/" + fleet + "/register", JSON, "{\"serial\":\"" + serial + "\",\"evidence\":" + evidence + "}");
    }

    private Reply operator(String path, String body) {
        return registry.post("api/v1/fleets/" + path, JSON, body, registry.asOperator());
    }

    private static void assertRefused(Reply reply) {
        assertProblem(reply, 400, "registration-refused");
    }

    private void assertRegistered(Reply reply, String serial) {
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        Registered device = RegistryUnderTest.receipt(serial, reply);
        assertThat(registry.token(device).status()).isEqualTo(200);
    }

    private static String derived(String key, String serial) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(Base64.getDecoder().decode(key), "HmacSHA256"));
        return "{\"hmac\":\""
                + Base64.getEncoder().encodeToString(mac.doFinal(serial.getBytes(StandardCharsets.US_ASCII))) + "\"}";
    }

    @Test
    void derivedEvidenceRegistersAsLongAsTheKeyIsGood() throws Exception {
        String fleet = fleet("{\"verifiers\":[\"hmac\"]}");
        JsonNode made = operator(fleet + "/enrolment-keys", "{\"maxUses\":2}").json();
        String key = made.path("key").asText();
        List<String> serials = RegistryUnderTest.unusedSerials(4);

        assertRefused(registry.registerIn(fleet, serials.get(0)));
        assertRefused(register(fleet, serials.get(0), derived(key, serials.get(1))));
        assertRegistered(register(fleet, serials.get(0), derived(key, serials.get(0))), serials.get(0));
        assertRegistered(register(fleet, serials.get(1), derived(key, serials.get(1))), serials.get(1));
        assertRefused(register(fleet, serials.get(2), derived(key, serials.get(2))));
        assertThat(registry.listDevices("?tag=enrolmentKey:" + made.path("id").asText())
                        .json()
                        .path("devices"))
                .hasSize(2);

        String next =
                operator(fleet + "/enrolment-keys", "{}").json().path("key").asText();
        assertRegistered(register(fleet, serials.get(2), derived(next, serials.get(2))), serials.get(2));
    }

    @Test
    void azuresExampleRegisters() {
        String fleet = fleet("{\"verifiers\":[\"hmac\"]}");
        String key = "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
        assertThat(operator(fleet + "/enrolment-keys", "{\"key\":\"" + key + "\"}")
                        .status())
                .isEqualTo(201);
        String serial = "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6";

        assertRegistered(
                register(fleet, serial, "{\"hmac\":\"Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=\"}"), serial);
    }

    @Test
    void deviceInTheFieldRegistersWithATokenTheWayItsFirmwareSpeaks() {
        // Only one fleet can have the route, so this test alone uses the preset unchanged.
        put(
                "field",
                "{\"verifiers\":[\"jwt\"],\"wire\":{\"preset\":\"register-device\"},\"deviceName\":\"Pump {serial}\"}");
        String serial = RegistryUnderTest.unusedSerial();
        String token = operator(
                        "field/registration-tokens", "{\"serial\":\"" + serial + "\",\"url\":\"https://x.example\"}")
                .json()
                .path("token")
                .asText();
        String body = "{\"token\":\"%s\",\"manufacturerId\":\"%s\"}";

        Reply reply = registry.post("api/register-device", JSON, body.formatted(token, serial));

        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.type()).isEqualTo(JSON);
        assertThat(reply.json().fieldNames())
                .toIterable()
                .containsExactlyInAnyOrder("deviceId", "accessKey", "accessSecret");
        assertThat(registry.token(
                                reply.json().path("accessKey").asText(),
                                reply.json().path("accessSecret").asText())
                        .status())
                .isEqualTo(200);
        assertThat(registry.devicesOf(serial)
                        .get(0)
                        .path("tags")
                        .path("manufacturerId")
                        .asText())
                .isEqualTo(serial);

        for (String refused : List.of(
                body.formatted(token, serial + "x"),
                body.formatted(token.substring(0, token.length() - 2), RegistryUnderTest.unusedSerial()))) {
            Reply no = registry.post("api/register-device", JSON, refused);
            assertProblem(no, 403, "registration-refused");
            assertThat(no.json().path("error").asText()).isEqualTo("The registration was refused");
        }

        // Short ones, numbers, and any text: a device is whatever presents the token.
        String number = String.valueOf(ThreadLocalRandom.current().nextInt(1000));
        String text = "Pump " + serial + " \u00e9";
        for (String id : List.of(number, text)) {
            String own = operator("field/registration-tokens", "{\"serial\":\"" + id + "\"}")
                    .json()
                    .path("token")
                    .asText();
            String value = id.equals(number) ? id : "\"" + id + "\"";
            Reply registered = registry.post(
                    "api/register-device", JSON, "{\"token\":\"" + own + "\",\"manufacturerId\":" + value + "}");
            assertThat(registered.status()).as(registered.toString()).isEqualTo(200);
            JsonNode device = registry.listDevices(
                            "?fleet=field&serial=" + URLEncoder.encode(id, StandardCharsets.UTF_8))
                    .json()
                    .path("devices")
                    .path(0);
            assertThat(device.path("deviceId")).isEqualTo(registered.json().path("deviceId"));
            assertThat(device.path("name").asText()).isEqualTo("Pump " + id);
            assertThat(device.path("tags").path("manufacturerId").asText()).isEqualTo(id);
        }
    }

    @Test
    void evidenceMayNameTheSerialInAnySpellingThatTheFleetTakesForTheSame() throws Exception {
        String mac = String.format("02%010X", ThreadLocalRandom.current().nextLong(1L << 40));
        String colons = mac.replaceAll("..(?=.)", "$0:").toLowerCase(Locale.ROOT);
        String rules = ",\"serials\":[\"mac\"],\"registerAgain\":\"always\"}";

        String certified = fleet("{\"verifiers\":[\"x509\"]" + rules);
        Factory.Unit unit = SharedWorld.factory().unit(colons);
        assertRefused(register(certified, mac, proof(unit, mac + "0", nonce())));
        assertRegistered(register(certified, mac, proof(unit, colons, nonce())), mac);
        assertRegistered(register(certified, colons, proof(unit, mac, nonce())), mac);
        assertRefused(register(fleet("{\"verifiers\":[\"x509\"]}"), mac, proof(unit, mac, nonce())));

        String told = fleet("{\"verifiers\":[\"jwt\"]" + rules);
        String token = operator(told + "/registration-tokens", "{\"serial\":\"" + colons + "\"}")
                .json()
                .path("token")
                .asText();
        assertRegistered(register(told, colons, "{\"jwt\":\"" + token + "\"}"), mac);
        assertRefused(register(told, "0" + mac, "{\"jwt\":\"" + token + "\"}"));

        String derived = fleet("{\"verifiers\":[\"hmac\"]" + rules);
        String key =
                operator(derived + "/enrolment-keys", "{}").json().path("key").asText();
        assertRegistered(register(derived, colons, derived(key, mac)), mac);
        assertRefused(register(derived, colons, derived(key, colons)));
    }

    private String proof(Factory.Unit unit, String serial, String nonce)
            throws GeneralSecurityException, JOSEException {
        String issuer = registry.get(".well-known/oauth-authorization-server")
                .json()
                .path("issuer")
                .asText();
        JWSObject jws = new JWSObject(
                new JWSHeader.Builder(JWSAlgorithm.ES256)
                        .type(new JOSEObjectType("muster-proof+jwt"))
                        .build(),
                new Payload(Map.<String, Object>of("serial", serial, "aud", issuer, "nonce", nonce)));
        jws.sign(new ECDSASigner((ECPrivateKey) unit.key()));
        return "{\"x509\":{\"chain\":[\""
                + Base64.getEncoder().encodeToString(unit.certificate().getEncoded()) + "\"],\"proof\":\""
                + jws.serialize() + "\"}}";
    }

    private String nonce() {
        Reply reply = registry.send("POST", "nonce", new byte[0]);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply.json().path("nonce").asText();
    }

    @Test
    void deviceWithACertificateProvesThatItHasTheKeyOnceForEachNonce() throws Exception {
        String fleet = fleet("{\"verifiers\":[\"x509\"],\"registerAgain\":\"always\"}");
        String serial = RegistryUnderTest.unusedSerial();
        Factory.Unit unit = SharedWorld.factory().unit(serial);
        Factory.Unit other = SharedWorld.factory().unit(RegistryUnderTest.unusedSerial());
        String nonce = nonce();

        assertRefused(register(fleet, serial, proof(other, serial, nonce)));
        assertRefused(register(fleet, serial, proof(unit, serial, "AQAAAaII")));
        assertRefused(registry.registerIn(fleet, serial));
        assertRegistered(register(fleet, serial, proof(unit, serial, nonce)), serial);
        assertRefused(register(fleet, serial, proof(unit, serial, nonce)));
        assertRegistered(register(fleet, serial, proof(unit, serial, nonce())), serial);
    }
}
