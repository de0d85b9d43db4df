// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

/**
 * The identifier a device is born with. It has 4 to 128 printable ASCII characters without blanks, or 1 to 128 where
 * the fleet permits. It is unique within its fleet, and compared byte for byte. A fleet may normalise what devices
 * send; this is the result. A serial is not a secret, and it proves nothing.
 *
 * @param value the serial in the form of its fleet; as the device sent it unless the fleet has rules
 */
public record SerialNumber(String value) implements Comparable<SerialNumber> {

    /** The rule of most fleets in words, for error messages. */
    public static final String SYNTAX = "4 to 128 printable ASCII characters without blanks";

    private static final int SHORTEST = 1;
    private static final int LONGEST = 128;

    /**
     * Accepts 1 to 128 printable ASCII characters without blanks. The fleet decides whether it takes serials shorter
     * than 4.
     *
     * @throws IllegalArgumentException if it does not, or is null; the message does not repeat the serial
     */
    public SerialNumber {
        if (!isValid(value)) {
            throw new IllegalArgumentException("a serial is 1 to 128 printable ASCII characters without blanks");
        }
    }

    /**
     * Tells whether the text can be the serial of some fleet.
     *
     * @param text any text, or null
     * @return false for null
     */
    public static boolean isValid(String text) {
        return text != null
                && text.length() >= SHORTEST
                && text.length() <= LONGEST
                && text.chars().allMatch(c -> c > ' ' && c < 0x7f);
    }

    @Override
    public int compareTo(SerialNumber other) {
        return value.compareTo(other.value);
    }

    /** Returns the bare serial. */
    @Override
    public String toString() {
        return value;
    }
}
