// SPDX-License-Identifier: Apache-2.0
package io.muster.web.user;

import io.muster.api.ProblemType;
import io.muster.jose.InvalidTokenException;
import io.muster.problem.RegistryException;
import io.muster.spi.VerificationUnavailableException;
import io.muster.user.IdentityProviders;
import io.muster.user.User;
import io.muster.web.Bearer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.core.HttpHeaders;
import java.time.Duration;
import java.util.Set;

/** Identifies the user who calls, by the access token of an identity provider of users, or by the cookie of the claim page. */
@ApplicationScoped
public class UserAccess {

    private static final Duration COME_BACK = Duration.ofSeconds(5);

    @Inject
    IdentityProviders providers;

    @Inject
    SignedIn signedIn;

    /**
     * Returns the user who calls. A token counts alone, whatever cookie comes with it.
     *
     * @throws RegistryException {@code UNAUTHORIZED} without a valid token or cookie; {@code FORBIDDEN} if another site's page
     *     sent the cookie; {@code VERIFICATION_UNAVAILABLE} if the
     *     keys of its provider cannot be had now
     */
    public User user(HttpServletRequest request) {
        if (isByCookie(request)) {
            return signedIn.user(request)
                    .orElseThrow(() -> new RegistryException(ProblemType.UNAUTHORIZED, "nobody is signed in"));
        }
        String token = Bearer.presented(request)
                .orElseThrow(() -> new RegistryException(ProblemType.UNAUTHORIZED, "no token of a user"));
        try {
            return providers.user(token, Set.copyOf(providers.names()));
        } catch (InvalidTokenException e) {
            throw new RegistryException(ProblemType.UNAUTHORIZED, "no valid token of a user: " + e.getMessage());
        } catch (VerificationUnavailableException e) {
            throw RegistryException.later(ProblemType.VERIFICATION_UNAVAILABLE, e.getMessage(), COME_BACK);
        }
    }

    /** Tells whether only a cookie can prove who calls, because there is no token. */
    public boolean isByCookie(HttpServletRequest request) {
        return request.getHeader(HttpHeaders.AUTHORIZATION) == null;
    }
}
