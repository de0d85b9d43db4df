// SPDX-License-Identifier: Apache-2.0
package io.muster.approval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.audit.AuditEvent;
import io.muster.persistence.Database;
import io.muster.problem.RegistryException;
import io.muster.registration.RegistrationAttempt;
import io.muster.registration.RegistrationReply;
import io.muster.registration.Spending;
import io.muster.spi.ApprovalDecided;
import io.muster.spi.ApprovalRequested;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import io.muster.verification.policy.Said;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The promises of the verifier {@code approval} and its queue, on every database. */
interface ApprovalContract {

    String FLEET = "default";
    String SERIAL = "SN-0001";
    String ORIGIN = "192.0.2.7";
    Approvals.Verdict YES = new Approvals.Verdict(true, Optional.empty(), Optional.of("seen on the bench"));
    Approvals.Verdict NO = new Approvals.Verdict(false, Optional.empty(), Optional.empty());
    Approvals.Filter ALL_WAITING = new Approvals.Filter(Approval.State.WAITING, Optional.empty(), Optional.empty());

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    /** A registry in which a person alone decides. */
    private TestRegistry test(TestClock clock) {
        return fresh().with(clock).with("muster.fleet.default.verifiers", "approval");
    }

    private static Candidate candidate(String serial, String origin) {
        return Candidate.of(new SerialNumber(serial), FLEET, origin);
    }

    private static String binding(int number) {
        return String.format("%043d", number);
    }

    private static RegistrationReply ask(TestNode node, Candidate candidate) {
        return node.registrar().register(RegistrationAttempt.of(candidate));
    }

    private static RegistrationReply ask(TestNode node) {
        return ask(node, candidate(SERIAL, ORIGIN));
    }

    private static void waits(RegistrationReply reply) {
        assertThat(reply).isEqualTo(new RegistrationReply.Pending(Duration.ofMinutes(1)));
    }

    private static RegistrationReceipt admitted(RegistrationReply reply) {
        assertThat(reply).isInstanceOf(RegistrationReply.Plain.class);
        return ((RegistrationReply.Plain) reply).receipt();
    }

    private static Approvals approvals(TestNode node) {
        return node.part(Approvals.class);
    }

    private static List<Approval> waiting(TestNode node) {
        return approvals(node).list(FLEET, ALL_WAITING, Optional.empty(), 1000);
    }

    private static Approval only(TestNode node, String serial) {
        List<Approval> all = approvals(node).ofSerial(FLEET, serial);
        assertThat(all).hasSize(1);
        return all.get(0);
    }

    private static Approval only(TestNode node) {
        return only(node, SERIAL);
    }

    private static Approval decide(TestNode node, String id, Approvals.Verdict verdict) {
        return approvals(node).decide(FLEET, id, verdict, version -> true, "olga");
    }

    private static void refused(ProblemType type, Runnable request) {
        assertThatThrownBy(request::run).isInstanceOfSatisfying(RegistryException.class, e -> assertThat(e.type())
                .isEqualTo(type));
    }

    private static List<AuditEvent> approvalsOnRecord(TestNode node) {
        return node.audit().list(Optional.empty(), 100).stream()
                .filter(event -> event.type().startsWith("approval-"))
                .toList();
    }

    private static List<String> recorded(TestNode node) {
        return approvalsOnRecord(node).stream()
                .map(event -> event.type() + " by " + event.who())
                .toList();
    }

