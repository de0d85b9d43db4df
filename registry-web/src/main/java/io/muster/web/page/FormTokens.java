// SPDX-License-Identifier: Apache-2.0
package io.muster.web.page;

import io.muster.persistence.MasterKey;
import io.muster.web.user.Cookies;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The hidden field of a form, which only pages of this registry know. It belongs to the session of the cookie, is the same on every node,
 * and tells nothing about the cookie.
 */
@ApplicationScoped
public class FormTokens {

    /** The name of the field. */
    static final String FIELD = "form_token";

    private static final String PURPOSE = "form of a user";

    @Inject
    MasterKey master;

    /** Returns the token of the session that the request has a cookie of. */
    Optional<String> of(HttpServletRequest request) {
        return Cookies.find(request, Cookies.SESSION)
                .map(session -> token(master.derive(PURPOSE).get(0), session));
    }

    /** Tells whether the token belongs to the session that the request has a cookie of. */
    boolean isOf(HttpServletRequest request, String token) {
        byte[] given = token.getBytes(StandardCharsets.UTF_8);
        return Cookies.find(request, Cookies.SESSION)
                .filter(session -> master.derive(PURPOSE).stream()
                        .map(key -> token(key, session).getBytes(StandardCharsets.UTF_8))
                        .anyMatch(right -> MessageDigest.isEqual(right, given)))
                .isPresent();
    }

    private static String token(byte[] key, String session) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString(mac.doFinal(session.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }
}
