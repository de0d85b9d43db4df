// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Ends the process when its memory has run out, with a line on standard error. A server without memory neither answers
 * nor ends; when it ends, a supervisor can start it again. The JVM does that by itself with
 * {@code -XX:+ExitOnOutOfMemoryError}, with the same status, but a jar cannot request that option.
 *
 * <p>Every second it checks whether free memory can really be allocated. It also checks when a thread could not get any
 * and {@link #uncaughtException} is called. A single array that is too large for the heap is not the end.
 */
final class MemoryWatch implements Thread.UncaughtExceptionHandler {

    /** The exit status, that of the JVM's own option. */
    static final int STATUS = 3;

    private static final long INTERVAL_MILLIS = 1_000;
    // If less than a SHORT-th of the heap is free, a SCARCE-th of it is requested, in pieces.
    private static final int SHORT = 20;
    private static final int SCARCE = 50;
    private static final int PIECE = 64 * 1024;

    private final Runnable end;
    private final Heap heap;
    private final Object wake = new Object();
    private boolean told;

    /** The memory of the process. */
    interface Heap {

        /** Returns how many bytes are free, by its own count. */
        long free();

        /** Returns how many bytes it can have. */
        long most();

        /**
         * Allocates this many bytes and releases them.
         *
         * @throws OutOfMemoryError if they are not available
         */
        void take(long bytes);
    }

    MemoryWatch(Heap heap, Runnable end) {
        this.heap = heap;
        this.end = end;
    }

    /** Begins to watch. */
    static void start() {
        // Made now, since later there is no memory for it.
        byte[] said =
                ("Muster ends: its memory has run out. Start it again, with a larger heap (-Xmx) if it runs out again.\n"
                                + "A plug-in may have taken it; docs/deploying.md says how to find out.\n")
                        .getBytes(StandardCharsets.UTF_8);
        FileOutputStream out = new FileOutputStream(FileDescriptor.err);
        MemoryWatch watch = new MemoryWatch(new JvmHeap(), () -> {
            try {
                out.write(said);
            } catch (IOException e) {
                // Nobody reads it.
            } finally {
                // Shutdown hooks need memory.
                Runtime.getRuntime().halt(STATUS);
            }
        });
        Thread.setDefaultUncaughtExceptionHandler(watch);
        Thread thread = new Thread(null, watch::run, "muster-memory", 0, false);
        thread.setDaemon(true);
        raise(thread);
        thread.start();
    }

    /** A hint, without which it works too: it should come before those that use the memory up. */
    @SuppressWarnings("ThreadPriorityCheck")
    private static void raise(Thread thread) {
        thread.setPriority(Thread.MAX_PRIORITY);
    }

    private void run() {
        while (true) {
            boolean suspicion;
            try {
                synchronized (wake) {
                    if (!told) {
                        wake.wait(INTERVAL_MILLIS);
                    }
                    suspicion = told;
                    told = false;
                }
            } catch (InterruptedException e) {
                continue;
            }
            look(suspicion);
        }
    }

    /**
     * Ends the process if memory cannot be allocated. Tries that if little is free, or if a thread could not get any.
     */
    void look(boolean suspicion) {
        try {
            if (suspicion || heap.free() < heap.most() / SHORT) {
                heap.take(heap.most() / SCARCE);
            }
        } catch (OutOfMemoryError e) {
            end.run();
        }
    }

    /**
     * Notices that a thread could not get memory, whether the thread ended or not. For any other cause, prints what the
     * JVM would have printed on standard error.
     */
    @Override
    public void uncaughtException(Thread thread, Throwable thrown) {
        if (thrown instanceof OutOfMemoryError) {
            synchronized (wake) {
                told = true;
                wake.notifyAll();
            }
            return;
        }
        System.err.print("Exception in thread \"" + thread.getName() + "\" ");
        thrown.printStackTrace();
    }

    /** The heap of this JVM. */
    private static final class JvmHeap implements Heap {

        private final Runtime runtime = Runtime.getRuntime();

        @Override
        public long free() {
            return runtime.maxMemory() - runtime.totalMemory() + runtime.freeMemory();
        }

        @Override
        public long most() {
            return runtime.maxMemory();
        }

        @Override
        public void take(long bytes) {
            byte[][] pieces = new byte[(int) (bytes / PIECE) + 1][];
            try {
                for (int i = 0; i < pieces.length; i++) {
                    pieces[i] = new byte[PIECE];
                }
            } finally {
                java.lang.ref.Reference.reachabilityFence(pieces);
            }
        }
    }
}
