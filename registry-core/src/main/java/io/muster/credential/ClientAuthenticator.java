package io.muster.credential;

import io.muster.credential.CredentialOrders.Owner;
import io.muster.credential.CredentialOrders.Renewable;
import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.device.Disconnections;
import io.muster.device.OpenAllowances;
import io.muster.jose.PublicJwk;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.persistence.Ids;
import io.muster.spi.CredentialConfirmed;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import jakarta.persistence.LockModeType;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Says whether a device that presents a credential has it, and may authenticate. In the steady state it runs no SQL: what it
 * remembers is at most two seconds old. Thread-safe.
 */
public final class ClientAuthenticator {

    private static final int REMEMBERED = 200_000;
    private static final int LONGEST_KEY = 64;
    private static final byte[] NOBODY = new byte[32];

    /** What is remembered of a credential. */
    private record Known(
            DeviceId deviceId,
            String fleet,
            SerialNumber serial,
            Optional<String> lot,
            CredentialKind kind,
            byte[] hash,
            Optional<PublicJwk> publicKey,
            CredentialState state,
            Instant createdAt,
            Optional<Instant> expiresAt,
            Optional<Duration> lifetime,
            boolean lacksLogin) {

        Known lacking() {
            return new Known(
                    deviceId, fleet, serial, lot, kind, hash, publicKey, state, createdAt, expiresAt, lifetime, true);
        }
    }

    /** Whose a credential is. */
    public record Holder(DeviceId deviceId, String fleet, SerialNumber serial) {}

    /**
     * What a device authenticated with.
     *
     * @param keys of all credentials that it used, good or not
     * @param ended of those that are no longer good
     */
    public record Used(List<String> keys, List<String> ended) {}

    private final Database database;
    private final DeviceStore devices;
    private final CredentialOrders orders;
    private final LastUses lastUses;
    private final BrokerLogins logins;
    private final Disconnections disconnections;
    private final Changes changes;
    private final Clock clock;
    private final Consumer<Object> events;
    private final Changes.Remembered<Known> credentials;

    /** Confirms credentials in the database, and tells the events what it confirmed. */
    public ClientAuthenticator(
            Database database,
            DeviceStore devices,
            CredentialOrders orders,
            LastUses lastUses,
            BrokerLogins logins,
            Disconnections disconnections,
            Changes changes,
            Clock clock,
            Consumer<Object> events) {
        this.database = database;
        this.devices = devices;
        this.orders = orders;
        this.lastUses = lastUses;
        this.logins = logins;
        this.disconnections = disconnections;
        this.changes = changes;
        this.clock = clock;
        this.events = events;
        this.credentials = changes.remember(REMEMBERED, this::load);
    }

    /**
     * Authenticates a device by its secret, and confirms its credential if this is the first use.
     *
     * @return the device; empty for an unknown key, a wrong secret, a credential that is no secret, lapsed or was revoked, and a
     *     device that is not active, all of which take the same path
     */
    public Optional<AuthenticatedDevice> authenticate(String key, String secret) {
        Optional<Known> known = known(key);
        byte[] hash = known.filter(credential -> credential.kind() == CredentialKind.SECRET)
                .map(Known::hash)
                .orElse(NOBODY);
        boolean right = Secrets.same(hash, Secrets.hash(secret));
        boolean good = isGood(known);
        Optional<AuthenticatedDevice> device = right && good ? confirmed(key, known.get()) : Optional.empty();
        if (device.isPresent() && known.get().lacksLogin()) {
            adopt(key, secret, known.get());
        }
        return device;
    }

    /** Once for each credential that is older than the broker: what is remembered of it says afterwards that it is known there. */
    private void adopt(String key, String secret, Known credential) {
        try {
            logins.adopt(credential.fleet(), credential.deviceId(), key, secret);
            changes.forget(List.of(key));
        } catch (DatabaseUnavailableException e) {
            // At its next use, then.
        }
    }

    /**
     * Notes that a device was let in by a broker that keeps its login, which is a use of its credential, and confirms that if it is the
     * first one.
     */
    public void usedAtBroker(DeviceId device, String key) {
        Optional<Known> known = known(key);
        if (isGood(known)
                && known.get().deviceId().equals(device)
                && known.get().kind() == CredentialKind.SECRET) {
            confirmed(key, known.get());
        }
    }

    /**
     * Authenticates a device by its private key, and confirms its credential if this is the first use.
     *
     * @param proves whether the device showed that it has the private half of this key; asked last, since a proof may be used up
     *     by it
     * @return the device; empty as for a secret, and for a credential that is no public key
     */
    public Optional<AuthenticatedDevice> authenticate(String key, Predicate<PublicJwk> proves) {
        Optional<Known> known = known(key);
        boolean good =
                isGood(known) && known.flatMap(Known::publicKey).filter(proves).isPresent();
        return good ? confirmed(key, known.get()) : Optional.empty();
    }

    private Optional<Known> known(String key) {
        return key.length() <= LONGEST_KEY ? credentials.get(key) : Optional.empty();
    }

    private Optional<AuthenticatedDevice> confirmed(String key, Known credential) {
        if (credential.state() == CredentialState.PROVISIONAL && !confirm(key, credential)) {
            return Optional.empty();
        }
        lastUses.used(key, clock.instant());
        return Optional.of(
                new AuthenticatedDevice(credential.deviceId(), credential.fleet(), key, rotateBy(key, credential)));
    }

    private Optional<Instant> rotateBy(String key, Known credential) {
        return orders.of(credential.fleet())
                .rotateBy(
                        new Owner(credential.lot(), credential.deviceId()),
                        new Renewable(key, credential.createdAt(), credential.expiresAt(), credential.lifetime()),
                        clock.instant());
    }

