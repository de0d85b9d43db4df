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

/** What the registry keeps of a credential: never the secret. */
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
     * What the first use of a credential retires.
     *
     * @param key the one it takes the place of; {@code *} for every other one
     * @param overlap how long that one is still good afterwards
     */
    public record Replacement(String key, Duration overlap) {

        /** Retires every other credential of the device at once. */
        public static final Replacement OF_ALL = new Replacement(ALL, Duration.ZERO);
    }

    /** For EclipseLink. */
    protected StoredCredential() {}

    /**
     * Keeps a credential that was just issued; it is provisional until it is used, and lapses if it never is. It is also the
     * record of the admission: when it was, and to which address.
     *
     * @param replacement what its first use retires; empty for nothing
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
     * Returns all credentials of a device, the oldest first. Who is going to change them has locked the device's row, which is
     * their lock too: locking them singly would scan, and deadlock with, those of others while the table is small.
     */
    public static List<StoredCredential> of(EntityManager em, byte[] deviceId) {
        return em.createQuery(
                        "SELECT c FROM StoredCredential c WHERE c.deviceId = :device ORDER BY c.createdAt, c.key",
                        StoredCredential.class)
                .setParameter("device", deviceId)
                .getResultList();
    }

    /** Confirms it by its first use: from now on it does not lapse, but ends with its lifetime, if it has one. */
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

    /** Ends it when the other one, which was just confirmed, says so. */
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

    /** Tells whether it was ever used, whatever became of it since. */
    public boolean wasUsed() {
        return confirmedAt != null;
    }

    /** Tells whether it could still authenticate at this time, orders of operators aside. */
    public boolean isGood(Instant at) {
        return state != CredentialState.REVOKED && (expiresAt == null || at.isBefore(expiresAt));
    }

    /** Tells whether it waits for its first use in order to retire this key. */
    public boolean isToReplace(String other) {
        return state == CredentialState.PROVISIONAL && other.equals(replaces);
    }

    /** Returns its key. */
    public String key() {
        return key;
    }

    /** Returns what the device proves itself with. */
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

    /** Returns when it lapses unless it is used, or ends although it was. */
    public Optional<Instant> expiresAt() {
        return Optional.ofNullable(expiresAt);
    }

    /** Returns what decides when it is to be renewed. */
    public CredentialOrders.Renewable renewable() {
        return new CredentialOrders.Renewable(
                key, createdAt, expiresAt(), Optional.ofNullable(lifetime).map(Duration::ofMillis));
    }

    /** Returns when it was last used, some minutes late; empty if it never was, or that is not written yet. */
    public Optional<Instant> lastUsedAt() {
        return Optional.ofNullable(lastUsedAt);
    }
}
