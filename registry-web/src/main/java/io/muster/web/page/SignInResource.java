// SPDX-License-Identifier: Apache-2.0
package io.muster.web.page;

import io.muster.api.ProblemType;
import io.muster.config.MusterConfig;
import io.muster.limit.Limits;
import io.muster.problem.RegistryException;
import io.muster.user.SignIn;
import io.muster.user.UserSessions;
import io.muster.web.Form;
import io.muster.web.Origin;
import io.muster.web.user.Cookies;
import io.muster.web.user.SignedIn;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import java.net.URI;
import java.util.Locale;
import java.util.Optional;

/** The sign-in of the claim page: to the provider, back from it, and out. A browser is only ever sent to a provider or to the claim page. */
@Path("/claim")
@ApplicationScoped
public class SignInResource {

    @Inject
    SignIn signIn;

    @Inject
    UserSessions sessions;

    @Inject
    SignedIn signedIn;

    @Inject
    MusterConfig config;

    @Inject
    Limits failures;

    /** Sends the browser to a provider. */
    @GET
    @Path("/sign-in/{provider}")
    public Response begin(@PathParam("provider") String provider) {
        try {
            SignIn.Begun begun = signIn.begin(provider)
                    .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "nobody signs in there"));
            return to(begun.address())
                    .header(HttpHeaders.SET_COOKIE, Cookies.set(Cookies.SIGN_IN, begun.cookie(), SignIn.LIFETIME))
                    .build();
        } catch (SignIn.UnavailableException e) {
            return toPage(SignIn.Failure.UNAVAILABLE).build();
        }
    }

    /** Takes the browser back from the provider, and sends it to the claim page, signed in or with a reason. */
    @GET
    @Path("/signed-in")
    public Response end(@Context HttpServletRequest request) {
        String stranger = "sign-in " + Origin.of(request, config.trustedProxies());
        Optional<String> begun = Cookies.find(request, Cookies.SIGN_IN);
        if (begun.isPresent()) {
            failures.check(stranger);
        }
        SignIn.Ended ended = signIn.end(begun, answer(request));
        if (ended.failure().isPresent()) {
            SignIn.Failure failure = ended.failure().get();
            if (counts(failure)) {
                failures.count(stranger);
            }
            return toPage(failure)
                    .header(HttpHeaders.SET_COOKIE, Cookies.remove(Cookies.SIGN_IN))
                    .build();
        }
        // A user who signs in again has one session, not two.
        Cookies.find(request, Cookies.SESSION).ifPresent(sessions::end);
        return to(URI.create(config.address("/claim")))
                .header(HttpHeaders.SET_COOKIE, Cookies.remove(Cookies.SIGN_IN))
                .header(
                        HttpHeaders.SET_COOKIE,
                        Cookies.set(Cookies.SESSION, ended.session().orElseThrow(), UserSessions.LIFETIME))
                .build();
    }

    /**
     * Tells whether a failure counts toward the limit. One that never reached the provider does not: any page of the web could cause
     * it in the browser of somebody else, and so use up the limit of that address.
     */
    static boolean counts(SignIn.Failure failure) {
        return failure != SignIn.Failure.REFUSED && failure != SignIn.Failure.EXPIRED;
    }

    /** Signs out, on all nodes at once. */
    @DELETE
    @Path("/session")
    public Response signOut(@Context HttpServletRequest request) {
        signedIn.requireOwnPage(request);
        Cookies.find(request, Cookies.SESSION).ifPresent(sessions::end);
        return Response.noContent()
                .header(HttpHeaders.SET_COOKIE, Cookies.remove(Cookies.SESSION))
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }

    /** Returns what the browser brings back from a provider; nothing where a parameter is there twice. */
    static SignIn.Answer answer(HttpServletRequest request) {
        String query = request.getQueryString();
        try {
            Form form = Form.parseQuery(query == null ? "" : query);
            return form.hasRepeated()
                    ? nothing()
                    : new SignIn.Answer(form.get("state"), form.get("code"), form.get("error"), form.get("iss"));
        } catch (IllegalArgumentException e) {
            return nothing();
        }
    }

    private static SignIn.Answer nothing() {
        return new SignIn.Answer(
                java.util.Optional.empty(),
                java.util.Optional.empty(),
                java.util.Optional.empty(),
                java.util.Optional.empty());
    }

    /** The reason is in the fragment, which no log has. */
    private Response.ResponseBuilder toPage(SignIn.Failure failure) {
        return to(URI.create(config.address("/claim") + "#!" + failure.name().toLowerCase(Locale.ROOT)));
    }

    /** Sends a browser to another address, which does not learn where it was. */
    static Response.ResponseBuilder to(URI address) {
        return Response.seeOther(address)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .header("Referrer-Policy", "no-referrer");
    }
}
