// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import static io.muster.token.Fixture.ISSUER;
import static io.muster.token.Fixture.NOW;
import static io.muster.token.Fixture.changed;
import static io.muster.token.Fixture.map;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.credential.AuthenticatedDevice;
import io.muster.registration.CredentialProof;
import io.muster.token.DpopProofs.InvalidProofException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class DpopProofsTest {

    private static final TestRegistry TEST = Fixture.admitting(TestRegistry.fresh());
    private static final DeviceKey OWN = DeviceKey.ec();
    private static final DeviceKey PROVING = DeviceKey.ed25519();

    private static TestNode registry;
    private static String token;

    @BeforeAll
    static void start() throws Exception {
        registry = TEST.start();
        String key = Fixture.register(registry, "SN-0001", OWN);
        AuthenticatedDevice device = registry.clientAssertions()
                .authenticate(Fixture.assertion(OWN, key, "a"))
                .orElseThrow();
        token = registry.tokenIssuer()
                .issue(
                        device,
                        Optional.of(registry.dpopProofs().check(sign(claims("at the start")), "POST", "/token")));
    }

    @AfterAll
    static void stop() {
        registry.close();
    }

    private static Map<String, Object> header(DeviceKey key) {
        return map("typ", "dpop+jwt", "alg", key.algorithm(), "jwk", key.jwk());
    }

    private static Map<String, Object> claims(String id) {
        return map("jti", id, "htm", "POST", "htu", ISSUER + "/token", "iat", NOW);
    }

    /** The claims of a proof for the device's own record. */
    private static Map<String, Object> claimsForToken(String id) {
        return map("jti", id, "htm", "GET", "htu", ISSUER + "/devices/me", "iat", NOW, "ath", hash(token));
    }

    private static String sign(Map<String, Object> claims) {
        return PROVING.sign(header(PROVING), claims);
    }

    private static String hash(String text) {
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            return Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString(sha256.digest(text.getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static void use(TestNode node, String proof) throws InvalidProofException {
        VerifiedToken verified = node.tokenVerifier().verify(token).orElseThrow();
        node.dpopProofs().use(proof, "GET", "/devices/me", token, verified);
    }

    private static void check(String proof) throws InvalidProofException {
        registry.dpopProofs().check(proof, "POST", "/token");
    }

    @Test
    void tokenIsBoundToTheKeyOfTheProof() {
        VerifiedToken verified = registry.tokenVerifier().verify(token).orElseThrow();

        assertThat(verified.thumbprint()).contains(PROVING.publicJwk().thumbprint());
    }

    /** A thief could use it there: readers of these claims ask for no proof. */
    @Test
    void tokenThatIsBoundSaysNothingForBrokers() throws Exception {
        registry.fleets()
                .put(
                        "default",
                        "{\"verifiers\":[\"yes\"],\"brokerClaims\":[\"rabbitmq\",\"emqx\"]}"
                                .getBytes(StandardCharsets.UTF_8),
                        version -> true,
                        "somebody");
        AuthenticatedDevice device = registry.clientAssertions()
                .authenticate(Fixture.assertion(
                        OWN,
                        registry.tokenVerifier().verify(token).orElseThrow().key(),
                        "for brokers"))
                .orElseThrow();
        String bearer = registry.tokenIssuer().issue(device);
        String bound = registry.tokenIssuer()
                .issue(device, Optional.of(registry.dpopProofs().check(sign(claims("for brokers")), "POST", "/token")));

        assertThat(payload(bearer)).contains("\"scope\"", "\"acl\"");
        assertThat(payload(bound)).contains("\"cnf\"").doesNotContain("\"scope\"", "\"acl\"", "mqtt");
    }

    private static String payload(String jwt) {
        return new String(Base64.getUrlDecoder().decode(jwt.split("\\.")[1]), StandardCharsets.UTF_8);
    }

    @Test
    void onlyATokenThatIsBoundStandsForItsCredential() throws Exception {
        VerifiedToken bound = registry.tokenVerifier().verify(token).orElseThrow();
        AuthenticatedDevice device = registry.clientAssertions()
                .authenticate(Fixture.assertion(OWN, bound.key(), "for a bearer token"))
                .orElseThrow();
        VerifiedToken bearer = registry.tokenVerifier()
                .verify(registry.tokenIssuer().issue(device, Optional.empty()))
                .orElseThrow();

        assertThat(CredentialProof.of(bound).deviceId()).isEqualTo(bearer.deviceId());
        assertThatThrownBy(() -> CredentialProof.of(bearer)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void ed25519MaySignUnderEitherOfItsNames() throws Exception {
        check(PROVING.sign(changed(header(PROVING), h -> h.put("alg", "Ed25519")), claims("named Ed25519")));
        Map<String, Object> named = new LinkedHashMap<>(PROVING.jwk());
        named.put("alg", "Ed25519");
        check(PROVING.sign(map("typ", "dpop+jwt", "alg", "Ed25519", "jwk", named), claims("and in the key")));
    }

    @Test
    void proofCountsOnceOnAllNodes() throws Exception {
        String proof = sign(claimsForToken("once"));
        use(registry, proof);

        try (TestNode other = TEST.start()) {
            for (TestNode node : List.of(registry, other)) {
                assertThatThrownBy(() -> use(node, proof))
                        .isInstanceOf(InvalidProofException.class)
                        .hasMessageContaining("used before");
            }
            use(other, sign(claimsForToken("once more")));
        }
    }

    @Test
    void addressIsComparedWhateverItsSpelling() throws Exception {
        for (String spelling : List.of(
                "HTTPS://Registry.EXAMPLE/token",
                "https://registry.example:443/token",
                "https://registry.example/%74oken",
                "https://registry.example/x/../token",
                "https://registry.example/token?a=b",
                "https://registry.example/token#here")) {
            check(sign(changed(claims(spelling), c -> c.put("htu", spelling))));
        }
    }

    @Test
    void clockMayBeAMinuteOff() throws Exception {
        check(sign(changed(claims("early"), c -> c.put("iat", NOW - 60))));
        check(sign(changed(claims("late"), c -> c.put("iat", NOW + 60))));
        check(sign(changed(claims("later"), c -> c.put("iat", NOW + 60.9))));
    }

    @Test
    void deviceWithAWrongClockIsGivenANonce() throws Exception {
        for (long wrong : new long[] {0, -5, NOW - 61, NOW + 61, Long.MAX_VALUE}) {
            Map<String, Object> claims = changed(claims("wrong"), c -> c.put("iat", wrong));

            assertThatThrownBy(() -> check(sign(claims)))
                    .isInstanceOfSatisfying(InvalidProofException.class, e -> assertThat(e.error())
                            .isEqualTo("use_dpop_nonce"));

            claims.put("nonce", registry.dpopProofs().nextNonce());
            check(sign(claims));
        }
        assertThatThrownBy(() -> check(sign(changed(claims("stale"), c -> c.put("nonce", "of another server")))))
                .isInstanceOfSatisfying(
                        InvalidProofException.class, e -> assertThat(e.error()).isEqualTo("use_dpop_nonce"));
    }

    @Test
    void proofWithANonceCountsOnceToo() throws Exception {
        Map<String, Object> claims = claimsForToken("with a nonce");
        claims.put("iat", 0);
        claims.put("nonce", registry.dpopProofs().nextNonce());
        use(registry, sign(claims));

        assertThatThrownBy(() -> use(registry, sign(claims))).hasMessageContaining("used before");
    }

    private static Map<String, String> mutants() {
        Map<String, Object> good = claimsForToken("mutant");
        Map<String, Object> header = header(PROVING);
        DeviceKey other = DeviceKey.ed25519();
        String signed = PROVING.sign(header, good);
        Map<String, String> mutants = new LinkedHashMap<>();
        mutants.put("another key", other.sign(header(other), good));
        mutants.put("another's signature", other.sign(header, good));
        mutants.put("signature of another text", signed.substring(0, signed.lastIndexOf('.')) + ".AAAA");
        mutants.put("no jwk", PROVING.sign(changed(header, h -> h.remove("jwk")), good));
        mutants.put("jwk null", PROVING.sign(changed(header, h -> h.put("jwk", null)), good));
        mutants.put("jwk that is a text", PROVING.sign(changed(header, h -> h.put("jwk", "key")), good));
        mutants.put(
                "jwk with the private half",
                PROVING.sign(
                        changed(header, h -> h.put("jwk", changed(PROVING.jwk(), k -> k.put("d", "AAAA")))), good));
        mutants.put(
                "symmetric jwk",
                PROVING.sign(changed(header, h -> h.put("jwk", map("kty", "oct", "k", "A".repeat(43)))), good));
        for (String member : List.of("jku", "x5u", "x5c", "crit", "b64", "zip")) {
            mutants.put("header " + member, PROVING.sign(changed(header, h -> h.put(member, List.of("x"))), good));
        }
        for (String alg : List.of("none", "HS256", "ES256", "RS256", "ES512", "eddsa", "")) {
            mutants.put("alg " + alg, PROVING.sign(changed(header, h -> h.put("alg", alg)), good));
        }
        for (String type : List.of("JWT", "at+jwt", "muster-proof+jwt", "DPOP+JWT", "application/dpop+jwt", "")) {
            mutants.put("typ " + type, PROVING.sign(changed(header, h -> h.put("typ", type)), good));
        }
        mutants.put("no typ", PROVING.sign(changed(header, h -> h.remove("typ")), good));
        for (String name : List.of("jti", "htm", "htu", "iat", "ath")) {
            mutants.put("no " + name, sign(changed(good, c -> c.remove(name))));
            mutants.put(name + " null", sign(changed(good, c -> c.put(name, null))));
            mutants.put(name + " empty", sign(changed(good, c -> c.put(name, ""))));
            mutants.put(name + " a list", sign(changed(good, c -> c.put(name, List.of(good.get(name))))));
        }
        mutants.put("a jti of 129", sign(changed(good, c -> c.put("jti", "j".repeat(129)))));
        for (String method : List.of("POST", "get", "GET ")) {
            mutants.put("htm " + method, sign(changed(good, c -> c.put("htm", method))));
        }
        for (String address : List.of(
                "https://registry.example/token",
                "https://registry.example/devices/me/",
                "https://registry.example/devices/me/credentials",
                "https://registry.example/DEVICES/me",
                "https://registry.example/devices%2Fme",
                "http://registry.example/devices/me",
                "https://other.example/devices/me",
                "https://registry.example:8443/devices/me",
                "https://user@registry.example/devices/me",
                "//registry.example/devices/me",
                "/devices/me",
                "not an address")) {
            mutants.put("htu " + address, sign(changed(good, c -> c.put("htu", address))));
        }
        for (Object at : List.of(NOW - 61, NOW + 61, 0, Long.MAX_VALUE, 1e300, "" + NOW, NOW - 60.5)) {
            mutants.put("iat " + at, sign(changed(good, c -> c.put("iat", at))));
        }
        mutants.put("ath of another token", sign(changed(good, c -> c.put("ath", hash(token + "x")))));
        mutants.put("nonce null", sign(changed(good, c -> c.put("nonce", null))));
        mutants.put("nonce of nobody", sign(changed(good, c -> c.put("nonce", "AAAA"))));
        mutants.put("9 KiB", sign(changed(good, c -> c.put("x", "x".repeat(9 * 1024)))));
        mutants.put("two proofs", signed + "," + signed);
        mutants.put("the token itself", token);
        mutants.put("an assertion", Fixture.assertion(OWN, "0000000000000000000000", "a"));
        mutants.put("junk", "junk");
        mutants.put("nothing", "");
        return mutants;
    }

    @TestFactory
    Stream<DynamicTest> everyMutantIsRefusedAndSpendsNothing() {
        Stream<DynamicTest> refused = mutants().entrySet().stream()
                .map(mutant -> DynamicTest.dynamicTest(
                        mutant.getKey(), () -> assertThatThrownBy(() -> use(registry, mutant.getValue()))
                                .isInstanceOf(InvalidProofException.class)));
        return Stream.concat(
                refused,
                Stream.of(DynamicTest.dynamicTest(
                        "what they were made from is good", () -> use(registry, sign(claimsForToken("mutant"))))));
    }

    @Test
    void proofIsNoAssertionAndNoAccessToken() {
        String proof = sign(claims("another kind"));

        assertThat(registry.clientAssertions().authenticate(proof)).isEmpty();
        assertThat(registry.tokenVerifier().verify(proof)).isEmpty();
    }
}
