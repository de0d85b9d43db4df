// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Tells whether the destination and the length of a request are ambiguous. A proxy and a server that read two of them
 * differently take one request for another, or for two (RFC 9112 sections 3.2 and 6.3). Some servers refuse these
 * before the registry is asked.
 */
final class Framing {

    static final String FAULT = "the request must have one Host, and one Content-Length or Transfer-Encoding: chunked";

    /**
     * RFC 3986 section 3.2: a name or an address, and a port. No comma: a proxy may have joined two of them with one.
     */
    private static final Pattern HOST =
            Pattern.compile("([A-Za-z0-9._~%!$&'()*+;=-]+|\\[[0-9A-Fa-fv:.]+])(:\\d{0,5})?");

    private static final Pattern LENGTH = Pattern.compile("\\d{1,18}");
    private static final String NONE = "";
    private static final String TWICE = "twice";

    private Framing() {}

    static boolean isAmbiguous(HttpServletRequest request) {
        String protocol = request.getProtocol();
        if (!protocol.startsWith("HTTP/1")) {
            return isAmbiguousInFrames(request);
        }
        String host = only(request, "Host");
        String coding = only(request, "Transfer-Encoding");
        String length = only(request, "Content-Length");
        boolean current = protocol.equals("HTTP/1.1");
        return (host.equals(NONE) && (current || request.getHeader("Host") != null))
                || (!host.equals(NONE)
                        && (host.equals(TWICE) || !HOST.matcher(host).matches()))
                || (!coding.equals(NONE) && (!coding.equalsIgnoreCase("chunked") || !length.equals(NONE) || !current))
                || (!length.equals(NONE) && !LENGTH.matcher(length).matches());
    }

    /**
     * Refuses what no request of HTTP/2 has (RFC 9113 sections 8.1.1, 8.2.2 and 8.3.1), as some servers believe a request line
     * that claims to be one. Others name the host twice, as it may come twice, or the length (Open Liberty); then both must be the same.
     */
    private static boolean isAmbiguousInFrames(HttpServletRequest request) {
        List<String> lengths = different(request, "Content-Length");
        return request.getHeader("Transfer-Encoding") != null
                || lengths.size() > 1
                || !lengths.stream().allMatch(length -> LENGTH.matcher(length).matches())
                || different(request, "Host").size() > 1;
    }

    private static List<String> different(HttpServletRequest request, String name) {
        Enumeration<String> values = request.getHeaders(name);
        return values == null
                ? List.of()
                : Collections.list(values).stream().distinct().toList();
    }

    private static String only(HttpServletRequest request, String name) {
        Enumeration<String> values = request.getHeaders(name);
        if (values == null || !values.hasMoreElements()) {
            return NONE;
        }
        String value = values.nextElement();
        return values.hasMoreElements() ? TWICE : value;
    }
}
