// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.jwt;

import io.jsonwebtoken.JwtBuilder;
import io.jsonwebtoken.Jwts;
import io.muster.jose.JwtJson;
import io.muster.jose.VerificationKey;
import io.muster.spi.SerialNumber;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import java.util.Optional;
import java.util.stream.Stream;
import javax.crypto.SecretKey;

/** Makes tokens that one {@link JwtVerifier} accepts, with the secret that both share. Thread-safe. */
public final class RegistrationTokenSigner {

    /** The claim that tells a device where to register. */
    static final String URL = "url";

    private static final Duration DEFAULT_LIFETIME = Duration.ofDays(1);
    private static final JwtJson JSON = new JwtJson();

    private final VerificationKey key;
    private final String issuer;
    private final Optional<String> audience;
    private final Optional<String> serialClaim;
    private final Optional<Duration> maxAge;
    private final boolean expires;
    private final Clock clock;

    RegistrationTokenSigner(
            VerificationKey key,
            String issuer,
            Optional<String> audience,
            Optional<String> serialClaim,
            Optional<Duration> maxAge,
            boolean expires,
            Clock clock) {
        this.key = key;
        this.issuer = issuer;
        this.audience = audience;
        this.serialClaim = serialClaim;
        this.maxAge = maxAge;
        this.expires = expires;
        this.clock = clock;
    }

    /**
     * A new token.
     *
     * @param token a secret, of which nobody keeps a copy
     * @param expiresAt when it expires; empty if it is good as long as the secret is
     */
    public record Signed(String token, Optional<Instant> expiresAt) {

        /** Hides the token. */
        @Override
        public String toString() {
            return "Signed[expiresAt=" + expiresAt + "]";
        }
    }

    /** Tells whether a token must name a serial. If not, it must name none, because nothing would check it. */
    public boolean needsSerial() {
        return serialClaim.isPresent();
    }

    /** Returns how long a token can live at most, if the verifier limits its age. */
    public Optional<Duration> longestLifetime() {
        return maxAge;
    }

    /**
     * Signs a token.
     *
     * @param id the token's own id, which no other has
     * @param serial the serial it is for; present exactly if {@link #needsSerial()}
     * @param url where it tells the device to register
     * @param lifetime at most {@link #longestLifetime()}; empty for that, or a day where tokens must expire, or for
     *     ever
     */
    @SuppressWarnings("deprecation") // single(): an audience of one is a string to most readers, not an array
    public Signed sign(String id, Optional<SerialNumber> serial, Optional<URI> url, Optional<Duration> lifetime) {
        if (serial.isPresent() != needsSerial()) {
            throw new IllegalArgumentException("a serial is given exactly where one is needed");
        }
        // Times in a token are whole seconds.
        Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        Optional<Instant> end =
                lifetime.or(this::usualLifetime).map(span -> now.plus(span).truncatedTo(ChronoUnit.SECONDS));
        JwtBuilder token = Jwts.builder()
                .json(JSON)
                .header()
                .type("JWT")
                .and()
                .issuer(issuer)
                .id(id)
                .issuedAt(Date.from(now));
        audience.ifPresent(text -> token.audience().single(text));
        end.ifPresent(at -> token.expiration(Date.from(at)));
        url.ifPresent(address -> token.claim(URL, address.toString()));
        serial.ifPresent(number -> token.claim(serialClaim.orElseThrow(), number.value()));
        return new Signed(token.signWith((SecretKey) key.key(), Jwts.SIG.HS256).compact(), end);
    }

    private Optional<Duration> usualLifetime() {
        return expires
                ? Stream.concat(maxAge.stream(), Stream.of(DEFAULT_LIFETIME)).min(Duration::compareTo)
                : maxAge;
    }
}
