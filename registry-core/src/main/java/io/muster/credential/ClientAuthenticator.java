package io.muster.credential;

import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.spi.CredentialConfirmed;
import io.muster.spi.DeviceId;
import jakarta.persistence.LockModeType;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Says whether a key and a secret belong to a device that may authenticate. In the steady state it runs no SQL: what it
 * remembers is at most two seconds old. Thread-safe.
 */
public final class ClientAuthenticator {

    private static final int REMEMBERED = 200_000;
    private static final byte[] NOBODY = new byte[32];

    /** What is remembered of a credential. */
    private record Known(DeviceId deviceId, String fleet, byte[] hash, CredentialState state, Instant expiresAt) {}

    private final Database database;
    private final DeviceStore devices;
    private final Changes changes;
    private final Clock clock;
    private final Consumer<Object> events;
    private final Changes.Remembered<Known> credentials;

    /** Confirms credentials in the database, and tells the events what it confirmed. */
    public ClientAuthenticator(
            Database database, DeviceStore devices, Changes changes, Clock clock, Consumer<Object> events) {
        this.database = database;
        this.devices = devices;
        this.changes = changes;
        this.clock = clock;
        this.events = events;
        this.credentials = changes.remember(REMEMBERED, this::load);
    }

    /**
     * Authenticates a device, and confirms its credential if this is the first use.
     *
     * @return the device; empty for an unknown key, a wrong secret, a credential that lapsed or was revoked, and a device that
     *     is not active, all of which take the same path
     */
    public Optional<AuthenticatedDevice> authenticate(String key, String secret) {
        Optional<Known> known = key.length() <= 64 ? credentials.get(key) : Optional.empty();
        boolean right = Secrets.same(known.map(Known::hash).orElse(NOBODY), Secrets.hash(secret));
        boolean active = isActive(known);
        if (!right || !active) {
            return Optional.empty();
        }
        Known credential = known.get();
        if (credential.state() == CredentialState.PROVISIONAL && !confirm(key, credential)) {
            return Optional.empty();
        }
        return Optional.of(new AuthenticatedDevice(credential.deviceId(), credential.fleet(), key));
    }

    /** Lists the credentials of a device, the oldest first: every admission it ever got. */
    public List<StoredCredential> credentials(DeviceId device) {
        return database.read(em -> StoredCredential.of(em, Ids.bytes(device.value())));
    }

    /** Tells whether a credential that was good when a token was issued with it still is; at most two seconds late. */
    public boolean isGood(String key) {
        return isActive(credentials.get(key));
    }

    private boolean isActive(Optional<Known> known) {
        // An unknown key asks for the state of a device that does not exist, so that it takes as long as a known one.
        DeviceId device = known.map(Known::deviceId).orElse(new DeviceId("0".repeat(32)));
        boolean active = devices.state(device)
                .filter(state -> state == DeviceState.ACTIVE)
                .isPresent();
        return active
                && known.filter(credential -> credential.state() != CredentialState.REVOKED)
                        .filter(credential -> credential.expiresAt() == null
                                || clock.instant().isBefore(credential.expiresAt()))
                        .isPresent();
    }

    private boolean confirm(String key, Known credential) {
        byte[] device = Ids.bytes(credential.deviceId().value());
        Instant now = clock.instant();
        boolean[] first = {false};
        boolean good = database.transaction(em -> {
            // The device's row is the lock that registering again takes too, so one of the two comes first.
            em.find(Device.class, device, LockModeType.PESSIMISTIC_WRITE);
            StoredCredential stored = em.find(StoredCredential.class, key);
            first[0] = stored.state() == CredentialState.PROVISIONAL;
            if (first[0]) {
                stored.confirm(now);
                changes.note(em, List.of(key));
            }
            return stored.state() == CredentialState.CONFIRMED;
        });
        changes.forget(List.of(key));
        if (first[0]) {
            events.accept(new CredentialConfirmed(now, credential.fleet(), credential.deviceId(), key));
        }
        return good;
    }

    private Optional<Known> load(String key) {
        return database.query(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT c.device_id, d.fleet, c.secret_hash, c.state, c.expires_at FROM credential c"
                            + " JOIN device d ON d.id = c.device_id WHERE c.access_key = ?")) {
                select.setString(1, key);
                try (ResultSet row = select.executeQuery()) {
                    if (!row.next()) {
                        return Optional.empty();
                    }
                    long expires = row.getLong(5);
                    Instant expiresAt = row.wasNull() ? null : Instant.ofEpochMilli(expires);
                    return Optional.of(new Known(
                            new DeviceId(Ids.hex(row.getBytes(1))),
                            row.getString(2),
                            row.getBytes(3),
                            CredentialState.ofLetter(row.getString(4)),
                            expiresAt));
                }
            }
        });
    }
}
