// SPDX-License-Identifier: Apache-2.0
package io.muster.record;

import io.muster.audit.AuditEvent;
import io.muster.cdi.Part;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Reads events in the order of their seals. That order is the same on every node and never changes: nothing appears
 * before a place that was read, however late a transaction is committed. The newest events are remembered, so that many
 * who follow them read them once. Thread-safe.
 */
@Part
public final class SealedEvents {

    /** How many events {@link #after} reads at most. */
    public static final int PAGE = 500;

    private static final int REMEMBERED = 2000;
    private static final Pattern WORD = Pattern.compile("(\\d{1,18})(?:-([0-9a-f]{32}))?");
    private static final String EVENTS = "SELECT s.seal, s.place, " + AuditEvent.COLUMNS.replaceAll("(\\w+)", "e.$1")
            // An outer join, so that the index of seals is read and nothing is sorted.
            + " FROM sealed_event s USE INDEX (sealed_event_seal) LEFT JOIN audit_event e ON e.id = s.id"
            + " WHERE s.seal >= ? AND (s.seal > ? OR s.place > ?) AND s.seal <= ? ORDER BY s.seal, s.place LIMIT ?";

    private final Database database;
    private Page newest;

    /** A place in the order. */
    public record Place(long seal, int place) implements Comparable<Place> {

        /** Returns the end of a seal. */
        public static Place behind(long seal) {
            return new Place(seal, Integer.MAX_VALUE);
        }

        @Override
        public int compareTo(Place other) {
            return seal == other.seal ? Integer.compare(place, other.place) : Long.compare(seal, other.seal);
        }
    }

    /** An event and its place. */
    public record Placed(Place place, AuditEvent event) {

        /** Returns a word for the place, which tells nothing of other events in the seal. */
        public String word() {
            return place.seal() + "-" + event.id();
        }
    }

    /**
     * Some events.
     *
     * @param after they are all that are behind this place
     * @param end and not behind this one
     */
    public record Page(Place after, List<Placed> events, Place end) {

        /** Tells whether there may be more events behind its end already. */
        public boolean hasMore() {
            return end.place() != Integer.MAX_VALUE;
        }
    }

    @Inject
    SealedEvents(Database database) {
        this.database = database;
    }

    /** Returns the place behind all events that are sealed now. */
    public Place end() {
        return Place.behind(head());
    }

    private long head() {
        return database.forOperators()
                .jdbc(Sql.of("SELECT seals FROM seal_head WHERE id = 1").first(row -> row.getLong(1)))
                .orElse(0L);
    }

    /** Returns the place of a word: of an event, or of the end of a seal. Empty if it is none. */
    public Optional<Place> place(String word) {
        var parts = WORD.matcher(word);
        if (!parts.matches()) {
            return Optional.empty();
        }
        long seal = Long.parseLong(parts.group(1));
        return parts.group(2) == null
                ? Optional.of(Place.behind(seal))
                : database.forOperators()
                        .jdbc(Sql.of(
                                        "SELECT place FROM sealed_event WHERE id = ? AND seal = ?",
                                        Ids.bytes(parts.group(2)),
                                        seal)
                                .first(row -> new Place(seal, row.getInt(1))));
    }

    /** Reads what was sealed since the last call, once for all who follow the newest events. */
    public synchronized void refresh() {
        if (newest == null) {
            Place end = end();
            newest = new Page(end, List.of(), end);
            return;
        }
        Page more = read(newest.end());
        List<Placed> all = new ArrayList<>(newest.events());
        all.addAll(more.events());
        int gone = Math.max(0, all.size() - REMEMBERED);
        newest = new Page(
                gone == 0 ? newest.after() : all.get(gone - 1).place(),
                List.copyOf(all.subList(gone, all.size())),
                more.end());
    }

    /** Forgets the newest events, while nobody follows them. */
    public synchronized void forget() {
        newest = null;
    }

    /** Returns the next events behind a place. They come from memory if it has them. */
    public Page after(Place place) {
        Page known;
        synchronized (this) {
            known = newest;
        }
        if (known == null || place.compareTo(known.after()) < 0) {
            return read(place);
        }
        List<Placed> events = known.events().stream()
                .filter(one -> one.place().compareTo(place) > 0)
                .limit(PAGE)
                .toList();
        return page(place, events, known.end());
    }

    private Page read(Place after) {
        // First: a seal that is stored meanwhile is read the next time.
        long head = head();
        List<Placed> rows = database.forOperators()
                .jdbc(Sql.of(EVENTS, after.seal(), after.seal(), after.place(), head, PAGE)
                        .list(row -> new Placed(
                                new Place(row.getLong(1), row.getInt(2)),
                                row.getBytes(3) == null ? null : AuditEvent.of(row, 3))));
        return page(after, rows, Place.behind(head));
    }

    private static Page page(Place after, List<Placed> events, Place end) {
        Place last = events.size() == PAGE ? events.get(PAGE - 1).place() : end;
        // Events may have been deleted from the database by hand.
        List<Placed> there = events.stream().filter(one -> one.event() != null).toList();
        return new Page(after, there, last.compareTo(after) < 0 ? after : last);
    }
}
