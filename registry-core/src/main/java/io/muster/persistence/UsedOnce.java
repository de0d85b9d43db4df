package io.muster.persistence;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.PreparedStatement;
import java.time.Instant;

/**
 * What may be used once on all nodes together and is no part of a registration, such as the id of a signed request; the database
 * decides races. What is stored is forgotten some time after it could not be used anyway. Thread-safe.
 */
public final class UsedOnce {

    private final Database database;

    /** Keeps what was used in the database. */
    public UsedOnce(Database database) {
        this.database = database;
    }

    /**
     * Returns an id that nothing else has: a hash of the parts. Nodes of every version must agree about it, or what was used on one
     * may be used again on another.
     *
     * @param parts what kind of thing it is, and what tells it from others of its kind
     */
    public static byte[] id(String... parts) {
        try {
            MessageDigest hash = MessageDigest.getInstance("SHA-256");
            for (String part : parts) {
                byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
                // The length before each, so that no two lists of parts are the same bytes.
                hash.update(
                        ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
                hash.update(bytes);
            }
            return hash.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /**
     * Uses something up.
     *
     * @param id 32 bytes that nothing else has
     * @param until when it could not be used anyway
     * @return false if it was used before
     */
    public boolean spend(byte[] id, Instant until) {
        try {
            return database.query(connection -> {
                try (PreparedStatement insert = connection.prepareStatement(
                        "INSERT INTO used_once (id, fleet, serial, expires_at) VALUES (?, '', '', ?)")) {
                    insert.setBytes(1, id);
                    insert.setLong(2, until.toEpochMilli());
                    return insert.executeUpdate() == 1;
                }
            });
        } catch (DuplicateException e) {
            return false;
        }
    }
}
