// SPDX-License-Identifier: Apache-2.0
package io.muster.command.audit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Lines of a file, none of which may take all memory. */
final class Lines {

    /** Longer than any line of an export. */
    private static final int LONGEST = 16 << 20;

    private final InputStream in;
    private final byte[] buffer = new byte[1 << 16];
    private int position;
    private int end;

    Lines(InputStream in) {
        this.in = in;
    }

    /** Returns the next line, cut off where it is too long; empty at the end. */
    Optional<String> next() throws IOException {
        if (!fill()) {
            return Optional.empty();
        }
        ByteArrayOutputStream line = new ByteArrayOutputStream(1 << 10);
        boolean ended = false;
        while (!ended && fill()) {
            int from = position;
            while (position < end && buffer[position] != '\n') {
                position++;
            }
            line.write(buffer, from, Math.max(0, Math.min(position - from, LONGEST - line.size())));
            ended = position < end;
            position += ended ? 1 : 0;
        }
        return Optional.of(line.toString(StandardCharsets.UTF_8));
    }

    /** Reads more if there is nothing left; returns false at the end. */
    private boolean fill() throws IOException {
        if (position == end) {
            position = 0;
            end = Math.max(0, in.read(buffer));
        }
        return position < end;
    }
}
