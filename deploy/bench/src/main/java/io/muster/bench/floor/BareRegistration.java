// SPDX-License-Identifier: Apache-2.0
package io.muster.bench.floor;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Base64;
import java.util.HexFormat;

/**
 * The transaction of a registration, written by hand: look up the expected serial, insert device and credential,
 * commit. The rows are as wide, and their keys as sequential, as the registry's.
 */
public final class BareRegistration {

    private static final SecureRandom RANDOM = new SecureRandom();
    private static final long THIRTY_DAYS = 30L * 24 * 3600 * 1000;

    private BareRegistration() {}

    /**
     * The result for the device.
     *
     * @param hash of the secret
     */
    public record Registered(String deviceId, String key, String secret, byte[] hash) {}

    /**
     * Registers a serial.
     *
     * @param connection without auto-commit
     * @throws SQLException if it cannot; the transaction is then rolled back
     */
    public static Registered register(Connection connection, String serial) throws SQLException {
        boolean done = false;
        try {
            find(connection, serial);
            Registered registered = insert(connection, serial);
            connection.commit();
            done = true;
            return registered;
        } finally {
            if (!done) {
                connection.rollback();
            }
        }
    }

    private static void find(Connection connection, String serial) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT state, name, lot, tags, attributes FROM expected_serial WHERE fleet = ? AND serial = ?")) {
            select.setString(1, "default");
            select.setString(2, serial);
            try (ResultSet row = select.executeQuery()) {
                if (!row.next() || !row.getString(1).equals("E")) {
                    throw new SQLException("not an expected serial");
                }
            }
        }
    }

    private static Registered insert(Connection connection, String serial) throws SQLException {
        long now = System.currentTimeMillis();
        byte[] id = id(now);
        String key = HexFormat.of().formatHex(id(now)).substring(0, 22);
        byte[] random = new byte[32];
        RANDOM.nextBytes(random);
        String secret = Base64.getUrlEncoder().withoutPadding().encodeToString(random);
        byte[] hash = hash(secret);
        try (PreparedStatement device = connection.prepareStatement(
                "INSERT INTO device (id, fleet, serial, state, name, attributes, created_at)"
                        + " VALUES (?, 'default', ?, 'A', NULL, NULL, ?)")) {
            device.setBytes(1, id);
            device.setString(2, serial);
            device.setLong(3, now);
            device.executeUpdate();
        }
        try (PreparedStatement credential = connection.prepareStatement(
                "INSERT INTO credential (access_key, device_id, secret_hash, state, origin, created_at, expires_at, confirmed_at)"
                        + " VALUES (?, ?, ?, 'P', '127.0.0.1', ?, ?, NULL)")) {
            credential.setString(1, key);
            credential.setBytes(2, id);
            credential.setBytes(3, hash);
            credential.setLong(4, now);
            credential.setLong(5, now + THIRTY_DAYS);
            credential.executeUpdate();
        }
        return new Registered(HexFormat.of().formatHex(id), key, secret, hash);
    }

    /** Returns a UUIDv7. */
    private static byte[] id(long millis) {
        byte[] id = new byte[16];
        RANDOM.nextBytes(id);
        for (int i = 5; i >= 0; i--) {
            id[i] = (byte) millis;
            millis >>>= 8;
        }
        id[6] = (byte) ((id[6] & 0x0f) | 0x70);
        id[8] = (byte) ((id[8] & 0x3f) | 0x80);
        return id;
    }

    static byte[] hash(String secret) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.US_ASCII));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
