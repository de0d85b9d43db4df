// SPDX-License-Identifier: Apache-2.0
package io.muster.config;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A range of IP addresses, as {@code 10.0.0.0/8}, {@code 2001:db8::/32} or one address alone. Asks no name server.
 *
 * @param first its first address
 * @param prefix how many leading bits all its addresses have in common
 */
public record AddressRange(InetAddress first, int prefix) {

    private static final Pattern V4 =
            Pattern.compile("(?:(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)\\.){3}(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)");
    // With this first character the JDK parses the rest as an address in every case, and never as a name.
    private static final Pattern V6 = Pattern.compile("(?=[^:]*:)[0-9A-Fa-f:][0-9A-Fa-f:.]{1,44}");

    /**
     * Reads one.
     *
     * @throws IllegalArgumentException if it is none; the message is for the person who wrote it
     */
    public static AddressRange parse(String text) {
        String[] parts = text.split("/", 2);
        InetAddress first = literal(parts[0])
                .orElseThrow(() -> new IllegalArgumentException("\"" + text
                        + "\" is neither an address nor a range such as 10.0.0.0/8 or 2001:db8::/32;"
                        + " names are not looked up"));
        int bits = first.getAddress().length * 8;
        if (parts.length == 1) {
            return new AddressRange(first, bits);
        }
        int prefix = parts[1].matches("\\d{1,3}") ? Integer.parseInt(parts[1]) : -1;
        if (prefix < 1 || prefix > bits) {
            throw new IllegalArgumentException("\"" + text + "\" needs 1 to " + bits + " after the slash");
        }
        AddressRange range = new AddressRange(first, prefix);
        InetAddress masked = range.masked(first);
        if (!masked.equals(first)) {
            throw new IllegalArgumentException("\"" + text + "\" does not begin where such a range begins; write "
                    + masked.getHostAddress() + "/" + prefix);
        }
        return range;
    }

    /**
     * Returns the address that a text writes out; empty for anything else, such as a name. An IPv4 address in the form
     * of an IPv6 address ({@code ::ffff:192.0.2.1}) is an IPv4 address. The result has no zone.
     */
    public static Optional<InetAddress> literal(String text) {
        if (!V4.matcher(text).matches() && !V6.matcher(text).matches()) {
            return Optional.empty();
        }
        try {
            InetAddress address = InetAddress.getByName(text);
            // Drop the name that the text may have had.
            return Optional.of(InetAddress.getByAddress(address.getAddress()));
        } catch (UnknownHostException e) {
            return Optional.empty();
        }
    }

    /** Tells whether an address is in it. */
    public boolean contains(InetAddress address) {
        return address.getAddress().length == first.getAddress().length
                && masked(address).equals(first);
    }

    private InetAddress masked(InetAddress address) {
        byte[] bytes = address.getAddress();
        for (int bit = prefix; bit < bytes.length * 8; bit++) {
            bytes[bit / 8] &= (byte) ~(0x80 >> (bit % 8));
        }
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns its usual notation. */
    @Override
    public String toString() {
        return first.getHostAddress() + "/" + prefix;
    }
}
