// SPDX-License-Identifier: Apache-2.0
package io.muster.web.page;

import jakarta.ws.rs.core.Response;

/** Headers of pages that browsers show. They forbid everything that the page does not need. */
final class PageHeaders {

    /**
     * Only the registry's own files, no inline script or style, and no markup made from text. A form is sent to the
     * registry alone, and no other site shows the page in a frame.
     */
    private static final String CONTENT_SECURITY_POLICY = "default-src 'none'; script-src 'self'; style-src 'self';"
            + " img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
            + " require-trusted-types-for 'script'; trusted-types 'none'";

    /** A file that is opened by itself, such as a logo, may do nothing. */
    private static final String NOTHING =
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

    private PageHeaders() {}

    /** Adds the headers of a page and of what it is made of. */
    static Response.ResponseBuilder ofPage(Response.ResponseBuilder response) {
        // Not "no-referrer": browsers would then hide from us which site a form was sent by.
        return common(response)
                .header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
                .header("Permissions-Policy", "camera=(self), microphone=(), geolocation=(), payment=(), usb=()")
                .header("Cross-Origin-Opener-Policy", "same-origin");
    }

    /** Adds the headers of a picture that somebody else made. */
    static Response.ResponseBuilder ofPicture(Response.ResponseBuilder response) {
        return common(response).header("Content-Security-Policy", NOTHING);
    }

    private static Response.ResponseBuilder common(Response.ResponseBuilder response) {
        return response.header("Referrer-Policy", "same-origin")
                .header("Cross-Origin-Resource-Policy", "same-origin")
                .header("X-Frame-Options", "DENY");
    }
}
