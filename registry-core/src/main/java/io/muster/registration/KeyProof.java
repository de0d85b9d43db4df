// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.jose.InvalidTokenException;
import io.muster.jose.StrictJws;
import io.muster.once.Nonces;
import io.muster.registration.RegistrationAttempt.OfferedKey;
import io.muster.spi.SerialNumber;
import io.muster.verification.SerialForm;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * Checks the signature by which a device proves that it has the private half of the key it offers: now, to this
 * registry, for this serial. Replaying a proof binds the same key to the same serial and gains nothing, so nothing of
 * it is used up. The proof names its fleet. Otherwise its replay could bind the key in another fleet that knows the
 * serial too. Thread-safe.
 */
@Part
final class KeyProof {

    static final String TYPE = "muster-proof+jwt";

    /** How wrong the clock of a device may be that proves the time with it, and not with a nonce. */
    private static final Duration WINDOW = Duration.ofMinutes(5);

    private static final Duration SKEW = Duration.ofSeconds(60);

    private final String audience;
    private final Nonces nonces;
    private final KnownElsewhere known;
    private final Clock clock;

    /** Accepts proofs for this registry's address, with or without a slash at its end. */
    @Inject
    KeyProof(MusterConfig config, Nonces nonces, KnownElsewhere known, @Ours Clock clock) {
        this.known = known;
        this.audience = withoutSlash(config.issuer().toString());
        this.nonces = nonces;
        this.clock = clock;
    }

    private static String withoutSlash(String address) {
        return address.endsWith("/") ? address.substring(0, address.length() - 1) : address;
    }

    /**
     * Returns what is wrong with a proof, for operators; empty if it is good.
     *
     * @param fleet where it is presented
     * @param serials how the fleet spells serials
     * @param stranger whether only the proof shows which fleet it is for. It must then name the fleet where that is in
     *     doubt
     */
    Optional<String> fault(
            OfferedKey offered, String fleet, SerialNumber serial, SerialForm serials, boolean stranger) {
        try {
            StrictJws.UnverifiedHeader header = StrictJws.header(offered.proof());
            if (!header.type().orElse("").equals(TYPE)) {
                return Optional.of("the proof is not of type " + TYPE);
            }
            JsonNode claims = StrictJws.claims(offered.proof(), offered.key().key(), clock, SKEW);
            if (!claims.path("serial").isTextual()
                    || !serials.names(claims.path("serial").textValue(), serial)) {
                return Optional.of("the proof is for another serial");
            }
            if (StrictJws.audience(claims)
                    .filter(claimed -> withoutSlash(claimed).equals(audience))
                    .isEmpty()) {
                return Optional.of("the proof is for another registry");
            }
            if (claims.has("jkt")
                    && !claims.path("jkt").asText().equals(offered.key().thumbprint())) {
                return Optional.of("the proof is for another key");
            }
            if (claims.has("fleet")
                    && !(claims.path("fleet").isTextual()
                            && claims.path("fleet").textValue().equals(fleet))) {
                return Optional.of("the proof is for another fleet");
            }
            if (stranger && !claims.has("fleet") && known.isKnownOutside(fleet, serial)) {
                return Optional.of("the proof names no fleet, and another fleet knows the serial too");
            }
            return isFresh(claims) ? Optional.empty() : Optional.of("the proof is too old, or its nonce is");
        } catch (InvalidTokenException e) {
            return Optional.of("the proof is not to be believed: " + e.getMessage());
        }
    }

    private boolean isFresh(JsonNode claims) {
        if (claims.has("nonce")) {
            return claims.path("nonce").isTextual()
                    && nonces.accept(claims.path("nonce").textValue()).isPresent();
        }
        Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        return StrictJws.seconds(claims, "iat")
                .filter(issued -> Duration.between(issued, now).abs().compareTo(WINDOW) <= 0)
                .isPresent();
    }
}
