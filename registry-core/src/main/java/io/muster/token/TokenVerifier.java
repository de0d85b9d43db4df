package io.muster.token;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.jsonwebtoken.Claims;
import io.jsonwebtoken.Jws;
import io.jsonwebtoken.JwtException;
import io.jsonwebtoken.JwtParser;
import io.muster.config.MusterConfig;
import io.muster.credential.ClientAuthenticator;
import io.muster.jose.InvalidTokenException;
import io.muster.jose.StrictJws;
import io.muster.spi.DeviceId;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Checks access tokens as RFC 8725 asks: keys chosen by {@code kid} among those known and by nothing else in the header, one
 * algorithm for each of them, the right type, issuer and audience, an expiry. A token that was checked before is not checked again,
 * only its expiry, its key and its device. Thread-safe.
 */
public final class TokenVerifier {

    /** How far the clocks of two nodes may differ. */
    static final Duration SKEW = MusterConfig.SigningKeys.SKEW;

    private static final int REMEMBERED = 50_000;

    private final SigningKeys keys;
    private final Map<SigningAlgorithm, JwtParser> parsers = new EnumMap<>(SigningAlgorithm.class);
    private final ClientAuthenticator credentials;
    private final RevokedTokens revoked;
    private final Clock clock;
    private final Cache<String, VerifiedToken> verified =
            Caffeine.newBuilder().maximumSize(REMEMBERED).build();

    /** Accepts what the issuer of this registry signs. */
    public TokenVerifier(
            SigningKeys keys,
            URI issuer,
            MusterConfig.Token config,
            ClientAuthenticator credentials,
            RevokedTokens revoked,
            Clock clock) {
        this.keys = keys;
        for (SigningAlgorithm algorithm : SigningAlgorithm.values()) {
            parsers.put(algorithm, parser(keys, algorithm, issuer.toString(), config.audience(), clock));
        }
        this.credentials = credentials;
        this.revoked = revoked;
        this.clock = clock;
    }

    private static JwtParser parser(
            SigningKeys keys, SigningAlgorithm algorithm, String issuer, String audience, Clock clock) {
        return StrictJws.parser(List.of(algorithm.jjwt()), header -> keys.find(header.getKeyId())
                        .filter(key -> key.algorithm() == algorithm)
                        .map(key -> key.pair().getPublic()))
                .provider(algorithm.provider())
                .requireIssuer(issuer)
                .requireAudience(audience)
                .clock(() -> Date.from(clock.instant()))
                .clockSkewSeconds(0)
                .build();
    }

    /**
     * Checks a token, and that it, its key, its credential and its device are still good, at most two seconds late. Who presents a
     * token that is bound to a key must prove to have the key, which is for the caller to ask for.
     *
     * @param token whatever the caller presented; may be anything but null
     * @return empty if it is not an access token of this registry, is expired or revoked, was signed with a key that was dropped, or
     *     was obtained with a credential or by a device that is no longer good
     */
    public Optional<VerifiedToken> verify(String token) {
        VerifiedToken known = verified.getIfPresent(token);
        if (known == null) {
            known = check(token).orElse(null);
            if (known == null) {
                return Optional.empty();
            }
            verified.put(token, known);
        } else if (!clock.instant().isBefore(known.expiresAt())
                || keys.find(known.kid()).isEmpty()) {
            verified.invalidate(token);
            return Optional.empty();
        }
        return credentials.isGood(known.key()) && !revoked.isRevoked(known) ? Optional.of(known) : Optional.empty();
    }

    private Optional<VerifiedToken> check(String token) {
        try {
            Optional<SigningKey> key = StrictJws.header(token).keyId().flatMap(keys::find);
            if (key.isEmpty()) {
                return Optional.empty();
            }
            Jws<Claims> jws = parsers.get(key.get().algorithm()).parseSignedClaims(token);
            Claims claims = jws.getPayload();
            Set<String> audience = claims.getAudience();
            Instant now = clock.instant();
            boolean wellFormed = TokenIssuer.TYPE.equals(jws.getHeader().getType())
                    && jws.getHeader().getCritical() == null
                    && audience.size() == 1
                    && claims.getExpiration() != null
                    && now.isBefore(claims.getExpiration().toInstant())
                    && claims.getIssuedAt() != null
                    && !claims.getIssuedAt().toInstant().isAfter(now.plus(SKEW))
                    && claims.getId() != null
                    && DeviceId.isValid(claims.getSubject())
                    && claims.get(VerifiedToken.CLIENT_ID) instanceof String
                    && claims.get(VerifiedToken.FLEET) instanceof String
                    && thumbprint(claims).isPresent() == claims.containsKey(VerifiedToken.CONFIRMATION);
            if (!wellFormed) {
                return Optional.empty();
            }
            return Optional.of(new VerifiedToken(
                    new DeviceId(claims.getSubject()),
                    claims.get(VerifiedToken.FLEET, String.class),
                    claims.get(VerifiedToken.CLIENT_ID, String.class),
                    claims.getId(),
                    key.get().kid(),
                    claims.getIssuer(),
                    audience.iterator().next(),
                    claims.getIssuedAt().toInstant(),
                    claims.getExpiration().toInstant(),
                    thumbprint(claims)));
        } catch (InvalidTokenException | JwtException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** The only confirmation there is; whatever else says that a token is bound makes it no bearer token. */
    private static Optional<String> thumbprint(Claims claims) {
        return claims.get(VerifiedToken.CONFIRMATION) instanceof Map<?, ?> confirmation
                        && confirmation.size() == 1
                        && confirmation.get(VerifiedToken.THUMBPRINT) instanceof String thumbprint
                ? Optional.of(thumbprint)
                : Optional.empty();
    }
}
