// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.jwt;

import static io.muster.verification.jwt.JwtFixture.CLOCK;
import static io.muster.verification.jwt.JwtFixture.offering;
import static io.muster.verification.jwt.JwtFixture.withKeys;
import static io.muster.verification.jwt.JwtFixture.withSecret;
import static io.muster.verification.jwt.Tokens.NOW;
import static io.muster.verification.jwt.Tokens.claims;
import static io.muster.verification.jwt.Tokens.es256;
import static io.muster.verification.jwt.Tokens.header;
import static io.muster.verification.jwt.Tokens.hs256;
import static io.muster.verification.jwt.Tokens.sign;
import static io.muster.verification.jwt.Tokens.with;
import static io.muster.verification.jwt.Tokens.without;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import io.muster.TestRegistry;
import io.muster.config.ConfigurationException;
import io.muster.json.Json;
import io.muster.once.Use;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialVerifier;
import io.muster.spi.SerialVerifierContract;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import io.muster.verification.Proof;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JwtVerifierTest {

    @Nested
    class WithSecret implements SerialVerifierContract {
        @Override
        public SerialVerifier verifier() {
            return withSecret();
        }

        @Override
        public Optional<Candidate> genuine() {
            return Optional.of(offering(hs256(claims())));
        }

        @Override
        public Candidate notGenuine() {
            return offering("SN-0002", hs256(claims()));
        }
    }

    @Nested
    class WithKeysFile implements SerialVerifierContract {
        @Override
        public SerialVerifier verifier() {
            return withKeys(Tokens.jwks());
        }

        @Override
        public Optional<Candidate> genuine() {
            return Optional.of(offering(es256(claims())));
        }

        @Override
        public Candidate notGenuine() {
            return offering(hs256(claims()));
        }
    }

    private static String reason(JwtVerifier verifier, Candidate candidate) {
        Verdict verdict = verifier.verify(candidate);
        assertThat(verdict).isInstanceOf(Verdict.Refused.class);
        return ((Verdict.Refused) verdict).reason();
    }

    @ParameterizedTest
    @CsvSource({"ES256,ec", "RS256,rsa", "EdDSA,ed", "ES256,", "RS256,", "EdDSA,"})
    void everyAlgorithmIsAcceptedWithItsKeyNamedOrTheOnlyOne(String algorithm, String kid) {
        String token = sign(algorithm, header(algorithm, kid), claims());

        assertThat(withKeys(Tokens.jwks()).verify(offering(token))).isEqualTo(Verdict.genuine());
    }

    @Test
    void ed25519MaySignUnderTheNameOfRfc9864() {
        assertThat(withKeys(Tokens.jwks()).verify(offering(sign("EdDSA", header("Ed25519", "ed"), claims()))))
                .isEqualTo(Verdict.genuine());
    }

    @Test
    void tokenThatNimbusMakesAsAWholeIsAccepted() throws Exception {
        SignedJWT token = new SignedJWT(
                new JWSHeader(JWSAlgorithm.HS256),
                new JWTClaimsSet.Builder()
                        .issuer(Tokens.ISSUER)
                        .subject(Tokens.SERIAL)
                        .expirationTime(Date.from(TestRegistry.NOW.plusSeconds(60)))
                        .build());
        token.sign(new MACSigner(Tokens.SECRET));

        assertThat(withSecret().verify(offering(token.serialize()))).isEqualTo(Verdict.genuine());
    }

    @Test
    void singleJwkIsAKeysFileToo() {
        String jwk = Json.text(Tokens.jwk(Tokens.EC.getPublic(), "ec"));

        assertThat(withKeys(jwk).verify(offering(es256(claims())))).isEqualTo(Verdict.genuine());
    }

    @Test
    void noTokenAtAllIsUnknown() {
        assertThat(withSecret().verify(Candidates.withSerial(Tokens.SERIAL))).isEqualTo(Verdict.unknown());
        assertThat(withSecret("evidence", "token").verify(offering(hs256(claims()))))
                .isEqualTo(Verdict.unknown());
    }

    @Test
    void tokenIsReadFromTheConfiguredMember() {
        assertThat(withSecret("evidence", "token")
                        .verify(Candidates.withEvidence(Tokens.SERIAL, Map.of("token", hs256(claims())))))
                .isEqualTo(Verdict.genuine());
    }

    /** One of them is good: the first. */
    private static Map<String, Object> mutants() throws Exception {
        Map<String, Object> mutants = new LinkedHashMap<>();
        String good = es256(claims());
        String[] parts = good.split("\\.");
        mutants.put("good", good);

        mutants.put("not a text", 5);
        mutants.put("a list with the token", List.of(good));
        mutants.put("an object with the token", Map.of("token", good));
        mutants.put("nothing", "");
        mutants.put("dots", "..");
        mutants.put("two parts", parts[0] + "." + parts[1]);
        mutants.put("no signature", parts[0] + "." + parts[1] + ".");
        mutants.put("four parts", good + "." + parts[2]);
        mutants.put("five parts, as if encrypted", good + ".AA.AA");
        mutants.put("a blank in front", " " + good);
        mutants.put("a line break at the end", good + "\n");
        mutants.put("Bearer in front", "Bearer " + good);
        mutants.put("padding", good + "=");
        mutants.put("another alphabet", parts[0] + "." + parts[1] + "." + parts[2].replaceAll("[-_]", "+") + "+");
        mutants.put("9 kB", parts[0] + "." + "A".repeat(9000) + "." + parts[2]);
        mutants.put("1 MB", parts[0] + "." + "A".repeat(1 << 20) + "." + parts[2]);
        mutants.put(
                "signature of another token",
                parts[0] + "." + parts[1] + "."
                        + es256(with(claims(), "jti", "other")).split("\\.")[2]);
        mutants.put("a bit of the signature", flip(good, good.length() - 20));
        mutants.put("the unused bits of the signature", lastCharacter(good));
        mutants.put(
                "another payload",
                parts[0] + "." + Tokens.encode(Json.bytes(with(claims(), "sub", Tokens.SERIAL + "0"))) + "."
                        + parts[2]);
        mutants.put("signature of zeros", parts[0] + "." + parts[1] + "." + Tokens.encode(new byte[64]));
        mutants.put("signature of one byte", parts[0] + "." + parts[1] + ".AA");
        mutants.put("signature in DER", parts[0] + "." + parts[1] + "." + Tokens.encode(new byte[72]));

        for (String none : List.of("none", "None", "NONE", "nOnE", "")) {
            mutants.put("alg " + none + " with the signature", sign("ES256", header(none, "ec"), claims()));
            mutants.put(
                    "alg " + none + " and no signature",
                    Tokens.encode(Json.bytes(header(none, "ec"))) + "." + parts[1] + ".");
        }
        mutants.put("no alg", sign("ES256", without(header("ES256", "ec"), "alg"), claims()));
        mutants.put("alg a list", sign("ES256", with(header("ES256", "ec"), "alg", List.of("ES256")), claims()));
        mutants.put("alg null", sign("ES256", with(header("ES256", "ec"), "alg", null), claims()));
        mutants.put("alg es256", sign("ES256", header("es256", "ec"), claims()));
        mutants.put("alg ES384", sign("ES256", header("ES384", "ec"), claims()));
        mutants.put("alg RS256 by the EC key", sign("ES256", header("RS256", "ec"), claims()));
        mutants.put("alg PS256 by the RSA key", sign("PS256", header("PS256", "rsa"), claims()));
        mutants.put("PSS under the name of RS256", sign("PS256", header("RS256", "rsa"), claims()));
        mutants.put("the RSA key under the EC key's kid", sign("RS256", header("RS256", "ec"), claims()));
        mutants.put("alg Ed25519 by the EC key", sign("ES256", header("Ed25519", "ec"), claims()));
        mutants.put("alg Ed448", sign("EdDSA", header("Ed448", "ed"), claims()));
        byte[] der = Tokens.EC.getPublic().getEncoded();
        mutants.put("HS256 by the public key, DER", Tokens.hs256By(der, header("HS256", "ec"), claims()));
        mutants.put("HS256 by the public key, PEM", Tokens.hs256By(pem(der), header("HS256", "ec"), claims()));
        mutants.put(
                "HS256 by the public key, JWK",
                Tokens.hs256By(Json.bytes(Tokens.jwk(Tokens.EC.getPublic(), "ec")), header("HS256", "ec"), claims()));
        mutants.put(
                "HS256 by the public RSA key",
                Tokens.hs256By(Tokens.RSA.getPublic().getEncoded(), header("HS256", "rsa"), claims()));
        mutants.put("HS256 by a key of zeros", Tokens.hs256By(new byte[32], header("HS256", "ec"), claims()));

        for (String kid : List.of(
                "../../dev/null",
                "' UNION SELECT 'x",
                "ec\u0000",
                "EC",
                " ec",
                "",
                "https://127.0.0.1/k",
                "x".repeat(4000))) {
            mutants.put(
                    "kid " + kid.substring(0, Math.min(20, kid.length())),
                    sign("ES256", header("ES256", kid), claims()));
        }
        mutants.put("kid a number", sign("ES256", with(header("ES256", "ec"), "kid", 1), claims()));
        mutants.put("kid null", sign("ES256", with(header("ES256", "ec"), "kid", null), claims()));
        mutants.put("kid of another key", sign("ES256", header("ES256", "rsa"), claims()));

        Map<String, Object> own = Tokens.jwk(Tokens.EC.getPublic(), "ec");
        mutants.put("jwk", sign("ES256", with(header("ES256", "ec"), "jwk", own), claims()));
        mutants.put("jku", sign("ES256", with(header("ES256", "ec"), "jku", "http://127.0.0.1:1/jwks"), claims()));
        mutants.put("x5u", sign("ES256", with(header("ES256", "ec"), "x5u", "http://127.0.0.1:1/c"), claims()));
        mutants.put("x5c", sign("ES256", with(header("ES256", "ec"), "x5c", List.of("AAAA")), claims()));
        mutants.put(
                "crit", sign("ES256", with(with(header("ES256", "ec"), "crit", List.of("exp")), "exp", 1), claims()));
        mutants.put(
                "b64",
                sign("ES256", with(with(header("ES256", "ec"), "crit", List.of("b64")), "b64", false), claims()));
        mutants.put("b64 without crit", sign("ES256", with(header("ES256", "ec"), "b64", false), claims()));
        mutants.put("zip", zipped());
        mutants.put("typ at+jwt", sign("ES256", with(header("ES256", "ec"), "typ", "at+jwt"), claims()));
        mutants.put("typ dpop+jwt", sign("ES256", with(header("ES256", "ec"), "typ", "dpop+jwt"), claims()));
        mutants.put("typ a number", sign("ES256", with(header("ES256", "ec"), "typ", 1), claims()));
        mutants.put(
                "a member of the header twice",
                sign("ES256", "{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"ec\"}", Json.bytes(claims())));
        mutants.put(
                "a deep header",
                sign(
                        "ES256",
                        "{\"alg\":\"ES256\",\"kid\":\"ec\",\"x\":" + "[".repeat(1000) + "]".repeat(1000) + "}",
                        Json.bytes(claims())));
        mutants.put("a header that is an array", sign("ES256", "[\"ES256\"]", Json.bytes(claims())));

        for (String text :
                List.of("[]", "\"x\"", "null", "{", "{} {}", "{\"iss\":\"a\",\"iss\":\"" + Tokens.ISSUER + "\"}")) {
            mutants.put(
                    "payload " + text,
                    sign("ES256", Json.text(header("ES256", "ec")), text.getBytes(StandardCharsets.UTF_8)));
        }
        mutants.put(
                "a deep payload",
                sign(
                        "ES256",
                        Json.text(header("ES256", "ec")),
                        Json.text(claims())
                                .replace("\"id-1\"", "[".repeat(1000) + "]".repeat(1000))
                                .getBytes(StandardCharsets.UTF_8)));
        mutants.put(
                "a payload not in UTF-8",
                sign(
                        "ES256",
                        Json.text(header("ES256", "ec")),
                        Json.text(claims()).replace("id-1", "\u00e4").getBytes(StandardCharsets.ISO_8859_1)));

        claim(mutants, "iss", "https://factory.example/", "HTTPS://factory.example", null, 5, List.of(Tokens.ISSUER));
        mutants.put("no iss", es256(without(claims(), "iss")));
        claim(
                mutants,
                "sub",
                "SN-0002",
                "sn-0001",
                "SN-0001 ",
                "SN-000",
                null,
                1,
                List.of(Tokens.SERIAL),
                Map.of("a", 1));
        mutants.put("no sub", es256(without(claims(), "sub")));
        claim(
                mutants,
                "aud",
                "https://other.example",
                "https://registry.example/",
                "https://registry",
                null,
                5,
                List.of(),
                List.of("https://registry.example", "https://other.example"),
                List.of(List.of("https://registry.example")));
        claim(
                mutants,
                "exp",
                NOW - 60,
                NOW - 3600,
                0,
                -1,
                null,
                "9999999999",
                List.of(NOW + 5),
                1e18,
                new BigDecimal("1e999999"),
                true);
        mutants.put("no exp", es256(without(claims(), "exp")));
        claim(mutants, "nbf", NOW + 61, "0", null, 1e18, -1);
        claim(mutants, "iat", NOW + 61, "0", null, 1e18, -1, NOW - 86400 - 60);
        mutants.put("no iat", es256(without(claims(), "iat")));
        return mutants;
    }

    private static void claim(Map<String, Object> mutants, String claim, Object... values) {
        for (Object value : values) {
            mutants.put(claim + " " + value, es256(with(claims(), claim, value)));
        }
    }

    private static String flip(String token, int at) {
        char c = token.charAt(at) == 'A' ? 'B' : 'A';
        return token.substring(0, at) + c + token.substring(at + 1);
    }

    private static String lastCharacter(String token) {
        String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        int value = alphabet.indexOf(token.charAt(token.length() - 1));
        return token.substring(0, token.length() - 1) + alphabet.charAt(value ^ 1);
    }

    private static byte[] pem(byte[] der) {
        return ("-----BEGIN PUBLIC KEY-----\n"
                        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                        + "\n-----END PUBLIC KEY-----\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    private static String zipped() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Map<String, Object> padded = with(claims(), "pad", " ".repeat(4_000_000));
        try (DeflaterOutputStream out = new DeflaterOutputStream(bytes, new Deflater(9, true))) {
            out.write(Json.bytes(padded));
        }
        return sign("ES256", Json.text(with(header("ES256", "ec"), "zip", "DEF")), bytes.toByteArray());
    }

    @Tag("timing")
    @Test
    void ofAllMutantsOneIsGenuineAndTheOthersAreRefusedWithoutRepeatingThem() throws Exception {
        JwtVerifier verifier = withKeys(Tokens.jwks(), "max-age", "P1D");
        Map<String, Object> mutants = mutants();
        Map<String, String> genuine = new TreeMap<>();
        for (Map.Entry<String, Object> mutant : mutants.entrySet()) {
            long begun = System.nanoTime();
            Verdict verdict = verifier.verify(offering(mutant.getValue()));
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
            if (verdict instanceof Verdict.Refused refused) {
                assertThat(refused.reason())
                        .as(mutant.getKey())
                        .startsWith("the token is not accepted: ")
                        .hasSizeLessThan(200)
                        .doesNotContain("SN-")
                        .doesNotContain("factory");
            } else {
                genuine.put(mutant.getKey(), verdict.toString());
            }
            assertThat(Duration.ofMillis(millis)).as(mutant.getKey()).isLessThan(TimeLimit.of(Duration.ofSeconds(2)));
        }

        assertThat(mutants).hasSizeGreaterThan(100);
        assertThat(genuine).containsOnlyKeys("good");
    }

    @Test
    void clocksMayDifferByAMinute() {
        JwtVerifier verifier = withSecret("max-age", "PT1H");

        assertThat(verifier.verify(offering(hs256(with(claims(), "exp", NOW - 59)))))
                .isEqualTo(Verdict.genuine());
        assertThat(verifier.verify(offering(hs256(with(claims(), "nbf", NOW + 60)))))
                .isEqualTo(Verdict.genuine());
        assertThat(verifier.verify(offering(hs256(with(claims(), "iat", NOW + 60)))))
                .isEqualTo(Verdict.genuine());
        assertThat(verifier.verify(offering(hs256(with(claims(), "iat", NOW - 3659)))))
                .isEqualTo(Verdict.genuine());
        assertThat(reason(verifier, offering(hs256(with(claims(), "iat", NOW - 3660)))))
                .contains("older than max-age");
        assertThat(verifier.verify(offering(hs256(with(claims(), "exp", new BigDecimal(NOW + ".5"))))))
                .isEqualTo(Verdict.genuine());
    }

    @Test
    void audienceIsTheConfiguredOneElseThisRegistryWhereTheTokenNamesOne() {
        String own = hs256(with(claims(), "aud", JwtFixture.REGISTRY));
        String listed = hs256(with(claims(), "aud", List.of(JwtFixture.REGISTRY)));
        String configured = hs256(with(claims(), "aud", "fleet-a"));
        String none = hs256(claims());

        assertThat(withSecret().verify(offering(own))).isEqualTo(Verdict.genuine());
        assertThat(withSecret().verify(offering(listed))).isEqualTo(Verdict.genuine());
        assertThat(withSecret().verify(offering(none))).isEqualTo(Verdict.genuine());
        assertThat(reason(withSecret(), offering(configured))).contains("another audience");
        JwtVerifier fleetA = withSecret("audience", "fleet-a");
        assertThat(fleetA.verify(offering(configured))).isEqualTo(Verdict.genuine());
        assertThat(reason(fleetA, offering(own))).contains("another audience");
        assertThat(reason(fleetA, offering(none))).contains("another audience");
    }

    @Test
    void serialMayBeInAnotherClaimOrNone() {
        Map<String, Object> claims = with(without(claims(), "sub"), "sn", Tokens.SERIAL);

        assertThat(withSecret("serial-claim", "sn").verify(offering(hs256(claims))))
                .isEqualTo(Verdict.genuine());
        assertThat(reason(withSecret("serial-claim", "sn"), offering(hs256(claims()))))
                .contains("another serial");
        JwtVerifier fleet = withSecret("serial-claim", "none");
        String flashed = hs256(Map.of("iss", Tokens.ISSUER));
        assertThat(fleet.verify(offering("SN-0001", flashed))).isEqualTo(Verdict.genuine());
        assertThat(fleet.verify(offering("SN-0002", flashed))).isEqualTo(Verdict.genuine());
        assertThat(reason(withSecret("serial-claim", "none", "require-expiry", "true"), offering(flashed)))
                .contains("no exp");
        assertThat(withSecret("require-expiry", "false").verify(offering(hs256(without(claims(), "exp")))))
                .isEqualTo(Verdict.genuine());
    }

    @Test
    void whatTheTokenKnowsBecomesTagsAndAttributes() {
        JwtVerifier verifier = withSecret(
                "tags",
                "batch=/batch, absent=/no",
                "attributes",
                "limit=/spec/limit,on=/spec/on",
                "name-pointer",
                "/title");
        Map<String, Object> claims = with(
                with(with(claims(), "batch", "2026-11"), "spec", Map.of("limit", 21.5, "on", true)), "title", "Pump 7");

        assertThat(verifier.verify(offering(hs256(claims))))
                .isEqualTo(new Verdict.Genuine(
                        Optional.of("Pump 7"),
                        Map.of("batch", "2026-11"),
                        Map.of("limit", new BigDecimal("21.5"), "on", true)));
        assertThat(reason(verifier, offering(hs256(with(claims, "batch", List.of(1))))))
                .contains("at /batch");
    }

    @Test
    void oneTimeTokenIsUsedUpUnderAnIdThatDependsOnVerifierAndJti() {
        Proof proof = withSecret("one-time", "yes").prove(offering(hs256(claims())));
        Proof again = withSecret("one-time", "yes").prove(offering(hs256(with(claims(), "exp", NOW + 1800))));
        Proof other = withSecret("one-time", "yes").prove(offering(hs256(with(claims(), "jti", "id-2"))));
        Proof repeatable = withSecret("one-time", "until-confirmed").prove(offering(hs256(claims())));

        Use.Once once = (Use.Once) proof.uses().get(0);
        assertThat(once.id()).hasSize(32).isEqualTo(((Use.Once) again.uses().get(0)).id());
        assertThat(once.id()).isNotEqualTo(((Use.Once) other.uses().get(0)).id());
        assertThat(once.until()).isEqualTo(Instant.ofEpochSecond(NOW + 3660));
        assertThat(once.sameSerialMayRepeat()).isFalse();
        assertThat(((Use.Once) repeatable.uses().get(0)).sameSerialMayRepeat()).isTrue();
        assertThat(withSecret().prove(offering(hs256(claims()))).uses()).isEmpty();
        assertThat(withSecret("one-time", "yes")
                        .prove(offering("SN-0002", hs256(claims())))
                        .uses())
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"no", "empty", "long"})
    void oneTimeTokenNeedsAnId(String kind) {
        Map<String, Object> claims =
                switch (kind) {
                    case "no" -> without(claims(), "jti");
                    case "empty" -> with(claims(), "jti", "");
                    default -> with(claims(), "jti", "x".repeat(257));
                };

        assertThat(reason(withSecret("one-time", "yes"), offering(hs256(claims))))
                .contains("jti");
    }

    /** JSON can escape half a surrogate pair, which is no character. */
    @Test
    void halfACharacterInATokenIsNoFault() {
        String token = sign(
                "HS256",
                "{\"alg\":\"HS256\"}",
                Json.text(claims()).replace("id-1", "\\ud800").getBytes(StandardCharsets.UTF_8));

        assertThat(withSecret("one-time", "yes", "tags", "id=/jti")
                        .prove(offering(token))
                        .uses())
                .hasSize(1);
    }

    @Test
    void oneTimeTokenOfAFleetNeedsAnEnd() {
        assertThat(reason(
                        withSecret("one-time", "yes", "serial-claim", "none"),
                        offering(hs256(without(claims(), "exp")))))
                .contains("no exp");
    }

    @Test
    void secretIsNoKeyForAnyOtherAlgorithmAndHasNoKid() {
        JwtVerifier verifier = withSecret();

        assertThat(reason(verifier, offering(es256(claims())))).contains("no key is known");
        assertThat(reason(verifier, offering(sign("HS256", header("HS256", "any"), claims()))))
                .contains("no key is known");
        assertThat(reason(verifier, offering(sign("HS256", header("HS384", null), claims()))))
                .contains("no key is known");
        assertThat(reason(verifier, offering(sign("HS256", header("none", null), claims()))))
                .contains("no key is known");
    }

    @Test
    void sharedSecretsMayComeAsKeysToo() {
        String jwks = Json.text(Map.of(
                "keys",
                List.of(Map.of(
                        "kty",
                        "oct",
                        "kid",
                        "a",
                        "k",
                        Tokens.encode(Tokens.SECRET.getBytes(StandardCharsets.UTF_8))))));

        assertThat(withKeys(jwks).verify(offering(sign("HS256", header("HS256", "a"), claims()))))
                .isEqualTo(Verdict.genuine());
        assertThat(withKeys(jwks).signer()).isEmpty();
    }

    @Test
    void everyFaultIsToldAtOnceAndNoSecretIs() {
        Map<String, String> faulty = new TreeMap<>(Map.of(
                "secret", "too short hunter2",
                "keys-file", "no-such-file",
                "serial-claim", "exp",
                "one-time", "sometimes",
                "max-age", "1h",
                "require-expiry", "perhaps",
                "tags", "serial=/sub",
                "attributes", "x"));

        assertThatThrownBy(() -> JwtFixture.verifier(CLOCK, faulty))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageNotContaining("hunter2")
                .hasMessageContaining("issuer: is required")
                .hasMessageContaining("secret: must have at least 32 bytes")
                .hasMessageContaining("keys-file: cannot read no-such-file")
                .hasMessageContaining("exactly one of secret-file, secret, keys-file and jwks-url")
                .hasMessageContaining("serial-claim: exp has another meaning")
                .hasMessageContaining("one-time: \"sometimes\" is none of no, until-confirmed, yes")
                .hasMessageContaining("max-age: ")
                .hasMessageContaining("require-expiry: ")
                .hasMessageContaining("tags: the tag serial")
                .hasMessageContaining("attributes: \"x\" is not name=/pointer");
    }

    @Test
    void keysComeFromExactlyOnePlace() {
        assertThatThrownBy(() -> JwtFixture.verifier(CLOCK)).hasMessageContaining("exactly one of");
        assertThatThrownBy(() -> withSecret("one-time", "yes", "require-expiry", "false"))
                .hasMessageContaining("require-expiry: cannot be false");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"keys\":[]} | is empty",
                "{} | is neither a JWK nor a JWK set",
                "nonsense | not JSON",
                "{\"keys\":[{\"kty\":\"RSA\",\"d\":\"AA\"},{\"kty\":\"EC\"}]} | #/keys/0: has private members",
                "{\"keys\":[{\"kty\":\"RSA\",\"d\":\"AA\"},{\"kty\":\"EC\"}]} | #/keys/1: crv must be P-256",
            })
    void keysFileHasNothingWrongInIt(String content, String fault) {
        assertThatThrownBy(() -> withKeys(content)).hasMessageContaining(fault);
    }

    @Test
    void keysFileIsNotReadWithoutEnd() {
        assertThatThrownBy(() -> withKeys(" ".repeat((1 << 20) + 1))).hasMessageContaining("more than 1048576 bytes");
    }

    @Test
    void verifierIsShownByItsNameAlone() {
        assertThat(withSecret()).hasToString("JwtVerifier[fab]");
        RegistrationTokenSigner signer = withSecret().signer().orElseThrow();
        assertThat(signer.sign(
                        "id",
                        Optional.of(Candidates.withSerial("SN-1234").serial()),
                        Optional.empty(),
                        Optional.of(Duration.ofHours(1))))
                .hasToString("Signed[expiresAt=Optional[2026-06-01T13:00:00Z]]");
        assertThat(String.valueOf((Object) signer)).doesNotContain(Tokens.SECRET);
    }
}
