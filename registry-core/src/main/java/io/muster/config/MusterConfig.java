// SPDX-License-Identifier: Apache-2.0
package io.muster.config;

import io.muster.tls.TlsFiles;
import java.net.URI;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The whole configuration. Nothing else names a key that begins with {@code muster.}; {@code docs/configuration.md} is
 * its table, and a test compares the two.
 *
 * @param issuer the address under which devices reach this registry; the issuer of its tokens
 * @param dataDir where the embedded database, the master key and the first operator token are kept
 * @param masterKeyFile the key under which signing keys are encrypted at rest
 * @param pluginsDir the directory for plug-in jars
 * @param warmUp how long a start may take to make the process fast; zero for not at all
 * @param database the database
 * @param token access tokens
 * @param signingKeys the keys that sign access tokens
 * @param registration registration
 * @param approval the queue of candidates that wait for an operator
 * @param webhooks webhooks
 * @param limits limits on failures of one client
 * @param trustedProxies the proxies that are believed about the address that a request came from
 * @param imports bulk import of expected serials
 * @param jobs work on many serials or devices
 * @param statistics numbers for charts
 * @param verifiers names of verifiers, beside those that fleets or keys name
 * @param fleets the fleets to create if the database has none of their name, by name; {@code default} is always among
 *     them
 * @param brokers MQTT brokers
 * @param claimPage the look of the claim page
 * @param provisionFleet the fleet of the form {@code /provision}; empty if there is no such form
 * @param users names of the identity providers of users
 * @param operators sessions of operators at the console
 * @param settings from which verifiers and identity providers read their own settings
 */
