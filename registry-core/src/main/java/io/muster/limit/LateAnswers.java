// SPDX-License-Identifier: Apache-2.0
package io.muster.limit;

import io.muster.api.ProblemType;
import io.muster.problem.RegistryException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Answers that wait until they are due, so that their timing tells nothing. Waiting holds no thread of the server. Has no
 * thread before the first answer that must wait. Thread-safe; closed once, at the end.
 */
public final class LateAnswers implements AutoCloseable {

    /** How many may wait at once. Each of them holds a connection, and what the server keeps of a request. */
    public static final int MOST_WAITING = 2_000;

    private static final int ANSWERING = 16;
    private static final Duration IDLE = Duration.ofSeconds(10);

    private final Semaphore room = new Semaphore(MOST_WAITING);
    private final ScheduledThreadPoolExecutor timer;
    private final ThreadPoolExecutor answering;

    /**
     * Begins with none.
     *
     * @param threads the name of its threads
     */
    public LateAnswers(String threads) {
        this.timer = new ScheduledThreadPoolExecutor(1, threads(threads + "-due"));
        // The timer's thread does not send answers: a client that does not read must not delay the others.
        this.answering = new ThreadPoolExecutor(
                ANSWERING,
                ANSWERING,
                IDLE.toMillis(),
                TimeUnit.MILLISECONDS,
                new LinkedBlockingQueue<>(),
                threads(threads));
        answering.allowCoreThreadTimeOut(true);
    }

    private static ThreadFactory threads(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    /**
     * Returns the answer when it is due.
     *
     * @param waitNanos how long to wait; zero or less for an answer that is due already
     * @throws RegistryException {@code VERIFICATION_UNAVAILABLE} if too many wait already, whatever the answer
     */
    public <T> CompletionStage<T> answer(T answer, long waitNanos) {
        if (waitNanos <= 0) {
            return CompletableFuture.completedFuture(answer);
        }
        if (!room.tryAcquire()) {
            throw new RegistryException(ProblemType.VERIFICATION_UNAVAILABLE, "too many refusals wait at once");
        }
        CompletableFuture<T> later = new CompletableFuture<>();
        var unused = timer.schedule(
                () -> answering.execute(() -> {
                    try {
                        later.complete(answer);
                    } finally {
                        room.release();
                    }
                }),
                waitNanos,
                TimeUnit.NANOSECONDS);
        return later;
    }

    /** Accepts no more answers. Those that wait are still sent when they are due. */
    @Override
    public void close() {
        timer.shutdown();
    }
}
