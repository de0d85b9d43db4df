// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import io.muster.config.MusterConfig;
import io.muster.config.MusterConfig.AttributeType;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.config.MusterConfig.OnUnavailable;
import io.muster.config.MusterConfig.RegisterAgainRule;
import io.muster.config.Settings;
import io.muster.device.Device;
import io.muster.device.DeviceTag;
import io.muster.device.Storable;
import io.muster.issuer.Issuers;
import io.muster.json.Fields;
import io.muster.problem.RegistryException;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import io.muster.verification.SerialForm;
import io.muster.verification.policy.Rules;
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
 * The document by which operators describe a fleet. It is read and replaced as a whole. {@code docs/fleets.md} has its
 * members.
 *
 * @param rules how its verifiers decide
 * @param registerAgain whether a serial that is a device already may register
 * @param unconfirmedLifetime how long an unused credential lives
 * @param issuer the name of the issuer of its credentials
 * @param credentialLifetime how long a credential is good from its first use on; empty for ever
 * @param rotationOverlap how long a credential stays good after the first use of its replacement
 * @param serials how its serials are spelled, from every source
 * @param deviceName the name for a device that no verifier has a name for, with <code>{serial}</code> in it
 * @param attributes the types of attributes that are declared; others are strings
 * @param configuration the values that every device of the fleet gets
 * @param template the further data of each device
 * @param wire the shape of its registrations
 * @param topics the MQTT topics of its devices
 * @param brokerClaims the kinds of brokers that check access tokens themselves and find the topics in them
 * @param claims the rules by which users claim its devices; empty if users cannot
 * @param archived whether nobody registers in it any more. Its devices keep working, and renew their credentials
 */
