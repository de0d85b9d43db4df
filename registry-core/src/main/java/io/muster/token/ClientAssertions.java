package io.muster.token;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.config.MusterConfig;
import io.muster.credential.AuthenticatedDevice;
import io.muster.credential.ClientAuthenticator;
import io.muster.jose.InvalidTokenException;
import io.muster.jose.PublicJwk;
import io.muster.jose.StrictJws;
import io.muster.persistence.UsedOnce;
import io.muster.verification.Nonces;
import io.muster.verification.Use;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.Set;

/**
 * Authenticates devices by assertions that they sign with their own key: {@code private_key_jwt} (RFC 7523 section 3, with one
 * audience as its successor wants). Each assertion is good once, on all nodes together. Thread-safe.
 */
public final class ClientAssertions {

    /** The one type of assertion there is. */
    public static final String TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    /** What {@code typ} may be; every other kind of token says another. */
    private static final Set<String> TYPES = Set.of("JWT", "client-authentication+jwt");

    private static final Duration LONGEST = Duration.ofMinutes(5);
    private static final Duration SKEW = Duration.ofSeconds(60);
    private static final int LONGEST_ID = 128;

    private final Set<String> audiences;
    private final ClientAuthenticator credentials;
    private final Nonces nonces;
    private final UsedOnce usedOnce;
    private final Clock clock;

    /** Accepts what is made for the issuer, a slash at its end aside, or for its token endpoint. */
    public ClientAssertions(
            MusterConfig config, ClientAuthenticator credentials, Nonces nonces, UsedOnce usedOnce, Clock clock) {
        this.audiences = Set.of(config.address(""), config.address("/"), config.address("/token"));
        this.credentials = credentials;
        this.nonces = nonces;
        this.usedOnce = usedOnce;
        this.clock = clock;
    }

    /** Returns the key that an assertion claims to be of, which nobody has checked; empty if it claims none. */
    public static Optional<String> claimedKey(String assertion) {
        return StrictJws.unverifiedClaim(assertion, "sub");
    }

    /**
     * Authenticates the device that made an assertion, and uses the assertion up.
     *
     * @param assertion whatever the caller presented; may be anything but null
     * @return empty if it is not one, is not for this registry or this time, was used before, or is of a device that may not
     *     authenticate
     */
    public Optional<AuthenticatedDevice> authenticate(String assertion) {
        return claimedKey(assertion)
                .flatMap(key -> credentials.authenticate(key, publicKey -> proves(assertion, key, publicKey)));
    }

    /** The database comes last, so that nobody can fill it who has no key. */
    private boolean proves(String assertion, String key, PublicJwk publicKey) {
        try {
            Optional<String> type = StrictJws.header(assertion).type();
            JsonNode claims = StrictJws.claimsOfAnyTime(assertion, publicKey.key());
            boolean meant = type.map(TYPES::contains).orElse(true)
                    && isText(claims, "iss", key)
                    && isText(claims, "sub", key)
                    && claims.path("aud").isTextual()
                    && audiences.contains(claims.path("aud").textValue());
            return meant
                    && use(claims, key)
                            .filter(use -> usedOnce.spend(use.id(), use.until()))
                            .isPresent();
        } catch (InvalidTokenException e) {
            return false;
        }
    }

    private static boolean isText(JsonNode claims, String name, String value) {
        return claims.path(name).isTextual() && claims.path(name).textValue().equals(value);
    }

    /** What makes the assertion one of this time that is good once: a nonce of this registry, or an end and an id. */
    private Optional<Use.Once> use(JsonNode claims, String key) {
        if (claims.has("nonce")) {
            return Optional.of(claims.path("nonce"))
                    .filter(JsonNode::isTextual)
                    .flatMap(nonce -> nonces.accept(nonce.textValue()));
        }
        JsonNode id = claims.path("jti");
        boolean named =
                id.isTextual() && !id.textValue().isEmpty() && id.textValue().length() <= LONGEST_ID;
        Optional<Instant> end = endOfThisTime(claims);
        if (!named || end.isEmpty()) {
            return Optional.empty();
        }
        Instant until = end.get().plus(SKEW);
        return Optional.of(new Use.Once(UsedOnce.id("client assertion", key, id.textValue()), until, false));
    }

    /** When it ends; empty unless that is soon, and it has begun. */
    private Optional<Instant> endOfThisTime(JsonNode claims) {
        Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        Instant latest = now.plus(SKEW);
        return StrictJws.seconds(claims, "exp")
                .filter(end -> end.isAfter(now.minus(SKEW)) && !end.isAfter(latest.plus(LONGEST)))
                .filter(end -> isNotAfter(claims, "iat", latest) && isNotAfter(claims, "nbf", latest));
    }

    private static boolean isNotAfter(JsonNode claims, String name, Instant latest) {
        return StrictJws.seconds(claims, name)
                .filter(time -> time.isAfter(latest))
                .isEmpty();
    }
}
