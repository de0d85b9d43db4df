// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.SerialForm;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class BoundedVerifierTest {

    private static final Candidate CANDIDATE = Candidates.withSerial("SN-0001");
    private static final Duration LONG = Duration.ofSeconds(30);

    private final CountDownLatch release = new CountDownLatch(1);
    private final List<AutoCloseable> open = new ArrayList<>();

    private BoundedVerifier bounded(int atOnce, Duration limit, SerialVerifier verifier) {
        BoundedVerifier bounded = new BoundedVerifier("acme", verifier, atOnce, limit);
        open.add(bounded);
        return bounded;
    }

    private SerialVerifier hanging(CountDownLatch arrived) {
        return candidate -> {
            arrived.countDown();
            boolean done = false;
            while (!done) {
                try {
                    done = release.await(1, TimeUnit.MINUTES);
                } catch (InterruptedException e) {
                    // As a careless plug-in would.
                    done = false;
                }
            }
            return Verdict.genuine();
        };
    }

    @AfterEach
    void close() throws Exception {
        release.countDown();
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    @Test
    void answersWhatTheVerifierAnswersOnAThreadOfItsOwn() {
        AtomicReference<Thread> thread = new AtomicReference<>();

        Verdict verdict = bounded(1, LONG, candidate -> {
                    thread.set(Thread.currentThread());
                    return Verdict.refused("stolen");
                })
                .verify(CANDIDATE);

        assertThat(verdict).isEqualTo(Verdict.refused("stolen"));
        assertThat(thread.get().getName()).startsWith("muster-verifier-acme-");
        assertThat(thread.get().isDaemon()).isTrue();
    }

    @Test
    void verifierThatHangsIsUnavailableInTimeThoughItIgnoresInterrupts() {
        BoundedVerifier verifier = bounded(1, Duration.ofMillis(50), hanging(new CountDownLatch(1)));

        assertThatThrownBy(() -> verifier.verify(CANDIDATE))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("no answer within PT0.05S");
    }

    @Test
    void shorterOfItsOwnTimeLimitAndTheGivenOneHolds() {
        BoundedVerifier verifier = bounded(1, LONG, hanging(new CountDownLatch(1)));

        assertThatThrownBy(() -> verifier.prove(CANDIDATE, SerialForm.EXACT, Duration.ofMillis(20)))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("PT0.02S");
    }

    @Test
    void questionThatHangsTakesItsRoomUntilItEnds() throws Exception {
        CountDownLatch arrived = new CountDownLatch(2);
        BoundedVerifier verifier = bounded(2, Duration.ofMillis(500), hanging(arrived));
        ExecutorService callers = Executors.newFixedThreadPool(2);
        open.add(callers::shutdownNow);
        List<Future<Verdict>> held = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            held.add(callers.submit(() -> verifier.verify(CANDIDATE)));
        }
        assertThat(arrived.await(10, TimeUnit.SECONDS)).isTrue();
        for (Future<Verdict> each : held) {
            assertThatThrownBy(() -> each.get(10, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(VerificationUnavailableException.class);
        }

        // Nobody waits for them any more, and they have not ended.
        assertThatThrownBy(() -> verifier.verify(CANDIDATE))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("too many questions at once");

        release.countDown();
        Verdict verdict = null;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (verdict == null && System.nanoTime() < deadline) {
            try {
                verdict = verifier.verify(CANDIDATE);
            } catch (VerificationUnavailableException e) {
                // The hanging ones are about to end.
            }
        }
        assertThat(verdict).isEqualTo(Verdict.genuine());
    }

    @Tag("extended")
    @Tag("timing")
    @Test
    void onlyHalfAsManyWaitForRoomAsMayAsk() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        BoundedVerifier verifier = bounded(1, LONG, hanging(arrived));
        ExecutorService callers = Executors.newFixedThreadPool(9);
        open.add(callers::shutdownNow);
        var unused = callers.submit(() -> verifier.verify(CANDIDATE));
        assertThat(arrived.await(10, TimeUnit.SECONDS)).isTrue();

        List<Future<Long>> refused = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            refused.add(callers.submit(() -> {
                long started = System.nanoTime();
                assertThatThrownBy(() -> verifier.verify(CANDIDATE))
                        .isInstanceOf(VerificationUnavailableException.class);
                return System.nanoTime() - started;
            }));
        }
        int waited = 0;
        for (Future<Long> each : refused) {
            waited += each.get(10, TimeUnit.SECONDS) >= TimeUnit.MILLISECONDS.toNanos(100) ? 1 : 0;
        }

        assertThat(waited).isLessThan(8);
    }

    @Test
    void errorOfAVerifierIsAFailureThatThePolicyCanName() {
        BoundedVerifier verifier = bounded(1, LONG, candidate -> {
            throw new NoClassDefFoundError("SN-0001 and a secret");
        });

        assertThatThrownBy(() -> new VerifierPolicy(List.of(new Step("acme", verifier, false)), 1).verify(CANDIDATE))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("NoClassDefFoundError")
                .hasMessageNotContaining("SN-0001");
    }

    @Test
    void closedOneIsUnavailable() {
        BoundedVerifier verifier = bounded(1, LONG, candidate -> Verdict.genuine());
        verifier.close();

        assertThatThrownBy(() -> verifier.verify(CANDIDATE)).isInstanceOf(VerificationUnavailableException.class);
    }
}
