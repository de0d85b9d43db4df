// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import io.muster.credential.LastUses;
import io.muster.credential.Secrets;
import io.muster.disconnection.Disconnections;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.persistence.IndexRange;
import io.muster.persistence.OwnerOnlyFile;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.spi.WrittenText;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongPredicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Operators and their tokens. A token is {@code mo_} and 256 random bits; only its hash is stored. Thread-safe.
 */
@Part
public final class Operators {

    /** The name of the operator that the first start creates. */
    public static final String FIRST = "first";

    /** Is said about an operator that does not exist. */
    public static final String NO_SUCH_OPERATOR = "no such operator";

    private static final String PREFIX = "mo_";
    private static final int LONGEST_TOKEN = 128;
    private static final String FILE = "operator-token";
    private static final String SUBJECT = "operator:";
    private static final String SUBJECT_NAME = "operator-name:";
    /** The form of a key of {@link io.muster.spi.Credential}; a device id has it too. */
    private static final Pattern DEVICES = Pattern.compile("[A-Za-z0-9]{16,64}");

    private static final int REMEMBERED = 10_000;
    private static final String REQUEST = "new-operator";
    private static final Pattern REQUESTED = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._@-]{0,63}");
    // If a revoked operator gave its name away, its row has the name in former_name, and its id in place of the name.
    private static final String COLUMNS = "id, COALESCE(former_name, name), rights, grants, state, created_at,"
            + " expires_at, last_used_at, version";
    private static final List<Grant> EVERYTHING =
            List.of(new Grant(Optional.of(Role.ADMIN), Set.of(), Optional.empty()));
    private static final IndexRange BY_ID = IndexRange.of("id");

    private final Database database;
    private final Changes changes;
    private final Audit audit;
    private final Disconnections disconnections;
    private final Ids ids;
    private final Set<String> reserved;
    private final Clock clock;
    private final LastUses lastUses;
    private final Changes.Remembered<Known> byToken;
    private final Changes.Remembered<Known> byName;

    /** An operator, and when a token of it stops working. */
    private record Known(Operator operator, Optional<Instant> until) {

        Operator at(Instant now) {
            return until.map(end -> now.isBefore(end)).orElse(true) ? operator : operator.ended();
        }
    }

    /** Keeps operators in the database. None can have a name by which brokers know this registry. */
    @Inject
    public Operators(
            Database database,
            Changes changes,
            Audit audit,
            Disconnections disconnections,
            Ids ids,
            LastUses lastUses,
            MusterConfig config,
            @Ours Clock clock) {
        this.database = database;
        this.changes = changes;
        this.audit = audit;
        this.disconnections = disconnections;
        this.ids = ids;
        this.lastUses = lastUses;
        this.reserved = config.brokers().stream()
                .flatMap(broker -> broker.management().stream())
                .map(MusterConfig.Management::user)
                .collect(Collectors.toSet());
        this.clock = clock;
        this.byToken = changes.remember(REMEMBERED, this::load);
        this.byName = changes.remember(REMEMBERED, this::loadByName);
    }

    /**
     * A new operator and its token.
     *
     * @param token shown this once
     */
    public record Created(Operator operator, String token) {

        /** Hides the token. */
        @Override
        public String toString() {
            return "Created[" + operator + "]";
        }
    }

    /**
     * Tells whether a name could be a device's id, or the key of a credential. Brokers know devices and operators only
     * by their names, so no operator can have such a name.
     */
    public static boolean isLikeADevices(String name) {
        return DEVICES.matcher(name).matches();
    }

    /**
     * Returns the operator with this token, at most two seconds late, whether active or not. Notes the use of it.
     *
     * @return empty for anything that is not a token
     */
    public Optional<Operator> authenticate(String token) {
        if (!isToken(token)) {
            return Optional.empty();
        }
        Instant now = clock.instant();
        Optional<Operator> operator = byToken.get(subject(Secrets.hash(token))).map(known -> known.at(now));
        operator.filter(Operator::active).ifPresent(active -> lastUses.operatorUsed(active.id(), now));
        return operator;
    }

    /** Returns the operator with the token of this hash, at most two seconds late, whether active or not. */
    Optional<Operator> ofToken(byte[] hash) {
        Instant now = clock.instant();
        return byToken.get(subject(hash)).map(known -> known.at(now));
    }

    /**
     * Returns the operator with this name, at most two seconds late, whether active or not. Proves nothing about the
     * caller.
     */
    public Optional<Operator> find(String name) {
        Instant now = clock.instant();
        return byName.get(SUBJECT_NAME + name).map(known -> known.at(now));
    }

    /** Tells whether a text has the form of a token of an operator. */
    public static boolean isToken(String text) {
        return text.startsWith(PREFIX) && text.length() <= LONGEST_TOKEN;
    }

    private static String subject(byte[] hash) {
        return SUBJECT + Ids.hex(hash);
    }

    private Optional<Known> load(String subject) {
        byte[] hash = Ids.bytes(subject.substring(SUBJECT.length()));
        return load("token_hash", hash)
                .map(operator -> new Known(operator, operator.expiresAt()))
                .or(() -> database.jdbc(
                        Sql.of("SELECT " + COLUMNS + ", second_until FROM operator WHERE second_hash = ?", hash)
                                .first(row -> second(operator(row), Instant.ofEpochMilli(row.getLong(10))))));
    }

    private static Known second(Operator operator, Instant until) {
        return new Known(
                operator,
                Optional.of(operator.expiresAt().filter(until::isAfter).orElse(until)));
    }

    private Optional<Known> loadByName(String subject) {
        return load("name", subject.substring(SUBJECT_NAME.length()))
                .map(operator -> new Known(operator, operator.expiresAt()));
    }

    private Optional<Operator> load(String column, Object value) {
        return database.jdbc(Sql.of("SELECT " + COLUMNS + " FROM operator WHERE " + column + " = ?", value)
                .first(Operators::operator));
    }

    private static Operator operator(ResultSet row) throws SQLException {
        String grants = row.getString(4);
        return new Operator(
                Ids.hex(row.getBytes(1)),
                row.getString(2),
                grants == null ? List.of(Grant.ofEarlierVersion(row.getString(3))) : Grant.ofStored(grants),
                row.getString(5).equals("A"),
                Instant.ofEpochMilli(row.getLong(6)),
                Sql.time(row, 7),
                Sql.time(row, 8),
                row.getLong(9));
    }

    /**
     * Returns the operator with this id, as the database has it now.
     *
     * @return empty if there is none; one that is revoked or has expired is not active
     */
    public Optional<Operator> get(String id) {
        return load("id", Ids.bytes(id)).map(operator -> new Known(operator, operator.expiresAt()).at(clock.instant()));
    }

    /**
     * Lists operators in the order in which they were made, including revoked ones.
     *
     * @param after the last id of the page before; empty for the first page
     * @param atMost how many
     */
    public List<Operator> list(Optional<String> after, int atMost) {
        byte[] from = after.map(Ids::bytes).orElseGet(() -> new byte[16]);
        return database.forOperators()
                .jdbc(Sql.of(
                                "SELECT " + COLUMNS + " FROM operator WHERE " + BY_ID.sql(),
                                BY_ID.values(List.of(), from, atMost))
                        .list(Operators::operator));
    }

    /**
     * Creates an operator. The name of a revoked one is free again as soon as no broker can have an open connection of
     * it. Brokers know operators by their names, so such a connection would have the rights of the new one.
     *
     * @param name unique among those that are active; 1 to 64 characters; not {@link #isLikeADevices}
     * @param expiresAt when its tokens end to work; empty for never
     * @param by the operator who makes it
     * @return empty if the name is taken or reserved
     * @throws RegistryException {@code FORBIDDEN} if the caller lacks one of these rights
     */
    public Optional<Created> create(String name, List<Grant> grants, Optional<Instant> expiresAt, Operator by) {
        requireAll(by, grants, expiresAt);
        if (isLikeADevices(name)) {
            throw new IllegalArgumentException("a name like a device's");
        }
        if (reserved.contains(name)) {
            return Optional.empty();
        }
        String token = PREFIX + Secrets.next();
        return insert(Audit.Type.OPERATOR_CREATED, name, grants, expiresAt, token, by.name())
                .map(operator -> new Created(operator, token));
    }

    /** Demands that an operator give nothing that it does not have, and for no longer. */
    private static void requireAll(Operator by, List<Grant> grants, Optional<Instant> until) {
        if (by.expiresAt().isPresent()
                && (until.isEmpty() || until.get().isAfter(by.expiresAt().get()))) {
            throw RegistryException.withDetail(
                    ProblemType.FORBIDDEN, "you cannot grant rights for longer than you have them yourself");
        }
        grants.stream().flatMap(grant -> by.lacks(grant).stream()).findFirst().ifPresent(lacking -> {
            throw RegistryException.withDetail(
                    ProblemType.FORBIDDEN, "you cannot grant a right that you do not have: " + lacking);
        });
    }

    private Optional<Operator> insert(
            Audit.Type type, String name, List<Grant> grants, Optional<Instant> expiresAt, String token, String by) {
        byte[] id = ids.next();
        Instant now = clock.instant();
        byte[] hash = Secrets.hash(token);
        Operator made = new Operator(Ids.hex(id), name, List.copyOf(grants), true, now, expiresAt, Optional.empty(), 1);
        try {
            boolean free = database.transaction(em -> {
                if (!freed(em, name)) {
                    return false;
                }
                em.createNativeQuery("INSERT INTO operator (id, name, token_hash, rights, grants, state, created_at,"
                                + " expires_at, version) VALUES (?, ?, ?, ?, ?, 'A', ?, ?, 1)")
                        .setParameter(1, id)
                        .setParameter(2, name)
                        .setParameter(3, hash)
                        // Nodes of an earlier version read only this.
                        .setParameter(4, Right.stored(made.rights()))
                        .setParameter(5, Grant.stored(grants))
                        .setParameter(6, now.toEpochMilli())
                        .setParameter(7, millis(expiresAt))
                        .executeUpdate();
                audit.record(em, type, null, null, null, by, detail(made));
                changes.note(em, List.of(subject(hash), SUBJECT_NAME + name));
                return true;
            });
            if (!free) {
                return Optional.empty();
            }
        } catch (DuplicateException e) {
            return Optional.empty();
        }
        changes.forget(List.of(subject(hash), SUBJECT_NAME + name));
        return Optional.of(made);
    }

    private static Long millis(Optional<Instant> time) {
        return time.map(Instant::toEpochMilli).orElse(null);
    }

    private static String detail(Operator operator) {
        return operator.name() + ": " + summary(operator) + "; " + Grant.stored(operator.grants());
    }

    /** Says what an operator may do for all fleets and until when. Long lists of grants do not push it out of a detail. */
    private static String summary(Operator operator) {
        Set<Right> rights = operator.rights();
        return (rights.isEmpty() ? "no right" : Right.stored(rights)) + " for all fleets"
                + operator.expiresAt().map(end -> ", expires " + end).orElse("");
    }

    /**
     * Changes what an operator may do and until when. Effective on this node when it returns, on others within two
     * seconds. Brokers are told to disconnect the operator.
     *
     * @param condition whether the present version may be changed
     * @param by the operator who changes it
     * @throws RegistryException {@code NOT_FOUND} for an operator that is not there or revoked; {@code
     *     PRECONDITION_FAILED} in another version; {@code FORBIDDEN} if the caller lacks an old or a new right
     */
    public Operator change(
            String id, List<Grant> grants, Optional<Instant> expiresAt, LongPredicate condition, Operator by) {
        requireAll(by, grants, expiresAt);
        Row changed = database.transaction(em -> {
            Row row = lock(em, Ids.bytes(id));
            long version = row.operator().version();
            // To lock it was to count it up.
            if (!condition.test(version - 1)) {
                throw new RegistryException(ProblemType.PRECONDITION_FAILED, "version " + (version - 1) + " is there");
            }
            Operator before = row.operator();
            // Or somebody with fewer rights could act under the name of an operator, once its rights were taken away.
            requireAll(by, before.grants(), by.expiresAt());
            Operator now = new Operator(
                    id,
                    before.name(),
                    List.copyOf(grants),
                    true,
                    before.createdAt(),
                    expiresAt,
                    before.lastUsedAt(),
                    version);
            em.createNativeQuery(
                            "UPDATE operator SET rights = ?, grants = ?, expires_at = ?, at_brokers = at_brokers OR ?"
                                    + " WHERE id = ?")
                    .setParameter(1, Right.stored(now.rights()))
                    .setParameter(2, Grant.stored(grants))
                    .setParameter(3, millis(expiresAt))
                    .setParameter(4, before.isForBrokers())
                    .setParameter(5, Ids.bytes(id))
                    .executeUpdate();
            audit.record(
                    em,
                    Audit.Type.OPERATOR_CHANGED,
                    null,
                    null,
                    null,
                    by.name(),
                    now.name() + ": " + summary(now) + ", before " + summary(before) + "; " + Grant.stored(now.grants())
                            + ", before " + Grant.stored(before.grants()));
            disconnections.request(em, now.name());
            changes.note(em, row.subjects());
            return new Row(now, row.subjects());
        });
        changes.forget(changed.subjects());
        disconnections.committed();
        return changed.operator();
    }

    /**
     * Gives an operator a new token. The one before works on for a while, so that a program can be changed over without
     * an interruption; one from before that ends at once.
     *
     * @param overlap how long the one before works on, not negative
     * @param by the operator who asks, perhaps the same
     * @throws RegistryException {@code NOT_FOUND} if none by this id is there or it is revoked; {@code FORBIDDEN} if the
     *     caller lacks a right of it; {@code CONFLICT} for an overlap with a right at brokers
     */
    public Created replaceToken(String id, Duration overlap, Operator by) {
        return replaceToken(id, Optional.empty(), overlap, by);
    }

    /**
     * Gives an operator a new token in exchange for its present one. The one before cannot be exchanged: with it, a
     * thief could stay for ever.
     *
     * @param present the token with which the operator asks
     * @throws RegistryException {@code UNAUTHORIZED} if that is not the present token; otherwise as the other method
     */
    public Created replaceToken(Operator operator, String present, Duration overlap) {
        return replaceToken(operator.id(), Optional.of(Secrets.hash(present)), overlap, operator);
    }

    private Created replaceToken(String id, Optional<byte[]> present, Duration overlap, Operator by) {
        String token = PREFIX + Secrets.next();
        byte[] hash = Secrets.hash(token);
        Instant until = clock.instant().plus(overlap);
        Row replaced = database.transaction(em -> {
            Row row = lock(em, Ids.bytes(id));
            if (present.isEmpty()) {
                requireAll(by, row.operator().grants(), row.operator().expiresAt());
            } else if (!row.subjects().get(0).equals(subject(present.get()))) {
                throw new RegistryException(ProblemType.UNAUTHORIZED, "not the present token");
            }
            requireNoOverlap(row.operator(), overlap);
            // MariaDB assigns from left to right.
            em.createNativeQuery(
                            "UPDATE operator SET second_hash = token_hash, second_until = ?, token_hash = ? WHERE id = ?")
                    .setParameter(1, until.toEpochMilli())
                    .setParameter(2, hash)
                    .setParameter(3, Ids.bytes(id))
                    .executeUpdate();
            audit.record(
                    em,
                    Audit.Type.OPERATOR_TOKEN_REPLACED,
                    null,
                    null,
                    null,
                    by.name(),
                    row.operator().name() + ", the token before works until " + until);
            if (overlap.isZero()) {
                disconnections.request(em, row.operator().name());
            }
            List<String> subjects = new ArrayList<>(row.subjects());
            subjects.add(subject(hash));
            changes.note(em, subjects);
            return new Row(row.operator(), subjects);
        });
        changes.forget(replaced.subjects());
        disconnections.committed();
        return new Created(replaced.operator(), token);
    }

    /** Brokers keep the connections of a token, so that one that ends later would outlive itself there. */
    private static void requireNoOverlap(Operator operator, Duration overlap) {
        if (!overlap.isZero() && operator.isForBrokers()) {
            throw RegistryException.withDetail(
                    ProblemType.CONFLICT, "with an mqtt right, a token ends at once: send \"overlap\": \"PT0S\"");
        }
    }

    /** An operator, and everything by which nodes remember it: first its present token. */
    private record Row(Operator operator, List<String> subjects) {}

    /** Locks an operator that is not revoked until the transaction ends, counts its version up, and returns it. */
    private static Row lock(EntityManager em, byte[] id) {
        int rows = em.createNativeQuery("UPDATE operator SET version = version + 1 WHERE id = ? AND state = 'A'")
                .setParameter(1, id)
                .executeUpdate();
        return Optional.of(rows)
                .filter(one -> one == 1)
                .flatMap(one -> Database.within(
                        em,
                        Sql.of("SELECT " + COLUMNS + ", token_hash, second_hash FROM operator WHERE id = ?", id)
                                .first(Operators::row)))
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, NO_SUCH_OPERATOR));
    }

    private static Row row(ResultSet row) throws SQLException {
        Operator operator = operator(row);
        List<String> subjects = new ArrayList<>(List.of(subject(row.getBytes(10)), SUBJECT_NAME + operator.name()));
        byte[] second = row.getBytes(11);
        if (second != null) {
            subjects.add(subject(second));
        }
        return new Row(operator, subjects);
    }

    /** Takes the name from a revoked operator that has it. Returns false if that operator cannot give it away yet. */
    private boolean freed(EntityManager em, String name) {
        List<?> revoked = em.createNativeQuery(
                        "SELECT id, rights, at_brokers FROM operator WHERE name = ? AND state = 'R'")
                .setParameter(1, name)
                .getResultList();
        for (Object row : revoked) {
            byte[] id = (byte[]) ((Object[]) row)[0];
            Set<Right> had = Right.ofStored(String.valueOf(((Object[]) row)[1]));
            boolean atBrokers = !String.valueOf(((Object[]) row)[2]).matches("false|0")
                    || had.stream().anyMatch(Right::isForBrokers);
            if (atBrokers && disconnections.mayBeConnected(em, name)) {
                return false;
            }
            em.createNativeQuery("UPDATE operator SET former_name = name, name = ? WHERE id = ?")
                    .setParameter(1, Ids.hex(id))
                    .setParameter(2, id)
                    .executeUpdate();
        }
        return true;
    }

    /**
     * Revokes an operator with its tokens. Effective on this node when it returns, on others within two seconds.
     * Brokers are told to disconnect the operator.
     *
     * @throws RegistryException {@code NOT_FOUND} if there is none by this id, or it was revoked before
     */
    public void revoke(String id, String by) {
        Row revoked = database.transaction(em -> {
            Row row = lock(em, Ids.bytes(id));
            em.createNativeQuery("UPDATE operator SET state = 'R' WHERE id = ?")
                    .setParameter(1, Ids.bytes(id))
                    .executeUpdate();
            String name = row.operator().name();
            audit.record(em, Audit.Type.OPERATOR_REVOKED, null, null, null, by, name);
            disconnections.request(em, name);
            changes.note(em, row.subjects());
            return row;
        });
        changes.forget(revoked.subjects());
        disconnections.committed();
    }

    /**
     * Creates the first operator, with every right, if there is none yet. If the data directory has a file
     * {@code operator-token}, its content is the token, so that a deployment may bring its own. Otherwise a new token
     * is written there, readable by its owner only.
     *
     * @return the file, if the operator was created now
     */
    public Optional<Path> createFirst(Path dataDir) {
        if (!list(Optional.empty(), 1).isEmpty()) {
            return Optional.empty();
        }
        Path file = dataDir.resolve(FILE);
        try {
            boolean written = OwnerOnlyFile.create(file, PREFIX + Secrets.next());
            Optional<Operator> first =
                    insert(Audit.Type.OPERATOR_CREATED, FIRST, EVERYTHING, Optional.empty(), read(file), "registry");
            if (first.isEmpty() && written) {
                // Another node was first, with a token of its own; this one is worthless.
                Files.delete(file);
            }
            return first.map(operator -> file);
        } catch (IOException e) {
            throw new ConfigurationException(
                    List.of("cannot read or write " + file + " (" + WrittenText.reason(e) + ")"));
        }
    }

    /**
     * Creates the operator whose name is in the file {@code new-operator} in the data directory, with every right.
     * Writes its token to a file beside it, {@code operator-token-} and the name. This is the way back after every
     * token was lost. It gives nothing away: anybody who can write there can read the master key too. The file is
     * deleted before anything is created, so that it works only once, even if something fails.
     *
     * @return the file with the token; empty if there was no request
     * @throws ConfigurationException if the request cannot be carried out; nothing was created
     */
    public Optional<Path> createRequested(Path dataDir) {
        Path request = dataDir.resolve(REQUEST);
        if (!Files.exists(request, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        try {
            String name = requested(request);
            Path file = dataDir.resolve(FILE + "-" + name);
            boolean taken = reserved.contains(name)
                    || find(name).filter(Operator::active).isPresent();
            String token = PREFIX + Secrets.next();
            if (!taken && !OwnerOnlyFile.create(file, token)) {
                // It is the file of a revoked operator, or of a start that failed early. Nobody else can have written
                // it.
                Files.delete(file);
                taken = !OwnerOnlyFile.create(file, token);
            }
            Files.delete(request);
            if (!taken
                    && insert(Audit.Type.OPERATOR_RECOVERED, name, EVERYTHING, Optional.empty(), token, "registry")
                            .isEmpty()) {
                // The token is worthless.
                Files.delete(file);
                taken = true;
            }
            if (taken) {
                throw new ConfigurationException(List.of(request + " asked for the operator " + name
                        + ", but that name is taken. Make the file again with another name, and start again"));
            }
            return Optional.of(file);
        } catch (IOException e) {
            throw new ConfigurationException(List.of(
                    "cannot do what " + request + " asks for: " + e.getClass().getSimpleName() + " " + e.getMessage()));
        }
    }

    private static String requested(Path request) throws IOException {
        if (!Files.isRegularFile(request, LinkOption.NOFOLLOW_LINKS) || Files.size(request) > 1000) {
            throw new ConfigurationException(List.of(request + " must be a file with a name in it"));
        }
        String name = WrittenText.read(request).strip();
        if (!REQUESTED.matcher(name).matches() || isLikeADevices(name)) {
            throw new ConfigurationException(List.of(request
                    + " must hold the name of a new operator: 1 to 64 letters, digits and . _ @ -,"
                    + " beginning with a letter or digit, and not the key or id of a device"));
        }
        return name;
    }

    private static String read(Path file) throws IOException {
        String token = WrittenText.read(file).strip();
        if (!token.matches(PREFIX + "[A-Za-z0-9_-]{43,100}")) {
            throw new ConfigurationException(List.of(
                    file + " must hold " + PREFIX + " and at least 43 random base64url characters, or not exist"));
        }
        return token;
    }
}
