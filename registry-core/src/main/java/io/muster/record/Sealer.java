// SPDX-License-Identifier: Apache-2.0
package io.muster.record;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.log.RareLog;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.record.Unsealed.Found;
import io.muster.record.Unsealed.Head;
import io.muster.seal.MerkleTree;
import io.muster.seal.Seal;
import io.muster.seal.SealedRecord;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Closes what was recorded with a seal, every ten seconds, on whichever node is first. Records are found by reading:
 * nobody who writes one does anything for its seal. A seal and the rows of its records are one transaction, which counts
 * up the row that every other node would count up too. So no record is in two seals, and one of a seal that was not
 * committed is in the next. Thread-safe; {@link #tend} is called by one thread.
 */
@Part
public final class Sealer {

    /** How often a seal is due. */
    public static final Duration INTERVAL = Duration.ofSeconds(10);

    private static final RareLog LOG = RareLog.of(Sealer.class);

    /** Refusals are written some seconds late, and transactions take time. A record that comes later still is marked late. */
    static final Duration GRACE = Duration.ofSeconds(5);

    private static final Duration EARLY = Duration.ofMillis(500);
    /** How long to work on a backlog, such as the records from before an upgrade. The database rests until the next time. */
    private static final Duration BUSY = Duration.ofSeconds(2);

    private static final String ADVANCE =
            "UPDATE seal_head SET times_locked = times_locked + 1, seals = ?, time_to = ?,"
                    + " checked_at = ?, event_id = ?, admission_at = ?, admission_key = ?, walk_id = ?, walk_at = ?,"
                    + " walk_key = ? WHERE id = 1 AND times_locked = ?";

    private final Database database;
    private final SealKeys keys;
    private final Clock clock;
    private volatile Instant checkedAt;

    /** A record with its hashes and its place in the seal. */
    private record Leaf(Entry entry, int place, byte[] digest, byte[] hash) {}

    @Inject
    Sealer(Database database, SealKeys keys, @Ours MeterRegistry meters, @Ours Clock clock) {
        this.database = database;
        this.keys = keys;
        this.clock = clock;
        this.checkedAt = clock.instant();
        TimeGauge.builder("muster.seal.age", this, TimeUnit.MILLISECONDS, Sealer::age)
                .description("how long ago any node last sealed what was recorded")
                .register(meters);
    }

    private double age() {
        return Duration.between(checkedAt, clock.instant()).toMillis();
    }

    /** Seals what is due, unless another node did. Never throws. */
    public void tend() {
        try {
            Instant now = clock.instant();
            Instant last = database.jdbc(Head.read()).checkedAt();
            if (last.isAfter(now.minus(INTERVAL).plus(EARLY)) && last.isBefore(now.plus(INTERVAL))) {
                checkedAt = last;
                return;
            }
            long end = System.nanoTime() + BUSY.toNanos();
            boolean more = seal();
            while (more && System.nanoTime() < end) {
                more = seal();
            }
        } catch (RuntimeException e) {
            LOG.warn("seal", "The record cannot be sealed, the next attempt is in {}: {}", INTERVAL, e.getMessage());
        }
    }

    /**
     * Makes the next seal, if anything was recorded since the last one.
     *
     * @return whether there is more
     */
    boolean seal() {
        Instant now = clock.instant();
        // A record of another node may not have arrived at this database node. It would come late, although it need
        // not.
        Sealing sealing = database.newest(() -> database.jdbc(connection -> prepared(connection, now)));
        try {
            if (database.jdbcTransaction(connection -> store(connection, sealing, now))) {
                checkedAt = now;
                return sealing.found().more();
            }
        } catch (DuplicateException e) {
            LOG.warn("twice", "The database node lags: a seal would have had a record that another one has");
        }
        return false;
    }

    /** The next seal, which is stored if nobody else stores one before. */
    private record Sealing(Head head, Found found, Optional<byte[]> previous, Optional<SealKeys.Current> key) {}

    private Sealing prepared(Connection connection, Instant now) throws SQLException {
        Head head = Head.read().in(connection);
        Instant end = now.minus(GRACE);
        Found found = Unsealed.find(connection, head, end.isBefore(head.to()) ? head.to() : end);
        return new Sealing(
                head, found, SealedRecords.seal(connection, head.seals()).map(Seal::hash), keys.current(connection));
    }

    private boolean store(Connection connection, Sealing sealing, Instant now) throws SQLException {
        Head next = sealing.found().next();
        boolean nothing = sealing.found().entries().isEmpty();
        int rows = Sql.of(
                        ADVANCE,
                        next.seals() + (nothing ? 0 : 1),
                        nothing ? sealing.head().to() : next.to(),
                        now,
                        next.event(),
                        next.admission().at(),
                        next.admission().key(),
                        next.walkEvent(),
                        next.walk().at(),
                        next.walk().key(),
                        sealing.head().lock())
                .update()
                .in(connection);
        if (rows == 1 && !nothing) {
            insert(connection, sealing, now);
        }
        return rows == 1;
    }

    private void insert(Connection connection, Sealing sealing, Instant now) throws SQLException {
        SealKeys.Current key = sealing.key().isPresent() ? sealing.key().get() : firstKey(connection);
        List<Leaf> events = new ArrayList<>();
        List<Leaf> admissions = new ArrayList<>();
        List<byte[]> hashes = new ArrayList<>();
        for (Entry entry : sealing.found().entries()) {
            byte[] digest = entry.digest(key.saltKey());
            byte[] hash = new SealedRecord(entry.members(), digest).leaf();
            (entry.deviceId() == null ? events : admissions).add(new Leaf(entry, hashes.size(), digest, hash));
            hashes.add(hash);
        }
        long number = sealing.head().seals() + 1;
        insert(
                connection,
                Seal.unsigned(
                                number,
                                hashes.size(),
                                MerkleTree.root(hashes),
                                sealing.previous(),
                                sealing.head().to(),
                                sealing.found().next().to(),
                                now,
                                key.kid())
                        .signed(key.secret()));
        Sql.batch("INSERT INTO sealed_event (id, seal, place, digest, hash) VALUES (?, ?, ?, ?, ?)", events, leaf ->
                        new Object[] {Ids.bytes(leaf.entry().id()), number, leaf.place(), leaf.digest(), leaf.hash()})
                .in(connection);
        Sql.batch(
                        "INSERT INTO sealed_admission (access_key, seal, place, digest, hash, device_id, issued_at)"
                                + " VALUES (?, ?, ?, ?, ?, ?, ?)",
                        admissions,
                        leaf -> new Object[] {
                            leaf.entry().id(),
                            number,
                            leaf.place(),
                            leaf.digest(),
                            leaf.hash(),
                            leaf.entry().deviceId(),
                            leaf.entry().at()
                        })
                .in(connection);
    }

    private SealKeys.Current firstKey(Connection connection) throws SQLException {
        keys.insert(connection);
        return keys.current(connection).orElseThrow();
    }

    private static void insert(Connection connection, Seal seal) throws SQLException {
        Sql.of(
                        "INSERT INTO seal (number, records, root, previous, time_from, time_to, sealed_at, kid, signature)"
                                + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        seal.number(),
                        seal.records(),
                        seal.root(),
                        seal.previous(),
                        seal.from(),
                        seal.to(),
                        seal.at(),
                        seal.kid(),
                        seal.signature())
                .update()
                .in(connection);
    }
}
