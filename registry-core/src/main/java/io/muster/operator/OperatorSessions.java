// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.credential.Secrets;
import io.muster.jose.InvalidTokenException;
import io.muster.log.RareLog;
import io.muster.once.UsedOnce;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.IndexRange;
import io.muster.persistence.MasterKey;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.user.OperatorProvider;
import io.muster.user.SignIn;
import io.muster.user.User;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The sessions of operators at the console, on all nodes together. A browser holds a random text, and the database only
 * its hash. A session that began with a token, or with a link made with that token, ends with the token. A session of a
 * person from the company's provider has the groups that the provider told. Thread-safe.
 */
@Part
public final class OperatorSessions {

    /** The path of the console. One server reserves {@code /console} for a page of its own. */
    public static final String CONSOLE = "/ui";

    /** How long a link is good. */
    public static final Duration LINK = Duration.ofMinutes(1);

    private static final RareLog LOG = RareLog.of(OperatorSessions.class);
    private static final Pattern TEXT = Pattern.compile("[A-Za-z0-9_-]{43}");
    private static final String SESSION = "S";
    private static final String LINKED = "L";
    /** The oldest session of an operator ends if there is one more. */
    private static final int MOST_SESSIONS = 50;

    /** So does the oldest link. */
    private static final int MOST_LINKS = 10;

    private static final int ENDED_AT_ONCE = 1000;
    private static final Duration LEAST_BETWEEN_NOTES = Duration.ofSeconds(30);
    private static final String COLUMNS =
            "id, operator, name, token_hash, person, created_at, used_at, expires_at, ends_at, kind";
    private static final IndexRange BY_ID = IndexRange.of("id");

    private final Database database;
    private final Operators operators;
    private final People people;
    private final Audit audit;
    private final Ids ids;
    private final SignIn signIn;
    private final Duration idle;
    private final Duration lifetime;
    private final Clock clock;

    @Inject
    OperatorSessions(
            Database database,
            Operators operators,
            People people,
            OperatorProvider provider,
            MasterKey master,
            UsedOnce used,
            Audit audit,
            Ids ids,
            MusterConfig config,
            @Ours Clock clock) {
        this.database = database;
        this.operators = operators;
        this.people = people;
        this.audit = audit;
        this.ids = ids;
        this.signIn = provider.signIn(master, used, this::beginFor);
        this.idle = config.operators().idle();
        this.lifetime = config.operators().lifetime();
        this.clock = clock;
    }

    /**
     * A session for those who list it.
     *
     * @param id 32 hex digits
     * @param operator the id of its operator
     * @param name the name of its operator at the sign-in
     * @param link whether it is a link that nobody used yet
     * @param active false once it has ended
     * @param usedAt its last request, some time late
     * @param expiresAt its end, however much it is used
     */
    public record Listed(
            String id,
            String operator,
            String name,
            boolean link,
            boolean active,
            Instant createdAt,
            Instant usedAt,
            Instant expiresAt) {}

    /**
     * A session that is there.
     *
     * @param expiresAt its end, however much it is used
     */
    public record Session(Operator operator, Instant expiresAt) {}

    /** A session or link that began: the secret text, and when it ends. */
    public record Begun(String text, Instant expiresAt) {

        /** Hides the text. */
        @Override
        public String toString() {
            return "Begun[" + expiresAt + "]";
        }
    }

    /** A token of this registry or an account at the provider, as a request proved it. */
    private record Proof(byte[] operator, String name, byte[] tokenHash, String person, Instant endsAt) {}

    private record Row(byte[] id, boolean link, Proof proof, Instant createdAt, Instant usedAt, Instant expiresAt) {}

    /** Returns the sign-in at the company's provider. */
    public SignIn signIn() {
        return signIn;
    }

    /** Begins a session for a person who comes back from the provider; empty for one who may do nothing. */
    private Optional<String> beginFor(User person) {
        try {
            return people.proven(person).map(proven -> begin(
                            new Proof(
                                    Ids.bytes(proven.operator().id()),
                                    proven.operator().name(),
                                    null,
                                    proven.person(),
                                    clock.instant().plus(lifetime)),
                            "by the provider")
                    .text());
        } catch (InvalidTokenException e) {
            LOG.warn("subject", "A sign-in of an operator failed: {}", e.getMessage());
            return Optional.empty();
        }
    }

    /** Begins a session with a token of an operator; empty if it is none that works. */
    public Optional<Begun> beginWithToken(String token) {
        return operators
                .authenticate(token)
                .filter(Operator::active)
                .map(operator -> begin(ofToken(operator, token), "by token"));
    }

