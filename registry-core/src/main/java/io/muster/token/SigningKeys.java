// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import io.muster.audit.Audit;
import io.muster.config.MusterConfig;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.MasterKey;
import io.muster.persistence.RowLock;
import io.muster.persistence.SealedColumn;
import io.muster.persistence.Sql;
import io.muster.token.KeyRing.Term;
import jakarta.persistence.EntityManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys that sign access tokens, one after another. They live in the database, so that every node signs with the
 * same key and knows all keys, at most two seconds late. Their private halves are encrypted under the master key, and
 * destroyed when they no longer sign. Thread-safe.
 */
public final class SigningKeys {

    /** How often {@link #tend} is due. */
    public static final Duration INTERVAL = Duration.ofSeconds(10);

    /** The private halves. */
    public static final SealedColumn SEALED =
            new SealedColumn("signing_key", "private_key", List.of("kid"), row -> row.get(0));

    private static final Logger LOG = LoggerFactory.getLogger(SigningKeys.class);
    private static final String SUBJECT = "signing-keys";
    private static final List<String> SUBJECTS = List.of(SUBJECT);
    private static final String REGISTRY = "registry";
    private static final int ATTEMPTS = 5;
    private static final byte[] NOTHING = {};
    private static final RowLock ONE_AT_A_TIME = RowLock.of("signing_key_lock", "id");

    private final Database database;
    private final MasterKey master;
    private final Changes changes;
    private final Audit audit;
    private final MusterConfig.SigningKeys config;
    private final SigningAlgorithm algorithm;
    private final Duration tokenLifetime;
    private final Clock clock;
    private final Changes.Remembered<KeyRing> remembered;
    private volatile KeyRing last = new KeyRing(List.of());

    private SigningKeys(
            Database database, MasterKey master, Changes changes, Audit audit, MusterConfig config, Clock clock) {
        this.database = database;
        this.master = master;
        this.changes = changes;
        this.audit = audit;
        this.config = config.signingKeys();
        this.algorithm = SigningAlgorithm.of(config.signingKeys().algorithm());
        this.tokenLifetime = config.token().lifetime();
        this.clock = clock;
        this.remembered = changes.remember(1, subject -> Optional.of(load()));
    }

    /** The states of a key. */
    public enum State {
        /** It is published but does not sign yet. */
        NEXT,
        /** It signs. */
        SIGNING,
        /** It no longer signs, but stays published for tokens that have not expired. */
        RETIRING;

        /** Returns the word for the wire. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * A key as operators see it.
     *
     * @param algorithm its name in the header of a token
     * @param createdAt when it was published
     * @param notBefore when it begins to sign
     * @param notAfter when the next one begins to sign, if there is a next one
     * @param publishedUntil when it is removed, if there is a next one
     */
    public record Entry(
            String kid,
            String algorithm,
            State state,
            Instant createdAt,
            Instant notBefore,
            Optional<Instant> notAfter,
            Optional<Instant> publishedUntil) {}

    /** The newest key as the transaction that adds one sees it; generation 0 if there is none. */
    private record Newest(int generation, String algorithm, Instant notBefore) {}

    /**
     * Reads the keys. Makes the first one if the database has none, and the next one if another algorithm is
     * configured.
     */
    public static SigningKeys open(
            Database database, MasterKey master, Changes changes, Audit audit, MusterConfig config, Clock clock) {
        SigningKeys keys = new SigningKeys(database, master, changes, audit, config, clock);
        Optional<Term> newest = keys.load().newest();
        if (newest.isEmpty()) {
            keys.add(
                    there -> there.generation() == 0 ? Optional.of(keys.now()) : Optional.empty(),
                    REGISTRY,
                    "the first");
        } else if (newest.get().key().algorithm() != keys.algorithm) {
            keys.add(keys::atAnotherAlgorithm, REGISTRY, "another algorithm is configured");
        }
        keys.tend();
        return keys;
    }

    // Returns the time in the precision of the database.
    private Instant now() {
        return Instant.ofEpochMilli(clock.millis());
    }

    private KeyRing load() {
        List<Term> terms = database.jdbc(
                Sql.of("SELECT generation, kid, algorithm, public_key, private_key, created_at, not_before,"
                                + " token_lifetime FROM signing_key ORDER BY generation")
                        .list(row -> new Term(
                                row.getInt(1),
                                key(row),
                                Instant.ofEpochMilli(row.getLong(6)),
                                Instant.ofEpochMilli(row.getLong(7)),
                                Duration.ofMillis(row.getLong(8)))));
        KeyRing ring = new KeyRing(terms);
        last = ring;
        return ring;
    }