    /**
     * Returns what a device authenticated with so far, and what of it is no longer good. By the database, not by what this node remembers:
     * it is asked right after a change, which the node may not have heard of.
     */
    public Used used(DeviceId device) {
        List<String> keys = credentials(device).stream()
                .filter(StoredCredential::wasUsed)
                .map(StoredCredential::key)
                .toList();
        changes.forget(keys);
        changes.forget(List.of(device.value()));
        keys.stream()
                .flatMap(key -> credentials.get(key).stream())
                .findFirst()
                .ifPresent(one -> orders.forget(one.fleet()));
        return new Used(keys, keys.stream().filter(key -> !isGood(key)).toList());
    }

    /** Lists the credentials of a device, the oldest first: every admission it ever got. */
    public List<StoredCredential> credentials(DeviceId device) {
        return database.read(em -> StoredCredential.of(em, Ids.bytes(device.value())));
    }

    /** Tells whether a credential that was good when a token was issued with it still is; at most two seconds late. */
    public boolean isGood(String key) {
        return isGood(credentials.get(key));
    }

    /** Returns whose a credential is that could authenticate now; at most two seconds late. Says nothing of who asks. */
    public Optional<Holder> holder(String key) {
        Optional<Known> known = known(key);
        return isGood(known)
                ? known.map(one -> new Holder(one.deviceId(), one.fleet(), one.serial()))
                : Optional.empty();
    }

    private boolean isRevokedByOrder(Known credential) {
        return orders.of(credential.fleet())
                .revoke(new Owner(credential.lot(), credential.deviceId()), credential.createdAt());
    }

    private boolean isGood(Optional<Known> known) {
        // An unknown key asks for the state of a device that does not exist, so that it takes as long as a known one.
        DeviceId device = known.map(Known::deviceId).orElse(new DeviceId("0".repeat(32)));
        boolean active = devices.state(device)
                .filter(state -> state == DeviceState.ACTIVE)
                .isPresent();
        return active
                && known.filter(credential -> credential.state() != CredentialState.REVOKED)
                        .filter(credential -> credential
                                .expiresAt()
                                .map(end -> clock.instant().isBefore(end))
                                .orElse(true))
                        .filter(credential -> !isRevokedByOrder(credential))
                        .isPresent();
    }

    private boolean confirm(String key, Known credential) {
        byte[] device = Ids.bytes(credential.deviceId().value());
        Instant now = clock.instant();
        List<String> changed = new ArrayList<>();
        boolean good = database.transaction(em -> {
            changed.clear();
            // The device's row is the lock that registering again takes too, so one of the two comes first.
            Device locked = em.find(Device.class, device, LockModeType.PESSIMISTIC_WRITE);
            StoredCredential stored = em.find(StoredCredential.class, key);
            if (stored == null) {
                // Void before it was used, and so long ago that it is not kept any more.
                return false;
            }
            if (stored.state() == CredentialState.PROVISIONAL && stored.isGood(now)) {
                stored.confirm(now);
                changed.add(key);
                // Nothing else ends the connection of one that comes to the end of its lifetime.
                stored.expiresAt().ifPresent(end -> disconnections.request(em, credential.fleet(), device, end));
                StoredCredential.of(em, device).stream()
                        .filter(other -> other.isReplacedBy(stored))
                        .forEach(other -> {
                            other.end(stored, now);
                            changed.add(other.key());
                            disconnections.request(
                                    em,
                                    credential.fleet(),
                                    device,
                                    other.expiresAt()
                                            .filter(end -> end.isAfter(now))
                                            .orElse(now));
                        });
                OpenAllowances.spend(em, locked, now);
                changes.note(em, changed);
            }
            return stored.state() == CredentialState.CONFIRMED;
        });
        changes.forget(changed.isEmpty() ? List.of(key) : changed);
        if (changed.size() > 1) {
            disconnections.committed();
        }
        if (!changed.isEmpty()) {
            events.accept(new CredentialConfirmed(now, credential.fleet(), credential.deviceId(), key));
        }
        return good;
    }

    private Optional<Known> load(String key) {
        Optional<Known> stored = database.query(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT c.device_id, d.fleet, d.serial, t.text, c.kind, c.secret_hash, c.public_key, c.state, c.created_at,"
                            + " c.expires_at, c.lifetime FROM credential c JOIN device d ON d.id = c.device_id"
                            + " LEFT JOIN device_tag t ON t.device_id = c.device_id AND t.name = 'lot'"
                            + " WHERE c.access_key = ?")) {
                select.setString(1, key);
                try (ResultSet row = select.executeQuery()) {
                    return row.next() ? Optional.of(known(row)) : Optional.empty();
                }
            }
        });
        return stored.filter(one -> one.kind() == CredentialKind.SECRET && logins.lacks(one.fleet(), key))
                .map(Known::lacking)
                .or(() -> stored);
    }

    private static Known known(ResultSet row) throws SQLException {
        return new Known(
                new DeviceId(Ids.hex(row.getBytes(1))),
                row.getString(2),
                new SerialNumber(row.getString(3)),
                Optional.ofNullable(row.getString(4)),
                CredentialKind.ofLetter(row.getString(5)),
                row.getBytes(6),
                Optional.ofNullable(row.getString(7)).map(PublicJwk::stored),
                CredentialState.ofLetter(row.getString(8)),
                Instant.ofEpochMilli(row.getLong(9)),
                number(row, 10).map(Instant::ofEpochMilli),
                number(row, 11).map(Duration::ofMillis),
                false);
    }

    private static Optional<Long> number(ResultSet row, int column) throws SQLException {
        long value = row.getLong(column);
        return row.wasNull() ? Optional.empty() : Optional.of(value);
    }
}
