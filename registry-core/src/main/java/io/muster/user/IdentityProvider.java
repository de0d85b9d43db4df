// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.config.Settings;
import io.muster.http.Addresses;
import io.muster.http.Reply;
import io.muster.http.Transport;
import io.muster.jose.InvalidTokenException;
import io.muster.jose.PublishedKeys;
import io.muster.jose.StrictJws;
import io.muster.jose.VerificationKey;
import io.muster.jose.VerificationKey.Algorithm;
import io.muster.spi.VerificationUnavailableException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * An OpenID provider at which users have accounts. {@code docs/users.md} has its settings and says what is checked.
 * Thread-safe.
 */
public final class IdentityProvider implements AutoCloseable {

    /** How far the clocks of the provider and of this registry may differ. */
    static final Duration SKEW = Duration.ofSeconds(60);

    private static final int LONGEST_ISSUER = 500;
    private static final String ACCESS = "at+jwt";
    private static final String PLAIN = "jwt";

    private final String name;
    private final String who;
    private final String issuer;
    private final String audience;
    private final Optional<String> clientId;
    private final Optional<String> clientSecret;
    private final String scopes;
    private final Set<Algorithm> algorithms;
    private final Set<String> types;
    private final Optional<URI> keysUrl;
    private final Optional<URI> authorizationUrl;
    private final Optional<URI> tokenUrl;
    private final TokenClaims claims;
    private final Clock clock;
    private final Transport transport;
    private final Discovery discovery;
    private final PublishedKeys keys;

    /** The user of an access token, and when the token ends. */
    public record Access(User user, Instant until) {}

    /** Where users sign in, and where the registry asks for their tokens. */
    public record Endpoints(URI authorization, URI token) {}

    /** Reads every setting and reports faults; connects to nothing. */
    IdentityProvider(String name, Settings settings, Clock clock) {
        this.name = name;
        this.who = "identity provider " + name + ": ";
        this.clock = clock;
        boolean allowHttp = settings.flag("allow-http", false);
        boolean allowPrivate = settings.flag("allow-private", false);
        String whole = settings.required("issuer");
        Optional<URI> address = address(settings, "issuer", allowHttp, allowPrivate);
        this.issuer = address.map(URI::toString).orElse("");
        if (whole.length() > LONGEST_ISSUER) {
            settings.fault("issuer", "has more than " + LONGEST_ISSUER + " characters");
        }
        this.audience = settings.required("audience");
        this.keysUrl = address(settings, "jwks-url", allowHttp, allowPrivate);
        this.authorizationUrl = address(settings, "authorization-url", allowHttp, allowPrivate);
        this.tokenUrl = address(settings, "token-url", allowHttp, allowPrivate);
        this.algorithms = algorithms(settings);
        this.types = types(settings);
        this.clientId = settings.text("client-id");
        this.clientSecret = settings.secret("client-secret");
        if (settings.isSet("client-secret") && clientId.isEmpty()) {
            settings.fault("client-id", "is required beside client-secret");
        }
        if (types.contains(PLAIN) && clientId.filter(audience::equals).isPresent()) {
            settings.fault(
                    "audience",
                    "must be another than client-id where token-types has JWT: the provider's ID tokens are for"
                            + " client-id");
        }
        this.scopes = settings.text("scopes", "openid profile");
        if (!List.of(scopes.split(" ")).contains("openid")) {
            settings.fault("scopes", "must have openid, or the provider gives no ID token");
        }
        this.claims = new TokenClaims(name, issuer, settings);
        this.transport = new Transport(
                who,
                "muster-users-" + name,
                settings,
                "256KiB",
                allowPrivate,
                address.filter(uri -> !uri.getScheme().equals("https")).isEmpty());
        this.discovery = new Discovery(
                who,
                issuer,
                allowHttp,
                allowPrivate,
                "muster-addresses-of-users-" + name,
                () -> json(URI.create(issuer.replaceAll("/+$", "") + "/.well-known/openid-configuration")),
                settings,
                clock);
        this.keys = new PublishedKeys(
                who,
                "muster-keys-of-users-" + name,
                () -> json(keysUrl.orElseGet(() -> discovery.address("jwks_uri"))),
                settings,
                clock);
    }

    private static Optional<URI> address(Settings settings, String key, boolean allowHttp, boolean allowPrivate) {
        Optional<URI> address = settings.address(key);
        if (address.filter(uri -> !uri.getScheme().equals("https")).isPresent() && !allowHttp) {
            settings.fault(key, "must be https; set allow-http = true if the network is trusted");
        }
        if (address.map(URI::getHost).filter(Addresses::isPrivateLiteral).isPresent() && !allowPrivate) {
            settings.fault(key, "is not an address of the public Internet; set allow-private = true if that is meant");
        }
        return address;
    }

