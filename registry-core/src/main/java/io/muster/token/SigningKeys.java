package io.muster.token;

import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.MasterKey;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys that sign access tokens. They live in the database, so that every node signs with the same key and knows the keys of
 * all; the private halves are encrypted there under the master key. Thread-safe.
 */
public final class SigningKeys {

    private static final Logger LOG = LoggerFactory.getLogger(SigningKeys.class);

    private final Database database;
    private final MasterKey master;
    private volatile Map<String, SigningKey> keys = Map.of();
    private volatile SigningKey current;

    private SigningKeys(Database database, MasterKey master) {
        this.database = database;
        this.master = master;
    }

    /** Reads the keys, and makes the first one where the database has none. */
    public static SigningKeys open(Database database, MasterKey master, Clock clock) {
        SigningKeys keys = new SigningKeys(database, master);
        keys.reload();
        if (keys.current == null) {
            keys.createFirst(clock);
            keys.reload();
        }
        return keys;
    }

    private void createFirst(Clock clock) {
        SigningKey key = SigningKey.generate(1);
        try {
            database.sql(connection -> {
                try (PreparedStatement insert = connection.prepareStatement(
                        "INSERT INTO signing_key (generation, kid, algorithm, public_key, private_key, created_at)"
                                + " VALUES (?, ?, ?, ?, ?, ?)")) {
                    insert.setInt(1, key.generation());
                    insert.setString(2, key.kid());
                    insert.setString(3, SigningKey.ALGORITHM);
                    insert.setBytes(4, key.pair().getPublic().getEncoded());
                    insert.setBytes(5, master.seal(key.pair().getPrivate().getEncoded(), key.kid()));
                    insert.setLong(6, clock.millis());
                    return insert.executeUpdate();
                }
            });
        } catch (DuplicateException e) {
            LOG.info("Another node made the first signing key");
        }
    }

    /** Reads the keys again. */
    public void reload() {
        Map<String, SigningKey> read = new LinkedHashMap<>();
        SigningKey newest = database.query(connection -> {
            SigningKey last = null;
            try (PreparedStatement select = connection.prepareStatement(
                            "SELECT generation, kid, public_key, private_key FROM signing_key ORDER BY generation");
                    ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    String kid = rows.getString(2);
                    SigningKey known = keys.get(kid);
                    last = known != null
                            ? known
                            : SigningKey.read(rows.getInt(1), rows.getBytes(3), master.open(rows.getBytes(4), kid));
                    if (!last.kid().equals(kid)) {
                        throw new IllegalStateException("the signing key " + kid + " is not the one it says it is");
                    }
                    read.put(kid, last);
                }
            }
            return last;
        });
        keys = Map.copyOf(read);
        current = newest;
    }

    SigningKey current() {
        return current;
    }

    Optional<SigningKey> find(String kid) {
        return Optional.ofNullable(keys.get(kid));
    }

    /** Returns the public halves as a JWK set (RFC 7517 section 5). */
    public Map<String, Object> publicKeys() {
        return Map.of("keys", keys.values().stream().map(SigningKey::jwk).toList());
    }
}
