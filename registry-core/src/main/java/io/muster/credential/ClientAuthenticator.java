// SPDX-License-Identifier: Apache-2.0
package io.muster.credential;

import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.credential.CredentialOrders.Owner;
import io.muster.credential.CredentialOrders.Renewable;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.device.DeviceStore.Standing;
import io.muster.device.OpenAllowances;
import io.muster.device.OwnerMark;
import io.muster.disconnection.Disconnections;
import io.muster.jose.PublicJwk;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.spi.CredentialConfirmed;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import jakarta.inject.Inject;
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
 * Authenticates devices by their credentials, and checks that they may authenticate. In the steady state it runs no
 * SQL; its memory is at most two seconds old. Thread-safe.
 */
@Part
public final class ClientAuthenticator {

    private static final int REMEMBERED = 200_000;
    private static final int LONGEST_KEY = 64;
    private static final byte[] NOBODY = new byte[32];

    /** The remembered state of a credential. */
    private record CredentialRecord(
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

        CredentialRecord lacking() {
            return new CredentialRecord(
                    deviceId, fleet, serial, lot, kind, hash, publicKey, state, createdAt, expiresAt, lifetime, true);
        }
    }

    /**
     * The device that a credential belongs to.
     *
     * @param owner the mark of the device's owner; empty if nobody owns it
     */
    public record Holder(DeviceId deviceId, String fleet, SerialNumber serial, Optional<OwnerMark> owner) {}

