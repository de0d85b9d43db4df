// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.fleet.Fleet;
import io.muster.json.Json;
import io.muster.operator.LineImport;
import io.muster.operator.SerialImport;
import io.muster.persistence.Database;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.persistence.Ids;
import io.muster.persistence.MasterKey;
import io.muster.persistence.RowLock;
import io.muster.persistence.SealedColumn;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.spi.WrittenText;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.io.IOException;
import java.io.InputStream;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Jobs as operators see them: they begin, watch and cancel them, and read their results. Thread-safe. */
@Part
public final class Jobs {

    /** How many jobs of a fleet may wait and run. */
    public static final int MOST = 20;

    /** The keys of the data of jobs. */
    public static final SealedColumn SEALED =
            new SealedColumn("job", "sealed_key", List.of("id"), row -> purpose(row.get(0)));

    /** The member that says in which format serials were uploaded. */
    static final String FORMAT = "format";

    static final String NDJSON = "ndjson";

    private static final Logger LOG = LoggerFactory.getLogger(Jobs.class);
    private static final RowLock FLEET = RowLock.of("fleet", "name");
    private static final String ROWS = "SELECT " + Job.COLUMNS + " FROM job WHERE fleet = ? AND state <> 'U' AND ";
    private static final String NEWEST = " ORDER BY id DESC LIMIT ";
    private static final String BEHIND_ALL = "g";
    /** How long an upload may be silent. */
    private static final Duration UPLOAD = Duration.ofHours(1);

    private static final String TOO_LONG = "the upload took too long";
    private static final int DELETED_AT_ONCE = 20;
    private static final int KEY = 32;

    private final Database database;
    private final MasterKey master;
    private final Audit audit;
    private final SerialImport serials;
    private final Ids ids;
    private final Duration keep;
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();

    @Inject
    Jobs(
            Database database,
            MasterKey master,
            Audit audit,
            SerialImport serials,
            Ids ids,
            MusterConfig config,
            @Ours Clock clock) {
        this.database = database;
        this.master = master;
        this.audit = audit;
        this.serials = serials;
        this.ids = ids;
        this.keep = config.jobs().keep();
        this.clock = clock;
    }

    private static String purpose(String job) {
        return "job:" + job;
    }

    /**
     * Has something done with devices.
     *
     * @param what the members of the request, which were checked
     * @param total how many devices, if that is known
     * @throws RegistryException {@code CONFLICT} if {@link #MOST} jobs of the fleet wait or run
     */
    public Job create(
            String fleet, Job.Kind kind, Map<String, Object> what, Optional<Long> total, boolean dryRun, String by) {
        String id = Ids.hex(ids.next());
        database.transaction(em -> {
            insert(em, id, fleet, kind, what, dryRun, by, newKey());
            start(em, id, fleet, kind, total, by);
            return null;
        });
        return get(fleet, id);
    }

    /**
     * Stores a list of expected serials, and has it imported.
     *
     * @param ndjson whether each line is a JSON object; otherwise it is CSV
     * @throws RegistryException {@code INVALID_REQUEST} if the header is faulty or the text ends before it is complete;
     *     {@code CONFLICT} as of {@link #create}
     */
    public Job importSerials(Fleet fleet, boolean ndjson, InputStream text, boolean dryRun, String by) {
        String id = Ids.hex(ids.next());
        byte[] secret = newKey();
        database.transaction(em -> {
            insert(
                    em,
                    id,
                    fleet.name(),
                    Job.Kind.IMPORT_SERIALS,
                    Map.of(FORMAT, ndjson ? NDJSON : "csv"),
                    dryRun,
                    by,
                    secret);
            return null;
        });
        boolean stored = false;
        try {
            long lines = upload(fleet, id, ndjson, WrittenText.withoutMark(text), MasterKey.of(secret));
            database.transaction(em -> {
                start(em, id, fleet.name(), Job.Kind.IMPORT_SERIALS, Optional.of(lines), by);
                return null;
            });
            stored = true;
        } catch (WrittenText.Utf16Exception e) {
            throw invalid(WrittenText.reason(e));
        } catch (IOException e) {
            throw invalid("the body ended before it was complete");
        } finally {
            if (!stored) {
                forget(id);
            }
        }
        return get(fleet.name(), id);
    }

