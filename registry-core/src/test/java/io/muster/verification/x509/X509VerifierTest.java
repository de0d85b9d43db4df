// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import static io.muster.verification.x509.VerifierUnderTest.ISSUER;
import static io.muster.verification.x509.VerifierUnderTest.SERIAL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.SignatureAlgorithm;
import io.muster.config.ConfigurationException;
import io.muster.jose.Ed25519;
import io.muster.once.Nonces;
import io.muster.once.Use;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialVerifier;
import io.muster.spi.SerialVerifierContract;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.Proof;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.x509.Extension;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Proofs of possession, connections, settings; {@link ChainsTest} tests which chains are good. */
class X509VerifierTest implements SerialVerifierContract {

    private static final Pki.Holder ROOT = Pki.authority("CN=Root").issue();
    private static final Pki.Holder DEVICE = Pki.device("CN=" + SERIAL, ROOT).issue();
    private static final X509Certificate LEAF = DEVICE.certificate();

    @TempDir
    Path directory;

    private Path ca;
    private VerifierUnderTest under;

    @BeforeEach
    void start() {
        ca = ROOT.pem(directory.resolve("ca.pem"));
        under = new VerifierUnderTest(ca);
    }

    @Override
    public SerialVerifier verifier() {
        return under.verifier;
    }

    @Override
    public Optional<Candidate> genuine() {
        return Optional.of(Candidates.withEvidence(SERIAL, Pki.evidence(under.goodProof(SERIAL, DEVICE), LEAF)));
    }

    @Override
    public Candidate notGenuine() {
        return Candidates.withEvidence("SN-0002", Pki.evidence(under.goodProof(SERIAL, DEVICE), LEAF));
    }

    @Override
    public Optional<SerialVerifier> withDeadBackEnd() {
        return Optional.of(new VerifierUnderTest(
                        ca, "crl-file", directory.resolve("none.crl").toString())
                .verifier);
    }

    private String nonce() {
        return under.nonces.issue().nonce();
    }

    private Map<String, Object> claims() {
        Map<String, Object> claims = new HashMap<>();
        claims.put("serial", SERIAL);
        claims.put("aud", ISSUER.toString());
        claims.put("nonce", nonce());
        return claims;
    }

    private Verdict verdict(String proof) {
        return under.prove(SERIAL, proof, LEAF).verdict();
    }

    private Verdict verdict(Map<String, Object> claims) {
        return verdict(Pki.proof(DEVICE.key(), Jwts.SIG.ES256, claims));
    }

    private static void assertRefused(Verdict verdict, String reason) {
        assertThat(verdict).isInstanceOf(Verdict.Refused.class);
        assertThat(((Verdict.Refused) verdict).reason()).contains(reason).doesNotContain(SERIAL);
    }

    // the verdicts

    @Test
    void whoOffersNothingIsUnknown() {
        assertThat(under.verifier.prove(Candidates.withSerial(SERIAL))).isEqualTo(Proof.of(Verdict.unknown()));
        assertThat(under.verifier.verify(Candidates.withEvidence(SERIAL, Map.of("hmac", "x"))))
                .isEqualTo(Verdict.unknown());
    }

