// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.muster.once.Use;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.user.User;
import io.muster.verification.Proof;
import io.muster.verification.Prover;
import io.muster.verification.SerialForm;
import io.muster.verification.TagWriter;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class VerifierPolicyTest {

    private static final Candidate CANDIDATE = Candidates.withSerial("SN-0001");

    private static final Clock STILL = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);

    private final List<String> asked = new ArrayList<>();

    private final List<String> answers = new ArrayList<>();

    private Step step(String name, Verdict verdict) {
        return step(name, candidate -> verdict, false);
    }

    private Step step(String name, SerialVerifier verifier, boolean skip) {
        return new Step(
                name,
                candidate -> {
                    asked.add(name);
                    return verifier.verify(candidate);
                },
                skip);
    }

    private Verdict decide(int required, Step... steps) {
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
    void pendingIsTheEndOfTheListIfNothingElseIsMissing() {
        Verdict.Pending pending = (Verdict.Pending) Verdict.pending(Duration.ofSeconds(7));

        assertThat(decide(1, step("a", pending))).isEqualTo(pending);
        assertThat(decide(2, step("a", Verdict.genuine()), step("b", pending), step("c", Verdict.unknown())))
                .isEqualTo(pending);
        assertThat(decide(2, step("a", pending), step("b", pending))).isEqualTo(pending);
        assertThat(asked).containsExactly("a", "a", "b", "c", "a", "b");
    }

    @Test
    void pendingCountsForNothing() {
        assertThat(decide(2, step("a", Verdict.pending()), step("b", Verdict.unknown())))
                .isEqualTo(Verdict.refused("no verifier calls it genuine"));
        assertThat(decide(1, step("a", Verdict.pending()), step("b", Verdict.refused("stolen"))))
                .isEqualTo(Verdict.refused("b: stolen"));
        assertThat(decide(1, step("a", Verdict.pending()), step("b", Verdict.genuine())))
                .isEqualTo(Verdict.genuine());
        assertThatThrownBy(() -> decide(
                        1,
                        step("a", Verdict.pending()),
                        step(
                                "b",
                                candidate -> {
                                    throw new VerificationUnavailableException("away");
                                },
                                false)))
                .isInstanceOf(VerificationUnavailableException.class);
    }

    @Test
    void deviceComesBackWhenEnoughVerifiersMayHaveDecided() {
        Step soon = step("soon", Verdict.pending(Duration.ofSeconds(1)));
        Step late = step("late", Verdict.pending(Duration.ofHours(1)));
        Step sometime = step("sometime", Verdict.pending());

        assertThat(decide(1, late, soon)).isEqualTo(Verdict.pending(Duration.ofSeconds(1)));
        assertThat(decide(2, soon, late)).isEqualTo(Verdict.pending(Duration.ofHours(1)));
        assertThat(decide(2, late, step("yes", Verdict.genuine()), soon))
                .isEqualTo(Verdict.pending(Duration.ofSeconds(1)));
        assertThat(decide(2, soon, sometime)).isEqualTo(Verdict.pending(Duration.ofSeconds(1)));
        assertThat(decide(1, sometime)).isEqualTo(Verdict.pending());
    }

    @Test
    void pendingDecisionNamesWhatItWaitsForAndWhatEachVerifierSaid() {
        Prover approval = candidate -> new Proof(Verdict.pending(), List.of(new Use.Approval()));

        VerifierPolicy.Outcome decided = new VerifierPolicy(
                        List.of(step("a", Verdict.genuine()), new Step("approval", approval, false)), 2)
                .decide(CANDIDATE);

        assertThat(decided.proof().uses()).containsExactly(new Use.Approval());
        assertThat(decided.said()).containsExactly(new Said("a", "genuine", ""), new Said("approval", "pending", ""));
    }

    @Test
    void explanationSaysThatADecisionIsPending() {
        Explanation explained = new VerifierPolicy(
                        List.of(step("a", Verdict.genuine()), step("b", Verdict.pending())), 2)
                .explain(CANDIDATE);

        assertThat(explained.decision()).isEqualTo("pending");
        assertThat(explained.rule()).isEqualTo(6);
        assertThat(explained.reason()).isEqualTo("1 of 2 required verifiers call it genuine, 1 pending");
        assertThat(explained.answers()).extracting(Explanation.Answer::verdict).containsExactly("genuine", "pending");
        assertThat(explained.uses()).isEmpty();
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

    private static final User ALICE = new User("customers", "https://a.example", "alice", Optional.empty(), Set.of());
    private static final User BOB = new User("customers", "https://a.example", "bob", Optional.empty(), Set.of());

    /** A verifier that knows the owner. */
    private static Step owned(String name, User owner) {
        Prover prover = candidate -> new Proof(Verdict.genuine(), List.of(), Optional.of(owner));
        return new Step(name, prover, false);
    }

    private Proof prove(int required, Step... steps) {
        return new VerifierPolicy(List.of(steps), required).prove(CANDIDATE);
    }

    @Test
    void ownerThatAVerifierNamesIsTheOwnerOfTheAdmission() {
        assertThat(prove(2, step("a", Verdict.genuine()), owned("user", ALICE)).owner())
                .contains(ALICE);
        assertThat(prove(2, owned("user", ALICE), step("a", Verdict.genuine())).owner())
                .contains(ALICE);
        assertThat(prove(1, step("a", Verdict.genuine()), owned("user", ALICE)).owner())
                .isEmpty();
        assertThat(prove(2, owned("user", ALICE), step("a", Verdict.refused("no")))
                        .owner())
                .isEmpty();
    }

    @Test
    void twoVerifiersThatNameTwoUsersRefuse() {
        assertThat(prove(2, owned("one", ALICE), owned("two", BOB)))
                .isEqualTo(Proof.of(Verdict.refused("two: it names another user than a verifier before it")));
        assertThat(prove(2, owned("one", ALICE), owned("two", ALICE)).owner()).contains(ALICE);
        assertThat(new VerifierPolicy(List.of(owned("one", ALICE), owned("two", BOB)), 2)
                        .explain(CANDIDATE)
                        .rule())
                .isEqualTo(2);
    }

    @Test
    void boundedVerifierAndMemoryKeepEachOwnerWithItsToken() {
        Prover byToken = candidate -> new Proof(
                Verdict.genuine(),
                List.of(),
                Optional.of(candidate.evidence().get("user").equals("of-bob") ? BOB : ALICE));
        try (BoundedVerifier bounded = new BoundedVerifier("user", byToken, 4, Duration.ofSeconds(10))) {
            Rules rules = new Rules(
                    List.of("user"),
                    1,
                    Map.of(),
                    List.of(),
                    Duration.ofSeconds(10),
                    Optional.of(new Rules.Remember(Duration.ofMinutes(1), Duration.ofMinutes(1), 100)));
            VerifierPolicy policy = new VerifierPolicy(
                    List.of(new Step("user", bounded, false)),
                    List.of(),
                    rules,
                    SerialForm.EXACT,
                    shadow -> Runnable::run,
                    STILL,
                    System::nanoTime,
                    (verifier, outcome, took) -> {});

            for (String token : List.of("of-alice", "of-bob", "of-alice")) {
                assertThat(policy.prove(Candidates.withEvidence("SN-0001", Map.of("user", token)))
                                .owner())
                        .contains(token.equals("of-bob") ? BOB : ALICE);
            }
        }
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
    void verifierThatKnowsWhatCannotBeStoredIsUnavailableAndTheMessageNamesTheMember() {
        Map<String, Verdict> unstorable = Map.of(
                "name",
                new Verdict.Genuine(Optional.of(" "), Map.of(), Map.of()),
                "tags.site",
                new Verdict.Genuine(Optional.empty(), Map.of("site", "secret\ud83d"), Map.of()),
                "attributes.n",
                Verdict.genuine(Map.of("n", Double.NaN)),
                "attributes.m",
                Verdict.genuine(Map.of("m", new BigDecimal("1E+999999999"))));

        unstorable.forEach((member, verdict) -> assertThatThrownBy(() -> decide(1, step("odd", verdict)))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageStartingWith(
                        "verifier odd knows something of the device that cannot be stored: " + member + " ")
                .hasMessageNotContaining("secret"));
    }

    @Test
    void verifiersThatTogetherKnowTooMuchAreUnavailableThoughTheLastMayBeSkipped() {
        VerifierPolicy policy = new VerifierPolicy(
                List.of(
                        step("a", Verdict.genuine(numbered("a", 60))),
                        step("b", candidate -> Verdict.genuine(numbered("b", 60)), true)),
                2);

        assertThatThrownBy(() -> policy.verify(CANDIDATE))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("together");
    }

    private static Map<String, Object> numbered(String prefix, int count) {
        Map<String, Object> attributes = new HashMap<>();
        for (int i = 0; i < count; i++) {
            attributes.put(prefix + i, i);
        }
        return attributes;
    }

    @Test
    void defectOfAnyKindOnThreadsOfItsOwnIsUnavailableToo() {
        List<SerialVerifier> sick = List.of(
                candidate -> null,
                candidate -> {
                    throw new StackOverflowError();
                },
                candidate -> {
                    throw new NoClassDefFoundError("SN-0001");
                },
                candidate -> {
                    throw new OutOfMemoryError("SN-0001");
                },
                candidate -> {
                    throw new ThreadDeath();
                },
                new Nothing());
        for (SerialVerifier verifier : sick) {
            try (BoundedVerifier bounded = new BoundedVerifier("sick", verifier, 1, Duration.ofMinutes(1))) {
                VerifierPolicy policy =
                        new VerifierPolicy(List.of(new Step("sick", bounded, false), step("b", Verdict.genuine())), 1);

                assertThatThrownBy(() -> policy.verify(CANDIDATE))
                        .isInstanceOf(VerificationUnavailableException.class)
                        .hasMessageContaining("sick")
                        .hasMessageNotContaining("SN-0001");
            }
        }
        assertThat(asked).isEmpty();
    }

    /** Proves nothing, not even that it knows nothing. */
    private static final class Nothing implements Prover {
        @Override
        public Proof prove(Candidate candidate) {
            return null;
        }
    }

    @Test
    void proofThatIsNullOrHasNoVerdictIsNeverAYes() {
        for (Prover sick : List.<Prover>of(new Nothing(), candidate -> new Proof(null, List.of()))) {
            VerifierPolicy policy =
                    new VerifierPolicy(List.of(new Step("sick", sick, false), step("b", Verdict.genuine())), 1);

            assertThatThrownBy(() -> policy.verify(CANDIDATE))
                    .isInstanceOf(VerificationUnavailableException.class)
                    .hasMessageContaining("verifier sick answered null");
        }
        assertThat(asked).isEmpty();
    }

    @Test
    void errorOfABuiltInVerifierEndsTheQuestioning() {
        for (Error error : List.of(new NoClassDefFoundError(), new ThreadDeath(), new AssertionError())) {
            assertThatThrownBy(() -> decide(
                            1,
                            step(
                                    "sick",
                                    candidate -> {
                                        throw error;
                                    },
                                    true),
                            step("b", Verdict.genuine())))
                    .isSameAs(error);
        }
        assertThat(asked).doesNotContain("b");
    }

    @Test
    void tagOfTheRegistryIsThatOfTheVerifierWhoseItIsWhateverOthersSay() {
        SerialVerifier list = new Listed();
        Verdict other = new Verdict.Genuine(Optional.empty(), Map.of("lot", "hidden", "site", "17"), Map.of());

        for (List<Step> order : List.of(
                List.of(step("other", other), new Step("list", list, false)),
                List.of(new Step("list", list, false), step("other", other)))) {
            assertThat(new VerifierPolicy(order, 2).verify(CANDIDATE))
                    .isEqualTo(new Verdict.Genuine(Optional.empty(), Map.of("lot", "L7", "site", "17"), Map.of()));
        }
        assertThat(decide(1, step("other", other))).isEqualTo(other);
    }

    /** A verifier that writes one of the registry's own tags. */
    private static final class Listed implements SerialVerifier, TagWriter {
        @Override
        public Verdict verify(Candidate candidate) {
            return new Verdict.Genuine(Optional.empty(), Map.of("lot", "L7"), Map.of());
        }

        @Override
        public String ownTag() {
            return "lot";
        }
    }

    @Test
    void noVerifierIsRequiredAtLeastOne() {
        assertThatThrownBy(() -> new VerifierPolicy(List.of(), 0)).isInstanceOf(IllegalArgumentException.class);
    }

    private static final SerialVerifier AWAY = candidate -> {
        throw new VerificationUnavailableException("away");
    };

    private static Rules rules(Duration budget, Optional<Rules.Remember> cache) {
        return new Rules(List.of("a"), 1, Map.of(), List.of(), budget, cache);
    }

    private VerifierPolicy policy(List<Step> steps, List<Step> shadows, Rules rules, Clock clock) {
        return new VerifierPolicy(
                steps,
                shadows,
                rules,
                SerialForm.EXACT,
                shadow -> Runnable::run,
                clock,
                nanos::get,
                (verifier, outcome, took) -> answers.add(verifier + " " + outcome));
    }

    @Test
    void timeBudgetEndsTheQuestioningThoughTheNextMayBeSkipped() {
        VerifierPolicy policy = policy(
                List.of(
                        taking("slow", Duration.ofMillis(80), candidate -> Verdict.unknown(), true),
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
                List.of(taking("slow", Duration.ofMillis(80), candidate -> Verdict.genuine(), false)),
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
                    List.of(new Step("a", hanging, false)),
                    List.of(),
                    rules(Duration.ofMillis(50), Optional.empty()),
                    STILL);

            assertThatThrownBy(() -> policy.verify(CANDIDATE))
                    .isInstanceOf(VerificationUnavailableException.class)
                    .hasMessageContaining("no answer within");
        }
    }

    /** A verifier that asks somebody else, whose answers may be remembered. */
    private Step asking(SerialVerifier verifier, List<AutoCloseable> open) {
        BoundedVerifier bounded = new BoundedVerifier(
                "a",
                candidate -> {
                    asked.add("a");
                    return verifier.verify(candidate);
                },
                4,
                Duration.ofMinutes(1));
        open.add(bounded);
        return new Step("a", bounded, false);
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
                            Optional.of(new Rules.Remember(Duration.ofSeconds(10), Duration.ofSeconds(5), 100))),
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
                        Optional.of(new Rules.Remember(Duration.ofHours(1), Duration.ofHours(1), 100))),
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
                        Optional.of(new Rules.Remember(Duration.ofHours(1), Duration.ofHours(1), 100))),
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
    void eachAnswerIsMeasuredUnlessItIsRemembered() {
        Rules.Remember remember = new Rules.Remember(Duration.ofMinutes(1), Duration.ofMinutes(1), 10);
        BoundedVerifier bounded =
                new BoundedVerifier("a", candidate -> Verdict.refused("no"), 1, Duration.ofSeconds(60));
        try (bounded) {
            VerifierPolicy policy = policy(
                    List.of(new Step("a", bounded, false)),
                    List.of(),
                    rules(Duration.ofSeconds(60), Optional.of(remember)),
                    STILL);
            policy.verify(CANDIDATE);
            policy.verify(CANDIDATE);
        }
        SerialVerifier unavailable = candidate -> {
            throw new VerificationUnavailableException("away");
        };
        VerifierPolicy other = policy(
                List.of(step("b", unavailable, true), step("c", Verdict.genuine())),
                List.of(),
                rules(Duration.ofSeconds(60), Optional.empty()),
                STILL);
        other.verify(CANDIDATE);
        other.explain(CANDIDATE);

        assertThat(answers).containsExactly("a refused", "b unavailable", "c genuine");
    }

    @Test
    void shadowsThatFindNoRoomAreLeftOut() {
        VerifierPolicy policy = new VerifierPolicy(
                List.of(step("a", Verdict.genuine())),
                List.of(step("shadow", Verdict.refused("x"))),
                rules(Duration.ofSeconds(5), Optional.empty()),
                SerialForm.EXACT,
                shadow -> task -> {
                    throw new RejectedExecutionException();
                },
                STILL,
                System::nanoTime,
                (verifier, outcome, took) -> {});

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
                            .extracting(Explanation.Answer::verdict)
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

    /** Time that passes only while a verifier takes it. */
    private final AtomicLong nanos = new AtomicLong();

    private Step taking(String name, Duration took, SerialVerifier verifier, boolean skip) {
        return step(
                name,
                candidate -> {
                    nanos.addAndGet(took.toNanos());
                    return verifier.verify(candidate);
                },
                skip);
    }

    private VerifierPolicy within(Duration budget, int required, Step... steps) {
        Rules rules = new Rules(
                Stream.of(steps).map(Step::name).toList(), required, Map.of(), List.of(), budget, Optional.empty());
        return new VerifierPolicy(
                List.of(steps),
                List.of(),
                rules,
                SerialForm.EXACT,
                shadow -> Runnable::run,
                STILL,
                nanos::get,
                (verifier, outcome, took) -> {});
    }

    private static final Duration SECOND = Duration.ofSeconds(1);

    @Test
    void explanationDecidesAsARegistrationDoesThatHasTheSameAnswersInTheSameTime() {
        SerialVerifier yes = candidate -> Verdict.genuine();
        SerialVerifier no = candidate -> Verdict.refused("stolen");
        SerialVerifier unknown = candidate -> Verdict.unknown();
        Map<String, VerifierPolicy> cases = Map.of(
                "genuine that is late",
                within(SECOND, 1, taking("a", SECOND, yes, false)),
                "genuine in time",
                within(SECOND, 1, taking("a", SECOND.minusNanos(1), yes, false)),
                "refused that is late",
                within(SECOND, 1, taking("a", SECOND, no, false), step("b", Verdict.genuine())),
                "used up between two",
                within(SECOND, 2, taking("a", SECOND, yes, true), step("b", Verdict.genuine())),
                "skipped and late",
                within(SECOND, 1, taking("a", SECOND, AWAY, true), step("b", Verdict.genuine())),
                "skipped and in time",
                within(SECOND, 1, taking("a", Duration.ofMillis(900), AWAY, true), step("b", Verdict.genuine())),
                "away and late",
                within(SECOND, 1, taking("a", SECOND, AWAY, false), step("b", Verdict.genuine())),
                "nobody knows it, too late",
                within(
                        SECOND,
                        1,
                        taking("a", Duration.ofMillis(600), unknown, false),
                        taking("b", Duration.ofMillis(400), unknown, true)),
                "late after the decision",
                within(SECOND, 1, step("a", Verdict.genuine()), taking("b", SECOND, no, false)));

        cases.forEach((name, policy) -> {
            String decision;
            String reason;
            try {
                Verdict verdict = policy.verify(CANDIDATE);
                decision = verdict instanceof Verdict.Genuine ? "genuine" : "refused";
                reason = verdict instanceof Verdict.Refused refused
                        ? refused.reason()
                        : "1 of 1 required verifiers call it genuine";
            } catch (VerificationUnavailableException e) {
                decision = "unavailable";
                reason = e.getMessage();
            }

            Explanation explanation = policy.explain(CANDIDATE);

            assertThat(explanation.decision()).as(name).isEqualTo(decision);
            assertThat(explanation.reason()).as(name).isEqualTo(reason);
        });
        assertThat(cases.get("genuine that is late").explain(CANDIDATE)).satisfies(late -> {
            assertThat(late.decision()).isEqualTo("unavailable");
            assertThat(late.rule()).isEqualTo(3);
            assertThat(late.reason()).isEqualTo("the time budget of PT1S is used up");
            assertThat(late.uses()).isEmpty();
        });
        assertThat(cases.get("skipped and late").explain(CANDIDATE).decision()).isEqualTo("unavailable");
        assertThat(cases.get("skipped and in time").explain(CANDIDATE).decision())
                .isEqualTo("genuine");
        assertThat(cases.get("late after the decision").explain(CANDIDATE).decision())
                .isEqualTo("genuine");
    }

    @Test
    void explanationAsksTheOthersTooWhenTheBudgetIsUsedUp() {
        VerifierPolicy policy = within(
                SECOND, 2, taking("a", SECOND, candidate -> Verdict.genuine(), false), step("b", Verdict.refused("x")));

        assertThat(policy.explain(CANDIDATE).answers())
                .extracting(Explanation.Answer::verifier, Explanation.Answer::verdict)
                .containsExactly(tuple("a", "genuine"), tuple("b", "refused"));
    }

    @Test
    void refusalIsCompleteWhereEveryVerifierWasAskedForIt() {
        assertThat(complete(1, step("a", Verdict.unknown()), step("b", Verdict.unknown())))
                .isTrue();
        assertThat(complete(1, step("a", Verdict.unknown()), step("b", Verdict.refused("x"))))
                .isTrue();
        assertThat(complete(1, step("a", AWAY, true), step("b", Verdict.unknown())))
                .isTrue();
        assertThat(complete(1, step("a", Verdict.refused("x")), step("b", Verdict.unknown())))
                .isFalse();
        assertThat(complete(1, step("a", Verdict.genuine()), step("b", Verdict.unknown())))
                .isFalse();
    }

    private static boolean complete(int required, Step... steps) {
        return new VerifierPolicy(List.of(steps), required).decide(CANDIDATE).complete();
    }

    @Test
    void rememberedAnswerDoesNotMakeARefusalCompleteAndTellsNothingOfTheTime() throws Exception {
        List<AutoCloseable> open = new ArrayList<>();
        VerifierPolicy policy = policy(
                List.of(asking(candidate -> Verdict.refused("x"), open)),
                List.of(),
                rules(
                        Duration.ofSeconds(5),
                        Optional.of(new Rules.Remember(Duration.ofHours(1), Duration.ofHours(1), 100))),
                STILL);

        assertThat(policy.asksOthers()).isTrue();
        assertThat(policy.decide(CANDIDATE))
                .extracting(VerifierPolicy.Outcome::complete, VerifierPolicy.Outcome::asked)
                .containsExactly(true, true);
        assertThat(policy.decide(CANDIDATE))
                .extracting(VerifierPolicy.Outcome::complete, VerifierPolicy.Outcome::asked)
                .containsExactly(false, false);
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    private static Explanation explain(int required, Step... steps) {
        return new VerifierPolicy(List.of(steps), required).explain(CANDIDATE);
    }
}