    private void forget(String id) {
        try {
            delete(id);
        } catch (DatabaseUnavailableException e) {
            LOG.debug("The rest of an upload is deleted when it expires", e);
        }
    }

    private static RegistryException invalid(String fault) {
        return RegistryException.invalid(List.of(new Problem.Fault("#", fault)));
    }

    /** Stores the text in parts, and returns how many lines have something in them, but for a header line. */
    private long upload(Fleet fleet, String id, boolean ndjson, InputStream text, MasterKey key) throws IOException {
        LineCount lines = new LineCount();
        byte[] buffer = new byte[JobData.PART];
        byte[] head = new byte[0];
        for (int part = 0; ; part++) {
            int size = text.readNBytes(buffer, 0, buffer.length);
            byte[] bytes = Arrays.copyOf(buffer, size);
            if (part == 0) {
                if (size == 0) {
                    throw invalid("the text is empty");
                }
                try (LineImport checked = serials.lines(fleet, ndjson, bytes)) {
                    head = checked.head();
                }
            }
            if (size == 0) {
                break;
            }
            lines.count(bytes);
            store(id, part, bytes, head, key);
        }
        return Math.max(0, lines.number() - (ndjson ? 0 : 1));
    }

    private void store(String id, int part, byte[] bytes, byte[] head, MasterKey key) {
        database.jdbcTransaction(connection -> {
            int rows = Sql.of(
                            "UPDATE job SET expires_at = ? WHERE id = ? AND state = 'U'",
                            clock.instant().plus(UPLOAD),
                            id)
                    .update()
                    .in(connection);
            if (rows == 0) {
                throw invalid(TOO_LONG);
            }
            JobData.INPUT.insert(connection, id, part, bytes, key);
            if (part == 0 && head.length > 0) {
                JobData.FAILURES.insert(connection, id, part, head, key);
            }
            return null;
        });
    }

    private byte[] newKey() {
        byte[] key = new byte[KEY];
        random.nextBytes(key);
        return key;
    }

    private void insert(
            EntityManager em,
            String id,
            String fleet,
            Job.Kind kind,
            Map<String, Object> what,
            boolean dryRun,
            String by,
            byte[] key) {
        FLEET.take(em, fleet);
        long there = Database.within(
                        em,
                        Sql.of("SELECT COUNT(*) FROM job WHERE fleet = ? AND state IN ('U', 'W', 'R')", fleet)
                                .first(row -> row.getLong(1)))
                .orElse(0L);
        if (there >= MOST) {
            throw RegistryException.withDetail(
                    ProblemType.CONFLICT, "the fleet has " + MOST + " jobs that wait or run; wait, or cancel one");
        }
        Database.within(
                em,
                Sql.of(
                                "INSERT INTO job (id, fleet, kind, state, operator, what, dry_run, sealed_key, created_at,"
                                        + " due_at, expires_at, turn, tries, place, parts, done, failed)"
                                        + " VALUES (?, ?, ?, 'U', ?, ?, ?, ?, ?, ?, ?, 0, 0, '', 0, 0, 0)",
                                id,
                                fleet,
                                kind.word(),
                                by,
                                Json.text(what),
                                dryRun,
                                master.seal(key, purpose(id)),
                                clock.millis(),
                                JobQueue.NEVER,
                                clock.instant().plus(UPLOAD))
                        .update());
    }

    private void start(EntityManager em, String id, String fleet, Job.Kind kind, Optional<Long> total, String by) {
        int rows = Database.within(
                em,
                Sql.of(
                                "UPDATE job SET state = 'W', created_at = ?, due_at = ?, expires_at = ?, total = ?"
                                        + " WHERE id = ? AND state = 'U'",
                                clock.millis(),
                                clock.millis(),
                                JobQueue.NEVER,
                                total.orElse(null),
                                id)
                        .update());
        if (rows == 0) {
            throw invalid(TOO_LONG);
        }
        audit.record(em, Audit.Type.JOB_CREATED, fleet, null, null, by, kind.word() + ", job " + id);
    }

