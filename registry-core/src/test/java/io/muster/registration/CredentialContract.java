// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.audit.AuditEvent;
import io.muster.credential.CredentialOrders.Scope;
import io.muster.credential.CredentialState;
import io.muster.credential.StoredCredential;
import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.problem.RegistryException;
import io.muster.registration.Allowances.Allowance;
import io.muster.registration.RegistrationAttempt.OfferedKey;
import io.muster.registration.RegistrationAttempt.Seal;
import io.muster.spi.Candidate;
import io.muster.spi.Credential;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The promises about credentials on every database. */
interface CredentialContract {

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private TestRegistry open(TestClock clock) {
        return fresh().with(clock)
                .with("muster.fleet.default.verifiers", "all")
                .with("muster.limits.refusals", "1000000")
                .with(
                        "all",
                        candidate -> new Verdict.Genuine(Optional.empty(), Map.of("lot", lot(candidate)), Map.of()));
    }

    private static String lot(Candidate candidate) {
        return candidate.serial().value().substring(0, 2);
    }

    private static void document(TestNode registry, String members) {
        registry.fleets()
                .put(
                        "default",
                        ("{'verifiers':['all']," + members + "}")
                                .replace('\'', '"')
                                .getBytes(StandardCharsets.UTF_8),
                        version -> true,
                        "test");
    }

    private static RegistrationReply register(
            TestNode registry, String serial, Optional<OfferedKey> offered, Optional<Seal> seal) {
        return registry.registrar()
                .register(new RegistrationAttempt(
                        Candidate.of(new SerialNumber(serial), "default", "192.0.2.1"),
                        offered,
                        seal,
                        Optional.empty()));
    }

    private static RegistrationReceipt register(TestNode registry, String serial) {
        return receipt(register(registry, serial, Optional.empty(), Optional.empty()));
    }

    private static RegistrationReceipt receipt(RegistrationReply reply) {
        return ((RegistrationReply.Plain) reply).receipt();
    }

    private static String sealed(RegistrationReply reply) {
        return ((RegistrationReply.Sealed) reply).jwe();
    }

    private static boolean works(TestNode registry, RegistrationReceipt receipt) {
        return registry.authenticator()
                .authenticate(receipt.key(), receipt.secret())
                .isPresent();
    }

    private static Device device(TestNode registry, RegistrationReceipt receipt) {
        return registry.devices().find(new DeviceId(receipt.deviceId())).orElseThrow();
    }

    private static CredentialProof presented(TestNode registry, RegistrationReceipt has) {
        return CredentialProof.of(
                registry.authenticator().authenticate(has.key(), has.secret()).orElseThrow());
    }

    private static RegistrationReceipt rotate(TestNode registry, RegistrationReceipt has) {
        return rotate(registry, has, presented(registry, has));
    }

    private static RegistrationReceipt rotate(TestNode registry, RegistrationReceipt has, CredentialProof presented) {
        return receipt(registry.registrar()
                .rotate(device(registry, has), presented, Optional.empty(), Optional.empty(), "192.0.2.1"));
    }

    private static ProblemType problem(Runnable action) {
        try {
            action.run();
        } catch (RegistryException e) {
            return e.type();
        }
        throw new AssertionError("nothing was refused");
    }

    private static List<StoredCredential> credentials(TestNode registry, RegistrationReceipt receipt) {
        return registry.authenticator().credentials(new DeviceId(receipt.deviceId()));
    }

    // Device-held keys

    @Test
    default void deviceThatKeepsItsKeyGetsNoSecretAndIsGivenTheSameAgain() {
        TestRegistry test = open(new TestClock());
        try (TestNode registry = test.start()) {
            for (KeyPair pair : List.of(DeviceKeys.p256(), DeviceKeys.ed25519())) {
                String serial = "SN-" + pair.getPublic().getAlgorithm();
                Optional<OfferedKey> offered = Optional.of(DeviceKeys.offer(pair, serial));

                RegistrationReceipt receipt = receipt(register(registry, serial, offered, Optional.empty()));

                assertThat(receipt.secret()).isNull();
                assertThat(receipt(register(registry, serial, offered, Optional.empty()))
                                .key())
                        .isEqualTo(receipt.key());
                assertThat(registry.authenticator()
                                .authenticate(receipt.key(), key -> key.equals(DeviceKeys.jwk(pair.getPublic()))))
                        .isPresent();
                assertThat(registry.authenticator().authenticate(receipt.key(), key -> false))
                        .isEmpty();
                // Nothing that is public is a secret.
                assertThat(registry.authenticator()
                                .authenticate(
                                        receipt.key(),
                                        DeviceKeys.jwk(pair.getPublic()).text()))
                        .isEmpty();
                assertThat(registry.authenticator().authenticate(receipt.key(), ""))
                        .isEmpty();
            }
        }
    }

    @Test
    default void credentialWithASecretIsNoKey() {
        try (TestNode registry = open(new TestClock()).start()) {
            RegistrationReceipt receipt = register(registry, "SN-0001");

            assertThat(registry.authenticator().authenticate(receipt.key(), key -> true))
                    .isEmpty();
        }
    }

