// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.config.AddressRange;
import jakarta.servlet.http.HttpServletRequest;
import java.net.InetAddress;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** The address that a request came from, for limits and records. */
public final class Origin {

    /** Replaces an address that the server does not know. All such requests then count as one client's. */
    static final String UNKNOWN = "unknown";

    private Origin() {}

    /**
     * Returns the address of the connection. If that is a trusted proxy's, returns the last address before the trusted
     * proxies, from {@code X-Forwarded-For} and {@code Forwarded}. Entries that a stranger wrote before those of a
     * trusted proxy do not count. Never null, and never longer than an IPv6 address with a zone.
     *
     * @param proxies the trusted proxies; the headers of all other peers are ignored
     */
    public static String of(HttpServletRequest request, List<AddressRange> proxies) {
        String peer = Optional.ofNullable(request.getRemoteAddr())
                .filter(address -> !address.isBlank())
                .orElse(UNKNOWN);
        if (proxies.isEmpty()) {
            return peer;
        }
        return ForwardedFor.withoutZone(peer)
                .filter(address -> isTrusted(address, proxies))
                .map(proxy -> told(request, proxy, proxies).getHostAddress())
                .orElse(peer);
    }

    private static boolean isTrusted(InetAddress address, List<AddressRange> proxies) {
        return proxies.stream().anyMatch(range -> range.contains(address));
    }

    private static InetAddress told(HttpServletRequest request, InetAddress proxy, List<AddressRange> proxies) {
        List<String> usual = lines(request, "X-Forwarded-For");
        List<String> standard = lines(request, "Forwarded");
        InetAddress byUsual = before(ForwardedFor.usual(usual), proxy, proxies);
        InetAddress byStandard = before(ForwardedFor.standard(standard), proxy, proxies);
        if (usual.isEmpty() || standard.isEmpty()) {
            return usual.isEmpty() ? byStandard : byUsual;
        }
        // A proxy that writes one of the headers may pass on a stranger's other one, and it is not known which one it
        // writes.
        return byUsual.equals(byStandard) ? byUsual : proxy;
    }

    private static List<String> lines(HttpServletRequest request, String header) {
        return Optional.ofNullable(request.getHeaders(header))
                .map(Collections::list)
                .map(List::copyOf)
                .orElse(List.of());
    }

    /** Goes back from the connected proxy to the first address that is not trusted. */
    private static InetAddress before(
            List<Optional<InetAddress>> hops, InetAddress connected, List<AddressRange> proxies) {
        InetAddress last = connected;
        for (Optional<InetAddress> hop : hops) {
            if (hop.isEmpty()) {
                // Hidden or unreadable: it counts as that proxy's own address, since the proxy told no more.
                return last;
            }
            last = hop.get();
            if (!isTrusted(last, proxies)) {
                return last;
            }
        }
        return last;
    }
}
