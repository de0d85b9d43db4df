// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.limit.UsualTime;
import io.muster.operator.SerialImport;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.CredentialConfirmed;
import io.muster.spi.DeviceId;
import io.muster.spi.DeviceRegistered;
import io.muster.spi.RegistrationRefused;
import io.muster.spi.SerialNumber;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.io.ByteArrayInputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The promises about registration on every database. */
interface RegistrationContract {

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private static Candidate candidate(String serial) {
        return Candidates.withSerial(serial);
    }

    private static TestNode expecting(TestRegistry registry, String... serials) {
        TestNode started = registry.start();
        expect(started, "serial\n" + String.join("\n", serials) + "\n");
        return started;
    }

    private static SerialImport.Result expect(TestNode registry, String csv) {
        return registry.serialImport()
                .csv(
                        registry.fleets().find("default").orElseThrow(),
                        new ByteArrayInputStream(csv.getBytes(StandardCharsets.UTF_8)),
                        "test");
    }

    private static ProblemType problem(Runnable action) {
        try {
            action.run();
        } catch (RegistryException e) {
            return e.type();
        }
        throw new AssertionError("nothing was refused");
    }

    @Test
    default void expectedSerialBecomesADeviceWithACredentialThatWorks() {
        TestRegistry test = fresh();
        try (TestNode registry = test.start()) {
            expect(registry, "serial,name,lot,tags.colour,attributes.temperature\nSN-0001,Pump 1,L7,blue,21.5\n");

            RegistrationReceipt receipt = registry.registrar().register(candidate("SN-0001"));

            assertThat(receipt.name()).isEqualTo("Pump 1");
            assertThat(receipt.fleet()).isEqualTo("default");
            assertThat(receipt.tags()).isEqualTo(Map.of("serial", "SN-0001", "lot", "L7", "colour", "blue"));
            assertThat(receipt.attributes()).isEqualTo(Map.of("temperature", "21.5"));
            assertThat(registry.authenticator().authenticate(receipt.key(), receipt.secret()))
                    .get()
                    .extracting(device -> device.deviceId().value())
                    .isEqualTo(receipt.deviceId());
            assertThat(test.events()).hasAtLeastOneElementOfType(DeviceRegistered.class);
            assertThat(test.events()).hasAtLeastOneElementOfType(CredentialConfirmed.class);
        }
    }

    @Test
    default void whatAVerifierMayKnowIsStoredAndReadBackEqual() {
        String name = "\ud83d\ude00".repeat(100);
        Map<String, String> tags = Map.of("a.B:c_d-9", "\ud83d\ude00 ".repeat(85), "A.B:c_d-9", "", "x", " gr\u00fcn ");
        Map<String, Object> attributes = Map.of(
                "text",
                "\ud83d\ude00\u00df\uffff",
                "flag",
                true,
                "small",
                new BigDecimal("1E-400"),
                "large",
                new BigDecimal("1E+308"),
                "long",
                new BigDecimal("1".repeat(40)),
                "double",
                Double.MAX_VALUE,
                "float",
                0.1f,
                "whole",
                Long.MIN_VALUE);
        Verdict verdict = new Verdict.Genuine(Optional.of(name), tags, attributes);
        try (TestNode registry = fresh().with("acme", candidate -> verdict)
                .with("muster.fleet.default.verifiers", "acme")
                .start()) {
            RegistrationReceipt receipt = registry.registrar().register(candidate("SN-0001"));
            io.muster.device.Device stored =
                    registry.devices().find(new DeviceId(receipt.deviceId())).orElseThrow();

            assertThat(receipt.name()).isEqualTo(name);
            assertThat(stored.name()).isEqualTo(name);
            Map<String, String> all = new HashMap<>(tags);
            all.put("serial", "SN-0001");
            assertThat(receipt.tags()).isEqualTo(all);
            assertThat(registry.devices().tags(stored)).isEqualTo(all);
            assertThat(exact(stored.attributes())).isEqualTo(exact(attributes));
            assertThat(exact(receipt.attributes())).isEqualTo(exact(attributes));
        }
    }

    private static Map<String, Object> exact(Map<String, Object> attributes) {
        Map<String, Object> exact = new HashMap<>();
        attributes.forEach((name, value) -> exact.put(
                name, value instanceof Number ? new BigDecimal(value.toString()).stripTrailingZeros() : value));
        return exact;
    }

