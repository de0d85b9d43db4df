// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.json.Json;
import io.muster.log.RareLog;
import io.muster.persistence.Database;
import io.muster.persistence.Sql;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The sessions of users at the claim page, on all nodes together. A browser holds a random text, and the database only its hash. A session has
 * the name and groups that the provider told at the sign-in, so it lasts {@link #LIFETIME} at most. Thread-safe.
 */
@Part
public final class UserSessions {

    /** How long a session lasts, used or not. */
    public static final Duration LIFETIME = Duration.ofHours(12);

    private static final RareLog LOG = RareLog.of(UserSessions.class);
    private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9_-]{43}");
    private static final int TOKEN_BYTES = 32;
    /** The column holds 65,535 bytes on MariaDB. */
    private static final int MOST_BYTES_OF_GROUPS = 60_000;

    private final Database database;
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();

    @Inject
    UserSessions(Database database, @Ours Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    /** Begins a session, and returns the text that proves it. */
    public String begin(User user) {
        byte[] bytes = new byte[TOKEN_BYTES];
        random.nextBytes(bytes);
        String token = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        Sql insert = Sql.of(
                "INSERT INTO user_session (hash, provider, issuer, subject, user_name, user_groups, created_at,"
                        + " expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                hash(token),
                user.provider(),
                user.issuer(),
                user.subject(),
                user.name().orElse(null),
                groups(user),
                clock.instant(),
                clock.instant().plus(LIFETIME));
        database.jdbcTransaction(insert.update());
        return token;
    }

    /** Returns the user whose session the text proves; empty if it has ended or there was none. */
    public Optional<User> find(String token) {
        if (!TOKEN.matcher(token).matches()) {
            return Optional.empty();
        }
        return database.found(() -> database.jdbc(Sql.of(
                        "SELECT provider, issuer, subject, user_name, user_groups FROM user_session"
                                + " WHERE hash = ? AND expires_at > ?",
                        hash(token),
                        clock.instant())
                .first(UserSessions::user)));
    }

    /** Ends a session, if there is one. */
    public void end(String token) {
        if (TOKEN.matcher(token).matches()) {
            database.jdbcTransaction(Sql.of("DELETE FROM user_session WHERE hash = ?", hash(token))
                    .update());
        }
    }

    private static User user(ResultSet row) throws SQLException {
        Set<String> groups = new HashSet<>();
        for (JsonNode group : Json.parse(row.getString(5).getBytes(StandardCharsets.UTF_8))) {
            groups.add(group.textValue());
        }
        return new User(
                row.getString(1), row.getString(2), row.getString(3), Optional.ofNullable(row.getString(4)), groups);
    }

    /** Writes as many groups as there is room for: two hundred long ones are more. */
    private static String groups(User user) {
        List<String> kept = new ArrayList<>();
        int bytes = 2;
        for (String group : user.groups().stream().sorted().toList()) {
            bytes += Json.bytes(group).length + 1;
            if (bytes > MOST_BYTES_OF_GROUPS) {
                LOG.warn(
                        user.provider(),
                        "A user of {} has more groups than a sign-in can remember; those last in the alphabet are left"
                                + " out",
                        user.provider());
                break;
            }
            kept.add(group);
        }
        return Json.text(kept);
    }

    private static byte[] hash(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.US_ASCII));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
