// SPDX-License-Identifier: Apache-2.0
package io.muster.web.user;

import jakarta.servlet.http.HttpServletRequest;
import java.time.Duration;
import java.util.Collections;
import java.util.Optional;

/**
 * The cookies of the claim page and of the console, two each. Their names begin with {@code __Host-}: browsers then take them from this host alone, only over TLS,
 * and only for every path, so that no other host of the domain can plant one. On {@code http://localhost} Chromium and Firefox count the
 * connection as secure.
 */
public final class Cookies {

    /** Proves who is signed in. */
    public static final String SESSION = "__Host-muster-user";

    /** Holds the state of a sign-in until the browser comes back from the provider. */
    public static final String SIGN_IN = "__Host-muster-sign-in";

    /** Proves which operator is signed in at the console. */
    public static final String OPERATOR = "__Host-muster-operator";

    /** Holds the state of the sign-in of an operator. */
    public static final String OPERATOR_SIGN_IN = "__Host-muster-operator-sign-in";

    private static final int LONGEST_HEADER = 16 * 1024;

    // Lax, not Strict: a browser that comes back from the provider, or follows a link to a page, brings them along.
    // Requests
    // that change something have the origin checked besides.
    private static final String ATTRIBUTES = "; Path=/; Secure; HttpOnly; SameSite=";

    private Cookies() {}

    /** Returns the value of a cookie of the request. The servers differ in what they make of cookies that others wrote badly. */
    public static Optional<String> find(HttpServletRequest request, String name) {
        if (request.getHeader("Cookie") == null) {
            return Optional.empty();
        }
        for (String header : Collections.list(request.getHeaders("Cookie"))) {
            if (header.length() > LONGEST_HEADER) {
                continue;
            }
            for (String pair : header.split(";")) {
                int equals = pair.indexOf('=');
                if (equals > 0 && pair.substring(0, equals).strip().equals(name)) {
                    return Optional.of(pair.substring(equals + 1).strip()).filter(value -> !value.isEmpty());
                }
            }
        }
        return Optional.empty();
    }

    /** Returns the header that sets a cookie. */
    public static String set(String name, String value, Duration lifetime) {
        return header(name, value, "Lax", lifetime);
    }

    /** Returns the header that sets a cookie which a browser sends with requests of the registry's own pages alone. */
    public static String setStrict(String name, String value, Duration lifetime) {
        return header(name, value, "Strict", lifetime);
    }

    /** Returns the header that removes a cookie. */
    public static String remove(String name) {
        return header(name, "", "Lax", Duration.ZERO);
    }

    private static String header(String name, String value, String sameSite, Duration lifetime) {
        return name + "=" + value + ATTRIBUTES + sameSite + "; Max-Age=" + lifetime.toSeconds();
    }
}
