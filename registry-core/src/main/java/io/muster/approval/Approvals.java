// SPDX-License-Identifier: Apache-2.0
package io.muster.approval;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.persistence.IndexRange;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.spi.ApprovalDecided;
import io.muster.spi.SerialNumber;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.io.Serial;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongPredicate;

/**
 * The queue as operators see it, and their decisions. A decision changes rows only where they still are as they were
 * read, and a unique constraint permits one approved entry for each serial. So neither depends on the node. Approving
 * one entry rejects the others of its serial. Thread-safe.
 */
@Part
public final class Approvals {

    /** The longest time for which a decision can hold. */
    public static final Duration LONGEST = Duration.ofDays(366);

    /** How many entries one request decides at most. */
    public static final int MOST_AT_ONCE = 1000;

    private static final int ATTEMPTS = 5;
    private static final String ANOTHER = "another one with this serial was approved";

    private static final String DEVICE = " LEFT JOIN device d ON d.fleet = a.fleet AND d.serial = a.serial WHERE ";
    private static final String SELECT = "SELECT " + Approval.COLUMNS + " FROM approval a";
    private static final String BY_ID = SELECT + DEVICE + "a.fleet = ? AND a.id = ? AND a.expires_at > ?";
    private static final String OF_SERIAL =
            SELECT + DEVICE + "a.fleet = ? AND a.serial = ? AND a.expires_at > ? ORDER BY a.binding";
    private static final String OF_CANDIDATE =
            SELECT + DEVICE + "a.fleet = ? AND a.serial = ? AND a.binding = ? AND a.expires_at > ?";

    private static final String REJECT =
            "UPDATE approval SET state = 'R', approved = NULL, decided_at = ?, decided_by = ?,"
                    + " reason = ?, expires_at = ?, version = version + 1 WHERE id = ? AND version = ? AND state IN ('W', 'A')";
    private static final String APPROVE = "UPDATE approval SET state = 'A', approved = serial, decided_at = ?,"
            + " decided_by = ?, reason = ?, expires_at = ?, version = version + 1 WHERE id = ? AND version = ?"
            + " AND state IN ('W', 'R')";
    private static final String FORGET = "DELETE FROM approval WHERE id = ? AND version = ?";
    private static final String FORGET_EXPIRED =
            "DELETE FROM approval WHERE fleet = ? AND serial = ? AND binding = ? AND (expires_at <= ? OR state = 'U')";
    private static final String INSERT =
            "INSERT INTO approval (id, fleet, serial, binding, state, approved, lot, tries,"
                    + " decided_at, decided_by, reason, expires_at, version) VALUES (?, ?, ?, ?, 'A', ?, (SELECT e.lot FROM"
                    + " expected_serial e WHERE e.fleet = ? AND e.serial = ?), 0, ?, ?, ?, ?, 1)";

    /**
     * The entries to list, of one state. At most one of the others may be given.
     *
     * @param origin the address that they last asked from
     * @param lot the lot of their serials
     */
    public record Filter(Approval.State state, Optional<String> origin, Optional<String> lot) {}

    /**
     * A decision.
     *
     * @param approve whether the device may register
     * @param until until when it holds; empty for the time that the configuration says
     * @param reason for people
     */
    public record Verdict(boolean approve, Optional<Instant> until, Optional<String> reason) {}

    /**
     * A serial to approve before it is presented.
     *
     * @param binding the thumbprint of the only key that may register it; empty for devices without a key alone
     */
    public record Expected(SerialNumber serial, Optional<String> binding) {}

    /**
     * The result of a decision about several entries.
     *
     * @param changed how many were decided
     * @param contested the ids of entries that were left as they are because another entry has the same serial. An
     *     operator decides those one by one
     * @param more whether there are further matches
     */
    public record Result(int changed, int unchanged, List<String> contested, boolean more) {}

    /** How many other entries may have to do with one. Addresses and lots count entries that wait. */
    public record Neighbours(long sameSerial, long sameOrigin, long sameLot) {}

    private final Database database;
    private final Audit audit;
    private final Consumer<Object> events;
    private final Ids ids;
    private final Clock clock;
    private final Duration valid;

