// SPDX-License-Identifier: Apache-2.0
package io.muster.statistics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.log.RareLog;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * Counts what happens in each hour, in memory, and writes it every minute. Each start of a node has rows of its own, so
 * that nodes never wait for each other. A row has the whole count of its hour, so that writing it twice changes nothing.
 * A node that is killed loses what it counted since it last wrote. Thread-safe.
 */
@Part
public final class Statistics {

    /** How often a node writes. */
    public static final Duration INTERVAL = Duration.ofMinutes(1);

    private static final RareLog LOG = RareLog.of(Statistics.class);
    private static final long HOUR = Duration.ofHours(1).toMillis();
    private static final int BATCH = 500;
    /** So many counts are kept while the database is unreachable. */
    private static final int MOST = 100_000;

    private static final int DELETED_AT_ONCE = 1000;
    private static final int MOST_DELETED = 20_000;

    private static final String WRITE =
            "INSERT INTO statistic (fleet, kind, at_hour, node, amount) VALUES (?, ?, ?, ?, ?)"
                    + " ON DUPLICATE KEY UPDATE amount = GREATEST(amount, VALUES(amount))";

    /**
     * The number of an hour, of all nodes together.
     *
     * @param hour its beginning
     */
    public record Count(String fleet, Kind kind, Instant hour, long amount) {}

    private record Key(String fleet, Kind kind, long hour) {}

    private static final class Counting {

        final LongAdder adder = new LongAdder();
        /** Used by the thread that writes alone. */
        long written;
    }

    private record Due(Key key, Counting counter, long amount) {}

    private final Database database;
    private final Duration keep;
    private final Clock clock;
    private final byte[] node;
    private final Map<Key, Counting> counters = new ConcurrentHashMap<>();
    private final Map<String, Counter> tokens = new ConcurrentHashMap<>();
    private final Map<String, AtomicLong> sampled = new ConcurrentHashMap<>();
    private final MeterRegistry meters;

    @Inject
    Statistics(Database database, MusterConfig config, Ids ids, @Ours MeterRegistry meters, @Ours Clock clock) {
        this.meters = meters;
        this.database = database;
        this.keep = config.statistics().keep();
        this.clock = clock;
        this.node = ids.next();
    }

    /**
     * Counts one. Takes no lock, and never waits.
     *
     * @param fleet an existing one
     */
    public void count(String fleet, Kind kind) {
        counter(fleet, kind).ifPresent(counter -> counter.adder.increment());
    }

    private Optional<Counting> counter(String fleet, Kind kind) {
        Key key = new Key(fleet, kind, clock.millis() / HOUR);
        Counting there = counters.get(key);
        if (there == null && counters.size() < MOST) {
            there = counters.computeIfAbsent(key, missing -> new Counting());
        }
        return Optional.ofNullable(there);
    }

    /** Counts a token that a device of the fleet got. */
    public void token(String fleet) {
        count(fleet, Kind.TOKEN);
        tokens.computeIfAbsent(fleet, name -> Counter.builder("muster.tokens")
                        .description("tokens that devices got")
                        .tag("fleet", name)
                        .register(meters))
                .increment();
    }

    /** Writes what was counted, and deletes what is old. Called by one thread; never throws. */
    public void flush() {
        try {
            write();
            int deleted = DELETED_AT_ONCE;
            for (int all = 0; deleted == DELETED_AT_ONCE && all < MOST_DELETED; all += deleted) {
                deleted = database.jdbcTransaction(Sql.of(
                                "DELETE FROM statistic WHERE at_hour < ? LIMIT " + DELETED_AT_ONCE,
                                clock.instant().minus(keep).toEpochMilli() / HOUR)
                        .update());
            }
        } catch (RuntimeException e) {
            LOG.warn("flush", "The statistics cannot be written now: {}", e.getMessage());
        }
    }

    /**
     * Notes how many candidates wait now. Called by the thread that writes; never throws.
     *
     * @param waiting counts them, in each fleet where there are any
     */
    public void sample(Supplier<Map<String, Long>> waiting) {
        try {
            note(waiting.get());
        } catch (RuntimeException e) {
            LOG.warn("waiting", "The candidates that wait cannot be counted now: {}", e.getMessage());
        }
    }

    private void note(Map<String, Long> numbers) {
        sampled.values().forEach(gauge -> gauge.set(0));
        numbers.forEach(
                (fleet, number) -> sampled.computeIfAbsent(fleet, this::gauge).set(number));
        numbers.forEach(
                (fleet, number) -> counter(fleet, Kind.APPROVALS_WAITING).ifPresent(counter -> {
                    long more = number - counter.adder.sum();
                    if (more > 0) {
                        counter.adder.add(more);
                    }
                }));
    }

    private AtomicLong gauge(String fleet) {
        AtomicLong number = new AtomicLong();
        Gauge.builder("muster.approvals.waiting", number, AtomicLong::get)
                .description("candidates that wait for an operator, of all nodes together")
                .tag("fleet", fleet)
                .register(meters);
        return number;
    }

    private void write() {
        List<Due> due = new ArrayList<>();
        long now = clock.millis() / HOUR;
        counters.forEach((key, counter) -> {
            long amount = counter.adder.sum();
            if (amount != counter.written) {
                due.add(new Due(key, counter, amount));
            } else if (key.hour() < now - 1) {
                // Not earlier: somebody may have found it just before the hour ended.
                counters.remove(key);
            }
        });
        for (int from = 0; from < due.size(); from += BATCH) {
            List<Due> batch = due.subList(from, Math.min(from + BATCH, due.size()));
            database.jdbcTransaction(Sql.batch(WRITE, batch, one -> new Object[] {
                one.key().fleet(), one.key().kind().word(), one.key().hour(), node, one.amount()
            }));
            batch.forEach(one -> one.counter().written = one.amount());
        }
    }

    /**
     * Returns the counts of one kind in one fleet, by hour. Hours in which there were none are left out. Reads as many
     * rows as there were starts of nodes in each hour.
     *
     * @param from the first hour is that in which this is, or a later one
     * @param to the last hour begins before this
     */
    public List<Count> read(String fleet, Kind kind, Instant from, Instant to, int atMost) {
        String all = kind == Kind.APPROVALS_WAITING ? "MAX(amount)" : "SUM(amount)";
        return database.forOperators()
                .jdbc(Sql.of(
                                "SELECT at_hour, " + all
                                        + " FROM statistic WHERE fleet = ? AND kind = ? AND at_hour >= ?"
                                        + " AND at_hour < ? GROUP BY at_hour ORDER BY at_hour LIMIT ?",
                                fleet,
                                kind.word(),
                                from.toEpochMilli() / HOUR,
                                (to.toEpochMilli() + HOUR - 1) / HOUR,
                                atMost)
                        .list(row ->
                                new Count(fleet, kind, Instant.ofEpochMilli(row.getLong(1) * HOUR), row.getLong(2))));
    }
}
