package io.muster.operator;

import io.muster.audit.Audit;
import io.muster.config.ConfigurationException;
import io.muster.credential.Secrets;
import io.muster.device.Disconnections;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.persistence.OwnerOnlyFile;
import jakarta.persistence.EntityManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Operators and their tokens. A token is {@code mo_} and 256 random bits; only its hash is stored. Thread-safe.
 */
public final class Operators {

    /** The name of the operator that the first start makes. */
    public static final String FIRST = "first";

    private static final String PREFIX = "mo_";
    private static final String FILE = "operator-token";
    private static final String SUBJECT = "operator:";
    private static final String SUBJECT_NAME = "operator-name:";
    private static final int REMEMBERED = 10_000;
    private static final String COLUMNS = "id, name, rights, state, created_at";

    private final Database database;
    private final Changes changes;
    private final Audit audit;
    private final Disconnections disconnections;
    private final Ids ids;
    private final Set<String> reserved;
    private final Clock clock;
    private final Changes.Remembered<Operator> byToken;
    private final Changes.Remembered<Operator> byName;

    /**
     * Keeps operators in the database.
     *
     * @param reserved names that no operator can have, because brokers know this registry by them
     */
    public Operators(
            Database database,
            Changes changes,
            Audit audit,
            Disconnections disconnections,
            Ids ids,
            Set<String> reserved,
            Clock clock) {
        this.database = database;
        this.changes = changes;
        this.audit = audit;
        this.disconnections = disconnections;
        this.ids = ids;
        this.reserved = Set.copyOf(reserved);
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

    /** Returns the operator with this name, at most two seconds late, whether active or not. Says nothing of who asks. */
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
        return database.query(connection -> {
            try (PreparedStatement select =
                    connection.prepareStatement("SELECT " + COLUMNS + " FROM operator WHERE " + column + " = ?")) {
                select.setObject(1, value);
                try (ResultSet row = select.executeQuery()) {
                    return row.next() ? Optional.of(operator(row)) : Optional.empty();
                }
            }
        });
    }

    private static Operator operator(ResultSet row) throws SQLException {
        return new Operator(
                Ids.hex(row.getBytes(1)),
                row.getString(2),
                Right.ofStored(row.getString(3)),
                row.getString(4).equals("A"),
                Instant.ofEpochMilli(row.getLong(5)));
    }

    /** Lists all operators in the order they were made. */
    public List<Operator> list() {
        return database.query(connection -> {
            List<Operator> all = new ArrayList<>();
            try (PreparedStatement select =
                            connection.prepareStatement("SELECT " + COLUMNS + " FROM operator ORDER BY id");
                    ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    all.add(operator(rows));
                }
            }
            return all;
        });
    }

    /**
     * Makes an operator.
     *
     * @param name unique; 1 to 64 characters
     * @param by the name of the operator who makes it
     * @return empty if the name is taken or reserved
     */
    public Optional<Created> create(String name, Set<Right> rights, String by) {
        if (reserved.contains(name)) {
            return Optional.empty();
        }
        String token = PREFIX + Secrets.next();
        return insert(name, rights, token, by).map(operator -> new Created(operator, token));
    }

    private Optional<Operator> insert(String name, Set<Right> rights, String token, String by) {
        byte[] id = ids.next();
        Instant now = clock.instant();
        byte[] hash = Secrets.hash(token);
        try {
            database.transaction(em -> {
                em.createNativeQuery(
                                "INSERT INTO operator (id, name, token_hash, rights, state, created_at) VALUES (?, ?, ?, ?, 'A', ?)")
                        .setParameter(1, id)
                        .setParameter(2, name)
                        .setParameter(3, hash)
                        .setParameter(4, Right.stored(rights))
                        .setParameter(5, now.toEpochMilli())
                        .executeUpdate();
                audit.record(em, Audit.Type.OPERATOR_CREATED, null, null, null, by, name);
                changes.note(em, List.of(subject(hash), SUBJECT_NAME + name));
                return null;
            });
        } catch (DuplicateException e) {
            return Optional.empty();
        }
        changes.forget(List.of(subject(hash), SUBJECT_NAME + name));
        return Optional.of(new Operator(Ids.hex(id), name, rights, true, now));
    }

    /**
     * Revokes an operator's token. Effective on this node when it returns, on others within two seconds; brokers are told to throw the
     * operator off.
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
     * Makes the first operator, with every right, if there is none yet. Its token is what {@code operator-token} in the data
     * directory holds, so that a deployment may bring its own; otherwise a new one is written there, readable by its owner only.
     *
     * @return the file, if the operator was made now
     */
    public Optional<Path> createFirst(Path dataDir) {
        if (!list().isEmpty()) {
            return Optional.empty();
        }
        Path file = dataDir.resolve(FILE);
        try {
            boolean written = OwnerOnlyFile.create(file, PREFIX + Secrets.next());
            Optional<Operator> first = insert(FIRST, EnumSet.allOf(Right.class), read(file), "registry");
            if (first.isEmpty() && written) {
                // Another node was first, with a token of its own; this one would be good for nothing.
                Files.delete(file);
            }
            return first.map(operator -> file);
        } catch (IOException e) {
            throw new ConfigurationException(
                    List.of("cannot read or write " + file + " (" + e.getClass().getSimpleName() + ")"));
        }
    }

    private static String read(Path file) throws IOException {
        String token = Files.readString(file).strip();
        if (!token.matches(PREFIX + "[A-Za-z0-9_-]{43,100}")) {
            throw new ConfigurationException(List.of(
                    file + " must hold " + PREFIX + " and at least 43 random base64url characters, or not exist"));
        }
        return token;
    }
}
