// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/**
 * The promises of every {@link SerialVerifier}. Implement it in the test of a verifier and answer the questions; JUnit
 * runs the rest.
 *
 * <p>A verifier that has no back end leaves {@link #withDeadBackEnd()} and {@link #withSlowBackEnd()} empty. Those
 * promises are then reported as skipped, not as kept.
 */
public interface SerialVerifierContract {

    /** The verifier under test, ready to answer. */
    SerialVerifier verifier() throws Exception;

    /** A candidate that it calls genuine; empty for a verifier that can only refuse or know nothing. */
    Optional<Candidate> genuine();

    /** A candidate that it does not call genuine: it refuses it or knows nothing of it. */
    Candidate notGenuine();

    /** The verifier with a back end that does not answer at all: nothing listens, or the connection breaks. */
    default Optional<SerialVerifier> withDeadBackEnd() throws Exception {
        return Optional.empty();
    }

    /** The verifier with a back end that accepts the question and never answers. */
    default Optional<SerialVerifier> withSlowBackEnd() throws Exception {
        return Optional.empty();
    }

    /** The time within which it must give up on a back end: its own limit and some room for a busy machine. */
    default Duration patience() {
        return Duration.ofSeconds(10);
    }

    @Test
    default void genuineSerialIsCalledGenuine() throws Exception {
        assumeTrue(genuine().isPresent(), "this verifier never says genuine");

        assertInstanceOf(Verdict.Genuine.class, verifier().verify(genuine().get()));
    }

    @Test
    default void anyOtherSerialIsNotCalledGenuine() throws Exception {
        Verdict verdict = verifier().verify(notGenuine());

        assertNotNull(verdict, "a verdict is never null");
        assertFalse(verdict instanceof Verdict.Genuine, "only a genuine serial may be called genuine");
    }

    @Test
    default void sameQuestionGetsTheSameAnswer() throws Exception {
        SerialVerifier verifier = verifier();
        Candidate candidate = genuine().orElse(notGenuine());

        Verdict first = verifier.verify(candidate);

        assertEquals(first, verifier.verify(candidate));
    }

    @Test
    default void sixteenThreadsGetTheAnswerOfOne() throws Exception {
        SerialVerifier verifier = verifier();
        Candidate candidate = genuine().orElse(notGenuine());
        Verdict alone = verifier.verify(candidate);
        Verdict aloneNot = verifier.verify(notGenuine());
        ExecutorService threads = Executors.newFixedThreadPool(16);
        try {
            List<Callable<Verdict>> questions = new ArrayList<>();
            for (int i = 0; i < 160; i++) {
                Candidate asked = i % 2 == 0 ? candidate : notGenuine();
                questions.add(() -> verifier.verify(asked));
            }

            List<Future<Verdict>> answers = threads.invokeAll(questions);

            for (int i = 0; i < answers.size(); i++) {
                assertEquals(i % 2 == 0 ? alone : aloneNot, answers.get(i).get());
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    default void deadBackEndIsUnavailableAndNotNo() throws Exception {
        Optional<SerialVerifier> dead = withDeadBackEnd();
        assumeTrue(dead.isPresent(), "this verifier has no back end");

        assertUnavailable(dead.get());
    }

    @Test
    default void slowBackEndIsUnavailableInTime() throws Exception {
        Optional<SerialVerifier> slow = withSlowBackEnd();
        assumeTrue(slow.isPresent(), "this verifier has no back end");

        assertTimeoutPreemptively(patience(), () -> assertUnavailable(slow.get()));
    }

    private void assertUnavailable(SerialVerifier verifier) {
        Candidate candidate = genuine().orElse(notGenuine());

        Throwable thrown = assertThrows(VerificationUnavailableException.class, () -> verifier.verify(candidate));

        for (Throwable t = thrown; t != null; t = t.getCause()) {
            assertFalse(
                    String.valueOf(t.getMessage()).contains(candidate.serial().value()),
                    "no serial in the text of an exception: " + t.getClass());
        }
    }
}
