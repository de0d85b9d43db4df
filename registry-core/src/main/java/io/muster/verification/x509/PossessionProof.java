package io.muster.verification.x509;

import io.jsonwebtoken.Claims;
import io.jsonwebtoken.Jws;
import io.jsonwebtoken.JwtException;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.SignatureAlgorithm;
import io.muster.jose.Es256;
import io.muster.jose.StrictJws;
import io.muster.spi.SerialNumber;
import io.muster.verification.Nonces;
import io.muster.verification.Use;
import java.net.URI;
import java.security.PublicKey;
import java.time.Clock;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** The signature by which a device proves that it has the key of its certificate, now, to this registry, for this serial. */
final class PossessionProof {

    /** What the header calls it, so that no other token that the key signs can stand in for it. */
    static final String TYPE = "muster-proof+jwt";

    private static final long SKEW_SECONDS = 60;

    private final String audience;
    private final Supplier<Nonces> nonces;
    private final Clock clock;

    /** Accepts what is made for the address of this registry, a slash at its end aside. */
    PossessionProof(URI issuer, Supplier<Nonces> nonces, Clock clock) {
        this.audience = withoutSlash(issuer.toString());
        this.nonces = nonces;
        this.clock = clock;
    }

    private static String withoutSlash(String address) {
        return address.endsWith("/") ? address.substring(0, address.length() - 1) : address;
    }

    /**
     * Checks a proof.
     *
     * @param key the certificate's; nothing in the proof chooses another
     * @return the nonce to spend
     */
    Use check(String proof, PublicKey key, SerialNumber serial) throws RefusalException {
        List<SignatureAlgorithm> algorithms = Keys.proofAlgorithms(key);
        if (algorithms.isEmpty()) {
            throw new RefusalException("the key of the device's certificate is of a kind that signs no proof");
        }
        if (!StrictJws.isWellFormed(proof)) {
            throw new RefusalException("the proof is not a compact JWS of at most " + StrictJws.MAX_LENGTH + " bytes");
        }
        Jws<Claims> jws;
        try {
            jws = StrictJws.parser(algorithms, header -> Optional.of(key))
                    .provider(algorithms.contains(Jwts.SIG.ES256) ? Es256.PROVIDER : null)
                    .clock(() -> Date.from(clock.instant()))
                    .clockSkewSeconds(SKEW_SECONDS)
                    .build()
                    .parseSignedClaims(proof);
        } catch (JwtException | IllegalArgumentException e) {
            throw new RefusalException(
                    "the proof is not signed with the certificate's key, has expired, or is malformed");
        }
        if (!TYPE.equals(jws.getHeader().getType()) || jws.getHeader().getCritical() != null) {
            throw new RefusalException("the proof is not of type " + TYPE);
        }
        Claims claims = jws.getPayload();
        if (!serial.value().equals(claims.get("serial"))) {
            throw new RefusalException("the proof is for another serial");
        }
        if (!isForUs(claims.getAudience())) {
            throw new RefusalException("the proof is for another registry");
        }
        if (!(claims.get("nonce") instanceof String nonce)) {
            throw new RefusalException("the proof has no nonce");
        }
        Optional<Use.Once> use = nonces.get().accept(nonce);
        if (use.isEmpty()) {
            throw new RefusalException("the nonce of the proof is too old, or of another registry");
        }
        return use.get();
    }

    private boolean isForUs(Set<String> audiences) {
        return audiences != null
                && audiences.size() == 1
                && withoutSlash(audiences.iterator().next()).equals(audience);
    }
}
