// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.token;

import static io.muster.suite.fixture.RegistryUnderTest.FORM;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import io.muster.spi.TimeLimit;
import io.muster.suite.fixture.ProblemAssert;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.text.ParseException;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Only an unchanged token that this registry signed is accepted: at {@code /introspect} and at {@code /devices/me}. */
@Tag("timing")
@Tag("portable")
class TokenTrustIT {

    private static final RegistryUnderTest REGISTRY = SharedWorld.onMariaDb();
    private static Registered device;
    private static String token;
    private static String[] parts;
    private static ECKey ours;

    @BeforeAll
    static void aGoodToken() throws ParseException {
        device = REGISTRY.newDevice();
        token = REGISTRY.accessToken(device);
        parts = token.split("\\.");
        ours = JWKSet.parse(REGISTRY.get(".well-known/jwks.json").text())
                .getKeyByKeyId(SignedJWT.parse(token).getHeader().getKeyID())
                .toECKey();
        assertThat(REGISTRY.isActive(token)).isTrue();
        assertThat(REGISTRY.ownRecord(token).status()).isEqualTo(200);
    }

    private static void assertRefused(String what, String forged) {
        long started = System.nanoTime();
        Reply introspected = REGISTRY.introspect(forged);
        assertThat(introspected.status()).as(what).isEqualTo(200);
        assertThat(introspected.text()).as(what).isEqualTo("{\"active\":false}");
        Reply own = REGISTRY.ownRecord(forged);
        // A server may call the header too long by itself.
        assertThat(own.status())
                .as(what + ": " + own)
                .isIn(forged.length() < 7000 ? List.of(401) : List.of(401, 400, 431));
        if (own.status() == 401) {
            ProblemAssert.assertProblem(own, 401, "unauthorized");
            assertThat(own.header("WWW-Authenticate").orElse("")).startsWith("Bearer ");
        }
        assertThat(Duration.ofNanos(System.nanoTime() - started))
                .as(what)
                .isLessThan(TimeLimit.of(Duration.ofSeconds(2)));
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static String base64(String text) {
        return base64(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String header(String alg, String more) {
        return base64("{\"alg\":\"" + alg + "\",\"typ\":\"at+jwt\",\"kid\":\"" + ours.getKeyID() + "\"" + more + "}");
    }

    private static String hmac(String alg, String java, byte[] key) throws GeneralSecurityException {
        String input = header(alg, "") + "." + parts[1];
        Mac mac = Mac.getInstance(java);
        mac.init(new SecretKeySpec(key, java));
        return input + "." + base64(mac.doFinal(input.getBytes(StandardCharsets.US_ASCII)));
    }

    /** Returns a token with the claims of the good one, signed with an attacker's key. */
    private static String signed(ECKey key, JWSHeader.Builder header) throws Exception {
        SignedJWT forged = new SignedJWT(
                header.type(new JOSEObjectType("at+jwt")).build(),
                JWTClaimsSet.parse(SignedJWT.parse(token).getJWTClaimsSet().toString()));
        forged.sign(new ECDSASigner(key));
        return forged.serialize();
    }

    @Test
    void tokenThatSaysItIsNotSignedIsRefused() {
        for (String alg : List.of("none", "None", "NONE", "nOnE", "", "null")) {
            for (String signature : List.of("", parts[2], "AA")) {
                assertRefused("alg " + alg, header(alg, "") + "." + parts[1] + "." + signature);
            }
            assertRefused("alg " + alg, header(alg, "") + "." + parts[1]);
        }
    }

    @Test
    void publicKeyIsNoSecretToSignWith() throws Exception {
        byte[] der = ours.toECPublicKey().getEncoded();
        String body = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(der);
        String pem = "-----BEGIN PUBLIC KEY-----\n" + body + "\n-----END PUBLIC KEY-----";
        String jwks = REGISTRY.get(".well-known/jwks.json").text();
        Map<String, byte[]> keys = new LinkedHashMap<>();
        keys.put("DER", der);
        keys.put("PEM", pem.getBytes(StandardCharsets.US_ASCII));
        keys.put("PEM with a line end", (pem + "\n").getBytes(StandardCharsets.US_ASCII));
        keys.put("base64 of DER", Base64.getEncoder().encode(der));
        keys.put("JWK", ours.toJSONString().getBytes(StandardCharsets.UTF_8));
        keys.put(
                "JWK as published",
                Reply.json(jwks.getBytes(StandardCharsets.UTF_8))
                        .path("keys")
                        .get(0)
                        .toString()
                        .getBytes(StandardCharsets.UTF_8));
        keys.put("JWKS", jwks.getBytes(StandardCharsets.UTF_8));
        keys.put("x", ours.getX().decode());
        keys.put("kid", ours.getKeyID().getBytes(StandardCharsets.UTF_8));

        for (Map.Entry<String, byte[]> key : keys.entrySet()) {
            assertRefused("HS256 under " + key.getKey(), hmac("HS256", "HmacSHA256", key.getValue()));
            assertRefused("HS384 under " + key.getKey(), hmac("HS384", "HmacSHA384", key.getValue()));
            assertRefused("HS512 under " + key.getKey(), hmac("HS512", "HmacSHA512", key.getValue()));
            assertRefused("ES256 that is HS256", hmac("ES256", "HmacSHA256", key.getValue()));
        }
    }

    @Test
    void keyOfTheAttackersIsNeverUsedNorFetched() throws Exception {
        ECKey theirs = new ECKeyGenerator(Curve.P_256).keyID(ours.getKeyID()).generate();
        URI keys = URI.create("http://127.0.0.1:" + SharedWorld.stub().port() + "/keys");
        int asked = SharedWorld.stub().asked();

        assertRefused("our kid", signed(theirs, new JWSHeader.Builder(JWSAlgorithm.ES256).keyID(ours.getKeyID())));
        assertRefused("no kid", signed(theirs, new JWSHeader.Builder(JWSAlgorithm.ES256)));
        assertRefused("other kid", signed(theirs, new JWSHeader.Builder(JWSAlgorithm.ES256).keyID("other")));
        assertRefused("jwk", signed(theirs, new JWSHeader.Builder(JWSAlgorithm.ES256).jwk((JWK) theirs.toPublicJWK())));
        assertRefused("jku", signed(theirs, new JWSHeader.Builder(JWSAlgorithm.ES256).jwkURL(keys)));
        assertRefused("x5u", signed(theirs, new JWSHeader.Builder(JWSAlgorithm.ES256).x509CertURL(keys)));
        assertThat(SharedWorld.stub().asked()).isEqualTo(asked);
    }

    @Test
    void kidIsNoPathNoQueryAndNoAddress() throws Exception {
        ECKey theirs = new ECKeyGenerator(Curve.P_256).generate();
        for (String kid : List.of(
                "../../../../dev/null", "' UNION SELECT 1 --", "http://127.0.0.1/", "", "\0", "x".repeat(3000))) {
            assertRefused("kid " + kid, signed(theirs, new JWSHeader.Builder(JWSAlgorithm.ES256).keyID(kid)));
        }
    }

    @Test
    void signatureThatIsDegenerateOrAnotherSpellingIsRefused() {
        byte[] good = Base64.getUrlDecoder().decode(parts[2]);
        byte[] order = new byte[64];
        java.util.Arrays.fill(order, (byte) 0xff);
        byte[] flipped = good.clone();
        flipped[10] ^= 1;
        assertRefused("zero", parts[0] + "." + parts[1] + "." + base64(new byte[64]));
        assertRefused("all bits", parts[0] + "." + parts[1] + "." + base64(order));
        assertRefused("a bit flipped", parts[0] + "." + parts[1] + "." + base64(flipped));
        assertRefused("short", parts[0] + "." + parts[1] + "." + base64(java.util.Arrays.copyOf(good, 63)));
        assertRefused("long", parts[0] + "." + parts[1] + "." + base64(java.util.Arrays.copyOf(good, 65)));
        assertRefused("padded", token + "==");
        assertRefused("unused bits", token.substring(0, token.length() - 1) + other(token.charAt(token.length() - 1)));
        assertRefused("no signature", parts[0] + "." + parts[1] + ".");
        assertRefused("four parts", token + ".x");
        assertRefused("five parts", token + ".x.y");
        assertRefused("two tokens", token + " " + token);
        assertRefused(
                "other claims",
                parts[0] + "." + base64(claims().replace(device.deviceId(), "0".repeat(32))) + "." + parts[2]);
    }

    private static char other(char last) {
        // The last character of 64 bytes holds two unused bits.
        String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        return alphabet.charAt(alphabet.indexOf(last) ^ 1);
    }

    private static String claims() {
        return new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8);
    }

    @Test
    void bombsAreRefusedUnopened() {
        assertRefused("zip", header("ES256", ",\"zip\":\"DEF\"") + "." + parts[1] + "." + parts[2]);
        assertRefused("crit", header("ES256", ",\"crit\":[\"exp\"]") + "." + parts[1] + "." + parts[2]);
        assertRefused("b64", header("ES256", ",\"b64\":false,\"crit\":[\"b64\"]") + "." + parts[1] + "." + parts[2]);
        assertRefused(
                "PBES2",
                base64("{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2c\":2147483647,\"p2s\":\"AAAA\"}")
                        + ".AAAA.AAAA.AAAA.AAAA");
        assertRefused("depth", header("ES256", ",\"x\":" + "[".repeat(2000)) + "." + parts[1] + "." + parts[2]);
        assertRefused("number", header("ES256", ",\"x\":1e999999999") + "." + parts[1] + "." + parts[2]);
        assertRefused("alg twice", header("none", ",\"alg\":\"ES256\"") + "." + parts[1] + "." + parts[2]);
        assertRefused("9 KiB", parts[0] + "." + parts[1] + "." + "A".repeat(9 * 1024));
        assertRefused("60 KiB", parts[0] + "." + "A".repeat(60 * 1024) + "." + parts[2]);
    }

    @Test
    void whatIsNoTokenIsNotActive() {
        for (String text :
                List.of("x", "..", ".", "a.b.c", device.secret(), device.key(), REGISTRY.operatorToken(), "\u00e4")) {
            assertThat(REGISTRY.introspect(text).text()).as(text).isEqualTo("{\"active\":false}");
        }
        ProblemAssert.assertProblem(
                REGISTRY.post("introspect", FORM, "", REGISTRY.asOperator()), 400, "invalid-request");
        ProblemAssert.assertProblem(
                REGISTRY.post("introspect", FORM, "token=", REGISTRY.asOperator()), 400, "invalid-request");
        ProblemAssert.assertProblem(
                REGISTRY.post("introspect", FORM, "token=a&token=b", REGISTRY.asOperator()), 400, "invalid-request");
    }

    @Test
    void authorizationOfTheDeviceIsReadStrictly() {
        for (String header : List.of(
                "Bearer",
                "Bearer ",
                token,
                "Basic " + token,
                "Bearer " + token + " x",
                "Bearer " + token + ",Bearer " + token,
                "Bearer " + REGISTRY.operatorToken())) {
            ProblemAssert.assertProblem(REGISTRY.get("devices/me", "Authorization", header), 401, "unauthorized");
        }
        ProblemAssert.assertProblem(REGISTRY.get("devices/me"), 401, "unauthorized");
        ProblemAssert.assertProblem(REGISTRY.get("devices/me?access_token=" + token), 401, "unauthorized");
        assertThat(REGISTRY.get("devices/me", "Authorization", "bearer " + token)
                        .status())
                .isEqualTo(200);
    }

    @Test
    void publishedKeysArePublicNamedAndCacheable() {
        Reply reply = REGISTRY.get(".well-known/jwks.json");

        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.header("Cache-Control").orElse("")).isEqualTo("public, max-age=300");
        for (JsonNode key : reply.json().path("keys")) {
            for (String secret : List.of("d", "p", "q", "dp", "dq", "qi", "k", "oth")) {
                assertThat(key.has(secret)).as(secret).isFalse();
            }
            assertThat(key.path("kty").asText()).isEqualTo("EC");
            assertThat(key.path("alg").asText()).isEqualTo("ES256");
            assertThat(key.path("use").asText()).isEqualTo("sig");
            assertThat(key.path("kid").asText()).isNotEmpty();
        }
        String tag = reply.header("ETag").orElseThrow();
        Reply unchanged = REGISTRY.get(".well-known/jwks.json", "If-None-Match", tag);
        assertThat(unchanged.status()).isEqualTo(304);
        assertThat(unchanged.body()).isEmpty();
        assertThat(REGISTRY.get(".well-known/jwks.json", "If-None-Match", "\"other\"")
                        .status())
                .isEqualTo(200);
    }
}