    @Inject
    Approvals(
            MusterConfig config,
            Database database,
            Audit audit,
            Ids ids,
            @Ours Clock clock,
            @Ours Consumer<Object> events) {
        this.valid = config.approval().valid();
        this.database = database;
        this.audit = audit;
        this.ids = ids;
        this.clock = clock;
        this.events = events;
    }

    /** Returns an entry; empty if there is none by this id, or it has expired. */
    public Optional<Approval> find(String fleet, String id) {
        return database.jdbc(
                Sql.of(BY_ID, fleet, Ids.bytes(id), clock.instant()).first(Approval::of));
    }

    /** Lists the entries of a serial, in the order of their bindings; there are few. */
    public List<Approval> ofSerial(String fleet, String serial) {
        return database.forOperators()
                .jdbc(Sql.of(OF_SERIAL, fleet, serial, clock.instant()).list(Approval::of));
    }

    /**
     * Lists entries, the oldest first.
     *
     * @param after the last id of the page before
     */
    public List<Approval> list(String fleet, Filter filter, Optional<String> after, int atMost) {
        return database.forOperators().jdbc(matching(fleet, filter, after, atMost));
    }

    private Database.SqlWork<List<Approval>> matching(String fleet, Filter filter, Optional<String> after, int atMost) {
        List<String> columns = new ArrayList<>(List.of("a.fleet"));
        List<String> values = new ArrayList<>(List.of(fleet));
        String index = "approval_state";
        if (filter.origin().isPresent()) {
            index = "approval_origin";
            columns.add("a.origin");
            values.add(filter.origin().get());
        } else if (filter.lot().isPresent()) {
            index = "approval_lot";
            columns.add("a.lot");
            values.add(filter.lot().get());
        }
        columns.add("a.state");
        values.add(filter.state().letter());
        columns.add("a.id");
        IndexRange range = IndexRange.of(columns.toArray(String[]::new));
        List<Object> parameters = new ArrayList<>(List.of(clock.instant()));
        parameters.addAll(range.values(values, after.map(Ids::bytes).orElseGet(() -> new byte[16]), atMost));
        return Sql.of(
                        SELECT + " USE INDEX (" + index + ")" + DEVICE + "a.expires_at > ? AND " + range.sql(),
                        parameters)
                .list(Approval::of);
    }

    /**
     * Counts those that wait, in each fleet where there are any. Reads the first entry of each fleet, and the entries that wait,
     * of which a fleet has a bounded number.
     */
    public Map<String, Long> waiting() {
        return database.jdbc(connection -> {
            Map<String, Long> numbers = new HashMap<>();
            Optional<String> fleet = fleetAfter("").in(connection);
            while (fleet.isPresent()) {
                long number = Sql.of("SELECT COUNT(*) FROM approval WHERE fleet = ? AND state = 'W'", fleet.get())
                        .first(row -> row.getLong(1))
                        .in(connection)
                        .orElse(0L);
                if (number > 0) {
                    numbers.put(fleet.get(), number);
                }
                fleet = fleetAfter(fleet.get()).in(connection);
            }
            return numbers;
        });
    }

    private static Database.SqlWork<Optional<String>> fleetAfter(String fleet) {
        return Sql.of("SELECT fleet FROM approval WHERE fleet > ? ORDER BY fleet LIMIT 1", fleet)
                .first(row -> row.getString(1));
    }

    /** Counts the neighbours of some entries of one fleet. Reads no more rows than entries can wait in it. */
    public Map<String, Neighbours> neighbours(String fleet, List<Approval> some) {
        return database.forOperators().jdbc(connection -> {
            Map<String, Long> serials =
                    counts(connection, fleet, "serial", "IN ('W', 'A')", some, one -> Optional.of(one.serial()));
            Map<String, Long> origins = counts(connection, fleet, "origin", "= 'W'", some, Approval::origin);
            Map<String, Long> lots = counts(connection, fleet, "lot", "= 'W'", some, Approval::lot);
            Map<String, Neighbours> neighbours = new HashMap<>();
            for (Approval one : some) {
                boolean waits = one.state() == Approval.State.WAITING;
                neighbours.put(
                        one.id(),
                        new Neighbours(
                                others(
                                        serials,
                                        Optional.of(one.serial()),
                                        waits || one.state() == Approval.State.APPROVED),
                                others(origins, one.origin(), waits),
                                others(lots, one.lot(), waits)));
            }
            return neighbours;
        });
    }