    @Test
    default void candidateWaitsAndRegistersByItselfOnceItIsApproved() {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock);
        try (TestNode node = test.start();
                TestNode other = test.start()) {
            waits(ask(node));
            clock.pass(Duration.ofSeconds(30));
            waits(ask(other, candidate(SERIAL, "192.0.2.8")));

            assertThat(test.number("SELECT COUNT(*) FROM device")).isZero();
            Approval seen = only(node);
            assertThat(seen)
                    .isEqualTo(new Approval(
                            seen.id(),
                            FLEET,
                            SERIAL,
                            Optional.empty(),
                            Approval.State.WAITING,
                            Optional.empty(),
                            Optional.of("192.0.2.8"),
                            Optional.empty(),
                            List.of(new Said("approval", "pending", "")),
                            2,
                            Optional.of(TestRegistry.NOW),
                            Optional.of(clock.instant()),
                            Optional.empty(),
                            Optional.empty(),
                            Optional.empty(),
                            Optional.empty(),
                            clock.instant().plus(Duration.ofDays(7)),
                            1));

            Approval approved = decide(other, seen.id(), YES);

            assertThat(approved.state()).isEqualTo(Approval.State.APPROVED);
            assertThat(approved.decidedBy()).contains("olga");
            assertThat(approved.reason()).contains("seen on the bench");
            RegistrationReceipt receipt = admitted(ask(node));
            assertThat(receipt.deviceId()).isNotEmpty();
            Approval used = only(node);
            assertThat(used.state()).isEqualTo(Approval.State.USED);
            assertThat(used.usedKey()).contains(receipt.key());
            assertThat(used.deviceId()).contains(receipt.deviceId());
            assertThat(recorded(node))
                    .containsExactlyInAnyOrder(
                            "approval-used by " + ORIGIN,
                            "approval-granted by olga",
                            "approval-requested by " + ORIGIN);
            assertThat(approvalsOnRecord(node))
                    .extracting(AuditEvent::detail)
                    .containsExactlyInAnyOrder(
                            "credential " + receipt.key(),
                            "approval " + seen.id() + "; before: waiting; after: approved; seen on the bench",
                            "approval " + seen.id());
            assertThat(test.events())
                    .contains(
                            new ApprovalRequested(
                                    TestRegistry.NOW,
                                    FLEET,
                                    new SerialNumber(SERIAL),
                                    Optional.empty(),
                                    seen.id(),
                                    ORIGIN),
                            new ApprovalDecided(
                                    clock.instant(),
                                    FLEET,
                                    new SerialNumber(SERIAL),
                                    Optional.empty(),
                                    seen.id(),
                                    true,
                                    "olga"));
        }
    }

    @Test
    default void approvalCoversOneAdmission() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock)
                .with("muster.fleet.default.register-again", "always")
                .start()) {
            waits(ask(node));
            decide(node, only(node).id(), YES);
            RegistrationReceipt lost = admitted(ask(node));

            RegistrationReceipt got = admitted(ask(node));

            assertThat(got.deviceId()).isEqualTo(lost.deviceId());
            assertThat(node.authenticator().authenticate(lost.key(), lost.secret()))
                    .as("the credential of the lost reply")
                    .isEmpty();
            assertThat(node.authenticator().authenticate(got.key(), got.secret()))
                    .isPresent();
            waits(ask(node));
            assertThat(only(node).state()).isEqualTo(Approval.State.WAITING);
            assertThat(only(node).deviceId()).contains(got.deviceId());
            decide(node, only(node).id(), YES);
            assertThat(admitted(ask(node)).deviceId()).isEqualTo(got.deviceId());
        }
    }

    @Test
    default void approvalThatWasUsedIsOverWhenItsUnusedCredentialLapses() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock).with("muster.approval.valid", "P60D").start()) {
            waits(ask(node));
            decide(node, only(node).id(), YES);
            admitted(ask(node));

            clock.pass(Duration.ofDays(31));

            waits(ask(node));
        }
    }

    @Test
    default void rejectedCandidateIsRefusedAndCanBeApprovedAfterAll() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock).start()) {
            waits(ask(node));
            assertThat(decide(node, only(node).id(), NO).state()).isEqualTo(Approval.State.REJECTED);

            refused(ProblemType.REGISTRATION_REFUSED, () -> ask(node));
            assertThat(decide(node, only(node).id(), YES).version()).isEqualTo(3);
            admitted(ask(node));
            refused(ProblemType.CONFLICT, () -> decide(node, only(node).id(), NO));
        }
    }

    @Test
    default void secondBindingIsASecondEntryAndApprovingOneRejectsTheOther() {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock);
        try (TestNode node = test.start()) {
            Candidate mine = candidate(SERIAL, ORIGIN).boundTo(binding(1));
            Candidate theirs = candidate(SERIAL, "198.51.100.1").boundTo(binding(2));
            waits(ask(node, mine));
            waits(ask(node, theirs));
            waits(ask(node));
            List<Approval> all = approvals(node).ofSerial(FLEET, SERIAL);
            assertThat(all)
                    .extracting(Approval::binding)
                    .containsExactly(Optional.empty(), Optional.of(binding(1)), Optional.of(binding(2)));

            decide(node, all.get(1).id(), YES);

            assertThat(approvals(node).ofSerial(FLEET, SERIAL))
                    .extracting(Approval::state)
                    .containsExactly(Approval.State.REJECTED, Approval.State.APPROVED, Approval.State.REJECTED);
            refused(ProblemType.REGISTRATION_REFUSED, () -> ask(node, theirs));
            refused(ProblemType.REGISTRATION_REFUSED, () -> ask(node));
            admitted(ask(node, mine));
            assertThat(recorded(node))
                    .filteredOn("approval-rejected by olga"::equals)
                    .hasSize(2);
            assertThat(test.events().stream().filter(ApprovalDecided.class::isInstance))
                    .hasSize(3);
        }
    }

    @Test
    default void approvingTheOtherOneTakesAnApprovalBackThatWasNotUsed() {
        try (TestNode node = test(new TestClock()).start()) {
            waits(ask(node, candidate(SERIAL, ORIGIN).boundTo(binding(1))));
            waits(ask(node, candidate(SERIAL, ORIGIN).boundTo(binding(2))));
            List<Approval> all = approvals(node).ofSerial(FLEET, SERIAL);

            decide(node, all.get(0).id(), YES);
            decide(node, all.get(1).id(), YES);

            assertThat(approvals(node).ofSerial(FLEET, SERIAL))
                    .extracting(Approval::state)
                    .containsExactly(Approval.State.REJECTED, Approval.State.APPROVED);
        }
    }

    @Test
    default void ofManyBindingsThatAreApprovedAtOnceOnTwoNodesOneIsApproved() throws Exception {
        TestRegistry test = test(new TestClock());
        int bindings = 8;
        try (TestNode node = test.start();
                TestNode other = test.start()) {
            for (int i = 0; i < bindings / 2; i++) {
                waits(ask(node, candidate(SERIAL, ORIGIN).boundTo(binding(i))));
            }
            ExecutorService operators = Executors.newFixedThreadPool(bindings);
            List<Callable<Object>> decisions = new ArrayList<>();
            for (Approval one : approvals(node).ofSerial(FLEET, SERIAL)) {
                decisions.add(() -> decide(decisions.size() % 2 == 0 ? node : other, one.id(), YES));
            }
            for (int i = bindings / 2; i < bindings; i++) {
                Approvals.Expected expected = new Approvals.Expected(new SerialNumber(SERIAL), Optional.of(binding(i)));
                decisions.add(() -> approvals(other).approve(FLEET, List.of(expected), YES, "otto"));
            }
            for (Future<Object> decision : operators.invokeAll(decisions)) {
                try {
                    decision.get();
                } catch (java.util.concurrent.ExecutionException e) {
                    assertThat(e.getCause()).isInstanceOfSatisfying(RegistryException.class, no -> assertThat(no.type())
                            .isEqualTo(ProblemType.CONFLICT));
                }
            }
            operators.shutdown();

            assertThat(approvals(node).ofSerial(FLEET, SERIAL))
                    .filteredOn(one -> one.state() == Approval.State.APPROVED)
                    .hasSize(1);
        }
    }

    @Test
    default void onlyWhoProvesWhatElseIsRequiredGetsIntoTheQueue() {
        TestRegistry test = fresh().with(
                        "proof", candidate -> candidate.evidence().isEmpty() ? Verdict.unknown() : Verdict.genuine())
                .with("muster.fleet.default.verifiers", "approval,proof")
                .with("muster.fleet.default.required", "2");
        try (TestNode node = test.start()) {
            refused(ProblemType.REGISTRATION_REFUSED, () -> ask(node));
            assertThat(test.number("SELECT COUNT(*) FROM approval")).isZero();

            waits(ask(
                    node,
                    new Candidate(
                            new SerialNumber(SERIAL),
                            FLEET,
                            Optional.empty(),
                            java.util.Map.of("a", "b"),
                            List.of(),
                            ORIGIN)));
            assertThat(only(node).said())
                    .containsExactly(new Said("approval", "pending", ""), new Said("proof", "genuine", ""));
        }
    }

    @Test
    default void candidateThatAVerifierOfOthersHasNotDecidedUponIsNotInTheQueue() {
        TestRegistry test = fresh().with("erp", candidate -> Verdict.pending(Duration.ofDays(2)))
                .with("muster.fleet.default.verifiers", "erp");
        try (TestNode node = test.start()) {
            assertThat(ask(node))
                    .as("no device is told to wait longer than a day")
                    .isEqualTo(new RegistrationReply.Pending(Duration.ofDays(1)));
            assertThat(test.number("SELECT COUNT(*) FROM approval")).isZero();
        }
    }

    @Test
    default void explainingPutsNobodyIntoTheQueueAndShowsTheDecision() {
        TestRegistry test = test(new TestClock());
        try (TestNode node = test.start()) {
            assertThat(node.registrar()
                            .explain(candidate(SERIAL, ORIGIN))
                            .verification()
                            .decision())
                    .isEqualTo("pending");
            assertThat(test.number("SELECT COUNT(*) FROM approval")).isZero();

            waits(ask(node));
            decide(node, only(node).id(), YES);
            assertThat(node.registrar()
                            .explain(candidate(SERIAL, ORIGIN))
                            .registration()
                            .outcome())
                    .isEqualTo("new");
            assertThat(only(node).state()).isEqualTo(Approval.State.APPROVED);
        }
    }

    @Test
    default void decisionsAndCandidatesExpire() {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock);
        try (TestNode node = test.start()) {
            waits(ask(node));
            clock.pass(Duration.ofDays(7));
            assertThat(approvals(node).ofSerial(FLEET, SERIAL)).isEmpty();
            assertThat(waiting(node)).isEmpty();

            waits(ask(node));
            assertThat(only(node).tries()).isEqualTo(1);
            assertThat(only(node).firstSeen()).contains(clock.instant());
            Instant until = clock.instant().plus(Duration.ofHours(1));
            decide(node, only(node).id(), new Approvals.Verdict(true, Optional.of(until), Optional.empty()));
            clock.pass(Duration.ofHours(1));
            waits(ask(node));
            assertThat(only(node).state()).isEqualTo(Approval.State.WAITING);

            clock.pass(Duration.ofDays(8));
            Spending.forgetExpired(node.part(Database.class), clock);
            assertThat(test.number("SELECT COUNT(*) FROM approval")).isZero();
        }
    }

    @Test
    default void queueIsBoundedPerAddressAndPerFleet() {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock).with("muster.approval.per-address", "2").with("muster.approval.per-fleet", "3");
        try (TestNode node = test.start()) {
            waits(ask(node, candidate("SN-0001", ORIGIN)));
            waits(ask(node, candidate("SN-0002", ORIGIN)));
            refused(ProblemType.TOO_MANY_REQUESTS, () -> ask(node, candidate("SN-0003", ORIGIN)));
            waits(ask(node, candidate("SN-0003", "192.0.2.8")));
            refused(ProblemType.TOO_MANY_REQUESTS, () -> ask(node, candidate("SN-0004", "192.0.2.9")));
            clock.pass(Duration.ofMinutes(1));
            waits(ask(node, candidate("SN-0002", ORIGIN)));

            decide(node, only(node, "SN-0001").id(), NO);
            waits(ask(node, candidate("SN-0004", "192.0.2.9")));
            assertThat(waiting(node)).hasSize(3);
        }
    }

    @Test
    default void deviceThatAsksWithoutPauseIsWrittenOnceInTenSeconds() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock).start()) {
            for (int i = 0; i < 21; i++) {
                waits(ask(node));
                clock.pass(Duration.ofSeconds(1));
            }

            assertThat(only(node).tries()).isEqualTo(3);
        }
    }

    @Test
    default void serialThatIsApprovedInAdvanceRegistersWithThatKeyAlone() {
        TestRegistry test = test(new TestClock());
        try (TestNode node = test.start()) {
            List<Approvals.Expected> list = List.of(
                    new Approvals.Expected(new SerialNumber(SERIAL), Optional.of(binding(1))),
                    new Approvals.Expected(new SerialNumber("SN-0002"), Optional.empty()));

            assertThat(approvals(node).approve(FLEET, list, YES, "olga"))
                    .isEqualTo(new Approvals.Result(2, 0, List.of(), false));
            assertThat(approvals(node).approve(FLEET, list, YES, "olga"))
                    .isEqualTo(new Approvals.Result(0, 2, List.of(), false));

            waits(ask(node, candidate(SERIAL, ORIGIN).boundTo(binding(2))));
            admitted(ask(node, candidate(SERIAL, ORIGIN).boundTo(binding(1))));
            admitted(ask(node, candidate("SN-0002", ORIGIN)));
            assertThat(recorded(node))
                    .filteredOn("approval-granted by olga"::equals)
                    .hasSize(2);
        }
    }

    @Test
    default void approvingInAdvanceApprovesACandidateThatWaitsAndRejectsOthers() {
        try (TestNode node = test(new TestClock()).start()) {
            waits(ask(node, candidate(SERIAL, ORIGIN).boundTo(binding(1))));
            waits(ask(node, candidate(SERIAL, ORIGIN).boundTo(binding(2))));

            approvals(node)
                    .approve(
                            FLEET,
                            List.of(new Approvals.Expected(new SerialNumber(SERIAL), Optional.of(binding(2)))),
                            YES,
                            "olga");

            assertThat(approvals(node).ofSerial(FLEET, SERIAL))
                    .extracting(Approval::state)
                    .containsExactly(Approval.State.REJECTED, Approval.State.APPROVED);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    default void everyMatchIsDecidedButThoseThatTwoDevicesClaim(boolean byList) {
        TestRegistry test = test(new TestClock());
        try (TestNode node = test.start()) {
            for (int i = 1; i <= 5; i++) {
                waits(ask(node, candidate("SN-000" + i, i == 5 ? "192.0.2.99" : ORIGIN)));
            }
            waits(ask(node, candidate("SN-0002", ORIGIN).boundTo(binding(2))));
            Set<String> contested = Set.of(
                    approvals(node).ofSerial(FLEET, "SN-0002").get(0).id(),
                    approvals(node).ofSerial(FLEET, "SN-0002").get(1).id());

            Approvals.Filter ofOrigin =
                    new Approvals.Filter(Approval.State.WAITING, Optional.of(ORIGIN), Optional.empty());
            List<String> ids = approvals(node).list(FLEET, ofOrigin, Optional.empty(), 100).stream()
                    .map(Approval::id)
                    .toList();
            Approvals.Result result = byList
                    ? approvals(node).decide(FLEET, ids, YES, "olga")
                    : approvals(node).decide(FLEET, ofOrigin, YES, "olga");

            assertThat(result.changed()).isEqualTo(3);
            assertThat(result.unchanged()).isZero();
            assertThat(Set.copyOf(result.contested())).isEqualTo(contested);
            assertThat(result.more()).isFalse();
            assertThat(waiting(node))
                    .extracting(Approval::serial)
                    .containsExactlyInAnyOrder("SN-0002", "SN-0002", "SN-0005");
            assertThat(approvals(node).decide(FLEET, ALL_WAITING, NO, "olga").changed())
                    .as("all may be rejected")
                    .isEqualTo(3);
        }
    }

    @Test
    default void pagesHaveEveryEntryOnce() {
        try (TestNode node = test(new TestClock()).start()) {
            List<String> serials =
                    IntStream.range(0, 7).mapToObj(i -> "SN-000" + i).toList();
            serials.forEach(serial -> waits(ask(node, candidate(serial, ORIGIN))));

            List<String> listed = new ArrayList<>();
            Optional<String> after = Optional.empty();
            do {
                List<Approval> page = approvals(node).list(FLEET, ALL_WAITING, after, 3);
                page.forEach(one -> listed.add(one.serial()));
                after = page.size() < 3
                        ? Optional.empty()
                        : Optional.of(page.get(2).id());
            } while (after.isPresent());

            Collections.sort(listed);
            assertThat(listed).isEqualTo(serials);
        }
    }

    @Test
    default void entryShowsHowManyNeighboursItHas() {
        TestRegistry test = test(new TestClock());
        try (TestNode node = test.start()) {
            test.execute(
                    "INSERT INTO expected_serial (fleet, serial, state, lot) VALUES ('default', 'SN-0001', 'E', 'L1'),"
                            + " ('default', 'SN-0002', 'E', 'L1'), ('default', 'SN-0003', 'E', 'L2')");
            waits(ask(node, candidate("SN-0001", ORIGIN)));
            waits(ask(node, candidate("SN-0001", ORIGIN).boundTo(binding(1))));
            waits(ask(node, candidate("SN-0002", "192.0.2.8")));
            waits(ask(node, candidate("SN-0003", ORIGIN)));
            waits(ask(node, candidate("SN-0004", ORIGIN)));
            List<Approval> all = waiting(node);

            var near = approvals(node).neighbours(FLEET, all);

            assertThat(all)
                    .extracting(one -> one.serial() + one.lot().orElse("") + " " + near.get(one.id()))
                    .containsExactlyInAnyOrder(
                            "SN-0001L1 Neighbours[sameSerial=1, sameOrigin=3, sameLot=2]",
                            "SN-0001L1 Neighbours[sameSerial=1, sameOrigin=3, sameLot=2]",
                            "SN-0002L1 Neighbours[sameSerial=0, sameOrigin=0, sameLot=2]",
                            "SN-0003L2 Neighbours[sameSerial=0, sameOrigin=3, sameLot=0]",
                            "SN-0004 Neighbours[sameSerial=0, sameOrigin=3, sameLot=0]");
        }
    }

    @Test
    default void decisionAboutAnotherVersionIsNotMade() {
        try (TestNode node = test(new TestClock()).start()) {
            waits(ask(node));
            String id = only(node).id();
            decide(node, id, NO);

            refused(ProblemType.PRECONDITION_FAILED, () -> approvals(node)
                    .decide(FLEET, id, YES, version -> version == 1, "otto"));
            assertThat(only(node).state()).isEqualTo(Approval.State.REJECTED);
            refused(ProblemType.PRECONDITION_FAILED, () -> approvals(node)
                    .remove(FLEET, id, version -> version == 1, "otto"));
            approvals(node).remove(FLEET, id, version -> version == 2, "otto");
            refused(ProblemType.NOT_FOUND, () -> decide(node, id, YES));
            waits(ask(node));
        }
    }

    @Test
    default void queueThatCannotBeReadIsUnavailableAndNotNo() {
        TestRegistry test = test(new TestClock());
        try (TestNode node = test.start()) {
            test.execute("DROP TABLE approval");

            refused(ProblemType.VERIFICATION_UNAVAILABLE, () -> ask(node));
        }
    }
}
