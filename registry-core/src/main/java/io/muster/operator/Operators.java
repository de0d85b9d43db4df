// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import io.muster.credential.Secrets;
import io.muster.disconnection.Disconnections;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.persistence.IndexRange;
import io.muster.persistence.OwnerOnlyFile;
import io.muster.persistence.Sql;
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
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Operators and their tokens. A token is {@code mo_} and 256 random bits; only its hash is stored. Thread-safe.
 */
@Part
public final class Operators {

    /** The name of the operator that the first start creates. */
    public static final String FIRST = "first";

    private static final String PREFIX = "mo_";
    private static final String FILE = "operator-token";
    private static final String SUBJECT = "operator:";
    private static final String SUBJECT_NAME = "operator-name:";
    /** The form of a key of {@link io.muster.spi.Credential}; a device id has it too. */
    private static final Pattern DEVICES = Pattern.compile("[A-Za-z0-9]{16,64}");

    private static final int REMEMBERED = 10_000;
    private static final String REQUEST = "new-operator";
    private static final Pattern REQUESTED = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._@-]{0,63}");
    // If a revoked operator gave its name away, its row has the name in former_name, and its id in place of the name.
    private static final String COLUMNS = "id, COALESCE(former_name, name), rights, state, created_at";
    private static final IndexRange BY_ID = IndexRange.of("id");

    private final Database database;
    private final Changes changes;
    private final Audit audit;
    private final Disconnections disconnections;
    private final Ids ids;
    private final Set<String> reserved;
    private final Clock clock;
    private final Changes.Remembered<Operator> byToken;
    private final Changes.Remembered<Operator> byName;

    /** Keeps operators in the database. None can have a name by which brokers know this registry. */
    @Inject
    public Operators(
            Database database,
            Changes changes,
            Audit audit,
            Disconnections disconnections,
            Ids ids,
            MusterConfig config,
            @Ours Clock clock) {
        this.database = database;
        this.changes = changes;
        this.audit = audit;
        this.disconnections = disconnections;
        this.ids = ids;
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
     * Returns the operator with this token, at most two seconds late, whether active or not.
     *
     * @return empty for anything that is not a token
     */
    public Optional<Operator> authenticate(String token) {
        if (!token.startsWith(PREFIX) || token.length() > 128) {
            return Optional.empty();
        }
        return byToken.get(subject(Secrets.hash(token)));
    }

    /**
     * Returns the operator with this name, at most two seconds late, whether active or not. Proves nothing about the
     * caller.
     */
    public Optional<Operator> find(String name) {
        return byName.get(SUBJECT_NAME + name);
    }

    private static String subject(byte[] hash) {
        return SUBJECT + Ids.hex(hash);
    }

    private Optional<Operator> load(String subject) {
        return load("token_hash", Ids.bytes(subject.substring(SUBJECT.length())));
    }

    private Optional<Operator> loadByName(String subject) {
        return load("name", subject.substring(SUBJECT_NAME.length()));
    }

    private Optional<Operator> load(String column, Object value) {
        return database.jdbc(Sql.of("SELECT " + COLUMNS + " FROM operator WHERE " + column + " = ?", value)
                .first(Operators::operator));
    }

    private static Operator operator(ResultSet row) throws SQLException {
        return new Operator(
                Ids.hex(row.getBytes(1)),
                row.getString(2),
                Right.ofStored(row.getString(3)),
                row.getString(4).equals("A"),
                Instant.ofEpochMilli(row.getLong(5)));
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
     * @param by the name of the operator who makes it
     * @return empty if the name is taken or reserved
     */
    public Optional<Created> create(String name, Set<Right> rights, String by) {
        if (isLikeADevices(name)) {
            throw new IllegalArgumentException("a name like a device's");
        }
        if (reserved.contains(name)) {
            return Optional.empty();
        }
        String token = PREFIX + Secrets.next();
        return insert(Audit.Type.OPERATOR_CREATED, name, rights, token, by)
                .map(operator -> new Created(operator, token));
    }

    private Optional<Operator> insert(Audit.Type type, String name, Set<Right> rights, String token, String by) {
        byte[] id = ids.next();
        Instant now = clock.instant();
        byte[] hash = Secrets.hash(token);
        try {
            boolean free = database.transaction(em -> {
                if (!freed(em, name)) {
                    return false;
                }
                em.createNativeQuery(
                                "INSERT INTO operator (id, name, token_hash, rights, state, created_at) VALUES (?, ?,"
                                        + " ?, ?, 'A', ?)")
                        .setParameter(1, id)
                        .setParameter(2, name)
                        .setParameter(3, hash)
                        .setParameter(4, Right.stored(rights))
                        .setParameter(5, now.toEpochMilli())
                        .executeUpdate();
                audit.record(em, type, null, null, null, by, name);
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
        return Optional.of(new Operator(Ids.hex(id), name, rights, true, now));
    }

    /** Takes the name from a revoked operator that has it. Returns false if that operator cannot give it away yet. */
    private boolean freed(EntityManager em, String name) {
        List<?> revoked = em.createNativeQuery("SELECT id, rights FROM operator WHERE name = ? AND state = 'R'")
                .setParameter(1, name)
                .getResultList();
        for (Object row : revoked) {
            byte[] id = (byte[]) ((Object[]) row)[0];
            Set<Right> had = Right.ofStored(String.valueOf(((Object[]) row)[1]));
            if (had.stream().anyMatch(Right::isForBrokers) && disconnections.mayBeConnected(em, name)) {
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
     * Revokes an operator's token. Effective on this node when it returns, on others within two seconds. Brokers are
     * told to disconnect the operator.
     *
     * @return false if there is no such operator, or it was revoked before
     */
    public boolean revoke(String id, String by) {
        List<String> revoked = database.transaction(em -> revoke(em, Ids.bytes(id), by));
        changes.forget(revoked);
        disconnections.committed();
        return !revoked.isEmpty();
    }

    private List<String> revoke(EntityManager em, byte[] id, String by) {
        int rows = em.createNativeQuery("UPDATE operator SET state = 'R' WHERE id = ? AND state = 'A'")
                .setParameter(1, id)
                .executeUpdate();
        if (rows == 0) {
            return List.of();
        }
        // It still has its name: it was active until now.
        Object[] row = (Object[]) em.createNativeQuery("SELECT name, token_hash FROM operator WHERE id = ?")
                .setParameter(1, id)
                .getSingleResult();
        List<String> subjects = List.of(subject((byte[]) row[1]), SUBJECT_NAME + row[0]);
        audit.record(em, Audit.Type.OPERATOR_REVOKED, null, null, null, by, String.valueOf(row[0]));
        disconnections.request(em, String.valueOf(row[0]));
        changes.note(em, subjects);
        return subjects;
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
                    insert(Audit.Type.OPERATOR_CREATED, FIRST, EnumSet.allOf(Right.class), read(file), "registry");
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
                    && insert(Audit.Type.OPERATOR_RECOVERED, name, EnumSet.allOf(Right.class), token, "registry")
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
