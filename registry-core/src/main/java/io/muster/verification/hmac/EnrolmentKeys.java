// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.hmac;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.persistence.IndexRange;
import io.muster.persistence.MasterKey;
import io.muster.persistence.SealedColumn;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The enrolment keys of fleets, from which a factory derives the evidence of each device. A key is shown when it is
 * made and never again. In the database it is encrypted under the master key, for its id and fleet only. Keys are never
 * deleted, because devices keep the id of theirs. Thread-safe.
 */
@Part
public final class EnrolmentKeys {

    /** The shortest key that may be imported, in bytes. */
    public static final int SHORTEST = 16;
    /** The longest key that may be imported, in bytes. */
    public static final int LONGEST = 128;
    /**
     * How many keys of a fleet may be neither revoked nor expired. Evidence that names no key is tried with each of
     * them.
     */
    public static final int MAX_LIVE = 256;

    /** The keys. */
    public static final SealedColumn SEALED = new SealedColumn(
            "enrolment_key", "sealed_key", List.of("fleet", "id"), row -> purpose(row.get(0), row.get(1)));

    private static final int BYTES = 64;
    private static final int LONGEST_TEXT = 176;
    private static final int FLEETS = 10_000;
    private static final String SUBJECT = "enrolment-keys:";
    private static final String COLUMNS =
            "SELECT id, fleet, not_before, not_after, max_uses, uses, revoked_at, created_at,"
                    + " sealed_key FROM enrolment_key";
    private static final String SELECT = COLUMNS + " WHERE fleet = ?";
    private static final IndexRange BY_ID = IndexRange.of("fleet", "id");
    private static final String LIST = COLUMNS + " USE INDEX (enrolment_key_fleet) WHERE " + BY_ID.sql();
    private static final String IS_LIVE = " AND revoked_at IS NULL AND (not_after IS NULL OR not_after >= ?)";
    private static final String IS_DEAD = " AND (revoked_at IS NOT NULL OR not_after < ?)";
    private static final String ALGORITHM = "HmacSHA256";

    /**
     * A key to be made.
     *
     * @param fleet the fleet whose devices it enrols, which exists
     * @param id its id, or empty for one of ours
     * @param key the key, or empty for one of ours
     * @param notBefore when it begins to be good
     * @param notAfter the last instant it is good
     * @param maxUses how many devices it may create
     */
    public record Draft(
            String fleet,
            Optional<String> id,
            Optional<byte[]> key,
            Optional<Instant> notBefore,
            Optional<Instant> notAfter,
            OptionalLong maxUses) {}

    /**
     * A new key.
     *
     * @param key its data
     * @param secret the key itself in base64; shown this once
     */
    public record Created(EnrolmentKey key, String secret) {

        /** Hides the key. */
        @Override
        public String toString() {
            return "Created[" + key + "]";
        }
    }

    /** A key that checks evidence, and does not show itself. */
    static final class Checker {

        private final EnrolmentKey key;
        private final SecretKeySpec secret;

        private Checker(EnrolmentKey key, byte[] secret) {
            this.key = key;
            this.secret = new SecretKeySpec(secret, ALGORITHM);
        }

        EnrolmentKey key() {
            return key;
        }

        /** Tells, in constant time, whether the evidence is the HMAC-SHA256 of the message under this key. */
        boolean proves(byte[] message, byte[] evidence) {
            try {
                Mac mac = Mac.getInstance(ALGORITHM);
                mac.init(secret);
                return MessageDigest.isEqual(mac.doFinal(message), evidence);
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("every Java platform has HmacSHA256", e);
            }
        }
    }

    private final Database database;
    private final MasterKey master;
    private final Changes changes;
    private final Audit audit;
    private final Ids ids;
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();
    private final Changes.Remembered<List<Checker>> byFleet;

