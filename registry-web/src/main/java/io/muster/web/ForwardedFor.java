// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.config.AddressRange;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the addresses that proxies report for a request. The last hop is the first of a result. A hop is empty if no
 * address can be read: it is hidden ({@code unknown}, {@code _hidden}), malformed or too long. Anything before a hop in
 * the header may be forged, so it must not affect how that hop is read.
 */
final class ForwardedFor {

    /** More hops than any chain of proxies has. */
    private static final int MAX_HOPS = 32;

    private static final int LONGEST_LINE = 4096;
    private static final int LONGEST_HOP = 128;

    // RFC 9110 section 5.6.2, and characters that many proxies do not quote.
    private static final String TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
    private static final Pattern PAIR = Pattern.compile("[ \t]*(?:(" + TOKEN
            + ")=(?:([!#$%&'*+.^_`|~0-9A-Za-z:\\[\\]-]+)|\"((?:[\t !#-\\[\\]-~]|\\\\[\t -~])*+)\"))?[ \t]*([,;]|$)");
    private static final Pattern BRACKETED = Pattern.compile("\\[([^\\]]+)\\](?::\\d{1,5})?");
    private static final Pattern WITH_PORT = Pattern.compile("([^:]+):\\d{1,5}");

    private static final Optional<InetAddress> NONE = Optional.empty();

    private ForwardedFor() {}

    /** Reads the lines of {@code X-Forwarded-For}. */
    static List<Optional<InetAddress>> usual(List<String> lines) {
        List<Optional<InetAddress>> hops = new ArrayList<>();
        for (int i = lines.size() - 1; i >= 0; i--) {
            String line = lines.get(i);
            // Read from the end, so that nothing is read in vain.
            for (int end = line.length(); end >= 0 && hops.size() < MAX_HOPS; ) {
                int comma = line.lastIndexOf(',', end - 1);
                String hop = end - comma > LONGEST_HOP
                        ? "?"
                        : line.substring(comma + 1, end).strip();
                if (!hop.isEmpty()) {
                    hops.add(address(hop));
                }
                end = comma;
            }
        }
        return hops;
    }

    /** Reads the lines of {@code Forwarded} (RFC 7239). */
    static List<Optional<InetAddress>> standard(List<String> lines) {
        List<Optional<InetAddress>> hops = new ArrayList<>();
        for (int i = lines.size() - 1; i >= 0 && hops.size() < MAX_HOPS; i--) {
            List<Optional<InetAddress>> line = standard(lines.get(i));
            Collections.reverse(line);
            hops.addAll(line);
        }
        return hops.subList(0, Math.min(hops.size(), MAX_HOPS));
    }

    /**
     * Reads one line. If any part of it is malformed, it has one hop, which is empty: it is unknown where its last
     * element begins.
     */
    private static List<Optional<InetAddress>> standard(String line) {
        List<Optional<InetAddress>> hops = new ArrayList<>();
        List<Optional<InetAddress>> malformed = new ArrayList<>(List.of(NONE));
        if (line.length() > LONGEST_LINE) {
            return malformed;
        }
        Matcher pair = PAIR.matcher(line);
        Optional<String> from = Optional.empty();
        boolean empty = true;
        for (int at = 0; at <= line.length(); at = pair.end()) {
            if (!pair.find(at) || pair.start() != at) {
                return malformed;
            }
            if (pair.group(1) != null) {
                empty = false;
                if (pair.group(1).toLowerCase(Locale.ROOT).equals("for")) {
                    if (from.isPresent()) {
                        return malformed;
                    }
                    from = Optional.of(
                            pair.group(2) != null
                                    ? pair.group(2)
                                    : pair.group(3).replaceAll("\\\\(.)", "$1"));
                }
            }
            if (!pair.group(4).equals(";")) {
                if (!empty) {
                    hops.add(from.flatMap(ForwardedFor::address));
                }
                from = Optional.empty();
                empty = true;
            }
            if (pair.group(4).isEmpty()) {
                break;
            }
        }
        return hops;
    }

    /** Reads an address, which may have a port and, if it is of IPv6, brackets and a zone. */
    private static Optional<InetAddress> address(String hop) {
        if (hop.length() > LONGEST_HOP) {
            return NONE;
        }
        Matcher bracketed = BRACKETED.matcher(hop);
        if (bracketed.matches()) {
            return withoutZone(bracketed.group(1))
                    .filter(address -> bracketed.group(1).contains(":"));
        }
        Matcher withPort = WITH_PORT.matcher(hop);
        return withPort.matches() ? AddressRange.literal(withPort.group(1)) : withoutZone(hop);
    }

    /** Reads an address without port and brackets. A zone is dropped: it has a meaning on one machine only. */
    static Optional<InetAddress> withoutZone(String text) {
        int zone = text.indexOf(':') < 0 ? -1 : text.indexOf('%');
        return AddressRange.literal(zone < 0 ? text : text.substring(0, zone));
    }
}
