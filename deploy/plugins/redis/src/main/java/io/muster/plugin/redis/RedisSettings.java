// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.redis;

import io.muster.plugin.support.Otherwise;
import io.muster.plugin.support.SettingsReader;
import io.muster.spi.Candidate;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;

/**
 * The settings, checked.
 *
 * @param server the Redis
 * @param form how it stores serials
 * @param key the key to look up
 * @param blockedKey the set of blocked serials, if the form is {@code set}
 * @param decides the meaning of a value
 * @param mapping the meaning of fields, if the form is {@code hash}
 */
record RedisSettings(Server server, Form form, Key key, Optional<Key> blockedKey, Decides decides, Mapping mapping) {

    static final Set<String> NAMES = Set.of(
            "uri",
            "user",
            "ca-file",
            "connect-timeout",
            "timeout",
            "pool-size",
            "form",
            "key",
            "blocked-key",
            "equals",
            "otherwise",
            "blocked",
            "field",
            "blocked-field",
            "name-field",
            "tags",
            "attributes");

    static final Set<String> SECRETS = Set.of("password");

    /** How Redis stores serials. */
    enum Form {
        /** All of them are members of one set. */
        SET,
        /** All of them are fields of one hash, each with a value. */
        FIELD,
        /** Each has a hash of its own. */
        HASH,
        /** Each has a key of its own. */
        KEY
    }

    /**
     * The Redis's address, and how to reach it.
     *
     * @param tls present for {@code rediss}
     */
    record Server(
            String host,
            int port,
            int database,
            Optional<SSLContext> tls,
            Optional<String> user,
            Optional<String> password,
            Duration connectTimeout,
            Duration timeout,
            int poolSize) {

        /** Hides the password. */
        @Override
        public String toString() {
            return host + ":" + port;
        }
    }

    /** A key with placeholders. */
    record Key(String template) {

        private static final Pattern PLACEHOLDER = Pattern.compile("\\{([^{}]*)}");

        /** Fills in one pass: a serial that looks like a placeholder stays as it is. */
        String of(Candidate candidate) {
            return PLACEHOLDER
                    .matcher(template)
                    .replaceAll(found -> Matcher.quoteReplacement(
                            found.group(1).equals("serial") ? candidate.serial().value() : candidate.fleet()));
        }

        boolean asksForSerial() {
            return template.contains("{serial}");
        }
    }

    /**
     * The meaning of a value, or in a hash of the value of a field.
     *
     * @param field the field of a hash that must have the value {@code equals}
     * @param equals the value that means genuine; empty if any does
     * @param refuseOthers whether another value means refused, and not unknown
     * @param blockedField the field of a hash that may have the value {@code blocked}
     * @param blocked the value that means refused
     */
    record Decides(
            Optional<String> field,
            Optional<String> equals,
            boolean refuseOthers,
            Optional<String> blockedField,
            Optional<String> blocked) {}

    /**
     * The fields of a hash that describe the device.
     *
     * @param name the field that is its name
     * @param tags fields by tag
     * @param attributes fields by attribute
     */
    record Mapping(Optional<String> name, Map<String, String> tags, Map<String, Attribute> attributes) {}

    /** A field and its type. */
    record Attribute(String field, Type type) {}

    /** Redis stores texts; this is the type to convert one to. */
    enum Type {
        STRING,
        NUMBER,
        BOOLEAN
    }

    /**
     * Reads and checks.
     *
     * @throws IllegalArgumentException if anything is wrong; the message has every fault
     */
    static RedisSettings of(Map<String, String> settings) {
        SettingsReader reader = new SettingsReader(settings, NAMES, SECRETS);
        return reader.checked(new Reader(reader).read());
    }

    /** Reads one setting after the other. */
    private static final class Reader {

        private final SettingsReader settings;

        Reader(SettingsReader settings) {
            this.settings = settings;
        }

        RedisSettings read() {
            Server server = server();
            Form form = settings.choice("form", Form.class, Form.KEY);
            Key key = key("key").orElse(null);
            if (key == null) {
                if (!settings.has("key")) {
                    settings.fault("key: is required");
                }
                key = new Key("");
            } else {
                checkKey(form, key);
            }
            only(form, Set.of(Form.SET), "blocked-key");
            only(form, Set.of(Form.FIELD, Form.HASH, Form.KEY), "equals", "otherwise", "blocked");
            only(form, Set.of(Form.HASH), "field", "blocked-field", "name-field", "tags", "attributes");
            Optional<Key> blockedKey = key("blocked-key");
            if (blockedKey.isPresent() && blockedKey.get().asksForSerial()) {
                settings.fault("blocked-key: names a set, whose members are serials; {serial} does not belong into it");
            }
            return new RedisSettings(
                    server,
                    form,
                    key,
                    blockedKey,
                    decides(form),
                    new Mapping(settings.text("name-field"), tags(), attributes()));
        }

