// SPDX-License-Identifier: Apache-2.0
package io.muster.http;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/** Tells addresses of the public Internet from all others. */
public final class Addresses {

    private Addresses() {}

    /**
     * Tells whether the address is of the public Internet. It is not if it is loopback, link-local (where clouds keep
     * their metadata), private, shared, multicast, reserved or unspecified, or an IPv6 form of such an IPv4 address.
     */
    public static boolean isPublic(InetAddress address) {
        if (address instanceof Inet4Address) {
            return isPublic(address.getAddress());
        }
        if (!(address instanceof Inet6Address)) {
            return false;
        }
        byte[] v6 = address.getAddress();
        if (beginsWith(v6, 0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0)) {
            return isPublic(Arrays.copyOfRange(v6, 12, 16)); // NAT64, RFC 6052
        }
        if (beginsWith(v6, 0x20, 0x02)) {
            return isPublic(Arrays.copyOfRange(v6, 2, 6)); // 6to4, RFC 3056
        }
        boolean teredo = beginsWith(v6, 0x20, 0x01, 0, 0);
        boolean globalUnicast =
                (v6[0] & 0xe0) == 0x20; // 2000::/3; leaves out ::ffff:0:0/96, fc00::/7, fe80::/10, ff00::/8
        return globalUnicast && !teredo;
    }

    /** Tells whether the host is an address written out, and not a public one. Asks no name server. */
    public static boolean isPrivateLiteral(String host) {
        if (!host.startsWith("[") && !host.matches("[0-9.]+")) {
            return false;
        }
        try {
            return !isPublic(InetAddress.getByName(host));
        } catch (UnknownHostException e) {
            return true;
        }
    }

    private static boolean isPublic(byte[] v4) {
        int a = v4[0] & 0xff;
        int b = v4[1] & 0xff;
        int c = v4[2] & 0xff;
        boolean reserved = a == 0
                || a == 10
                || a == 127
                || (a == 100 && (b & 0xc0) == 64) // shared by carriers, RFC 6598
                || (a == 169 && b == 254)
                || (a == 168
                        && b == 63
                        && c == 129
                        && (v4[3] & 0xff) == 16) // public, but Azure's own host to each machine
                || (a == 172 && (b & 0xf0) == 16)
                || (a == 192 && b == 168)
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b & 0xfe) == 18) // benchmarks, RFC 2544
                || a >= 224; // multicast, reserved, broadcast
        return !reserved;
    }

    private static boolean beginsWith(byte[] address, int... prefix) {
        for (int i = 0; i < prefix.length; i++) {
            if ((address[i] & 0xff) != prefix[i]) {
                return false;
            }
        }
        return true;
    }
}
