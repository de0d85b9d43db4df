// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.hmac;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.audit.AuditEvent;
import io.muster.device.Device;
import io.muster.device.DeviceStore;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialNumber;
import io.muster.spi.TimeLimit;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The promises about enrolment keys on every database, in a registry whose fleets ask {@code hmac} alone. */
interface EnrolmentKeyContract {

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private TestRegistry registry() {
        return fresh().with("muster.fleet.default.verifiers", "hmac")
                .with("muster.limits.refusals", "1000000")
                .with("muster.fleets", "other")
                .with("muster.fleet.other.verifiers", "hmac");
    }

    private static EnrolmentKeys.Created key(TestNode registry, String fleet, String id, OptionalLong maxUses) {
        return registry.enrolmentKeys()
                .create(
                        new EnrolmentKeys.Draft(
                                fleet, Optional.of(id), Optional.empty(), Optional.empty(), Optional.empty(), maxUses),
                        "test");
    }

    private static EnrolmentKeys.Created key(TestNode registry, String id) {
        return key(registry, "default", id, OptionalLong.empty());
    }

    private static Candidate candidate(EnrolmentKeys.Created key, String fleet, String serial) {
        String evidence = HmacVerifierTest.hmac(Base64.getDecoder().decode(key.secret()), serial);
        return new Candidate(
                new SerialNumber(serial),
                fleet,
                Optional.empty(),
                Map.of("hmac", evidence),
                List.of(),
                Candidates.ORIGIN);
    }

    private static RegistrationReceipt register(TestNode registry, EnrolmentKeys.Created key, String serial) {
        return registry.registrar().register(candidate(key, "default", serial));
    }

    private static boolean isRefused(TestNode registry, Candidate candidate) {
        try {
            registry.registrar().register(candidate);
            return false;
        } catch (RegistryException e) {
            assertThat(e.type()).isEqualTo(ProblemType.REGISTRATION_REFUSED);
            return true;
        }
    }

    private static List<Device> enrolledBy(TestNode registry, String id) {
        return registry.devices()
                .list(
                        new DeviceStore.Filter(
                                registry.fleets().names(),
                                Optional.empty(),
                                Optional.of(Map.entry("enrolmentKey", id)),
                                Optional.empty()),
                        Optional.empty(),
                        1000)
                .devices();
    }

    private static EnrolmentKey find(TestNode registry, String id) {
        return registry.enrolmentKeys().find("default", id).orElseThrow();
    }

    @Test
    default void madeKeyEnrolsADeviceThatIsFoundByItsTag() {
        try (TestNode registry = registry().start()) {
            EnrolmentKeys.Created one = key(registry, "lot-1");
            EnrolmentKeys.Created two = key(registry, "lot-2");

            RegistrationReceipt first = register(registry, one, "SN-0001");
            register(registry, one, "SN-0002");
            register(registry, two, "SN-0003");

            assertThat(first.tags()).containsEntry("enrolmentKey", "lot-1");
            assertThat(enrolledBy(registry, "lot-1"))
                    .extracting(device -> device.serial().value())
                    .containsExactlyInAnyOrder("SN-0001", "SN-0002");
            assertThat(enrolledBy(registry, "lot-2")).hasSize(1);
            assertThat(enrolledBy(registry, "lot-3")).isEmpty();
            // Without a limit nothing is counted, so that registrations do not wait for each other.
            assertThat(find(registry, "lot-1").uses()).isZero();
        }
    }