    private Proof ofToken(Operator operator, String token) {
        Instant latest = clock.instant().plus(lifetime);
        return new Proof(
                Ids.bytes(operator.id()),
                operator.name(),
                Secrets.hash(token),
                null,
                operator.expiresAt().map(end -> earlier(end, latest)).orElse(latest));
    }

    private Begun begin(Proof proof, String how) {
        return database.transaction(em -> begin(em, proof, how));
    }

    private Begun begin(EntityManager em, Proof proof, String how) {
        Begun begun = insert(em, SESSION, proof, proof.endsAt());
        audit.record(em, Audit.Type.CONSOLE_SIGNED_IN, null, null, null, proof.name(), how);
        return begun;
    }

    private Begun insert(EntityManager em, String kind, Proof proof, Instant expiresAt) {
        String text = Secrets.next();
        Instant now = clock.instant();
        Database.within(
                em,
                Sql.of(
                                "INSERT INTO operator_session (id, hash, kind, operator, name, token_hash, person, created_at,"
                                        + " used_at, expires_at, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                java.util.Arrays.asList(
                                        ids.next(),
                                        Secrets.hash(text),
                                        kind,
                                        proof.operator(),
                                        proof.name(),
                                        proof.tokenHash(),
                                        proof.person(),
                                        now,
                                        now,
                                        expiresAt,
                                        proof.endsAt()))
                        .update());
        keepNewest(em, kind, proof.operator(), kind.equals(LINKED) ? MOST_LINKS : MOST_SESSIONS);
        return new Begun(text, expiresAt);
    }

    /** Ends what is older than the newest of one kind. Both kinds of an operator together are few rows. */
    private static void keepNewest(EntityManager em, String kind, byte[] operator, int most) {
        List<byte[]> kept = Database.within(
                em,
                Sql.of(
                                "SELECT id FROM operator_session WHERE operator = ? AND kind = ? ORDER BY operator DESC, id DESC"
                                        + " LIMIT " + most,
                                operator,
                                kind)
                        .list(row -> row.getBytes(1)));
        if (kept.size() == most) {
            Database.within(
                    em,
                    Sql.of(
                                    "DELETE FROM operator_session WHERE operator = ? AND kind = ? AND id < ?",
                                    operator,
                                    kind,
                                    kept.get(most - 1))
                            .update());
        }
    }

    /**
     * Makes a link that begins a session once. That session ends no later than what the operator signed in with.
     *
     * @param cookie the session of the request; empty for a request with a token
     * @param token the token of the request, if it has no session
     */
    public Begun link(Operator by, Optional<String> cookie, Optional<String> token) {
        Proof proof = cookie.flatMap(this::row)
                .map(Row::proof)
                .or(() -> token.flatMap(text -> proof(by, text)))
                .orElseThrow(() -> new RegistryException(ProblemType.UNAUTHORIZED, "nobody is signed in"));
        Instant end = clock.instant().plus(LINK);
        return database.transaction(em -> {
            audit.record(em, Audit.Type.CONSOLE_LINK_MADE, null, null, null, by.name(), null);
            return insert(em, LINKED, proof, proof.endsAt().isBefore(end) ? proof.endsAt() : end);
        });
    }

    private Optional<Proof> proof(Operator by, String token) {
        return operators.authenticate(token).isPresent()
                ? Optional.of(ofToken(by, token))
                : people.byToken(token)
                        .map(found -> new Proof(
                                Ids.bytes(by.id()),
                                by.name(),
                                null,
                                found.proven().person(),
                                // No longer than the token: a thief of it would otherwise gain time.
                                earlier(found.until(), clock.instant().plus(lifetime))));
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    /** Begins a session with the code of a link; empty if it is none, has expired or was used. */
    public Optional<Begun> beginWithLink(String code) {
        if (!TEXT.matcher(code).matches()) {
            return Optional.empty();
        }
        Optional<Row> link = database.found(() -> database.jdbc(select(Secrets.hash(code), LINKED)))
                .filter(row -> operator(row).isPresent());
        return link.flatMap(row -> database.transaction(em -> {
            int used = Database.within(
                    em,
                    Sql.of("DELETE FROM operator_session WHERE id = ?", row.id())
                            .update());
            return used == 1 ? Optional.of(begin(em, row.proof(), "by link")) : Optional.empty();
        }));
    }

    private Database.SqlWork<Optional<Row>> select(byte[] hash, String kind) {
        return Sql.of(
                        "SELECT " + COLUMNS + " FROM operator_session WHERE hash = ? AND kind = ? AND expires_at > ?",
                        hash,
                        kind,
                        clock.instant())
                .first(OperatorSessions::row);
    }

    private static Row row(ResultSet row) throws SQLException {
        return new Row(
                row.getBytes(1),
                row.getString(10).equals(LINKED),
                new Proof(
                        row.getBytes(2),
                        row.getString(3),
                        row.getBytes(4),
                        row.getString(5),
                        Instant.ofEpochMilli(row.getLong(9))),
                Instant.ofEpochMilli(row.getLong(6)),
                Instant.ofEpochMilli(row.getLong(7)),
                Instant.ofEpochMilli(row.getLong(8)));
    }

    private Optional<Row> row(String text) {
        if (!TEXT.matcher(text).matches()) {
            return Optional.empty();
        }
        return database.found(() -> database.jdbc(select(Secrets.hash(text), SESSION)))
                .filter(row -> clock.instant().isBefore(row.usedAt().plus(idle)));
    }

    private Optional<Operator> operator(Row row) {
        return row.proof().tokenHash() == null
                ? people.kept(row.proof().person(), row.createdAt())
                : operators.ofToken(row.proof().tokenHash()).filter(Operator::active);
    }

    /**
     * Returns the session that the text proves, and notes the use of it.
     *
     * @return empty if it has ended or there was none
     * @throws RegistryException {@code FORBIDDEN} if no group of the person gives a grant any more
     */
    public Optional<Session> find(String text) {
        Optional<Row> found = row(text);
        Optional<Session> session =
                found.flatMap(row -> operator(row).map(operator -> new Session(operator, row.expiresAt())));
        if (session.isPresent()) {
            note(found.get());
        }
        return session;
    }

    /** Returns the operator whose session goes on, as {@link #find}, but notes no use of it. */
    public Optional<Operator> still(String text) {
        return row(text).flatMap(this::operator);
    }

    private void note(Row row) {
        Instant now = clock.instant();
        if (!now.isBefore(row.usedAt().plus(LEAST_BETWEEN_NOTES))) {
            database.jdbcTransaction(Sql.of("UPDATE operator_session SET used_at = ? WHERE id = ?", now, row.id())
                    .update());
        }
    }

    /** Ends a session, if there is one. */
    public void end(String text) {
        row(text)
                .ifPresent(row -> database.transaction(em -> {
                    int ended = Database.within(
                            em,
                            Sql.of("DELETE FROM operator_session WHERE id = ?", row.id())
                                    .update());
                    if (ended == 1) {
                        audit.record(
                                em,
                                Audit.Type.CONSOLE_SIGNED_OUT,
                                null,
                                null,
                                null,
                                row.proof().name(),
                                null);
                    }
                    return ended;
                }));
    }

    /**
     * Lists sessions and links in the order in which they began, some time longer than they last.
     *
     * @param after the last id of the page before; empty for the first page
     */
    public List<Listed> list(Optional<String> after, int atMost) {
        Instant now = clock.instant();
        return database
                .forOperators()
                .jdbc(Sql.of(
                                "SELECT " + COLUMNS + " FROM operator_session WHERE " + BY_ID.sql(),
                                BY_ID.values(List.of(), after.map(Ids::bytes).orElseGet(() -> new byte[16]), atMost))
                        .list(OperatorSessions::row))
                .stream()
                .map(row -> new Listed(
                        Ids.hex(row.id()),
                        Ids.hex(row.proof().operator()),
                        row.proof().name(),
                        row.link(),
                        row.expiresAt().isAfter(now) && row.usedAt().plus(idle).isAfter(now),
                        row.createdAt(),
                        row.usedAt(),
                        row.expiresAt()))
                .toList();
    }

    /**
     * Ends the sessions and links of an operator, or all, on all nodes. Jobs that people from the provider began go on
     * only when the provider has told of them again.
     *
     * @param operator the id of the operator; empty for all
     * @return how many ended
     */
    public int endAll(Optional<String> operator, Operator by) {
        Optional<byte[]> id = operator.map(Ids::bytes);
        people.forget(id);
        int ended = 0;
        int last;
        do {
            last = database.jdbcTransaction(
                    id.map(one -> Sql.of("DELETE FROM operator_session WHERE operator = ? LIMIT " + ENDED_AT_ONCE, one))
                            .orElseGet(() -> Sql.of("DELETE FROM operator_session LIMIT " + ENDED_AT_ONCE))
                            .update());
            ended += last;
        } while (last == ENDED_AT_ONCE);
        int all = ended;
        database.transaction(em -> {
            audit.record(
                    em,
                    Audit.Type.CONSOLE_SESSIONS_ENDED,
                    null,
                    null,
                    null,
                    by.name(),
                    all + " of " + operator.map(one -> "operator " + one).orElse("all operators"));
            return all;
        });
        return all;
    }
}
