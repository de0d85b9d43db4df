// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import io.muster.device.OwnerMark;
import io.muster.spi.DeviceId;
import java.time.Instant;
import java.util.Optional;

/**
 * An access token whose signature, issuer, audience, type and lifetime were checked. Only {@link TokenVerifier} makes
 * one, so an instance proves that. Whether the device may still act is another question, which the verifier answers
 * too.
 */
public final class VerifiedToken {

    /**
     * The claim with the mark of the owner for whom a token with topics was made, in fleets whose devices follow their
     * owners. It is empty if nobody owned the device.
     */
    public static final String OWNER = "owner";

    static final String CLIENT_ID = "client_id";
    static final String FLEET = "fleet";
    static final String CONFIRMATION = "cnf";
    static final String THUMBPRINT = "jkt";

    private final DeviceId deviceId;
    private final String fleet;
    private final String key;
    private final String id;
    private final String kid;
    private final String issuer;
    private final String audience;
    private final Instant issuedAt;
    private final Instant expiresAt;
    private final Optional<String> thumbprint;
    private final Optional<String> owner;

    VerifiedToken(
            DeviceId deviceId,
            String fleet,
            String key,
            String id,
            String kid,
            String issuer,
            String audience,
            Instant issuedAt,
            Instant expiresAt,
            Optional<String> thumbprint,
            Optional<String> owner) {
        this.deviceId = deviceId;
        this.fleet = fleet;
        this.key = key;
        this.id = id;
        this.kid = kid;
        this.issuer = issuer;
        this.audience = audience;
        this.issuedAt = issuedAt;
        this.expiresAt = expiresAt;
        this.thumbprint = thumbprint;
        this.owner = owner;
    }

    /** Returns the value of the claim {@value #OWNER} for an owner's mark. */
    public static String owner(Optional<OwnerMark> mark) {
        return mark.map(OwnerMark::value).orElse("");
    }

    /** Tells whether a token is good for a device with this owner. One without topics of an owner is good for any. */
    boolean isFor(Optional<OwnerMark> mark) {
        return owner.isEmpty() || owner.get().equals(owner(mark));
    }

    /** Returns the device: the token's {@code sub}. */
    public DeviceId deviceId() {
        return deviceId;
    }

    /** Returns the device's fleet. */
    public String fleet() {
        return fleet;
    }

    /** Returns the key of the credential that the token was obtained with: its {@code client_id}. */
    public String key() {
        return key;
    }

    /** Returns the token's own id: {@code jti}. */
    public String id() {
        return id;
    }

    /** Returns the id of the key that signed it. */
    String kid() {
        return kid;
    }

    /** Returns its issuer: {@code iss}. */
    public String issuer() {
        return issuer;
    }

    /** Returns its audience: {@code aud}. */
    public String audience() {
        return audience;
    }

    /** Returns when it was issued. */
    public Instant issuedAt() {
        return issuedAt;
    }

    /**
     * Returns the thumbprint of the key that it is bound to (RFC 9449 section 6.1), or empty for a bearer token. The
     * caller that presents a bound one must prove possession of that key.
     */
    public Optional<String> thumbprint() {
        return thumbprint;
    }

    /** Returns when it expires. */
    public Instant expiresAt() {
        return expiresAt;
    }
}
