// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.support;

import io.muster.spi.WrittenText;
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
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Reads the settings of a plug-in. A fault is noted, a harmless value replaces the faulty one, and reading goes on. So
 * {@link #checked} reports every fault at once.
 */
public final class SettingsReader {

    private final Map<String, String> settings;
    private final List<String> faults = new ArrayList<>();

    /** Reads these settings. A setting with any other name is a fault. */
    public SettingsReader(Map<String, String> settings, Set<String> names, Set<String> secrets) {
        this.settings = settings;
        for (String name : new TreeSet<>(settings.keySet())) {
            if (!names.contains(name) && !secrets.contains(name)) {
                fault(name + ": unknown setting");
            }
        }
    }

    /**
     * Returns the result of the reading.
     *
     * @throws IllegalArgumentException if there was a fault; the message has all of them
     */
    public <T> T checked(T read) {
        if (!faults.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", faults));
        }
        return read;
    }

    /** Notes a fault, which begins with the setting's name and a colon. */
    public void fault(String fault) {
        faults.add(fault);
    }

    /** Tells whether the setting is given, valid or not. */
    public boolean has(String name) {
        return settings.containsKey(name);
    }

    public Optional<String> text(String name) {
        return Optional.ofNullable(settings.get(name));
    }

    /** Reads a duration of ISO 8601; so are its bounds. */
    public Duration duration(String name, String otherwise, String least, String most) {
        return read(
                name,
                "a duration from " + least + " to " + most,
                Duration::parse,
                Duration.parse(otherwise),
                Duration.parse(least),
                Duration.parse(most));
    }

    public int number(String name, int otherwise, int least, int most) {
        return read(name, "a whole number", Integer::valueOf, otherwise, least, most);
    }

    private <T extends Comparable<T>> T read(
            String name, String what, Function<String, T> parse, T otherwise, T least, T most) {
        Optional<String> text = text(name);
        if (text.isEmpty()) {
            return otherwise;
        }
        try {
            T value = parse.apply(text.get());
            if (value.compareTo(least) >= 0 && value.compareTo(most) <= 0) {
                return value;
            }
            fault(name + ": is not within " + least + " to " + most);
        } catch (DateTimeParseException | NumberFormatException e) {
            fault(name + ": \"" + text.get() + "\" is not " + what);
        }
        return otherwise;
    }

    /** Reads one of these constants, in the spelling of {@link #spelt}. */
    public <E extends Enum<E>> E choice(String name, Class<E> type, E otherwise) {
        Optional<String> text = text(name);
        if (text.isEmpty()) {
            return otherwise;
        }
        for (E constant : type.getEnumConstants()) {
            if (spelt(constant).equals(text.get())) {
                return constant;
            }
        }
        fault(name + ": \"" + text.get() + "\" is none of "
                + String.join(
                        ", ",
                        Stream.of(type.getEnumConstants())
                                .map(SettingsReader::spelt)
                                .toList()));
        return otherwise;
    }

    /** Returns the spelling of a constant in settings and messages. */
    public static String spelt(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /**
     * Reads pairs such as {@code site=place, lot}. If the text after the sign is left out, it is the name itself.
     *
     * @param value names the text after the sign, for messages
     * @param nameOf returns the part of the text before the sign that is the name, which no other pair may have
     * @param pair gets the whole text before the sign, and the text after it
     */
    public void pairs(String setting, String value, UnaryOperator<String> nameOf, BiConsumer<String, String> pair) {
        Set<String> seen = new HashSet<>();
        for (String item : settings.getOrDefault(setting, "").split(",")) {
            String[] parts = item.strip().split("\\s*=\\s*", 2);
            if (parts[0].isEmpty() && parts.length == 1) {
                continue;
            }
            String name = nameOf.apply(parts[0]);
            if (name.isEmpty() || (parts.length == 2 && parts[1].isEmpty())) {
                fault(setting + ": must be name=" + value + ", separated by commas");
            } else if (!seen.add(name)) {
                fault(setting + ": has " + name + " twice");
            } else {
                pair.accept(parts[0], parts.length == 1 ? name : parts[1]);
            }
        }
    }

    /** Reads tags and their places, as {@link #pairs} does. */
    public void tags(String value, BiConsumer<String, String> tag) {
        pairs("tags", value, UnaryOperator.identity(), (name, place) -> {
            if (name.equals("serial")) {
                fault("tags: serial is the registry's own");
            }
            tag.accept(name, place);
        });
    }

    /**
     * Returns TLS that trusts the authorities in the PEM file of this setting, or the JDK's own by default.
     *
     * @return empty if there is a fault
     */
    public Optional<SSLContext> tls(String name) {
        Optional<String> file = text(name);
        try {
            TrustManagerFactory trust = null;
            if (file.isPresent()) {
                KeyStore authorities = authorities(Path.of(file.get()));
                if (authorities.size() == 0) {
                    fault(name + ": there is no certificate in " + file.get() + ", as PEM");
                    return Optional.empty();
                }
                trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
                trust.init(authorities);
            }
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust == null ? null : trust.getTrustManagers(), null);
            return Optional.of(context);
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            fault(name + ": cannot read certificates from " + file.orElse("the JDK's own") + " ("
                    + WrittenText.reason(e) + ")");
            return Optional.empty();
        }
    }

    private static KeyStore authorities(Path file) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream in = WrittenText.withoutMark(Files.newInputStream(file))) {
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry(Integer.toString(store.size()), certificate);
            }
        }
        return store;
    }
}
