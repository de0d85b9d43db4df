// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps this node's memory at most two seconds stale. A transaction that changes something that other nodes may
 * remember also writes a note with its subject. Every node polls those notes and forgets the subjects. A node whose
 * poll failed lately trusts nothing in its memory and asks the database. So a lack of news never causes a stale answer.
 * When its poll succeeds again, it forgets everything that it remembered before.
 *
 * <p>Each node numbers its notes. It publishes the number below which each of its notes is committed or never will be.
 * The others read on from there, so they miss no note, however long its transaction took and however late it became
 * visible. Publishing is a write twice a second. So a database that answers but accepts no changes is not taken for one
 * without news.
 *
 * <p>Thread-safe. {@link #poll} and {@link #settle} are each called by one thread.
 */
@Part
public final class Changes {

    /** How often to poll. Together with {@link #PATIENCE} it keeps every answer less than two seconds old. */
    public static final Duration INTERVAL = Duration.ofMillis(500);

    private static final Duration PATIENCE = Duration.ofMillis(1500);

    // A second bound, in case a note is missing. Each value gets its own lifetime, so that they do not all expire at
    // once.
    private static final Duration LONGEST_MEMORY = Duration.ofMinutes(5);
    private static final Duration SHORTEST_MEMORY = Duration.ofMinutes(4);

    // A new row has no note, and a row of another node may become visible here only after somebody asked for it.
    private static final Duration MEMORY_OF_ABSENCE = Duration.ofMillis(500);

    private static final Logger LOG = LoggerFactory.getLogger(Changes.class);

    private static final String PUBLISH = "UPDATE change_node SET low = ?, at = CURRENT_TIMESTAMP(3) WHERE id = ?";
    private static final String JOIN = "INSERT INTO change_node (id, low) VALUES (?, ?)";

    // A node that was silent for longer is read from its first note when it publishes again.
    private static final String NODES = "SELECT id, low, CURRENT_TIMESTAMP(3) FROM change_node"
            + " WHERE at > CURRENT_TIMESTAMP(3) - INTERVAL '120' SECOND";
    private static final String NOTES = "SELECT number, subject FROM change_log WHERE node = ? AND number >= ?";

    // Nodes of an earlier version date their notes and do not number them. The window is much longer than the time
    // between polls.
    private static final String UNNUMBERED = "SELECT id, subject FROM change_log WHERE node IS NULL"
            + " AND at > CURRENT_TIMESTAMP(3) - INTERVAL '30' SECOND";

    // Notes are kept longer than any transaction can take. A node that slept for longer starts over.
    private static final int CLEANED_AT_ONCE = 1000;
    private static final String OLD_NOTES =
            "DELETE FROM change_log WHERE at < CURRENT_TIMESTAMP(3) - INTERVAL '3600' SECOND LIMIT " + CLEANED_AT_ONCE;
    private static final String OLD_NODES =
            "DELETE FROM change_node WHERE at < CURRENT_TIMESTAMP(3) - INTERVAL '7200' SECOND";
    private static final int POLLS_PER_CLEANING = 600;

    /** How far this node has read another node's notes: all below low, and from there on those that are handled. */
    private static final class Reading {
        private long low;
        private final Set<Long> handled = new HashSet<>();

        Reading(long low) {
            this.low = low;
        }

        /** Returns the new subjects among the notes read. The notes are all that exist from {@link #low} on. */
        List<String> handle(Map<Long, String> notes, long nextLow) {
            List<String> subjects = new ArrayList<>();
            notes.forEach((number, subject) -> {
                if (handled.add(number)) {
                    subjects.add(subject);
                }
            });
            low = Math.max(low, nextLow);
            handled.removeIf(number -> number < low);
            return subjects;
        }
    }

    private final Database database;
    private final Clock clock;
    private final LongSupplier nanos;
    private final SecureRandom random = new SecureRandom();
    private final List<Remembered<?>> memories = new CopyOnWriteArrayList<>();

    private final long node = random.nextLong() >>> 2;
    private final Object numbering = new Object();
    private final TreeSet<Long> open = new TreeSet<>();
    private final Map<Long, String> doubtful = new TreeMap<>();
    private long next = 1;

    /** Subjects of notes, and when they were handled. */
    private record Noted(long at, List<String> subjects) {}

    private final List<Noted> recent = new ArrayList<>();

    private Map<Long, Reading> readings = new HashMap<>();
    private Set<Long> unnumbered = new HashSet<>();
    private long databaseTime;
    private int polls;
    private boolean cleaning;
    private boolean saidAway;
    private volatile Trust trust = new Trust(Long.MIN_VALUE, 0);

    /**
     * The time of the last poll, on two clocks, since each may stand still or be set. Memory is good for some time
     * after it.
     */
    private record Trust(long millis, long nanos) {}

    /** Watches the notes in the database. Until the first {@link #poll} nothing is remembered. */
    @Inject
    public Changes(Database database, @Ours Clock clock) {
        this(database, clock, System::nanoTime);
    }

    Changes(Database database, Clock clock, LongSupplier nanos) {
        this.database = database;
        this.clock = clock;
        this.nanos = nanos;
    }

    /**
     * Remembers values by subject until somebody changes the subject. That a value is missing is remembered only for a
     * moment.
     */
    public <V> Remembered<V> remember(int atMost, Function<String, Optional<V>> load) {
        Remembered<V> remembered = new Remembered<>(atMost, load);
        memories.add(remembered);
        return remembered;
    }

    /** Notes, within a transaction, that it changes the subjects. */
    public void note(EntityManager em, Collection<String> subjects) {
        for (String subject : subjects) {
            long number = begin();
            database.atEnd(known -> end(number, subject, known));
            // The id is random and not counted by the database: after a power cut, H2 may count from a lower number
            // than is in use.
            em.createNativeQuery("INSERT INTO change_log (id, node, number, subject) VALUES (?, ?, ?, ?)")
                    .setParameter(1, random.nextLong() >>> 2)
                    .setParameter(2, node)
                    .setParameter(3, number)
                    .setParameter(4, subject)
                    .executeUpdate();
        }
    }

    private long begin() {
        synchronized (numbering) {
            open.add(next);
            return next++;
        }
    }

    private void end(long number, String subject, boolean known) {
        synchronized (numbering) {
            if (known) {
                open.remove(number);
            } else {
                doubtful.put(number, subject);
            }
        }
    }

    private long low() {
        synchronized (numbering) {
            return open.isEmpty() ? next : open.first();
        }
    }

    /** Forgets the subjects on this node at once. Call it after the commit. */
    public void forget(Collection<String> subjects) {
        database.changed();
        forgetHere(subjects);
    }

    private void forgetHere(Collection<String> subjects) {
        for (Remembered<?> memory : memories) {
            memory.cache.invalidateAll(subjects);
        }
    }

    private void forgetEverything() {
        memories.forEach(Remembered::clear);
    }

    /** Looks for notes of other nodes. Never throws; a failed poll has no effect. */
    public void poll() {
        try {
            // Take the time before the queries: data may change after they read it.
            Trust started = new Trust(clock.millis(), nanos.getAsLong());
            boolean asleep = !isFresh();
            database.apart(connection -> {
                read(connection, asleep);
                return null;
            });
            trust = started;
            saidAway = false;
            cleaning |= ++polls % POLLS_PER_CLEANING == 0;
            if (cleaning) {
                cleaning = clean() == CLEANED_AT_ONCE;
            }
        } catch (RuntimeException e) {
            if (!saidAway) {
                saidAway = true;
                LOG.warn("Cannot see what other nodes changed; asking the database for everything: {}", e.getMessage());
            }
        }
    }

    private void read(Connection connection, boolean asleep) throws SQLException {
        long low = low();
        long before = System.nanoTime();
        boolean unknownHere = !publish(connection, low);
        database.committed(connection, before);
        Map<Long, Long> nodes = new HashMap<>();
        long now = nodes(connection, nodes);
        // Compare the database's own time too: the clocks of a machine that was suspended did not notice it.
        boolean gap = asleep || unknownHere || now - databaseTime >= PATIENCE.toMillis() || now < databaseTime;
        if (gap) {
            // First read the positions of the others, then clear the memory: a value loaded from now on includes
            // everything before.
            readings = new HashMap<>();
            nodes.forEach((id, theirs) -> readings.put(id, new Reading(theirs)));
            forgetEverything();
        }
        readings.keySet().retainAll(nodes.keySet());
        for (Map.Entry<Long, Long> other : nodes.entrySet()) {
            // A node that is new here is read from its first note.
            Reading reading = readings.computeIfAbsent(other.getKey(), id -> new Reading(0));
            forgetNoted(reading.handle(notes(connection, other.getKey(), reading.low), other.getValue()));
        }
        readUnnumbered(connection);
        forgetAgain();
        databaseTime = now;
    }

    /** Forgets the subjects of notes that were handled now. */
    private void forgetNoted(Collection<String> subjects) {
        forgetHere(subjects);
        if (database.usesSeveralNodes() && !subjects.isEmpty()) {
            recent.add(new Noted(System.nanoTime(), List.copyOf(subjects)));
        }
    }

    /**
     * Forgets once more what was noted lately. Another database node may have applied the change later than the one
     * that was polled, and a value may have been loaded from it meanwhile.
     */
    private void forgetAgain() {
        long now = System.nanoTime();
        recent.forEach(noted -> forgetHere(noted.subjects()));
        recent.removeIf(noted -> now - noted.at() > Cluster.LAG.toNanos());
    }

    private boolean publish(Connection connection, long low) throws SQLException {
        if (Sql.of(PUBLISH, low, node).update().in(connection) == 1) {
            return true;
        }
        Sql.of(JOIN, node, low).update().in(connection);
        return false;
    }

    private static long nodes(Connection connection, Map<Long, Long> lows) throws SQLException {
        Timestamp now = null;
        try (PreparedStatement select = connection.prepareStatement(NODES);
                ResultSet rows = select.executeQuery()) {
            while (rows.next()) {
                lows.put(rows.getLong(1), rows.getLong(2));
                now = rows.getTimestamp(3);
            }
        }
        if (now == null) {
            throw new SQLException("The row of this node is gone", "08000");
        }
        return now.getTime();
    }

    private static Map<Long, String> notes(Connection connection, long node, long from) throws SQLException {
        return rows(connection, Sql.of(NOTES, node, from));
    }

    private static Map<Long, String> rows(Connection connection, Sql select) throws SQLException {
        Map<Long, String> notes = new TreeMap<>();
        select.forEach(row -> notes.put(row.getLong(1), row.getString(2))).in(connection);
        return notes;
    }

    private void readUnnumbered(Connection connection) throws SQLException {
        Map<Long, String> notes = rows(connection, Sql.of(UNNUMBERED));
        Set<Long> ids = new HashSet<>(notes.keySet());
        notes.keySet().removeAll(unnumbered);
        forgetNoted(notes.values());
        unnumbered = ids;
    }

    /**
     * Decides notes in doubt: their connection broke at the commit, so the transaction may or may not be committed.
     * Writes the note itself. That waits for the transaction if it is still under way, and prevents its commit
     * otherwise. Never throws.
     */
    public void settle() {
        Map<Long, String> notes;
        synchronized (numbering) {
            notes = new TreeMap<>(doubtful);
        }
        notes.forEach((number, subject) -> {
            try {
                insert(number, subject);
                settled(number);
            } catch (DuplicateException e) {
                settled(number);
            } catch (RuntimeException e) {
                LOG.debug("A note is still in doubt", e);
            }
        });
    }

    private void insert(long number, String subject) {
        database.jdbc(Sql.of(
                        "INSERT INTO change_log (id, node, number, subject) VALUES (?, ?, ?, ?)",
                        random.nextLong() >>> 2,
                        node,
                        number,
                        subject)
                .update());
    }

    private void settled(long number) {
        synchronized (numbering) {
            doubtful.remove(number);
            open.remove(number);
        }
    }

    /** Deletes a few old rows with each poll, so that no poll is delayed. */
    private int clean() {
        return database.apart(connection -> {
            try (Statement delete = connection.createStatement()) {
                delete.executeUpdate(OLD_NODES);
                return delete.executeUpdate(OLD_NOTES);
            }
        });
    }

    /** Tells whether this node saw recent changes of the others, which also means that the database accepts changes. */
    public boolean isFresh() {
        Trust last = trust;
        if (last.millis() == Long.MIN_VALUE) {
            return false;
        }
        long age = clock.millis() - last.millis();
        return age >= 0 && age < PATIENCE.toMillis() && nanos.getAsLong() - last.nanos() < PATIENCE.toNanos();
    }

    /** For tests: pretends that this much of the database's time passed since the last poll. */
    void lastPollWas(Duration ago) {
        databaseTime -= ago.toMillis();
    }

    /** The longest time for which a value is remembered. */
    private final class Age implements Expiry<String, Optional<?>> {

        @Override
        public long expireAfterCreate(String subject, Optional<?> value, long now) {
            return value.isEmpty()
                    ? MEMORY_OF_ABSENCE.toNanos()
                    : random.nextLong(SHORTEST_MEMORY.toNanos(), LONGEST_MEMORY.toNanos());
        }

        @Override
        public long expireAfterUpdate(String subject, Optional<?> value, long now, long left) {
            return expireAfterCreate(subject, value, now);
        }

        @Override
        public long expireAfterRead(String subject, Optional<?> value, long now, long left) {
            return left;
        }
    }

    /** Values by subject, loaded when first asked for. */
    public final class Remembered<V> {

        private final int atMost;
        private final Function<String, Optional<V>> load;
        private volatile Cache<String, Optional<V>> cache;

        private Remembered(int atMost, Function<String, Optional<V>> load) {
            this.atMost = atMost;
            this.load = load;
            clear();
        }

        /** Begins a new memory. A value that is just being loaded for the old one does not get into it. */
        private void clear() {
            cache = Caffeine.newBuilder()
                    .maximumSize(atMost)
                    .ticker(nanos::getAsLong)
                    .<String, Optional<V>>expireAfter(new Age())
                    .build();
        }

        /** Loads a value. A value that another node stored a moment ago is found, too. */
        private Optional<V> found(String subject) {
            return database.found(() -> load.apply(subject));
        }

        /** Returns the value: from memory if it cannot have changed, else from where it is loaded. */
        public Optional<V> get(String subject) {
            // Read the field before checking that it is good: if it is replaced meanwhile, it was good then.
            Cache<String, Optional<V>> good = cache;
            if (!isFresh()) {
                return found(subject);
            }
            return good.get(subject, this::found);
        }
    }
}