public record FleetDocument(
        Rules rules,
        RegisterAgainRule registerAgain,
        Duration unconfirmedLifetime,
        String issuer,
        Optional<Duration> credentialLifetime,
        Duration rotationOverlap,
        SerialForm serials,
        Optional<String> deviceName,
        Map<String, AttributeType> attributes,
        Map<String, String> configuration,
        DeviceTemplate template,
        Wire wire,
        Topics topics,
        List<BrokerKind> brokerClaims,
        Optional<ClaimRules> claims,
        boolean archived) {

    private static final int MAX_ENTRIES = 100;
    private static final int MAX_TEXT = 1000;
    private static final String SERIAL = "{serial}";
    private static final int MAX_AROUND_SERIAL = Device.MAX_NAME - 128;
    // Keeps a token below the eight kilobytes that a header may have on most servers.
    private static final int MAX_CLAIMS = 5000;
    /** The kinds of brokers that can look for topics in a token. */
    private static final BrokerKind[] CLAIMED = {BrokerKind.RABBITMQ, BrokerKind.EMQX};

    private static final String DEVICE_NAME = "a text with " + SERIAL + " in it once, no other braces, and at most "
            + MAX_AROUND_SERIAL + " characters beside it";

    private static final Duration DEFAULT_LIFETIME = Duration.ofDays(30);
    private static final Duration DEFAULT_OVERLAP = Duration.ofMinutes(10);

    /**
     * Stands for a document with members that this version does not know. They may be restrictions, so it admits
     * nobody.
     */
    static final FleetDocument NOT_UNDERSTOOD = new FleetDocument(
            Rules.of(List.of("document-not-understood"), 1),
            RegisterAgainRule.NEVER,
            DEFAULT_LIFETIME,
            Issuers.STANDARD,
            Optional.empty(),
            DEFAULT_OVERLAP,
            SerialForm.EXACT,
            Optional.empty(),
            Map.of(),
            Map.of(),
            DeviceTemplate.NONE,
            Wire.PLAIN,
            Topics.STANDARD,
            List.of(),
            Optional.empty(),
            false);

    /** Makes the document of a fleet that the configuration describes. */
    public static FleetDocument of(MusterConfig.Fleet seed) {
        Wire wire = seed.wire().flatMap(Wire::preset).orElse(Wire.PLAIN);
        return new FleetDocument(
                Rules.of(seed.verifiers(), seed.required()),
                seed.again(),
                seed.unconfirmedLifetime(),
                Issuers.STANDARD,
                Optional.empty(),
                DEFAULT_OVERLAP,
                SerialForm.of(seed.serials(), wire.anyText()),
                Optional.empty(),
                seed.attributes(),
                seed.configuration(),
                DeviceTemplate.NONE,
                wire,
                Topics.STANDARD,
                List.of(),
                Optional.empty(),
                false);
    }

    /**
     * Reads a document.
     *
     * @param name the fleet's; a document with another name is faulty
     * @param verifierFault the fault of a verifier's name, if any
     * @param neverGenuine whether the verifier of a name admits nobody
     * @param issuerFault the fault of a credential issuer's name, if any
     * @param providerFault the fault of the name of an identity provider of users, if any
     * @throws RegistryException {@code INVALID_REQUEST} with every fault
     */
    public static FleetDocument parse(
            byte[] utf8,
            String name,
            Function<String, Optional<String>> verifierFault,
            Predicate<String> neverGenuine,
            Function<String, Optional<String>> issuerFault,
            Function<String, Optional<String>> providerFault) {
        return parse(utf8, name, true, verifierFault, neverGenuine, issuerFault, providerFault);
    }

    private static FleetDocument parse(
            byte[] utf8,
            String name,
            boolean written,
            Function<String, Optional<String>> verifierFault,
            Predicate<String> neverGenuine,
            Function<String, Optional<String>> issuerFault,
            Function<String, Optional<String>> providerFault) {
        Fields fields = Fields.of(utf8);
        FleetDocument document = read(fields, name, written, verifierFault, neverGenuine, issuerFault, providerFault);
        fields.check();
        return document;
    }

    /** Reads a document that is part of another text. Its faults are among those of the fields. */
    static FleetDocument read(
            Fields fields,
            String name,
            boolean written,
            Function<String, Optional<String>> verifierFault,
            Predicate<String> neverGenuine,
            Function<String, Optional<String>> issuerFault,
            Function<String, Optional<String>> providerFault) {
        fields.text("name", "the name of the fleet, or absent", name::equals);
        Wire wire = fields.object("wire")
                .map(members -> Wire.read(members, written))
                .orElse(Wire.PLAIN);
        Map<String, AttributeType> attributes = fields.map(
                        "attributes",
                        "1 to 64 characters",
                        key -> !key.isBlank() && key.length() <= 64,
                        words(AttributeType.values()),
                        word -> constant(AttributeType.values(), word))
                .orElse(Map.of());
        FleetDocument document = new FleetDocument(
                rules(fields, verifierFault, neverGenuine),
                fields.meaning(
                                "registerAgain",
                                words(RegisterAgainRule.values()),
                                word -> constant(RegisterAgainRule.values(), word))
                        .orElse(RegisterAgainRule.UNTIL_CONFIRMED),
                fields.duration("unconfirmedLifetime", Duration.ofMinutes(1), Duration.ofDays(3650))
                        .orElse(DEFAULT_LIFETIME),
                issuer(fields, issuerFault),
                fields.duration("credentialLifetime", Duration.ofMinutes(10), Duration.ofDays(3650)),
                fields.duration("rotationOverlap", Duration.ZERO, Duration.ofDays(30))
                        .orElse(DEFAULT_OVERLAP),
                serials(fields, wire),
                fields.text("deviceName", DEVICE_NAME, FleetDocument::isDeviceName),
                attributes,
                fields.map(
                                "configuration",
                                "1 to 64 characters",
                                key -> !key.isBlank() && key.length() <= 64,
                                "a string of at most " + MAX_TEXT + " characters",
                                text -> Optional.of(text).filter(value -> value.length() <= MAX_TEXT))
                        .orElse(Map.of()),
                fields.object("template")
                        .map(members -> DeviceTemplate.read(members, attributes, wire.serialTag()))
                        .orElse(DeviceTemplate.NONE),
                wire,
                fields.object("topics").map(Topics::read).orElse(Topics.STANDARD),
                brokerClaims(fields),
                fields.object("claims").map(members -> ClaimRules.read(members, providerFault, wire.serialTag())),
                fields.flag("archived").orElse(false));
        if (document.attributes.size() > MAX_ENTRIES) {
            fields.fault("attributes", "has more than " + MAX_ENTRIES + " members");
        }
        if (document.configuration.size() > MAX_ENTRIES) {
            fields.fault("configuration", "has more than " + MAX_ENTRIES + " members");
        }
        if (document.deviceName.isPresent() && document.template.name().isPresent()) {
            fields.fault("deviceName", "is said by #/template/name too");
        }
        document.template.configuration().keySet().stream()
                .filter(document.configuration::containsKey)
                .forEach(both -> fields.fault("configuration", both + " is in #/template/configuration too"));
        if (document.topics.spaceInClaims(name) * document.brokerClaims.size() > MAX_CLAIMS) {
            fields.fault("brokerClaims", "the topics are too many or too long for a token");
        }
        // A member that is null is a mistake of the caller, not a member left out.
        fields.refuseNulls();
        return document;
    }

    private static SerialForm serials(Fields fields, Wire wire) {
        List<String> rules = fields.texts("serials", "a rule", rule -> true).orElse(List.of());
        Optional<String> fault = SerialForm.fault(rules);
        fault.ifPresent(found -> fields.fault("serials", found));
        return SerialForm.of(fault.isPresent() ? List.of() : rules, wire.anyText());
    }

    private static boolean isDeviceName(String text) {
        String around = text.replace(SERIAL, "");
        return text.length() - around.length() == SERIAL.length()
                && around.indexOf('{') < 0
                && around.indexOf('}') < 0
                && Storable.textFault(around, MAX_AROUND_SERIAL).isEmpty();
    }

    /** Returns the types of all attributes that are declared, here or in the template; others are strings. */
    public Map<String, AttributeType> types() {
        if (template.attributes().isEmpty()) {
            return attributes;
        }
        Map<String, AttributeType> types = new LinkedHashMap<>(attributes);
        template.attributes().forEach((name, rule) -> types.put(name, rule.type()));
        return types;
    }

    /** Returns what is said of the attributes that a device may report. */
    public Map<String, AttributeRule> reported() {
        Map<String, AttributeRule> reported = new LinkedHashMap<>(template.attributes());
        reported.values().removeIf(rule -> !rule.report());
        return reported;
    }

    /** Returns what a new device with this serial gets, of which verifiers know this. */
    public Verdict.Genuine complete(SerialNumber serial, Verdict.Genuine known, LeftOut leftOut) {
        Verdict.Genuine completed = template.complete(known, shown(serial), leftOut);
        return completed.name().isPresent() || deviceName.isEmpty()
                ? completed
                : new Verdict.Genuine(
                        deviceName.map(pattern -> pattern.replace(SERIAL, shown(serial))),
                        completed.tags(),
                        completed.attributes());
    }

    /**
     * Returns what a device is told.
     *
     * @param tags of the device
     */
    public DeviceConfiguration configurationOf(
            SerialNumber serial, Map<String, String> tags, Map<String, Object> attributes, LeftOut leftOut) {
        Map<String, String> values = new LinkedHashMap<>(configuration);
        values.putAll(template.configuration(
                new DeviceTemplate.Values(shown(serial), Optional.ofNullable(tags.get(DeviceTag.LOT)), attributes),
                leftOut));
        return new DeviceConfiguration(values);
    }

    /** Returns the serial as the device presented it, if that can be shown to people; else as the registry has it. */
    public String shown(SerialNumber serial) {
        String shown = serials.shown(serial);
        return Storable.tagFault(shown).isEmpty() ? shown : serial.value();
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

    /** Reads a document that was checked when it was written. The names in it may mean something else by now. */
    static FleetDocument stored(String json, String name) {
        return parse(
                json.getBytes(StandardCharsets.UTF_8),
                name,
                false,
                verifier -> Optional.empty(),
                verifier -> false,
                issuer -> Optional.empty(),
                provider -> Optional.empty());
    }

    /** Tells whether fewer verifiers can answer genuine than are required. */
    static boolean admitsNobody(List<String> verifiers, long required, Predicate<String> neverGenuine) {
        return verifiers.stream().filter(neverGenuine.negate()).count() < required;
    }

    private static Rules rules(
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
        return new Rules(
                verifiers,
                (int) required,
                onUnavailable,
                shadow,
                fields.duration("timeBudget", Duration.ofMillis(50), Duration.ofMinutes(1))
                        .orElse(Rules.TIME_BUDGET),
                fields.object("cache").map(FleetDocument::cache));
    }

    private static Rules.Remember cache(Fields fields) {
        Rules.Remember remember = new Rules.Remember(
                fields.duration("genuine", Duration.ZERO, Duration.ofDays(1)).orElse(Duration.ZERO),
                fields.duration("refused", Duration.ZERO, Duration.ofDays(1)).orElse(Duration.ZERO),
                fields.number("size", 1, 1_000_000).orElse(10_000L).intValue());
        fields.end();
        return remember;
    }

    /**
     * Tells whether connections of a device, and its access tokens with topics, end when its owner changes: because its
     * topics change, or because the fleet wants it.
     */
    public boolean followsOwner() {
        return topics.haveOwner() || claims.filter(ClaimRules::disconnect).isPresent();
    }

    /** Tells whether devices are claimed by code. */
    public boolean isClaimedByCode() {
        return claims.filter(rules -> rules.by().contains(ClaimRules.By.CODE)).isPresent();
    }

    /** Returns the document as JSON, including the members that have their defaults. */
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
        // Left out if empty, so that nodes of the previous version understand the document.
        if (!serials.rules().isEmpty()) {
            json.put("serials", serials.rules());
        }
        deviceName.ifPresent(pattern -> json.put("deviceName", pattern));
        json.put("attributes", words(attributes));
        json.put("configuration", configuration);
        // Left out like serials.
        if (!template.equals(DeviceTemplate.NONE)) {
            json.put("template", template.toJson());
        }
        json.put("wire", wire.toJson());
        json.put("topics", topics.toJson());
        json.put("brokerClaims", brokerClaims.stream().map(FleetDocument::word).toList());
        // Left out like serials.
        claims.ifPresent(rules -> json.put("claims", rules.toJson()));
        if (archived) {
            json.put("archived", true);
        }
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
