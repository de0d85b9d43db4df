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
 * Replies that are kept, sealed, so that a device whose reply got lost is given the same bytes again. Only the device can open them;
 * they are given out until the credential in them was used, for a day at the most.
 */
final class SealedReplies {

    static final Duration WINDOW = Duration.ofHours(24);

    /** A reply with the key of the credential in it. */
    record Kept(String key, String jwe) {}

    private SealedReplies() {}

    /** Names an attempt: two are the same if the device asks for the same thing, by the same name, to the same reader. */
    static byte[] id(String fleet, SerialNumber serial, Seal seal, Optional<PublicJwk> offered) {
        try {
            // Of the parts only the first three may have any length, and none of them has a line feed.
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

    static Optional<Kept> find(EntityManager em, byte[] id, Instant now) {
        List<?> rows = em.createNativeQuery("SELECT access_key, body FROM sealed_reply WHERE id = ? AND expires_at > ?")
                .setParameter(1, id)
                .setParameter(2, now.toEpochMilli())
                .getResultList();
        return rows.stream()
                .map(row -> (Object[]) row)
                .map(row -> new Kept(String.valueOf(row[0]), Database.text(row[1])))
                .findFirst();
    }

    /** Forgets the reply to an attempt that is about to get another one. */
    static void drop(EntityManager em, byte[] id) {
        em.createNativeQuery("DELETE FROM sealed_reply WHERE id = ?")
                .setParameter(1, id)
                .executeUpdate();
    }

    static void keep(EntityManager em, byte[] id, Kept reply, Instant now) {
        em.createNativeQuery("INSERT INTO sealed_reply (id, access_key, body, expires_at) VALUES (?, ?, ?, ?)")
                .setParameter(1, id)
                .setParameter(2, reply.key())
                .setParameter(3, reply.jwe())
                .setParameter(4, now.plus(WINDOW).toEpochMilli())
                .executeUpdate();
    }
}
