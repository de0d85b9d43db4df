// SPDX-License-Identifier: Apache-2.0
package io.muster.record;

import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.json.Json;
import io.muster.persistence.Database;
import io.muster.persistence.MasterKey;
import io.muster.persistence.SealedColumn;
import io.muster.persistence.Sql;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.spec.PKCS8EncodedKeySpec;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The keys that sign seals. They are of their own kind, because a key of tokens is forgotten with its last token, and a
 * seal is verified years later. Their public halves are published for ever. Thread-safe.
 */
@Part
public final class SealKeys {

    /** The private halves. */
    public static final SealedColumn PRIVATE = column("private_key");
    /** The keys of salts. */
    public static final SealedColumn SALT = column("salt_key");

    private static final String ALGORITHM = "Ed25519";
    private static final String MAC = "HmacSHA256";
    private static final int RAW_KEY = 32;
    private static final int SALT_BYTES = 16;
    private static final byte[] NOTHING = {};

    private final Database database;
    private final MasterKey master;
    private final Audit audit;
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();

    /**
     * A key that signs.
     *
     * @param saltKey makes the salts of records that its seals close
     */
    record Current(String kid, PrivateKey secret, byte[] saltKey) {}

    /**
     * A public half.
     *
     * @param x the key as RFC 8032 encodes it
     * @param replacedAt when it ceased to sign
     */
    public record Published(String kid, byte[] x, Instant createdAt, Optional<Instant> replacedAt) {

        /** Returns it as a JWK (RFC 8037), with its times. */
        public Map<String, Object> jwk() {
            Map<String, Object> jwk = new LinkedHashMap<>(required(x));
            jwk.put("kid", kid);
            jwk.put("use", "sig");
            jwk.put("alg", "EdDSA");
            jwk.put("createdAt", createdAt);
            replacedAt.ifPresent(at -> jwk.put("replacedAt", at));
            return jwk;
        }
    }

    @Inject
    SealKeys(Database database, MasterKey master, Audit audit, @Ours Clock clock) {
        this.database = database;
        this.master = master;
        this.audit = audit;
        this.clock = clock;
    }

    private static SealedColumn column(String name) {
        return new SealedColumn("seal_key", name, List.of("kid"), row -> purpose(name, row.get(0)));
    }

    private static String purpose(String column, String kid) {
        return "seal:" + column + ":" + kid;
    }

    private static Map<String, String> required(byte[] x) {
        return new TreeMap<>(Map.of(
                "crv",
                ALGORITHM,
                "kty",
                "OKP",
                "x",
                Base64.getUrlEncoder().withoutPadding().encodeToString(x)));
    }

    /** Returns every key that ever was, the oldest first. */
    public List<Published> list() {
        return database.jdbc(Sql.of("SELECT kid, public_key, created_at, replaced_at FROM seal_key"
                        + " ORDER BY created_at, COALESCE(replaced_at, 9223372036854775807), kid")
                .list(row -> new Published(
                        row.getString(1),
                        raw(row.getBytes(2)),
                        Instant.ofEpochMilli(row.getLong(3)),
                        Sql.time(row, 4))));
    }

    /** The last bytes of the X.509 encoding are the key itself (RFC 8410). */
    private static byte[] raw(byte[] x509) {
        return Arrays.copyOfRange(x509, x509.length - RAW_KEY, x509.length);
    }

    /** Returns the key that signs now, if there is one yet. */
    Optional<Current> current(Connection connection) throws SQLException {
        return Sql.of("SELECT kid, private_key, salt_key FROM seal_key WHERE replaced_at IS NULL"
                        + " ORDER BY created_at DESC, kid LIMIT 1")
                .first(row -> {
                    String kid = row.getString(1);
                    return new Current(
                            kid,
                            secret(master.open(row.getBytes(2), purpose(PRIVATE.column(), kid))),
                            master.open(row.getBytes(3), purpose(SALT.column(), kid)));
                })
                .in(connection);
    }

    private static PrivateKey secret(byte[] pkcs8) {
        try {
            return KeyFactory.getInstance(ALGORITHM).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a stored key of seals is damaged", e);
        }
    }

    /** Returns the key of the salts of a key's seals; empty if it was lost with the master key. */
    Optional<byte[]> saltKey(Connection connection, String kid) throws SQLException {
        return Sql.of("SELECT salt_key FROM seal_key WHERE kid = ?", kid)
                .first(row -> row.getBytes(1))
                .in(connection)
                .filter(value -> value.length > 0)
                .map(value -> master.open(value, purpose(SALT.column(), kid)));
    }

    /** Returns the salt of a record. */
    static byte[] salt(byte[] saltKey, String record) {
        try {
            Mac mac = Mac.getInstance(MAC);
            mac.init(new SecretKeySpec(saltKey, MAC));
            return Arrays.copyOf(mac.doFinal(record.getBytes(StandardCharsets.UTF_8)), SALT_BYTES);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has " + MAC, e);
        }
    }

    /**
     * Makes a key that signs from the next seal on, and destroys the private half of the one before.
     *
     * @param by the name of the operator
     */
    public void replace(Optional<String> reason, String by) {
        database.transaction(em -> {
            // Nobody seals with the key before from now on: a seal is stored only if this number is as it was.
            Database.within(
                    em,
                    Sql.of("UPDATE seal_head SET times_locked = times_locked + 1 WHERE id = 1")
                            .update());
            List<String> before = Database.within(
                    em,
                    Sql.of("SELECT kid FROM seal_key WHERE replaced_at IS NULL").list(row -> row.getString(1)));
            for (String kid : before) {
                Database.within(
                        em,
                        Sql.of(
                                        "UPDATE seal_key SET replaced_at = ?, private_key = ? WHERE kid = ?",
                                        clock.millis(),
                                        master.seal(NOTHING, purpose(PRIVATE.column(), kid)),
                                        kid)
                                .update());
            }
            String kid = Database.within(em, this::insert);
            audit.record(
                    em, Audit.Type.SEAL_KEY_REPLACED, null, null, null, by, kid + ": " + reason.orElse("on request"));
            return null;
        });
    }

    /** Makes a key within a transaction that holds the lock of those who seal. */
    String insert(Connection connection) throws SQLException {
        try {
            KeyPair pair = KeyPairGenerator.getInstance(ALGORITHM).generateKeyPair();
            byte[] x509 = pair.getPublic().getEncoded();
            byte[] saltKey = new byte[RAW_KEY];
            random.nextBytes(saltKey);
            // RFC 7638: the required members in alphabetical order.
            byte[] thumbprint = MessageDigest.getInstance("SHA-256").digest(Json.bytes(required(raw(x509))));
            String kid = Base64.getUrlEncoder().withoutPadding().encodeToString(thumbprint);
            Sql.of(
                            "INSERT INTO seal_key (kid, public_key, private_key, salt_key, created_at) VALUES (?, ?, ?, ?, ?)",
                            kid,
                            x509,
                            master.seal(pair.getPrivate().getEncoded(), purpose(PRIVATE.column(), kid)),
                            master.seal(saltKey, purpose(SALT.column(), kid)),
                            clock.millis())
                    .update()
                    .in(connection);
            return kid;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
        }
    }
}
