package io.muster.fleet;

import io.muster.config.MusterConfig;
import io.muster.config.MusterConfig.Again;
import io.muster.config.MusterConfig.AttributeType;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.config.MusterConfig.OnUnavailable;
import io.muster.config.Settings;
import io.muster.credential.Issuers;
import io.muster.json.Fields;
import io.muster.problem.RegistryException;
import io.muster.verification.VerifierPolicy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What operators say of a fleet: a document that is read and replaced as a whole. {@code docs/fleets.md} has its members.
 *
 * @param rules how its verifiers decide
 * @param registerAgain who may register a serial that is a device already
 * @param unconfirmedLifetime how long an unused credential lives
 * @param issuer the name of what issues its credentials
 * @param credentialLifetime how long a credential is good from its first use on; empty for ever
 * @param rotationOverlap how long a credential is good after the one that replaces it was used
 * @param attributes the types of attributes that are declared; others are strings
 * @param configuration what every device of the fleet is told
 * @param wire the shape of its registrations
 * @param topics the MQTT topics of its devices
 * @param brokerClaims which brokers, that check access tokens themselves, find the topics in them
 */
public record FleetDocument(
        VerifierPolicy.Rules rules,
        Again registerAgain,
        Duration unconfirmedLifetime,
        String issuer,
        Optional<Duration> credentialLifetime,
        Duration rotationOverlap,
        Map<String, AttributeType> attributes,
        Map<String, String> configuration,
        Wire wire,
        Topics topics,
        List<BrokerKind> brokerClaims) {

    private static final int MAX_ENTRIES = 100;
    private static final int MAX_TEXT = 1000;
    // So that a token keeps below the eight kilobytes that a header may have on most servers.
    private static final int MAX_CLAIMS = 5000;
    /** Those that can look for topics in a token. */
    private static final BrokerKind[] CLAIMED = {BrokerKind.RABBITMQ, BrokerKind.EMQX};

    private static final Duration DEFAULT_LIFETIME = Duration.ofDays(30);
    private static final Duration DEFAULT_OVERLAP = Duration.ofMinutes(10);

    /** Stands for a document that has members this version does not know, which may be restrictions: nobody is admitted. */
    static final FleetDocument NOT_UNDERSTOOD = new FleetDocument(
            VerifierPolicy.Rules.of(List.of("document-not-understood"), 1),
            Again.NEVER,
            DEFAULT_LIFETIME,
            Issuers.STANDARD,
            Optional.empty(),
            DEFAULT_OVERLAP,
            Map.of(),
            Map.of(),
            Wire.PLAIN,
            Topics.STANDARD,
            List.of());

    /** Makes the document of a fleet that the configuration describes. */
    public static FleetDocument of(MusterConfig.Fleet seed) {
        return new FleetDocument(
                VerifierPolicy.Rules.of(seed.verifiers(), seed.required()),
                seed.again(),
                seed.unconfirmedLifetime(),
                Issuers.STANDARD,
                Optional.empty(),
                DEFAULT_OVERLAP,
                seed.attributes(),
                seed.configuration(),
                seed.wire().flatMap(Wire::preset).orElse(Wire.PLAIN),
                Topics.STANDARD,
                List.of());
    }

    /**
     * Reads a document.
     *
     * @param name the fleet's; a document that says another is faulty
     * @param verifierFault what is wrong with a verifier's name, if anything
     * @param neverGenuine whether the verifier of a name admits nobody
     * @param issuerFault what is wrong with the name of a credential issuer, if anything
     * @throws RegistryException {@code INVALID_REQUEST} with every fault
     */
    public static FleetDocument parse(
            byte[] utf8,
            String name,
            Function<String, Optional<String>> verifierFault,
            Predicate<String> neverGenuine,
            Function<String, Optional<String>> issuerFault) {
        Fields fields = Fields.of(utf8);
        fields.text("name", "the name of the fleet, or absent", name::equals);
        FleetDocument document = new FleetDocument(
                rules(fields, verifierFault, neverGenuine),
                fields.meaning("registerAgain", words(Again.values()), word -> constant(Again.values(), word))
                        .orElse(Again.UNTIL_CONFIRMED),
                fields.duration("unconfirmedLifetime", Duration.ofMinutes(1), Duration.ofDays(3650))
                        .orElse(DEFAULT_LIFETIME),
                issuer(fields, issuerFault),
                fields.duration("credentialLifetime", Duration.ofMinutes(10), Duration.ofDays(3650)),
                fields.duration("rotationOverlap", Duration.ZERO, Duration.ofDays(30))
                        .orElse(DEFAULT_OVERLAP),
                fields.map(
                                "attributes",
                                "1 to 64 characters",
                                key -> !key.isBlank() && key.length() <= 64,
                                words(AttributeType.values()),
                                word -> constant(AttributeType.values(), word))
                        .orElse(Map.of()),
                fields.map(
                                "configuration",
                                "1 to 64 characters",
                                key -> !key.isBlank() && key.length() <= 64,
                                "a string of at most " + MAX_TEXT + " characters",
                                text -> Optional.of(text).filter(value -> value.length() <= MAX_TEXT))
                        .orElse(Map.of()),
                fields.object("wire").map(Wire::read).orElse(Wire.PLAIN),
                fields.object("topics").map(Topics::read).orElse(Topics.STANDARD),
                brokerClaims(fields));
        if (document.attributes.size() > MAX_ENTRIES) {
            fields.fault("attributes", "has more than " + MAX_ENTRIES + " members");
        }
        if (document.configuration.size() > MAX_ENTRIES) {
            fields.fault("configuration", "has more than " + MAX_ENTRIES + " members");
        }
        if (document.topics.spaceInClaims(name) * document.brokerClaims.size() > MAX_CLAIMS) {
            fields.fault("brokerClaims", "the topics are too many or too long for a token");
        }
        // A rule that the caller failed to fill in is not one the caller left out.
        fields.refuseNulls();
        fields.check();
        return document;
    }

    private static String issuer(Fields fields, Function<String, Optional<String>> issuerFault) {
        Optional<String> issuer = fields.text("issuer", "the name of a credential issuer", Settings::isName);
        issuer.flatMap(issuerFault)
                .ifPresent(fault -> fields.fault("issuer", "the issuer \"" + issuer.get() + "\" " + fault));
        return issuer.orElse(Issuers.STANDARD);
    }

    private static List<BrokerKind> brokerClaims(Fields fields) {
        return fields
                .texts("brokerClaims", words(CLAIMED), word -> constant(CLAIMED, word)
                        .isPresent())
                .orElse(List.of())
                .stream()
                .flatMap(word -> constant(CLAIMED, word).stream())
                .toList();
    }

    /** Reads a document that was checked when it was written; what its names mean may have changed since. */
    static FleetDocument stored(String json, String name) {
        return parse(
                json.getBytes(StandardCharsets.UTF_8),
                name,
                verifier -> Optional.empty(),
                verifier -> false,
                issuer -> Optional.empty());
    }

    /** Tells whether fewer of the verifiers ever say genuine than are required. */
    static boolean admitsNobody(List<String> verifiers, long required, Predicate<String> neverGenuine) {
        return verifiers.stream().filter(neverGenuine.negate()).count() < required;
    }

    private static VerifierPolicy.Rules rules(
            Fields fields, Function<String, Optional<String>> verifierFault, Predicate<String> neverGenuine) {
        String expected = "the name of a verifier";
        int before = fields.faults().size();
        List<String> verifiers =
                fields.texts("verifiers", expected, Settings::isName).orElse(List.of());
        if (verifiers.isEmpty() && fields.faults().size() == before) {
            fields.fault("verifiers", "must name at least one verifier");
        }
        List<String> shadow = fields.texts("shadow", expected, Settings::isName).orElse(List.of());
        Stream.concat(
                        verifiers.stream().map(name -> Map.entry("verifiers", name)),
                        shadow.stream().map(name -> Map.entry("shadow", name)))
                .forEach(named -> verifierFault
                        .apply(named.getValue())
                        .ifPresent(fault ->
                                fields.fault(named.getKey(), "the verifier \"" + named.getValue() + "\" " + fault)));
        long required = fields.number("required", 1, 100).orElse(1L);
        if (!verifiers.isEmpty() && required > verifiers.size()) {
            fields.fault("required", required + " is more than the fleet has verifiers");
        } else if (!verifiers.isEmpty() && admitsNobody(verifiers, required, neverGenuine)) {
            fields.fault("verifiers", "fewer than " + required + " of them ever say genuine: nobody could register");
        }
        Map<String, OnUnavailable> onUnavailable = fields.map(
                        "onUnavailable",
                        "that of one of the fleet's verifiers",
                        verifiers::contains,
                        words(OnUnavailable.values()),
                        word -> constant(OnUnavailable.values(), word))
                .orElse(Map.of());
        return new VerifierPolicy.Rules(
                verifiers,
                (int) required,
                onUnavailable,
                shadow,
                fields.duration("timeBudget", Duration.ofMillis(50), Duration.ofMinutes(1))
                        .orElse(VerifierPolicy.Rules.TIME_BUDGET),
                fields.object("cache").map(FleetDocument::cache));
    }

    private static VerifierPolicy.Remember cache(Fields fields) {
        VerifierPolicy.Remember remember = new VerifierPolicy.Remember(
                fields.duration("genuine", Duration.ZERO, Duration.ofDays(1)).orElse(Duration.ZERO),
                fields.duration("refused", Duration.ZERO, Duration.ofDays(1)).orElse(Duration.ZERO),
                fields.number("size", 1, 1_000_000).orElse(10_000L).intValue());
        fields.end();
        return remember;
    }

    /** Returns the document as JSON, complete with what was left to defaults. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("verifiers", rules.verifiers());
        json.put("required", rules.required());
        json.put("onUnavailable", words(rules.onUnavailable()));
        json.put("shadow", rules.shadow());
        json.put("timeBudget", rules.timeBudget().toString());
        rules.cache().ifPresent(cache -> {
            Map<String, Object> life = new LinkedHashMap<>();
            life.put("genuine", cache.genuine().toString());
            life.put("refused", cache.refused().toString());
            life.put("size", cache.size());
            json.put("cache", life);
        });
        json.put("registerAgain", word(registerAgain));
        json.put("unconfirmedLifetime", unconfirmedLifetime.toString());
        json.put("issuer", issuer);
        credentialLifetime.ifPresent(life -> json.put("credentialLifetime", life.toString()));
        json.put("rotationOverlap", rotationOverlap.toString());
        json.put("attributes", words(attributes));
        json.put("configuration", configuration);
        json.put("wire", wire.toJson());
        json.put("topics", topics.toJson());
        json.put("brokerClaims", brokerClaims.stream().map(FleetDocument::word).toList());
        return json;
    }

    private static <E extends Enum<E>> Map<String, String> words(Map<String, E> constants) {
        Map<String, String> words = new LinkedHashMap<>();
        constants.forEach((name, constant) -> words.put(name, word(constant)));
        return words;
    }

    private static String words(Enum<?>[] constants) {
        return String.join(", ", Stream.of(constants).map(FleetDocument::word).toList());
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static <E extends Enum<E>> Optional<E> constant(E[] constants, String word) {
        return Stream.of(constants)
                .filter(constant -> word(constant).equals(word))
                .findFirst();
    }
}
