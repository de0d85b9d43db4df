// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.hmac;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestRegistry;
import io.muster.audit.Audit;
import io.muster.audit.AuditEvent;
import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import io.muster.config.Settings;
import io.muster.once.Use;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.MasterKey;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialVerifier;
import io.muster.spi.SerialVerifierContract;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HmacVerifierTest implements SerialVerifierContract {

    private static final Instant NOW = TestRegistry.NOW;
    private static final String SERIAL = "SN-0001";
    private static final byte[] KEY = "sixteen or more bytes".getBytes(StandardCharsets.UTF_8);

    @TempDir
    static Path dir;

    private final Database database = open();
    private final EnrolmentKeys keys = keys(database, dir.resolve("master-key"));

    private static Database open() {
        return Database.open(
                new MusterConfig.Database(
                        "jdbc:h2:mem:hmac" + System.nanoTime() + ";DB_CLOSE_DELAY=-1",
                        Optional.empty(),
                        Optional.empty(),
                        4,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(5)),
                List.of(AuditEvent.class),
                Clock.systemUTC());
    }

    /** Nothing polls, so nothing is remembered. */
    private static EnrolmentKeys keys(Database database, Path masterKey) {
        Ids ids = new Ids(at(NOW));
        return new EnrolmentKeys(
                database,
                MasterKey.open(database, masterKey),
                new Changes(database, at(NOW)),
                new Audit(database, ids),
                ids,
                at(NOW));
    }

    private static Clock at(Instant now) {
        return Clock.fixed(now, ZoneOffset.UTC);
    }

    @AfterEach
    void close() {
        database.close();
    }

    private static EnrolmentKeys.Draft draft(String fleet, String id, byte[] key) {
        return new EnrolmentKeys.Draft(
                fleet, Optional.of(id), Optional.of(key), Optional.empty(), Optional.empty(), OptionalLong.empty());
    }

    private static HmacVerifier verifier(EnrolmentKeys keys, Instant now, Map<String, String> settings) {
        Settings read = Settings.of("", key -> Optional.ofNullable(settings.get(key)));
        HmacVerifier verifier = new HmacVerifier(read, () -> keys, at(now));
        read.check(settings.keySet());
        return verifier;
    }

    private HmacVerifier at(String now) {
        return verifier(keys, Instant.parse(now), Map.of());
    }

    private HmacVerifier now() {
        return verifier(keys, NOW, Map.of());
    }

    static String hmac(byte[] key, String serial) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return Base64.getEncoder().encodeToString(mac.doFinal(serial.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static Candidate with(String serial, Object evidence) {
        return Candidates.withEvidence(serial, Map.of("hmac", evidence));
    }

    private static Candidate with(String serial, Object evidence, Object keyId) {
        return Candidates.withEvidence(serial, Map.of("hmac", evidence, "keyId", keyId));
    }

    private static Verdict.Genuine genuineBy(String keyId) {
        return new Verdict.Genuine(Optional.empty(), Map.of("enrolmentKey", keyId), Map.of());
    }

    @Override
    public SerialVerifier verifier() {
        if (keys.find("default", "k1").isEmpty()) {
            keys.create(draft("default", "k1", KEY), "test");
        }
        return now();
    }

    @Override
    public Optional<Candidate> genuine() {
        return Optional.of(with(SERIAL, hmac(KEY, SERIAL)));
    }

    @Override
    public Candidate notGenuine() {
        return with("SN-0002", hmac(KEY, SERIAL));
    }

    @Override
    public Optional<SerialVerifier> withDeadBackEnd() {
        Database closed = open();
        EnrolmentKeys dead = keys(closed, dir.resolve("master-key"));
        closed.close();
        return Optional.of(verifier(dead, NOW, Map.of()));
    }

    @Test
    void keysOfAnAzureEnrolmentGroupVerifyByteForByte() {
        // The example of Azure's documentation of symmetric key attestation.
        String group = "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
        String derived = "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=";
        keys.create(draft("default", "azure", EnrolmentKeys.parse(group).orElseThrow()), "test");

        assertThat(now().verify(with("sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6", derived)))
                .isEqualTo(genuineBy("azure"));
    }

    @Test
    void base64IsAcceptedInEitherAlphabetAndWithoutPadding() {
        byte[] key = KEY.clone();
        String serial = java.util.stream.IntStream.range(1000, 9999)
                .mapToObj(i -> "SN-" + i)
                .filter(text ->
                        hmac(key, text).matches(".*[+].*") && hmac(key, text).matches(".*/.*"))
                .findFirst()
                .orElseThrow();
        String evidence = hmac(key, serial);

        for (String spelling : List.of(
                evidence,
                evidence.replace("=", ""),
                evidence.replace('+', '-').replace('/', '_'),
                evidence.replace('+', '-').replace('/', '_').replace("=", ""))) {
            assertThat(verifier().verify(with(serial, spelling))).as(spelling).isEqualTo(genuineBy("k1"));
        }
    }

    @Test
    void withoutEvidenceItKnowsNothing() {
        assertThat(verifier().verify(Candidates.withSerial(SERIAL))).isEqualTo(Verdict.unknown());
        assertThat(verifier().verify(Candidates.withEvidence(SERIAL, Map.of("keyId", "k1"))))
                .isEqualTo(Verdict.unknown());
        assertThat(verifier().verify(Candidates.withEvidence(SERIAL, Map.of("HMAC", hmac(KEY, SERIAL)))))
                .isEqualTo(Verdict.unknown());
    }

    @Test
    void evidenceOfAnotherSerialIsRefused() {
        for (String other : List.of("SN-0002", "sn-0001", "SN-0001.", "SN-000", "XSN-0001")) {
            assertThat(verifier().verify(with(other, hmac(KEY, SERIAL))))
                    .as(other)
                    .isInstanceOf(Verdict.Refused.class);
        }
    }

    @Test
    void evidenceThatIsNotAnHmacIsRefused() {
        String right = hmac(KEY, SERIAL);
        for (Object wrong : List.of(
                "",
                " ",
                "=",
                "====",
                right.substring(1),
                right.substring(0, 20),
                right.substring(0, 42),
                right + "=",
                right + "A",
                " " + right,
                right + "\n",
                "\u0000" + right.substring(1),
                "\ud800" + right.substring(1),
                right.toLowerCase(java.util.Locale.ROOT),
                "A".repeat(43) + "=",
                "A".repeat(1_000_000),
                "!".repeat(44),
                "é".repeat(44),
                42,
                true,
                new java.math.BigDecimal("1e100"),
                List.of(right),
                Map.of("hmac", right))) {
            assertThat(verifier().verify(with(SERIAL, wrong)))
                    .as(String.valueOf(wrong)
                            .substring(0, Math.min(60, String.valueOf(wrong).length())))
                    .isInstanceOf(Verdict.Refused.class);
        }
    }

    @Test
    void keyOfAnotherFleetProvesNothing() {
        keys.create(draft("other", "k2", KEY), "test");

        assertThat(now().verify(with(SERIAL, hmac(KEY, SERIAL)))).isInstanceOf(Verdict.Refused.class);
        assertThat(now().verify(with(SERIAL, hmac(KEY, SERIAL), "k2")))
                .isEqualTo(Verdict.refused("the fleet has no enrolment key k2"));
        Candidate there = new Candidate(
                with(SERIAL, hmac(KEY, SERIAL)).serial(),
                "other",
                Optional.empty(),
                Map.of("hmac", hmac(KEY, SERIAL)),
                List.of(),
                Candidates.ORIGIN);
        assertThat(now().verify(there)).isEqualTo(genuineBy("k2"));
    }

    @Test
    void namedKeyIsTheOnlyOneTried() {
        byte[] second = "another key of this fleet".getBytes(StandardCharsets.UTF_8);
        keys.create(draft("default", "k1", KEY), "test");
        keys.create(draft("default", "k2", second), "test");

        assertThat(now().verify(with(SERIAL, hmac(second, SERIAL), "k2"))).isEqualTo(genuineBy("k2"));
        assertThat(now().verify(with(SERIAL, hmac(second, SERIAL)))).isEqualTo(genuineBy("k2"));
        assertThat(now().verify(with(SERIAL, hmac(second, SERIAL), "k1"))).isInstanceOf(Verdict.Refused.class);
    }

    @Test
    void oddKeyIdsAreRefused() {
        String right = hmac(KEY, SERIAL);
        for (Object odd : List.of(
                "",
                "K1",
                "k1 ",
                "k",
                "../k1",
                "k1' OR '1'='1",
                "k1%",
                "\u0000",
                "x".repeat(100_000),
                1,
                true,
                List.of("k1"),
                Map.of("$ne", "x"))) {
            assertThat(verifier().verify(with(SERIAL, right, odd)))
                    .isInstanceOfSatisfying(Verdict.Refused.class, refused -> assertThat(refused.reason())
                            .hasSizeLessThan(200));
        }
    }

    @Test
    void keysOverlapWhileTheyAreRotated() {
        byte[] next = "the key that comes next".getBytes(StandardCharsets.UTF_8);
        keys.create(
                new EnrolmentKeys.Draft(
                        "default",
                        Optional.of("old"),
                        Optional.of(KEY),
                        Optional.empty(),
                        Optional.of(Instant.parse("2026-06-30T00:00:00Z")),
                        OptionalLong.empty()),
                "test");
        keys.create(
                new EnrolmentKeys.Draft(
                        "default",
                        Optional.of("new"),
                        Optional.of(next),
                        Optional.of(Instant.parse("2026-06-15T00:00:00Z")),
                        Optional.empty(),
                        OptionalLong.empty()),
                "test");
        Candidate byOld = with(SERIAL, hmac(KEY, SERIAL));
        Candidate byNew = with(SERIAL, hmac(next, SERIAL));

        assertThat(at("2026-06-14T23:59:59.999Z").verify(byOld)).isEqualTo(genuineBy("old"));
        assertThat(at("2026-06-14T23:59:59.999Z").verify(byNew))
                .isEqualTo(Verdict.refused("the enrolment key new is not valid yet"));
        for (String both : List.of("2026-06-15T00:00:00Z", "2026-06-30T00:00:00Z")) {
            assertThat(at(both).verify(byOld)).isEqualTo(genuineBy("old"));
            assertThat(at(both).verify(byNew)).isEqualTo(genuineBy("new"));
        }
        assertThat(at("2026-06-30T00:00:00.001Z").verify(byOld))
                .isEqualTo(Verdict.refused("the enrolment key old is expired"));
        assertThat(at("2026-06-30T00:00:00.001Z").verify(byNew)).isEqualTo(genuineBy("new"));
    }

    @Test
    void revokedKeyIsRefusedAndTheSameKeyUnderAnotherIdIsAnotherKey() {
        keys.create(draft("default", "k1", KEY), "test");
        keys.revoke("default", "k1", "test");
        assertThat(now().verify(with(SERIAL, hmac(KEY, SERIAL))))
                .isEqualTo(Verdict.refused("the enrolment key k1 is revoked"));

        keys.create(draft("default", "k2", KEY), "test");

        assertThat(now().verify(with(SERIAL, hmac(KEY, SERIAL)))).isEqualTo(genuineBy("k2"));
        assertThat(now().verify(with(SERIAL, hmac(KEY, SERIAL), "k1")))
                .isEqualTo(Verdict.refused("the enrolment key k1 is revoked"));
    }

    @Test
    void onlyAKeyWithALimitHasAUse() {
        keys.create(draft("default", "k1", KEY), "test");
        byte[] limited = "a key with a limit".getBytes(StandardCharsets.UTF_8);
        keys.create(
                new EnrolmentKeys.Draft(
                        "default",
                        Optional.of("k2"),
                        Optional.of(limited),
                        Optional.empty(),
                        Optional.empty(),
                        OptionalLong.of(3)),
                "test");

        assertThat(now().prove(with(SERIAL, hmac(KEY, SERIAL))).uses()).isEmpty();
        assertThat(now().prove(with(SERIAL, hmac(limited, SERIAL))).uses())
                .isEqualTo(List.of(new Use.EnrolmentKeyUse("k2")));
        assertThat(now().prove(with(SERIAL, hmac(limited, "SN-0002"))).uses()).isEmpty();
    }

    @Test
    void keyThatWasMovedInTheDatabaseIsNotReadAndNotTakenForNo() {
        keys.create(draft("other", "k1", KEY), "test");
        database.jdbcTransaction(connection -> {
            try (var update = connection.createStatement()) {
                return update.executeUpdate("UPDATE enrolment_key SET fleet = 'default'");
            }
        });

        assertThatThrownBy(() -> now().verify(with(SERIAL, hmac(KEY, SERIAL))))
                .isInstanceOf(VerificationUnavailableException.class);
    }

    @Test
    void keyIsNotInTheDatabaseInClear() {
        EnrolmentKeys.Created created = keys.create(draft("default", "k1", KEY), "test");

        byte[] stored = database.jdbc(connection -> {
            try (var select = connection.createStatement();
                    var row = select.executeQuery("SELECT sealed_key FROM enrolment_key")) {
                row.next();
                return row.getBytes(1);
            }
        });

        assertThat(new String(stored, StandardCharsets.ISO_8859_1))
                .doesNotContain(new String(KEY, StandardCharsets.ISO_8859_1));
        assertThat(created.toString()).doesNotContain(created.secret());
    }

    @Test
    void namesOfTheMembersCanBeSet() {
        keys.create(draft("default", "k1", KEY), "test");
        HmacVerifier other = verifier(keys, NOW, Map.of("evidence", "derivedKey", "key-id", "group"));

        assertThat(other.verify(
                        Candidates.withEvidence(SERIAL, Map.of("derivedKey", hmac(KEY, SERIAL), "group", "k1"))))
                .isEqualTo(genuineBy("k1"));
        assertThat(other.verify(with(SERIAL, hmac(KEY, SERIAL)))).isEqualTo(Verdict.unknown());
    }

    @Test
    void everyFaultOfTheSettingsIsToldAtOnce() {
        assertThatThrownBy(() -> verifier(keys, NOW, new TreeMap<>(Map.of("evidence", "a b", "key-id", "1"))))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("evidence: \"a b\" is not 1 to 64")
                .hasMessageContaining("key-id: \"1\" is not 1 to 64");
        assertThatThrownBy(() -> verifier(keys, NOW, Map.of("evidence", "keyId")))
                .hasMessageContaining("key-id: is the member that evidence names");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 15, 129, 1000})
    void keysOfOddLengthsAreNotImported(int bytes) {
        assertThat(EnrolmentKeys.parse(Base64.getEncoder().encodeToString(new byte[bytes])))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 32, 64, 127, 128})
    void keysOfFittingLengthsAreImported(int bytes) {
        assertThat(EnrolmentKeys.parse(Base64.getEncoder().encodeToString(new byte[bytes])))
                .get()
                .isEqualTo(new byte[bytes]);
    }

    @Test
    void madeKeysAre64BytesAndDiffer() {
        EnrolmentKeys.Draft any = new EnrolmentKeys.Draft(
                "default",
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                OptionalLong.empty());
        EnrolmentKeys.Created one = keys.create(any, "test");
        EnrolmentKeys.Created two = keys.create(any, "test");

        assertThat(Base64.getDecoder().decode(one.secret())).hasSize(64);
        assertThat(Set.of(one.secret(), two.secret(), one.key().id(), two.key().id()))
                .hasSize(4);
        assertThat(EnrolmentKey.isId(one.key().id())).isTrue();
    }
}
