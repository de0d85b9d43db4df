// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import io.muster.json.Json;
import io.muster.log.RareLog;
import io.muster.once.UsedOnce;
import io.muster.persistence.MasterKey;
import jakarta.inject.Inject;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The sign-in of users by OpenID Connect: authorization code with PKCE (RFC 7636), state and nonce. Between the two requests of a sign-in
 * only the browser remembers it, in a cookie that is sealed under the master key. So any node can take the second one. Thread-safe.
 */
@Part
public final class SignIn {

    /** How long a user may take at the provider. */
    public static final Duration LIFETIME = Duration.ofMinutes(10);

    /** The path to which providers send browsers back. It is registered with each of them. */
    public static final String BACK = "/claim/signed-in";

    private static final RareLog LOG = RareLog.of(SignIn.class);
    private static final String PURPOSE = "user sign-in";
    /** Nonce and tag of a seal; anything shorter is none. */
    private static final int SHORTEST_SEAL = 28;

    private static final int LONGEST_COOKIE = 2048;
    private static final int LONGEST_CODE = 4096;
    private static final int RANDOM_BYTES = 32;

    private final Function<String, Optional<SignInProvider>> providers;
    private final URI redirect;
    private final MasterKey master;
    private final UsedOnce used;
    private final String purpose;
    private final Function<User, Optional<String>> sessions;
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();

    @Inject
    SignIn(
            SignInProviders providers,
            MusterConfig config,
            MasterKey master,
            UsedOnce used,
            UserSessions sessions,
            @Ours Clock clock) {
        this(
                providers::find,
                URI.create(config.address(BACK)),
                PURPOSE,
                master,
                used,
                user -> Optional.of(sessions.begin(user)),
                clock);
    }

    /**
     * Signs in.
     *
     * @param redirect the address to which providers send browsers back
     * @param purpose of the cookie; one that was sealed for another purpose is none
     * @param sessions begins a session; empty for a person who may not have one
     */
    SignIn(
            Function<String, Optional<SignInProvider>> providers,
            URI redirect,
            String purpose,
            MasterKey master,
            UsedOnce used,
            Function<User, Optional<String>> sessions,
            Clock clock) {
        this.providers = providers;
        this.redirect = redirect;
        this.purpose = purpose;
        this.master = master;
        this.used = used;
        this.sessions = sessions;
        this.clock = clock;
    }

    /**
     * A sign-in that begins.
     *
     * @param address where the browser goes
     * @param cookie the cookie that it brings back
     */
    public record Begun(URI address, String cookie) {

        /** Hides the state and the cookie. */
        @Override
        public String toString() {
            return "Begun[]";
        }
    }

    /**
     * The answer of a provider, which a browser brings back (RFC 6749 section 4.1.2, RFC 9207).
     *
     * @param state of this sign-in
     * @param code with which the registry gets the ID token
     * @param error instead of a code
     * @param issuer the provider, if the answer names it
     */
    public record Answer(
            Optional<String> state, Optional<String> code, Optional<String> error, Optional<String> issuer) {

        /** Hides state and code. */
        @Override
        public String toString() {
            return "Answer[]";
        }
    }

    /** Why there is no session, in the words that the pages know. */
    public enum Failure {
        /** The user or the provider said no. */
        REFUSED,
        /** It took too long, was used before, or began in another browser. */
        EXPIRED,
        /** The provider cannot be reached. */
        UNAVAILABLE,
        /** The provider's answer is not good. */
        FAILED,
        /** The provider knows the person, who may do nothing here. */
        FORBIDDEN
    }

    /**
     * The end of a sign-in: one of the two.
     *
     * @param session the text that proves the session
     */
    public record Ended(Optional<String> session, Optional<Failure> failure) {

        static Ended with(Failure failure) {
            return new Ended(Optional.empty(), Optional.of(failure));
        }

        /** Hides the session. */
        @Override
        public String toString() {
            return "Ended[" + failure.map(Enum::name).orElse("signed in") + "]";
        }
    }

    /** The content of the cookie. */
    private record Pending(String provider, String state, String nonce, String verifier, Instant until) {

        byte[] toJson() {
            return Json.bytes(Map.of(
                    "provider",
                    provider,
                    "state",
                    state,
                    "nonce",
                    nonce,
                    "verifier",
                    verifier,
                    "until",
                    until.toEpochMilli()));
        }

        static Pending of(byte[] json) {
            JsonNode node = Json.parse(json);
            return new Pending(
                    node.path("provider").textValue(),
                    node.path("state").textValue(),
                    node.path("nonce").textValue(),
                    node.path("verifier").textValue(),
                    Instant.ofEpochMilli(node.path("until").longValue()));
        }
    }

    /** A sign-in cannot begin now, because the provider cannot be asked where. */
    public static final class UnavailableException extends Exception {

        private static final long serialVersionUID = 1;

        UnavailableException() {
            super("the provider cannot be asked", null, false, false);
        }
    }