    private static long others(Map<String, Long> counts, Optional<String> value, boolean isCounted) {
        return Math.max(0, value.map(text -> counts.getOrDefault(text, 0L)).orElse(0L) - (isCounted ? 1 : 0));
    }

    private static Map<String, Long> counts(
            Connection connection,
            String fleet,
            String column,
            String states,
            List<Approval> some,
            Function<Approval, Optional<String>> value)
            throws SQLException {
        List<String> values = some.stream()
                .flatMap(one -> value.apply(one).stream())
                .distinct()
                .toList();
        Map<String, Long> counts = new HashMap<>();
        if (values.isEmpty()) {
            return counts;
        }
        List<Object> parameters = new ArrayList<>(List.of(fleet));
        parameters.addAll(values);
        Sql.of(
                        "SELECT " + column + ", COUNT(*) FROM approval WHERE fleet = ? AND " + column + " IN ("
                                + "?,".repeat(values.size() - 1) + "?) AND state " + states + " GROUP BY " + column,
                        parameters)
                .forEach(row -> counts.put(row.getString(1), row.getLong(2)))
                .in(connection);
        return counts;
    }

    /**
     * Decides about one entry.
     *
     * @param condition on the version that is there
     * @return the entry afterwards
     * @throws RegistryException {@code NOT_FOUND} if it is not there or has expired, {@code PRECONDITION_FAILED}, and
     *     {@code CONFLICT} if the approval was used already
     */
    public Approval decide(String fleet, String id, Verdict verdict, LongPredicate condition, String operator) {
        decided(operator, em -> {
            Approval there = read(em, BY_ID, fleet, Ids.bytes(id), clock.instant())
                    .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such approval"));
            if (!condition.test(there.version())) {
                throw new RegistryException(
                        ProblemType.PRECONDITION_FAILED, "version " + there.version() + " is there");
            }
            if (there.state() == Approval.State.USED) {
                throw RegistryException.withDetail(ProblemType.CONFLICT, "a device has registered with it already");
            }
            return write(em, there, verdict, operator);
        });
        return find(fleet, id).orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such approval"));
    }

    /**
     * Decides about several entries, each in a transaction of its own. If the database fails meanwhile, some are decided;
     * asking again does the rest. Entries that are used, have expired or are decided like this already stay as they are.
     */
    public Result decide(String fleet, List<String> some, Verdict verdict, String operator) {
        List<Approval> there = new ArrayList<>();
        for (String id : new HashSet<>(some)) {
            find(fleet, id).ifPresent(there::add);
        }
        Result result = decideAll(there, verdict, operator, false);
        return new Result(result.changed, result.unchanged + some.size() - there.size(), result.contested, false);
    }

    /**
     * Decides about every entry that waits and matches, up to {@value #MOST_AT_ONCE}, each in a transaction of its own.
     *
     * @param filter its state is ignored
     */
    public Result decide(String fleet, Filter filter, Verdict verdict, String operator) {
        Filter waiting = new Filter(Approval.State.WAITING, filter.origin(), filter.lot());
        Set<String> contested = new HashSet<>();
        int changed = 0;
        int unchanged = 0;
        Optional<String> after = Optional.empty();
        for (int examined = 0; examined < 10 * MOST_AT_ONCE && changed < MOST_AT_ONCE; examined += MOST_AT_ONCE) {
            List<Approval> some = list(fleet, waiting, after, MOST_AT_ONCE);
            Result result =
                    decideAll(some.subList(0, Math.min(some.size(), MOST_AT_ONCE - changed)), verdict, operator, true);
            changed += result.changed;
            unchanged += result.unchanged;
            contested.addAll(result.contested);
            if (some.size() < MOST_AT_ONCE) {
                boolean all = some.size() == result.changed + result.unchanged + result.contested.size();
                return new Result(changed, unchanged, List.copyOf(contested), !all);
            }
            after = Optional.of(some.get(some.size() - 1).id());
        }
        return new Result(changed, unchanged, List.copyOf(contested), true);
    }