    private SigningKey key(ResultSet row) throws SQLException {
        String kid = row.getString(2);
        // The seal covers the key's id even if the private half is destroyed: nobody without the master key can add a
        // public half.
        byte[] secret = master.open(row.getBytes(5), kid);
        SigningKey key = SigningKey.read(SigningAlgorithm.ofStored(row.getString(3)), row.getBytes(4), secret);
        if (!key.kid().equals(kid)) {
            throw new IllegalStateException("the signing key " + kid + " is not the one it says it is");
        }
        return key;
    }

    private KeyRing ring() {
        return remembered.get(SUBJECT).orElseThrow();
    }

    /** Returns the key that signs now. */
    SigningKey current() {
        return ring().signing(clock.instant()).key();
    }

    /** Returns the key of this id, if tokens that it signed are good. */
    Optional<SigningKey> find(String kid) {
        return ring().find(kid);
    }

    /**
     * Returns the public halves as a JWK set (RFC 7517 section 5). Others may cache it for
     * {@link MusterConfig.SigningKeys#MAX_AGE}. Answers from memory while the database is unreachable.
     */
    public Map<String, Object> publicKeys() {
        KeyRing ring;
        try {
            ring = ring();
        } catch (DatabaseUnavailableException e) {
            ring = last;
        }
        return Map.of(
                "keys", ring.terms().stream().map(term -> term.key().jwk()).toList());
    }

    /** Lists the published keys, the oldest first. */
    public List<Entry> list() {
        KeyRing ring = ring();
        int signing = ring.signing(clock.instant()).generation();
        return ring.terms().stream()
                .map(term -> new Entry(
                        term.key().kid(),
                        term.key().algorithm().word(),
                        state(term.generation() - signing),
                        term.createdAt(),
                        term.notBefore(),
                        ring.end(term),
                        ring.publishedUntil(term)))
                .toList();
    }

    private static State state(int after) {
        if (after == 0) {
            return State.SIGNING;
        }
        return after > 0 ? State.NEXT : State.RETIRING;
    }

    /**
     * Publishes the next key now. It signs when others have had the time to see it. If a next key is published already,
     * nothing changes.
     *
     * @param by the name of the operator
     */
    public void rotate(Optional<String> reason, String by) {
        add(this::onRequest, by, reason.orElse("on request"));
    }

