// SPDX-License-Identifier: Apache-2.0
package io.muster.web.page;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.core.EntityTag;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/** A file that a browser reads, with the entity tag of its bytes. */
record PageFile(byte[] bytes, String type, EntityTag tag) {

    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html;charset=UTF-8",
            "css", "text/css;charset=UTF-8",
            "js", "text/javascript;charset=UTF-8",
            "json", "application/json",
            "svg", "image/svg+xml");

    /** Returns the content type of files with this ending; null if pages have no such files. */
    static String type(String ending) {
        return TYPES.get(ending);
    }

    /** Returns a file that comes with the registry. */
    static Optional<byte[]> bundled(String resource) {
        try (InputStream in = PageFile.class.getResourceAsStream(resource)) {
            return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static PageFile of(byte[] bytes, String type) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
            return new PageFile(
                    bytes,
                    type,
                    new EntityTag(Base64.getUrlEncoder()
                            .withoutPadding()
                            .encodeToString(hash)
                            .substring(0, 16)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Answers 304 if the browser has the file. It asks each time, so that all its files are of the same version. */
    Response answer(HttpServletRequest request) {
        return answer(request, type);
    }

    /** Answers with the same bytes under another content type. */
    Response answer(HttpServletRequest request, String as) {
        String known = request.getHeader(HttpHeaders.IF_NONE_MATCH);
        boolean unchanged = known != null && known.contains('"' + tag.getValue() + '"');
        Response.ResponseBuilder response = unchanged ? Response.notModified() : Response.ok(bytes, as);
        boolean picture = as.startsWith("image/");
        return (picture ? PageHeaders.ofPicture(response) : PageHeaders.ofPage(response))
                .tag(tag)
                .header(HttpHeaders.CACHE_CONTROL, "no-cache")
                .build();
    }
}
