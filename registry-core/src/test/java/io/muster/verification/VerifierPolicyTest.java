package io.muster.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class VerifierPolicyTest {

    private static final Candidate CANDIDATE = Candidates.withSerial("SN-0001");

    private static final Clock STILL = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);

    private final List<String> asked = new ArrayList<>();

    private VerifierPolicy.Step step(String name, Verdict verdict) {
        return step(name, candidate -> verdict, false);
    }

    private VerifierPolicy.Step step(String name, SerialVerifier verifier, boolean skip) {
        return new VerifierPolicy.Step(
                name,
                candidate -> {
                    asked.add(name);
                    return verifier.verify(candidate);
                },
                skip);
    }

    private Verdict decide(int required, VerifierPolicy.Step... steps) {
        return new VerifierPolicy(List.of(steps), required).verify(CANDIDATE);
    }

    @Test
    void verifiersAreAskedInOrderUntilOneSaysGenuine() {
        Verdict verdict = decide(
                1, step("a", Verdict.unknown()), step("b", Verdict.genuine()), step("c", Verdict.refused("late")));

        assertThat(verdict).isInstanceOf(Verdict.Genuine.class);
        assertThat(asked).containsExactly("a", "b");
    }

    @Test
    void refusedIsFinalWhoeverSaysIt() {
        Verdict verdict = decide(
                2, step("a", Verdict.genuine()), step("b", Verdict.refused("stolen")), step("c", Verdict.genuine()));

        assertThat(verdict).isEqualTo(Verdict.refused("b: stolen"));
        assertThat(asked).containsExactly("a", "b");
    }

    @Test
    void endOfTheListWithoutEnoughRefuses() {
        assertThat(decide(1, step("a", Verdict.unknown()))).isInstanceOf(Verdict.Refused.class);
        assertThat(decide(2, step("a", Verdict.genuine()), step("b", Verdict.unknown())))
                .isEqualTo(Verdict.refused("only 1 of 2 verifiers call it genuine"));
        assertThat(decide(1)).isInstanceOf(Verdict.Refused.class);
    }

    @Test
    void enoughGenuineAnswersAdmitWithWhatTheFirstKnows() {
        Verdict verdict = decide(
                2,
                step("a", new Verdict.Genuine(Optional.empty(), Map.of("lot", "1"), Map.of("n", 1))),
                step("b", new Verdict.Genuine(Optional.of("Pump"), Map.of("lot", "2", "x", "y"), Map.of("n", 2))));

        assertThat(verdict)
                .isEqualTo(new Verdict.Genuine(Optional.of("Pump"), Map.of("lot", "1", "x", "y"), Map.of("n", 1)));
    }

    @Test
    void verifierThatCouldNotFindOutEndsTheQuestioning() {
        SerialVerifier away = candidate -> {
            throw new VerificationUnavailableException("away");
        };

        assertThatThrownBy(() -> decide(1, step("a", away, false), step("b", Verdict.genuine())))
                .isInstanceOf(VerificationUnavailableException.class);
        assertThat(asked).containsExactly("a");
    }

    @Test
    void verifierThatMayBeSkippedIsSkippedAndAdmitsNobodyByThat() {
        SerialVerifier away = candidate -> {
            throw new VerificationUnavailableException("away");
        };

        assertThat(decide(1, step("a", away, true), step("b", Verdict.genuine())))
                .isInstanceOf(Verdict.Genuine.class);
        assertThat(decide(1, step("a", away, true))).isInstanceOf(Verdict.Refused.class);
    }

    @Test
    void defectOfAVerifierIsNeverAYes() {
        List<SerialVerifier> sick = List.of(
                candidate -> null,
                candidate -> {
                    throw new IllegalStateException("SN-0001 and a secret");
                },
                candidate -> {
                    throw new StackOverflowError();
                });
        for (SerialVerifier verifier : sick) {
            assertThatThrownBy(() -> decide(1, step("sick", verifier, false), step("b", Verdict.genuine())))
                    .isInstanceOf(VerificationUnavailableException.class)
                    .hasMessageContaining("sick")
                    .hasMessageNotContaining("SN-0001")
                    .hasNoCause();
        }
    }

    @Test
    void verifierThatKnowsMoreThanCanBeStoredIsUnavailable() {
        for (Verdict tooMuch : List.of(
                new Verdict.Genuine(Optional.of("x".repeat(201)), Map.of(), Map.of()),
                new Verdict.Genuine(Optional.empty(), Map.of("t", "x".repeat(257)), Map.of()),
                new Verdict.Genuine(Optional.empty(), Map.of("t".repeat(65), "x"), Map.of()),
                new Verdict.Genuine(Optional.empty(), Map.of(), Map.of("a", "x".repeat(1001))))) {
            assertThatThrownBy(() -> decide(1, step("big", tooMuch)))
                    .isInstanceOf(VerificationUnavailableException.class);
        }
    }

    @Test
    void noVerifierIsRequiredAtLeastOne() {
        assertThatThrownBy(() -> new VerifierPolicy(List.of(), 0)).isInstanceOf(IllegalArgumentException.class);
    }

    private static final SerialVerifier AWAY = candidate -> {
        throw new VerificationUnavailableException("away");
    };

    private static VerifierPolicy.Rules rules(Duration budget, Optional<VerifierPolicy.Remember> cache) {
        return new VerifierPolicy.Rules(List.of("a"), 1, Map.of(), List.of(), budget, cache);
    }

    private static VerifierPolicy policy(
            List<VerifierPolicy.Step> steps,
            List<VerifierPolicy.Step> shadows,
            VerifierPolicy.Rules rules,
            Clock clock) {
        return new VerifierPolicy(steps, shadows, rules, Runnable::run, clock);
    }

    @Test
    void timeBudgetEndsTheQuestioningThoughTheNextMayBeSkipped() {
        VerifierPolicy policy = policy(
                List.of(
                        step(
                                "slow",
                                candidate -> {
                                    LockSupport.parkNanos(Duration.ofMillis(80).toNanos());
                                    return Verdict.unknown();
                                },
                                true),
                        step("b", candidate -> Verdict.genuine(), true)),
                List.of(),
                rules(Duration.ofMillis(50), Optional.empty()),
                STILL);

        assertThatThrownBy(() -> policy.verify(CANDIDATE))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("the time budget of PT0.05S is used up");
        assertThat(asked).containsExactly("slow");
    }

    @Test
    void genuineThatComesAfterTheTimeBudgetAdmitsNobody() {
        VerifierPolicy policy = policy(
                List.of(step(
                        "slow",
                        candidate -> {
                            LockSupport.parkNanos(Duration.ofMillis(80).toNanos());
                            return Verdict.genuine();
                        },
                        false)),
                List.of(),
                rules(Duration.ofMillis(50), Optional.empty()),
                STILL);

        assertThatThrownBy(() -> policy.verify(CANDIDATE)).isInstanceOf(VerificationUnavailableException.class);
    }

    @Test
    void boundedVerifierGetsWhatIsLeftOfTheTimeBudget() {
        CountDownLatch never = new CountDownLatch(1);
        try (BoundedVerifier hanging = new BoundedVerifier(
                "a",
                candidate -> {
                    try {
                        never.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return Verdict.genuine();
                },
                1,
                Duration.ofMinutes(1))) {
            VerifierPolicy policy = policy(
                    List.of(new VerifierPolicy.Step("a", hanging, false)),
                    List.of(),
                    rules(Duration.ofMillis(50), Optional.empty()),
                    STILL);

            assertThatThrownBy(() -> policy.verify(CANDIDATE))
                    .isInstanceOf(VerificationUnavailableException.class)
                    .hasMessageContaining("no answer within");
        }
    }

    /** A verifier that asks somebody else, whose answers may be remembered. */
    private VerifierPolicy.Step asking(SerialVerifier verifier, List<AutoCloseable> open) {
        BoundedVerifier bounded = new BoundedVerifier(
                "a",
                candidate -> {
                    asked.add("a");
                    return verifier.verify(candidate);
                },
                4,
                Duration.ofMinutes(1));
        open.add(bounded);
        return new VerifierPolicy.Step("a", bounded, false);
    }

    @Test
    void genuineAndRefusedAreRememberedForTheirTimeAndUnknownIsNot() throws Exception {
        Instant[] now = {Instant.EPOCH};
        Clock clock = new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return now[0];
            }
        };
        Map<Verdict, Duration> lives = Map.of(
                Verdict.genuine(), Duration.ofSeconds(10),
                Verdict.refused("stolen"), Duration.ofSeconds(5),
                Verdict.unknown(), Duration.ZERO);
        for (Map.Entry<Verdict, Duration> life : lives.entrySet()) {
            List<AutoCloseable> open = new ArrayList<>();
            asked.clear();
            VerifierPolicy policy = policy(
                    List.of(asking(candidate -> life.getKey(), open)),
                    List.of(),
                    rules(
                            Duration.ofSeconds(5),
                            Optional.of(
                                    new VerifierPolicy.Remember(Duration.ofSeconds(10), Duration.ofSeconds(5), 100))),
                    clock);

            Verdict first = policy.verify(CANDIDATE);
            now[0] = now[0].plus(life.getValue()).minusMillis(life.getValue().isZero() ? 0 : 1);
            assertThat(policy.verify(CANDIDATE)).isEqualTo(first);
            assertThat(asked).hasSize(life.getValue().isZero() ? 2 : 1);
            now[0] = now[0].plusMillis(1);
            assertThat(policy.verify(CANDIDATE)).isEqualTo(first);
            assertThat(asked).hasSize(life.getValue().isZero() ? 3 : 2);
            for (AutoCloseable each : open) {
                each.close();
            }
        }
    }

    @Test
    void answerIsRememberedForTheSameSerialWithTheSameEvidenceOnly() throws Exception {
        List<AutoCloseable> open = new ArrayList<>();
        VerifierPolicy policy = policy(
                List.of(asking(
                        candidate -> "right".equals(candidate.evidence().get("pin"))
                                ? Verdict.genuine()
                                : Verdict.refused("wrong pin"),
                        open)),
                List.of(),
                rules(
                        Duration.ofSeconds(5),
                        Optional.of(new VerifierPolicy.Remember(Duration.ofHours(1), Duration.ofHours(1), 100))),
                STILL);

        assertThat(policy.verify(Candidates.withEvidence("SN-0001", Map.of("pin", "right"))))
                .isInstanceOf(Verdict.Genuine.class);
        assertThat(policy.verify(Candidates.withEvidence("SN-0001", Map.of("pin", "wrong"))))
                .isInstanceOf(Verdict.Refused.class);
        assertThat(policy.verify(Candidates.withSerial("SN-0001"))).isInstanceOf(Verdict.Refused.class);
        assertThat(policy.verify(Candidates.withEvidence("SN-0002", Map.of("pin", "wrong"))))
                .isInstanceOf(Verdict.Refused.class);
        assertThat(asked).hasSize(4);
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    @Test
    void couldNotFindOutIsNotRemembered() throws Exception {
        List<AutoCloseable> open = new ArrayList<>();
        boolean[] away = {true};
        VerifierPolicy policy = policy(
                List.of(asking(candidate -> away[0] ? AWAY.verify(candidate) : Verdict.genuine(), open)),
                List.of(),
                rules(
                        Duration.ofSeconds(5),
                        Optional.of(new VerifierPolicy.Remember(Duration.ofHours(1), Duration.ofHours(1), 100))),
                STILL);

        assertThatThrownBy(() -> policy.verify(CANDIDATE)).isInstanceOf(VerificationUnavailableException.class);
        away[0] = false;
        assertThat(policy.verify(CANDIDATE)).isInstanceOf(Verdict.Genuine.class);
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    @Test
    void shadowDecidesNothingAndOnlyItsDisagreementIsReported() {
        List<String> reports = new ArrayList<>();
        VerifierPolicy policy = policy(
                List.of(step("a", Verdict.genuine())),
                List.of(
                        step("same", Verdict.genuine()),
                        step("stricter", Verdict.refused("stolen")),
                        step("knows-nothing", Verdict.unknown()),
                        step("away", AWAY, false)),
                rules(Duration.ofSeconds(5), Optional.empty()),
                STILL);

        Verdict decided = policy.verify(CANDIDATE);
        assertThat(asked).containsExactly("a");
        policy.shadow(CANDIDATE, decided, (verifier, what) -> reports.add(verifier + " " + what));

        assertThat(decided).isInstanceOf(Verdict.Genuine.class);
        assertThat(asked).containsExactly("a", "same", "stricter", "knows-nothing", "away");
        assertThat(reports)
                .containsExactly(
                        "stricter says refused (stolen), decided was genuine",
                        "knows-nothing says unknown, decided was genuine");
    }

    @Test
    void shadowThatWouldAdmitIsReported() {
        List<String> reports = new ArrayList<>();
        VerifierPolicy policy = policy(
                List.of(step("a", Verdict.unknown())),
                List.of(step("laxer", Verdict.genuine())),
                rules(Duration.ofSeconds(5), Optional.empty()),
                STILL);

        policy.shadow(CANDIDATE, policy.verify(CANDIDATE), (verifier, what) -> reports.add(verifier + " " + what));

        assertThat(reports).containsExactly("laxer says genuine, decided was refused");
    }

    @Test
    void shadowsThatFindNoRoomAreLeftOut() {
        VerifierPolicy policy = new VerifierPolicy(
                List.of(step("a", Verdict.genuine())),
                List.of(step("shadow", Verdict.refused("x"))),
                rules(Duration.ofSeconds(5), Optional.empty()),
                task -> {
                    throw new RejectedExecutionException();
                },
                STILL);

        policy.shadow(CANDIDATE, Verdict.genuine(), (verifier, what) -> {
            throw new AssertionError("nothing was asked");
        });
    }

    @Test
    void explanationAsksEverybodyAndNamesTheRule() {
        assertThat(explain(
                        2, step("a", Verdict.genuine()), step("b", Verdict.refused("stolen")), step("c", AWAY, false)))
                .satisfies(explanation -> {
                    assertThat(explanation.decision()).isEqualTo("refused");
                    assertThat(explanation.rule()).isEqualTo(2);
                    assertThat(explanation.reason()).isEqualTo("b: stolen");
                    assertThat(explanation.answers())
                            .extracting(VerifierPolicy.Answer::verdict)
                            .containsExactly("genuine", "refused", "unavailable");
                });
        assertThat(explain(1, step("a", AWAY, false), step("b", Verdict.genuine())))
                .satisfies(explanation -> {
                    assertThat(explanation.decision()).isEqualTo("unavailable");
                    assertThat(explanation.rule()).isEqualTo(3);
                    assertThat(explanation.reason()).isEqualTo("verifier a: away");
                });
        assertThat(explain(1, step("a", AWAY, true), step("b", Verdict.genuine()), step("c", Verdict.refused("late"))))
                .satisfies(explanation -> {
                    assertThat(explanation.decision()).isEqualTo("genuine");
                    assertThat(explanation.rule()).isEqualTo(4);
                    assertThat(explanation.reason()).isEqualTo("1 of 1 required verifiers call it genuine");
                });
        assertThat(explain(2, step("a", Verdict.genuine()), step("b", Verdict.unknown())))
                .satisfies(explanation -> {
                    assertThat(explanation.decision()).isEqualTo("refused");
                    assertThat(explanation.rule()).isEqualTo(5);
                });
    }

    private static VerifierPolicy.Explanation explain(int required, VerifierPolicy.Step... steps) {
        return new VerifierPolicy(List.of(steps), required).explain(CANDIDATE);
    }
}
