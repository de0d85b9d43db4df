package io.muster.credential;

import io.muster.spi.Credential;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.EntityManager;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What the registry keeps of a credential: never the secret. */
@Entity
@Table(name = "credential")
public class StoredCredential {

    @Id
    @Column(name = "access_key")
    private String key;

    @Column(name = "device_id")
    private byte[] deviceId;

    @Column(name = "secret_hash")
    private byte[] secretHash;

    private CredentialState state;
    private String origin;

    @Column(name = "created_at")
    private Instant createdAt;

    @Column(name = "expires_at")
    private Instant expiresAt;

    @Column(name = "confirmed_at")
    private Instant confirmedAt;

    /** For EclipseLink. */
    protected StoredCredential() {}

    /**
     * Keeps a credential that was just issued; it is provisional until it is used, and lapses if it never is. It is also the
     * record of the admission: when it was, and to which address.
     */
    public StoredCredential(Credential credential, byte[] deviceId, String origin, Instant at, Instant lapses) {
        this.key = credential.key();
        this.deviceId = deviceId.clone();
        this.secretHash = Secrets.hash(credential.secret());
        this.state = CredentialState.PROVISIONAL;
        this.origin = origin;
        this.createdAt = at;
        this.expiresAt = lapses;
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

    /** Confirms it by its first use: from now on it does not lapse. */
    void confirm(Instant at) {
        state = CredentialState.CONFIRMED;
        confirmedAt = at;
        expiresAt = null;
    }

    /** Makes it no longer good. */
    public void revoke() {
        state = CredentialState.REVOKED;
    }

    /** Tells whether it was ever used, whatever became of it since. */
    public boolean wasUsed() {
        return confirmedAt != null;
    }

    /** Returns its key. */
    public String key() {
        return key;
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

    /** Returns when it lapses unless it is used. */
    public Optional<Instant> expiresAt() {
        return Optional.ofNullable(expiresAt);
    }
}
