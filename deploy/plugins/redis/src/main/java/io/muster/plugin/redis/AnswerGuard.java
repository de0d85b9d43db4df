// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.redis;

import java.io.IOException;
import java.net.ProtocolException;

/**
 * Follows a server's answer in the Redis protocol (RESP 2), byte by byte, and ends it where it would do harm. The
 * client believes every length it reads, allocates that much and descends into every list. The guard also ends a second
 * answer to a question, which would become the answer to the next one.
 */
final class AnswerGuard {

    static final int MOST_BYTES = 256 * 1024;
    private static final int MOST_LISTS = 4;
    private static final int MOST_DIGITS = 9;

    private int bytesLeft;
    private int valuesLeft;
    private int listsLeft;

    private char type;
    private boolean negative;
    private int digits;
    private int number;
    private boolean returned;
    private int skip;

    /** A question is sent: one answer may follow. */
    void question() {
        bytesLeft = MOST_BYTES;
        valuesLeft = 1;
        listsLeft = MOST_LISTS;
        type = 0;
        skip = 0;
    }

    void see(byte[] bytes, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            see((char) (bytes[i] & 0xff));
        }
    }

    private void see(char c) throws IOException {
        if (bytesLeft-- == 0) {
            throw new ProtocolException("the answer is longer than " + MOST_BYTES + " bytes");
        }
        if (skip > 0) {
            skip--;
            if (skip == 0) {
                valuesLeft--;
            }
        } else if (type == 0) {
            begin(c);
        } else if (returned && c == '\n') {
            line();
        } else {
            returned = c == '\r';
            if (!returned && (type == '$' || type == '*')) {
                digit(c);
            }
        }
    }

    private void begin(char c) throws IOException {
        if (valuesLeft == 0) {
            throw new ProtocolException("more than one answer to a question");
        }
        if ("+-:$*".indexOf(c) < 0) {
            throw new ProtocolException("what answers does not speak the Redis protocol");
        }
        type = c;
        negative = false;
        returned = false;
        digits = 0;
        number = 0;
    }

    private void digit(char c) throws IOException {
        if (c == '-' && digits == 0 && !negative) {
            negative = true;
        } else if (c >= '0' && c <= '9' && ++digits <= MOST_DIGITS) {
            number = number * 10 + (c - '0');
        } else {
            throw new ProtocolException("a length that is none");
        }
    }

    private void line() throws IOException {
        char ended = type;
        type = 0;
        if (ended != '$' && ended != '*') {
            valuesLeft--;
            return;
        }
        if (digits == 0 || (negative && number != 1)) {
            throw new ProtocolException("a length that is none");
        }
        if (negative) {
            valuesLeft--;
        } else if (number > bytesLeft) {
            throw new ProtocolException("the answer is longer than " + MOST_BYTES + " bytes");
        } else if (ended == '$') {
            skip = number + 2;
        } else if (listsLeft-- == 0) {
            throw new ProtocolException("lists within lists");
        } else {
            valuesLeft += number - 1;
        }
    }
}
