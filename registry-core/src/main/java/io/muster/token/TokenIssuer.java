// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import io.jsonwebtoken.JwtBuilder;
import io.jsonwebtoken.Jwts;
import io.muster.config.MusterConfig;
import io.muster.credential.AuthenticatedDevice;
import io.muster.jose.JwtJson;
import io.muster.persistence.Ids;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Issues access tokens in the profile of RFC 9068, signed with the current key. Thread-safe. */
public final class TokenIssuer {

    /** The type of an access token; no other token of the registry has it (RFC 9068 section 2.1). */
    static final String TYPE = "at+jwt";

    private static final JwtJson JSON = new JwtJson();

    private final SigningKeys keys;
    private final URI issuer;
    private final MusterConfig.Token config;
    private final Ids ids;
    private final Function<AuthenticatedDevice, Map<String, Object>> bearerClaims;
    private final Clock clock;

    /**
     * Signs with the current key, for the configured audience and lifetime.
     *
     * @param bearerClaims further claims for bearer tokens of a device. Tokens that are bound to a key do not get them:
     *     the readers of these claims ask for no proof
     */
    public TokenIssuer(
            SigningKeys keys,
            URI issuer,
            MusterConfig.Token config,
            Ids ids,
            Function<AuthenticatedDevice, Map<String, Object>> bearerClaims,
            Clock clock) {
        this.keys = keys;
        this.issuer = issuer;
        this.config = config;
        this.ids = ids;
        this.bearerClaims = bearerClaims;
        this.clock = clock;
    }

    /** Returns how long a token lives. */
    public Duration lifetime() {
        return config.lifetime();
    }

    /** Issues a bearer token for a device that authenticated. */
    public String issue(AuthenticatedDevice device) {
        return issue(device, Optional.empty());
    }

    /**
     * Issues a token for a device that authenticated.
     *
     * @param proof of the key that it is to be bound to; empty for a bearer token
     */
    @SuppressWarnings("deprecation") // single(): an audience of one is a string to most readers, not an array
    public String issue(AuthenticatedDevice device, Optional<DpopProof> proof) {
        Instant now = clock.instant();
        SigningKey key = keys.current();
        JwtBuilder token = Jwts.builder()
                .provider(key.algorithm().provider())
                .json(JSON)
                .header()
                .type(TYPE)
                .keyId(key.kid())
                .and()
                .issuer(issuer.toString())
                .subject(device.deviceId().value())
                .audience()
                .single(config.audience())
                .issuedAt(Date.from(now))
                .expiration(Date.from(now.plus(config.lifetime())))
                .id(ids.nextKey())
                .claim(VerifiedToken.CLIENT_ID, device.key())
                .claim(VerifiedToken.FLEET, device.fleet());
        proof.ifPresentOrElse(
                bound -> token.claim(VerifiedToken.CONFIRMATION, Map.of(VerifiedToken.THUMBPRINT, bound.thumbprint())),
                () -> bearerClaims.apply(device).forEach(token::claim));
        return token.signWith(key.pair().getPrivate(), key.algorithm().jjwt()).compact();
    }
}
