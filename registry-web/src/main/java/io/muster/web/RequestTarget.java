// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.container.ContainerRequestContext;

/**
 * The address of a request as it was sent (RFC 9112 section 3.2). Servers differ in how much of it JAX-RS shows. The servlet filter
 * notes it for the filters of JAX-RS, because they would ask the servlet request through a proxy.
 */
public final class RequestTarget {

    private static final String QUERY = RequestTarget.class.getName() + ".query";
    private static final String SEMICOLON = RequestTarget.class.getName() + ".semicolon";
    private static final String SLASHES = RequestTarget.class.getName() + ".slashes";

    private RequestTarget() {}

    /** Notes what is unusual about the address. */
    static void note(HttpServletRequest request) {
        String path = request.getRequestURI();
        if (path.indexOf(';') >= 0) {
            request.setAttribute(SEMICOLON, true);
        }
        if (path.contains("//")) {
            request.setAttribute(SLASHES, true);
        }
        String query = request.getQueryString();
        if (query != null) {
            request.setAttribute(QUERY, query);
        }
    }

    /** Tells whether the path has a semicolon. */
    static boolean hasSemicolon(ContainerRequestContext request) {
        return request.getProperty(SEMICOLON) != null;
    }

    /** Tells whether the path has two slashes in a row. */
    static boolean hasTwoSlashes(ContainerRequestContext request) {
        return request.getProperty(SLASHES) != null;
    }

    /** Returns the query, not decoded; the empty text if there is none. */
    public static String query(ContainerRequestContext request) {
        if (request.getProperty(QUERY) instanceof String query) {
            return query;
        }
        // A server that drops the note must not hide a query.
        String query = request.getUriInfo().getRequestUri().getRawQuery();
        return query == null ? "" : query;
    }
}
