// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Strict UTF-8 as characters. All characters before a fault are returned before the fault is thrown, so that a parser
 * that reads ahead loses no row. The JDK's own reader drops decoded characters when it meets a fault. A limit can be
 * set, at which it throws instead of returning more.
 */
final class ImportText extends Reader {

    private static final int BUFFER = 8192;

    private final InputStream utf8;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    private final ByteBuffer bytes = ByteBuffer.allocate(BUFFER).flip();
    private final CharBuffer chars = CharBuffer.allocate(BUFFER).flip();
    private boolean ended;
    private long given;
    private long limit = Long.MAX_VALUE;

    ImportText(InputStream utf8) {
        this.utf8 = utf8;
    }

    /** The limit is reached. */
    static final class LimitException extends IOException {

        private static final long serialVersionUID = 1;

        LimitException() {
            super("the limit is reached");
        }
    }

    /** Returns no more than the characters before this place. Characters that were returned already remain valid. */
    void limit(long place) {
        limit = place;
    }

    @Override
    public int read(char[] into, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (!chars.hasRemaining() && !fill()) {
            return -1;
        }
        if (given >= limit) {
            throw new LimitException();
        }
        int count = (int) Math.min(Math.min(length, chars.remaining()), limit - given);
        chars.get(into, offset, count);
        given += count;
        return count;
    }

    private boolean fill() throws IOException {
        chars.clear().flip();
        while (!chars.hasRemaining()) {
            chars.clear();
            CoderResult result = decoder.decode(bytes, chars, ended);
            chars.flip();
            // If there are characters before the fault, it stays in the input, and appears again when they are used up.
            if (!chars.hasRemaining()) {
                if (result.isError()) {
                    result.throwException();
                }
                if (ended) {
                    return false;
                }
                readOn();
            }
        }
        return true;
    }

    private void readOn() throws IOException {
        bytes.compact();
        try {
            int count = utf8.read(bytes.array(), bytes.position(), bytes.remaining());
            if (count < 0) {
                ended = true;
            } else {
                bytes.position(bytes.position() + count);
            }
        } finally {
            bytes.flip();
        }
    }

    @Override
    public void close() throws IOException {
        utf8.close();
    }
}