    /**
     * Makes a key that signs at once, and drops every other. Tokens of the dropped keys are no longer good: on this
     * node when it returns, on others within two seconds, and elsewhere when the published keys are fetched again.
     *
     * @param by the name of the operator
     */
    public void replaceAll(Optional<String> reason, String by) {
        for (int attempt = 1; ; attempt++) {
            try {
                replace(reason.orElse("on request"), by);
                return;
            } catch (DuplicateException e) {
                // In a cluster two nodes can hold the lock, and only one of them commits. The key that it added must be
                // dropped too.
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private void replace(String reason, String by) {
        SigningKey key = SigningKey.generate(algorithm);
        int dropped = database.transaction(em -> {
            Newest newest = lock(em);
            int rows = em.createNativeQuery("DELETE FROM signing_key").executeUpdate();
            insert(em, newest.generation() + 1, key, now());
            audit.record(em, Audit.Type.SIGNING_KEYS_REPLACED, null, null, null, by, key.kid() + ": " + reason);
            changes.note(em, SUBJECTS);
            return rows;
        });
        changes.forget(SUBJECTS);
        LOG.warn("Signing key {} signs at once, by order of {}; {} others are dropped", key.kid(), by, dropped);
    }

    /**
     * Does what is due: makes the next key, destroys private halves that no longer sign, and removes keys whose tokens
     * have expired. Any node may be first. Never throws.
     */
    public void tend() {
        try {
            KeyRing ring = ring();
            Optional<Instant> due = ring.newest().map(Term::notBefore).flatMap(this::bySchedule);
            if (due.isPresent()) {
                add(newest -> bySchedule(newest.notBefore()), REGISTRY, "by schedule");
            }
            ring.terms().forEach(term -> tend(ring, term));
        } catch (RuntimeException e) {
            LOG.warn("Signing keys could not be tended, the next attempt is in {}: {}", INTERVAL, e.getMessage());
        }
    }

    private void tend(KeyRing ring, Term term) {
        String kid = term.key().kid();
        if (isOver(ring.publishedUntil(term))) {
            change("DELETE FROM signing_key WHERE kid = ?", kid);
            LOG.info("Signing key {} is removed; every token that it signed has expired", kid);
        } else if (term.key().canSign() && isOver(ring.secretUntil(term))) {
            change("UPDATE signing_key SET private_key = ? WHERE kid = ?", master.seal(NOTHING, kid), kid);
        } else if (term.key().canSign() && term.tokenLifetime().compareTo(tokenLifetime) < 0) {
            long millis = tokenLifetime.toMillis();
            change(
                    "UPDATE signing_key SET token_lifetime = ? WHERE token_lifetime < ? AND kid = ?",
                    millis,
                    millis,
                    kid);
        }
    }

    private boolean isOver(Optional<Instant> end) {
        return end.isPresent() && !clock.instant().isBefore(end.get());
    }

    private void change(String statement, Object... arguments) {
        database.transaction(em -> {
            var query = em.createNativeQuery(statement);
            for (int i = 0; i < arguments.length; i++) {
                query.setParameter(i + 1, arguments[i]);
            }
            query.executeUpdate();
            changes.note(em, SUBJECTS);
            return null;
        });
        changes.forget(SUBJECTS);
    }

    /** Returns when the successor of a key must begin, if it must be published now. */
    private Optional<Instant> bySchedule(Instant notBefore) {
        Instant planned = notBefore.plus(config.rotation());
        Instant earliest = now().plus(config.publishAhead());
        return earliest.isBefore(planned) ? Optional.empty() : Optional.of(earliest);
    }

    private Optional<Instant> onRequest(Newest newest) {
        return newest.notBefore().isAfter(now()) ? Optional.empty() : Optional.of(now().plus(config.publishAhead()));
    }

    private Optional<Instant> atAnotherAlgorithm(Newest newest) {
        Instant earliest = now().plus(config.publishAhead());
        return newest.algorithm().equals(algorithm.word())
                ? Optional.empty()
                : Optional.of(earliest.isAfter(newest.notBefore()) ? earliest : newest.notBefore());
    }

    /**
     * Adds a key, unless another node did.
     *
     * @param begin when it begins to sign, after the newest there is; empty if there is to be none
     */
    private void add(Function<Newest, Optional<Instant>> begin, String by, String reason) {
        SigningKey key = SigningKey.generate(algorithm);
        try {
            database.<Optional<Instant>>transaction(em -> {
                        Newest newest = lock(em);
                        Optional<Instant> notBefore = begin.apply(newest);
                        if (notBefore.isPresent()) {
                            insert(em, newest.generation() + 1, key, notBefore.get());
                            audit.record(
                                    em,
                                    Audit.Type.SIGNING_KEY_CREATED,
                                    null,
                                    null,
                                    null,
                                    by,
                                    key.kid() + ": " + reason);
                            changes.note(em, SUBJECTS);
                        }
                        return notBefore;
                    })
                    .ifPresent(
                            at -> LOG.info("Signing key {} is published and signs from {}: {}", key.kid(), at, reason));
        } catch (DuplicateException e) {
            LOG.info("Another node made the next signing key");
        }
        changes.forget(SUBJECTS);
    }

    /** Keeps others from adding or replacing keys until the end of the transaction. */
    private static Newest lock(EntityManager em) {
        ONE_AT_A_TIME.take(em, 1);
        List<?> newest = em.createNativeQuery(
                        "SELECT generation, algorithm, not_before FROM signing_key ORDER BY generation DESC LIMIT 1")
                .getResultList();
        if (newest.isEmpty()) {
            return new Newest(0, "", Instant.EPOCH);
        }
        Object[] row = (Object[]) newest.get(0);
        return new Newest(
                ((Number) row[0]).intValue(),
                String.valueOf(row[1]),
                Instant.ofEpochMilli(((Number) row[2]).longValue()));
    }

    private void insert(EntityManager em, int generation, SigningKey key, Instant notBefore) {
        em.createNativeQuery("INSERT INTO signing_key (generation, kid, algorithm, public_key, private_key, created_at,"
                        + " not_before, token_lifetime) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
                .setParameter(1, generation)
                .setParameter(2, key.kid())
                .setParameter(3, key.algorithm().word())
                .setParameter(4, key.pair().getPublic().getEncoded())
                .setParameter(5, master.seal(key.pair().getPrivate().getEncoded(), key.kid()))
                .setParameter(6, clock.millis())
                .setParameter(7, notBefore.toEpochMilli())
                .setParameter(8, tokenLifetime.toMillis())
                .executeUpdate();
    }
}