        private void checkKey(Form form, Key key) {
            boolean one = form == Form.SET || form == Form.FIELD;
            if (one && key.asksForSerial()) {
                settings.fault("key: is the same for all serials in the form " + SettingsReader.spelt(form)
                        + "; {serial} does not belong into it");
            }
            if (!one && !key.asksForSerial()) {
                settings.fault("key: must contain {serial} in the form " + SettingsReader.spelt(form));
            }
        }

        private Server server() {
            String host = "";
            int port = 6379;
            int database = 0;
            boolean tls = false;
            try {
                URI uri = new URI(settings.text("uri").orElse(""));
                tls = "rediss".equals(uri.getScheme());
                if (!settings.has("uri")) {
                    settings.fault("uri: is required");
                } else if (uri.getRawUserInfo() != null) {
                    settings.fault("uri: must not contain a user or a password; they have settings of their own");
                } else if ((!tls && !"redis".equals(uri.getScheme()))
                        || uri.getHost() == null
                        || uri.getRawQuery() != null
                        || uri.getRawFragment() != null
                        || !uri.getRawPath().matches("(/\\d{0,4})?")) {
                    settings.fault("uri: must be redis:// or rediss:// with host, and perhaps :port and /database");
                } else {
                    host = uri.getHost().replaceAll("[\\[\\]]", "");
                    port = uri.getPort() < 0 ? port : uri.getPort();
                    database = uri.getRawPath().length() > 1
                            ? Integer.parseInt(uri.getRawPath().substring(1))
                            : 0;
                }
            } catch (URISyntaxException e) {
                // The text is not repeated: people put passwords into it.
                settings.fault("uri: is no address");
            }
            if (settings.has("user") && !settings.has("password")) {
                settings.fault("user: needs a password too");
            }
            return new Server(
                    host,
                    port,
                    database,
                    context(tls),
                    settings.text("user"),
                    settings.text("password"),
                    settings.duration("connect-timeout", "PT0.5S", "PT0.01S", "PT10S"),
                    settings.duration("timeout", "PT2S", "PT0.05S", "PT30S"),
                    settings.number("pool-size", 16, 1, 1000));
        }

        private Optional<SSLContext> context(boolean tls) {
            if (!tls) {
                if (settings.has("ca-file")) {
                    settings.fault("ca-file: is of no use without rediss://");
                }
                return Optional.empty();
            }
            return settings.tls("ca-file");
        }

        private Decides decides(Form form) {
            Optional<String> field = settings.text("field");
            Optional<String> blockedField = settings.text("blocked-field");
            Optional<String> equals = settings.text("equals");
            Optional<String> blocked = settings.text("blocked");
            if (form == Form.HASH) {
                if (field.isPresent() != equals.isPresent()) {
                    settings.fault("field, equals: neither is of use without the other");
                }
                if (blocked.isPresent() && blockedField.isEmpty()) {
                    settings.fault("blocked: is of no use without blocked-field");
                }
                blocked = blocked.or(() -> blockedField.map(name -> "true"));
            }
            boolean refuseOthers =
                    settings.choice("otherwise", Otherwise.class, Otherwise.UNKNOWN) == Otherwise.REFUSED;
            if (settings.has("otherwise") && equals.isEmpty()) {
                settings.fault("otherwise: is of no use without equals");
            }
            return new Decides(field, equals, refuseOthers, blockedField, blocked);
        }

        private Optional<Key> key(String name) {
            return settings.text(name).flatMap(template -> {
                Matcher placeholder = Key.PLACEHOLDER.matcher(template);
                boolean known = true;
                while (placeholder.find()) {
                    known &= Set.of("serial", "fleet").contains(placeholder.group(1));
                }
                if (!known) {
                    settings.fault(name + ": has another placeholder than {serial} and {fleet}");
                }
                return known ? Optional.of(new Key(template)) : Optional.empty();
            });
        }

        private void only(Form form, Set<Form> forms, String... names) {
            for (String name : names) {
                if (settings.has(name) && !forms.contains(form)) {
                    settings.fault(name + ": is of no use in the form " + SettingsReader.spelt(form));
                }
            }
        }

        private Map<String, String> tags() {
            Map<String, String> tags = new LinkedHashMap<>();
            settings.tags("field", tags::put);
            return tags;
        }

        private Map<String, Attribute> attributes() {
            Map<String, Attribute> attributes = new LinkedHashMap<>();
            settings.pairs("attributes", "field", typed -> typed.replaceFirst(":.*", ""), (typed, field) -> {
                int colon = typed.indexOf(':');
                String name = colon < 0 ? typed : typed.substring(0, colon);
                String type = colon < 0 ? "string" : typed.substring(colon + 1);
                for (Type known : Type.values()) {
                    if (SettingsReader.spelt(known).equals(type)) {
                        attributes.put(name, new Attribute(field, known));
                        return;
                    }
                }
                settings.fault("attributes: " + name + " must be string, number or boolean, not \"" + type + "\"");
            });
            return attributes;
        }
    }
}
