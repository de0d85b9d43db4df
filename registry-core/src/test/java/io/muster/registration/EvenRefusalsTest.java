// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.fleet.Fleet;
import io.muster.limit.UsualTime;
import io.muster.problem.RegistryException;
import io.muster.spi.Verdict;
import io.muster.verification.Proof;
import io.muster.verification.policy.VerifierPolicy.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class EvenRefusalsTest {

    private static final Duration FLOOR = Duration.ofMillis(50);
    private static final Outcome UNKNOWN = new Outcome(Proof.of(Verdict.unknown()), true, true, List.of());
    private static final Outcome GENUINE = new Outcome(Proof.of(Verdict.genuine()), true, true, List.of());
    private static final Outcome BLOCKED = new Outcome(Proof.of(Verdict.refused("blocked")), false, true, List.of());
    private static final Outcome REMEMBERED = new Outcome(Proof.of(Verdict.genuine()), false, false, List.of());

    private static TestNode registry;
    private static Fleet local;
    private static Fleet asking;
    private static Fleet hasty;

    private long now = 1_000_000_000_000L;
    private final EvenRefusals refusals = with(bound -> 0);

    @BeforeAll
    static void fleets() {
        registry = TestRegistry.fresh()
                .with("muster.fleets", "asking, hasty")
                .with("muster.fleet.asking.verifiers", "api")
                .with("api", candidate -> Verdict.unknown())
                .start();
        local = registry.fleets().get("default");
        asking = registry.fleets().get("asking");
        hasty = registry.fleets()
                .put(
                        "hasty",
                        "{\"verifiers\":[\"api\"],\"timeBudget\":\"PT0.3S\"}".getBytes(UTF_8),
                        version -> true,
                        "test");
    }

    @AfterAll
    static void close() {
        registry.close();
    }

    @AfterEach
    void closeRefusals() {
        refusals.close();
    }

    private EvenRefusals with(LongUnaryOperator chance) {
        return new EvenRefusals(FLOOR, () -> now, chance);
    }

    private void pass(int millis) {
        now += Duration.ofMillis(millis).toNanos();
    }

    /** Plays one registration with these durations of the verifiers and of the transaction, if there is one. */
    private EvenRefusals.Watch take(Fleet fleet, Outcome decided, int questions, int enrolment) {
        EvenRefusals.Watch watch = refusals.watch();
        watch.questions(fleet);
        pass(questions);
        watch.decided(decided);
        if (enrolment > 0) {
            pass(enrolment);
            watch.enrolled(true);
        }
        return watch;
    }

    private static long millis(EvenRefusals.Watch watch) {
        return TimeUnit.NANOSECONDS.toMillis(watch.due());
    }

    private void measured(Fleet fleet, int questions, int enrolment) {
        for (int i = 0; i < UsualTime.KEPT; i++) {
            take(fleet, GENUINE, questions, enrolment);
            take(fleet, UNKNOWN, questions, 0);
        }
    }

    @Test
    void everyRefusalIsDueWhenTheLongestWayIsUsuallyOver() {
        measured(asking, 100, 12);

        assertThat(millis(take(asking, UNKNOWN, 90, 0))).isEqualTo(112);
        assertThat(millis(take(asking, BLOCKED, 3, 0))).isEqualTo(112);
        assertThat(millis(take(asking, REMEMBERED, 0, 10))).isEqualTo(112);
        assertThat(millis(take(asking, GENUINE, 95, 11))).isEqualTo(112);
        EvenRefusals.Watch unproved = refusals.watch();
        unproved.questions(asking);
        assertThat(millis(unproved)).isEqualTo(112);
    }

    @Test
    void whatIsDoneBeforeTheVerifiersAreAskedComesOnTop() {
        measured(asking, 100, 12);

        EvenRefusals.Watch watch = refusals.watch();
        pass(7);
        watch.questions(asking);
        pass(100);
        watch.decided(UNKNOWN);

        assertThat(millis(watch)).isEqualTo(119);
    }

    @Test
    void refusalTakesUpToHalfAsMuchAgainByChance() {
        try (EvenRefusals lucky = with(bound -> bound - 1)) {
            EvenRefusals.Watch watch = lucky.watch();
            assertThat(watch.due()).isEqualTo(FLOOR.toNanos() * 3 / 2);
            watch.questions(asking);
            assertThat(millis(watch)).isEqualTo((1000 + 250) * 3 / 2);
        }
    }

    @Test
    void presumptionsHoldUntilEnoughWasMeasuredLately() {
        assertThat(millis(take(local, UNKNOWN, 1, 0))).isEqualTo(251);
        assertThat(millis(take(asking, UNKNOWN, 1, 0))).isEqualTo(1250);

        measured(asking, 100, 12);
        assertThat(millis(take(asking, UNKNOWN, 1, 0))).isEqualTo(112);
        assertThat(millis(take(local, UNKNOWN, 45, 0))).isEqualTo(45 + 12);

        pass((int) UsualTime.LATELY.toMillis() + 1);
        assertThat(millis(take(asking, UNKNOWN, 1, 0))).isEqualTo(1250);
    }

    @Test
    void transactionIsPresumedToTakeTwiceThatOfANewDevice() {
        for (int i = 0; i < UsualTime.ENOUGH; i++) {
            EvenRefusals.Watch watch = take(local, GENUINE, 0, 0);
            pass(200);
            watch.enrolled(false);
        }

        assertThat(millis(take(local, UNKNOWN, 0, 0))).isEqualTo(400);
    }

    @Test
    void strangerWithManyUnknownSerialsDoesNotHideThatTheApiTakesLongerForThoseItKnows() {
        for (int i = 0; i < UsualTime.ENOUGH; i++) {
            take(asking, GENUINE, 300, 20);
        }
        for (int i = 0; i < 1000; i++) {
            take(asking, UNKNOWN, 30, 0);
        }

        assertThat(millis(take(asking, UNKNOWN, 30, 0))).isEqualTo(320);
    }

    @Test
    void rareLongOneDoesNotMakeAllOthersLong() {
        measured(asking, 100, 12);
        take(asking, GENUINE, 4000, 12);

        assertThat(millis(take(asking, UNKNOWN, 30, 0))).isEqualTo(112);
    }

    @Test
    void earlyOnesSayNothingOfHowLongAllVerifiersTake() {
        measured(asking, 100, 12);
        for (int i = 0; i < 1000; i++) {
            take(asking, BLOCKED, 1, 0);
            take(asking, REMEMBERED, 0, 12);
        }

        assertThat(millis(take(asking, UNKNOWN, 30, 0))).isEqualTo(112);
    }

    @Test
    void refusalIsKeptBackNoLongerThanTheTimeBudget() {
        measured(hasty, 200, 900);

        assertThat(millis(take(hasty, UNKNOWN, 1, 0))).isEqualTo(300);
    }

    @Test
    void answerIsThereWhenItIsDueAndHoldsNoThreadUntilThen() throws Exception {
        EvenRefusals.Watch late = refusals.watch();
        pass(60);
        assertThat(late.answer("no").toCompletableFuture()).isCompletedWithValue("no");

        EvenRefusals.Watch early = refusals.watch();
        CompletionStage<String> later = early.answer("no");
        assertThat(later.toCompletableFuture()).isNotDone();
        assertThat(later.toCompletableFuture().get(30, TimeUnit.SECONDS)).isEqualTo("no");
    }

    @Test
    void thoseThatAreTooManyAreAnsweredThatTheyAre() {
        measured(asking, 4000, 1000);
        List<EvenRefusals.Watch> watches = IntStream.rangeClosed(0, EvenRefusals.MOST_WAITING)
                .mapToObj(i -> {
                    EvenRefusals.Watch watch = refusals.watch();
                    watch.questions(asking);
                    return watch;
                })
                .toList();
        watches.subList(1, watches.size()).forEach(watch -> watch.answer("no"));

        assertThatThrownBy(() -> watches.get(0).answer("no"))
                .isInstanceOfSatisfying(RegistryException.class, e -> assertThat(e.type())
                        .isEqualTo(ProblemType.VERIFICATION_UNAVAILABLE));
    }
}
