package io.muster.credential;

import io.muster.config.MusterConfig.Broker;
import io.muster.credential.CredentialOrders.Owner;
import io.muster.device.DeviceState;
import io.muster.device.Disconnections;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.persistence.MasterKey;
import io.muster.spi.Credential;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import jakarta.persistence.EntityManager;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What brokers that keep the logins of devices themselves are to be told: secrets, which nobody else can be asked for again, since the
 * registry otherwise has only their hashes. Each is sealed under the master key, and kept as long as its credential is good, so that a
 * broker that lost what it knew can be told again. Where no such broker has a fleet nothing of its devices is kept. Thread-safe.
 */
public final class BrokerLogins {

    private static final String SELECT =
            "SELECT l.access_key, l.device_id, l.secret, d.fleet, d.serial, d.state, t.text,"
                    + " c.state, c.created_at, c.expires_at FROM broker_login l JOIN device d ON d.id = l.device_id"
                    + " LEFT JOIN credential c ON c.access_key = l.access_key"
                    + " LEFT JOIN device_tag t ON t.device_id = l.device_id AND t.name = 'lot' WHERE l.broker = ?";

    private final Database database;
    private final MasterKey master;
    private final CredentialOrders orders;
    private final Disconnections disconnections;
    private final List<Broker> brokers;
    private final Clock clock;

    /** Keeps what these brokers are to be told, those of them that keep logins. */
    public BrokerLogins(
            Database database,
            MasterKey master,
            CredentialOrders orders,
            Disconnections disconnections,
            List<Broker> brokers,
            Clock clock) {
        this.database = database;
        this.master = master;
        this.orders = orders;
        this.disconnections = disconnections;
        this.brokers =
                brokers.stream().filter(broker -> broker.kind().keepsLogins()).toList();
        this.clock = clock;
    }

    /** What a login is good for. */
    public enum Standing {
        /** It may be used. */
        GOOD,
        /** It may not be used now, because the device is not active. */
        SUSPENDED,
        /** It is over. */
        ENDED
    }

    /**
     * What one broker is to be told of one credential.
     *
     * @param key the user name
     * @param ends when the credential lapses or ends
     * @param isUsed whether the credential was ever used, as far as is known
     */
    public record Login(
            String key,
            DeviceId device,
            String fleet,
            SerialNumber serial,
            Standing standing,
            Optional<Instant> ends,
            boolean isUsed,
            Sealed secret) {}

    /** A secret that is not to be read by accident. */
    public static final class Sealed {

        private final byte[] bytes;

        Sealed(byte[] bytes) {
            this.bytes = bytes.clone();
        }
    }

    /** Keeps, within the transaction that issues it, the secret of a credential, and has the brokers told. */
    public void issued(EntityManager em, String fleet, byte[] device, Credential credential) {
        if (credential instanceof Credential.Secret own) {
            keep(em, fleet, device, own.key(), own.secret());
        }
        disconnections.requestLogins(em, fleet, device);
    }

    /** Says that a transaction was committed that issued something. */
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

    /** Tells whether a broker is to know a credential of this fleet, and nothing is kept for it: it was issued before there was one. */
    public boolean lacks(String fleet, String key) {
        long wanted = brokers.stream().filter(broker -> broker.serves(fleet)).count();
        return wanted > 0
                && wanted
                        > database.query(connection -> {
                            try (PreparedStatement select = connection.prepareStatement(
                                    "SELECT broker FROM broker_login WHERE access_key = ? AND broker IN ("
                                            + String.join(
                                                    ",",
                                                    brokers.stream()
                                                            .map(broker -> "?")
                                                            .toList())
                                            + ")")) {
                                int place = 0;
                                select.setString(++place, key);
                                for (Broker broker : brokers) {
                                    select.setString(++place, broker.serves(fleet) ? broker.name() : "");
                                }
                                long found = 0;
                                try (ResultSet rows = select.executeQuery()) {
                                    while (rows.next()) {
                                        found++;
                                    }
                                }
                                return found;
                            }
                        });
    }

    /** Keeps the secret of a credential that was issued before there was a broker to be told, and has the brokers told. */
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

    /** Lists what a broker is to be told of a device. Not to be asked within a transaction. */
    public List<Login> of(Broker broker, DeviceId device) {
        return logins(broker, SELECT + " AND l.device_id = ? ORDER BY l.access_key", select -> {
            select.setString(1, broker.name());
            select.setBytes(2, Ids.bytes(device.value()));
        });
    }

    /** Lists what a broker is to be told, in the order of the keys. Not to be asked within a transaction. */
    public List<Login> after(Broker broker, String key, int atMost) {
        return logins(broker, SELECT + " AND l.access_key > ? ORDER BY l.access_key LIMIT ?", select -> {
            select.setString(1, broker.name());
            select.setString(2, key);
            select.setInt(3, atMost);
        });
    }

    private interface Parameters {
        void set(PreparedStatement select) throws SQLException;
    }

    /** A row, before the orders of operators are looked at, which needs a connection of its own. */
    private record Row(Login login, Optional<String> lot, Optional<Instant> createdAt) {}

    private List<Login> logins(Broker broker, String sql, Parameters parameters) {
        Instant now = clock.instant();
        List<Row> rows = database.query(connection -> {
            List<Row> found = new ArrayList<>();
            try (PreparedStatement select = connection.prepareStatement(sql)) {
                parameters.set(select);
                try (ResultSet row = select.executeQuery()) {
                    while (row.next()) {
                        found.add(row(broker, row, now));
                    }
                }
            }
            return found;
        });
        // It is asked right after a change, which this node may not have heard of.
        rows.stream().map(row -> row.login().fleet()).distinct().forEach(orders::forget);
        return rows.stream().map(this::ordered).toList();
    }

    private static Row row(Broker broker, ResultSet row, Instant now) throws SQLException {
        String fleet = row.getString(4);
        DeviceState device = DeviceState.ofLetter(row.getString(6));
        Optional<CredentialState> state = Optional.ofNullable(row.getString(8)).map(CredentialState::ofLetter);
        Instant createdAt = Instant.ofEpochMilli(row.getLong(9));
        long end = row.getLong(10);
        Optional<Instant> ends = row.wasNull() ? Optional.empty() : Optional.of(Instant.ofEpochMilli(end));
        boolean ended = state.filter(one -> one != CredentialState.REVOKED).isEmpty()
                || ends.filter(time -> !now.isBefore(time)).isPresent()
                || device == DeviceState.RETIRED
                || !broker.serves(fleet);
        Standing standing = ended ? Standing.ENDED : device == DeviceState.ACTIVE ? Standing.GOOD : Standing.SUSPENDED;
        Login login = new Login(
                row.getString(1),
                new DeviceId(Ids.hex(row.getBytes(2))),
                fleet,
                new SerialNumber(row.getString(5)),
                standing,
                ends,
                state.filter(one -> one == CredentialState.PROVISIONAL).isEmpty(),
                new Sealed(row.getBytes(3)));
        return new Row(login, Optional.ofNullable(row.getString(7)), state.map(one -> createdAt));
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

    /** Deletes what is kept of credentials that ended and that a broker knows no more. */
    public void forget(Broker broker, List<String> keys) {
        database.query(connection -> {
            try (PreparedStatement delete =
                    connection.prepareStatement("DELETE FROM broker_login WHERE broker = ? AND access_key = ?")) {
                for (String key : keys) {
                    delete.setString(1, broker.name());
                    delete.setString(2, key);
                    delete.addBatch();
                }
                delete.executeBatch();
            }
            return null;
        });
    }
}
