package io.muster.persistence;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import jakarta.persistence.EntityManager;
import java.security.SecureRandom;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what this node remembers no staler than two seconds. Whoever changes something that other nodes may remember notes its
 * subject in the same transaction; every node polls those notes and forgets the subjects. A node that could not poll lately
 * trusts nothing that it remembers and asks the database, so nothing stale is ever served for lack of news.
 *
 * <p>Thread-safe. {@link #poll} is called by one thread.
 */
public final class Changes {

    /** How often to poll; with {@link #PATIENCE} it keeps every answer below two seconds of age. */
    public static final Duration INTERVAL = Duration.ofMillis(500);

    private static final Duration PATIENCE = Duration.ofMillis(1500);
    private static final Logger LOG = LoggerFactory.getLogger(Changes.class);

    // The window overlaps the last poll by far: a note is dated when it is written and seen when it is committed.
    private static final String RECENT =
            "SELECT id, subject FROM change_log WHERE at > CURRENT_TIMESTAMP(3) - INTERVAL '30' SECOND";
    private static final String OLD = "DELETE FROM change_log WHERE at < CURRENT_TIMESTAMP(3) - INTERVAL '3600' SECOND";
    private static final int POLLS_PER_CLEANING = 600;

    private final Database database;
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();
    private final List<Cache<String, ?>> caches = new CopyOnWriteArrayList<>();
    private Set<Long> handled = new HashSet<>();
    private int polls;
    private volatile long polledAt = Long.MIN_VALUE;

    /** Watches the notes in the database. Until the first {@link #poll} nothing is remembered. */
    public Changes(Database database, Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    /** Remembers values by subject for as long as nobody changed the subject. Absence is remembered too. */
    public <V> Remembered<V> remember(int atMost, Function<String, Optional<V>> load) {
        Cache<String, Optional<V>> cache =
                Caffeine.newBuilder().maximumSize(atMost).build();
        caches.add(cache);
        return new Remembered<>(cache, load);
    }

    /** Notes within a transaction that the subjects change with it. */
    public void note(EntityManager em, Collection<String> subjects) {
        for (String subject : subjects) {
            // Not what the database counts: after a power cut H2 may count less than there is.
            em.createNativeQuery("INSERT INTO change_log (id, subject) VALUES (?, ?)")
                    .setParameter(1, random.nextLong() >>> 2)
                    .setParameter(2, subject)
                    .executeUpdate();
        }
    }

    /** Forgets the subjects on this node at once; to be called after the commit. */
    public void forget(Collection<String> subjects) {
        for (Cache<String, ?> cache : caches) {
            cache.invalidateAll(subjects);
        }
    }

    /** Looks for notes of other nodes. Never throws; a poll that failed is one that did not happen. */
    public void poll() {
        try {
            // Taken before the query: what it did not see may have changed since.
            long started = clock.millis();
            Map<Long, String> recent = database.query(connection -> {
                Map<Long, String> notes = new TreeMap<>();
                try (PreparedStatement select = connection.prepareStatement(RECENT);
                        ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        notes.put(rows.getLong(1), rows.getString(2));
                    }
                }
                return notes;
            });
            List<String> subjects = new ArrayList<>();
            recent.forEach((id, subject) -> {
                if (!handled.contains(id)) {
                    subjects.add(subject);
                }
            });
            forget(subjects);
            handled = new HashSet<>(recent.keySet());
            polledAt = started;
            if (++polls % POLLS_PER_CLEANING == 0) {
                clean();
            }
        } catch (RuntimeException e) {
            LOG.warn("Cannot see what other nodes changed; asking the database for everything: {}", e.getMessage());
        }
    }

    private void clean() {
        database.query(connection -> {
            try (Statement delete = connection.createStatement()) {
                return delete.executeUpdate(OLD);
            }
        });
    }

    private boolean isFresh() {
        long age = clock.millis() - polledAt;
        return polledAt != Long.MIN_VALUE && age >= 0 && age < PATIENCE.toMillis();
    }

    /** Values by subject, loaded when first asked for. */
    public final class Remembered<V> {

        private final Cache<String, Optional<V>> cache;
        private final Function<String, Optional<V>> load;

        private Remembered(Cache<String, Optional<V>> cache, Function<String, Optional<V>> load) {
            this.cache = cache;
            this.load = load;
        }

        /** Returns the value, from memory if nothing can have changed it, else from where it is loaded. */
        public Optional<V> get(String subject) {
            if (!isFresh()) {
                cache.invalidate(subject);
                return load.apply(subject);
            }
            return cache.get(subject, load);
        }
    }
}