    @Test
    default void whatAVerifierMayNotKnowIsUnavailableAndLeavesNothing() {
        for (Object value :
                List.of(Double.NaN, new BigDecimal("1E+999999999"), BigInteger.TEN.pow(100), "a\u0000b", "\ud83d")) {
            try (TestNode registry = fresh().with("acme", candidate -> Verdict.genuine(Map.of("limit", value)))
                    .with("muster.fleet.default.verifiers", "acme")
                    .start()) {
                assertThat(problem(() -> registry.registrar().register(candidate("SN-0001"))))
                        .isEqualTo(ProblemType.VERIFICATION_UNAVAILABLE);
                assertThat(all(registry)).isEmpty();
            }
        }
    }

    @Test
    default void whatARowMayListIsStoredAndReadBackEqual() {
        String row = "[{\"serial\":\"SN-0001\",\"name\":\"\ud83d\ude00\",\"tags\":{\"a\":\"\ud83d\ude00\"},"
                + "\"attributes\":{\"a\":1E+308,\"b\":\"\ud83d\ude00\"}}]";
        try (TestNode registry = fresh().start()) {
            SerialImport.Result result = registry.serialImport()
                    .json(
                            registry.fleets().find("default").orElseThrow(),
                            new ByteArrayInputStream(row.getBytes(StandardCharsets.UTF_8)),
                            "test");
            assertThat(result.errors()).isEmpty();

            RegistrationReceipt receipt = registry.registrar().register(candidate("SN-0001"));

            assertThat(receipt.name()).isEqualTo("\ud83d\ude00");
            assertThat(receipt.tags()).isEqualTo(Map.of("serial", "SN-0001", "a", "\ud83d\ude00"));
            assertThat(exact(receipt.attributes()))
                    .isEqualTo(exact(Map.of("a", new BigDecimal("1E+308"), "b", "\ud83d\ude00")));
        }
    }