    private static Set<Algorithm> algorithms(Settings settings) {
        List<String> usual = List.of(Algorithm.RS256.word(), Algorithm.ES256.word(), Algorithm.EDDSA.word());
        Set<Algorithm> algorithms = new LinkedHashSet<>();
        for (String word : settings.list("algorithms", usual)) {
            Optional<Algorithm> algorithm = Algorithm.of(word).filter(found -> found != Algorithm.HS256);
            if (algorithm.isEmpty()) {
                settings.fault("algorithms", "\"" + word + "\" is none of " + String.join(", ", usual));
            }
            algorithm.ifPresent(algorithms::add);
        }
        return Set.copyOf(algorithms);
    }

    private static Set<String> types(Settings settings) {
        Set<String> types = new LinkedHashSet<>();
        for (String type : settings.list("token-types", List.of(ACCESS))) {
            String lower = type.toLowerCase(Locale.ROOT);
            if (!lower.matches("[a-z0-9!#$&^_.+-]{1,64}")) {
                settings.fault("token-types", "\"" + type + "\" is not a type such as at+jwt or JWT");
            } else {
                types.add(lower);
            }
        }
        return Set.copyOf(types);
    }

    /** Returns its name in the configuration. */
    public String name() {
        return name;
    }

    /** Returns the {@code iss} of its tokens. */
    public String issuer() {
        return issuer;
    }

    /** Returns the registry's name there; empty if nobody signs in at the claim page with this provider. */
    public Optional<String> clientId() {
        return clientId;
    }

    /** Tells whether a token for the other provider's audience would count here, as an access token or an ID token. */
    boolean isFor(IdentityProvider other) {
        return audience.equals(other.audience)
                || clientId.filter(other.audience::equals).isPresent();
    }

    /** Returns the scopes to ask for at a sign-in, separated by blanks. */
    public String scopes() {
        return scopes;
    }

    /**
     * Returns its addresses, from the settings or else from its discovery document.
     *
     * @throws VerificationUnavailableException if the provider does not tell them now
     */
    public Endpoints endpoints() {
        return new Endpoints(
                authorizationUrl.orElseGet(() -> discovery.address("authorization_endpoint")), tokenEndpoint());
    }

    private URI tokenEndpoint() {
        return tokenUrl.orElseGet(() -> discovery.address("token_endpoint"));
    }

    /**
     * Returns the user of an access token.
     *
     * @throws InvalidTokenException if the token is bad in any way
     * @throws VerificationUnavailableException if its key cannot be had now
     */
    User accessToken(String token) {
        return access(token).user();
    }

    /**
     * Returns the user of an access token, and when the token ends.
     *
     * @throws InvalidTokenException if the token is bad in any way
     * @throws VerificationUnavailableException if its key cannot be had now
     */
    Access access(String token) {
        JsonNode checked = verified(token, types);
        if (!audiences(checked).contains(audience)) {
            throw new InvalidTokenException("it is for another audience");
        }
        if (type(token).equals(PLAIN)) {
            refuseIdToken(checked);
        }
        return new Access(claims.user(checked), StrictJws.time(checked, "exp").orElseThrow());
    }

    /** An ID token says who signed in at a client. It is no key to anything (RFC 9068 section 5). */
    private void refuseIdToken(JsonNode checked) {
        boolean forClient = clientId.filter(audiences(checked)::contains).isPresent();
        boolean marked = checked.has("nonce") || checked.has("at_hash") || checked.has("c_hash");
        // Keycloak writes the kind of the token here: Bearer, ID, Refresh.
        boolean ofOtherKind = checked.has("typ")
                && !checked.path("typ").asText().toLowerCase(Locale.ROOT).equals("bearer");
        if (forClient || marked || ofOtherKind) {
            throw new InvalidTokenException("it is an ID token or another one that is no access token");
        }
    }

    /**
     * Returns the user of an ID token that the provider itself sent to this registry.
     *
     * @param nonce that the sign-in began with
     * @throws InvalidTokenException if the token is bad in any way
     * @throws VerificationUnavailableException if its key cannot be had now
     */
    public User idToken(String token, String nonce) {
        String client = client();
        JsonNode checked = verified(token, Set.of(PLAIN, ""));
        Set<String> audiences = audiences(checked);
        if (!audiences.contains(client)) {
            throw new InvalidTokenException("it is for another client");
        }
        JsonNode party = checked.path("azp");
        if (party.isMissingNode() ? audiences.size() > 1 : !party.asText().equals(client)) {
            throw new InvalidTokenException("it was made for another client");
        }
        if (!checked.path("nonce").asText().equals(nonce)) {
            throw new InvalidTokenException("it belongs to another sign-in");
        }
        return claims.user(checked);
    }

    private String client() {
        return clientId.orElseThrow(() -> new IllegalStateException("muster.users." + name + ".client-id is not set"));
    }

