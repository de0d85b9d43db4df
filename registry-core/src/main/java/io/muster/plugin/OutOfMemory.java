// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

/**
 * Reports that memory ran out in code of others. That error is caught so that it harms nobody else. But it may have
 * ended other threads as well, which may be needed.
 */
public final class OutOfMemory {

    private OutOfMemory() {}

    /**
     * Calls the process's handler for uncaught errors, if it has one and memory has run out. The handler of
     * {@code muster.jar} ends the process.
     */
    public static void report(Throwable thrown) {
        // A plug-in's own subclass does not come from the JVM, and merely looking at it may do anything.
        if (thrown.getClass() == OutOfMemoryError.class) {
            Thread.UncaughtExceptionHandler handler = Thread.getDefaultUncaughtExceptionHandler();
            if (handler != null) {
                handler.uncaughtException(Thread.currentThread(), thrown);
            }
        }
    }
}
