// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.jsonwebtoken.Claims;
import io.jsonwebtoken.Jws;
import io.jsonwebtoken.JwtException;
import io.jsonwebtoken.JwtParser;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.credential.ClientAuthenticator;
import io.muster.jose.InvalidTokenException;
import io.muster.jose.StrictJws;
import io.muster.spi.DeviceId;
import jakarta.inject.Inject;
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
 * Checks access tokens as RFC 8725 demands. Only {@code kid} selects the key, among known keys, and nothing else in the
 * header does. Each key has one algorithm. The type, the issuer and the audience must be right, and there must be an
 * expiry. For a token that was checked before, it checks only the expiry, the key and the device. Thread-safe.
 */
@Part
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

    /** Accepts the tokens that this registry's issuer signs. */
    @Inject
    public TokenVerifier(
            SigningKeys keys,
            MusterConfig config,
            ClientAuthenticator credentials,
            RevokedTokens revoked,
            @Ours Clock clock) {
        this.keys = keys;
        for (SigningAlgorithm algorithm : SigningAlgorithm.values()) {
            parsers.put(
                    algorithm,
                    parser(
                            keys,
                            algorithm,
                            config.issuer().toString(),
                            config.token().audience(),
                            clock));
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
     * Checks a token, and that it, its key, its credential and its device are still good, at most two seconds late. For
     * a token that is bound to a key, the caller must also demand a proof of that key.
     *
     * @param token as the caller presented it; may be any text, but not null
     * @return empty if it is not an access token of this registry, is expired or revoked, or was signed with a key that
     *     was dropped. Also empty if its credential or its device is no longer good, or if it has topics of an owner
     *     that the device no longer has
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
        return isGood(known) ? Optional.of(known) : Optional.empty();
    }

    private boolean isGood(VerifiedToken token) {
        return credentials
                        .holder(token.key())
                        .filter(holder -> token.isFor(holder.owner()))
                        .isPresent()
                && !revoked.isRevoked(token);
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
                    && (!claims.containsKey(VerifiedToken.OWNER) || claims.get(VerifiedToken.OWNER) instanceof String)
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
                    thumbprint(claims),
                    Optional.ofNullable(claims.get(VerifiedToken.OWNER, String.class))));
        } catch (InvalidTokenException | JwtException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /**
     * Returns the thumbprint of the only confirmation that is accepted. A token with any other confirmation does not
     * count as a bearer token.
     */
    private static Optional<String> thumbprint(Claims claims) {
        return claims.get(VerifiedToken.CONFIRMATION) instanceof Map<?, ?> confirmation
                        && confirmation.size() == 1
                        && confirmation.get(VerifiedToken.THUMBPRINT) instanceof String thumbprint
                ? Optional.of(thumbprint)
                : Optional.empty();
    }
}