    @Test
    default void proofNamesItsFleetWhereAnotherKnowsTheSerialToo() {
        TestRegistry test = open(new TestClock()).with("muster.fleets", "b, c").with("muster.fleet.b.verifiers", "all");
        try (TestNode registry = test.start()) {
            KeyPair pair = DeviceKeys.p256();
            OfferedKey silent = DeviceKeys.offer(pair, "SN-0001");
            OfferedKey naming =
                    DeviceKeys.offer(pair, pair.getPrivate(), "SN-0001", claims -> claims.put("fleet", "default"));
            register(registry, "SN-0001", Optional.of(silent), Optional.empty());

            for (OfferedKey replayed : List.of(silent, naming)) {
                assertThat(problem(() -> registerIn("b", registry, "SN-0001", replayed)))
                        .isEqualTo(ProblemType.REGISTRATION_REFUSED);
            }
            register(registry, "SN-0001", Optional.of(silent), Optional.empty());
            KeyPair other = DeviceKeys.ed25519();
            registerIn(
                    "b",
                    registry,
                    "SN-0001",
                    DeviceKeys.offer(other, other.getPrivate(), "SN-0001", claims -> claims.put("fleet", "b")));
            assertThat(problem(() -> register(registry, "SN-0001", Optional.of(silent), Optional.empty())))
                    .as("now it is a device there too")
                    .isEqualTo(ProblemType.REGISTRATION_REFUSED);
            register(registry, "SN-0001", Optional.of(naming), Optional.empty());

            assertThat(registry.serialImport()
                            .csv(
                                    registry.fleets().get("c"),
                                    new ByteArrayInputStream("serial\nSN-0002\n".getBytes(StandardCharsets.UTF_8)),
                                    "test")
                            .accepted())
                    .isEqualTo(1);
            assertThat(problem(() -> registerIn("b", registry, "SN-0002", DeviceKeys.offer(pair, "SN-0002"))))
                    .as("listed in another fleet")
                    .isEqualTo(ProblemType.REGISTRATION_REFUSED);
            registerIn("b", registry, "SN-0003", DeviceKeys.offer(pair, "SN-0003"));
        }
    }

    private static void registerIn(String fleet, TestNode registry, String serial, OfferedKey offered) {
        registry.registrar()
                .register(new RegistrationAttempt(
                        Candidate.of(new SerialNumber(serial), fleet, "192.0.2.1"),
                        Optional.of(offered),
                        Optional.empty(),
                        Optional.empty()));
    }

    @Test
    default void proofWhoseAudienceIsAListOfOneIsGood() {
        try (TestNode registry = open(new TestClock()).start()) {
            KeyPair pair = DeviceKeys.p256();
            OfferedKey offered = DeviceKeys.offer(
                    pair, pair.getPrivate(), "SN-0001", claims -> claims.put("aud", List.of(DeviceKeys.ISSUER)));

            register(registry, "SN-0001", Optional.of(offered), Optional.empty());
        }
    }

    @Test
    default void proofThatIsWrongInOneThingRegistersNothing() {
        try (TestNode registry = open(new TestClock()).start()) {
            KeyPair pair = DeviceKeys.p256();
            long now = TestRegistry.NOW.getEpochSecond();
            List<OfferedKey> wrong = new ArrayList<>(Stream.<java.util.function.Consumer<Map<String, Object>>>of(
                            claims -> claims.put("serial", "SN-0002"),
                            claims -> claims.put("serial", 1),
                            claims -> claims.remove("serial"),
                            claims -> claims.put("aud", "https://other.example"),
                            claims -> claims.put("aud", List.of(DeviceKeys.ISSUER, "https://other.example")),
                            claims -> claims.put("aud", List.of()),
                            claims -> claims.remove("aud"),
                            claims -> claims.remove("iat"),
                            claims -> claims.put("iat", Long.toString(now)),
                            claims -> claims.put("iat", now - 301),
                            claims -> claims.put("iat", now + 301),
                            claims -> claims.put("iat", Long.MIN_VALUE),
                            claims -> claims.put("exp", now - 61),
                            claims -> claims.put("nonce", "guessed"),
                            claims -> claims.put("fleet", "other"),
                            claims -> claims.put("fleet", List.of("default")),
                            claims -> claims.put("jkt", "of another key"))
                    .map(change -> DeviceKeys.offer(pair, pair.getPrivate(), "SN-0001", change))
                    .toList());
            wrong.add(DeviceKeys.offer(pair, DeviceKeys.p256().getPrivate(), "SN-0001", claims -> {}));
            wrong.add(new OfferedKey(
                    DeviceKeys.jwk(pair.getPublic()),
                    DeviceKeys.sign(
                            "JWT",
                            pair.getPrivate(),
                            Map.of("serial", "SN-0001", "aud", DeviceKeys.ISSUER, "iat", now))));

            for (OfferedKey offered : wrong) {
                assertThat(problem(() -> register(registry, "SN-0001", Optional.of(offered), Optional.empty())))
                        .isEqualTo(ProblemType.REGISTRATION_REFUSED);
            }
            register(registry, "SN-0001", Optional.of(DeviceKeys.offer(pair, "SN-0001")), Optional.empty());
        }
    }

    @Test
    default void deviceWithoutAClockProvesTheTimeByANonce() {
        TestClock clock = new TestClock();
        try (TestNode registry = open(clock).start()) {
            KeyPair pair = DeviceKeys.ed25519();
            String nonce = registry.nonces().issue().nonce();
            OfferedKey offered = DeviceKeys.offer(pair, pair.getPrivate(), "SN-0001", claims -> {
                claims.put("iat", 0);
                claims.put("nonce", nonce);
            });
            clock.pass(Duration.ofMinutes(4));

            register(registry, "SN-0001", Optional.of(offered), Optional.empty());

            clock.pass(Duration.ofMinutes(2));
            assertThat(problem(() -> register(registry, "SN-0001", Optional.of(offered), Optional.empty())))
                    .isEqualTo(ProblemType.REGISTRATION_REFUSED);
        }
    }

