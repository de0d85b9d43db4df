// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Calls code of others on threads of its own, with a limit of calls at once. The wait for each call is limited too. A
 * call that finds no room within a tenth of a second is not made. Code that hangs for ever costs only its own threads.
 * Thread-safe.
 *
 * <p>This also protects from the results, if they are values of the registry's own: a call converts a result before it
 * returns ({@link OwnValues}). An exception of a call is never passed on; only the name of its class is.
 */
public final class BoundedCalls implements AutoCloseable {

    private static final Duration IDLE = Duration.ofSeconds(30);

    // Long enough for a burst at a verifier that answers. Too short to collect the registry's threads at one that does
    // not.
    private static final Duration ROOM = Duration.ofMillis(100);

    private static final int INTERRUPTS = 100;

    private final Semaphore room;
    private final Semaphore queue;
    private final ThreadPoolExecutor threads;
    private final ThreadPoolExecutor interrupts;
    private volatile boolean closed;

    /** A call that has no result. */
    public static final class NoResultException extends RuntimeException {

        private static final long serialVersionUID = 1;

        private final boolean failed;

        private NoResultException(String message, boolean failed, StackTraceElement... where) {
            super(message, null, false, where.length > 0);
            this.failed = failed;
            if (where.length > 0) {
                setStackTrace(where);
            }
        }

        /** Tells whether the call threw an exception; the message is then the name of its class. */
        public boolean failed() {
            return failed;
        }
    }

    /** The result of a call; it contains no object of the called code's classes. */
    private record Result<R>(R value, String thrown, StackTraceElement... where) {}

    /**
     * Makes no thread yet.
     *
     * @param name the prefix of its threads' names, before their number
     * @param atOnce how many calls there may be at once
     * @param loader where libraries of the called code look for their own classes
     */
    public BoundedCalls(String name, int atOnce, ClassLoader loader) {
        this.room = new Semaphore(atOnce);
        this.queue = new Semaphore(Math.max(1, atOnce / 2));
        AtomicInteger number = new AtomicInteger();
        this.threads = new ThreadPoolExecutor(
                0,
                Integer.MAX_VALUE,
                IDLE.toMillis(),
                TimeUnit.MILLISECONDS,
                new SynchronousQueue<>(),
                task -> thread(task, name + "-" + number.incrementAndGet(), loader));
        this.interrupts = new ThreadPoolExecutor(
                1,
                1,
                IDLE.toMillis(),
                TimeUnit.MILLISECONDS,
                new ArrayBlockingQueue<>(INTERRUPTS),
                task -> thread(task, name + "-interrupts", loader),
                new ThreadPoolExecutor.DiscardPolicy());
        interrupts.allowCoreThreadTimeOut(true);
    }

    /** Makes a thread that inherits nothing of the one that happens to need it. */
    static Thread thread(Runnable task, String name, ClassLoader loader) {
        Thread thread = new Thread(null, task, name, 0, false);
        thread.setDaemon(true);
        // Not the class loader of the first request: a plug-in's libraries look for their own classes with it.
        thread.setContextClassLoader(loader);
        return thread;
    }

    /**
     * Calls, and waits for the result.
     *
     * @param work returns a value of the registry's own, or null
     * @param atMost how long to wait for the result, including the wait for room
     * @throws NoResultException if there is no result in time, no room, or the call threw
     */
    public <R> R call(Supplier<R> work, Duration atMost) {
        long started = System.nanoTime();
        FutureTask<Result<R>> answer = new FutureTask<>(() -> result(work));
        try {
            if (!hasRoom(atMost)) {
                throw new NoResultException("too many questions at once", false);
            }
            begin(answer);
            Result<R> result = answer.get(atMost.toNanos() - (System.nanoTime() - started), TimeUnit.NANOSECONDS);
            if (result.thrown != null) {
                throw new NoResultException(result.thrown, true, result.where);
            }
            return result.value;
        } catch (TimeoutException e) {
            interrupt(answer);
            throw new NoResultException("no answer within " + atMost, false);
        } catch (InterruptedException e) {
            interrupt(answer);
            Thread.currentThread().interrupt();
            throw new NoResultException("interrupted", false);
        } catch (ExecutionException e) {
            // Even the name of the exception could not be read, for example without memory.
            throw new NoResultException("an error", true);
        }
    }

    private static <R> Result<R> result(Supplier<R> work) {
        try {
            return new Result<>(work.get(), null);
        } catch (Throwable thrown) {
            OutOfMemory.report(thrown);
            return new Result<>(null, OwnValues.className(thrown), OwnValues.stackTrace(thrown));
        }
    }

    /**
     * Interrupts on another thread, because an interrupt closes the channel that the interrupted thread uses, and so
     * runs code of that channel. If many wait for that already, this one is left out; nobody waits for its call any
     * more.
     */
    private void interrupt(FutureTask<?> answer) {
        try {
            interrupts.execute(() -> answer.cancel(true));
        } catch (OutOfMemoryError e) {
            // No thread could be made.
            OutOfMemory.report(e);
        }
    }

    private boolean hasRoom(Duration patience) throws InterruptedException {
        if (room.tryAcquire()) {
            return true;
        }
        // Limit the waiting threads. Otherwise they would be the threads that must not be held.
        if (!queue.tryAcquire()) {
            return false;
        }
        try {
            return room.tryAcquire(Math.min(ROOM.toNanos(), patience.toNanos()), TimeUnit.NANOSECONDS);
        } finally {
            queue.release();
        }
    }

    private void begin(FutureTask<?> answer) {
        try {
            if (closed) {
                throw new RejectedExecutionException();
            }
            threads.execute(() -> {
                try {
                    answer.run();
                } finally {
                    // Release it only when the call has ended: a call that nobody waits for any more still takes room.
                    room.release();
                }
            });
        } catch (RejectedExecutionException e) {
            room.release();
            throw new NoResultException("the registry stops", false);
        } catch (OutOfMemoryError e) {
            // No thread could be made.
            room.release();
            OutOfMemory.report(e);
            throw new NoResultException("no thread could be made", false);
        }
    }

    /** Ends its threads. Calls under way are interrupted, but not waited for. */
    @Override
    public void close() {
        closed = true;
        interrupts.execute(threads::shutdownNow);
        interrupts.shutdown();
    }
}