    @Test
    default void stolenKeyCanOnlyRegisterInItsFleetAndUntilItIsRevoked() {
        try (TestNode registry = registry().start()) {
            EnrolmentKeys.Created key = key(registry, "lot-1");
            RegistrationReceipt before = register(registry, key, "SN-0001");
            RegistrationReceipt lost = register(registry, key, "SN-0002");
            registry.authenticator().authenticate(before.key(), before.secret());

            assertThat(isRefused(registry, candidate(key, "other", "SN-0003"))).isTrue();
            registry.enrolmentKeys().revoke("default", "lot-1", "test");

            for (String serial : List.of("SN-0001", "SN-0002", "SN-0003")) {
                assertThat(isRefused(registry, candidate(key, "default", serial)))
                        .as(serial)
                        .isTrue();
            }
            assertThat(registry.authenticator().authenticate(before.key(), before.secret()))
                    .isPresent();
            assertThat(registry.authenticator().authenticate(lost.key(), lost.secret()))
                    .isPresent();
            assertThat(enrolledBy(registry, "lot-1")).hasSize(2);
            registry.audit().flush();
            assertThat(registry.audit().list(Optional.empty(), 100))
                    .extracting(AuditEvent::detail)
                    .contains("hmac: the enrolment key lot-1 is revoked");
        }
    }

