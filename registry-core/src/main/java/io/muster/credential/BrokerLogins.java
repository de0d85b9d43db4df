// SPDX-License-Identifier: Apache-2.0
package io.muster.credential;

import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.config.MusterConfig.Broker;
import io.muster.credential.CredentialOrders.Owner;
import io.muster.device.DeviceState;
import io.muster.device.OwnerMark;
import io.muster.disconnection.Disconnections;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.persistence.MasterKey;
import io.muster.persistence.SealedColumn;
import io.muster.persistence.Sql;
import io.muster.spi.Credential;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The logins for brokers that keep the logins of devices themselves. It stores secrets, because the registry otherwise
 * has only their hashes. Each is sealed under the master key, and kept as long as its credential is good. So a broker
 * that lost its data can be told again. Nothing is stored for devices of fleets that no such broker has. Thread-safe.
 */
@Part
public final class BrokerLogins {

    /** The secrets. */
    public static final SealedColumn SEALED =
            new SealedColumn("broker_login", "secret", List.of("broker", "access_key"), row -> purpose(row.get(1)));

    private static final String SELECT =
            "SELECT l.access_key, l.device_id, l.secret, d.fleet, d.serial, d.state, t.text,"
                    + " c.state, c.created_at, c.expires_at, o.user_key, o.group_key"
                    + " FROM broker_login l JOIN device d ON d.id = l.device_id"
                    + " LEFT JOIN owned_serial o ON o.fleet = d.fleet AND o.serial = d.serial"
                    + " LEFT JOIN credential c ON c.access_key = l.access_key"
                    + " LEFT JOIN device_tag t ON t.device_id = l.device_id AND t.name = 'lot' WHERE l.broker = ?";

    private final Database database;
    private final MasterKey master;
    private final CredentialOrders orders;
    private final Disconnections disconnections;
    private final List<Broker> brokers;
    private final Clock clock;

    /** Stores the logins for those of the configured brokers that keep logins. */
    @Inject
    public BrokerLogins(
            Database database,
            MasterKey master,
            CredentialOrders orders,
            Disconnections disconnections,
            MusterConfig config,
            @Ours Clock clock) {
        this.database = database;
        this.master = master;
        this.orders = orders;
        this.disconnections = disconnections;
        this.brokers = config.brokers().stream()
                .filter(broker -> broker.kind().keepsLogins())
                .toList();
        this.clock = clock;
    }

    /** The states of a login. */
    public enum Standing {
        /** It may be used. */
        GOOD,
        /** It may not be used now, because the device is not active. */
        SUSPENDED,
        /** It is over. */
        ENDED
    }

    /**
     * The login of one credential at one broker.
     *
     * @param key the user name
     * @param owner the mark of the device's owner; empty if nobody owns it
     * @param ends when the credential lapses or ends
     * @param isUsed whether the credential was ever used, as far as is known
     */
    public record Login(
            String key,
            DeviceId device,
            String fleet,
            SerialNumber serial,
            Optional<OwnerMark> owner,
            Standing standing,
            Optional<Instant> ends,
            boolean isUsed,
            Sealed secret) {}

    /** A sealed secret, which cannot be read by accident. */
    public static final class Sealed {

        private final byte[] bytes;

        Sealed(byte[] bytes) {
            this.bytes = bytes.clone();
        }
    }

    /** Stores the secret of a credential, within the transaction that issues it, and has the brokers told. */
    public void issued(EntityManager em, String fleet, byte[] device, Credential credential) {
        if (credential instanceof Credential.Secret own) {
            keep(em, fleet, device, own.key(), own.secret());
        }
        disconnections.requestLogins(em, fleet, device);
    }

    /** Reports the commit of a transaction that issued something. */
    public void committed() {
        if (!brokers.isEmpty()) {
            disconnections.committed();
        }
    }

    private void keep(EntityManager em, String fleet, byte[] device, String key, String secret) {
        for (Broker broker : brokers) {
            if (broker.serves(fleet)) {
                em.createNativeQuery(
                                "INSERT INTO broker_login (broker, access_key, device_id, secret) VALUES (?, ?, ?, ?)")
                        .setParameter(1, broker.name())
                        .setParameter(2, key)
                        .setParameter(3, device)
                        .setParameter(4, master.seal(secret.getBytes(StandardCharsets.UTF_8), purpose(key)))
                        .executeUpdate();
            }
        }
    }

    private static String purpose(String key) {
        return "broker-login " + key;
    }

    /**
     * Tells whether a broker should know a credential of this fleet, but its secret is not stored: it was issued before
     * there was such a broker.
     */
    public boolean lacks(String fleet, String key) {
        long wanted = brokers.stream().filter(broker -> broker.serves(fleet)).count();
        return wanted > 0 && wanted > kept(fleet, key);
    }