    private Result decideAll(List<Approval> some, Verdict verdict, String operator, boolean matched) {
        int changed = 0;
        List<String> contested = new ArrayList<>();
        for (Approval one : some) {
            if (verdict.approve() && isContested(one)) {
                contested.add(one.id());
                continue;
            }
            boolean written = decided(operator, em -> read(em, BY_ID, one.fleet(), Ids.bytes(one.id()), clock.instant())
                    .filter(there -> there.state() != Approval.State.USED)
                    // It may have been decided since it matched.
                    .filter(there -> !matched || there.state() == Approval.State.WAITING)
                    .map(there -> write(em, there, verdict, operator))
                    .orElseGet(List::of));
            changed += written ? 1 : 0;
        }
        return new Result(changed, some.size() - changed - contested.size(), contested, false);
    }

    /** Tells whether two devices say that they are one. Then it takes a person who looks at both. */
    private boolean isContested(Approval one) {
        return ofSerial(one.fleet(), one.serial()).stream()
                .anyMatch(other -> !other.id().equals(one.id()) && other.state() == Approval.State.WAITING);
    }

    /**
     * Approves serials before they are presented, or candidates that wait, each in a transaction of its own. Entries of
     * such a serial with other bindings are rejected.
     *
     * @param expected {@value #MOST_AT_ONCE} at most, no serial twice
     */
    public Result approve(String fleet, List<Expected> expected, Verdict verdict, String operator) {
        int changed = 0;
        for (Expected one : expected) {
            String serial = one.serial().value();
            String binding = one.binding().orElse("");
            boolean written = decided(operator, em -> {
                Instant now = clock.instant();
                changed(em, FORGET_EXPIRED, fleet, serial, binding, now);
                Optional<Approval> there = read(em, OF_CANDIDATE, fleet, serial, binding, now);
                return there.isPresent()
                        ? write(em, there.get(), verdict, operator)
                        : insert(em, fleet, one, verdict, operator, now);
            });
            changed += written ? 1 : 0;
        }
        return new Result(changed, expected.size() - changed, List.of(), false);
    }

    /**
     * Removes an entry, with the decision about it. A device that asks again waits anew.
     *
     * @param condition on the version that is there
     * @throws RegistryException {@code NOT_FOUND}, {@code PRECONDITION_FAILED}
     */
    public void remove(String fleet, String id, LongPredicate condition, String operator) {
        database.transaction(em -> {
            Approval there = read(em, BY_ID, fleet, Ids.bytes(id), clock.instant())
                    .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such approval"));
            if (!condition.test(there.version()) || !changed(em, FORGET, Ids.bytes(id), there.version())) {
                throw new RegistryException(
                        ProblemType.PRECONDITION_FAILED, "version " + there.version() + " is there");
            }
            record(
                    em,
                    Audit.Type.APPROVAL_REMOVED,
                    there,
                    operator,
                    "before: " + there.state().word());
            return null;
        });
    }

    /** Deletes the entries of a serial without a record, within the transaction that deletes its device. */
    public static void erase(EntityManager em, String fleet, String serial) {
        Database.within(
                em,
                Sql.of("DELETE FROM approval WHERE fleet = ? AND serial = ?", fleet, serial)
                        .update());
    }

    /** An entry that was decided, as it was before. */
    private record Decided(Approval before, boolean approved) {}

    /** Another node changed an entry between reading and writing it. */
    private static final class OvertakenException extends RuntimeException {

        @Serial
        private static final long serialVersionUID = 1;

        OvertakenException() {
            super("another decision was faster", null, false, false);
        }
    }