    @Test
    default void blockedSerialIsAnsweredNoSoonerThanAnUnknownOne() {
        CountDownLatch longer = new CountDownLatch(1);
        try (TestNode registry = fresh().with("slow", candidate -> {
                    try {
                        longer.await(80, TimeUnit.MILLISECONDS);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return Verdict.unknown();
                })
                .with(
                        "first",
                        candidate -> candidate.serial().value().equals("SN-0666")
                                ? Verdict.refused("stolen")
                                : candidate.serial().value().equals("SN-0001") ? Verdict.genuine() : Verdict.unknown())
                .with("muster.fleet.default.verifiers", "first,slow")
                .with("muster.fleet.default.register-again", "never")
                .start()) {
            registry.registrar().register(candidate("SN-0001"));
            for (int i = 0; i < UsualTime.ENOUGH; i++) {
                due(registry, "SN-9999");
            }
            Duration usual = Duration.ofMillis(80).plus(EvenRefusals.PRESUMED_ENROLMENT);

            assertThat(due(registry, "SN-9999")).as("unknown").isGreaterThanOrEqualTo(usual);
            assertThat(due(registry, "SN-0666")).as("blocked").isGreaterThanOrEqualTo(usual);
            assertThat(due(registry, "SN-0001")).as("taken").isGreaterThanOrEqualTo(usual);
        }
    }

    private static Duration due(TestNode registry, String serial) {
        EvenRefusals.Watch watch = registry.refusals().watch();
        assertThat(problem(() -> registry.registrar().register(RegistrationAttempt.of(candidate(serial)), watch)))
                .isEqualTo(ProblemType.REGISTRATION_REFUSED);
        return Duration.ofNanos(watch.due());
    }

    @Test
    default void unknownSerialIsRefusedAndLeavesNothing() {
        TestRegistry test = fresh();
        try (TestNode registry = test.start()) {
            assertThat(problem(() -> registry.registrar().register(candidate("SN-0001"))))
                    .isEqualTo(ProblemType.REGISTRATION_REFUSED);

            assertThat(all(registry)).isEmpty();
            assertThat(test.events()).hasAtLeastOneElementOfType(RegistrationRefused.class);
            registry.audit().flush();
            assertThat(registry.audit().list(Optional.empty(), 10))
                    .anyMatch(event ->
                            event.type().equals("refused") && event.serial().equals("SN-0001"));
        }
    }

    private static List<io.muster.device.Device> all(TestNode registry) {
        return registry.devices()
                .list(
                        new DeviceStore.Filter(
                                registry.fleets().names(), Optional.empty(), Optional.empty(), Optional.empty()),
                        Optional.empty(),
                        1000)
                .devices();
    }

    @Test
    default void unknownFleetIsNotFound() {
        try (TestNode registry = fresh().start()) {
            assertThat(problem(() -> registry.registrar()
                            .register(Candidate.of(new SerialNumber("SN-0001"), "nowhere", Candidates.ORIGIN))))
                    .isEqualTo(ProblemType.NOT_FOUND);
        }
    }

    @Test
    default void serialMayRegisterAgainUntilItsCredentialWasUsed() {
        try (TestNode registry = expecting(fresh(), "SN-0001")) {
            RegistrationReceipt lost = registry.registrar().register(candidate("SN-0001"));
            assertThat(registry.authenticator().authenticate(lost.key(), "not the secret"))
                    .isEmpty();

            RegistrationReceipt kept = registry.registrar().register(candidate("SN-0001"));

            assertThat(kept.deviceId()).isEqualTo(lost.deviceId());
            assertThat(registry.authenticator().authenticate(lost.key(), lost.secret()))
                    .isEmpty();
            assertThat(registry.authenticator().authenticate(kept.key(), kept.secret()))
                    .isPresent();
            assertThat(problem(() -> registry.registrar().register(candidate("SN-0001"))))
                    .isEqualTo(ProblemType.REGISTRATION_REFUSED);
            assertThat(registry.authenticator().authenticate(kept.key(), kept.secret()))
                    .isPresent();
        }
    }

    @Test
    default void ruleNeverRefusesEveryRepeat() {
        try (TestNode registry = expecting(fresh().with("muster.fleet.default.register-again", "never"), "SN-0001")) {
            registry.registrar().register(candidate("SN-0001"));

            assertThat(problem(() -> registry.registrar().register(candidate("SN-0001"))))
                    .isEqualTo(ProblemType.REGISTRATION_REFUSED);
        }
    }

    @Test
    default void ruleAlwaysGivesAFurtherCredential() {
        try (TestNode registry = expecting(fresh().with("muster.fleet.default.register-again", "always"), "SN-0001")) {
            RegistrationReceipt first = registry.registrar().register(candidate("SN-0001"));
            registry.authenticator().authenticate(first.key(), first.secret());

            RegistrationReceipt second = registry.registrar().register(candidate("SN-0001"));

            assertThat(second.deviceId()).isEqualTo(first.deviceId());
            assertThat(registry.authenticator().authenticate(first.key(), first.secret()))
                    .isPresent();
            assertThat(registry.authenticator().authenticate(second.key(), second.secret()))
                    .isPresent();
        }
    }

    @Test
    default void disabledDeviceNeitherAuthenticatesNorRegisters() {
        try (TestNode registry = expecting(fresh(), "SN-0001")) {
            RegistrationReceipt receipt = registry.registrar().register(candidate("SN-0001"));
            DeviceId id = new DeviceId(receipt.deviceId());
            registry.authenticator().authenticate(receipt.key(), receipt.secret());

            registry.devices().change(id, DeviceState.DISABLED, "test");

            assertThat(registry.authenticator().authenticate(receipt.key(), receipt.secret()))
                    .isEmpty();
            assertThat(registry.authenticator().isGood(receipt.key())).isFalse();
            assertThat(problem(() -> registry.registrar().register(candidate("SN-0001"))))
                    .isEqualTo(ProblemType.REGISTRATION_REFUSED);
            registry.devices().change(id, DeviceState.ACTIVE, "test");
            assertThat(registry.authenticator().authenticate(receipt.key(), receipt.secret()))
                    .isPresent();
        }
    }

    @Test
    default void sixtyFourRacingRegistrationsMakeOneDevice() throws Exception {
        try (TestNode one = expecting(fresh(), "SN-RACE"); ) {
            int racers = 64;
            CyclicBarrier line = new CyclicBarrier(racers);
            ExecutorService threads = Executors.newFixedThreadPool(racers);
            List<RegistrationReceipt> receipts = new ArrayList<>();
            try {
                List<Callable<RegistrationReceipt>> race = new ArrayList<>();
                for (int i = 0; i < racers; i++) {
                    race.add(() -> {
                        line.await();
                        return one.registrar().register(candidate("SN-RACE"));
                    });
                }
                for (Future<RegistrationReceipt> receipt : threads.invokeAll(race)) {
                    receipts.add(receipt.get());
                }
            } finally {
                threads.shutdownNow();
            }

            assertThat(receipts.stream().map(RegistrationReceipt::deviceId).distinct())
                    .hasSize(1);
            assertThat(all(one)).hasSize(1);
            Set<String> working = new HashSet<>();
            for (RegistrationReceipt receipt : receipts) {
                one.authenticator()
                        .authenticate(receipt.key(), receipt.secret())
                        .ifPresent(device -> working.add(device.key()));
            }
            assertThat(working).hasSize(1);
        }
    }

    @Test
    default void spellingsOfASerialAreDifferentSerials() {
        try (TestNode registry = expecting(fresh(), "SN-abc1")) {
            registry.registrar().register(candidate("SN-abc1"));

            for (String other : List.of("sn-abc1", "SN-ABC1", "SN-abc1.", "SN-abc", "SN-abc%", "SN_abc1")) {
                assertThat(problem(() -> registry.registrar().register(candidate(other))))
                        .as(other)
                        .isEqualTo(ProblemType.REGISTRATION_REFUSED);
            }
            expect(registry, "serial\nsn-abc1\nSN-ABC1\n");
            registry.registrar().register(candidate("sn-abc1"));
            registry.registrar().register(candidate("SN-ABC1"));
            assertThat(all(registry)).hasSize(3);
        }
    }

    @Test
    default void verifierThatCannotFindOutStopsTheRegistrationAndCreatesNothing() {
        TestRegistry test = fresh().with("muster.fleet.default.verifiers", "away,yes")
                .with("away", candidate -> {
                    throw new VerificationUnavailableException("the back end is away");
                })
                .with("yes", candidate -> Verdict.genuine());
        try (TestNode registry = test.start()) {
            assertThatThrownBy(() -> registry.registrar().register(candidate("SN-0001")))
                    .isInstanceOfSatisfying(RegistryException.class, e -> assertThat(e.type())
                            .isEqualTo(ProblemType.VERIFICATION_UNAVAILABLE));
            assertThat(all(registry)).isEmpty();
        }
    }

    @Test
    default void addressThatWasRefusedTooOftenMustWait() {
        TestRegistry test = fresh().with("muster.limits.refusals", "3")
                .with("muster.fleet.default.verifiers", "some")
                .with(
                        "some",
                        candidate ->
                                candidate.serial().value().startsWith("OK") ? Verdict.genuine() : Verdict.unknown());
        try (TestNode registry = test.start()) {
            for (int i = 0; i < 3; i++) {
                assertThat(problem(() -> registry.registrar().register(candidate("SN-0001"))))
                        .isEqualTo(ProblemType.REGISTRATION_REFUSED);
            }

            assertThat(problem(() -> registry.registrar().register(candidate("OK-0001"))))
                    .isEqualTo(ProblemType.TOO_MANY_REQUESTS);
            registry.registrar().register(Candidate.of(new SerialNumber("OK-0001"), "default", "192.0.2.99"));
        }
    }

    @Tag("timing")
    @Test
    default void otherNodeSeesADisabledDeviceAtItsNextPoll() {
        TestRegistry test = fresh();
        try (TestNode one = expecting(test, "SN-0001");
                TestNode two = test.start()) {
            RegistrationReceipt receipt = one.registrar().register(candidate("SN-0001"));
            assertThat(two.authenticator().authenticate(receipt.key(), receipt.secret()))
                    .isPresent();

            one.devices().change(new DeviceId(receipt.deviceId()), DeviceState.DISABLED, "test");

            long deadline =
                    System.nanoTime() + TimeLimit.of(Duration.ofSeconds(2)).toNanos();
            while (two.authenticator()
                    .authenticate(receipt.key(), receipt.secret())
                    .isPresent()) {
                assertThat(System.nanoTime()).as("the time is over").isLessThan(deadline);
                Thread.onSpinWait();
            }
        }
    }

    @Test
    default void importKeepsGoodRowsAndNamesBadOnes() {
        TestRegistry test = fresh().with("muster.fleet.default.attributes", "temperature:number");
        try (TestNode registry = test.start()) {
            String csv =
                    "serial,name,attributes.temperature\nSN-0001,one,1\nbad serial,two,2\nSN-0003,three,warm\nSN-0004,four\nSN-0005,,5.5\n";

            SerialImport.Result result = expect(registry, csv);

            assertThat(result.accepted()).isEqualTo(2);
            assertThat(result.errors()).extracting(SerialImport.RowError::row).containsExactly(3L, 4L, 5L);
            assertThat(result.errors().get(1).reason()).contains("attributes.temperature must be a number");
            assertThat(expect(registry, csv))
                    .usingRecursiveComparison()
                    .ignoringFields("id")
                    .isEqualTo(result);
            assertThat(registry.registrar()
                            .register(candidate("SN-0005"))
                            .attributes()
                            .get("temperature"))
                    .isEqualTo(new java.math.BigDecimal("5.5"));
        }
    }

    @Test
    default void importOfJsonKeepsGoodRowsAndNamesBadOnes() {
        try (TestNode registry = fresh().start()) {
            String json =
                    """
                    [{"serial": "SN-0001", "name": "one", "tags": {"site": "hall"}, "attributes": {"n": 1.5, "on": true}},
                     {"serial": "bad serial"}, 5, {"name": "no serial"}, {"serial": "SN-0005", "other": 1},
                     {"serial": "SN-0006", "tags": {"serial": "x"}}, {"serial": "SN-0007"}, {"serial": "SN-0008", ]""";

            SerialImport.Result result = registry.serialImport()
                    .json(
                            registry.fleets().find("default").orElseThrow(),
                            new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)),
                            "test");

            assertThat(result.accepted()).isEqualTo(2);
            assertThat(result.complete()).isFalse();
            assertThat(result.errors()).extracting(SerialImport.RowError::row).containsExactly(2L, 3L, 4L, 5L, 6L, 8L);
            RegistrationReceipt receipt = registry.registrar().register(candidate("SN-0001"));
            assertThat(receipt.attributes()).isEqualTo(Map.of("n", new java.math.BigDecimal("1.5"), "on", true));
            assertThat(receipt.tags()).containsEntry("site", "hall");
            registry.registrar().register(candidate("SN-0007"));
        }
    }

    @Test
    default void importsOfTheSameSerialsInDifferentOrdersBothFinish() throws Exception {
        try (TestNode registry = fresh().start()) {
            List<String> serials = java.util.stream.IntStream.range(0, 900)
                    .mapToObj(i -> "SN-" + (10_000 + i))
                    .toList();
            List<String> reversed = new ArrayList<>(serials);
            java.util.Collections.reverse(reversed);
            ExecutorService threads = Executors.newFixedThreadPool(2);
            try {
                List<Callable<SerialImport.Result>> imports = List.of(
                        () -> expect(registry, "serial\n" + String.join("\n", serials)),
                        () -> expect(registry, "serial\n" + String.join("\n", reversed)));
                for (Future<SerialImport.Result> result :
                        threads.invokeAll(imports, 60, java.util.concurrent.TimeUnit.SECONDS)) {
                    assertThat(result.get().accepted()).isEqualTo(900);
                }
            } finally {
                threads.shutdownNow();
            }
        }
    }

    @Test
    default void quoteThatIsNotClosedIsSaidAndDoesNotPassForTheEnd() {
        try (TestNode registry = fresh().start()) {
            SerialImport.Result result = expect(registry, "serial,name\nSN-0001,a\nSN-0002,\"x\nSN-0003,b\n");

            assertThat(result.accepted()).isEqualTo(1);
            assertThat(result.complete()).isFalse();
        }
    }

    @Test
    default void faultyHeaderIsRefusedWithAllItsFaults() {
        try (TestNode registry = fresh().start()) {
            assertThatThrownBy(() -> expect(registry, "sereal,name,name\nSN-0001,a,b\n"))
                    .isInstanceOfSatisfying(
                            RegistryException.class, e -> assertThat(e.faults()).hasSize(3));
        }
    }
}
