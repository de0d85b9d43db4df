// SPDX-License-Identifier: Apache-2.0
package io.muster.config;

import io.muster.spi.WrittenText;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Reads typed settings below a prefix and collects every fault instead of stopping at the first. A faulty setting reads
 * as its default, so that reading can go on. {@link #check} then refuses the start. Used by one thread, at start only.
 */
public final class Settings {

    /**
     * A setting that the code knows.
     *
     * @param key the whole key
     * @param type its type, for people
     * @param otherwise its default as text; {@code required} or {@code optional} if it has none
     */
    public record Definition(String key, String type, String otherwise) {}

    private static final String REQUIRED = "required";
    private static final String OPTIONAL = "optional";
    private static final int LAST_PORT = 65_535;

    private final String prefix;
    private final Function<String, Optional<String>> lookup;
    private final Map<String, Definition> known;
    private final Set<String> faults;

    private Settings(
            String prefix,
            Function<String, Optional<String>> lookup,
            Map<String, Definition> known,
            Set<String> faults) {
        this.prefix = prefix;
        this.lookup = lookup;
        this.known = known;
        this.faults = faults;
    }

    /**
     * Reads from a source. An empty or blank value counts as absent, as in MicroProfile Config.
     *
     * @param prefix the beginning of every key, its dot included
     * @param lookup the value of a whole key
     */
    public static Settings of(String prefix, Function<String, Optional<String>> lookup) {
        return new Settings(
                prefix,
                key -> lookup.apply(key).map(String::strip).filter(text -> !text.isEmpty()),
                new TreeMap<>(),
                new LinkedHashSet<>());
    }

    /** Returns the settings below a longer prefix. Their known keys and faults are collected here too. */
    public Settings below(String name) {
        return new Settings(prefix + name + ".", lookup, known, faults);
    }

    /**
     * Reads below a longer prefix on trial: faults are kept apart until they are adopted.
     *
     * @param name the addition to the prefix
     */
    public Trial trial(String name) {
        Set<String> apart = new LinkedHashSet<>();
        boolean[] found = {false};
        Function<String, Optional<String>> noticing = key -> {
            Optional<String> value = lookup.apply(key);
            found[0] |= value.isPresent();
            return value;
        };
        return new Trial(new Settings(prefix + name + ".", noticing, known, apart), apart, found, faults);
    }

    /** Settings that are read to see whether they exist. */
    public static final class Trial {

        private final Settings settings;
        private final Set<String> apart;
        private final boolean[] found;
        private final Set<String> faults;

        private Trial(Settings settings, Set<String> apart, boolean[] found, Set<String> faults) {
            this.settings = settings;
            this.apart = apart;
            this.found = found;
            this.faults = faults;
        }

        /** Returns the settings to read from. */
        public Settings settings() {
            return settings;
        }

        /** Returns the faults so far. */
        public List<String> faults() {
            return List.copyOf(apart);
        }

        /** Tells whether any key that was read is set. */
        public boolean hasValues() {
            return found[0];
        }

        /** Adopts the faults of the trial. */
        public void adopt() {
            faults.addAll(apart);
        }
    }

    /** Returns the text, or empty. */
    public Optional<String> text(String key) {
        return read(key, "text", OPTIONAL, Function.identity());
    }

    /** Returns the text, or the default. */
    public String text(String key, String otherwise) {
        return read(key, "text", otherwise, Function.identity()).orElse(otherwise);
    }

    /** Returns the text. If there is none, that is a fault and the result is the empty text. */
    public String required(String key) {
        Optional<String> text = read(key, "text", REQUIRED, Function.identity());
        if (text.isEmpty()) {
            fault(key, "is required");
        }
        return text.orElse("");
    }

    /**
     * Returns the names in a comma-separated list, in their order, each once; the default if there is no list. A text
     * that cannot be a name is a fault and left out.
     */
    public List<String> names(String key, List<String> otherwise) {
        return read(
                        key,
                        "names, separated by commas",
                        otherwise.isEmpty() ? OPTIONAL : String.join(",", otherwise),
                        text -> {
                            List<String> names = Arrays.stream(text.split(","))
                                    .map(String::strip)
                                    .filter(name -> !name.isEmpty())
                                    .distinct()
                                    .toList();
                            // The others are read all the same, so that the settings below them are known.
                            names.stream()
                                    .filter(name -> !isName(name))
                                    .forEach(name -> fault(
                                            key,
                                            "\"" + name
                                                    + "\" is not a name: 1 to 64 lower-case letters, digits"
                                                    + " and dashes, beginning with a letter"));
                            return names.stream().filter(Settings::isName).toList();
                        })
                .orElse(otherwise);
    }

    /** Returns the addresses and ranges in a comma-separated list. Each text that is none is a fault, and left out. */
    public List<AddressRange> addressRanges(String key) {
        return read(key, "addresses and ranges of addresses, separated by commas", OPTIONAL, text -> {
                    List<AddressRange> ranges = new ArrayList<>();
                    for (String range : text.split(",")) {
                        if (range.isBlank()) {
                            continue;
                        }
                        try {
                            ranges.add(AddressRange.parse(range.strip()));
                        } catch (IllegalArgumentException e) {
                            // Add it to the others: each fault is named.
                            fault(key, e.getMessage());
                        }
                    }
                    return List.copyOf(ranges);
                })
                .orElse(List.of());
    }

    /** Tells whether the text can name a fleet or a verifier. */
    public static boolean isName(String text) {
        return text.matches("[a-z][a-z0-9-]{0,63}");
    }

    /** Returns the list of texts, separated by commas and stripped; empty where there is none. */
    public List<String> list(String key) {
        return read(key, "texts, separated by commas", OPTIONAL, text -> Arrays.stream(text.split(","))
                        .map(String::strip)
                        .filter(item -> !item.isEmpty())
                        .toList())
                .orElse(List.of());
    }

    /** Returns the list of texts, separated by commas and stripped; the default where there is none. */
    public List<String> list(String key, List<String> otherwise) {
        return read(key, "texts, separated by commas", String.join(", ", otherwise), text -> Arrays.stream(
                                text.split(","))
                        .map(String::strip)
                        .filter(item -> !item.isEmpty())
                        .toList())
                .orElse(otherwise);
    }

    /** Returns the duration, ISO 8601 such as {@code PT15M}, within the bounds. */
    public Duration duration(String key, Duration otherwise, Duration least, Duration most) {
        return read(key, "duration, " + least + " to " + most, otherwise.toString(), text -> {
                    Duration duration;
                    try {
                        duration = Duration.parse(text);
                    } catch (DateTimeParseException e) {
                        throw new IllegalArgumentException("\"" + text + "\" is not a duration such as PT15M");
                    }
                    if (duration.compareTo(least) < 0 || duration.compareTo(most) > 0) {
                        throw new IllegalArgumentException(text + " is not between " + least + " and " + most);
                    }
                    return duration;
                })
                .orElse(otherwise);
    }

    /** Returns the whole number within the bounds. */
    public int number(String key, int otherwise, int least, int most) {
        return read(key, "number, " + least + " to " + most, Integer.toString(otherwise), text -> {
                    try {
                        int number = Integer.parseInt(text);
                        if (number >= least && number <= most) {
                            return number;
                        }
                    } catch (NumberFormatException e) {
                        // reported below
                    }
                    throw new IllegalArgumentException(
                            "\"" + text + "\" is not a whole number between " + least + " and " + most);
                })
                .orElse(otherwise);
    }

    /**
     * Returns the number of bytes of a size such as {@code 64KiB}, {@code 256MiB} or {@code 100B}, within the bounds.
     */
    public long size(String key, String otherwise, String least, String most) {
        return read(key, "size, " + least + " to " + most, otherwise, text -> {
                    long bytes = bytes(text);
                    if (bytes < bytes(least) || bytes > bytes(most)) {
                        throw new IllegalArgumentException(text + " is not between " + least + " and " + most);
                    }
                    return bytes;
                })
                .orElseGet(() -> bytes(otherwise));
    }

    private static long bytes(String text) {
        var size = Pattern.compile("(\\d{1,12})(B|KiB|MiB|GiB)").matcher(text);
        if (!size.matches()) {
            throw new IllegalArgumentException("\"" + text + "\" is not a size such as 64KiB");
        }
        int shift = List.of("B", "KiB", "MiB", "GiB").indexOf(size.group(2)) * 10;
        return Long.parseLong(size.group(1)) << shift;
    }

    /** Returns true or false. */
    public boolean flag(String key, boolean otherwise) {
        return read(key, "true or false", Boolean.toString(otherwise), text -> {
                    if (!text.equals("true") && !text.equals("false")) {
                        throw new IllegalArgumentException("\"" + text + "\" is neither true nor false");
                    }
                    return text.equals("true");
                })
                .orElse(otherwise);
    }

    /** Returns one of the values of an enum, which are written in lower case with dashes. */
    public <E extends Enum<E>> E choice(String key, Class<E> type, E otherwise) {
        Map<String, E> choices = new TreeMap<>();
        for (E constant : type.getEnumConstants()) {
            choices.put(spelt(constant), constant);
        }
        return read(key, String.join(" or ", choices.keySet()), spelt(otherwise), text -> Optional.ofNullable(
                                choices.get(text))
                        .orElseThrow(() -> new IllegalArgumentException(
                                "\"" + text + "\" is none of " + String.join(", ", choices.keySet()))))
                .orElse(otherwise);
    }

    private static String spelt(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Returns the absolute http or https address without user information, query and fragment, or empty. */
    public Optional<URI> address(String key) {
        return read(key, "http or https address", OPTIONAL, Settings::parseAddress);
    }

    /** Returns the absolute http or https address without user information, query and fragment, or the default. */
    public URI address(String key, URI otherwise) {
        return read(key, "http or https address", otherwise.toString(), Settings::parseAddress)
                .orElse(otherwise);
    }

    /** Returns the absolute mqtt or mqtts address, a host and a port and nothing else, or empty. */
    public Optional<URI> mqttAddress(String key) {
        return read(key, "mqtt or mqtts address", OPTIONAL, Settings::parseMqttAddress);
    }

    private static URI parseMqttAddress(String text) {
        try {
            URI uri = new URI(text);
            boolean mqtt = "mqtt".equals(uri.getScheme()) || "mqtts".equals(uri.getScheme());
            if (mqtt
                    && uri.getHost() != null
                    && uri.getPort() > 0
                    && uri.getPort() <= LAST_PORT
                    && uri.getRawUserInfo() == null
                    && uri.getRawPath().isEmpty()
                    && uri.getRawQuery() == null
                    && uri.getRawFragment() == null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // reported below
        }
        throw new IllegalArgumentException("not mqtt://host:port or mqtts://host:port, a port up to 65535");
    }

    private static URI parseAddress(String text) {
        try {
            URI uri = new URI(text);
            boolean web = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme());
            if (web
                    && uri.getHost() != null
                    && uri.getPort() <= LAST_PORT
                    && uri.getRawUserInfo() == null
                    && uri.getRawQuery() == null
                    && uri.getRawFragment() == null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // reported below
        }
        throw new IllegalArgumentException(
                "not an absolute http or https address, with a port up to 65535 if any, without user information,"
                        + " query and fragment");
    }

    /** Returns the path, relative to the working directory, or empty. */
    public Optional<Path> path(String key) {
        return read(key, "path", OPTIONAL, Path::of);
    }

    /** Returns the path, or the default. The table describes the default in the given words. */
    public Path path(String key, Path otherwise, String inWords) {
        return read(key, "path", inWords, Path::of).orElse(otherwise);
    }

    /**
     * Returns a secret: the content of the file that {@code <key>-file} names, without white space at its ends, else
     * the value of the key itself, else empty. Setting both is a fault, and so is a file that is unreadable or empty.
     * No fault repeats the secret.
     */
    public Optional<String> secret(String key) {
        Optional<Path> file = read(key + "-file", "path of a file with the secret", OPTIONAL, Path::of);
        Optional<String> value = read(key, "secret; prefer " + prefix + key + "-file", OPTIONAL, Function.identity());
        if (file.isEmpty()) {
            return value;
        }
        if (value.isPresent()) {
            fault(key, "is set, and " + prefix + key + "-file too; keep the file");
            return Optional.empty();
        }
        try {
            String secret = WrittenText.read(file.get()).strip();
            if (secret.isEmpty()) {
                fault(key + "-file", file.get() + " is empty");
                return Optional.empty();
            }
            return Optional.of(secret);
        } catch (IOException e) {
            fault(key + "-file", "cannot read " + file.get() + " (" + WrittenText.reason(e) + ")");
            return Optional.empty();
        }
    }

    /**
     * Returns the secret. If none is set, that is a fault and the result is empty. The result is also empty if the file
     * is faulty.
     */
    public Optional<String> requiredSecret(String key) {
        Optional<String> secret = secret(key);
        if (!isSet(key)) {
            fault(key, "is required");
        }
        return secret;
    }

    /** Tells whether there is a value, or a file with it, valid or not. */
    public boolean isSet(String key) {
        return lookup.apply(prefix + key)
                .or(() -> lookup.apply(prefix + key + "-file"))
                .isPresent();
    }

    /**
     * Returns the values of names that only another party knows, such as a plug-in, and notes the names as known.
     *
     * @param names settings that are read as they are
     * @param secrets settings that are read as {@link #secret} does
     */
    public Map<String, String> of(Set<String> names, Set<String> secrets) {
        Map<String, String> values = new TreeMap<>();
        for (String name : names) {
            if (!secrets.contains(name)) {
                text(name).ifPresent(value -> values.put(name, value));
            }
        }
        for (String name : secrets) {
            secret(name).ifPresent(value -> values.put(name, value));
        }
        return Map.copyOf(values);
    }

    /** Reports a fault of one setting. The text must not contain the value of a secret. */
    public void fault(String key, String text) {
        faults.add(prefix + key + ": " + text);
    }

    /** Reports a fault that belongs to no single setting. */
    public void fault(String text) {
        faults.add(text);
    }

    /** Returns every setting that was read so far, in alphabetical order. */
    public List<Definition> known() {
        return List.copyOf(known.values());
    }

    /**
     * Ends the reading.
     *
     * @param names every key that the sources hold; those with the prefix that nothing has read are faults
     * @throws ConfigurationException if anything was faulty; it lists all
     */
    public void check(Set<String> names) {
        check(names, Set.of());
    }

    /**
     * Ends the reading.
     *
     * @param names as before
     * @param variables environment variables; those that set nothing are named beside the faults, since one may be the
     *     cause of a fault
     * @throws ConfigurationException if anything was faulty; it lists all
     */
    public void check(Set<String> names, Set<String> variables) {
        for (String name : new TreeSet<>(names)) {
            if (name.startsWith(prefix) && !known.containsKey(name)) {
                faults.add(name + ": unknown key" + nearest(name));
            }
        }
        if (!faults.isEmpty()) {
            faults.addAll(unknownVariables(variables));
            throw new ConfigurationException(List.copyOf(faults));
        }
    }

    /**
     * Lists environment variables that set nothing, although their names begin as ours do. They are no faults: the
     * environment belongs to others too.
     *
     * @param variables their names
     * @return a sentence for each; if it resembles a key, with that key
     */
    public List<String> unknownVariables(Set<String> variables) {
        Set<String> upper = new TreeSet<>();
        Set<String> spellings = new TreeSet<>(known.keySet());
        for (String key : known.keySet()) {
            String folded = Sources.folded(key);
            spellings.add(folded);
            upper.add(folded.toUpperCase(Locale.ROOT));
        }
        return variables.stream()
                .filter(name -> !spellings.contains(name) && !upper.contains(name))
                .sorted()
                .map(name -> "The environment variable " + name + " sets nothing"
                        + Nearest.question(name.toUpperCase(Locale.ROOT), upper))
                .toList();
    }

    private String nearest(String name) {
        return Nearest.question(name, known.keySet());
    }

    private <T> Optional<T> read(String key, String type, String otherwise, Function<String, T> parse) {
        known.putIfAbsent(prefix + key, new Definition(prefix + key, type, otherwise));
        Optional<String> text = lookup.apply(prefix + key);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(parse.apply(text.get()));
        } catch (IllegalArgumentException e) {
            fault(key, e.getMessage());
            return Optional.empty();
        }
    }
}
