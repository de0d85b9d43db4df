// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** The lines of a text, which end with CR, LF or both. Of one that is too long, the beginning is returned. */
final class Lines {

    private final InputStream in;
    private final int most;
    private final byte[] buffer = new byte[8192];
    private int place;
    private int filled;
    private boolean afterCr;

    /**
     * Reads a text.
     *
     * @param most how many bytes of a line are returned
     */
    Lines(InputStream in, int most) {
        this.in = in;
        this.most = most;
    }

    /** Returns the next line without its end; empty at the end of the text. */
    Optional<byte[]> next() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream(128);
        boolean any = false;
        while (true) {
            if (place == filled) {
                place = 0;
                filled = in.read(buffer);
                if (filled <= 0) {
                    filled = 0;
                    return any ? Optional.of(line.toByteArray()) : Optional.empty();
                }
            }
            byte b = buffer[place++];
            boolean skip = afterCr && b == '\n';
            afterCr = b == '\r';
            if (skip) {
                continue;
            }
            if (b == '\r' || b == '\n') {
                return Optional.of(line.toByteArray());
            }
            any = true;
            if (line.size() < most) {
                line.write(b);
            }
        }
    }
}
