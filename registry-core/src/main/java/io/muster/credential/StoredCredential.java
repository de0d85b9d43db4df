// SPDX-License-Identifier: Apache-2.0
package io.muster.credential;

import io.muster.jose.PublicJwk;
import io.muster.spi.Credential;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.EntityManager;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** A credential as the registry stores it: never the secret. */
@Entity
@Table(name = "credential")
public class StoredCredential {

    /** Replaces every other credential of the device. */
    private static final String ALL = "*";

    @Id
    @Column(name = "access_key")
    private String key;

    @Column(name = "device_id")
    private byte[] deviceId;

    private CredentialKind kind;

    @Column(name = "secret_hash")
    private byte[] secretHash;

    @Column(name = "public_key")
    private String publicKey;

    private CredentialState state;
    private String origin;

    @Column(name = "created_at")
    private Instant createdAt;

    @Column(name = "expires_at")
    private Instant expiresAt;

    @Column(name = "confirmed_at")
    private Instant confirmedAt;

    private String replaces;
    private Long overlap;
    private Long lifetime;

    @Column(name = "last_used_at")
    private Instant lastUsedAt;

    /**
     * The effect of a credential's first use on others.
     *
     * @param key the one that it replaces; {@code *} for every other one
     * @param overlap how long that one stays good afterwards
     */
    public record Replacement(String key, Duration overlap) {

        /** Retires every other credential of the device at once. */
        public static final Replacement OF_ALL = new Replacement(ALL, Duration.ZERO);
    }

    /** For EclipseLink. */
    protected StoredCredential() {}

    /**
     * Stores a credential that was just issued. It is provisional until it is used, and lapses if it never is. It is
     * also the record of the admission, with its time and address.
     *
     * @param replacement the credential that its first use retires; empty for none
     * @param lifetime how long it is good from its first use on; empty for ever
     */
    public StoredCredential(
            Credential credential,
            byte[] deviceId,
            String origin,
            Instant at,
            Instant lapses,
            Optional<Replacement> replacement,
            Optional<Duration> lifetime) {
        this.key = credential.key();
        this.deviceId = deviceId.clone();
        this.state = CredentialState.PROVISIONAL;
        this.origin = origin;
        this.createdAt = at;
        this.expiresAt = lapses;
        this.replaces = replacement.map(Replacement::key).orElse(null);
        this.overlap = replacement.map(instead -> instead.overlap().toMillis()).orElse(null);
        this.lifetime = lifetime.map(Duration::toMillis).orElse(null);
        if (credential instanceof Credential.Secret secret) {
            this.kind = CredentialKind.SECRET;
            this.secretHash = Secrets.hash(secret.secret());
        } else if (credential instanceof Credential.PublicKey own) {
            this.kind = CredentialKind.PUBLIC_KEY;
            this.publicKey = PublicJwk.of(own.jwk()).text();
        } else {
            throw new IllegalStateException("a kind of credential that nobody stores");
        }
    }

    /**
     * Returns all credentials of a device, the oldest first. A caller that will change them must have locked the
     * device's row, which is their lock too. Locking them singly would scan those of other devices while the table is
     * small, and cause deadlocks.
     */
    public static List<StoredCredential> of(EntityManager em, byte[] deviceId) {
        return em.createQuery(
                        "SELECT c FROM StoredCredential c WHERE c.deviceId = :device ORDER BY c.createdAt, c.key",
                        StoredCredential.class)
                .setParameter("device", deviceId)
                .getResultList();
    }

    /** Confirms it by its first use. From now on it does not lapse, but ends with its lifetime, if it has one. */
    void confirm(Instant at) {
        state = CredentialState.CONFIRMED;
        confirmedAt = at;
        expiresAt = lifetime == null ? null : at.plusMillis(lifetime);
    }

    /** Tells whether the first use of the other one retires this one. */
    boolean isReplacedBy(StoredCredential other) {
        return state != CredentialState.REVOKED
                && !key.equals(other.key)
                && (ALL.equals(other.replaces) || key.equals(other.replaces));
    }

    /** Ends it as the other one demands, which was just confirmed. */
    void end(StoredCredential other, Instant at) {
        Instant end = at.plusMillis(other.overlap);
        if (other.overlap == 0) {
            revoke();
        } else if (expiresAt == null || end.isBefore(expiresAt)) {
            expiresAt = end;
        }
    }

    /** Makes it no longer good. */
    public void revoke() {
        state = CredentialState.REVOKED;
    }

    /** Tells whether it was ever used, even if it was revoked since. */
    public boolean wasUsed() {
        return confirmedAt != null;
    }

    /** Tells whether it could still authenticate at this time, regardless of operators' orders. */
    public boolean isGood(Instant at) {
        return state != CredentialState.REVOKED && (expiresAt == null || at.isBefore(expiresAt));
    }

    /** Tells whether its first use, still to come, will retire this key. */
    public boolean isToReplace(String other) {
        return state == CredentialState.PROVISIONAL && other.equals(replaces);
    }

    /** Returns its key. */
    public String key() {
        return key;
    }

    /** Returns its kind. */
    public CredentialKind kind() {
        return kind;
    }

    /** Returns the public key, or empty for a secret. */
    public Optional<PublicJwk> publicKey() {
        return Optional.ofNullable(publicKey).map(PublicJwk::stored);
    }

    /** Returns its state. */
    public CredentialState state() {
        return state;
    }

    /** Returns when it was issued. */
    public Instant createdAt() {
        return createdAt;
    }

    /** Returns the address of the registration that it was issued to. */
    public String origin() {
        return origin;
    }

    /** Returns when it was first used, if it ever was. */
    public Optional<Instant> confirmedAt() {
        return Optional.ofNullable(confirmedAt);
    }

    /** Returns when it lapses unless it is used, or when its lifetime ends. */
    public Optional<Instant> expiresAt() {
        return Optional.ofNullable(expiresAt);
    }

    /** Returns the properties that decide when it is to be renewed. */
    public CredentialOrders.Renewable renewable() {
        return new CredentialOrders.Renewable(
                key, createdAt, expiresAt(), Optional.ofNullable(lifetime).map(Duration::ofMillis));
    }

    /** Returns when it was last used, some minutes late; empty if it never was, or if that is not written yet. */
    public Optional<Instant> lastUsedAt() {
        return Optional.ofNullable(lastUsedAt);
    }
}