public record MusterConfig(
        URI issuer,
        Path dataDir,
        Path masterKeyFile,
        Optional<Path> pluginsDir,
        Duration warmUp,
        Database database,
        Token token,
        SigningKeys signingKeys,
        Registration registration,
        Approval approval,
        Webhooks webhooks,
        Limits limits,
        List<AddressRange> trustedProxies,
        Imports imports,
        Jobs jobs,
        Statistics statistics,
        List<String> verifiers,
        Map<String, Fleet> fleets,
        List<Broker> brokers,
        ClaimPage claimPage,
        Optional<String> provisionFleet,
        List<String> users,
        Operators operators,
        Settings settings) {

    /** The fleet of registrations that name none. */
    public static final String DEFAULT_FLEET = "default";

    private static final String CA_FILE = "management-ca-file";

    /**
     * Returns the address of a path below the issuer's. For an empty path it is the issuer's without a slash at its
     * end.
     */
    public String address(String path) {
        return issuer.toString().replaceAll("/+$", "") + path;
    }

    /**
     * The database.
     *
     * @param url JDBC address, of MariaDB or H2
     * @param user user name; empty if the address says it all
     * @param password empty if there is none
     * @param poolSize connections at most
     * @param connectTimeout how long a request waits for a connection before it is answered 503
     * @param startTimeout how long the start waits for a database that is not reachable yet
     */
    public record Database(
            String url,
            Optional<String> user,
            Optional<String> password,
            int poolSize,
            Duration connectTimeout,
            Duration startTimeout) {

        /** Hides user and password, and the address, which may contain either. */
        @Override
        public String toString() {
            return "Database[poolSize=" + poolSize + "]";
        }
    }

    /**
     * Access tokens.
     *
     * @param lifetime 24 hours at most
     * @param audience their only audience
     */
    public record Token(Duration lifetime, String audience) {}

    /** The algorithms that sign access tokens. */
    public enum TokenAlgorithm {
        /** ECDSA with P-256 and SHA-256. */
        ES256,
        /** EdDSA with Ed25519. */
        EDDSA
    }

    /**
     * The keys that sign access tokens.
     *
     * @param rotation how long a key signs
     * @param publishAhead how long a key is published before it signs
     * @param algorithm the algorithm of keys that are made from now on
     */
    public record SigningKeys(Duration rotation, Duration publishAhead, TokenAlgorithm algorithm) {

        /** How long others may cache the published keys. */
        public static final Duration MAX_AGE = Duration.ofMinutes(5);

        /** How far the clocks of two nodes may differ. */
        public static final Duration SKEW = Duration.ofSeconds(60);

        // A node's knowledge of other nodes' changes is never older.
        private static final Duration NEWS = Duration.ofSeconds(2);

        /** The time after which everybody who cached the previous keys has fetched them again, by the fastest clock. */
        static final Duration LEAST_AHEAD = MAX_AGE.plus(SKEW).plus(NEWS);
    }

    /**
     * Registration.
     *
     * @param refusedStatus 400, 401 or 403
     * @param refusedAfter the shortest time that a refusal takes, so that its time reveals nothing
     */
    public record Registration(int refusedStatus, Duration refusedAfter) {}

    /**
     * The queue of candidates that wait for an operator.
     *
     * @param perFleet how many may wait in one fleet
     * @param perAddress how many of them may be from one address
     * @param waiting how long a candidate is kept after it last asked
     * @param valid how long a decision holds, unless the operator says otherwise
     */
    public record Approval(int perFleet, int perAddress, Duration waiting, Duration valid) {}

    /**
     * Webhooks.
     *
     * @param privateHosts hosts, with a port or without, that are not of the public Internet or have no TLS, and get
     *     webhooks all the same
     * @param keep how long deliveries are kept
     * @param settings for time limits, sizes and TLS
     */
    public record Webhooks(Set<String> privateHosts, Duration keep, Settings settings) {}

    /**
     * Limits on failures of one client.
     *
     * @param refusals refused registrations from one address within the window before that address is answered 429
     * @param failures failed authentications of one key from one address within the window before further failures are
     *     answered 429
     * @param claims refused claims of one user, from one address or of one serial within the window before all claims of
     *     that one are answered 429
     * @param window the window
     */
    public record Limits(int refusals, int failures, int claims, Duration window) {}

    /**
     * Bulk import.
     *
     * @param maxSize bytes of one request at most
     */
    public record Imports(long maxSize) {}

    /**
     * Jobs.
     *
     * @param keep how long a job that ended is kept, with its results
     */
    public record Jobs(Duration keep) {}

    /**
     * Numbers for charts.
     *
     * @param keep how long the numbers of an hour are kept
     */
    public record Statistics(Duration keep) {}

    /**
     * Sessions of operators at the console.
     *
     * @param idle how long one lasts without a request
     * @param lifetime how long one lasts at most, and how long the groups that a provider told count
     */
    public record Operators(Duration idle, Duration lifetime) {}

    /** The kind of a broker, which decides how it asks and how it is told. */
    public enum BrokerKind {
        /** RabbitMQ with its plug-ins {@code rabbitmq_mqtt} and {@code rabbitmq_auth_backend_http}. */
        RABBITMQ,
        /** EMQX 5. */
        EMQX,
        /** Mosquitto with the plug-in mosquitto-go-auth. */
        GO_AUTH,
        /** VerneMQ with its webhooks. */
        VERNEMQ,
        /** Any program that can send JSON. */
        JSON,
        /** Mosquitto with its own plug-in for dynamic security. It does not ask, but is told who may log in. */
        MOSQUITTO;

        /** Tells whether the broker keeps the logins of devices itself, so that it must be told of each. */
        public boolean keepsLogins() {
            return this == MOSQUITTO;
        }
    }

    /**
     * An MQTT broker.
     *
     * @param name its name here
     * @param kind its kind
     * @param secrets of the address that the broker asks; each proves that it is the broker. Two while one replaces the
     *     other; none for a broker that does not ask
     * @param fleets the fleets whose devices it has; empty for all
     * @param management how it is told to disconnect a device; empty if it cannot be told
     * @param patterns whether one of its rules may contain the client id, so that one rule is enough for a fleet
     */
    public record Broker(
            String name,
            BrokerKind kind,
            List<String> secrets,
            Set<String> fleets,
            Optional<Management> management,
            boolean patterns) {

        /** Tells whether it has the devices of a fleet. */
        public boolean serves(String fleet) {
            return fleets.isEmpty() || fleets.contains(fleet);
        }

        /** Hides the secrets. */
        @Override
        public String toString() {
            return "Broker[" + name + "]";
        }
    }

    /**
     * The management of a broker.
     *
     * @param url its address
     * @param user the registry's name there
     * @param password and password, or token
     * @param authorities the only authorities to trust for its certificate, over TLS; empty for those of the Java
     *     process
     */
    public record Management(URI url, String user, String password, Optional<List<X509Certificate>> authorities) {

        /** Hides the password. */
        @Override
        public String toString() {
            return "Management[" + url + "]";
        }
    }

    /** The rules for a serial that is already a device. */
    public enum RegisterAgainRule {
        /** It may, as long as no credential of the device was ever used. */
        UNTIL_CONFIRMED,
        /** It may if it proves with a credential that it is the same device. */
        WITH_PROOF,
        /** It gets a further credential every time. */
        ALWAYS,
        /** It is refused. */
        NEVER
    }

    /** The consequences if a verifier cannot find out. */
    public enum OnUnavailable {
        /** The registration ends with 503. */
        FAIL,
        /** The next verifier is asked. */
        SKIP
    }

    /** The type of an attribute. */
    public enum AttributeType {
        /** A text. */
        STRING,
        /** A number. */
        NUMBER,
        /** True or false. */
        BOOLEAN
    }

    /**
     * A fleet's policy and template.
     *
     * @param verifiers the verifiers' names in the order they are asked
     * @param required how many of them must say genuine
     * @param again the rule for serials that are devices already
     * @param unconfirmedLifetime how long an unused credential lives
     * @param attributes the types of attributes that are declared; others are texts
     * @param configuration the values that every device of the fleet gets
     * @param wire the name of the preset of the shape of its registrations
     * @param serials the rules by which its serials are normalised, in their order
     */
    public record Fleet(
            String name,
            List<String> verifiers,
            int required,
            RegisterAgainRule again,
            Duration unconfirmedLifetime,
            Map<String, AttributeType> attributes,
            Map<String, String> configuration,
            Optional<String> wire,
            List<String> serials) {

        /** Tells whether it equals a fleet without any settings. */
        public boolean isUnset() {
            return equals(fleet(name, Settings.of("", key -> Optional.empty())));
        }
    }

    /**
     * Reads the configuration. Verifiers read theirs afterwards; {@link Settings#check} then reports every fault of
     * both.
     *
     * @param sources the sources to read
     */
    public static MusterConfig from(Sources sources) {
        Settings settings = Settings.of("muster.", sources.lookup());
        settings.path("config-file");
        // The launcher of muster.jar reads this, before there is a registry.
        settings.text("http-address", "127.0.0.1");
        URI issuer = settings.address(
                "issuer",
                URI.create(sources.lookup().apply("muster.default-issuer").orElse("http://127.0.0.1:8080")));
        settings.text("default-issuer");
        Path dataDir =
                settings.path("data-dir", Path.of("muster-data"), "muster-data").toAbsolutePath();
        return new MusterConfig(
                issuer,
                dataDir,
                settings.path("master-key-file", dataDir.resolve("master-key"), "master-key in the data directory"),
                settings.path("plugins-dir"),
                settings.duration("warm-up", Duration.ofSeconds(20), Duration.ZERO, Duration.ofMinutes(5)),
                database(settings.below("database"), dataDir),
                new Token(
                        settings.duration(
                                "token.lifetime", Duration.ofMinutes(15), Duration.ofSeconds(10), Duration.ofHours(24)),
                        settings.text("token.audience", issuer.toString())),
                signingKeys(settings),
                new Registration(
                        refusedStatus(settings),
                        settings.duration(
                                "registration.refused-after",
                                Duration.ofMillis(50),
                                Duration.ZERO,
                                Duration.ofSeconds(5))),
                approval(settings.below("approval")),
                webhooks(settings.below("webhooks")),
                new Limits(
                        settings.number("limits.refusals", 1000, 1, 1_000_000),
                        settings.number("limits.failures", 100, 1, 1_000_000),
                        settings.number("limits.claims", 60, 1, 1_000_000),
                        settings.duration(
                                "limits.window", Duration.ofMinutes(1), Duration.ofSeconds(1), Duration.ofDays(1))),
                settings.addressRanges("trusted-proxies"),
                new Imports(settings.size("import.max-size", "256MiB", "1KiB", "64GiB")),
                new Jobs(settings.duration("jobs.keep", Duration.ofDays(7), Duration.ofHours(1), Duration.ofDays(31))),
                new Statistics(settings.duration(
                        "statistics.keep", Duration.ofDays(90), Duration.ofDays(1), Duration.ofDays(1100))),
                settings.names("verifiers", List.of()),
                fleets(settings),
                brokers(settings.below("mqtt"), sources.names()),
                ClaimPage.read(settings.below("claim")),
                provisionFleet(settings),
                settings.names("users", List.of()),
                operators(settings.below("operators")),
                settings);
    }

    private static Approval approval(Settings settings) {
        return new Approval(
                settings.number("per-fleet", 10_000, 1, 100_000),
                settings.number("per-address", 100, 1, 100_000),
                settings.duration("waiting", Duration.ofDays(7), Duration.ofMinutes(1), Duration.ofDays(366)),
                settings.duration("valid", Duration.ofDays(7), Duration.ofMinutes(1), Duration.ofDays(366)));
    }

    private static Webhooks webhooks(Settings settings) {
        Set<String> hosts = new LinkedHashSet<>();
        for (String host : settings.list("private-hosts")) {
            if (!host.matches("(\\[[0-9a-fA-F:.]+]|[a-zA-Z0-9._-]+)(:[0-9]{1,5})?")) {
                settings.fault("private-hosts", "\"" + host + "\" is not a host, or a host and a port");
            }
            hosts.add(host.toLowerCase(Locale.ROOT));
        }
        return new Webhooks(
                Set.copyOf(hosts),
                settings.duration("keep", Duration.ofDays(7), Duration.ofHours(1), Duration.ofDays(31)),
                settings);
    }

    private static Operators operators(Settings settings) {
        return new Operators(
                settings.duration("session-idle", Duration.ofHours(1), Duration.ofMinutes(1), Duration.ofDays(1)),
                settings.duration("session-lifetime", Duration.ofHours(8), Duration.ofMinutes(1), Duration.ofDays(1)));
    }

    private static Optional<String> provisionFleet(Settings settings) {
        Optional<String> fleet = settings.text("provision.fleet");
        if (fleet.filter(name -> !Settings.isName(name)).isPresent()) {
            settings.fault("provision.fleet", "is not the name of a fleet");
        }
        return fleet;
    }

    private static Database database(Settings settings, Path dataDir) {
        String embedded = "jdbc:h2:file:" + dataDir.resolve("muster");
        String url = settings.text("url").orElse(embedded);
        if (!url.startsWith("jdbc:mariadb:") && !url.startsWith("jdbc:h2:")) {
            settings.fault("url", "must begin with jdbc:mariadb: or jdbc:h2:");
        }
        return new Database(
                url,
                settings.text("user"),
                settings.secret("password"),
                settings.number("pool-size", 16, 2, 1000),
                settings.duration(
                        "connect-timeout", Duration.ofSeconds(2), Duration.ofMillis(250), Duration.ofMinutes(1)),
                settings.duration("start-timeout", Duration.ofSeconds(30), Duration.ZERO, Duration.ofHours(1)));
    }

    private static SigningKeys signingKeys(Settings settings) {
        Duration longest = Duration.ofDays(3650);
        SigningKeys keys = new SigningKeys(
                settings.duration("signing-keys.rotation", Duration.ofDays(30), Duration.ofMinutes(10), longest),
                settings.duration("signing-keys.publish-ahead", Duration.ofHours(1), Duration.ZERO, longest),
                settings.choice("token.algorithm", TokenAlgorithm.class, TokenAlgorithm.ES256));
        if (keys.publishAhead().compareTo(SigningKeys.LEAST_AHEAD) < 0
                || keys.publishAhead().compareTo(keys.rotation()) > 0) {
            settings.fault(
                    "signing-keys.publish-ahead",
                    keys.publishAhead() + " is not between " + SigningKeys.LEAST_AHEAD
                            + " (others keep the published keys for "
                            + SigningKeys.MAX_AGE + ", clocks of nodes differ by up to " + SigningKeys.SKEW
                            + ", and nodes learn of a key within " + SigningKeys.NEWS
                            + ") and muster.signing-keys.rotation, which is " + keys.rotation());
        }
        return keys;
    }

    private static int refusedStatus(Settings settings) {
        int status = settings.number("registration.refused-status", 400, 400, 403);
        if (status == 402) {
            settings.fault("registration.refused-status", "must be 400, 401 or 403");
        }
        return status;
    }

    private static Map<String, Fleet> fleets(Settings settings) {
        Map<String, Fleet> fleets = new LinkedHashMap<>();
        fleets.put(DEFAULT_FLEET, fleet(DEFAULT_FLEET, settings.below("fleet").below(DEFAULT_FLEET)));
        for (String name : settings.names("fleets", List.of())) {
            fleets.computeIfAbsent(name, n -> fleet(n, settings.below("fleet").below(n)));
        }
        return Map.copyOf(fleets);
    }

    private static Fleet fleet(String name, Settings settings) {
        List<String> verifiers = settings.names("verifiers", List.of("database"));
        int required = settings.number("required", 1, 1, 100);
        if (required > verifiers.size()) {
            settings.fault("required", required + " is more than the fleet has verifiers");
        }
        Map<String, AttributeType> types = new LinkedHashMap<>();
        for (String declared : settings.list("attributes")) {
            String[] parts = declared.split(":", -1);
            try {
                types.put(
                        parts[0].strip(), AttributeType.valueOf(parts[1].strip().toUpperCase(Locale.ROOT)));
            } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
                settings.fault("attributes", "\"" + declared + "\" is not name:string, name:number or name:boolean");
            }
        }
        Map<String, String> configuration = new LinkedHashMap<>();
        for (String pair : settings.list("configuration")) {
            int equals = pair.indexOf('=');
            if (equals < 1) {
                settings.fault("configuration", "\"" + pair + "\" is not name=value");
            } else {
                configuration.put(
                        pair.substring(0, equals).strip(),
                        pair.substring(equals + 1).strip());
            }
        }
        return new Fleet(
                name,
                verifiers,
                required,
                settings.choice("register-again", RegisterAgainRule.class, RegisterAgainRule.UNTIL_CONFIRMED),
                settings.duration(
                        "unconfirmed-lifetime", Duration.ofDays(30), Duration.ofMinutes(1), Duration.ofDays(3650)),
                Map.copyOf(types),
                Map.copyOf(configuration),
                settings.text("wire"),
                settings.list("serials"));
    }

    private static List<Broker> brokers(Settings settings, Set<String> keys) {
        List<String> listed = settings.names("brokers", List.of());
        List<Broker> brokers = listed.stream()
                .map(name -> broker(name, settings.below("broker").below(name)))
                .toList();
        keys.stream()
                .map(Pattern.compile("muster\\.mqtt\\.broker\\.([a-z][a-z0-9-]{0,63})\\..*")::matcher)
                .filter(Matcher::matches)
                .map(key -> key.group(1))
                .filter(name -> !listed.contains(name))
                .distinct()
                .sorted()
                .forEach(name -> {
                    settings.fault("brokers", "does not list " + name + ", which has settings");
                    broker(name, settings.below("broker").below(name));
                });
        List<String> secrets =
                brokers.stream().flatMap(broker -> broker.secrets().stream()).toList();
        if (secrets.stream().distinct().count() < secrets.size()) {
            settings.fault("brokers", "two of them have the same secret");
        }
        return brokers;
    }

    private static Broker broker(String name, Settings settings) {
        BrokerKind kind = settings.choice("kind", BrokerKind.class, BrokerKind.RABBITMQ);
        Set<String> fleets = Set.copyOf(settings.names("fleets", List.of()));
        boolean patterns = settings.flag("patterns", false);
        if (kind.keepsLogins()) {
            Optional<Management> management =
                    management(name, settings, kind, settings.mqttAddress("management-url"), "mqtt");
            if (settings.secret("secret").isPresent()) {
                settings.fault("secret", "is of no use: a broker of this kind asks nobody");
            }
            return new Broker(name, kind, List.of(), fleets, management, patterns);
        }
        if (patterns) {
            settings.fault("patterns", "is of no use: a broker of this kind is not told who may log in");
        }
        List<String> secrets = settings.requiredSecret("secret")
                .map(text -> List.of(text.split("\\s+")))
                .orElse(List.of());
        if (secrets.size() > 2 || !secrets.stream().allMatch(secret -> secret.matches("[A-Za-z0-9_-]{32,128}"))) {
            settings.fault(
                    "secret",
                    "must be 32 to 128 letters, digits, - and _, or two of these while one replaces the other");
        }
        Optional<Management> management = management(name, settings, kind, settings.address("management-url"), "http");
        if (kind == BrokerKind.GO_AUTH && management.isPresent()) {
            settings.fault("management-url", "is of no use: mosquitto-go-auth cannot be told to disconnect a device");
        }
        return new Broker(name, kind, secrets, fleets, management, false);
    }

    private static Optional<Management> management(
            String name, Settings settings, BrokerKind kind, Optional<URI> url, String plain) {
        Optional<String> user = settings.text("management-user");
        Optional<String> password = settings.secret("management-password");
        boolean allowHttp = settings.flag("allow-http", false);
        List<String> all = List.of("management-url", "management-user", "management-password");
        if (kind.keepsLogins() || all.stream().anyMatch(settings::isSet)) {
            String why = kind.keepsLogins()
                    ? "a broker of this kind asks nobody and must be told"
                    : "a broker is told with management-url, management-user and management-password";
            all.stream().filter(key -> !settings.isSet(key)).forEach(key -> settings.fault(key, "is required: " + why));
        }
        Optional<Path> caFile = settings.path(CA_FILE);
        Optional<List<X509Certificate>> authorities = caFile.flatMap(
                file -> new TlsFiles("broker " + name + ": ", settings::fault).authorities(CA_FILE, file));
        if (caFile.isPresent()
                && url.map(address -> address.getScheme().equals(plain)).orElse(!settings.isSet("management-url"))) {
            settings.fault(CA_FILE, "means nothing without " + plain + "s");
        }
        url.filter(address -> address.getScheme().equals(plain) && !allowHttp && !isLoopback(address.getHost()))
                .ifPresent(address -> settings.fault(
                        "management-url", "must be " + plain + "s; set allow-http = true if the network is trusted"));
        return url.isEmpty() || user.isEmpty() || password.isEmpty()
                ? Optional.empty()
                : Optional.of(new Management(url.get(), user.get(), password.get(), authorities));
    }

    private static boolean isLoopback(String host) {
        return host.equals("localhost") || host.equals("127.0.0.1") || host.equals("[::1]");
    }
}
