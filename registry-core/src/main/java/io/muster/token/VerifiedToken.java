package io.muster.token;

import io.muster.spi.DeviceId;
import java.time.Instant;
import java.util.Optional;

/**
 * An access token whose signature, issuer, audience, type and lifetime were checked. Only {@link TokenVerifier} makes one, so
 * holding one is proof of that. Whether the device may still act is another question, which the verifier answers too.
 */
public final class VerifiedToken {

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
            Optional<String> thumbprint) {
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

    /** Returns who issued it: {@code iss}. */
    public String issuer() {
        return issuer;
    }

    /** Returns whom it is for: {@code aud}. */
    public String audience() {
        return audience;
    }

    /** Returns when it was issued. */
    public Instant issuedAt() {
        return issuedAt;
    }

    /**
     * Returns the thumbprint of the key that it is bound to (RFC 9449 section 6.1), or empty for a bearer token. Who presents a bound
     * one must prove to have that key.
     */
    public Optional<String> thumbprint() {
        return thumbprint;
    }

    /** Returns when it expires. */
    public Instant expiresAt() {
        return expiresAt;
    }
}
