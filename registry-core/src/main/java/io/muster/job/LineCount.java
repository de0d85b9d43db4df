// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

/** Counts the lines of a text that are not blank. */
final class LineCount {

    private long ended;
    private boolean filled;

    void count(byte[] bytes) {
        for (byte b : bytes) {
            if (b == '\n' || b == '\r') {
                ended += filled ? 1 : 0;
                filled = false;
            } else if (b != ' ' && b != '\t') {
                filled = true;
            }
        }
    }

    long number() {
        return ended + (filled ? 1 : 0);
    }
}
