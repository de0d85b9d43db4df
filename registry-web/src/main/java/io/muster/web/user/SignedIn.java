// SPDX-License-Identifier: Apache-2.0
package io.muster.web.user;

import io.muster.api.ProblemType;
import io.muster.config.MusterConfig;
import io.muster.problem.RegistryException;
import io.muster.user.SignInProviders;
import io.muster.user.User;
import io.muster.user.UserSessions;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import java.net.URI;
import java.util.Optional;
import java.util.Set;

/** The user who signed in at the claim page, by the cookie of the request. */
@ApplicationScoped
public class SignedIn {

    private static final Set<String> READING = Set.of("GET", "HEAD");
    private static final int HTTP = 80;
    private static final int HTTPS = 443;

    @Inject
    UserSessions sessions;

    @Inject
    SignInProviders providers;

    @Inject
    MusterConfig config;

    /**
     * Returns the user whose session the request proves; empty if there is none.
     *
     * @throws RegistryException {@code FORBIDDEN} if the request would change something and comes from another site's page
     */
    public Optional<User> user(HttpServletRequest request) {
        Optional<User> user =
                Cookies.find(request, Cookies.SESSION).flatMap(sessions::find).filter(providers::know);
        if (user.isPresent() && !READING.contains(request.getMethod())) {
            requireOwnPage(request);
        }
        return user;
    }

    /**
     * Checks that a request of a browser was made by a page of this registry. A browser sends the cookie with requests of other
     * pages too.
     *
     * @throws RegistryException {@code FORBIDDEN} if it was not
     */
    public void requireOwnPage(HttpServletRequest request) {
        String site = request.getHeader("Sec-Fetch-Site");
        String origin = request.getHeader("Origin");
        boolean own = site == null ? isOwn(origin) : site.equals("same-origin");
        if (!own) {
            throw RegistryException.withDetail(
                    ProblemType.FORBIDDEN,
                    "a request with the cookie must come from a page of " + origin(config.issuer()));
        }
    }

    private boolean isOwn(String origin) {
        return origin != null && origin.equals(origin(config.issuer()));
    }

    /** Returns the origin of an address as browsers write it (RFC 6454 section 6.2). */
    static String origin(URI address) {
        String scheme = address.getScheme();
        int port = address.getPort();
        boolean usual = port < 0 || port == (scheme.equals("https") ? HTTPS : HTTP);
        return scheme + "://" + address.getHost().toLowerCase(java.util.Locale.ROOT) + (usual ? "" : ":" + port);
    }
}