    @Tag("timing")
    @Test
    default void otherNodeHonoursAKeyAndItsRevocationWithinTwoSeconds() {
        TestRegistry test = registry();
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            assertThat(isRefused(two, Candidates.withEvidence("SN-0001", Map.of("hmac", "A".repeat(43)))))
                    .isTrue();
            EnrolmentKeys.Created key = key(one, "lot-1");
            within2Seconds(() -> !isRefused(two, candidate(key, "default", "SN-0001")));

            one.enrolmentKeys().revoke("default", "lot-1", "test");

            within2Seconds(() -> isRefused(two, candidate(key, "default", "SN-0001")));
        }
    }

    private static void within2Seconds(java.util.function.BooleanSupplier done) {
        long deadline = System.nanoTime() + TimeLimit.of(Duration.ofSeconds(2)).toNanos();
        while (!done.getAsBoolean()) {
            assertThat(System.nanoTime()).as("the time is over").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    @Test
    default void limitOfUsesIsExactWhen32RegisterAtOnce() throws Exception {
        TestRegistry test = registry();
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            int racers = 32;
            int uses = 10;
            EnrolmentKeys.Created key = key(one, "default", "lot-1", OptionalLong.of(uses));
            within2Seconds(() -> two.enrolmentKeys().checkers("default").size() == 1);
            CyclicBarrier line = new CyclicBarrier(racers);
            ExecutorService threads = Executors.newFixedThreadPool(racers);
            int admitted = 0;
            try {
                List<Callable<Boolean>> race = new ArrayList<>();
                for (int i = 0; i < racers; i++) {
                    TestNode node = i % 2 == 0 ? one : two;
                    Candidate candidate = candidate(key, "default", "SN-" + (1000 + i));
                    race.add(() -> {
                        line.await();
                        return !isRefused(node, candidate);
                    });
                }
                for (Future<Boolean> done : threads.invokeAll(race)) {
                    admitted += done.get() ? 1 : 0;
                }
            } finally {
                threads.shutdownNow();
            }

            assertThat(admitted).isEqualTo(uses);
            assertThat(enrolledBy(one, "lot-1")).hasSize(uses);
            assertThat(one.devices()
                            .list(
                                    new DeviceStore.Filter(
                                            one.fleets().names(), Optional.empty(), Optional.empty(), Optional.empty()),
                                    Optional.empty(),
                                    1000)
                            .devices())
                    .hasSize(uses);
            assertThat(find(one, "lot-1").uses()).isEqualTo(uses);
            assertThat(one.enrolmentKeys().state(find(one, "lot-1"))).isEqualTo(EnrolmentKey.State.USED_UP);
        }
    }

    @Test
    default void registeringAgainCostsNoUseAndWorksWithAKeyThatIsUsedUp() {
        try (TestNode registry = registry().start()) {
            EnrolmentKeys.Created key = key(registry, "default", "lot-1", OptionalLong.of(2));
            String lost = register(registry, key, "SN-0001").deviceId();
            assertThat(register(registry, key, "SN-0001").deviceId()).isEqualTo(lost);
            assertThat(find(registry, "lot-1").uses()).isEqualTo(1);
            register(registry, key, "SN-0002");

            assertThat(register(registry, key, "SN-0001").deviceId()).isEqualTo(lost);

            assertThat(isRefused(registry, candidate(key, "default", "SN-0003")))
                    .isTrue();
            assertThat(find(registry, "lot-1").uses()).isEqualTo(2);
            registry.audit().flush();
            // Not a repeat, which would say that it may be a clone.
            assertThat(registry.audit().list(Optional.empty(), 100))
                    .anyMatch(event -> event.type().equals("refused")
                            && "SN-0003".equals(event.serial())
                            && "the enrolment key lot-1 has no use left".equals(event.detail()))
                    .noneMatch(event -> event.type().equals("refused-repeat"));
        }
    }

    @Test
    default void registrationThatFailsAfterTheVerifierCostsNoUse() {
        TestRegistry test = registry()
                .with("muster.fleet.default.verifiers", "hmac,yes")
                .with("muster.fleet.default.required", "2")
                .with("yes", candidate -> io.muster.spi.Verdict.refused("not today"));
        try (TestNode registry = test.start()) {
            EnrolmentKeys.Created key = key(registry, "default", "lot-1", OptionalLong.of(2));

            assertThat(isRefused(registry, candidate(key, "default", "SN-0001")))
                    .isTrue();

            assertThat(find(registry, "lot-1").uses()).isZero();
        }
    }

    @Test
    default void candidateWithoutEvidenceIsNotAdmittedByAnotherVerifierAlone() {
        TestRegistry test = registry()
                .with("muster.fleet.default.verifiers", "hmac,yes")
                .with("muster.fleet.default.required", "2")
                .with("yes", candidate -> io.muster.spi.Verdict.genuine());
        try (TestNode registry = test.start()) {
            EnrolmentKeys.Created key = key(registry, "lot-1");

            assertThat(isRefused(registry, Candidates.withSerial("SN-0001"))).isTrue();
            assertThat(isRefused(registry, Candidates.withEvidence("SN-0001", Map.of("hmac", "x"))))
                    .isTrue();
            assertThat(isRefused(registry, candidate(key, "default", "SN-0001")))
                    .isFalse();
        }
    }

    @Test
    default void keysOfBothDevicesKeepWorkingAfterRotation() {
        try (TestNode registry = registry().start()) {
            EnrolmentKeys.Created old = key(registry, "2025");
            RegistrationReceipt before = register(registry, old, "SN-0001");
            EnrolmentKeys.Created next = key(registry, "2026");
            register(registry, old, "SN-0002");
            register(registry, next, "SN-0003");

            registry.enrolmentKeys().revoke("default", "2025", "test");

            assertThat(isRefused(registry, candidate(old, "default", "SN-0004")))
                    .isTrue();
            register(registry, next, "SN-0004");
            assertThat(registry.authenticator().authenticate(before.key(), before.secret()))
                    .isPresent();
            assertThat(enrolledBy(registry, "2025")).hasSize(2);
        }
    }

    @Test
    default void idIsUniqueInTheRegistryAndWhatAnOperatorDoesIsRecordedOnce() {
        try (TestNode registry = registry().start()) {
            key(registry, "lot-1");

            for (String fleet : List.of("default", "other")) {
                assertThatThrownBy(() -> key(registry, fleet, "lot-1", OptionalLong.empty()))
                        .isInstanceOfSatisfying(RegistryException.class, e -> assertThat(e.type())
                                .isEqualTo(ProblemType.CONFLICT));
            }
            // The case of letters counts.
            key(registry, "other", "LOT-1", OptionalLong.empty());
            EnrolmentKey revoked =
                    registry.enrolmentKeys().revoke("default", "lot-1", "test").orElseThrow();
            assertThat(registry.enrolmentKeys().revoke("default", "lot-1", "test"))
                    .contains(revoked);
            assertThat(registry.enrolmentKeys().revoke("other", "lot-1", "test"))
                    .isEmpty();
            assertThat(registry.enrolmentKeys().find("other", "lot-1")).isEmpty();
            assertThat(registry.enrolmentKeys().find("default", "LOT-1")).isEmpty();

            assertThat(registry.audit().list(Optional.empty(), 100))
                    .filteredOn(event -> "lot-1".equals(event.detail()))
                    .extracting(AuditEvent::type)
                    .containsExactlyInAnyOrder("enrolment-key-revoked", "enrolment-key-created");
            assertThat(registry.audit().list(Optional.empty(), 100))
                    .extracting(AuditEvent::who)
                    .contains("test");
        }
    }

    @Test
    default void everythingThatIsKnownOfAKeyIsKept() {
        try (TestNode registry = registry().start()) {
            Instant from = Instant.parse("2026-01-01T00:00:00.123Z");
            Instant to = Instant.parse("9999-12-31T23:59:59Z");
            EnrolmentKey made = registry.enrolmentKeys()
                    .create(
                            new EnrolmentKeys.Draft(
                                    "default",
                                    Optional.of("a"),
                                    Optional.of(new byte[128]),
                                    Optional.of(from),
                                    Optional.of(to),
                                    OptionalLong.of(1_000_000_000)),
                            "test")
                    .key();

            assertThat(find(registry, "a")).isEqualTo(made);
            assertThat(made.notBefore()).contains(from);
            assertThat(made.notAfter()).contains(to);
            assertThat(made.createdAt()).isEqualTo(TestRegistry.NOW);
        }
    }

    @Test
    default void listHasEveryKeyOfTheFleetInPages() {
        try (TestNode registry = registry().start()) {
            for (String id : List.of("c", "a", "e", "b", "d")) {
                key(registry, id);
            }
            key(registry, "other", "f", OptionalLong.empty());
            registry.enrolmentKeys().revoke("default", "b", "test");

            List<String> ids = new ArrayList<>();
            Optional<String> after = Optional.empty();
            List<EnrolmentKey> page;
            do {
                page = registry.enrolmentKeys().list("default", after, 2);
                page.forEach(key -> ids.add(key.id()));
                after = page.isEmpty()
                        ? Optional.empty()
                        : Optional.of(page.get(page.size() - 1).id());
            } while (page.size() == 2);

            assertThat(ids).containsExactly("a", "b", "c", "d", "e");
        }
    }

    @Test
    default void fleetHasABoundedNumberOfLiveKeys() {
        try (TestNode registry = registry().with(Clock.systemUTC()).start()) {
            for (int i = 0; i < EnrolmentKeys.MAX_LIVE; i++) {
                key(registry, "k" + i);
            }
            assertThatThrownBy(() -> key(registry, "one-more"))
                    .isInstanceOfSatisfying(
                            RegistryException.class, e -> assertThat(e.type()).isEqualTo(ProblemType.CONFLICT));
            key(registry, "other", "there", OptionalLong.empty());

            registry.enrolmentKeys().revoke("default", "k7", "test");

            register(registry, key(registry, "one-more"), "SN-0001");
        }
    }

    @Test
    default void databaseThatIsAwayIsUnavailableAndNotNo() {
        TestRegistry test = registry();
        TestNode registry = test.start();
        EnrolmentKeys.Created key = key(registry, "lot-1");
        registry.close();

        // Either may find it first: the look-up of the fleet, or that of its keys.
        assertThatThrownBy(() -> register(registry, key, "SN-0001"))
                .satisfiesAnyOf(
                        thrown -> assertThat(thrown).isInstanceOf(DatabaseUnavailableException.class),
                        thrown -> assertThat(((RegistryException) thrown).type())
                                .isEqualTo(ProblemType.VERIFICATION_UNAVAILABLE));
    }
}
