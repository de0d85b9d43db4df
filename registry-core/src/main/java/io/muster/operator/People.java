// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.muster.api.ProblemType;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.jose.InvalidTokenException;
import io.muster.json.Json;
import io.muster.once.UsedOnce;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.spi.VerificationUnavailableException;
import io.muster.user.OperatorProvider;
import io.muster.user.User;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Operators who have an account at the company's OpenID provider. Their rights are those of their groups. Their names
 * begin with the issuer, {@code #} and the subject, and no operator with a token has such a name. Thread-safe.
 */
@Part
public final class People {

    /** A subject without blanks ends where it seems to end, whatever the name after it is. */
    private static final Pattern SUBJECT = Pattern.compile("[!-~]{1,200}");

    private static final int LONGEST_NAME = 320;
    private static final int REMEMBERED = 10_000;
    private static final Duration NOTED_FOR = Duration.ofMinutes(5);
    private static final Duration COME_BACK = Duration.ofSeconds(5);

    private final Database database;
    private final OperatorProvider provider;
    private final GroupGrants grants;
    private final Duration valid;
    private final Clock clock;
    /** The people of whom this node noted lately what the provider said. */
    private final Cache<String, Noted> noted =
            Caffeine.newBuilder().maximumSize(REMEMBERED).build();

    private record Noted(String person, Instant at, Instant createdAt) {}

    @Inject
    People(Database database, OperatorProvider provider, GroupGrants grants, MusterConfig config, @Ours Clock clock) {
        this.database = database;
        this.provider = provider;
        this.grants = grants;
        this.valid = config.operators().lifetime();
        this.clock = clock;
    }

    /**
     * An operator of whom the provider told just now.
     *
     * @param person as sessions keep it
     */
    record Proven(Operator operator, String person) {}

    /**
     * An operator who proved to be so by a token.
     *
     * @param until when the token ends
     */
    record ByToken(Proven proven, Instant until) {}

    /**
     * Returns the operator of an access token of the provider.
     *
     * @return empty if the token is none of the provider
     * @throws RegistryException {@code UNAUTHORIZED} for a bad token, {@code FORBIDDEN} for a person without a group that
     *     gives a grant, {@code VERIFICATION_UNAVAILABLE} if the provider's keys cannot be had now
     */
    public Optional<Operator> authenticate(String token) {
        return byToken(token).map(found -> found.proven().operator());
    }

    /** As {@link #authenticate}, for those who begin a session. */
    Optional<ByToken> byToken(String token) {
        try {
            return provider.access(token)
                    .map(access -> new ByToken(proven(access.user()).orElseThrow(People::noGroup), access.until()));
        } catch (InvalidTokenException e) {
            throw new RegistryException(
                    ProblemType.UNAUTHORIZED, "no valid token of the operators' provider: " + e.getMessage());
        } catch (VerificationUnavailableException e) {
            throw RegistryException.later(ProblemType.VERIFICATION_UNAVAILABLE, e.getMessage(), COME_BACK);
        }
    }

    private static RegistryException noGroup() {
        return RegistryException.withDetail(
                ProblemType.FORBIDDEN, "you are in no group that may do anything in this registry");
    }

    /**
     * Returns the operator that a person is, of whom the provider told just now.
     *
     * @return empty for a person without a group that gives a grant
     */
    Optional<Proven> proven(User person) {
        if (!SUBJECT.matcher(person.subject()).matches()) {
            throw new InvalidTokenException("its sub is not 1 to 200 visible characters of ASCII");
        }
        if (grants.known(person.groups()).isEmpty()) {
            return Optional.empty();
        }
        String stored = stored(person);
        return Optional.of(new Proven(operator(person, note(person, stored)), stored));
    }

    /**
     * Returns the operator that a session keeps.
     *
     * @return empty if the provider is none any more
     * @throws RegistryException {@code FORBIDDEN} if no group of the person gives a grant any more
     */
    Optional<Operator> kept(String stored, Instant since) {
        User person = person(stored);
        if (!provider.knows(person)) {
            return Optional.empty();
        }
        if (grants.known(person.groups()).isEmpty()) {
            throw noGroup();
        }
        return Optional.of(operator(person, since));
    }

    /**
     * Returns the operator with this name, if the provider told of that person lately. Proves nothing about the caller.
     *
     * @param name of an operator, as the record has it
     */
    public Optional<Operator> find(String name) {
        int end = name.indexOf(' ');
        String account = end < 0 ? name : name.substring(0, end);
        int hash = account.indexOf('#');
        if (hash < 0) {
            return Optional.empty();
        }
        byte[] id = id(account.substring(0, hash), account.substring(hash + 1));
        return database.jdbc(Sql.of(
                                "SELECT person, created_at FROM operator_person WHERE id = ? AND expires_at > ?",
                                id,
                                clock.instant())
                        .first(row -> Map.entry(row.getString(1), Instant.ofEpochMilli(row.getLong(2)))))
                .map(row -> Map.entry(person(row.getKey()), row.getValue()))
                .filter(row -> provider.knows(row.getKey())
                        && !grants.known(row.getKey().groups()).isEmpty())
                .map(row -> operator(row.getKey(), row.getValue()));
    }

    /** Forgets what the provider said about a person, on this node and in the database. */
    void forget(Optional<byte[]> id) {
        id.ifPresentOrElse(one -> noted.invalidate(Ids.hex(one)), noted::invalidateAll);
        database.jdbcTransaction(id.map(one -> Sql.of("DELETE FROM operator_person WHERE id = ?", one))
                .orElseGet(() -> Sql.of("DELETE FROM operator_person"))
                .update());
    }

    private Operator operator(User person, Instant since) {
        return new Operator(
                Ids.hex(id(person.issuer(), person.subject())),
                name(person),
                grants.of(person.groups()),
                true,
                since,
                Optional.empty(),
                Optional.empty(),
                0);
    }

    /** Keeps what the provider said, for jobs. Returns since when. */
    private Instant note(User person, String stored) {
        byte[] id = id(person.issuer(), person.subject());
        String key = Ids.hex(id);
        Instant now = clock.instant();
        Noted before = noted.getIfPresent(key);
        if (before != null
                && before.person().equals(stored)
                && now.isBefore(before.at().plus(NOTED_FOR))) {
            return before.createdAt();
        }
        if (!update(id, stored, now)) {
            try {
                database.jdbcTransaction(Sql.of(
                                "INSERT INTO operator_person (id, person, created_at, expires_at) VALUES (?, ?, ?, ?)",
                                id,
                                stored,
                                now,
                                now.plus(valid))
                        .update());
            } catch (DuplicateException e) {
                update(id, stored, now);
            }
        }
        Instant since = database.jdbc(Sql.of("SELECT created_at FROM operator_person WHERE id = ?", id)
                        .first(row -> Instant.ofEpochMilli(row.getLong(1))))
                .orElse(now);
        noted.put(key, new Noted(stored, now, since));
        return since;
    }

    private boolean update(byte[] id, String stored, Instant now) {
        return database.jdbcTransaction(Sql.of(
                                "UPDATE operator_person SET person = ?, expires_at = ? WHERE id = ?",
                                stored,
                                now.plus(valid),
                                id)
                        .update())
                == 1;
    }

    private static byte[] id(String issuer, String subject) {
        return Arrays.copyOf(UsedOnce.id("operator", issuer, subject), 16);
    }

    private static String name(User person) {
        String account = person.issuer() + "#" + person.subject();
        int room = LONGEST_NAME - account.length() - " ()".length();
        return account
                + person.name()
                        .map(name -> cut(name, room))
                        .filter(name -> !name.isEmpty())
                        .map(name -> " (" + name + ")")
                        .orElse("");
    }

    private static String cut(String name, int room) {
        int end = Math.min(name.length(), room);
        return name.substring(0, end < name.length() && Character.isLowSurrogate(name.charAt(end)) ? end - 1 : end);
    }

    /** Writes what is worth keeping: groups that give nothing are not. */
    private String stored(User person) {
        Map<String, Object> stored = new LinkedHashMap<>();
        stored.put("issuer", person.issuer());
        stored.put("subject", person.subject());
        person.name().ifPresent(name -> stored.put("name", name));
        stored.put("groups", List.copyOf(grants.known(person.groups())));
        return Json.text(stored);
    }

    private static User person(String stored) {
        JsonNode json = Json.parse(stored.getBytes(StandardCharsets.UTF_8));
        Set<String> groups = new HashSet<>();
        json.path("groups").forEach(group -> groups.add(group.textValue()));
        return new User(
                OperatorProvider.name(),
                json.path("issuer").textValue(),
                json.path("subject").textValue(),
                Optional.ofNullable(json.path("name").textValue()),
                groups);
    }
}
