package io.muster.plugin.redis;

import io.muster.spi.Candidate;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The settings, checked.
 *
 * @param server the Redis
 * @param form how it keeps serials
 * @param key the key that is asked for
 * @param blockedKey the set of blocked serials, if the form is {@code set}
 * @param decides what a value means
 * @param mapping what fields mean, if the form is {@code hash}
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

    /** How Redis keeps serials. */
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
     * Where the Redis is and how it is reached.
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

        /** Fills in one pass: a serial that looks like a placeholder stays what it is. */
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
     * What a value, or in a hash the value of a field, means.
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
     * What is known of a device, by the fields of its hash.
     *
     * @param name the field that is its name
     * @param tags fields by tag
     * @param attributes fields by attribute
     */
    record Mapping(Optional<String> name, Map<String, String> tags, Map<String, Attribute> attributes) {}

    /** A field and its type. */
    record Attribute(String field, Type type) {}

    /** What Redis keeps is text; this is what it means. */
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
        Reader reader = new Reader(settings);
        RedisSettings read = reader.read();
        if (!reader.faults.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", reader.faults));
        }
        return read;
    }

    /** Collects faults and reads on. */
    private static final class Reader {

        private final Map<String, String> settings;
        private final List<String> faults = new ArrayList<>();

        Reader(Map<String, String> settings) {
            this.settings = settings;
            for (String name : new TreeSet<>(settings.keySet())) {
                if (!NAMES.contains(name) && !SECRETS.contains(name)) {
                    faults.add(name + ": unknown setting");
                }
            }
        }

        RedisSettings read() {
            Server server = server();
            Form form = choice("form", Form.class, Form.KEY);
            Key key = key("key").orElse(null);
            if (key == null) {
                if (!settings.containsKey("key")) {
                    faults.add("key: is required");
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
                faults.add("blocked-key: names a set, whose members are serials; {serial} does not belong into it");
            }
            return new RedisSettings(
                    server,
                    form,
                    key,
                    blockedKey,
                    decides(form),
                    new Mapping(text("name-field"), tags(), attributes()));
        }

        private void checkKey(Form form, Key key) {
            boolean one = form == Form.SET || form == Form.FIELD;
            if (one && key.asksForSerial()) {
                faults.add("key: is the same for all serials in the form " + spelt(form)
                        + "; {serial} does not belong into it");
            }
            if (!one && !key.asksForSerial()) {
                faults.add("key: must contain {serial} in the form " + spelt(form));
            }
        }

        private Server server() {
            String host = "";
            int port = 6379;
            int database = 0;
            boolean tls = false;
            try {
                URI uri = new URI(settings.getOrDefault("uri", ""));
                tls = "rediss".equals(uri.getScheme());
                if (!settings.containsKey("uri")) {
                    faults.add("uri: is required");
                } else if (uri.getRawUserInfo() != null) {
                    faults.add("uri: must not contain a user or a password; they have settings of their own");
                } else if (!tls && !"redis".equals(uri.getScheme())
                        || uri.getHost() == null
                        || uri.getRawQuery() != null
                        || uri.getRawFragment() != null
                        || !uri.getRawPath().matches("(/\\d{0,4})?")) {
                    faults.add("uri: must be redis:// or rediss:// with host, and perhaps :port and /database");
                } else {
                    host = uri.getHost().replaceAll("[\\[\\]]", "");
                    port = uri.getPort() < 0 ? port : uri.getPort();
                    database = uri.getRawPath().length() > 1
                            ? Integer.parseInt(uri.getRawPath().substring(1))
                            : 0;
                }
            } catch (URISyntaxException e) {
                // The text is not repeated: people put passwords into it.
                faults.add("uri: is no address");
            }
            if (settings.containsKey("user") && !settings.containsKey("password")) {
                faults.add("user: needs a password too");
            }
            return new Server(
                    host,
                    port,
                    database,
                    context(tls),
                    text("user"),
                    text("password"),
                    duration("connect-timeout", "PT0.5S", "PT0.01S", "PT10S"),
                    duration("timeout", "PT2S", "PT0.05S", "PT30S"),
                    number("pool-size", 16, 1, 1000));
        }

        private Optional<SSLContext> context(boolean tls) {
            Optional<String> file = text("ca-file");
            if (!tls) {
                file.ifPresent(path -> faults.add("ca-file: is of no use without rediss://"));
                return Optional.empty();
            }
            try {
                SSLContext context = SSLContext.getInstance("TLS");
                TrustManagerFactory trust = null;
                if (file.isPresent()) {
                    trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
                    trust.init(authorities(Path.of(file.get())));
                }
                context.init(null, trust == null ? null : trust.getTrustManagers(), null);
                return Optional.of(context);
            } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
                faults.add("ca-file: cannot read certificates from " + file.orElse("the JDK's own") + " ("
                        + e.getClass().getSimpleName() + ")");
                return Optional.empty();
            }
        }

        private static KeyStore authorities(Path file) throws IOException, GeneralSecurityException {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            try (InputStream in = Files.newInputStream(file)) {
                for (Certificate certificate :
                        CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                    store.setCertificateEntry(Integer.toString(store.size()), certificate);
                }
            }
            if (store.size() == 0) {
                throw new IOException("no certificate");
            }
            return store;
        }

        private Decides decides(Form form) {
            Optional<String> field = text("field");
            Optional<String> blockedField = text("blocked-field");
            Optional<String> equals = text("equals");
            Optional<String> blocked = text("blocked");
            if (form == Form.HASH) {
                if (field.isPresent() != equals.isPresent()) {
                    faults.add("field, equals: neither is of use without the other");
                }
                if (blocked.isPresent() && blockedField.isEmpty()) {
                    faults.add("blocked: is of no use without blocked-field");
                }
                blocked = blocked.or(() -> blockedField.map(name -> "true"));
            }
            boolean refuseOthers = choice("otherwise", Otherwise.class, Otherwise.UNKNOWN) == Otherwise.REFUSED;
            if (settings.containsKey("otherwise") && equals.isEmpty()) {
                faults.add("otherwise: is of no use without equals");
            }
            return new Decides(field, equals, refuseOthers, blockedField, blocked);
        }

        private Optional<String> text(String name) {
            return Optional.ofNullable(settings.get(name));
        }

        private Optional<Key> key(String name) {
            return text(name).flatMap(template -> {
                Matcher placeholder = Key.PLACEHOLDER.matcher(template);
                boolean known = true;
                while (placeholder.find()) {
                    known &= Set.of("serial", "fleet").contains(placeholder.group(1));
                }
                if (!known) {
                    faults.add(name + ": has another placeholder than {serial} and {fleet}");
                }
                return known ? Optional.of(new Key(template)) : Optional.empty();
            });
        }

        private void only(Form form, Set<Form> forms, String... names) {
            for (String name : names) {
                if (settings.containsKey(name) && !forms.contains(form)) {
                    faults.add(name + ": is of no use in the form " + spelt(form));
                }
            }
        }

        private Map<String, String> tags() {
            Map<String, String> tags = new LinkedHashMap<>();
            pairs("tags", (tag, field) -> {
                if (tag.equals("serial")) {
                    faults.add("tags: serial is the registry's own");
                }
                tags.put(tag, field);
            });
            return tags;
        }

        private Map<String, Attribute> attributes() {
            Map<String, Attribute> attributes = new LinkedHashMap<>();
            pairs("attributes", (typed, field) -> {
                int colon = typed.indexOf(':');
                String name = colon < 0 ? typed : typed.substring(0, colon);
                String type = colon < 0 ? "string" : typed.substring(colon + 1);
                for (Type known : Type.values()) {
                    if (spelt(known).equals(type)) {
                        attributes.put(name, new Attribute(field, known));
                        return;
                    }
                }
                faults.add("attributes: " + name + " must be string, number or boolean, not \"" + type + "\"");
            });
            return attributes;
        }

        private void pairs(String setting, java.util.function.BiConsumer<String, String> pair) {
            Set<String> seen = new TreeSet<>();
            for (String item : settings.getOrDefault(setting, "").split(",")) {
                String[] parts = item.strip().split("\\s*=\\s*", 2);
                if (parts[0].isEmpty() && parts.length == 1) {
                    continue;
                }
                String name = parts[0].replaceFirst(":.*", "");
                if (name.isEmpty() || parts.length == 2 && parts[1].isEmpty()) {
                    faults.add(setting + ": must be name=field, separated by commas");
                } else if (!seen.add(name)) {
                    faults.add(setting + ": has " + name + " twice");
                } else {
                    pair.accept(parts[0], parts.length == 1 ? name : parts[1]);
                }
            }
        }

        private Duration duration(String name, String otherwise, String least, String most) {
            return text(name)
                    .flatMap(text -> checked(name, "a duration from " + least + " to " + most, text, Duration::parse)
                            .filter(read -> within(
                                    name,
                                    read.compareTo(Duration.parse(least)) >= 0
                                            && read.compareTo(Duration.parse(most)) <= 0,
                                    least + " to " + most)))
                    .orElse(Duration.parse(otherwise));
        }

        private int number(String name, int otherwise, int least, int most) {
            return text(name)
                    .flatMap(text -> checked(name, "a whole number", text, Integer::valueOf)
                            .filter(read -> within(name, read >= least && read <= most, least + " to " + most)))
                    .orElse(otherwise);
        }

        private <T> Optional<T> checked(String name, String what, String text, Function<String, T> parse) {
            try {
                return Optional.of(parse.apply(text));
            } catch (DateTimeParseException | NumberFormatException e) {
                faults.add(name + ": \"" + text + "\" is not " + what);
                return Optional.empty();
            }
        }

        private boolean within(String name, boolean within, String bounds) {
            if (!within) {
                faults.add(name + ": is not within " + bounds);
            }
            return within;
        }

        private <E extends Enum<E>> E choice(String name, Class<E> type, E otherwise) {
            Optional<String> text = text(name);
            if (text.isEmpty()) {
                return otherwise;
            }
            List<String> known = new ArrayList<>();
            for (E constant : type.getEnumConstants()) {
                if (spelt(constant).equals(text.get())) {
                    return constant;
                }
                known.add(spelt(constant));
            }
            faults.add(name + ": \"" + text.get() + "\" is none of " + String.join(", ", known));
            return otherwise;
        }

        private static String spelt(Enum<?> constant) {
            return constant.name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** What a value means that is not the one that means genuine. */
    private enum Otherwise {
        UNKNOWN,
        REFUSED
    }
}
