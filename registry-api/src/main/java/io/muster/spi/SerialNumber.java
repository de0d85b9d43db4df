package io.muster.spi;

/**
 * The identifier a device is born with: 4 to 128 printable ASCII characters without blanks. Unique within its fleet, compared
 * byte for byte and never folded. Not a secret and not proof of anything.
 *
 * @param value the serial as the device sent it
 */
public record SerialNumber(String value) implements Comparable<SerialNumber> {

    /** The rule in words, for error messages. */
    public static final String SYNTAX = "4 to 128 printable ASCII characters without blanks";

    private static final int SHORTEST = 4;
    private static final int LONGEST = 128;

    /**
     * Accepts a serial that follows {@link #SYNTAX}.
     *
     * @throws IllegalArgumentException if it does not, or is null; the message does not repeat the serial
     */
    public SerialNumber {
        if (!isValid(value)) {
            throw new IllegalArgumentException("a serial is " + SYNTAX);
        }
    }

    /**
     * Tells whether the text is a serial.
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