    @Test
    default void fleetMayInsistOnKeysOrOnSecrets() {
        try (TestNode registry = open(new TestClock()).start()) {
            Optional<OfferedKey> offered = Optional.of(DeviceKeys.offer(DeviceKeys.p256(), "SN-0001"));

            document(registry, "'issuer':'public-key'");
            assertThat(problem(() -> register(registry, "SN-0001"))).isEqualTo(ProblemType.INVALID_REQUEST);
            document(registry, "'issuer':'secret'");
            assertThat(problem(() -> register(registry, "SN-0001", offered, Optional.empty())))
                    .isEqualTo(ProblemType.INVALID_REQUEST);
            assertThat(register(registry, "SN-0001").secret()).isNotNull();
        }
    }

    @Test
    default void deviceThatOffersAKeyNeverGetsTheSecretThatAnIssuerMakes() {
        TestRegistry test = open(new TestClock())
                .withIssuer(
                        "psk",
                        device -> new Credential.Secret(
                                device.id().value().substring(0, 16) + System.nanoTime(), "x".repeat(43)));
        try (TestNode registry = test.start()) {
            document(registry, "'issuer':'psk','registerAgain':'always'");
            Optional<OfferedKey> offered = Optional.of(DeviceKeys.offer(DeviceKeys.p256(), "SN-0001"));

            assertThatThrownBy(() -> register(registry, "SN-0001", offered, Optional.empty()))
                    .isInstanceOfSatisfying(RegistryException.class, e -> {
                        assertThat(e.type()).isEqualTo(ProblemType.INVALID_REQUEST);
                        assertThat(e.faults())
                                .extracting(io.muster.api.Problem.Fault::pointer)
                                .containsExactly("#/publicKey");
                    });
            assertThat(registry.devices().list(all(), Optional.empty(), 10).devices())
                    .isEmpty();
            RegistrationReceipt secret = register(registry, "SN-0001");
            assertThat(secret.secret()).isNotNull();
            assertThat(problem(() -> register(registry, "SN-0001", offered, Optional.empty())))
                    .isEqualTo(ProblemType.INVALID_REQUEST);
            assertThat(credentials(registry, secret)).hasSize(1);
        }
    }

    @Test
    default void timesAreWhatTheDatabaseKeepsFromTheFirstReplyOn() {
        TestRegistry test = open(new TestClock())
                .with(java.time.Clock.fixed(TestRegistry.NOW.plusNanos(123_456_789), java.time.ZoneOffset.UTC));
        try (TestNode registry = test.start()) {
            RegistrationReceipt receipt = register(registry, "SN-0001");

            assertThat(Optional.of(receipt.expiresAt()))
                    .isEqualTo(credentials(registry, receipt).get(0).expiresAt());
            assertThat(registry.clock().instant()).isEqualTo(TestRegistry.NOW.plusMillis(123));
        }
    }

    // Sealed replay

