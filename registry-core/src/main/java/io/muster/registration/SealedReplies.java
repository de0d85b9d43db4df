// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.jose.PublicJwk;
import io.muster.persistence.Database;
import io.muster.registration.RegistrationAttempt.Seal;
import io.muster.spi.SerialNumber;
import jakarta.persistence.EntityManager;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Keeps sealed replies, so that a device whose reply was lost gets the same bytes again. Only the device can open them.
 * They are given out until their credential is used, for a day at most.
 */
final class SealedReplies {

    static final Duration WINDOW = Duration.ofHours(24);

    /** A reply, and the key of the credential in it. */
    record SealedReply(String key, String jwe) {}

    private SealedReplies() {}

    /**
     * Names an attempt. Two attempts are the same if the device asks for the same thing, by the same name, for the same
     * reader.
     */
    static byte[] id(String fleet, SerialNumber serial, Seal seal, Optional<PublicJwk> offered) {
        try {
            // Only the first three parts may have any length, and none of them contains a line feed.
            String all = String.join(
                    "\n",
                    "sealed reply",
                    fleet,
                    serial.value(),
                    seal.reader().thumbprint(),
                    offered.map(PublicJwk::thumbprint).orElse(""),
                    seal.requestId());
            return MessageDigest.getInstance("SHA-256").digest(all.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    static Optional<SealedReply> find(EntityManager em, byte[] id, Instant now) {
        List<?> rows = em.createNativeQuery("SELECT access_key, body FROM sealed_reply WHERE id = ? AND expires_at > ?")
                .setParameter(1, id)
                .setParameter(2, now.toEpochMilli())
                .getResultList();
        return rows.stream()
                .map(row -> (Object[]) row)
                .map(row -> new SealedReply(String.valueOf(row[0]), Database.text(row[1])))
                .findFirst();
    }

    /** Forgets the reply to an attempt that will get another one. */
    static void drop(EntityManager em, byte[] id) {
        em.createNativeQuery("DELETE FROM sealed_reply WHERE id = ?")
                .setParameter(1, id)
                .executeUpdate();
    }

    static void keep(EntityManager em, byte[] id, SealedReply reply, Instant now) {
        em.createNativeQuery("INSERT INTO sealed_reply (id, access_key, body, expires_at) VALUES (?, ?, ?, ?)")
                .setParameter(1, id)
                .setParameter(2, reply.key())
                .setParameter(3, reply.jwe())
                .setParameter(4, now.plus(WINDOW).toEpochMilli())
                .executeUpdate();
    }
}