    /**
     * Begins a sign-in.
     *
     * @param name of the provider
     * @return empty if there is no provider of this name at which users can sign in
     */
    public Optional<Begun> begin(String name) throws UnavailableException {
        Optional<SignInProvider> found = providers.apply(name);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        SignInProvider provider = found.get();
        Pending pending =
                new Pending(name, secret(), secret(), secret(), clock.instant().plus(LIFETIME));
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("response_type", "code");
        parameters.put("client_id", provider.clientId());
        parameters.put("redirect_uri", redirect.toString());
        parameters.put("scope", provider.scopes());
        parameters.put("state", pending.state());
        parameters.put("nonce", pending.nonce());
        parameters.put("code_challenge", challenge(pending.verifier()));
        parameters.put("code_challenge_method", "S256");
        try {
            return Optional.of(new Begun(
                    with(provider.authorization(), parameters),
                    Base64.getUrlEncoder().withoutPadding().encodeToString(master.seal(pending.toJson(), purpose))));
        } catch (SignInException e) {
            LOG.warn(name, "Nobody can sign in at {}: {}", name, e.getMessage());
            throw new UnavailableException();
        }
    }

    /**
     * Ends a sign-in. Each takes one code on all nodes together, whether the code is good or not.
     *
     * @param cookie of the browser, if it has one
     */
    public Ended end(Optional<String> cookie, Answer answer) {
        Optional<Pending> opened = cookie.flatMap(this::open)
                .filter(pending -> clock.instant().isBefore(pending.until()))
                .filter(pending -> answer.state()
                        .filter(state -> same(state, pending.state()))
                        .isPresent());
        if (opened.isEmpty()) {
            return Ended.with(Failure.EXPIRED);
        }
        Pending pending = opened.get();
        Optional<SignInProvider> provider = providers.apply(pending.provider());
        if (provider.isEmpty()) {
            return Ended.with(Failure.EXPIRED);
        }
        if (answer.issuer()
                .filter(issuer -> !issuer.equals(provider.get().issuer()))
                .isPresent()) {
            LOG.warn(pending.provider(), "An answer to a sign-in at {} came from another issuer", pending.provider());
            return Ended.with(Failure.FAILED);
        }
        if (answer.error().isPresent()) {
            // Not the error itself, which a stranger may have written.
            return Ended.with(isTemporary(answer.error().get()) ? Failure.UNAVAILABLE : Failure.REFUSED);
        }
        Optional<String> code = answer.code().filter(text -> text.length() <= LONGEST_CODE);
        if (code.isEmpty()) {
            return Ended.with(Failure.FAILED);
        }
        // Not before there is a code: a stranger could otherwise fill the table without a provider.
        if (!used.spend(UsedOnce.id("sign-in", pending.state()), pending.until())) {
            return Ended.with(Failure.EXPIRED);
        }
        try {
            User user = provider.get().user(code.get(), pending.verifier(), redirect, pending.nonce());
            return sessions.apply(user)
                    .map(session -> new Ended(Optional.of(session), Optional.empty()))
                    .orElseGet(() -> Ended.with(Failure.FORBIDDEN));
        } catch (SignInException e) {
            LOG.warn(pending.provider(), "A sign-in at {} failed: {}", pending.provider(), e.getMessage());
            return Ended.with(e.isUnavailable() ? Failure.UNAVAILABLE : Failure.FAILED);
        }
    }

    private static boolean isTemporary(String error) {
        return error.equals("temporarily_unavailable") || error.equals("server_error");
    }

    private Optional<Pending> open(String cookie) {
        if (cookie.length() > LONGEST_COOKIE) {
            return Optional.empty();
        }
        try {
            byte[] sealed = Base64.getUrlDecoder().decode(cookie);
            return sealed.length < SHORTEST_SEAL
                    ? Optional.empty()
                    : Optional.of(Pending.of(master.open(sealed, purpose)));
        } catch (IllegalArgumentException | ConfigurationException e) {
            // Somebody made it up, or the master key was changed meanwhile.
            return Optional.empty();
        }
    }

    private String secret() {
        byte[] bytes = new byte[RANDOM_BYTES];
        random.nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static String challenge(String verifier) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(verifier.getBytes(StandardCharsets.US_ASCII));
            return Base64.getUrlEncoder().withoutPadding().encodeToString(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static boolean same(String one, String other) {
        return MessageDigest.isEqual(one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
    }

    /** Adds parameters to an address that may have some of its own (RFC 6749 section 3.1). */
    private static URI with(URI address, Map<String, String> parameters) {
        String text = address.toString();
        char first = address.getRawQuery() == null ? '?' : '&';
        return URI.create(text
                + first
                + parameters.entrySet().stream()
                        .map(parameter -> parameter.getKey() + "="
                                + URLEncoder.encode(parameter.getValue(), StandardCharsets.UTF_8))
                        .collect(Collectors.joining("&")));
    }
}
