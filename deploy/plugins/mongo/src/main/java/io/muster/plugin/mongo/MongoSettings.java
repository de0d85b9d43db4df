// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.mongo;

import com.mongodb.ConnectionString;
import io.muster.plugin.support.Otherwise;
import io.muster.plugin.support.SettingsReader;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;

/**
 * The settings, checked.
 *
 * @param server the MongoDB
 * @param database the database's name
 * @param collection the collection's name
 * @param filter selects the document of a serial
 * @param decides the meaning of its fields for the verdict
 * @param mapping the meaning of its fields for the device
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

    /** The permitted options of an address. Every other has a setting, or would weaken TLS or the time limits. */
    private static final Set<String> OPTIONS = Set.of(
            "replicaset",
            "tls",
            "directconnection",
            "readpreference",
            "readconcernlevel",
            "loadbalanced",
            "srvmaxhosts");

    /**
     * The MongoDB's address, and how to reach it.
     *
     * @param authority present if the certificates are signed by a private authority
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
     * The meaning of fields for the verdict.
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

    /** The meaning of fields for the device, by their paths. */
    record Mapping(Optional<String> name, Map<String, String> tags, Map<String, String> attributes) {}

    /**
     * Reads and checks.
     *
     * @throws IllegalArgumentException if anything is wrong; the message has every fault
     */
    static MongoSettings of(Map<String, String> settings) {
        SettingsReader reader = new SettingsReader(settings, NAMES, SECRETS);
        return reader.checked(new Reader(reader).read());
    }

    /** Reads one setting after the other. */
    private static final class Reader {

        private static final Pattern PATH =
                Pattern.compile("[^$.\\s\\u0000][^.\\s\\u0000]*(\\.[^$.\\s\\u0000][^.\\s\\u0000]*)*");

        private static final Pattern ADDRESS = Pattern.compile("[\\d.]+(:\\d+)?|\\[?[0-9a-fA-F]*:[0-9a-fA-F:.]*:.*");

        private final SettingsReader settings;

        Reader(SettingsReader settings) {
            this.settings = settings;
        }

        MongoSettings read() {
            return new MongoSettings(
                    server(),
                    name("database", "[^/\\\\. \"$*<>:|?\\u0000]{1,63}"),
                    name("collection", "[^$\\u0000]{1,120}"),
                    filter(),
                    decides(),
                    new Mapping(path("name-field"), tags(), attributes()));
        }

        private Server server() {
            if (settings.has("user") != settings.has("password")) {
                settings.fault("user, password: neither is of use without the other");
            }
            if (settings.has("auth-database") && !settings.has("user")) {
                settings.fault("auth-database: is of no use without user");
            }
            ConnectionString uri = uri();
            return new Server(
                    uri,
                    authority(uri),
                    settings.text("user"),
                    settings.text("password"),
                    settings.text("auth-database").orElse("admin"),
                    settings.duration("connect-timeout", "PT0.5S", "PT0.01S", "PT10S"),
                    settings.duration("timeout", "PT2S", "PT0.05S", "PT30S"),
                    settings.number("pool-size", 16, 1, 1000));
        }

        private ConnectionString uri() {
            ConnectionString otherwise = new ConnectionString("mongodb://localhost");
            String text = settings.text("uri").orElse(null);
            if (text == null) {
                settings.fault("uri: is required");
                return otherwise;
            }
            if (text.contains("@")) {
                settings.fault("uri: must not contain a user or a password; they have settings of their own");
                return otherwise;
            }
            if (text.matches("[^/]*//[^/?]*/[^?]+.*")) {
                settings.fault("uri: must not name a database, which has a setting of its own");
                return otherwise;
            }
            int query = text.indexOf('?');
            if (query >= 0) {
                for (String option : text.substring(query + 1).split("[&;]")) {
                    String name = option.replaceFirst("=.*", "");
                    if (!OPTIONS.contains(name.toLowerCase(java.util.Locale.ROOT))) {
                        settings.fault("uri: may not have the option " + name);
                        return otherwise;
                    }
                }
            }
            try {
                ConnectionString uri = new ConnectionString(text);
                // The driver compares the certificate with the result of a reverse look-up of the address.
                if (Boolean.TRUE.equals(uri.getSslEnabled())
                        && uri.getHosts().stream()
                                .anyMatch(host -> ADDRESS.matcher(host).matches())) {
                    settings.fault("uri: must have names and not IP addresses with tls=true, as the certificates do");
                }
                return uri;
            } catch (RuntimeException e) {
                // The driver throws several kinds. For mongodb+srv it also throws one for a name server that does not
                // answer.
                settings.fault(
                        "uri: must be mongodb://host:port,.../?options or mongodb+srv://host (" + e.getMessage() + ")");
                return otherwise;
            }
        }

        private Optional<SSLContext> authority(ConnectionString uri) {
            Optional<String> file = settings.text("ca-file");
            if (file.isEmpty()) {
                return Optional.empty();
            }
            if (!Boolean.TRUE.equals(uri.getSslEnabled())) {
                settings.fault("ca-file: is of no use without tls=true in uri");
                return Optional.empty();
            }
            return settings.tls("ca-file");
        }

        private Filter filter() {
            try {
                return Filter.parse(settings.text("filter").orElse("{\"serial\": \"{serial}\"}"));
            } catch (IllegalArgumentException e) {
                settings.fault("filter: " + e.getMessage());
                return Filter.parse("{\"serial\": \"{serial}\"}");
            }
        }

        private Decides decides() {
            Optional<String> field = path("field");
            Optional<String> equals = settings.text("equals");
            Optional<String> blockedField = path("blocked-field");
            Optional<String> blocked = settings.text("blocked");
            if (settings.has("field") != equals.isPresent()) {
                settings.fault("field, equals: neither is of use without the other");
            }
            if (blocked.isPresent() && !settings.has("blocked-field")) {
                settings.fault("blocked: is of no use without blocked-field");
            }
            Otherwise otherwise = settings.choice("otherwise", Otherwise.class, Otherwise.UNKNOWN);
            if (settings.has("otherwise") && equals.isEmpty()) {
                settings.fault("otherwise: is of no use without equals");
            }
            return new Decides(
                    field,
                    equals,
                    otherwise == Otherwise.REFUSED,
                    blockedField,
                    blocked.or(() -> blockedField.map(path -> "true")));
        }

        private String name(String setting, String syntax) {
            Optional<String> name = settings.text(setting);
            if (name.isEmpty()) {
                settings.fault(setting + ": is required");
            } else if (!name.get().matches(syntax)) {
                settings.fault(setting + ": \"" + name.get() + "\" is no name of a " + setting);
            }
            return name.orElse("");
        }

        private Optional<String> path(String setting) {
            Optional<String> path = settings.text(setting);
            path.ifPresent(given -> checkPath(setting, given));
            return path;
        }

        private void checkPath(String setting, String path) {
            if (!PATH.matcher(path).matches()) {
                settings.fault(setting + ": \"" + path + "\" is no path of a field, such as batch.lot");
            }
        }

        private Map<String, String> tags() {
            Map<String, String> tags = new LinkedHashMap<>();
            settings.tags("path", (tag, path) -> {
                checkPath("tags", path);
                tags.put(tag, path);
            });
            return tags;
        }

        private Map<String, String> attributes() {
            Map<String, String> attributes = new LinkedHashMap<>();
            settings.pairs("attributes", "path", UnaryOperator.identity(), (name, path) -> {
                checkPath("attributes", path);
                attributes.put(name, path);
            });
            return attributes;
        }
    }
}