    /**
     * Runs a transaction that decides, again if another node was faster. Tells observers afterwards.
     *
     * @param work returns the entry that it is about, then those that it rejects beside it; none if it changes nothing
     * @return whether it changed anything
     */
    private boolean decided(String operator, Database.Work<List<Decided>> work) {
        for (int number = 1; ; number++) {
            try {
                List<Decided> all = database.transaction(work);
                all.forEach(one -> events.accept(new ApprovalDecided(
                        clock.instant(),
                        one.before.fleet(),
                        new SerialNumber(one.before.serial()),
                        one.before.binding(),
                        one.before.id(),
                        one.approved,
                        operator)));
                return !all.isEmpty();
            } catch (DuplicateException | OvertakenException e) {
                if (number == ATTEMPTS) {
                    throw RegistryException.withDetail(ProblemType.CONFLICT, "somebody else decides about this serial");
                }
            }
        }
    }

    private static Optional<Approval> read(EntityManager em, String sql, Object... parameters) {
        return Database.within(em, Sql.of(sql, parameters).first(Approval::of));
    }

    static boolean changed(EntityManager em, String sql, Object... parameters) {
        return Database.within(em, Sql.of(sql, parameters).update()) == 1;
    }

    private List<Decided> write(EntityManager em, Approval there, Verdict verdict, String operator) {
        Approval.State wanted = verdict.approve ? Approval.State.APPROVED : Approval.State.REJECTED;
        if (there.state() == wanted) {
            return List.of();
        }
        List<Decided> decided = new ArrayList<>(List.of(new Decided(there, verdict.approve)));
        if (verdict.approve) {
            decided.addAll(rejectOthers(em, there.fleet(), there.serial(), there.id(), operator));
        }
        write(em, verdict.approve ? APPROVE : REJECT, there, verdict, operator);
        return decided;
    }

    private List<Decided> rejectOthers(EntityManager em, String fleet, String serial, String id, String operator) {
        List<Decided> rejected = new ArrayList<>();
        for (Approval other : Database.within(
                em, Sql.of(OF_SERIAL, fleet, serial, clock.instant()).list(Approval::of))) {
            if (!other.id().equals(id) && other.isOpen()) {
                write(em, REJECT, other, new Verdict(false, Optional.empty(), Optional.of(ANOTHER)), operator);
                rejected.add(new Decided(other, false));
            }
        }
        return rejected;
    }

    private void write(EntityManager em, String sql, Approval there, Verdict verdict, String operator) {
        Instant now = clock.instant();
        if (!changed(
                em,
                sql,
                now,
                operator,
                verdict.reason.orElse(null),
                verdict.until.orElse(now.plus(valid)),
                Ids.bytes(there.id()),
                there.version())) {
            throw new OvertakenException();
        }
        record(
                em,
                verdict.approve ? Audit.Type.APPROVAL_GRANTED : Audit.Type.APPROVAL_REJECTED,
                there,
                operator,
                "before: " + there.state().word() + "; after: " + (verdict.approve ? "approved" : "rejected")
                        + verdict.reason.map(why -> "; " + why).orElse(""));
    }

    private List<Decided> insert(
            EntityManager em, String fleet, Expected expected, Verdict verdict, String operator, Instant now) {
        String serial = expected.serial().value();
        byte[] id = ids.next();
        List<Decided> decided = new ArrayList<>();
        List<Decided> others = rejectOthers(em, fleet, serial, Ids.hex(id), operator);
        changed(
                em,
                INSERT,
                id,
                fleet,
                serial,
                expected.binding().orElse(""),
                serial,
                fleet,
                serial,
                now,
                operator,
                verdict.reason.orElse(null),
                verdict.until.orElse(now.plus(valid)));
        Approval made = read(em, BY_ID, fleet, id, now).orElseThrow(OvertakenException::new);
        record(
                em,
                Audit.Type.APPROVAL_GRANTED,
                made,
                operator,
                "before it asked" + verdict.reason.map(why -> "; " + why).orElse(""));
        decided.add(new Decided(made, true));
        decided.addAll(others);
        return decided;
    }

    private void record(EntityManager em, Audit.Type type, Approval about, String operator, String detail) {
        audit.record(
                em,
                type,
                about.fleet(),
                about.serial(),
                about.deviceId().map(Ids::bytes).orElse(null),
                operator,
                "approval " + about.id()
                        + about.binding().map(key -> ", binding " + key).orElse("") + "; " + detail);
    }
}