    /**
     * Exchanges the code of a sign-in for an ID token, and returns the user (RFC 6749 section 4.1.3, RFC 7636).
     *
     * @param code as the browser brought it
     * @param verifier proves that this registry began the sign-in
     * @param redirect the address at which the code arrived
     * @param nonce that the sign-in began with
     * @throws InvalidTokenException if the provider refuses the code, or its ID token is not good
     * @throws VerificationUnavailableException if the provider cannot be asked now
     */
    public User signIn(String code, String verifier, URI redirect, String nonce) {
        Map<String, String> form = new LinkedHashMap<>();
        form.put("grant_type", "authorization_code");
        form.put("code", code);
        form.put("redirect_uri", redirect.toString());
        form.put("code_verifier", verifier);
        if (clientSecret.isEmpty()) {
            form.put("client_id", client());
        }
        HttpRequest.Builder question = HttpRequest.newBuilder(tokenEndpoint())
                .header("Accept", "application/json")
                .header("User-Agent", "Muster")
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(BodyPublishers.ofString(form.entrySet().stream()
                        .map(member -> member.getKey() + "=" + encoded(member.getValue()))
                        .collect(Collectors.joining("&"))));
        clientSecret.ifPresent(secret -> question.header("Authorization", basic(client(), secret)));
        Reply reply = transport.ask(question.build(), transport.deadline());
        if (reply.status() == 400 || reply.status() == 401) {
            throw new InvalidTokenException("the provider refuses the code (" + error(reply) + ")");
        }
        if (reply.status() != 200) {
            throw new VerificationUnavailableException(who + "status " + reply.status() + " instead of 200");
        }
        JsonNode token = reply.json().path("id_token");
        if (!token.isTextual()) {
            throw new InvalidTokenException("the provider gives no ID token");
        }
        return idToken(token.textValue(), nonce);
    }

    private static String error(Reply reply) {
        try {
            String error = reply.json().path("error").asText();
            return error.matches("[a-z_]{1,40}") ? error : "status " + reply.status();
        } catch (VerificationUnavailableException e) {
            return "status " + reply.status();
        }
    }

    private static String basic(String id, String secret) {
        return "Basic "
                + Base64.getEncoder()
                        .encodeToString((encoded(id) + ":" + encoded(secret)).getBytes(StandardCharsets.UTF_8));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private JsonNode verified(String token, Set<String> accepted) {
        StrictJws.UnverifiedHeader header = StrictJws.header(token);
        if (!accepted.contains(type(token))) {
            throw new InvalidTokenException("its typ is none that is accepted here");
        }
        VerificationKey key = Algorithm.of(header.algorithm())
                .filter(algorithms::contains)
                .flatMap(algorithm -> keys.find(algorithm, header.keyId()))
                .orElseThrow(() -> new InvalidTokenException("no key is known for its alg and kid"));
        JsonNode checked = StrictJws.claims(token, key, clock, SKEW);
        if (!checked.path("iss").isTextual() || !checked.path("iss").textValue().equals(issuer)) {
            throw new InvalidTokenException("it is from another issuer");
        }
        Instant now = clock.instant();
        Instant end = StrictJws.time(checked, "exp").orElseThrow(() -> new InvalidTokenException("it has no exp"));
        if (!now.isBefore(end.plus(SKEW))) {
            throw new InvalidTokenException("it has expired");
        }
        if (StrictJws.time(checked, "nbf")
                .filter(begin -> now.plus(SKEW).isBefore(begin))
                .isPresent()) {
            throw new InvalidTokenException("it is not valid yet");
        }
        return checked;
    }

    /** Returns the type of its header, in lower case; the prefix {@code application/} may be left out (RFC 7515). */
    private static String type(String token) {
        String type = StrictJws.header(token).type().orElse("").toLowerCase(Locale.ROOT);
        return type.startsWith("application/") ? type.substring("application/".length()) : type;
    }

    private static Set<String> audiences(JsonNode claims) {
        JsonNode claim = claims.path("aud");
        Set<String> audiences = new LinkedHashSet<>();
        (claim.isArray() ? claim : List.of(claim)).forEach(one -> {
            if (!one.isTextual()) {
                throw new InvalidTokenException("its aud is neither a text nor a list of texts");
            }
            audiences.add(one.textValue());
        });
        return audiences;
    }

    private JsonNode json(URI address) {
        HttpRequest question = HttpRequest.newBuilder(address)
                .header("Accept", "application/json")
                .header("User-Agent", "Muster")
                .build();
        Reply reply = transport.ask(question, transport.deadline());
        if (reply.status() != 200) {
            throw new VerificationUnavailableException(who + "status " + reply.status() + " instead of 200");
        }
        return reply.written();
    }

    /** Ends its threads. */
    @Override
    public void close() {
        keys.close();
        discovery.close();
        transport.close();
    }

    /** Hides the client's secret. */
    @Override
    public String toString() {
        return "IdentityProvider[" + name + "]";
    }
}
