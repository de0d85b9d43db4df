// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.time.Duration;

/**
 * Limits of wall-clock time. A machine that does other things at the same time keeps none, so they are checked only where tests measure:
 * in the profile {@code extended}, which sets the system property {@code muster.timing}. Everywhere else a test waits patiently for what
 * it asserts. A test that uses this has the tag {@code timing}, so that it runs in that profile too.
 */
public final class TimeLimit {

    /** Only what hangs takes longer. */
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private TimeLimit() {}

    /** Returns this limit where it is checked, and otherwise one that only what hangs exceeds. */
    public static Duration of(Duration limit) {
        return isChecked() || limit.compareTo(PATIENCE) > 0 ? limit : PATIENCE;
    }

    /** Whether this run measures. */
    public static boolean isChecked() {
        return Boolean.getBoolean("muster.timing");
    }
}
