// SPDX-License-Identifier: Apache-2.0
package io.muster.once;

import io.muster.cdi.Part;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Sql;
import jakarta.inject.Inject;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;

/**
 * Things outside registrations that may be used once on all nodes together, such as the id of a signed request. The
 * database decides races. An entry is forgotten some time after it has expired. Thread-safe.
 */
@Part
public final class UsedOnce {

    private final Database database;

    /** Stores the used ids in the database. */
    @Inject
    public UsedOnce(Database database) {
        this.database = database;
    }

    /**
     * Returns an id that nothing else has: a hash of the parts. Nodes of every version must compute the same one.
     * Otherwise something used on one node could be used again on another.
     *
     * @param parts the kind of thing, and the values that tell it from others of its kind
     */
    public static byte[] id(String... parts) {
        try {
            MessageDigest hash = MessageDigest.getInstance("SHA-256");
            for (String part : parts) {
                byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
                // Prefix each part with its length, so that no two lists of parts are the same bytes.
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
     * @param until when it has expired anyway
     * @return false if it was used before
     */
    public boolean spend(byte[] id, Instant until) {
        try {
            return database.jdbc(Sql.of(
                                    "INSERT INTO used_once (id, fleet, serial, expires_at) VALUES (?, '', '', ?)",
                                    id,
                                    until)
                            .update())
                    == 1;
        } catch (DuplicateException e) {
            return false;
        }
    }
}
