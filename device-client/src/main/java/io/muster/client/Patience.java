// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Controls how the client talks to the registry: one thread at a time, and no faster than {@link Pace} permits after
 * failures. It retries until there is an answer or the call's time is over. Thread-safe; methods that need the turn say
 * that they do.
 */
final class Patience {

    private static final Logger LOG = System.getLogger(Patience.class.getName());

    private final Duration giveUpAfter;
    private final Duration requestTimeout;
    private final Waiting waiting;

    /** Held by the one thread that talks to the registry; guards the pace. */
    private final ReentrantLock turn = new ReentrantLock();

    private final Pace pace;

    Patience(Pace pace, Duration giveUpAfter, Duration requestTimeout, Waiting waiting) {
        this.pace = pace;
        this.giveUpAfter = giveUpAfter;
        this.requestTimeout = requestTimeout;
        this.waiting = waiting;
    }

    /** A request to the registry. */
    @FunctionalInterface
    interface Exchange<T> {

        /** Asks. It ends within the limit, or fails. */
        T within(Deadline limit) throws IOException, RefusedException, InterruptedException;
    }

    /** Work that is done at once if possible, and reports no failure. */
    @FunctionalInterface
    interface Opportunity {

        /** Does it, with the turn. */
        void use() throws InterruptedException;
    }

    /** Returns when a call that begins now gives up. */
    Deadline newCall() {
        return Deadline.after(giveUpAfter, waiting);
    }

    /** Returns the deadline of a call that makes one attempt and does not wait for it. */
    Deadline newCallOfOneAttempt() {
        return Deadline.ofOneAttempt(requestTimeout, waiting);
    }

    /** Waits until no other thread has the turn, and does all of the exchange with it. */
    <T> T inTurn(Deadline call, Exchange<T> exchange) throws IOException, RefusedException, InterruptedException {
        if (!turn.tryLock(call.left().toNanos(), TimeUnit.NANOSECONDS)) {
            throw new UnavailableException(
                    "another thread has been talking to the registry for " + giveUpAfter, Duration.ZERO, null);
        }
        try {
            return exchange.within(call);
        } finally {
            turn.unlock();
        }
    }

    /** Does nothing if another thread has the turn, or if the pace allows no attempt now. */
    void ifPossibleNow(Opportunity opportunity) throws InterruptedException {
        if (!turn.tryLock()) {
            return;
        }
        try {
            if (pace.untilTurn().isZero()) {
                opportunity.use();
            }
        } finally {
            turn.unlock();
        }
    }

    /** Repeats an exchange until there is an answer. The caller has the turn. */
    <T> T persistently(Deadline call, Exchange<T> exchange) throws IOException, RefusedException, InterruptedException {
        UnavailableException last = null;
        while (true) {
            Duration wait = pace.untilTurn();
            boolean never = !call.isPatient() && (last != null || !wait.isZero());
            if (never || wait.compareTo(call.left()) >= 0) {
                String why = last == null ? "its turn comes later" : last.getMessage();
                throw new UnavailableException("gave up at the limit of " + call.limit() + ": " + why, wait, last);
            }
            waiting.sleep(wait);
            try {
                return once(Pace.min(requestTimeout, call.left()), exchange);
            } catch (UnavailableException e) {
                last = e;
            }
        }
    }

    /** Makes one attempt. The caller has the turn. */
    <T> T once(Exchange<T> exchange) throws UnavailableException, RefusedException, InterruptedException {
        return once(requestTimeout, exchange);
    }

    private <T> T once(Duration limit, Exchange<T> exchange)
            throws UnavailableException, RefusedException, InterruptedException {
        try {
            T answer = exchange.within(Deadline.after(limit, waiting));
            pace.succeeded();
            return answer;
        } catch (RefusedException e) {
            pace.succeeded();
            throw e;
        } catch (IOException e) {
            if (e instanceof NoAnswer answer
                    && answer.isPending()
                    && !answer.retryAfter().isZero()) {
                // The registry is well: wait as told, and no longer each time.
                pace.succeeded();
            }
            pace.failed(e instanceof NoAnswer answer ? answer.retryAfter() : Duration.ZERO);
            Duration wait = pace.untilTurn();
            LOG.log(Level.INFO, "no answer from the registry ({0}); next attempt in {1}", e.getMessage(), wait);
            throw new UnavailableException("no answer from the registry: " + e.getMessage(), wait, e);
        }
    }

    /**
     * Delays the next attempt although the registry answered, because its answer may change with time. The caller has
     * the turn.
     */
    void slowDown() {
        pace.failed(Duration.ZERO);
    }
}
