package io.muster.registration;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.jose.InvalidTokenException;
import io.muster.jose.StrictJws;
import io.muster.registration.RegistrationAttempt.OfferedKey;
import io.muster.spi.SerialNumber;
import io.muster.verification.Nonces;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * The signature by which a device proves that it has the private half of the key it offers, now, to this registry, for this
 * serial. Whoever repeats it has the same key bound to the same serial and gains nothing, so nothing of it is used up. Thread-safe.
 */
final class KeyProof {

    static final String TYPE = "muster-proof+jwt";

    /** How far the clock of a device may be off that proves the time by it and not by a nonce. */
    private static final Duration WINDOW = Duration.ofMinutes(5);

    private static final Duration SKEW = Duration.ofSeconds(60);

    private final String audience;
    private final Nonces nonces;
    private final Clock clock;

    /** Accepts what is made for the address of this registry, a slash at its end aside. */
    KeyProof(URI issuer, Nonces nonces, Clock clock) {
        this.audience = withoutSlash(issuer.toString());
        this.nonces = nonces;
        this.clock = clock;
    }

    private static String withoutSlash(String address) {
        return address.endsWith("/") ? address.substring(0, address.length() - 1) : address;
    }

    /** Returns what is wrong with a proof, for operators; empty if it is good. */
    Optional<String> fault(OfferedKey offered, SerialNumber serial) {
        try {
            StrictJws.UnverifiedHeader header = StrictJws.header(offered.proof());
            if (!header.type().orElse("").equals(TYPE)) {
                return Optional.of("the proof is not of type " + TYPE);
            }
            JsonNode claims = StrictJws.claims(offered.proof(), offered.key().key(), clock, SKEW);
            if (!claims.path("serial").isTextual()
                    || !claims.path("serial").textValue().equals(serial.value())) {
                return Optional.of("the proof is for another serial");
            }
            if (!claims.path("aud").isTextual()
                    || !withoutSlash(claims.path("aud").textValue()).equals(audience)) {
                return Optional.of("the proof is for another registry");
            }
            if (claims.has("jkt")
                    && !claims.path("jkt").asText().equals(offered.key().thumbprint())) {
                return Optional.of("the proof is for another key");
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
