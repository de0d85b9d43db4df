// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.credential.AuthenticatedDevice;
import io.muster.credential.ClientAuthenticator;
import io.muster.jose.InvalidTokenException;
import io.muster.jose.PublicJwk;
import io.muster.jose.StrictJws;
import io.muster.once.Nonces;
import io.muster.once.Use;
import io.muster.once.UsedOnce;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.Set;

/**
 * Authenticates devices by assertions that they sign with their own key: {@code private_key_jwt} (RFC 7523 section 3,
 * with one audience as its successor demands). Each assertion is good once, on all nodes together. Thread-safe.
 */
@Part
public final class ClientAssertions {

    /** The only type of assertion. */
    public static final String TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    /** The accepted values of {@code typ}; every other kind of token has another one. */
    private static final Set<String> TYPES = Set.of("JWT", "client-authentication+jwt");

    private static final Duration LONGEST = Duration.ofMinutes(5);
    private static final Duration SKEW = Duration.ofSeconds(60);
    private static final int LONGEST_ID = 128;

    private final Set<String> audiences;
    private final ClientAuthenticator credentials;
    private final Nonces nonces;
    private final UsedOnce usedOnce;
    private final Clock clock;

    /** Accepts assertions for the issuer, with or without a slash at its end, or for its token endpoint. */
    @Inject
    public ClientAssertions(
            MusterConfig config, ClientAuthenticator credentials, Nonces nonces, UsedOnce usedOnce, @Ours Clock clock) {
        this.audiences = Set.of(config.address(""), config.address("/"), config.address("/token"));
        this.credentials = credentials;
        this.nonces = nonces;
        this.usedOnce = usedOnce;
        this.clock = clock;
    }

    /** Returns the key that an assertion claims to belong to, unverified; empty if it claims none. */
    public static Optional<String> claimedKey(String assertion) {
        return StrictJws.unverifiedClaim(assertion, "sub");
    }

    /**
     * Authenticates the device that made an assertion, and uses the assertion up.
     *
     * @param assertion as the caller presented it; may be any text, but not null
     * @return empty if it is not an assertion, is not for this registry or this time, was used before, or is of a
     *     device that may not authenticate
     */
    public Optional<AuthenticatedDevice> authenticate(String assertion) {
        return claimedKey(assertion)
                .flatMap(key -> credentials.authenticate(key, publicKey -> proves(assertion, key, publicKey)));
    }

    /** Checks an assertion. The database comes last, so that nobody without a key can fill it. */
    private boolean proves(String assertion, String key, PublicJwk publicKey) {
        try {
            Optional<String> type = StrictJws.header(assertion).type();
            JsonNode claims = StrictJws.claimsOfAnyTime(assertion, publicKey.key());
            boolean meant = type.map(TYPES::contains).orElse(true)
                    && isText(claims, "iss", key)
                    && isText(claims, "sub", key)
                    && StrictJws.audience(claims).filter(audiences::contains).isPresent();
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

    /**
     * Returns the use that makes the assertion current and good only once: of a nonce of this registry, or of an id
     * until an end.
     */
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

    /** Returns when it ends; empty unless it has begun and ends soon. */
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
