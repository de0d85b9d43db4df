package io.muster.plugin.mongo;

import com.mongodb.ConnectionString;
import java.io.IOException;
import java.io.InputStream;
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
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The settings, checked.
 *
 * @param server the MongoDB
 * @param database the database's name
 * @param collection the collection's name
 * @param filter which document is a serial's
 * @param decides what its fields mean for the verdict
 * @param mapping what its fields mean for the device
 */
record MongoSettings(
        Server server, String database, String collection, Filter filter, Decides decides, Mapping mapping) {

    static final Set<String> NAMES = Set.of(
            "uri",
            "user",
            "auth-database",
            "ca-file",
            "connect-timeout",
            "timeout",
            "pool-size",
            "database",
            "collection",
            "filter",
            "field",
            "equals",
            "otherwise",
            "blocked-field",
            "blocked",
            "name-field",
            "tags",
            "attributes");

    static final Set<String> SECRETS = Set.of("password");

    /** What an address may say; everything else has a setting, or would weaken TLS or the time limits. */
    private static final Set<String> OPTIONS = Set.of(
            "replicaset",
            "tls",
            "directconnection",
            "readpreference",
            "readconcernlevel",
            "loadbalanced",
            "srvmaxhosts");

    /**
     * Where the MongoDB is and how it is reached.
     *
     * @param authority present if the certificates are signed by an authority of one's own
     */
    record Server(
            ConnectionString uri,
            Optional<SSLContext> authority,
            Optional<String> user,
            Optional<String> password,
            String authDatabase,
            Duration connectTimeout,
            Duration timeout,
            int poolSize) {

        /** Hides the password. */
        @Override
        public String toString() {
            return String.join(",", uri.getHosts());
        }
    }

    /**
     * What fields mean for the verdict.
     *
     * @param field the path of the field that must have the value {@code equals}
     * @param equals the value that means genuine; empty if every document does
     * @param refuseOthers whether another value means refused, and not unknown
     * @param blockedField the path of the field that may have the value {@code blocked}
     * @param blocked the value that means refused
     */
    record Decides(
            Optional<String> field,
            Optional<String> equals,
            boolean refuseOthers,
            Optional<String> blockedField,
            Optional<String> blocked) {}

    /** What fields mean for the device, by their paths. */
    record Mapping(Optional<String> name, Map<String, String> tags, Map<String, String> attributes) {}

    /**
     * Reads and checks.
     *
     * @throws IllegalArgumentException if anything is wrong; the message has every fault
     */
    static MongoSettings of(Map<String, String> settings) {
        Reader reader = new Reader(settings);
        MongoSettings read = reader.read();
        if (!reader.faults.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", reader.faults));
        }
        return read;
    }

    /** Collects faults and reads on. */
    private static final class Reader {

        private static final Pattern PATH =
                Pattern.compile("[^$.\\s\\u0000][^.\\s\\u0000]*(\\.[^$.\\s\\u0000][^.\\s\\u0000]*)*");

        private static final Pattern ADDRESS = Pattern.compile("[\\d.]+(:\\d+)?|\\[?[0-9a-fA-F]*:[0-9a-fA-F:.]*:.*");

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

        MongoSettings read() {
            return new MongoSettings(
                    server(),
                    name("database", "[^/\\\\. \"$*<>:|?\\u0000]{1,63}"),
                    name("collection", "[^$\\u0000]{1,120}"),
                    filter(),
                    decides(),
                    new Mapping(path("name-field"), tags(), pairs("attributes")));
        }

        private Server server() {
            if (settings.containsKey("user") != settings.containsKey("password")) {
                faults.add("user, password: neither is of use without the other");
            }
            if (settings.containsKey("auth-database") && !settings.containsKey("user")) {
                faults.add("auth-database: is of no use without user");
            }
            ConnectionString uri = uri();
            return new Server(
                    uri,
                    authority(uri),
                    text("user"),
                    text("password"),
                    text("auth-database").orElse("admin"),
                    duration("connect-timeout", "PT0.5S", "PT0.01S", "PT10S"),
                    duration("timeout", "PT2S", "PT0.05S", "PT30S"),
                    number("pool-size", 16, 1, 1000));
        }

        private ConnectionString uri() {
            ConnectionString otherwise = new ConnectionString("mongodb://localhost");
            String text = settings.get("uri");
            if (text == null) {
                faults.add("uri: is required");
                return otherwise;
            }
            if (text.contains("@")) {
                faults.add("uri: must not contain a user or a password; they have settings of their own");
                return otherwise;
            }
            if (text.matches("[^/]*//[^/?]*/[^?]+.*")) {
                faults.add("uri: must not name a database, which has a setting of its own");
                return otherwise;
            }
            int query = text.indexOf('?');
            if (query >= 0) {
                for (String option : text.substring(query + 1).split("[&;]")) {
                    String name = option.replaceFirst("=.*", "");
                    if (!OPTIONS.contains(name.toLowerCase(java.util.Locale.ROOT))) {
                        faults.add("uri: may not have the option " + name);
                        return otherwise;
                    }
                }
            }
            try {
                ConnectionString uri = new ConnectionString(text);
                // The driver compares the certificate with what the reverse look-up of an address says.
                if (Boolean.TRUE.equals(uri.getSslEnabled())
                        && uri.getHosts().stream()
                                .anyMatch(host -> ADDRESS.matcher(host).matches())) {
                    faults.add("uri: must have names and not IP addresses with tls=true, as the certificates do");
                }
                return uri;
            } catch (RuntimeException e) {
                // The driver throws several kinds, mongodb+srv also for a name server that does not answer.
                faults.add(
                        "uri: must be mongodb://host:port,.../?options or mongodb+srv://host (" + e.getMessage() + ")");
                return otherwise;
            }
        }

        private Optional<SSLContext> authority(ConnectionString uri) {
            Optional<String> file = text("ca-file");
            if (file.isEmpty()) {
                return Optional.empty();
            }
            if (!Boolean.TRUE.equals(uri.getSslEnabled())) {
                faults.add("ca-file: is of no use without tls=true in uri");
                return Optional.empty();
            }
            try {
                TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
                trust.init(authorities(Path.of(file.get())));
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(null, trust.getTrustManagers(), null);
                return Optional.of(context);
            } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
                faults.add("ca-file: cannot read certificates from " + file.get() + " ("
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

        private Filter filter() {
            try {
                return Filter.parse(settings.getOrDefault("filter", "{\"serial\": \"{serial}\"}"));
            } catch (IllegalArgumentException e) {
                faults.add("filter: " + e.getMessage());
                return Filter.parse("{\"serial\": \"{serial}\"}");
            }
        }

        private Decides decides() {
            Optional<String> field = path("field");
            Optional<String> equals = text("equals");
            Optional<String> blockedField = path("blocked-field");
            Optional<String> blocked = text("blocked");
            if (settings.containsKey("field") != equals.isPresent()) {
                faults.add("field, equals: neither is of use without the other");
            }
            if (blocked.isPresent() && !settings.containsKey("blocked-field")) {
                faults.add("blocked: is of no use without blocked-field");
            }
            String otherwise = text("otherwise").orElse("unknown");
            if (!Set.of("unknown", "refused").contains(otherwise)) {
                faults.add("otherwise: \"" + otherwise + "\" is none of unknown, refused");
            }
            if (settings.containsKey("otherwise") && equals.isEmpty()) {
                faults.add("otherwise: is of no use without equals");
            }
            return new Decides(
                    field,
                    equals,
                    otherwise.equals("refused"),
                    blockedField,
                    blocked.or(() -> blockedField.map(path -> "true")));
        }

        private Optional<String> text(String name) {
            return Optional.ofNullable(settings.get(name));
        }

        private String name(String setting, String syntax) {
            Optional<String> name = text(setting);
            if (name.isEmpty()) {
                faults.add(setting + ": is required");
            } else if (!name.get().matches(syntax)) {
                faults.add(setting + ": \"" + name.get() + "\" is no name of a " + setting);
            }
            return name.orElse("");
        }

        private Optional<String> path(String setting) {
            Optional<String> path = text(setting);
            path.ifPresent(given -> checkPath(setting, given));
            return path;
        }

        private void checkPath(String setting, String path) {
            if (!PATH.matcher(path).matches()) {
                faults.add(setting + ": \"" + path + "\" is no path of a field, such as batch.lot");
            }
        }

        private Map<String, String> tags() {
            Map<String, String> tags = pairs("tags");
            if (tags.containsKey("serial")) {
                faults.add("tags: serial is the registry's own");
            }
            return tags;
        }

        private Map<String, String> pairs(String setting) {
            Map<String, String> pairs = new LinkedHashMap<>();
            for (String item : settings.getOrDefault(setting, "").split(",")) {
                String[] parts = item.strip().split("\\s*=\\s*", 2);
                if (parts[0].isEmpty() && parts.length == 1) {
                    continue;
                }
                String path = parts.length == 1 ? parts[0] : parts[1];
                if (parts[0].isEmpty()) {
                    faults.add(setting + ": must be name=path, separated by commas");
                } else if (pairs.putIfAbsent(parts[0], path) != null) {
                    faults.add(setting + ": has " + parts[0] + " twice");
                } else {
                    checkPath(setting, path);
                }
            }
            return pairs;
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
    }
}