    @Test
    default void sameRequestGetsTheSameBytesAgainUntilTheCredentialIsUsed() {
        TestRegistry test = open(new TestClock());
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            document(one, "'registerAgain':'never'");
            KeyPair reader = DeviceKeys.p256();
            Optional<Seal> seal = Optional.of(DeviceKeys.seal("r-1", reader));

            String first = sealed(register(one, "SN-0001", Optional.empty(), seal));

            assertThat(sealed(register(one, "SN-0001", Optional.empty(), seal))).isEqualTo(first);
            assertThat(sealed(register(two, "SN-0001", Optional.empty(), seal))).isEqualTo(first);
            Map<String, Object> receipt = DeviceKeys.open(first, reader);
            assertThat(receipt).containsKeys("deviceId", "key", "secret", "expiresAt");
            for (Optional<Seal> other : List.of(
                    Optional.<Seal>empty(),
                    Optional.of(DeviceKeys.seal("r-2", reader)),
                    Optional.of(DeviceKeys.seal("r-1", DeviceKeys.p256())))) {
                assertThat(problem(() -> register(one, "SN-0001", Optional.empty(), other)))
                        .isEqualTo(ProblemType.REGISTRATION_REFUSED);
            }
            assertThat(problem(() -> register(one, "SN-0001", Optional.of(DeviceKeys.offer(reader, "SN-0001")), seal)))
                    .isEqualTo(ProblemType.REGISTRATION_REFUSED);

            assertThat(one.authenticator().authenticate((String) receipt.get("key"), (String) receipt.get("secret")))
                    .isPresent();

            assertThat(problem(() -> register(two, "SN-0001", Optional.empty(), seal)))
                    .isEqualTo(ProblemType.REGISTRATION_REFUSED);
        }
    }

    @Test
    default void firstUseIsRefusedByANodeThatDoesNotKnowYetThatTheDeviceIsDisabled() {
        TestRegistry test = open(new TestClock());
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            RegistrationReceipt receipt = register(one, "SN-0001");
            assertThat(two.authenticator().isGood(receipt.key())).isTrue();

            one.devices().change(new DeviceId(receipt.deviceId()), DeviceState.DISABLED, "test");

            assertThat(works(two, receipt)).isFalse();
            assertThat(credentials(one, receipt).get(0).wasUsed()).isFalse();
        }
    }

    @Test
    default void credentialWhoseLotWasRevokedIsNotRenewedByANodeThatDoesNotKnowYet() {
        TestClock clock = new TestClock();
        TestRegistry test = open(clock);
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            RegistrationReceipt receipt = register(one, "SN-0001");
            CredentialProof presented = presented(two, receipt);
            assertThat(two.credentialOrders().of("default").all()).isEmpty();

            one.credentialOrders().revoke(new Scope("default", Optional.of("SN"), Optional.empty()), "stolen", "test");
            clock.pass(Duration.ofMillis(2));

            assertThat(problem(() -> rotate(two, receipt, presented))).isEqualTo(ProblemType.CONFLICT);
        }
    }

    @Test
    default void credentialThatIsIssuedAfterItsLotWasRevokedIsGoodEvenWhereTheClockIsBehind() {
        TestClock clock = new TestClock();
        TestRegistry test = open(clock);
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            RegistrationReceipt before = register(one, "SN-0001");
            one.credentialOrders().revoke(new Scope("default", Optional.of("SN"), Optional.empty()), "stolen", "test");
            clock.pass(Duration.ofHours(-1));

            RegistrationReceipt again = register(two, "SN-0001");
            RegistrationReceipt another = register(two, "SN-0002");

            assertThat(works(two, before)).isFalse();
            assertThat(works(two, again)).isTrue();
            assertThat(works(two, another)).isTrue();
        }
    }

    @Test
    default void credentialThatEndsWhileVerifiersAreAskedBringsNoFurtherOne() {
        try (TestNode registry = open(new TestClock()).start()) {
            for (String rule : List.of("until-confirmed", "with-proof")) {
                document(registry, "'registerAgain':'" + rule + "'");
                String serial = "SN-" + rule;
                RegistrationReceipt receipt = register(registry, serial);
                CredentialProof presented = presented(registry, receipt);
                registry.revocations().revoke(new DeviceId(receipt.deviceId()), Optional.empty(), "stolen", "test");

                assertThat(problem(() -> registry.registrar()
                                .register(new RegistrationAttempt(
                                        Candidate.of(new SerialNumber(serial), "default", "192.0.2.1"),
                                        Optional.empty(),
                                        Optional.empty(),
                                        Optional.of(presented)))))
                        .as(rule)
                        .isEqualTo(ProblemType.REGISTRATION_REFUSED);
            }
        }
    }

    @Test
    default void sealedReplyIsKeptForADay() {
        TestClock clock = new TestClock();
        try (TestNode registry = open(clock).start()) {
            document(registry, "'registerAgain':'never'");
            Optional<Seal> seal = Optional.of(DeviceKeys.seal("r-1", DeviceKeys.p256()));
            String first = sealed(register(registry, "SN-0001", Optional.empty(), seal));

            clock.pass(Duration.ofHours(24).minusMillis(1));
            assertThat(sealed(register(registry, "SN-0001", Optional.empty(), seal)))
                    .isEqualTo(first);
            clock.pass(Duration.ofMillis(1));
            assertThat(problem(() -> register(registry, "SN-0001", Optional.empty(), seal)))
                    .isEqualTo(ProblemType.REGISTRATION_REFUSED);
        }
    }

    @Test
    default void racingRepeatsOfOneSealedRequestGetTheSameBytes() throws Exception {
        try (TestNode registry = open(new TestClock()).start()) {
            Optional<Seal> seal = Optional.of(DeviceKeys.seal("r-1", DeviceKeys.p256()));
            ExecutorService threads = Executors.newFixedThreadPool(12);
            try {
                List<Callable<String>> race = IntStream.range(0, 24)
                        .<Callable<String>>mapToObj(
                                i -> () -> sealed(register(registry, "SN-0001", Optional.empty(), seal)))
                        .toList();
                Set<String> answers = threads.invokeAll(race).stream()
                        .map(CredentialContract::get)
                        .collect(Collectors.toSet());

                assertThat(answers).hasSize(1);
            } finally {
                threads.shutdownNow();
            }
        }
    }

    private static <T> T get(Future<T> future) {
        try {
            return future.get();
        } catch (InterruptedException | java.util.concurrent.ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    // Rotation

    @Test
    default void rotationOverlapsAndIsConfirmedByFirstUse() {
        TestClock clock = new TestClock();
        try (TestNode registry = open(clock).start()) {
            document(registry, "'rotationOverlap':'PT1M'");
            RegistrationReceipt old = register(registry, "SN-0001");
            assertThat(works(registry, old)).isTrue();
            CredentialProof once = presented(registry, old);

            RegistrationReceipt lost = rotate(registry, old);
            RegistrationReceipt kept = rotate(registry, old);

            assertThat(works(registry, lost)).isFalse();
            assertThat(works(registry, old)).isTrue();
            assertThat(works(registry, kept)).isTrue();
            clock.pass(Duration.ofMinutes(1).minusMillis(1));
            assertThat(works(registry, old)).isTrue();
            clock.pass(Duration.ofMillis(1));
            assertThat(works(registry, old)).isFalse();
            assertThat(works(registry, kept)).isTrue();
            assertThat(problem(() -> rotate(registry, old, once))).isEqualTo(ProblemType.CONFLICT);
        }
    }

    @Test
    default void rotationThatIsNeverUsedChangesNothing() {
        TestClock clock = new TestClock();
        try (TestNode registry = open(clock).start()) {
            RegistrationReceipt old = register(registry, "SN-0001");
            works(registry, old);
            RegistrationReceipt unused = rotate(registry, old);

            clock.pass(Duration.ofDays(31));

            assertThat(works(registry, unused)).isFalse();
            assertThat(works(registry, old)).isTrue();
        }
    }

    @Test
    default void deviceMayRotateFromASecretToAKeyOfItsOwn() {
        try (TestNode registry = open(new TestClock()).start()) {
            RegistrationReceipt old = register(registry, "SN-0001");
            works(registry, old);
            KeyPair pair = DeviceKeys.p256();

            RegistrationReceipt own = receipt(registry.registrar()
                    .rotate(
                            device(registry, old),
                            presented(registry, old),
                            Optional.of(DeviceKeys.offer(pair, "SN-0001")),
                            Optional.empty(),
                            "192.0.2.1"));

            assertThat(own.secret()).isNull();
            assertThat(registry.authenticator().authenticate(own.key(), key -> true))
                    .isPresent();
        }
    }

    @Test
    default void credentialWithALifetimeSaysWhenToRenewItAndEnds() {
        TestClock clock = new TestClock();
        try (TestNode registry = open(clock).start()) {
            document(registry, "'credentialLifetime':'PT10H'");
            RegistrationReceipt receipt = register(registry, "SN-0001");
            assertThat(registry.authenticator()
                            .authenticate(receipt.key(), receipt.secret())
                            .orElseThrow()
                            .rotateBy())
                    .isEmpty();

            clock.pass(Duration.ofHours(5));
            assertThat(registry.authenticator()
                            .authenticate(receipt.key(), receipt.secret())
                            .orElseThrow()
                            .rotateBy())
                    .contains(TestRegistry.NOW.plus(Duration.ofHours(9)));
            clock.pass(Duration.ofHours(5));
            assertThat(works(registry, receipt)).isFalse();
        }
    }

    // Orders of operators

    @Test
    default void orderedRotationIsSpreadOverItsWindowAndMeansOlderCredentialsOnly() {
        TestClock clock = new TestClock();
        try (TestNode registry = open(clock).start()) {
            List<RegistrationReceipt> lot = IntStream.range(0, 40)
                    .mapToObj(i -> register(registry, "AA-" + (1000 + i)))
                    .toList();
            RegistrationReceipt other = register(registry, "BB-1000");
            clock.pass(Duration.ofMinutes(1));
            Instant from = clock.instant();
            Instant until = from.plus(Duration.ofHours(10));

            String order = registry.credentialOrders()
                    .rotate(new Scope("default", Optional.of("AA"), Optional.empty()), from, until, "test", "test")
                    .id();

            List<Instant> turns = lot.stream()
                    .map(one -> registry.authenticator()
                            .authenticate(one.key(), one.secret())
                            .orElseThrow()
                            .rotateBy()
                            .orElseThrow())
                    .toList();
            assertThat(turns).allMatch(turn -> !turn.isBefore(from) && turn.isBefore(until));
            for (int hour = 0; hour < 10; hour += 5) {
                Instant begin = from.plus(Duration.ofHours(hour));
                assertThat(turns)
                        .anyMatch(turn -> !turn.isBefore(begin) && turn.isBefore(begin.plus(Duration.ofHours(5))));
            }
            assertThat(registry.authenticator()
                            .authenticate(other.key(), other.secret())
                            .orElseThrow()
                            .rotateBy())
                    .isEmpty();
            clock.pass(Duration.ofMinutes(1));
            RegistrationReceipt renewed = rotate(registry, lot.get(0));
            assertThat(registry.authenticator()
                            .authenticate(renewed.key(), renewed.secret())
                            .orElseThrow()
                            .rotateBy())
                    .isEmpty();
            assertThat(registry.credentialOrders().callOff("default", order, "test"))
                    .isTrue();
            assertThat(registry.authenticator()
                            .authenticate(lot.get(1).key(), lot.get(1).secret())
                            .orElseThrow()
                            .rotateBy())
                    .isEmpty();
        }
    }

    @Tag("timing")
    @Test
    default void whatIsRevokedOnOneNodeIsRefusedOnTheOtherWithinTwoSeconds() {
        // A clock that stands would keep the other node from trusting its memory.
        TestRegistry test = open(new TestClock()).with(java.time.Clock.systemUTC());
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            RegistrationReceipt single = register(one, "AA-0001");
            RegistrationReceipt whole = register(one, "AA-0002");
            RegistrationReceipt ofLot = register(one, "BB-0003");
            RegistrationReceipt ofFleet = register(one, "CC-0004");
            List<RegistrationReceipt> all = List.of(single, whole, ofLot, ofFleet);
            all.forEach(receipt -> assertThat(works(two, receipt)).isTrue());
            String token = two.tokenIssuer()
                    .issue(two.authenticator()
                            .authenticate(single.key(), single.secret())
                            .orElseThrow());
            assertThat(two.tokenVerifier().verify(token)).isPresent();

            one.revocations().revoke(new DeviceId(single.deviceId()), Optional.of(single.key()), "lost", "test");
            refusedSoon(one, two, single);
            assertThat(two.tokenVerifier().verify(token)).isEmpty();
            one.revocations().revoke(new DeviceId(whole.deviceId()), Optional.empty(), "lost", "test");
            refusedSoon(one, two, whole);
            assertThat(works(two, ofLot)).isTrue();
            one.credentialOrders().revoke(new Scope("default", Optional.of("BB"), Optional.empty()), "leaked", "test");
            refusedSoon(one, two, ofLot);
            assertThat(works(two, ofFleet)).isTrue();
            one.credentialOrders().revoke(new Scope("default", Optional.empty(), Optional.empty()), "leaked", "test");
            refusedSoon(one, two, ofFleet);
            RegistrationReceipt later = register(one, "CC-0005");
            assertThat(works(one, later)).isTrue();
        }
    }

    private static void refusedSoon(TestNode here, TestNode there, RegistrationReceipt receipt) {
        assertThat(works(here, receipt)).isFalse();
        long deadline = System.nanoTime() + TimeLimit.of(Duration.ofSeconds(2)).toNanos();
        while (works(there, receipt)) {
            assertThat(System.nanoTime()).as("the time is over").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    // Allowances

    private static Allowance allow(TestNode registry, String serial, Duration window) {
        Instant now = registry.clock().instant();
        return registry.allowances()
                .create("default", List.of(new SerialNumber(serial)), now, now.plus(window), "repair", "test")
                .get(0);
    }

    private static Allowances.State state(TestNode registry, Allowance allowance) {
        return registry.allowances().list("default", Optional.of(allowance.serial()), Optional.empty(), 10).stream()
                .filter(one -> one.id().equals(allowance.id()))
                .findFirst()
                .orElseThrow()
                .state(registry.clock().instant());
    }

    @Test
    default void allowanceLetsADeviceInOnceAndItsLostReplyHeals() {
        try (TestNode registry = open(new TestClock()).start()) {
            RegistrationReceipt old = register(registry, "SN-0001");
            assertThat(works(registry, old)).isTrue();
            Allowance allowance = allow(registry, "SN-0001", Duration.ofHours(1));
            assertThat(state(registry, allowance)).isEqualTo(Allowances.State.OPEN);

            RegistrationReceipt lost = register(registry, "SN-0001");
            assertThat(state(registry, allowance)).isEqualTo(Allowances.State.GIVEN);
            RegistrationReceipt kept = register(registry, "SN-0001");

            assertThat(works(registry, old)).isTrue();
            assertThat(works(registry, lost)).isFalse();
            assertThat(works(registry, kept)).isTrue();
            assertThat(works(registry, old)).isFalse();
            assertThat(state(registry, allowance)).isEqualTo(Allowances.State.SPENT);
            assertThat(problem(() -> register(registry, "SN-0001"))).isEqualTo(ProblemType.REGISTRATION_REFUSED);
            assertThat(problem(() -> registry.allowances().revoke("default", allowance.id(), "test")))
                    .isEqualTo(ProblemType.CONFLICT);
        }
    }

    @Test
    default void firstUseOfWhateverADeviceGotSpendsEveryAllowanceThatIsOpenForIt() {
        try (TestNode registry = open(new TestClock()).start()) {
            Allowance first = allow(registry, "SN-0001", Duration.ofHours(1));
            Allowance second = allow(registry, "SN-0001", Duration.ofHours(1));
            RegistrationReceipt device = register(registry, "SN-0001");

            assertThat(works(registry, device)).isTrue();

            assertThat(state(registry, first)).isEqualTo(Allowances.State.SPENT);
            assertThat(state(registry, second)).isEqualTo(Allowances.State.SPENT);
            assertThat(problem(() -> register(registry, "SN-0001"))).isEqualTo(ProblemType.REGISTRATION_REFUSED);
            assertThat(works(registry, device)).isTrue();
        }
    }

    @Test
    default void allowanceThatIsTakenBackTakesWhatWasGivenByItAlong() {
        TestRegistry test = open(new TestClock()).with(java.time.Clock.systemUTC());
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            RegistrationReceipt old = register(one, "SN-0001");
            assertThat(works(one, old)).isTrue();
            Allowance allowance = allow(one, "SN-0001", Duration.ofHours(1));
            RegistrationReceipt given = register(one, "SN-0001");
            assertThat(two.authenticator().authenticate(given.key(), "wrong")).isEmpty();

            one.allowances().revoke("default", allowance.id(), "test");

            assertThat(works(one, given)).isFalse();
            assertThat(works(two, given)).isFalse();
            assertThat(works(two, old)).isTrue();
            assertThat(state(one, allowance)).isEqualTo(Allowances.State.REVOKED);
            assertThat(credentials(one, given))
                    .filteredOn(stored -> stored.key().equals(given.key()))
                    .extracting(StoredCredential::state)
                    .containsExactly(CredentialState.REVOKED);
            assertThat(events(one, "allowance-revoked")).singleElement().satisfies(event -> assertThat(event.serial())
                    .isEqualTo("SN-0001"));
            assertThat(problem(() -> register(one, "SN-0001"))).isEqualTo(ProblemType.REGISTRATION_REFUSED);
        }
    }

    @Test
    default void useOfAnAllowanceIsAnEvent() {
        try (TestNode registry = open(new TestClock()).start()) {
            works(registry, register(registry, "SN-0001"));
            Allowance allowance = allow(registry, "SN-0001", Duration.ofHours(1));
            RegistrationReceipt given = register(registry, "SN-0001");

            assertThat(events(registry, "allowance-used")).singleElement().satisfies(event -> {
                assertThat(event.serial()).isEqualTo("SN-0001");
                assertThat(event.deviceId()).isEqualTo(given.deviceId());
                assertThat(event.who()).isEqualTo("192.0.2.1");
                assertThat(event.detail()).contains(allowance.id(), given.key());
            });
        }
    }

    @Test
    default void allowancesOfADeviceAreTakenBackWhenAllItHasIsRevokedOrItIsRetired() {
        TestClock clock = new TestClock();
        try (TestNode registry = open(clock).start()) {
            for (Consumer<DeviceId> shutOut : List.<Consumer<DeviceId>>of(
                    id -> registry.revocations().revoke(id, Optional.empty(), "stolen", "test"),
                    id -> registry.devices().change(id, DeviceState.RETIRED, "test"))) {
                String serial = "SN-"
                        + registry.devices()
                                .list(all(), Optional.empty(), 10)
                                .devices()
                                .size() + "001";
                RegistrationReceipt device = register(registry, serial);
                DeviceId id = new DeviceId(device.deviceId());
                assertThat(works(registry, device)).isTrue();
                Allowance given = allow(registry, serial, Duration.ofDays(9));
                RegistrationReceipt byIt = register(registry, serial);
                Allowance open = allow(registry, serial, Duration.ofDays(9));
                Allowance later = registry.allowances()
                        .create(
                                "default",
                                List.of(new SerialNumber(serial)),
                                clock.instant().plus(Duration.ofDays(1)),
                                clock.instant().plus(Duration.ofDays(2)),
                                "repair",
                                "test")
                        .get(0);
                Allowance other = allow(registry, "SN-other", Duration.ofDays(9));

                registry.revocations().revoke(id, Optional.of(device.key()), "one of them", "test");
                assertThat(state(registry, open)).isEqualTo(Allowances.State.OPEN);
                shutOut.accept(id);

                assertThat(works(registry, byIt)).isFalse();
                assertThat(List.of(given, open, later))
                        .allMatch(one -> state(registry, one) == Allowances.State.REVOKED);
                assertThat(state(registry, other)).isEqualTo(Allowances.State.OPEN);
                assertThat(problem(() -> register(registry, serial))).isEqualTo(ProblemType.REGISTRATION_REFUSED);
                assertThat(events(registry, "allowance-revoked"))
                        .filteredOn(event -> serial.equals(event.serial()))
                        .hasSize(3);
                allow(registry, serial, Duration.ofDays(1));
                assertThat(works(registry, register(registry, serial))).isTrue();

                Allowance afterwards = allow(registry, serial, Duration.ofDays(1));
                shutOut.accept(id);
                assertThat(state(registry, afterwards)).isEqualTo(Allowances.State.REVOKED);
            }
        }
    }

    private static DeviceStore.Filter all() {
        return new DeviceStore.Filter(Set.of("default"), Optional.empty(), Optional.empty(), Optional.empty());
    }

    private static List<AuditEvent> events(TestNode registry, String type) {
        registry.audit().flush();
        return registry.audit().list(Optional.empty(), 100).stream()
                .filter(event -> event.type().equals(type))
                .toList();
    }

    @Test
    default void allowanceIsGoodWithinItsWindowAndUntilItIsTakenBack() {
        TestClock clock = new TestClock();
        try (TestNode registry = open(clock).start()) {
            works(registry, register(registry, "SN-0001"));
            works(registry, register(registry, "SN-0002"));
            registry.allowances()
                    .create(
                            "default",
                            List.of(new SerialNumber("SN-0001")),
                            clock.instant().plus(Duration.ofMinutes(1)),
                            clock.instant().plus(Duration.ofMinutes(2)),
                            "repair",
                            "test");
            Allowance back = allow(registry, "SN-0002", Duration.ofHours(1));
            registry.allowances().revoke("default", back.id(), "test");

            assertThat(problem(() -> register(registry, "SN-0001"))).isEqualTo(ProblemType.REGISTRATION_REFUSED);
            assertThat(problem(() -> register(registry, "SN-0002"))).isEqualTo(ProblemType.REGISTRATION_REFUSED);
            clock.pass(Duration.ofMinutes(2));
            assertThat(problem(() -> register(registry, "SN-0001"))).isEqualTo(ProblemType.REGISTRATION_REFUSED);
            clock.pass(Duration.ofSeconds(-1));
            register(registry, "SN-0001");
        }
    }

    @Test
    default void oneAllowanceGivesOneCredentialThatWorksHoweverManyAsk() throws Exception {
        TestRegistry test = open(new TestClock());
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            works(one, register(one, "SN-0001"));
            allow(one, "SN-0001", Duration.ofHours(1));
            ExecutorService threads = Executors.newFixedThreadPool(8);
            List<RegistrationReceipt> given = new ArrayList<>();
            try {
                List<Callable<RegistrationReceipt>> race = IntStream.range(0, 16)
                        .<Callable<RegistrationReceipt>>mapToObj(i -> () -> register(i % 2 == 0 ? one : two, "SN-0001"))
                        .toList();
                threads.invokeAll(race).stream().map(CredentialContract::get).forEach(given::add);
            } finally {
                threads.shutdownNow();
            }

            assertThat(given.stream().filter(receipt -> works(one, receipt))).hasSize(1);
        }
    }

    @Test
    default void retiredDeviceComesBackByAnAllowanceAndWithoutItsOldCredentials() {
        try (TestNode registry = open(new TestClock()).start()) {
            RegistrationReceipt old = register(registry, "SN-0001");
            works(registry, old);
            DeviceId id = new DeviceId(old.deviceId());
            registry.devices().change(id, DeviceState.RETIRED, "test");
            assertThat(works(registry, old)).isFalse();
            assertThat(problem(() -> registry.devices().change(id, DeviceState.ACTIVE, "test")))
                    .isEqualTo(ProblemType.CONFLICT);
            allow(registry, "SN-0001", Duration.ofHours(1));

            RegistrationReceipt back = register(registry, "SN-0001");

            assertThat(back.deviceId()).isEqualTo(old.deviceId());
            assertThat(works(registry, old)).isFalse();
            assertThat(works(registry, back)).isTrue();
        }
    }

    // Records

    @Test
    default void repeatsOfAnUnusedRegistrationDoNotMakeItsListLongerForEver() {
        try (TestNode registry = open(new TestClock()).start()) {
            RegistrationReceipt last = register(registry, "SN-0001");
            for (int i = 0; i < 70; i++) {
                last = register(registry, "SN-0001");
            }

            assertThat(credentials(registry, last)).hasSizeBetween(50, 52);
            assertThat(works(registry, last)).isTrue();
        }
    }

    @Test
    default void credentialThatAnotherNodeRemembersAndThatIsNotKeptAnyMoreIsNotGood() {
        TestRegistry test = open(new TestClock());
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            RegistrationReceipt lost = register(one, "SN-0001");
            assertThat(two.authenticator().authenticate(lost.key(), "wrong")).isEmpty();

            // Without the note that would tell the other node, so that this does not depend on the time of its polls.
            assertThat(test.execute("DELETE FROM credential WHERE access_key = '" + lost.key() + "'"))
                    .isEqualTo(1);

            assertThat(works(two, lost)).isFalse();
            assertThat(credentials(one, lost)).isEmpty();
        }
    }

    @Test
    default void lastUseIsWrittenInBatchesAndSeldom() {
        TestClock clock = new TestClock();
        TestRegistry test = open(clock);
        RegistrationReceipt receipt;
        try (TestNode registry = test.start()) {
            receipt = register(registry, "SN-0001");
            works(registry, receipt);
            assertThat(credentials(registry, receipt).get(0).lastUsedAt()).isEmpty();
        }
        clock.pass(Duration.ofMinutes(1));
        try (TestNode registry = test.start()) {
            assertThat(credentials(registry, receipt).get(0).lastUsedAt()).contains(TestRegistry.NOW);
            works(registry, receipt);
        }
        clock.pass(Duration.ofMinutes(5));
        try (TestNode registry = test.start()) {
            assertThat(credentials(registry, receipt).get(0).lastUsedAt()).contains(TestRegistry.NOW);
            works(registry, receipt);
        }
        try (TestNode registry = test.start()) {
            assertThat(credentials(registry, receipt).get(0).lastUsedAt()).contains(clock.instant());
            assertThat(credentials(registry, receipt).get(0).state()).isEqualTo(CredentialState.CONFIRMED);
        }
    }

    @Test
    default void credentialThatIsUsedInTwoPlacesWithinAMinuteIsAnEvent() {
        TestClock clock = new TestClock();
        try (TestNode registry = open(clock).start()) {
            RegistrationReceipt receipt = register(registry, "SN-0001");
            var device = registry.authenticator()
                    .authenticate(receipt.key(), receipt.secret())
                    .orElseThrow();

            registry.twoPlaces().used(device, "192.0.2.1");
            clock.pass(Duration.ofSeconds(60));
            registry.twoPlaces().used(device, "192.0.2.2");
            registry.audit().flush();
            assertThat(registry.audit().list(Optional.empty(), 10))
                    .noneMatch(event -> event.type().equals("credential-in-two-places"));
            clock.pass(Duration.ofSeconds(59));
            registry.twoPlaces().used(device, "192.0.2.3");
            registry.twoPlaces().used(device, "192.0.2.4");
            registry.audit().flush();

            assertThat(registry.audit().list(Optional.empty(), 10))
                    .filteredOn(event -> event.type().equals("credential-in-two-places"))
                    .hasSize(1);
        }
    }

    @Test
    default void unknownCredentialOrDeviceIsNotRevoked() {
        try (TestNode registry = open(new TestClock()).start()) {
            RegistrationReceipt receipt = register(registry, "SN-0001");
            DeviceId id = new DeviceId(receipt.deviceId());

            assertThat(registry.revocations().revoke(id, Optional.of("0".repeat(22)), "", "test"))
                    .isEmpty();
            assertThat(registry.revocations().revoke(new DeviceId("0".repeat(32)), Optional.empty(), "", "test"))
                    .isEmpty();
            assertThat(registry.revocations().revoke(id, Optional.empty(), "", "test"))
                    .hasValue(1);
            assertThat(registry.revocations().revoke(id, Optional.empty(), "", "test"))
                    .hasValue(0);
            assertThatThrownBy(() -> registry.allowances().revoke("default", "0".repeat(32), "test"))
                    .isInstanceOf(RegistryException.class);
        }
    }

    @Test
    default void proofMayNameTheSerialInAnySpellingThatTheFleetTakesForTheSame() {
        try (TestNode registry = open(new TestClock()).start()) {
            KeyPair pair = DeviceKeys.p256();
            assertThat(problem(() -> register(
                            registry,
                            "001122AABBCC",
                            Optional.of(DeviceKeys.offer(pair, "00:11:22:aa:bb:cc")),
                            Optional.empty())))
                    .isEqualTo(ProblemType.REGISTRATION_REFUSED);
            document(registry, "'serials':['mac']");

            String id = receipt(register(
                            registry,
                            "001122AABBCC",
                            Optional.of(DeviceKeys.offer(pair, "00:11:22:aa:bb:cc")),
                            Optional.empty()))
                    .deviceId();
            assertThat(receipt(register(
                                    registry,
                                    "001122AABBCC",
                                    Optional.of(DeviceKeys.offer(pair, "001122aabbcc")),
                                    Optional.empty()))
                            .deviceId())
                    .isEqualTo(id);
            assertThat(problem(() -> register(
                            registry,
                            "001122AABBCC",
                            Optional.of(DeviceKeys.offer(pair, "00:11:22:aa:bb:cd")),
                            Optional.empty())))
                    .isEqualTo(ProblemType.REGISTRATION_REFUSED);
        }
    }
}
