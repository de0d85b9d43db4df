// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Reads text that people write, with any editor. Editors and shells of Windows may begin a UTF-8 file with a byte order
 * mark, which is skipped here. They may also write UTF-16, which is refused by that name. Line breaks are left as they
 * are. Everything that a person may have written is read through this class: settings, secrets, certificates, lists,
 * bodies of requests.
 */
public final class WrittenText {

    private static final int MARK = 3;

    private WrittenText() {}

    /** The text is UTF-16. */
    public static final class Utf16Exception extends CharacterCodingException {

        private static final long serialVersionUID = 1;

        /** Makes one. */
        public Utf16Exception() {
            // Its message is always the same.
        }

        @Override
        public String getMessage() {
            return "it is UTF-16; save it as UTF-8";
        }
    }

    /**
     * Returns the text of a file.
     *
     * @throws Utf16Exception if it is UTF-16
     * @throws CharacterCodingException if it is not UTF-8
     * @throws IOException if it cannot be read
     */
    public static String read(Path file) throws IOException {
        return StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(withoutMark(Files.readAllBytes(file))))
                .toString();
    }

    /**
     * Returns the bytes after the byte order mark, or all of them if there is none. They need not be text: a
     * certificate may be either.
     *
     * @throws Utf16Exception if they are UTF-16
     */
    public static byte[] withoutMark(byte[] bytes) throws Utf16Exception {
        if (isUtf16(bytes)) {
            throw new Utf16Exception();
        }
        return isMark(bytes) ? Arrays.copyOfRange(bytes, MARK, bytes.length) : bytes;
    }

    /**
     * Returns a stream of what follows the byte order mark.
     *
     * @throws Utf16Exception if it is UTF-16
     * @throws IOException if the beginning cannot be read
     */
    public static InputStream withoutMark(InputStream in) throws IOException {
        PushbackInputStream text = new PushbackInputStream(in, MARK);
        byte[] start = new byte[MARK];
        int length = 0;
        // Read no more bytes than it takes to tell: the stream may have no more yet.
        while (length < MARK && (length == 0 || begins(start, length))) {
            int n = text.read(start, length, length == 0 ? 1 : MARK - length);
            if (n < 0) {
                break;
            }
            length += n;
        }
        text.unread(withoutMark(Arrays.copyOf(start, length)));
        return text;
    }

    /** Tells whether text begins with the byte order mark of UTF-16, in either order. */
    public static boolean isUtf16(byte[] text) {
        return text.length > 1
                && ((text[0] == (byte) 0xff && text[1] == (byte) 0xfe)
                        || (text[0] == (byte) 0xfe && text[1] == (byte) 0xff));
    }

    /**
     * Says why a text could not be read, without repeating any of it: {@code "it is UTF-16; save it as UTF-8"}, or the
     * kind of the exception.
     */
    public static String reason(Exception e) {
        if (e instanceof Utf16Exception) {
            return e.getMessage();
        }
        return e instanceof CharacterCodingException
                ? "it is not UTF-8"
                : e.getClass().getSimpleName();
    }

    private static boolean isMark(byte[] text) {
        return text.length >= MARK && text[0] == (byte) 0xef && text[1] == (byte) 0xbb && text[2] == (byte) 0xbf;
    }

    private static boolean begins(byte[] start, int length) {
        return (start[0] == (byte) 0xef && (length < 2 || start[1] == (byte) 0xbb))
                || (length < 2 && (start[0] == (byte) 0xff || start[0] == (byte) 0xfe));
    }
}
