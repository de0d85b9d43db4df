// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Sql;
import jakarta.inject.Inject;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Bounds the outbox. It deletes deliveries that are old, or more than a webhook may keep, and marks a webhook as full
 * for which too many wait. Thread-safe.
 */
@Part
final class DeliveryRetention {

    /** So many may wait for a webhook before it is full. */
    static final int MOST_WAITING = 100_000;
    /** So many that were delivered, and so many dead letters, are kept for each webhook. */
    static final int MOST_KEPT = 10_000;

    private static final Duration INTERVAL = Duration.ofMinutes(1);
    private static final int WEBHOOKS = 100;
    private static final int AT_ONCE = 1000;
    private static final int MOST_DELETED = 20_000;
    /** No delivery is kept longer: also not one whose webhook is gone. */
    private static final Duration LONGEST = Duration.ofDays(32);

    private record Counted(String id, String fleet, long countedAt, boolean full) {}

    private final Database database;
    private final Changes changes;
    private final Audit audit;
    private final Clock clock;
    private final Duration keep;
    private final int mostWaiting;
    private final int mostKept;

    @Inject
    DeliveryRetention(Database database, Changes changes, Audit audit, MusterConfig config, @Ours Clock clock) {
        this(database, changes, audit, config.webhooks().keep(), clock, MOST_WAITING, MOST_KEPT);
    }

    DeliveryRetention(
            Database database,
            Changes changes,
            Audit audit,
            Duration keep,
            Clock clock,
            int mostWaiting,
            int mostKept) {
        this.database = database;
        this.changes = changes;
        this.audit = audit;
        this.keep = keep;
        this.clock = clock;
        this.mostWaiting = mostWaiting;
        this.mostKept = mostKept;
    }

    /** Looks at the webhooks that no node looked at for a minute. */
    void tend() {
        long now = clock.millis();
        List<Counted> due = database.jdbc(Sql.of(
                        "SELECT id, fleet, counted_at, full_since FROM webhook WHERE counted_at <= ?"
                                + " ORDER BY counted_at LIMIT " + WEBHOOKS,
                        now - INTERVAL.toMillis())
                .list(row -> new Counted(
                        row.getString(1),
                        row.getString(2),
                        row.getLong(3),
                        Sql.number(row, 4).isPresent())));
        for (Counted one : due) {
            if (update(
                            "UPDATE webhook SET counted_at = ? WHERE id = ? AND counted_at = ?",
                            now,
                            one.id(),
                            one.countedAt())
                    == 1) {
                tend(one);
            }
        }
        if (!due.isEmpty()) {
            delete("id < ?", first(clock.instant().minus(LONGEST)));
        }
    }

    private void tend(Counted one) {
        for (Delivery.State state : Delivery.State.values()) {
            byte[] old = first(clock.instant().minus(keep));
            byte[] end = state == Delivery.State.WAITING
                    ? old
                    : newest(one, state, mostKept)
                            .filter(id -> Arrays.compareUnsigned(id, old) > 0)
                            .orElse(old);
            delete("webhook = ? AND state = ? AND id <= ?", one.id(), state.letter(), end);
        }
        boolean full = oldest(one, one.full() ? mostWaiting / 2 : mostWaiting).isPresent();
        if (full != one.full()) {
            mark(one, full);
        }
    }

    private void mark(Counted one, boolean full) {
        List<String> subjects = List.of(Outbox.SUBJECT);
        database.transaction(em -> {
            Sql update = full
                    ? Sql.of(
                            "UPDATE webhook SET full_since = ? WHERE id = ? AND full_since IS NULL",
                            clock.millis(),
                            one.id())
                    : Sql.of("UPDATE webhook SET full_since = NULL WHERE id = ?", one.id());
            if (Database.within(em, update.update()) > 0 && full) {
                audit.record(em, Audit.Type.WEBHOOK_FULL, one.fleet(), null, null, "registry", "webhook " + one.id());
            }
            changes.note(em, subjects);
            return null;
        });
        changes.forget(subjects);
    }

    /** Returns the id before which there are so many newer ones. */
    private Optional<byte[]> newest(Counted one, Delivery.State state, int many) {
        return nth(one, state, "DESC", many);
    }

    /** Returns one that waits behind so many others. */
    private Optional<byte[]> oldest(Counted one, int many) {
        return nth(one, Delivery.State.WAITING, "ASC", many);
    }

    private Optional<byte[]> nth(Counted one, Delivery.State state, String order, int many) {
        return database.jdbc(Sql.of(
                        "SELECT id FROM webhook_delivery WHERE webhook = ? AND state = ? ORDER BY id " + order
                                + " LIMIT 1 OFFSET " + many,
                        one.id(),
                        state.letter())
                .first(row -> row.getBytes(1)));
    }

    /** Deletes in small transactions, and leaves the rest for the next time. */
    private void delete(String where, Object... parameters) {
        int all = 0;
        int deleted = AT_ONCE;
        while (deleted == AT_ONCE && all < MOST_DELETED) {
            deleted = update("DELETE FROM webhook_delivery WHERE " + where + " LIMIT " + AT_ONCE, parameters);
            all += deleted;
        }
    }

    private int update(String sql, Object... parameters) {
        return database.jdbc(Sql.of(sql, parameters).update());
    }

    /** Returns the smallest id of a time. */
    private static byte[] first(Instant time) {
        return ByteBuffer.allocate(16).putLong(time.toEpochMilli() << 16).array();
    }
}