    /** Keeps keys in the database, encrypted under the master key. */
    @Inject
    public EnrolmentKeys(
            Database database, MasterKey master, Changes changes, Audit audit, Ids ids, @Ours Clock clock) {
        this.database = database;
        this.master = master;
        this.changes = changes;
        this.audit = audit;
        this.ids = ids;
        this.clock = clock;
        this.byFleet = changes.remember(FLEETS, subject -> Optional.of(load(subject.substring(SUBJECT.length()))));
    }

    /**
     * Reads a key to be imported: 16 to 128 bytes in base64, of either alphabet, with padding or without; else empty.
     */
    public static Optional<byte[]> parse(String base64) {
        return Base64Text.decode(base64, LONGEST_TEXT).filter(key -> key.length >= SHORTEST && key.length <= LONGEST);
    }

    /**
     * Makes or imports a key. It is good on this node when it returns, on others within two seconds.
     *
     * @param by the name of the operator who makes it
     * @throws RegistryException {@code CONFLICT} if the id is taken, or the fleet has {@link #MAX_LIVE} live keys
     */
    public Created create(Draft draft, String by) {
        byte[] secret = draft.key().map(byte[]::clone).orElseGet(this::generate);
        // The precision of the database.
        Instant now = Instant.ofEpochMilli(clock.millis());
        EnrolmentKey key = new EnrolmentKey(
                draft.id().orElseGet(ids::nextKey),
                draft.fleet(),
                draft.notBefore(),
                draft.notAfter(),
                draft.maxUses(),
                0,
                Optional.empty(),
                now);
        byte[] sealed = master.seal(secret, purpose(key));
        List<String> subjects = List.of(SUBJECT + key.fleet());
        try {
            database.transaction(em -> {
                requireRoom(em, key.fleet(), now);
                insert(em, key, sealed);
                audit.record(em, Audit.Type.ENROLMENT_KEY_CREATED, key.fleet(), null, null, by, key.id());
                changes.note(em, subjects);
                return null;
            });
        } catch (DuplicateException e) {
            throw RegistryException.withDetail(ProblemType.CONFLICT, "the id is taken");
        }
        changes.forget(subjects);
        return new Created(key, Base64.getEncoder().encodeToString(secret));
    }

    private byte[] generate() {
        byte[] key = new byte[BYTES];
        random.nextBytes(key);
        return key;
    }

    // Names and ids have no colon. Anybody who can write to the database but has no master key cannot move a key.
    private static String purpose(EnrolmentKey key) {
        return purpose(key.fleet(), key.id());
    }

    private static String purpose(String fleet, String id) {
        return "enrolment-key:" + fleet + ":" + id;
    }

    private static void requireRoom(EntityManager em, String fleet, Instant now) {
        Number live = (Number) em.createNativeQuery("SELECT COUNT(*) FROM enrolment_key WHERE fleet = ?" + IS_LIVE)
                .setParameter(1, fleet)
                .setParameter(2, now.toEpochMilli())
                .getSingleResult();
        if (live.longValue() >= MAX_LIVE) {
            throw RegistryException.withDetail(
                    ProblemType.CONFLICT,
                    "the fleet has " + MAX_LIVE + " keys that are neither revoked nor expired; revoke some");
        }
    }

    private static void insert(EntityManager em, EnrolmentKey key, byte[] sealed) {
        em.createNativeQuery("INSERT INTO enrolment_key"
                        + " (id, fleet, sealed_key, not_before, not_after, max_uses, uses, created_at)"
                        + " VALUES (?, ?, ?, ?, ?, ?, 0, ?)")
                .setParameter(1, key.id())
                .setParameter(2, key.fleet())
                .setParameter(3, sealed)
                .setParameter(4, key.notBefore().map(Instant::toEpochMilli).orElse(null))
                .setParameter(5, key.notAfter().map(Instant::toEpochMilli).orElse(null))
                .setParameter(6, key.maxUses().isPresent() ? key.maxUses().getAsLong() : null)
                .setParameter(7, key.createdAt().toEpochMilli())
                .executeUpdate();
    }

