// SPDX-License-Identifier: Apache-2.0
package io.muster.micro.grizzly;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.glassfish.grizzly.filterchain.FilterChainContext;

/** Serves pipelined requests one after another, on few threads. */
final class Lane {

    private static final int THREADS = 2;

    private final Supplier<? extends Executor> threads;
    private final Queue<FilterChainContext> requests = new ConcurrentLinkedQueue<>();
    private final AtomicInteger busy = new AtomicInteger();

    Lane(Supplier<? extends Executor> threads) {
        this.threads = threads;
    }

    /** Continues a suspended request when it is its turn. */
    void serve(FilterChainContext suspended) {
        requests.add(suspended);
        goOn();
    }

    private void goOn() {
        while (!requests.isEmpty() && enter()) {
            try {
                threads.get().execute(this::serveOne);
            } catch (RejectedExecutionException e) {
                busy.decrementAndGet();
                return;
            }
        }
    }

    private boolean enter() {
        return busy.getAndUpdate(threads -> Math.min(threads + 1, THREADS)) < THREADS;
    }

    private void serveOne() {
        try {
            FilterChainContext request = requests.poll();
            if (request == null) {
                return;
            }
            if (request.getConnection().isOpen()) {
                request.resumeNext();
            } else {
                request.completeAndRecycle();
            }
        } finally {
            busy.decrementAndGet();
            goOn();
        }
    }
}
