// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.core.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;

/**
 * Key and secret of a request that authenticates by HTTP Basic (RFC 7617), not checked yet.
 *
 * @param key not empty
 * @param secret may be anything
 */
public record BasicCredentials(String key, String secret) {

    private static final String BASIC = "basic ";

    /** Returns the credentials of the request, or empty if it has none, others, or malformed ones. */
    public static Optional<BasicCredentials> of(HttpServletRequest request) {
        return Optional.ofNullable(request.getHeader(HttpHeaders.AUTHORIZATION)).flatMap(BasicCredentials::parse);
    }

    /** Reads the header; both halves are form-encoded before they are joined (RFC 6749 section 2.3.1). */
    public static Optional<BasicCredentials> parse(String header) {
        if (!header.regionMatches(true, 0, BASIC, 0, BASIC.length())) {
            return Optional.empty();
        }
        try {
            String pair = new String(
                    Base64.getDecoder().decode(header.substring(BASIC.length()).strip()), StandardCharsets.UTF_8);
            int colon = pair.indexOf(':');
            return colon > 0
                    ? Optional.of(new BasicCredentials(
                            Form.decode(pair.substring(0, colon)), Form.decode(pair.substring(colon + 1))))
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Hides the secret. */
    @Override
    public String toString() {
        return "BasicCredentials[key=" + key + "]";
    }
}
