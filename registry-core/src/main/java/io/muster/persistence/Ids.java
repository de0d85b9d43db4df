// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import jakarta.inject.Inject;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.HexFormat;

/**
 * Makes ids: UUIDv7 (RFC 9562), 48 bits of milliseconds and 74 random ones. So inserts stay sequential, and nodes need
 * no agreement. Thread-safe.
 */
@Part
public final class Ids {

    private static final HexFormat HEX = HexFormat.of();
    private static final char[] BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".toCharArray();
    private static final int BASE62_LENGTH = 22;

    private final Clock clock;
    private final SecureRandom random = new SecureRandom();

    /** Takes the milliseconds from the clock. */
    @Inject
    public Ids(@Ours Clock clock) {
        this.clock = clock;
    }

    /** Returns 16 bytes that nobody had before. */
    public byte[] next() {
        byte[] id = new byte[16];
        random.nextBytes(id);
        long millis = clock.millis();
        for (int i = 5; i >= 0; i--) {
            id[i] = (byte) millis;
            millis >>>= 8;
        }
        id[6] = (byte) ((id[6] & 0x0f) | 0x70);
        id[8] = (byte) ((id[8] & 0x3f) | 0x80);
        return id;
    }

    /** Returns an id as 22 letters and digits, which sort as the bytes do. */
    public String nextKey() {
        return base62(next());
    }

    static String base62(byte[] id) {
        ByteBuffer halves = ByteBuffer.wrap(id);
        long high = halves.getLong();
        long low = halves.getLong();
        char[] digits = new char[BASE62_LENGTH];
        for (int i = BASE62_LENGTH - 1; i >= 0; i--) {
            // Division of an unsigned 128-bit number by 62, 32 bits at a time.
            long remainder = 0;
            long[] words = {high >>> 32, high & 0xffffffffL, low >>> 32, low & 0xffffffffL};
            for (int w = 0; w < 4; w++) {
                long part = remainder << 32 | words[w];
                words[w] = part / 62;
                remainder = part % 62;
            }
            digits[i] = BASE62[(int) remainder];
            high = words[0] << 32 | words[1];
            low = words[2] << 32 | words[3];
        }
        return new String(digits);
    }

    /** Returns when an id was made. */
    public static Instant time(byte[] id) {
        return Instant.ofEpochMilli(ByteBuffer.wrap(id).getLong() >>> 16);
    }

    /** Returns the 32 lower-case hex digits of an id. */
    public static String hex(byte[] id) {
        return HEX.formatHex(id);
    }

    /** Returns the bytes of an id from its hex digits. */
    public static byte[] bytes(String hex) {
        return HEX.parseHex(hex);
    }
}