    @Test
    void genuineCarriesTheFingerprintAndSpendsTheNonce() throws Exception {
        Nonces.Nonce nonce = under.nonces.issue();

        Proof proof = under.prove(SERIAL, Pki.proof(DEVICE, SERIAL, ISSUER.toString(), nonce.nonce()), LEAF);

        String fingerprint =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(LEAF.getEncoded()));
        assertThat(proof.verdict())
                .isEqualTo(new Verdict.Genuine(Optional.empty(), Map.of("certificate", fingerprint), Map.of()));
        assertThat(proof.uses()).singleElement().isInstanceOfSatisfying(Use.Once.class, use -> {
            assertThat(use.id()).hasSize(32);
            assertThat(use.until()).isEqualTo(nonce.expiresAt()).isEqualTo(Pki.NOW.plusSeconds(300));
            assertThat(use.sameSerialMayRepeat()).isFalse();
        });
    }

    @Test
    void proofThatNamesAFleetIsForThatFleet() {
        Map<String, Object> claims = claims();
        claims.put("fleet", "default");
        assertThat(verdict(claims)).isInstanceOf(Verdict.Genuine.class);

        for (Object other : new Object[] {"other", "", 1, List.of("default")}) {
            claims.put("fleet", other);
            assertRefused(verdict(claims), "another fleet");
        }
    }

    @Test
    void evidenceOfAnotherShapeIsRefused() {
        Map<String, Object> good = Map.of("chain", List.of(Pki.base64(LEAF)), "proof", under.goodProof(SERIAL, DEVICE));
        List<Object> shapes = new ArrayList<>(List.of("text", 1, true, List.of(), List.of(good), Map.of()));
        for (String member : good.keySet()) {
            for (Object value :
                    List.of("", "x", 1, true, List.of(), List.of(1), List.of("", ""), Map.of(), List.of("!"))) {
                Map<String, Object> changed = new HashMap<>(good);
                changed.put(member, value);
                shapes.add(changed);
            }
            Map<String, Object> less = new HashMap<>(good);
            less.remove(member);
            shapes.add(less);
        }
        for (Object shape : shapes) {
            assertThat(under.verifier.verify(Candidates.withEvidence(SERIAL, Map.of("x509", shape))))
                    .as(String.valueOf(shape))
                    .isInstanceOf(Verdict.Refused.class);
        }
    }

    @Test
    void memberOfTheEvidenceCanHaveAnotherName() {
        VerifierUnderTest other = new VerifierUnderTest(ca, "evidence", "factory");
        Map<String, Object> evidence = Map.of(
                "factory", Pki.evidence(other.goodProof(SERIAL, DEVICE), LEAF).get("x509"));

        assertThat(other.verifier.verify(Candidates.withEvidence(SERIAL, evidence)))
                .isInstanceOf(Verdict.Genuine.class);
        assertThat(other.ask(DEVICE, LEAF)).isEqualTo(Verdict.unknown());
    }

    // proofs

    @Test
    void proofForAnotherSerialIsRefused() {
        Map<String, Object> claims = claims();
        claims.put("serial", "SN-0002");
        assertRefused(verdict(claims), "another serial");
        claims.put("serial", List.of(SERIAL));
        assertRefused(verdict(claims), "another serial");
        claims.remove("serial");
        assertRefused(verdict(claims), "another serial");
    }

    @Test
    void proofOfOneDeviceDoesNotServeAnother() {
        Pki.Holder other = Pki.device("CN=SN-0002", ROOT).issue();

        assertRefused(
                under.prove("SN-0002", under.goodProof(SERIAL, DEVICE), LEAF).verdict(), "another serial");
        assertRefused(
                under.prove("SN-0002", under.goodProof("SN-0002", DEVICE), other.certificate())
                        .verdict(),
                "not signed with the certificate's key");
    }

    @Test
    void proofForAnotherRegistryIsRefused() {
        for (Object audience : List.of(
                "https://other.example",
                "https://registry.example.evil",
                "https://registry.example/x",
                "HTTPS://registry.example",
                "",
                List.of(ISSUER.toString(), "https://other.example"),
                List.of())) {
            Map<String, Object> claims = claims();
            claims.put("aud", audience);
            assertRefused(verdict(claims), "another registry");
        }
        Map<String, Object> claims = claims();
        claims.remove("aud");
        assertRefused(verdict(claims), "another registry");
        for (Object audience : List.of(7, Map.of("a", 1), List.of(7), List.of(List.of(ISSUER.toString())))) {
            claims.put("aud", audience);
            assertThat(verdict(compact(Map.of("alg", "ES256", "typ", PossessionProof.TYPE), claims, DEVICE.key())))
                    .isInstanceOf(Verdict.Refused.class);
        }
        claims.put("aud", ISSUER.toString());
        assertThat(verdict(compact(Map.of("alg", "ES256", "typ", PossessionProof.TYPE), claims, DEVICE.key())))
                .as("made by hand")
                .isInstanceOf(Verdict.Genuine.class);
    }

    @Test
    void slashAtTheEndOfTheAudienceDoesNotMatter() {
        Map<String, Object> claims = claims();
        claims.put("aud", ISSUER + "/");
        assertThat(verdict(claims)).isInstanceOf(Verdict.Genuine.class);
    }

    @Test
    void nonceIsGoodForFiveMinutesAndNotASecondMore() {
        String proof = under.goodProof(SERIAL, DEVICE);

        under.clock.pass(Duration.ofSeconds(299));
        assertThat(verdict(proof)).isInstanceOf(Verdict.Genuine.class);
        under.clock.pass(Duration.ofSeconds(1));
        assertRefused(verdict(proof), "nonce");
        under.clock.pass(Duration.ofSeconds(1));
        assertRefused(verdict(proof), "nonce");
    }

    @Test
    void nonceOfAnotherRegistryIsRefused() {
        for (Nonces others : List.of(
                new Nonces(List.of(new byte[32]), URI.create("https://other.example"), under.clock),
                new Nonces(
                        List.of("another key, just as long as ours".getBytes(StandardCharsets.US_ASCII)),
                        ISSUER,
                        under.clock))) {
            Map<String, Object> claims = claims();
            claims.put("nonce", others.issue().nonce());
            assertRefused(verdict(claims), "nonce");
        }
    }

    @Test
    void nonceThatWasNeverGivenOutIsRefused() {
        String nonce = nonce();
        for (Object made : List.of(
                "",
                "x",
                "A".repeat(76),
                "A".repeat(100_000),
                nonce + "A",
                nonce.substring(1),
                nonce.substring(0, 74) + "==",
                "é".repeat(76),
                7,
                List.of(nonce))) {
            Map<String, Object> claims = claims();
            claims.put("nonce", made);
            assertThat(verdict(claims)).as(String.valueOf(made)).isInstanceOf(Verdict.Refused.class);
        }
        for (int i = 0; i < nonce.length(); i++) {
            char other = nonce.charAt(i) == 'A' ? 'B' : 'A';
            Map<String, Object> claims = claims();
            claims.put("nonce", nonce.substring(0, i) + other + nonce.substring(i + 1));
            assertRefused(verdict(claims), "nonce");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"JWT", "at+jwt", "application/muster-proof+jwt", "MUSTER-PROOF+JWT", ""})
    void tokenOfAnotherTypeIsNoProof(String type) {
        assertRefused(verdict(Pki.proof(DEVICE.key(), Jwts.SIG.ES256, type, claims())), "type");
    }

    @Test
    void algorithmIsPinnedByTheKey() throws Exception {
        KeyPair rsa = Pki.rsa(2048);
        KeyPair p384 = Pki.ec("secp384r1");
        KeyPair ed = Pki.eddsa("Ed25519");
        KeyPair p521 = Pki.ec("secp521r1");
        assertThat(signed(rsa, rsa.getPrivate(), Jwts.SIG.RS256)).isInstanceOf(Verdict.Genuine.class);
        assertThat(signed(rsa, rsa.getPrivate(), Jwts.SIG.PS256)).isInstanceOf(Verdict.Genuine.class);
        assertThat(signed(p384, p384.getPrivate(), Jwts.SIG.ES384)).isInstanceOf(Verdict.Genuine.class);
        assertThat(signed(ed, ed.getPrivate(), Jwts.SIG.EdDSA)).isInstanceOf(Verdict.Genuine.class);
        assertThat(signed(ed, ed.getPrivate(), Ed25519.NAMED)).isInstanceOf(Verdict.Genuine.class);
        KeyPair ed448 = Pki.eddsa("Ed448");
        assertThat(signed(ed448, ed448.getPrivate(), Jwts.SIG.EdDSA)).isInstanceOf(Verdict.Genuine.class);
        assertRefused(signed(ed448, ed448.getPrivate(), Ed25519.NAMED), "not signed with the certificate's key");
        assertRefused(signed(rsa, rsa.getPrivate(), Jwts.SIG.RS512), "not signed with the certificate's key");
        assertRefused(signed(rsa, p384.getPrivate(), Jwts.SIG.ES384), "not signed with the certificate's key");
        assertRefused(signed(p384, rsa.getPrivate(), Jwts.SIG.RS256), "not signed with the certificate's key");
        assertRefused(signed(p521, p521.getPrivate(), Jwts.SIG.ES512), "signs no proof");
        // The public key as the secret of an HMAC.
        Pki.Holder device = Pki.device("CN=" + SERIAL, ROOT).keys(rsa).issue();
        String hmac = Jwts.builder()
                .json(new io.muster.jose.JwtJson())
                .header()
                .type(PossessionProof.TYPE)
                .and()
                .claims(claims())
                .signWith(new SecretKeySpec(rsa.getPublic().getEncoded(), "HmacSHA256"), Jwts.SIG.HS256)
                .compact();
        assertRefused(
                under.prove(SERIAL, hmac, device.certificate()).verdict(), "not signed with the certificate's key");
    }

    private Verdict signed(KeyPair certified, PrivateKey key, SignatureAlgorithm algorithm) {
        Pki.Holder device = Pki.device("CN=" + SERIAL, ROOT).keys(certified).issue();
        return under.prove(SERIAL, Pki.proof(key, algorithm, claims()), device.certificate())
                .verdict();
    }

    @Test
    void unsignedProofIsRefused() {
        String[] parts = under.goodProof(SERIAL, DEVICE).split("\\.");
        for (String algorithm : List.of("none", "None", "NONE", "", "ES256", "HS256")) {
            String header = Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString(("{\"alg\":\"" + algorithm + "\",\"typ\":\"" + PossessionProof.TYPE + "\"}")
                            .getBytes(StandardCharsets.UTF_8));
            for (String signature : List.of("", "AA", parts[2], "A".repeat(86))) {
                assertThat(verdict(header + "." + parts[1] + "." + signature)).isInstanceOf(Verdict.Refused.class);
            }
        }
    }

    @Test
    void nothingInTheHeaderBringsAnotherKey() {
        Pki.Holder other = Pki.device("CN=" + SERIAL, null).issue();
        Map<String, Map<String, Object>> headers = Map.of(
                "x5c", Map.of("x5c", List.of(Pki.base64(other.certificate()))),
                "jwk", Map.of("jwk", Map.of("kty", "EC", "crv", "P-256", "x", "A".repeat(43), "y", "A".repeat(43))),
                "jku", Map.of("jku", "http://127.0.0.1:1/keys"),
                "crit", Map.of("crit", List.of("exp")),
                "zip", Map.of("zip", "DEF"));
        headers.forEach((name, extra) -> {
            Map<String, Object> header = new HashMap<>(extra);
            header.put("alg", "ES256");
            header.put("typ", PossessionProof.TYPE);
            assertThat(verdict(compact(header, claims(), other.key()))).as(name).isInstanceOf(Verdict.Refused.class);
        });
    }

    private static String compact(Map<String, ?> header, Map<String, ?> claims, PrivateKey key) {
        try {
            Base64.Encoder encoder = Base64.getUrlEncoder().withoutPadding();
            String signed = encoder.encodeToString(io.muster.json.Json.bytes(header)) + "."
                    + encoder.encodeToString(io.muster.json.Json.bytes(claims));
            java.security.Signature signature = java.security.Signature.getInstance("SHA256withECDSAinP1363Format");
            signature.initSign(key);
            signature.update(signed.getBytes(StandardCharsets.US_ASCII));
            return signed + "." + encoder.encodeToString(signature.sign());
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void proofThatSaysWhenItEndsIsHeldToIt() {
        Map<String, Object> claims = claims();
        claims.put("exp", Pki.NOW.minusSeconds(61).getEpochSecond());
        assertRefused(verdict(claims), "expired");
        claims.put("exp", Pki.NOW.plusSeconds(1).getEpochSecond());
        claims.put("iat", 0);
        assertThat(verdict(claims)).as("a device whose clock is wrong").isInstanceOf(Verdict.Genuine.class);
    }

    // connections

    @Test
    void certificateOfTheConnectionIsChainAndProof() {
        assertThat(under.verifier
                        .prove(VerifierUnderTest.byConnection(SERIAL, Map.of(), LEAF))
                        .uses())
                .isEmpty();
        assertThat(under.askByConnection(SERIAL, LEAF)).isInstanceOf(Verdict.Genuine.class);
        assertThat(under.askByConnection(SERIAL, LEAF, ROOT.certificate())).isInstanceOf(Verdict.Genuine.class);
        assertRefused(under.askByConnection("SN-0002", LEAF), "another serial");
        Pki.Holder stranger =
                Pki.device("CN=" + SERIAL, Pki.authority("CN=Root").issue()).issue();
        assertRefused(under.askByConnection(SERIAL, stranger.certificate()), "invalid signature");
    }

    @Test
    void evidenceGoesBeforeTheConnectionAndMustHold() {
        Candidate both = VerifierUnderTest.byConnection(SERIAL, Pki.evidence("a.b.c", LEAF), LEAF);

        assertThat(under.verifier.verify(both)).isInstanceOf(Verdict.Refused.class);
    }

    @Test
    void connectionCanBeRequiredOrIgnored() {
        VerifierUnderTest required = new VerifierUnderTest(ca, "connection", "require");
        VerifierUnderTest ignored = new VerifierUnderTest(ca, "connection", "ignore");

        assertThat(required.askByConnection(SERIAL, LEAF)).isInstanceOf(Verdict.Genuine.class);
        assertThat(required.ask(DEVICE, LEAF)).isEqualTo(Verdict.unknown());
        assertThat(ignored.askByConnection(SERIAL, LEAF)).isEqualTo(Verdict.unknown());
        assertThat(ignored.ask(DEVICE, LEAF)).isInstanceOf(Verdict.Genuine.class);
    }

    // revocation lists that change

    @Test
    void listIsReadAgainWhenItChangesAndNotMoreOftenThanEveryFewSeconds() throws IOException {
        Path file = Files.write(directory.resolve("root.crl"), Pki.crl(ROOT));
        VerifierUnderTest listed = new VerifierUnderTest(ca, "crl-file", file.toString());
        assertThat(listed.ask(DEVICE, LEAF)).isInstanceOf(Verdict.Genuine.class);

        Files.write(file, Pki.crl(ROOT, LEAF));
        assertThat(listed.ask(DEVICE, LEAF)).isInstanceOf(Verdict.Genuine.class);
        listed.clock.pass(Revocations.INTERVAL);
        assertRefused(listed.ask(DEVICE, LEAF), "revoked");

        Files.delete(file);
        listed.clock.pass(Revocations.INTERVAL);
        assertThatThrownBy(() -> listed.ask(DEVICE, LEAF)).isInstanceOf(VerificationUnavailableException.class);

        Files.write(file, Pki.crl(ROOT));
        Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH));
        listed.clock.pass(Revocations.INTERVAL);
        assertThat(listed.ask(DEVICE, LEAF)).isInstanceOf(Verdict.Genuine.class);
    }

    @Test
    void listThatEndsWhileTheRegistryRunsIsUnavailable() throws IOException {
        Path file = Files.write(
                directory.resolve("root.crl"), Pki.crl(ROOT, Pki.NOW.minusSeconds(1), Pki.NOW.plusSeconds(60), b -> b));
        VerifierUnderTest listed = new VerifierUnderTest(ca, "crl-file", file.toString());

        // Its last second, and the minute by which clocks may differ.
        listed.clock.pass(Duration.ofSeconds(119));
        assertThat(listed.ask(DEVICE, LEAF)).isInstanceOf(Verdict.Genuine.class);
        listed.clock.pass(Duration.ofSeconds(1));
        assertThatThrownBy(() -> listed.ask(DEVICE, LEAF)).isInstanceOf(VerificationUnavailableException.class);
    }

    @Test
    void badChainIsRefusedEvenIfRevocationCannotBeChecked() {
        VerifierUnderTest listed = new VerifierUnderTest(
                ca, "crl-file", directory.resolve("none.crl").toString());

        assertRefused(listed.askFor("SN-0002", DEVICE, LEAF), "another serial");
    }

    // settings

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ca-file | | is required",
                "ca-file | no-such-file.pem | cannot read certificates in PEM from no-such-file.pem",
                "serial-from | subject | is none of san-dns, san-uri, subject-cn, subject-serial-number",
                "other-names | maybe | is none of agree, ignore",
                "key-usage | yes | is none of if-present, required",
                "extended-key-usage | clientAuth | is not an OID such as 1.3.6.1.5.5.7.3.2",
                "max-path-length | 9 | is not a whole number between 0 and 8",
                "connection | true | is none of allow, ignore, require",
                "crl-files | x | unknown key"
            })
    void faultNamesTheSettingAndWhatIsExpected(String key, String value, String expected) {
        assertThatThrownBy(() -> new VerifierUnderTest(ca, key, value == null ? "" : value))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("v." + key)
                .hasMessageContaining(expected);
    }

    @Test
    void authoritiesThatCannotVouchAreFaults() throws IOException {
        Pki.Holder weak = Pki.authority("CN=Weak").keys(Pki.rsa(1024)).issue();
        Pki.Holder constrained = Pki.authority("CN=Constrained")
                .by(ROOT)
                .with(Extension.nameConstraints, true, new org.bouncycastle.asn1.x509.NameConstraints(null, null))
                .issue();
        Pki.Holder cannotSign = Pki.authority("CN=No")
                .usage(org.bouncycastle.asn1.x509.KeyUsage.digitalSignature)
                .issue();
        Map<Path, String> files = Map.of(
                DEVICE.pem(directory.resolve("device.pem")), "certificate 1 in",
                weak.pem(directory.resolve("weak.pem")), "too weak",
                constrained.pem(directory.resolve("constrained.pem")), "name constraints",
                cannotSign.pem(directory.resolve("no.pem")), "may not sign certificates",
                Files.writeString(directory.resolve("empty.pem"), ""), "has no certificate",
                Files.writeString(directory.resolve("garbage.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n"),
                        "cannot read certificates",
                Files.write(directory.resolve("large.pem"), new byte[2 << 20]), "cannot read certificates");
        files.forEach((file, expected) -> assertThatThrownBy(() -> new VerifierUnderTest(file))
                .as(file.toString())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("v.ca-file")
                .hasMessageContaining(expected));
    }

    @Test
    void severalAuthoritiesVouchAndTwoMayHaveOneName() {
        Pki.Holder renewed = Pki.authority("CN=Root").issue();
        Pki.Holder other = Pki.authority("CN=Other").issue();
        VerifierUnderTest several = new VerifierUnderTest(Pki.pem(
                directory.resolve("all.pem"), List.of(other.certificate(), renewed.certificate(), ROOT.certificate())));

        for (Pki.Holder authority : List.of(ROOT, renewed, other)) {
            Pki.Holder device = Pki.device("CN=" + SERIAL, authority).issue();
            assertThat(several.ask(device, device.certificate())).isInstanceOf(Verdict.Genuine.class);
        }
    }

    // hostile input

    @Tag("timing")
    @Test
    @Timeout(120)
    void mutatedChainOrProofIsNeverGenuineAndNeverBreaksAnything() throws Exception {
        Random random = new Random(20260601);
        Pki.Holder line = Pki.authority("CN=Line").authority(0).by(ROOT).issue();
        Pki.Holder device = Pki.device("CN=" + SERIAL, line)
                .alternative(new org.bouncycastle.asn1.x509.GeneralName(
                        org.bouncycastle.asn1.x509.GeneralName.dNSName, SERIAL))
                .issue();
        byte[][] good = {device.certificate().getEncoded(), line.certificate().getEncoded()};
        String proof = under.goodProof(SERIAL, device);
        assertThat(under.prove(SERIAL, proof, device.certificate(), line.certificate())
                        .verdict())
                .isInstanceOf(Verdict.Genuine.class);
        long slowest = 0;
        for (int i = 0; i < 3000; i++) {
            byte[][] chain = {good[0].clone(), good[1].clone()};
            String presented = proof;
            if (i % 3 == 0) {
                presented = mutated(proof, random);
            } else {
                chain[i % 3 - 1] = mutated(chain[i % 3 - 1], random);
            }
            Map<String, Object> evidence = Map.of(
                    "chain",
                    List.of(
                            Base64.getEncoder().encodeToString(chain[0]),
                            Base64.getEncoder().encodeToString(chain[1])),
                    "proof",
                    presented);

            long started = System.nanoTime();
            Verdict verdict = under.verifier.verify(Candidates.withEvidence(SERIAL, Map.of("x509", evidence)));
            slowest = Math.max(slowest, System.nanoTime() - started);

            assertThat(verdict).as("mutation " + i).isInstanceOf(Verdict.Refused.class);
            assertThat(((Verdict.Refused) verdict).reason()).as("mutation " + i).doesNotContain("cannot be processed");
        }
        assertThat(Duration.ofNanos(slowest)).isLessThan(TimeLimit.of(Duration.ofSeconds(5)));
    }

    private static byte[] mutated(byte[] bytes, Random random) {
        byte[] changed = bytes.clone();
        switch (random.nextInt(5)) {
            case 0 -> changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
            case 1 -> changed[random.nextInt(changed.length)] = (byte) (random.nextInt(255) + 1 + changed[0]);
            case 2 -> {
                // A length that is a lie.
                int at = random.nextInt(changed.length - 1);
                changed[at] = (byte) 0x84;
                changed[at + 1] = (byte) random.nextInt(256);
            }
            case 3 -> changed = java.util.Arrays.copyOf(changed, random.nextInt(changed.length));
            default -> {
                int from = random.nextInt(changed.length - 8);
                for (int i = 0; i < 8; i++) {
                    changed[from + i] = (byte) random.nextInt(256);
                }
            }
        }
        if (java.util.Arrays.equals(changed, bytes)) {
            changed[changed.length - 1] ^= 1;
        }
        return changed;
    }

    private static String mutated(String proof, Random random) {
        StringBuilder changed = new StringBuilder(proof);
        int at = random.nextInt(proof.length());
        switch (random.nextInt(4)) {
            case 0 -> changed.setCharAt(at, (char) (random.nextInt(94) + 33));
            case 1 -> changed.deleteCharAt(at);
            case 2 -> changed.insert(at, (char) (random.nextInt(94) + 33));
            default -> changed.setLength(at);
        }
        return changed.toString().equals(proof) ? proof + "A" : changed.toString();
    }

    @Tag("timing")
    @Test
    @Timeout(30)
    void hostileBytesAreRefusedQuickly() {
        byte[] deep = new byte[8000];
        for (int i = 0; i < deep.length - 4; i += 4) {
            deep[i] = 0x30;
            deep[i + 1] = (byte) 0x82;
            deep[i + 2] = (byte) ((deep.length - i - 4) >> 8);
            deep[i + 3] = (byte) (deep.length - i - 4);
        }
        byte[] indefinite = new byte[8000];
        for (int i = 0; i < indefinite.length; i += 2) {
            indefinite[i] = 0x30;
            indefinite[i + 1] = (byte) 0x80;
        }
        byte[] claimsMuch = {0x30, (byte) 0x84, 0x7f, (byte) 0xff, (byte) 0xff, (byte) 0xff, 1, 2};
        byte[] pem = Pki.pem("CERTIFICATE", new byte[] {1}).getBytes(StandardCharsets.US_ASCII);
        for (byte[] der : List.of(deep, indefinite, claimsMuch, pem, new byte[0], new byte[] {0x30}, new byte[8193])) {
            long started = System.nanoTime();
            Verdict verdict = under.verifier.verify(Candidates.withEvidence(
                    SERIAL,
                    Map.of(
                            "x509",
                            Map.of("chain", List.of(Base64.getEncoder().encodeToString(der)), "proof", "a.b.c"))));
            assertThat(verdict).isInstanceOf(Verdict.Refused.class);
            assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(TimeLimit.of(Duration.ofSeconds(5)));
        }
        assertRefused(
                under.verifier.verify(Candidates.withEvidence(
                        SERIAL, Map.of("x509", Map.of("chain", List.of("A".repeat(60_000)), "proof", "a.b.c")))),
                "over 8192 bytes");
    }

    @Test
    void certificateWithSomethingBehindItIsRefused() throws Exception {
        byte[] der = LEAF.getEncoded();
        byte[] longer = java.util.Arrays.copyOf(der, der.length + 1);

        assertRefused(
                under.verifier.verify(Candidates.withEvidence(
                        SERIAL,
                        Map.of(
                                "x509",
                                Map.of(
                                        "chain",
                                        List.of(Base64.getEncoder().encodeToString(longer)),
                                        "proof",
                                        under.goodProof(SERIAL, DEVICE))))),
                "not DER");
    }
}