    /** Lists jobs, the newest first, those before the given one. */
    public List<Job> list(String fleet, Optional<Job.State> state, Optional<String> before, int atMost) {
        String from = before.orElse(BEHIND_ALL);
        return database.forOperators()
                .jdbc((state.isPresent()
                                ? Sql.of(
                                        ROWS + "state = ? AND id < ?" + NEWEST + atMost,
                                        fleet,
                                        state.get().letter(),
                                        from)
                                : Sql.of(ROWS + "id < ?" + NEWEST + atMost, fleet, from))
                        .list(Job::of));
    }

    /**
     * Returns a job.
     *
     * @throws RegistryException {@code NOT_FOUND} if the fleet has none of this id
     */
    public Job get(String fleet, String id) {
        return database.found(
                        () -> database.jdbc(Sql.of(ROWS + "id = ?", fleet, id).first(Job::of)))
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such job"));
    }

    /**
     * Cancels a job. The batch that a node works on now is undone, and those before stay.
     *
     * @throws RegistryException {@code CONFLICT} if it has ended
     */
    public Job cancel(Job job, String by) {
        database.transaction(em -> {
            int rows = Database.within(
                    em,
                    Sql.of(
                                    "UPDATE job SET state = 'X', ended_at = ?, due_at = ?, expires_at = ?"
                                            + " WHERE id = ? AND state IN ('W', 'R')",
                                    clock.millis(),
                                    JobQueue.NEVER,
                                    clock.instant().plus(keep),
                                    job.id())
                            .update());
            if (rows == 0) {
                throw RegistryException.withDetail(ProblemType.CONFLICT, "the job has ended");
            }
            audit.record(
                    em,
                    Audit.Type.JOB_CANCELLED,
                    job.fleet(),
                    null,
                    null,
                    by,
                    job.kind().word() + ", job " + job.id());
            return null;
        });
        JobData.INPUT.delete(database, job.id());
        return get(job.fleet(), job.id());
    }

    /** A part of the results of a job, or of its failed rows. */
    public record Piece(int number, byte[] bytes) {}

    /**
     * Returns the next part of the results of a job. Each line is a JSON object.
     *
     * @param after the number of the part before, at first -1
     */
    public Optional<Piece> results(Job job, int after) {
        return part(JobData.RESULTS, job, after);
    }

    /**
     * Returns the next part of the file of failed rows.
     *
     * @param after the number of the part before, at first -1
     */
    public Optional<Piece> failures(Job job, int after) {
        return part(JobData.FAILURES, job, after);
    }

    private Optional<Piece> part(JobData data, Job job, int after) {
        return key(job.id())
                .flatMap(key -> data.next(database, job.id(), after, key))
                .map(part -> new Piece(part.number(), part.bytes()));
    }

    /** Tells whether failed rows are CSV. */
    public static boolean isCsv(Job job) {
        return job.kind() == Job.Kind.IMPORT_SERIALS
                && !NDJSON.equals(job.what().get(FORMAT));
    }

    /** Returns the key of the data of a job; empty if there is no such job any more. */
    Optional<MasterKey> key(String id) {
        return database.jdbc(
                        Sql.of("SELECT sealed_key FROM job WHERE id = ?", id).first(row -> row.getBytes(1)))
                .map(encrypted -> MasterKey.of(master.open(encrypted, purpose(id))));
    }

    /** Deletes some jobs that were kept long enough, and uploads that nobody goes on with. */
    void deleteExpired() {
        database.jdbc(Sql.of(
                                "SELECT id FROM job WHERE expires_at <= ? ORDER BY expires_at LIMIT " + DELETED_AT_ONCE,
                                clock.millis())
                        .list(row -> row.getString(1)))
                .forEach(this::delete);
    }

    private void delete(String id) {
        for (JobData data : JobData.values()) {
            data.delete(database, id);
        }
        database.jdbc(Sql.of("DELETE FROM job WHERE id = ? AND state NOT IN ('W', 'R')", id)
                .update());
    }

    /** How many jobs of all fleets are in these states. */
    record Counts(long waiting, long running) {}

    Counts count() {
        Map<String, Long> counts = new LinkedHashMap<>();
        database.jdbc(Sql.of("SELECT state, COUNT(*) FROM job WHERE due_at < ? GROUP BY state", JobQueue.NEVER)
                .forEach(row -> counts.put(row.getString(1), row.getLong(2))));
        return new Counts(counts.getOrDefault("W", 0L), counts.getOrDefault("R", 0L));
    }
}
