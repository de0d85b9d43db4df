// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.redis;

import io.muster.spi.Candidate;
import io.muster.spi.Configurable;
import io.muster.spi.PluginName;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import redis.clients.jedis.Connection;
import redis.clients.jedis.Protocol.Command;

/** Asks a Redis whether a serial is genuine: a member of a set, a field of a hash, or a key of its own. */
@PluginName("redis")
public final class RedisVerifier implements SerialVerifier, Configurable, AutoCloseable {

    private static final Pattern NUMBER = Pattern.compile("-?\\d{1,30}(\\.\\d{1,30})?([eE][+-]?\\d{1,3})?");
    private static final Pattern WHOLE_NUMBER = Pattern.compile("-?\\d{1,18}");

    private RedisSettings settings;
    private RedisConnections redis;

    /** Makes one that knows no Redis yet. */
    public RedisVerifier() {
        // configure does the rest
    }

    @Override
    public Set<String> settingNames() {
        return RedisSettings.NAMES;
    }

    @Override
    public Set<String> secretNames() {
        return RedisSettings.SECRETS;
    }

    @Override
    public void configure(Map<String, String> given) {
        settings = RedisSettings.of(given);
        redis = new RedisConnections(settings.server());
    }

    @Override
    public Verdict verify(Candidate candidate) {
        String serial = candidate.serial().value();
        String key = settings.key().of(candidate);
        return switch (settings.form()) {
            case SET -> member(candidate, key);
            case FIELD -> byValue(redis.ask(connection -> text(connection, Command.HGET, key, serial)));
            case KEY ->
                decidesByValue()
                        ? byValue(redis.ask(connection -> text(connection, Command.GET, key)))
                        : redis.ask(connection -> isTrue(connection, Command.EXISTS, key))
                                ? Verdict.genuine()
                                : Verdict.unknown();
            case HASH -> byFields(redis.ask(connection -> hash(connection, key)));
        };
    }

    private Verdict member(Candidate candidate, String key) {
        String serial = candidate.serial().value();
        return redis.ask(connection -> {
            if (settings.blockedKey().isPresent()
                    && isTrue(
                            connection,
                            Command.SISMEMBER,
                            settings.blockedKey().get().of(candidate),
                            serial)) {
                return Verdict.refused("it is in the set of blocked serials");
            }
            return isTrue(connection, Command.SISMEMBER, key, serial) ? Verdict.genuine() : Verdict.unknown();
        });
    }

    private boolean decidesByValue() {
        return settings.decides().equals().isPresent()
                || settings.decides().blocked().isPresent();
    }

    private Verdict byValue(Optional<String> value) {
        if (value.isEmpty()) {
            return Verdict.unknown();
        }
        RedisSettings.Decides decides = settings.decides();
        if (value.equals(decides.blocked())) {
            return Verdict.refused("its value means blocked");
        }
        if (decides.equals().isPresent() && !value.equals(decides.equals())) {
            return other("its value is not the one that means genuine");
        }
        return Verdict.genuine();
    }

    private Verdict byFields(Map<String, String> hash) {
        if (hash.isEmpty()) {
            return Verdict.unknown();
        }
        RedisSettings.Decides decides = settings.decides();
        if (decides.blockedField().isPresent()
                && Optional.ofNullable(hash.get(decides.blockedField().get())).equals(decides.blocked())) {
            return Verdict.refused("its field " + decides.blockedField().get() + " means blocked");
        }
        if (decides.field().isPresent()
                && !Optional.ofNullable(hash.get(decides.field().get())).equals(decides.equals())) {
            return other("its field " + decides.field().get() + " has not the value that means genuine");
        }
        RedisSettings.Mapping mapping = settings.mapping();
        Map<String, String> tags = new HashMap<>();
        mapping.tags().forEach((tag, field) -> known(hash, field).ifPresent(value -> tags.put(tag, value)));
        Map<String, Object> attributes = new HashMap<>();
        mapping.attributes().forEach((name, attribute) -> known(hash, attribute.field())
                .ifPresent(value -> attributes.put(name, typed(name, value, attribute.type()))));
        return new Verdict.Genuine(mapping.name().flatMap(field -> known(hash, field)), tags, attributes);
    }

    private Verdict other(String reason) {
        return settings.decides().refuseOthers() ? Verdict.refused(reason) : Verdict.unknown();
    }

    private static Optional<String> known(Map<String, String> hash, String field) {
        return Optional.ofNullable(hash.get(field)).filter(value -> !value.isEmpty());
    }

    private static Object typed(String name, String value, RedisSettings.Type type) {
        switch (type) {
            case STRING -> {
                return value;
            }
            case NUMBER -> {
                if (WHOLE_NUMBER.matcher(value).matches()) {
                    return Long.valueOf(value);
                }
                if (NUMBER.matcher(value).matches() && Double.isFinite(Double.parseDouble(value))) {
                    return Double.valueOf(value);
                }
            }
            case BOOLEAN -> {
                if (value.equals("true") || value.equals("false")) {
                    return Boolean.valueOf(value);
                }
            }
        }
        throw new VerificationUnavailableException("redis has a text for the attribute " + name + " that is no "
                + type.name().toLowerCase(java.util.Locale.ROOT));
    }

    private static boolean isTrue(Connection connection, Command command, String... arguments) {
        connection.sendCommand(command, arguments);
        long answer = connection.getIntegerReply();
        if (answer != 0 && answer != 1) {
            throw new IllegalStateException("neither yes nor no");
        }
        return answer == 1;
    }

    private static Optional<String> text(Connection connection, Command command, String... arguments) {
        connection.sendCommand(command, arguments);
        return Optional.ofNullable(connection.getBinaryBulkReply()).map(RedisVerifier::utf8);
    }

    private static Map<String, String> hash(Connection connection, String key) {
        connection.sendCommand(Command.HGETALL, key);
        List<byte[]> fields = connection.getBinaryMultiBulkReply();
        if (fields.size() % 2 != 0) {
            throw new IllegalStateException("a field without value");
        }
        Map<String, String> hash = new HashMap<>();
        for (int i = 0; i < fields.size(); i += 2) {
            hash.put(utf8(fields.get(i)), utf8(fields.get(i + 1)));
        }
        return hash;
    }

    private static String utf8(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalStateException("a text that is not UTF-8");
        }
    }

    /** Closes its connections. */
    @Override
    public void close() {
        if (redis != null) {
            redis.close();
        }
    }
}
