package io.muster.token;

import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.time.Clock;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Access tokens that are no longer good although they have not expired. What is remembered is which tokens of a credential were
 * revoked, and not of a token whether it was: a credential whose new tokens are checked all the time then needs no SQL for it.
 * Thread-safe.
 */
public final class RevokedTokens {

    private static final Logger LOG = LoggerFactory.getLogger(RevokedTokens.class);
    private static final int REMEMBERED = 200_000;
    private static final String SUBJECT = "tokens/";

    private final Database database;
    private final Changes changes;
    private final Clock clock;
    private final Changes.Remembered<Set<String>> byCredential;

    /** Keeps them in the database and tells other nodes of its changes. */
    public RevokedTokens(Database database, Changes changes, Clock clock) {
        this.database = database;
        this.changes = changes;
        this.clock = clock;
        this.byCredential = changes.remember(REMEMBERED, this::load);
    }

    /** Revokes a token. Effective on this node when it returns, on others within two seconds; once more changes nothing. */
    public void revoke(VerifiedToken token) {
        List<String> subject = List.of(SUBJECT + token.key());
        try {
            database.transaction(em -> {
                changes.note(em, subject);
                return em.createNativeQuery("INSERT INTO revoked_token (access_key, id, expires_at) VALUES (?, ?, ?)")
                        .setParameter(1, token.key())
                        .setParameter(2, token.id())
                        .setParameter(3, token.expiresAt().toEpochMilli())
                        .executeUpdate();
            });
        } catch (DuplicateException e) {
            LOG.debug("A token was revoked before");
        }
        changes.forget(subject);
    }

    /** Tells whether a token was revoked; at most two seconds late. */
    boolean isRevoked(VerifiedToken token) {
        return byCredential
                .get(SUBJECT + token.key())
                .filter(revoked -> revoked.contains(token.id()))
                .isPresent();
    }

    private Optional<Set<String>> load(String subject) {
        Set<String> revoked = database.query(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT id FROM revoked_token WHERE access_key = ? AND expires_at > ?")) {
                select.setString(1, subject.substring(SUBJECT.length()));
                select.setLong(2, clock.millis());
                Set<String> ids = new HashSet<>();
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        ids.add(rows.getString(1));
                    }
                }
                return ids;
            }
        });
        return Optional.of(revoked).filter(ids -> !ids.isEmpty());
    }
}
