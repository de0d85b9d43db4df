// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import io.jsonwebtoken.Claims;
import io.jsonwebtoken.Jws;
import io.jsonwebtoken.JwtException;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.SignatureAlgorithm;
import io.muster.jose.Es256;
import io.muster.jose.StrictJws;
import io.muster.once.Nonces;
import io.muster.once.Use;
import io.muster.spi.SerialNumber;
import io.muster.verification.SerialForm;
import java.net.URI;
import java.security.PublicKey;
import java.time.Clock;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Checks the signature by which a device proves that it has the key of its certificate: now, to this registry, for this
 * serial.
 */
final class PossessionProof {

    /** The type in the header, so that no other token that the key signs can replace it. */
    static final String TYPE = "muster-proof+jwt";

    private final String audience;
    private final Supplier<Nonces> nonces;
    private final Clock clock;

    /** Accepts proofs for this registry's address, with or without a slash at its end. */
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
     * @param key the certificate's; nothing in the proof can select another
     * @param fleet where it is presented. A proof that names another fleet is refused. One that names none can be
     *     presented in any, but only once in all of them together
     * @param serials how the fleet spells serials
     * @return the nonce to spend
     */
    Use check(String proof, PublicKey key, String fleet, SerialNumber serial, SerialForm serials)
            throws RefusalException {
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
                    .clockSkewSeconds(Anchors.SKEW.toSeconds())
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
        if (!(claims.get("serial") instanceof String named && serials.names(named, serial))) {
            throw new RefusalException("the proof is for another serial");
        }
        if (!isForUs(claims.getAudience())) {
            throw new RefusalException("the proof is for another registry");
        }
        if (claims.containsKey("fleet") && !fleet.equals(claims.get("fleet"))) {
            throw new RefusalException("the proof is for another fleet");
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
