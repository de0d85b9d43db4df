// SPDX-License-Identifier: Apache-2.0
package io.muster.web.page;

import io.muster.api.ProblemType;
import io.muster.config.MusterConfig;
import io.muster.json.Fields;
import io.muster.json.Json;
import io.muster.limit.Limits;
import io.muster.operator.Operator;
import io.muster.operator.OperatorSessions;
import io.muster.operator.OperatorSessions.Begun;
import io.muster.problem.RegistryException;
import io.muster.user.OperatorProvider;
import io.muster.user.SignIn;
import io.muster.web.Bodies;
import io.muster.web.Origin;
import io.muster.web.operator.OperatorsResource;
import io.muster.web.user.Cookies;
import io.muster.web.user.SignedIn;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The sign-in of operators at the console: with the company's provider, a token or a link. A browser is only ever sent
 * to the provider or to the console.
 */
@Path("/api/v1/console")
@ApplicationScoped
public class ConsoleResource {

    private static final int LONGEST = 200;

    @Inject
    OperatorSessions sessions;

    @Inject
    OperatorProvider provider;

    @Inject
    SignedIn page;

    @Inject
    MusterConfig config;

    @Inject
    Limits failures;

    /** Returns how operators can sign in, and who is signed in. That nobody is signed in is no error of the page. */
    @GET
    public Response state(@Context HttpServletRequest request) {
        return state(Cookies.find(request, Cookies.OPERATOR).flatMap(sessions::find))
                .build();
    }

    private Response.ResponseBuilder state(Optional<OperatorSessions.Session> session) {
        Map<String, Object> state = new LinkedHashMap<>();
        state.put("signIn", provider.hasSignIn());
        session.ifPresent(found -> {
            Operator operator = found.operator();
            state.put("operator", OperatorsResource.view(operator));
            state.put("expiresAt", found.expiresAt());
        });
        return Response.ok(Json.bytes(state), MediaType.APPLICATION_JSON).header(HttpHeaders.CACHE_CONTROL, "no-store");
    }

    /**
     * Begins a session with {@code {"token": "..."}} of an operator, or with {@code {"code": "..."}} of a link. The
     * browser keeps neither.
     */
    @POST
    @Path("/session")
    public Response signIn(@Context HttpServletRequest request, InputStream body) {
        page.requireOwnPage(request);
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Optional<String> token = fields.text("token", "the token of an operator", text -> text.length() <= LONGEST);
        Optional<String> code = fields.text("code", "the code of a link", text -> text.length() <= LONGEST);
        if (fields.names().contains("token") == fields.names().contains("code")) {
            fields.fault("token", "is required, or code in place of it");
        }
        fields.refuseNulls();
        fields.check();
        Optional<Begun> begun =
                token.isPresent() ? sessions.beginWithToken(token.get()) : sessions.beginWithLink(code.orElseThrow());
        if (begun.isEmpty()) {
            failures.count(stranger(request));
            throw new RegistryException(ProblemType.UNAUTHORIZED, "no valid operator token or link");
        }
        endBefore(request);
        return state(sessions.find(begun.get().text()))
                .status(Response.Status.CREATED)
                .header(HttpHeaders.SET_COOKIE, cookie(begun.get().text()))
                .build();
    }

    /** An operator who signs in again has one session, not two, and never one that somebody planted. */
    private void endBefore(HttpServletRequest request) {
        Cookies.find(request, Cookies.OPERATOR).ifPresent(sessions::end);
    }

    private String cookie(String session) {
        return Cookies.setStrict(Cookies.OPERATOR, session, config.operators().lifetime());
    }

    private String stranger(HttpServletRequest request) {
        return "console " + Origin.of(request, config.trustedProxies());
    }

    /** Signs out, on all nodes at once. */
    @DELETE
    @Path("/session")
    public Response signOut(@Context HttpServletRequest request) {
        page.requireOwnPage(request);
        endBefore(request);
        return Response.noContent()
                .header(HttpHeaders.SET_COOKIE, Cookies.remove(Cookies.OPERATOR))
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }

    /** Sends the browser to the provider. */
    @GET
    @Path("/sign-in")
    public Response begin() {
        try {
            SignIn.Begun begun = sessions.signIn()
                    .begin(OperatorProvider.name())
                    .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "nobody signs in with a provider"));
            return SignInResource.to(begun.address())
                    .header(
                            HttpHeaders.SET_COOKIE,
                            Cookies.set(Cookies.OPERATOR_SIGN_IN, begun.cookie(), SignIn.LIFETIME))
                    .build();
        } catch (SignIn.UnavailableException e) {
            return toConsole(SignIn.Failure.UNAVAILABLE);
        }
    }

    /** Takes the browser back from the provider, and sends it to the console, signed in or with a reason. */
    @GET
    @Path("/signed-in")
    public Response end(@Context HttpServletRequest request) {
        Optional<String> begun = Cookies.find(request, Cookies.OPERATOR_SIGN_IN);
        String stranger = stranger(request);
        if (begun.isPresent()) {
            failures.check(stranger);
        }
        SignIn.Ended ended = sessions.signIn().end(begun, SignInResource.answer(request));
        if (ended.failure().isPresent()) {
            if (SignInResource.counts(ended.failure().get())) {
                failures.count(stranger);
            }
            return toConsole(ended.failure().get());
        }
        endBefore(request);
        return SignInResource.to(URI.create(config.address(OperatorSessions.CONSOLE)))
                .header(HttpHeaders.SET_COOKIE, Cookies.remove(Cookies.OPERATOR_SIGN_IN))
                .header(HttpHeaders.SET_COOKIE, cookie(ended.session().orElseThrow()))
                .build();
    }

    /** The reason is in the fragment, which no log has. */
    private Response toConsole(SignIn.Failure failure) {
        return SignInResource.to(URI.create(config.address(OperatorSessions.CONSOLE) + "#!"
                        + failure.name().toLowerCase(Locale.ROOT)))
                .header(HttpHeaders.SET_COOKIE, Cookies.remove(Cookies.OPERATOR_SIGN_IN))
                .build();
    }
}