    /**
     * The credentials that a device authenticated with.
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
    private final Changes.Remembered<CredentialRecord> credentials;

    /** Confirms credentials in the database, and fires an event for each. */
    @Inject
    public ClientAuthenticator(
            Database database,
            DeviceStore devices,
            CredentialOrders orders,
            LastUses lastUses,
            BrokerLogins logins,
            Disconnections disconnections,
            Changes changes,
            @Ours Clock clock,
            @Ours Consumer<Object> events) {
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
     * @return the device. Empty for an unknown key, a wrong secret, a credential that is no secret, has lapsed or was
     *     revoked, and a device that is not active. All of these take the same path
     */
    public Optional<AuthenticatedDevice> authenticate(String key, String secret) {
        Optional<CredentialRecord> known = known(key);
        byte[] hash = known.filter(credential -> credential.kind() == CredentialKind.SECRET)
                .map(CredentialRecord::hash)
                .orElse(NOBODY);
        boolean right = Secrets.same(hash, Secrets.hash(secret));
        boolean good = isGood(known);
        Optional<AuthenticatedDevice> device = right && good ? confirmed(key, known.get()) : Optional.empty();
        if (device.isPresent() && known.get().lacksLogin()) {
            adopt(key, secret, known.get());
        }
        return device;
    }

    /**
     * Stores a secret for brokers, once for each credential that is older than the broker. The remembered state then
     * says that the broker knows it.
     */
    private void adopt(String key, String secret, CredentialRecord credential) {
        try {
            logins.adopt(credential.fleet(), credential.deviceId(), key, secret);
            changes.forget(List.of(key));
        } catch (DatabaseUnavailableException e) {
            // It is tried again at the next use.
        }
    }

    /**
     * Notes that a broker which keeps a device's login admitted it. That is a use of its credential, and confirms it if
     * it is the first one.
     */
    public void usedAtBroker(DeviceId device, String key) {
        Optional<CredentialRecord> known = known(key);
        if (isGood(known)
                && known.get().deviceId().equals(device)
                && known.get().kind() == CredentialKind.SECRET) {
            confirmed(key, known.get());
        }
    }

    /**
     * Authenticates a device by its private key, and confirms its credential if this is the first use.
     *
     * @param proves whether the device showed that it has the private half of this key; called last, since it may use a
     *     proof up
     * @return the device; empty as for a secret, and for a credential that is no public key
     */
    public Optional<AuthenticatedDevice> authenticate(String key, Predicate<PublicJwk> proves) {
        Optional<CredentialRecord> known = known(key);
        boolean good = isGood(known)
                && known.flatMap(CredentialRecord::publicKey).filter(proves).isPresent();
        return good ? confirmed(key, known.get()) : Optional.empty();
    }

    private Optional<CredentialRecord> known(String key) {
        return key.length() <= LONGEST_KEY ? credentials.get(key) : Optional.empty();
    }

    private Optional<AuthenticatedDevice> confirmed(String key, CredentialRecord credential) {
        if (credential.state() == CredentialState.PROVISIONAL && !confirm(key, credential)) {
            return Optional.empty();
        }
        lastUses.used(key, clock.instant());
        return Optional.of(
                new AuthenticatedDevice(credential.deviceId(), credential.fleet(), key, rotateBy(key, credential)));
    }

    private Optional<Instant> rotateBy(String key, CredentialRecord credential) {
        return orders.of(credential.fleet())
                .rotateBy(
                        new Owner(credential.lot(), credential.deviceId()),
                        new Renewable(key, credential.createdAt(), credential.expiresAt(), credential.lifetime()),
                        clock.instant());
    }

    /**
     * Returns the credentials that a device authenticated with so far, and those that are no longer good. Reads the
     * database and not this node's memory: it runs right after a change that the node may not know of yet.
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
                .ifPresent(record -> orders.forget(record.fleet()));
        return new Used(keys, keys.stream().filter(key -> !isGood(key)).toList());
    }

    /** Lists the credentials of a device, the oldest first. They are all of its admissions. */
    public List<StoredCredential> credentials(DeviceId device) {
        return database.read(em -> StoredCredential.of(em, Ids.bytes(device.value())));
    }

    /**
     * Tells whether a credential that was good when a token was issued with it is still good; at most two seconds late.
     */
    public boolean isGood(String key) {
        return isGood(credentials.get(key));
    }

    /**
     * Returns the holder of a credential that could authenticate now; at most two seconds late. Proves nothing about
     * the caller.
     */
    public Optional<Holder> holder(String key) {
        Optional<CredentialRecord> known = known(key);
        return isGood(known)
                ? known.map(record ->
                        new Holder(record.deviceId(), record.fleet(), record.serial(), owner(record.deviceId())))
                : Optional.empty();
    }

    private Optional<OwnerMark> owner(DeviceId device) {
        return devices.standing(device).flatMap(Standing::owner);
    }

    private boolean isRevokedByOrder(CredentialRecord credential) {
        return orders.of(credential.fleet())
                .revoke(new Owner(credential.lot(), credential.deviceId()), credential.createdAt());
    }

    private boolean isGood(Optional<CredentialRecord> known) {
        // For an unknown key, look up the state of a device that does not exist, so that it takes as long as a known
        // one.
        DeviceId device = known.map(CredentialRecord::deviceId).orElse(new DeviceId("0".repeat(32)));
        boolean active = devices.standing(device)
                .filter(standing -> standing.state() == DeviceState.ACTIVE)
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

    private boolean confirm(String key, CredentialRecord credential) {
        byte[] device = Ids.bytes(credential.deviceId().value());
        Instant now = clock.instant();
        List<String> changed = new ArrayList<>();
        Optional<Boolean> good = database.found(() -> database.transaction(em -> {
            changed.clear();
            // Registering again locks the device's row too, so one of the two comes first. A device that was disabled
            // a moment ago must not spend an allowance that was given since.
            if (!DeviceStore.lockActive(em, device)) {
                return Optional.empty();
            }
            StoredCredential stored = em.find(StoredCredential.class, key);
            if (stored == null) {
                // It was voided before it was used, so long ago that it was deleted.
                return Optional.empty();
            }
            if (stored.state() == CredentialState.PROVISIONAL && stored.isGood(now)) {
                stored.confirm(now);
                changed.add(key);
                // Otherwise a connection would outlast the lifetime of its credential.
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
                OpenAllowances.spend(em, credential.fleet(), credential.serial(), now);
                changes.note(em, changed);
            }
            return Optional.of(stored.state() == CredentialState.CONFIRMED);
        }));
        changes.forget(changed.isEmpty() ? List.of(key) : changed);
        if (changed.size() > 1) {
            disconnections.committed();
        }
        if (!changed.isEmpty()) {
            events.accept(new CredentialConfirmed(now, credential.fleet(), credential.deviceId(), key));
        }
        return good.orElse(false);
    }

    private Optional<CredentialRecord> load(String key) {
        Optional<CredentialRecord> stored = database.jdbc(Sql.of(
                        "SELECT c.device_id, d.fleet, d.serial, t.text, c.kind, c.secret_hash, c.public_key, c.state,"
                                + " c.created_at, c.expires_at, c.lifetime FROM credential c JOIN device d ON d.id ="
                                + " c.device_id LEFT JOIN device_tag t ON t.device_id = c.device_id AND t.name = 'lot'"
                                + " WHERE c.access_key = ?",
                        key)
                .first(ClientAuthenticator::known));
        return stored.filter(record -> record.kind() == CredentialKind.SECRET && logins.lacks(record.fleet(), key))
                .map(CredentialRecord::lacking)
                .or(() -> stored);
    }

    private static CredentialRecord known(ResultSet row) throws SQLException {
        return new CredentialRecord(
                new DeviceId(Ids.hex(row.getBytes(1))),
                row.getString(2),
                new SerialNumber(row.getString(3)),
                Optional.ofNullable(row.getString(4)),
                CredentialKind.ofLetter(row.getString(5)),
                row.getBytes(6),
                Optional.ofNullable(row.getString(7)).map(PublicJwk::stored),
                CredentialState.ofLetter(row.getString(8)),
                Instant.ofEpochMilli(row.getLong(9)),
                Sql.time(row, 10),
                Sql.number(row, 11).map(Duration::ofMillis),
                false);
    }
}