    /**
     * Revokes a key. It enrols no further device: on this node when it returns, on others within two seconds. Devices
     * that it enrolled stay. Revoking it again changes nothing.
     *
     * @param by the name of the operator who revokes it
     * @return the revoked key; empty if the fleet has none of this id
     */
    public Optional<EnrolmentKey> revoke(String fleet, String id, String by) {
        Optional<EnrolmentKey> key = find(fleet, id);
        if (key.isEmpty() || key.get().revokedAt().isPresent()) {
            return key;
        }
        List<String> subjects = List.of(SUBJECT + fleet);
        Instant now = Instant.ofEpochMilli(clock.millis());
        database.transaction(em -> {
            int rows = em.createNativeQuery(
                            "UPDATE enrolment_key SET revoked_at = ? WHERE id = ? AND fleet = ? AND revoked_at IS NULL")
                    .setParameter(1, now.toEpochMilli())
                    .setParameter(2, id)
                    .setParameter(3, fleet)
                    .executeUpdate();
            if (rows > 0) {
                audit.record(em, Audit.Type.ENROLMENT_KEY_REVOKED, fleet, null, null, by, id);
                changes.note(em, subjects);
            }
            return null;
        });
        changes.forget(subjects);
        // Do not read it again: a completed revocation must not be answered as a failure.
        return key.map(revoked -> revoked.revoked(now));
    }

    /** Returns the fleet's key of this id, or empty. */
    public Optional<EnrolmentKey> find(String fleet, String id) {
        return database.jdbc(Sql.of(SELECT + " AND id = ?", fleet, id).first(EnrolmentKeys::key));
    }

    /**
     * Lists the fleet's keys of every state, in the order of their ids.
     *
     * @param after the last id of the page before; empty for the first page
     * @param atMost how many
     */
    public List<EnrolmentKey> list(String fleet, Optional<String> after, int atMost) {
        return database.forOperators()
                .jdbc(Sql.of(LIST, BY_ID.values(List.of(fleet), after.orElse(""), atMost))
                        .list(EnrolmentKeys::key));
    }

    /** Returns the state of a key now. */
    public EnrolmentKey.State state(EnrolmentKey key) {
        return key.state(clock.instant());
    }

    /**
     * Returns the keys that can check evidence of the fleet, at most two seconds old, except for {@code uses}, which is
     * not updated. They are every live key, oldest first, and then as many of the others, so that a refusal can say
     * why.
     */
    List<Checker> checkers(String fleet) {
        return byFleet.get(SUBJECT + fleet).orElseGet(List::of);
    }

    private List<Checker> load(String fleet) {
        return database.jdbc(connection -> {
            List<Checker> checkers = new ArrayList<>();
            for (String which : List.of(
                    // Twice the limit: two operators who make keys at the same time may both succeed.
                    IS_LIVE + " ORDER BY created_at, id LIMIT " + 2 * MAX_LIVE,
                    IS_DEAD + " ORDER BY created_at DESC, id LIMIT " + MAX_LIVE)) {
                checkers.addAll(Sql.of(SELECT + which, fleet, clock.millis())
                        .list(this::checker)
                        .in(connection));
            }
            return List.copyOf(checkers);
        });
    }

    private Checker checker(ResultSet row) throws SQLException {
        EnrolmentKey key = key(row);
        return new Checker(key, master.open(row.getBytes(9), purpose(key)));
    }

    private static EnrolmentKey key(ResultSet row) throws SQLException {
        Optional<Long> maxUses = Sql.number(row, 5);
        return new EnrolmentKey(
                row.getString(1),
                row.getString(2),
                Sql.time(row, 3),
                Sql.time(row, 4),
                maxUses.map(OptionalLong::of).orElseGet(OptionalLong::empty),
                row.getLong(6),
                Sql.time(row, 7),
                Instant.ofEpochMilli(row.getLong(8)));
    }
}
