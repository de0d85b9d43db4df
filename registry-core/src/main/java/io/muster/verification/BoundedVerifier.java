package io.muster.verification;

import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.VerificationUnavailableException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A verifier that asks somebody else, kept from holding the registry's threads: it is asked on threads of its own, so many at
 * once and no more, each answer is waited for so long and no longer, and a question that finds no room within a tenth of a second is
 * unavailable. A verifier that hangs for ever so costs its own threads and nobody else's. Thread-safe.
 */
final class BoundedVerifier implements Prover, AutoCloseable {

    private static final Duration IDLE = Duration.ofSeconds(30);

    // Long enough for a burst at a verifier that answers, too short to gather the registry's threads at one that does
    // not.
    private static final Duration ROOM = Duration.ofMillis(100);

    private final SerialVerifier verifier;
    private final Duration timeLimit;
    private final Semaphore room;
    private final Semaphore queue;
    private final ThreadPoolExecutor threads;

    /**
     * Bounds a verifier.
     *
     * @param name its name, for its threads
     * @param atOnce how many questions it may be asked at once
     * @param timeLimit how long an answer is waited for at most
     */
    BoundedVerifier(String name, SerialVerifier verifier, int atOnce, Duration timeLimit) {
        this.verifier = verifier;
        this.timeLimit = timeLimit;
        this.room = new Semaphore(atOnce);
        this.queue = new Semaphore(Math.max(1, atOnce / 2));
        AtomicInteger number = new AtomicInteger();
        ClassLoader loader = verifier.getClass().getClassLoader();
        this.threads = new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, IDLE.toMillis(), TimeUnit.MILLISECONDS, new SynchronousQueue<>(), task -> {
                    Thread thread = new Thread(task, "muster-verifier-" + name + "-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    // Not that of whichever request came first: a plug-in's libraries look for their own classes with
                    // it.
                    thread.setContextClassLoader(loader);
                    return thread;
                });
    }

    @Override
    public Proof prove(Candidate candidate) {
        return prove(candidate, timeLimit);
    }

    /**
     * Asks, and waits for the shorter of its own time limit and the given one.
     *
     * @throws VerificationUnavailableException if there is no answer in time, or no room
     */
    Proof prove(Candidate candidate, Duration atMost) {
        Duration patience = atMost.compareTo(timeLimit) < 0 ? atMost : timeLimit;
        long started = System.nanoTime();
        FutureTask<Proof> answer = new FutureTask<>(() -> VerifierPolicy.ask(verifier, candidate));
        try {
            if (!hasRoom(patience)) {
                throw new VerificationUnavailableException("too many questions at once; see max-concurrent");
            }
            begin(answer);
            return answer.get(patience.toNanos() - (System.nanoTime() - started), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            answer.cancel(true);
            throw new VerificationUnavailableException("no answer within " + patience);
        } catch (InterruptedException e) {
            answer.cancel(true);
            Thread.currentThread().interrupt();
            throw new VerificationUnavailableException("interrupted");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException thrown) {
                throw thrown;
            }
            throw new VerifierFailure(e.getCause());
        }
    }

    private boolean hasRoom(Duration patience) throws InterruptedException {
        if (room.tryAcquire()) {
            return true;
        }
        // Only so many may wait, or those who do would be the threads that must not be held.
        if (!queue.tryAcquire()) {
            return false;
        }
        try {
            return room.tryAcquire(Math.min(ROOM.toNanos(), patience.toNanos()), TimeUnit.NANOSECONDS);
        } finally {
            queue.release();
        }
    }

    private void begin(FutureTask<Proof> answer) {
        try {
            threads.execute(() -> {
                try {
                    answer.run();
                } finally {
                    // When it has ended, however late: a question that nobody waits for any more takes room all the
                    // same.
                    room.release();
                }
            });
        } catch (RejectedExecutionException e) {
            room.release();
            throw new VerificationUnavailableException("the registry stops");
        }
    }

    /** A verifier ended with an {@link Error}. */
    static final class VerifierFailure extends RuntimeException {

        private static final long serialVersionUID = 1;

        VerifierFailure(Throwable cause) {
            super(cause.getClass().getName(), cause);
        }
    }

    /** Returns what is bounded. */
    SerialVerifier verifier() {
        return verifier;
    }

    /** Ends its threads; questions under way are interrupted. */
    @Override
    public void close() {
        threads.shutdownNow();
    }
}
