package io.muster.suite;

import static io.muster.suite.ProblemAssert.assertProblem;
import static io.muster.suite.RegistryUnderTest.JSON;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.ECDSASigner;
import io.muster.suite.RegistryUnderTest.Registered;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.interfaces.ECPrivateKey;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Devices that prove themselves by more than their serial: derived evidence, signed tokens, certificates. */
@Tag("portable")
class ProofIT {

    private final RegistryUnderTest registry = Registries.onMariaDb();

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
        // One fleet has the route, so this test is the only one to use the preset as it is.
        put("field", "{\"verifiers\":[\"jwt\"],\"wire\":{\"preset\":\"register-device\"}}");
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

        assertRefused(registry.post("api/register-device", JSON, body.formatted(token, serial + "x")));
        assertRefused(registry.post(
                "api/register-device",
                JSON,
                body.formatted(token.substring(0, token.length() - 2), RegistryUnderTest.unusedSerial())));
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
        Factory.Unit unit = Registries.factory().unit(serial);
        Factory.Unit other = Registries.factory().unit(RegistryUnderTest.unusedSerial());
        String nonce = nonce();

        assertRefused(register(fleet, serial, proof(other, serial, nonce)));
        assertRefused(register(fleet, serial, proof(unit, serial, "AQAAAaII")));
        assertRefused(registry.registerIn(fleet, serial));
        assertRegistered(register(fleet, serial, proof(unit, serial, nonce)), serial);
        assertRefused(register(fleet, serial, proof(unit, serial, nonce)));
        assertRegistered(register(fleet, serial, proof(unit, serial, nonce())), serial);
    }
}
