// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jwt.SignedJWT;
import io.jsonwebtoken.JwtBuilder;
import io.jsonwebtoken.Jwts;
import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.config.ConfigurationException;
import io.muster.credential.AuthenticatedDevice;
import io.muster.jose.JwtJson;
import io.muster.json.Json;
import io.muster.spi.Candidates;
import io.muster.spi.Verdict;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import org.jose4j.jwa.AlgorithmConstraints.ConstraintType;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwt.NumericDate;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.keys.resolvers.JwksVerificationKeyResolver;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class AccessTokenTest {

    private static final Instant NOW = TestRegistry.NOW;
    private static final String ISSUER = "https://registry.example";

    private static TestNode registry;
    private static RegistrationReceipt receipt;
    private static String good;

    @BeforeAll
    static void start() {
        registry = TestRegistry.fresh()
                .with("muster.fleet.default.verifiers", "yes")
                .with("yes", candidate -> Verdict.genuine())
                .start();
        receipt = registry.registrar().register(Candidates.withSerial("SN-0001"));
        good = registry.tokenIssuer().issue(device());
    }

    @AfterAll
    static void stop() {
        registry.close();
    }

    private static AuthenticatedDevice device() {
        return registry.authenticator()
                .authenticate(receipt.key(), receipt.secret())
                .orElseThrow();
    }

    @Test
    void issuedTokenIsVerified() {
        VerifiedToken token = registry.tokenVerifier().verify(good).orElseThrow();

        assertThat(token.deviceId().value()).isEqualTo(receipt.deviceId());
        assertThat(token.key()).isEqualTo(receipt.key());
        assertThat(token.fleet()).isEqualTo("default");
        assertThat(token.expiresAt()).isEqualTo(NOW.plus(Duration.ofMinutes(15)));
    }

    @Test
    void anotherLibraryVerifiesItFromThePublishedKeys() throws Exception {
        JWKSet published = JWKSet.parse(Json.text(registry.signingKeys().publicKeys()));
        SignedJWT jwt = SignedJWT.parse(good);
        ECKey key = published.getKeyByKeyId(jwt.getHeader().getKeyID()).toECKey();

        assertThat(jwt.verify(new ECDSAVerifier(key))).isTrue();
        assertThat(key.computeThumbprint().toString()).isEqualTo(key.getKeyID());
        assertThat(jwt.getHeader().getType()).isEqualTo(new JOSEObjectType("at+jwt"));
        assertThat(jwt.getJWTClaimsSet().getSubject()).isEqualTo(receipt.deviceId());
        assertThat(jwt.getJWTClaimsSet().getAudience()).containsExactly(ISSUER);
        assertThat(jwt.getJWTClaimsSet().getStringClaim("client_id")).isEqualTo(receipt.key());
        assertThat(jwt.getJWTClaimsSet().getJWTID()).isNotBlank();
    }

    @Test
    void publishedKeysHaveNoPrivateMember() {
        String published = Json.text(registry.signingKeys().publicKeys());

        assertThat(published).doesNotContain("\"d\"").doesNotContain("\"k\"").doesNotContain("\"p\"");
    }

    /** Returns a token as the registry would issue it, before the test changes it. */
    private static JwtBuilder builder() {
        return Jwts.builder()
                .json(new JwtJson())
                .header()
                .type("at+jwt")
                .keyId(registry.signingKeys().current().kid())
                .and()
                .issuer(ISSUER)
                .subject(receipt.deviceId())
                .claim("aud", ISSUER)
                .issuedAt(Date.from(NOW))
                .expiration(Date.from(NOW.plusSeconds(900)))
                .id("an-id")
                .claim("client_id", receipt.key())
                .claim("fleet", "default");
    }

    private static PrivateKey ours() {
        return registry.signingKeys().current().pair().getPrivate();
    }

    private static String signed(Consumer<JwtBuilder> change) {
        JwtBuilder builder = builder();
        change.accept(builder);
        return builder.signWith(ours(), Jwts.SIG.ES256).compact();
    }

    /**
     * Signs any header and any payload with the registry's own key, which no attacker has: the checks must hold even
     * then.
     */
    private static String signedRaw(String header, byte[] payload) throws Exception {
        return signedRaw(header, payload, ours());
    }

    private static String signedRaw(String header, byte[] payload, PrivateKey key) throws Exception {
        String input = base64(header.getBytes(StandardCharsets.UTF_8)) + "." + base64(payload);
        Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
        signature.initSign(key);
        signature.update(input.getBytes(StandardCharsets.US_ASCII));
        return input + "." + base64(signature.sign());
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static Map<String, Object> claims() {
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("iss", ISSUER);
        claims.put("sub", receipt.deviceId());
        claims.put("aud", ISSUER);
        claims.put("iat", NOW.getEpochSecond());
        claims.put("exp", NOW.getEpochSecond() + 900);
        claims.put("jti", "an-id");
        claims.put("client_id", receipt.key());
        claims.put("fleet", "default");
        return claims;
    }

    private static String header(String... more) {
        return "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\""
                + registry.signingKeys().current().kid() + "\"" + String.join("", more) + "}";
    }

    private static String rawWith(String member, Object value) throws Exception {
        Map<String, Object> claims = claims();
        claims.put(member, value);
        return signedRaw(header(), Json.bytes(claims));
    }

    private static String rawWithout(String member) throws Exception {
        Map<String, Object> claims = claims();
        claims.remove(member);
        return signedRaw(header(), Json.bytes(claims));
    }

    private static String hmac(byte[] key, String alg) {
        try {
            String header = "{\"alg\":\"" + alg + "\",\"typ\":\"at+jwt\",\"kid\":\""
                    + registry.signingKeys().current().kid() + "\"}";
            String input = base64(header.getBytes(StandardCharsets.UTF_8)) + "." + base64(Json.bytes(claims()));
            javax.crypto.Mac mac = javax.crypto.Mac.getInstance("HmacSHA256");
            mac.init(new javax.crypto.spec.SecretKeySpec(key, "HmacSHA256"));
            return input + "." + base64(mac.doFinal(input.getBytes(StandardCharsets.US_ASCII)));
        } catch (java.security.GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] deflated(byte[] plain) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflater = new DeflaterOutputStream(out, new Deflater(9, true))) {
            deflater.write(plain);
        }
        return out.toByteArray();
    }

    /** A token that must be refused. */
    private record Mutant(String name, Maker maker) {

        @FunctionalInterface
        interface Maker {
            String make() throws Exception;
        }
    }

    @TestFactory
    Stream<DynamicTest> everyMutantIsRefused() throws Exception {
        KeyPair foreign = SigningKey.generate(SigningAlgorithm.ES256).pair();
        byte[] publicKey = registry.signingKeys().current().pair().getPublic().getEncoded();
        String pem = "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(publicKey) + "\n-----END PUBLIC KEY-----";
        String[] parts = good.split("\\.");
        byte[] bomb = new byte[5_000_000];
        Arrays.fill(bomb, (byte) ' ');
        List<Mutant> mutants = new java.util.ArrayList<>(List.of(
                new Mutant(
                        "alg none without a signature",
                        () -> base64("{\"alg\":\"none\",\"typ\":\"at+jwt\"}".getBytes(StandardCharsets.UTF_8)) + "."
                                + parts[1] + "."),
                new Mutant(
                        "alg none with the old signature",
                        () -> base64("{\"alg\":\"none\",\"typ\":\"at+jwt\"}".getBytes(StandardCharsets.UTF_8)) + "."
                                + parts[1] + "." + parts[2]),
                new Mutant("HMAC under the public key as DER", () -> hmac(publicKey, "HS256")),
                new Mutant(
                        "HMAC under the public key as PEM",
                        () -> hmac(pem.getBytes(StandardCharsets.US_ASCII), "HS256")),
                new Mutant(
                        "HMAC under the public key as PEM with a final newline",
                        () -> hmac((pem + "\n").getBytes(StandardCharsets.US_ASCII), "HS256")),
                new Mutant(
                        "HMAC under the public key as JWK",
                        () -> hmac(Json.bytes(registry.signingKeys().current().jwk()), "HS256")),
                new Mutant("HMAC that calls itself ES256", () -> hmac(publicKey, "ES256")),
                new Mutant("another key under our kid", () -> builder()
                        .signWith(foreign.getPrivate(), Jwts.SIG.ES256)
                        .compact()),
                new Mutant(
                        "another key, brought along as jwk",
                        () -> signedRaw(
                                header(",\"jwk\":"
                                        + Json.text(SigningKey.generate(SigningAlgorithm.ES256)
                                                .jwk())),
                                Json.bytes(claims()),
                                foreign.getPrivate())),
                new Mutant(
                        "another key, brought along as jwk with a kid of its own",
                        () -> signedRaw(
                                "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"mine\",\"jwk\":"
                                        + Json.text(SigningKey.generate(SigningAlgorithm.ES256)
                                                .jwk()) + "}",
                                Json.bytes(claims()),
                                foreign.getPrivate())),
                new Mutant(
                        "another key, to be fetched by jku",
                        () -> signedRaw(
                                header(",\"jku\":\"http://127.0.0.1:1/keys\""),
                                Json.bytes(claims()),
                                foreign.getPrivate())),
                new Mutant(
                        "another key, to be fetched by x5u",
                        () -> signedRaw(
                                header(",\"x5u\":\"http://127.0.0.1:1/cert\""),
                                Json.bytes(claims()),
                                foreign.getPrivate())),
                new Mutant(
                        "our key, under the name of another algorithm that we have",
                        () -> signedRaw(header().replace("ES256", "EdDSA"), Json.bytes(claims()))),
                new Mutant("another key of another algorithm under our kid", () -> builder()
                        .signWith(
                                SigningKey.generate(SigningAlgorithm.EDDSA)
                                        .pair()
                                        .getPrivate(),
                                Jwts.SIG.EdDSA)
                        .compact()),
                new Mutant("an unknown kid", () -> signed(b -> b.header().keyId("../../dev/null"))),
                new Mutant("no kid", () -> signedRaw("{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", Json.bytes(claims()))),
                new Mutant("a kid that is SQL", () -> signed(b -> b.header().keyId("' UNION SELECT 1 --"))),
                new Mutant("another issuer", () -> signed(b -> b.issuer("https://other.example"))),
                new Mutant("an issuer that ours begins", () -> signed(b -> b.issuer(ISSUER + ".example"))),
                new Mutant("another audience", () -> signed(b -> b.claim("aud", "https://other.example"))),
                new Mutant("two audiences", () -> rawWith("aud", List.of(ISSUER, "https://other.example"))),
                new Mutant("no audience", () -> rawWithout("aud")),
                new Mutant("an audience that ours begins", () -> rawWith("aud", ISSUER + "/x")),
                new Mutant("no exp", () -> rawWithout("exp")),
                new Mutant(
                        "exp null",
                        () -> signedRaw(
                                header(),
                                new String(Json.bytes(claims()), StandardCharsets.UTF_8)
                                        .replaceFirst("\"exp\":\\d+", "\"exp\":null")
                                        .getBytes(StandardCharsets.UTF_8))),
                new Mutant("exp a second ago", () -> rawWith("exp", NOW.getEpochSecond() - 1)),
                new Mutant("exp this second", () -> rawWith("exp", NOW.getEpochSecond())),
                new Mutant("no iat", () -> rawWithout("iat")),
                new Mutant("iat in two minutes", () -> rawWith("iat", NOW.getEpochSecond() + 120)),
                new Mutant("no jti", () -> rawWithout("jti")),
                new Mutant("no sub", () -> rawWithout("sub")),
                new Mutant("a sub that is no device id", () -> rawWith("sub", "admin")),
                new Mutant("no client_id", () -> rawWithout("client_id")),
                new Mutant("a client_id that nobody has", () -> rawWith("client_id", "0000000000000000000000")),
                new Mutant("a client_id that is a number", () -> rawWith("client_id", 5)),
                new Mutant("no fleet", () -> rawWithout("fleet")),
                new Mutant("bound by a certificate", () -> rawWith("cnf", Map.of("x5t#S256", "x"))),
                new Mutant("bound in two ways", () -> rawWith("cnf", Map.of("jkt", "x", "x5t#S256", "x"))),
                new Mutant("bound to a number", () -> rawWith("cnf", Map.of("jkt", 5))),
                new Mutant("bound by a text", () -> rawWith("cnf", "x")),
                new Mutant("typ JWT", () -> signed(b -> b.header().type("JWT"))),
                new Mutant(
                        "no typ", () -> signedRaw(header().replace(",\"typ\":\"at+jwt\"", ""), Json.bytes(claims()))),
                new Mutant("typ in another case", () -> signed(b -> b.header().type("AT+JWT"))),
                new Mutant(
                        "an unknown critical header",
                        () -> signedRaw(header(",\"crit\":[\"x\"],\"x\":1"), Json.bytes(claims()))),
                new Mutant(
                        "b64 false",
                        () -> signedRaw(header(",\"crit\":[\"b64\"],\"b64\":false"), Json.bytes(claims()))),
                new Mutant("a zip", () -> signedRaw(header(",\"zip\":\"DEF\""), deflated(Json.bytes(claims())))),
                new Mutant("a zip bomb", () -> signedRaw(header(",\"zip\":\"DEF\""), deflated(bomb))),
                new Mutant(
                        "a claim twice",
                        () -> signedRaw(
                                header(),
                                new String(Json.bytes(claims()), StandardCharsets.UTF_8)
                                        .replaceFirst("\\{", "{\"iss\":\"x\",")
                                        .getBytes(StandardCharsets.UTF_8))),
                new Mutant("a header twice", () -> signedRaw(header(",\"kid\":\"x\""), Json.bytes(claims()))),
                new Mutant(
                        "text after the claims",
                        () -> signedRaw(header(), (Json.text(claims()) + "x").getBytes(StandardCharsets.UTF_8))),
                new Mutant(
                        "claims that are an array", () -> signedRaw(header(), "[]".getBytes(StandardCharsets.UTF_8))),
                new Mutant(
                        "claims that are not UTF-8",
                        () -> signedRaw(
                                header(),
                                Json.text(claims())
                                        .replace("default", "d\u00e9")
                                        .getBytes(StandardCharsets.ISO_8859_1))),
                new Mutant(
                        "a payload of depth 40",
                        () -> signedRaw(
                                header(),
                                Json.text(claims())
                                        .replaceFirst("\\{", "{\"x\":" + "[".repeat(40) + "]".repeat(40) + ",")
                                        .getBytes(StandardCharsets.UTF_8))),
                new Mutant("over 8 KiB", () -> rawWith("x", "x".repeat(9000))),
                new Mutant(
                        "another payload",
                        () -> parts[0] + "." + base64(Json.bytes(Map.of("iss", ISSUER))) + "." + parts[2]),
                new Mutant("no signature", () -> parts[0] + "." + parts[1] + "."),
                new Mutant("two parts", () -> parts[0] + "." + parts[1]),
                new Mutant("four parts", () -> good + ".x"),
                new Mutant("five parts, as a JWE", () -> good + ".x.y"),
                new Mutant("a blank before", () -> " " + good),
                new Mutant("a line feed after", () -> good + "\n"),
                new Mutant("padding", () -> good + "="),
                new Mutant("standard base64", () -> good.replace('-', '+').replace('_', '/') + "+"),
                new Mutant(
                        "unused bits set",
                        () -> good.substring(0, good.length() - 1) + (char) (good.charAt(good.length() - 1) + 1)),
                new Mutant("a zero signature", () -> parts[0] + "." + parts[1] + "." + base64(new byte[64])),
                new Mutant("a signature in DER", () -> {
                    Signature der = Signature.getInstance("SHA256withECDSA");
                    der.initSign(ours());
                    der.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
                    return parts[0] + "." + parts[1] + "." + base64(der.sign());
                }),
                new Mutant("nothing", () -> ""),
                new Mutant("dots", () -> "..")));
        for (String none : List.of("None", "NONE", "nOnE", "")) {
            mutants.add(new Mutant(
                    "alg \"" + none + "\"",
                    () -> base64(("{\"alg\":\"" + none + "\",\"typ\":\"at+jwt\"}").getBytes(StandardCharsets.UTF_8))
                            + "." + parts[1] + "." + parts[2]));
        }
        for (int i = 0; i < good.length(); i += 7) {
            int at = i;
            char other = good.charAt(at) == 'A' ? 'B' : 'A';
            mutants.add(new Mutant(
                    "another character at " + at, () -> good.substring(0, at) + other + good.substring(at + 1)));
        }
        return mutants.stream()
                .map(mutant -> DynamicTest.dynamicTest(mutant.name(), () -> assertThat(
                                registry.tokenVerifier().verify(mutant.maker().make()))
                        .isEmpty()));
    }

    @Test
    void theMutantsStartFromATokenThatIsAccepted() throws Exception {
        assertThat(registry.tokenVerifier().verify(signed(b -> {}))).isPresent();
        assertThat(registry.tokenVerifier().verify(signedRaw(header(), Json.bytes(claims()))))
                .isPresent();
        assertThat(registry.tokenVerifier().verify(rawWith("exp", NOW.getEpochSecond() + 1)))
                .isPresent();
        assertThat(registry.tokenVerifier().verify(rawWith("iat", NOW.getEpochSecond() + 60)))
                .isPresent();
    }

    @Test
    void tokenOfEd25519IsVerifiedHereAndByAnotherLibraryAndItsKeyIsPinned() throws Exception {
        try (TestNode own = TestRegistry.fresh()
                .with("muster.token.algorithm", "eddsa")
                .with("muster.fleet.default.verifiers", "yes")
                .with("yes", candidate -> Verdict.genuine())
                .start()) {
            RegistrationReceipt one = own.registrar().register(Candidates.withSerial("SN-0003"));
            String token = own.tokenIssuer()
                    .issue(own.authenticator()
                            .authenticate(one.key(), one.secret())
                            .orElseThrow());
            String keys = Json.text(own.signingKeys().publicKeys());
            JWK key = JWKSet.parse(keys).getKeys().get(0);

            assertThat(own.tokenVerifier().verify(token)).isPresent();
            assertThat(new JwtConsumerBuilder()
                            .setVerificationKeyResolver(
                                    new JwksVerificationKeyResolver(new JsonWebKeySet(keys).getJsonWebKeys()))
                            .setJwsAlgorithmConstraints(ConstraintType.PERMIT, "EdDSA")
                            .setExpectedAudience(ISSUER)
                            .setEvaluationTime(NumericDate.fromMilliseconds(NOW.toEpochMilli()))
                            .build()
                            .processToClaims(token)
                            .getSubject())
                    .isEqualTo(one.deviceId());
            assertThat(key.computeThumbprint().toString()).isEqualTo(key.getKeyID());
            assertThat(key.isPrivate()).isFalse();
            assertThat(key.getAlgorithm().getName()).isEqualTo("EdDSA");

            String[] parts = token.split("\\.");
            String header = "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"" + key.getKeyID() + "\"}";
            byte[] claims = Base64.getUrlDecoder().decode(parts[1]);
            assertThat(own.tokenVerifier().verify(signedRaw(header, claims))).isEmpty();
            assertThat(own.tokenVerifier()
                            .verify(base64(header.getBytes(StandardCharsets.UTF_8)) + "." + parts[1] + "." + parts[2]))
                    .isEmpty();
        }
    }

    @Test
    void rememberedTokenStillExpires() {
        TestClock clock = new TestClock();
        try (TestNode moving = TestRegistry.fresh()
                .with("muster.fleet.default.verifiers", "yes")
                .with("yes", candidate -> Verdict.genuine())
                .with(clock)
                .start()) {
            RegistrationReceipt own = moving.registrar().register(Candidates.withSerial("SN-0002"));
            String token = moving.tokenIssuer()
                    .issue(moving.authenticator()
                            .authenticate(own.key(), own.secret())
                            .orElseThrow());
            assertThat(moving.tokenVerifier().verify(token)).isPresent();

            clock.pass(Duration.ofSeconds(899));
            assertThat(moving.tokenVerifier().verify(token)).isPresent();
            clock.pass(Duration.ofSeconds(1));
            assertThat(moving.tokenVerifier().verify(token)).isEmpty();
        }
    }

    @Test
    void lifetimeOver24HoursRefusesToStart() {
        assertThatThrownBy(() -> TestRegistry.fresh()
                        .with("muster.token.lifetime", "PT48H")
                        .start())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("muster.token.lifetime")
                .hasMessageContaining("PT24H");
    }

    @Test
    void everyInstallationHasKeysOfItsOwn() {
        try (TestNode other = TestRegistry.fresh().start()) {
            assertThat(other.signingKeys().current().kid())
                    .isNotEqualTo(registry.signingKeys().current().kid());
        }
    }

    @Test
    void nodesOfOneDatabaseShareTheKeys() {
        TestRegistry test = TestRegistry.fresh();
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            assertThat(two.signingKeys().publicKeys())
                    .isEqualTo(one.signingKeys().publicKeys());
        }
    }

    @Test
    void nodeWithAnotherMasterKeyRefusesToStart() throws IOException {
        TestRegistry test = TestRegistry.fresh();
        TestNode one = test.start();
        try (one) {
            Path other = test.dataDir().resolve("other-master-key");
            Files.writeString(other, Base64.getEncoder().encodeToString(new byte[32]));

            assertThatThrownBy(() -> test.with("muster.master-key-file", other.toString())
                            .start())
                    .isInstanceOf(ConfigurationException.class)
                    .hasMessageContaining("muster.master-key-file");
            assertThatThrownBy(() -> test.with("muster.master-key-file", other + "-missing")
                            .start())
                    .isInstanceOf(ConfigurationException.class)
                    .hasMessageContaining("is missing");
        }
    }

    @Test
    void masterKeyIsReadableByItsOwnerOnly() throws IOException {
        TestRegistry test = TestRegistry.fresh();
        test.start().close();

        assertThat(Files.getPosixFilePermissions(test.dataDir().resolve("master-key")))
                .hasSize(2);
        assertThat(Files.getPosixFilePermissions(test.dataDir().resolve("operator-token")))
                .hasSize(2);
    }

    @Test
    void thisPlatformRefusesTheZeroSignature() throws Exception {
        // CVE-2022-21449: JDK 15 to 17.0.2 accepted r = s = 0 for every message.
        Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
        signature.initVerify(registry.signingKeys().current().pair().getPublic());
        signature.update(new byte[] {1});
        boolean accepted;
        try {
            accepted = signature.verify(new byte[64]);
        } catch (java.security.SignatureException e) {
            accepted = false;
        }
        assertThat(accepted).isFalse();
    }
}
