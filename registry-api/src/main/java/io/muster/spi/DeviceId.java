// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

/**
 * A device's name for ever: 32 lower-case hex digits, those of a UUIDv7 (RFC 9562), so that later ids sort later.
 *
 * @param value the digits
 */
public record DeviceId(String value) implements Comparable<DeviceId> {

    /**
     * Accepts 32 lower-case hex digits.
     *
     * @throws IllegalArgumentException for anything else, null included
     */
    public DeviceId {
        if (!isValid(value)) {
            throw new IllegalArgumentException("a device id is 32 lower-case hex digits");
        }
    }

    /**
     * Tells whether the text is a device id.
     *
     * @param text any text, or null
     * @return false for null
     */
    public static boolean isValid(String text) {
        return text != null
                && text.length() == 32
                && text.chars().allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    }

    @Override
    public int compareTo(DeviceId other) {
        return value.compareTo(other.value);
    }

    /** Returns the bare digits. */
    @Override
    public String toString() {
        return value;
    }
}
