// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.jose.InvalidTokenException;
import io.muster.jose.StrictJws;
import io.muster.once.Nonces;
import io.muster.once.UsedOnce;
import jakarta.inject.Inject;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Checks the proofs by which a device shows that it has the key that its token is bound to (RFC 9449 section 4.3). A
 * device whose clock is wrong gets a nonce. Thread-safe.
 */
@Part
public final class DpopProofs {

    private static final String TYPE = "dpop+jwt";
    private static final Duration WINDOW = Duration.ofSeconds(60);
    private static final int LONGEST_ID = 128;
    private static final Pattern ENCODED = Pattern.compile("%([0-9A-Fa-f]{2})");
    private static final String UNRESERVED = "-._~";

    /** A proof that is not accepted. The message says why, for the device, and repeats nothing of the proof. */
    public static final class InvalidProofException extends Exception {

        private static final long serialVersionUID = 1;

        private static final String NO_NONCE = "use_dpop_nonce";

        private final String error;

        private InvalidProofException(String error, String why) {
            super(why, null, false, false);
            this.error = error;
        }

        /** Makes one that says what is wrong. */
        public static InvalidProofException because(String why) {
            return new InvalidProofException("invalid_dpop_proof", why);
        }

        private static InvalidProofException withoutNonce() {
            return new InvalidProofException(NO_NONCE, "use the nonce of this reply, or a better clock");
        }

        /** Tells whether the device must make the proof again, with a nonce of this registry. */
        public boolean isForWantOfANonce() {
            return error.equals(NO_NONCE);
        }

        /** Returns the error code of RFC 9449. */
        public String error() {
            return error;
        }
    }

    private final MusterConfig config;
    private final Nonces nonces;
    private final UsedOnce usedOnce;
    private final Clock clock;

    /** Accepts proofs for addresses below the issuer's, whatever address the requests really arrive at. */
    @Inject
    public DpopProofs(MusterConfig config, Nonces nonces, UsedOnce usedOnce, @Ours Clock clock) {
        this.config = config;
        this.nonces = nonces;
        this.usedOnce = usedOnce;
        this.clock = clock;
    }

    /** Returns a nonce for the next proof. */
    public String nextNonce() {
        return nonces.issue().nonce();
    }

    /**
     * Checks everything about a proof except whether it was used before.
     *
     * @param proof the value of the header, unchecked
     * @param method of the request
     * @param path of the request, below the address of the registry
     * @throws InvalidProofException if it is not good
     */
    public DpopProof check(String proof, String method, String path) throws InvalidProofException {
        StrictJws.SelfSigned signed;
        try {
            signed = StrictJws.selfSigned(proof);
        } catch (InvalidTokenException e) {
            throw InvalidProofException.because("the proof is not to be believed: " + e.getMessage());
        }
        JsonNode claims = signed.claims();
        require(signed.type().orElse("").equals(TYPE), "the proof is not of type " + TYPE);
        String id = text(claims, "jti").orElse("");
        require(!id.isEmpty() && id.length() <= LONGEST_ID, "jti must have 1 to " + LONGEST_ID + " characters");
        require(text(claims, "htm").orElse("").equals(method), "htm is another method");
        Optional<String> address = text(claims, "htu").flatMap(DpopProofs::normal);
        require(
                address.isPresent() && address.equals(normal(config.address(path))),
                "htu is not the address of this endpoint");
        return new DpopProof(
                signed.key().thumbprint(),
                text(claims, "ath"),
                UsedOnce.id("dpop", signed.key().thumbprint(), id),
                end(claims));
    }

    /**
     * Uses a proof up. Call it when everything else is known to be good, so that nobody without a credential can fill
     * the database.
     *
     * @throws InvalidProofException if it was used before
     */
    public void spend(DpopProof proof) throws InvalidProofException {
        require(usedOnce.spend(proof.id(), proof.until()), "the proof was used before");
    }

    /**
     * Checks the proof that comes with a token, and uses it up.
     *
     * @param token the access token as it was presented
     * @param verified the same, checked
     * @throws InvalidProofException if it is not good, or not for this token
     */
    public void use(String proof, String method, String path, String token, VerifiedToken verified)
            throws InvalidProofException {
        DpopProof checked = check(proof, method, path);
        require(checked.accessTokenHash().equals(Optional.of(hash(token))), "ath is not the hash of the token");
        require(
                verified.thumbprint().equals(Optional.of(checked.thumbprint())),
                "the token is not bound to the key of the proof");
        spend(checked);
    }

    /** Returns when the proof expires: counted from its nonce, or by its own clock if that is right. */
    private Instant end(JsonNode claims) throws InvalidProofException {
        require(claims.path("iat").isNumber(), "iat must be a number of seconds");
        if (claims.has("nonce")) {
            return text(claims, "nonce")
                    .flatMap(nonces::accept)
                    .orElseThrow(InvalidProofException::withoutNonce)
                    .until();
        }
        Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        Instant issued = issued(claims);
        if (issued.isBefore(now.minus(WINDOW)) || issued.isAfter(now.plus(WINDOW))) {
            throw InvalidProofException.withoutNonce();
        }
        return issued.plus(WINDOW).plusSeconds(1);
    }

    private static Instant issued(JsonNode claims) throws InvalidProofException {
        try {
            return StrictJws.seconds(claims, "iat").orElseThrow(InvalidProofException::withoutNonce);
        } catch (InvalidTokenException e) {
            // A number that is no time at all also counts as a wrong clock.
            throw InvalidProofException.withoutNonce();
        }
    }

    private static void require(boolean holds, String otherwise) throws InvalidProofException {
        if (!holds) {
            throw InvalidProofException.because(otherwise);
        }
    }

    private static Optional<String> text(JsonNode claims, String name) {
        return Optional.of(claims.path(name)).filter(JsonNode::isTextual).map(JsonNode::textValue);
    }

    private static String hash(String token) {
        try {
            return Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString(
                            MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /**
     * Returns the normal form of an address (RFC 3986 sections 6.2.2 and 6.2.3), without query and fragment; empty if
     * it is none.
     */
    private static Optional<String> normal(String address) {
        try {
            URI uri = new URI(address).normalize();
            if (uri.getScheme() == null || uri.getHost() == null || uri.getRawUserInfo() != null) {
                return Optional.empty();
            }
            String scheme = uri.getScheme().toLowerCase(Locale.ROOT);
            boolean usual = uri.getPort() < 0 || uri.getPort() == (scheme.equals("https") ? 443 : 80);
            String path = ENCODED.matcher(uri.getRawPath())
                    .replaceAll(encoded -> decoded((char) Integer.parseInt(encoded.group(1), 16), encoded.group()));
            return Optional.of(scheme + "://" + uri.getHost().toLowerCase(Locale.ROOT)
                    + (usual ? "" : ":" + uri.getPort()) + (path.isEmpty() ? "/" : path));
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }

    private static String decoded(char character, String encoded) {
        boolean unreserved =
                (character < 0x80 && Character.isLetterOrDigit(character)) || UNRESERVED.indexOf(character) >= 0;
        return unreserved ? String.valueOf(character) : encoded.toUpperCase(Locale.ROOT);
    }
}
