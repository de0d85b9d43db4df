// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Sql;
import jakarta.inject.Inject;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Access tokens that were revoked before they expired. The memory holds the revoked tokens of each credential, and not
 * the state of each token. So new tokens of a credential need no further SQL. Thread-safe.
 */
@Part
public final class RevokedTokens {

    private static final Logger LOG = LoggerFactory.getLogger(RevokedTokens.class);
    private static final int REMEMBERED = 200_000;
    private static final String SUBJECT = "tokens/";

    private final Database database;
    private final Changes changes;
    private final Clock clock;
    private final Changes.Remembered<Set<String>> byCredential;

    /** Keeps them in the database, and tells other nodes of changes. */
    @Inject
    public RevokedTokens(Database database, Changes changes, @Ours Clock clock) {
        this.database = database;
        this.changes = changes;
        this.clock = clock;
        this.byCredential = changes.remember(REMEMBERED, this::load);
    }

    /**
     * Revokes a token. Effective on this node when it returns, on others within two seconds. Revoking it again changes
     * nothing.
     */
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
        List<String> revoked = database.jdbc(Sql.of(
                        "SELECT id FROM revoked_token WHERE access_key = ? AND expires_at > ?",
                        subject.substring(SUBJECT.length()),
                        clock.millis())
                .list(row -> row.getString(1)));
        // An empty set is an answer too, and is remembered until a note arrives.
        return Optional.of(Set.copyOf(revoked));
    }
}