    private int kept(String fleet, String key) {
        List<String> parameters = new ArrayList<>();
        parameters.add(key);
        brokers.forEach(broker -> parameters.add(broker.serves(fleet) ? broker.name() : ""));
        String select = "SELECT broker FROM broker_login WHERE access_key = ? AND broker IN (?"
                + ",?".repeat(brokers.size() - 1) + ")";
        return database.jdbc(Sql.of(select, parameters).list(row -> row.getString(1)))
                .size();
    }

    /**
     * Stores the secret of a credential that was issued before there was a broker to tell, and has the brokers told.
     */
    public void adopt(String fleet, DeviceId device, String key, String secret) {
        byte[] id = Ids.bytes(device.value());
        try {
            database.transaction(em -> {
                em.createNativeQuery("DELETE FROM broker_login WHERE access_key = ?")
                        .setParameter(1, key)
                        .executeUpdate();
                keep(em, fleet, id, key, secret);
                disconnections.requestLogins(em, fleet, id);
                return null;
            });
        } catch (DuplicateException e) {
            // Another node did it at the same time.
            return;
        }
        disconnections.committed();
    }

    /** Lists a broker's logins of a device. Do not call it within a transaction. */
    public List<Login> of(Broker broker, DeviceId device) {
        return logins(
                broker,
                Sql.of(
                        SELECT + " AND l.device_id = ? ORDER BY l.access_key",
                        broker.name(),
                        Ids.bytes(device.value())));
    }

    /** Lists a broker's logins in the order of the keys. Do not call it within a transaction. */
    public List<Login> after(Broker broker, String key, int atMost) {
        return logins(
                broker,
                Sql.of(SELECT + " AND l.access_key > ? ORDER BY l.access_key LIMIT ?", broker.name(), key, atMost));
    }

    /** A row before the orders of operators are applied, which needs a connection of its own. */
    private record Row(Login login, Optional<String> lot, Optional<Instant> createdAt) {}

    private List<Login> logins(Broker broker, Sql select) {
        Instant now = clock.instant();
        List<Row> rows = database.jdbc(select.list(row -> row(broker, row, now)));
        // This runs right after a change that this node may not know of yet.
        rows.stream().map(row -> row.login().fleet()).distinct().forEach(orders::forget);
        return rows.stream().map(this::ordered).toList();
    }

    private static Row row(Broker broker, ResultSet row, Instant now) throws SQLException {
        String fleet = row.getString(4);
        DeviceState device = DeviceState.ofLetter(row.getString(6));
        Optional<CredentialState> state = Optional.ofNullable(row.getString(8)).map(CredentialState::ofLetter);
        Instant createdAt = Instant.ofEpochMilli(row.getLong(9));
        Optional<Instant> ends = Sql.time(row, 10);
        boolean ended = state.filter(value -> value != CredentialState.REVOKED).isEmpty()
                || ends.filter(time -> !now.isBefore(time)).isPresent()
                || device == DeviceState.RETIRED
                || !broker.serves(fleet);
        Standing standing = ended ? Standing.ENDED : device == DeviceState.ACTIVE ? Standing.GOOD : Standing.SUSPENDED;
        Login login = new Login(
                row.getString(1),
                new DeviceId(Ids.hex(row.getBytes(2))),
                fleet,
                new SerialNumber(row.getString(5)),
                OwnerMark.of(row.getBytes(11), row.getBytes(12)),
                standing,
                ends,
                state.filter(value -> value == CredentialState.PROVISIONAL).isEmpty(),
                new Sealed(row.getBytes(3)));
        return new Row(login, Optional.ofNullable(row.getString(7)), state.map(value -> createdAt));
    }

    private Login ordered(Row row) {
        Login login = row.login();
        boolean revoked = row.createdAt()
                .filter(at -> orders.of(login.fleet()).revoke(new Owner(row.lot(), login.device()), at))
                .isPresent();
        return revoked
                ? new Login(
                        login.key(),
                        login.device(),
                        login.fleet(),
                        login.serial(),
                        login.owner(),
                        Standing.ENDED,
                        login.ends(),
                        login.isUsed(),
                        login.secret())
                : login;
    }

    /** Returns the secret of a login. */
    public String open(Login login) {
        return new String(master.open(login.secret().bytes, purpose(login.key())), StandardCharsets.UTF_8);
    }

    /** Deletes the secrets of credentials that have ended and that a broker no longer knows. */
    public void forget(Broker broker, List<String> keys) {
        database.jdbc(Sql.batch("DELETE FROM broker_login WHERE broker = ? AND access_key = ?", keys, key ->
                new Object[] {broker.name(), key}));
    }
}
