package io.muster.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class VerifierPolicyTest {

    private static final Candidate CANDIDATE = Candidates.withSerial("SN-0001");

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
}
