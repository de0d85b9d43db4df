// SPDX-License-Identifier: Apache-2.0
package io.muster.verification;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import io.muster.json.Json;
import io.muster.spi.SerialNumber;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The one form in which a fleet knows a serial, however it is spelled: the fleet's rules of normalisation. Every text
 * that names a serial of a fleet goes through its form before anything else sees it. A serial in its form stays the
 * same, so that the serials which the registry shows can be looked up. Two forms are equal if they have the same rules.
 * Immutable.
 *
 * <p>No rule makes a text longer, and each runs in time linear in the text (RE2/J). The rules are applied in their
 * order, and repeated until they change nothing. A text that they still change after a few times has no form.
 */
public final class SerialForm {

    /** Serials are compared as they are spelled. */
    public static final SerialForm EXACT = new SerialForm(List.of(), List.of(), false);

    /** The possible rules, for messages. */
    public static final String RULES = "trim, upper, mac or pattern:<regular expression of RE2 with one group>";

    private static final String PATTERN = "pattern:";
    private static final int MOST_RULES = 4;
    private static final int LONGEST_PATTERN = 1000;
    private static final int MOST_STEPS = 2000;
    private static final int LONGEST_TEXT = 256;
    private static final int MOST_TIMES = 8;
    private static final int SHORTEST = 4;
    private static final int LONGEST = 128;
    /** The beginning of a serial that stands for a text which cannot be a serial itself. */
    private static final String MARK = "%%";
    /** How many characters of such a text stay readable if it is too long. */
    private static final int READABLE = 56;

    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    private final List<String> names;
    private final List<UnaryOperator<String>> rules;
    private final boolean anyText;

    private SerialForm(List<String> names, List<UnaryOperator<String>> rules, boolean anyText) {
        this.names = List.copyOf(names);
        this.rules = List.copyOf(rules);
        this.anyText = anyText;
    }

    /**
     * Returns the form of these rules.
     *
     * @param names the rules in their order; each without a {@link #fault}
     * @param anyText whether every text of 1 to 128 characters is a serial
     */
    public static SerialForm of(List<String> names, boolean anyText) {
        if (names.isEmpty() && !anyText) {
            return EXACT;
        }
        return new SerialForm(names, names.stream().map(SerialForm::rule).toList(), anyText);
    }

    /** Returns what is wrong with a list of rules, if anything. */
    public static Optional<String> fault(List<String> names) {
        if (names.size() > MOST_RULES) {
            return Optional.of("has more than " + MOST_RULES + " rules");
        }
        return names.stream()
                .flatMap(name -> fault(name)
                        .map(fault ->
                                "\"" + (name.length() > 64 ? name.substring(0, 64) + "..." : name) + "\" " + fault)
                        .stream())
                .findFirst();
    }

    private static Optional<String> fault(String name) {
        if (!name.startsWith(PATTERN)) {
            return List.of("trim", "upper", "mac").contains(name)
                    ? Optional.empty()
                    : Optional.of("is none of " + RULES);
        }
        String expression = name.substring(PATTERN.length());
        if (expression.length() > LONGEST_PATTERN) {
            return Optional.of("is longer than " + LONGEST_PATTERN + " characters");
        }
        try {
            Pattern pattern = Pattern.compile(expression);
            if (pattern.programSize() > MOST_STEPS) {
                return Optional.of("has too large repetitions");
            }
            return pattern.groupCount() == 1
                    ? Optional.empty()
                    : Optional.of("must have one group, which is the serial, and has " + pattern.groupCount());
        } catch (PatternSyntaxException e) {
            return Optional.of("is not a regular expression of RE2: " + e.getDescription());
        }
    }

    private static UnaryOperator<String> rule(String name) {
        return switch (name) {
            case "trim" -> SerialForm::trimmed;
            case "upper" -> SerialForm::upper;
            case "mac" -> SerialForm::mac;
            default -> {
                Pattern pattern = Pattern.compile(name.substring(PATTERN.length()));
                yield text -> group(pattern, text);
            }
        };
    }

    /** Returns its rules in their order; empty if there is none. */
    public List<String> rules() {
        return names;
    }

    /** Tells whether every text of 1 to 128 characters is a serial. */
    public boolean takesAnyText() {
        return anyText;
    }

    /** Describes what a text must be to have a form. */
    public String syntax() {
        String syntax = anyText ? "1 to " + LONGEST + " characters, without NUL" : SerialNumber.SYNTAX;
        return names.isEmpty() ? syntax : syntax + ", after the fleet's rules " + String.join(", ", names);
    }

    /**
     * Returns the serial that an operator, a file or a proof names.
     *
     * @param text any text, or null
     * @return empty if no serial is spelled like that
     */
    public Optional<SerialNumber> of(String text) {
        if (text == null || text.isEmpty() || text.length() > LONGEST_TEXT) {
            return Optional.empty();
        }
        if (rules.isEmpty() && !anyText) {
            return isLegal(text) ? Optional.of(new SerialNumber(text)) : Optional.empty();
        }
        if (anyText && text.startsWith(MARK) && SerialNumber.isValid(text)) {
            return Optional.of(new SerialNumber(text));
        }
        return normal(text).flatMap(normal -> {
            if (isLegal(normal)) {
                return Optional.of(new SerialNumber(normal));
            }
            return anyText && normal.length() <= LONGEST && !normal.isEmpty() && Json.isStorable(normal)
                    ? Optional.of(new SerialNumber(escaped(normal)))
                    : Optional.empty();
        });
    }

    /**
     * Returns the serial that a device presents. Operators may use the form in which the registry shows a text that is
     * no serial by itself. A device does not know that form: if its text happens to look like it, it is a different
     * text.
     */
    public Optional<SerialNumber> presented(String text) {
        return anyText && text != null && text.startsWith(MARK) && text.length() <= LONGEST && Json.isStorable(text)
                ? Optional.of(new SerialNumber(escaped(text)))
                : of(text);
    }

    /** Tells whether a text in a proof names this serial, which is in this form. */
    public boolean names(String text, SerialNumber serial) {
        return serial.value().equals(text)
                || (!equals(EXACT)
                        && (of(text).filter(serial::equals).isPresent()
                                || presented(text).filter(serial::equals).isPresent()));
    }

    /** Returns the text that a device presented, if the serial stands for one; else the serial. */
    public String shown(SerialNumber serial) {
        String value = serial.value();
        if (!anyText || !value.startsWith(MARK) || value.contains("%~")) {
            return value;
        }
        try {
            byte[] octets = new byte[value.length()];
            int length = 0;
            for (int i = MARK.length(); i < value.length(); i++) {
                if (value.charAt(i) == '%') {
                    octets[length++] = (byte) HexFormat.fromHexDigits(value, i + 1, i + 3);
                    i += 2;
                } else {
                    octets[length++] = (byte) value.charAt(i);
                }
            }
            String text = new String(octets, 0, length, StandardCharsets.UTF_8);
            return !text.isEmpty() && escaped(text).equals(value) ? text : value;
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            // Somebody listed a serial that begins like one that stands for a text.
            return value;
        }
    }

    private boolean isLegal(String text) {
        return SerialNumber.isValid(text) && (anyText ? !text.startsWith(MARK) : text.length() >= SHORTEST);
    }

    // Limit the repetitions: a rule that removes one character each time would read a long text once for each
    // character.
    private Optional<String> normal(String text) {
        String now = text;
        for (int i = 0; i < MOST_TIMES; i++) {
            String before = now;
            for (UnaryOperator<String> rule : rules) {
                now = rule.apply(now);
            }
            if (now.equals(before)) {
                return Optional.of(now);
            }
        }
        return Optional.empty();
    }

    private static String trimmed(String text) {
        int from = 0;
        int until = text.length();
        while (from < until && isBlank(text.charAt(from))) {
            from++;
        }
        while (until > from && isBlank(text.charAt(until - 1))) {
            until--;
        }
        return text.substring(from, until);
    }

    // Include the invisible blanks that spreadsheets and web pages add.
    private static boolean isBlank(char c) {
        return Character.isWhitespace(c)
                || Character.isSpaceChar(c)
                || Character.isISOControl(c)
                || c == '\ufeff'
                || c == '\u200b';
    }

    // Other letters may become two.
    private static String upper(String text) {
        StringBuilder upper = new StringBuilder(text);
        for (int i = 0; i < upper.length(); i++) {
            char c = upper.charAt(i);
            if (c >= 'a' && c <= 'z') {
                upper.setCharAt(i, (char) (c - 'a' + 'A'));
            }
        }
        return upper.toString();
    }

    private static String mac(String text) {
        return Eui.parse(text).map(eui -> eui.hex().toUpperCase(Locale.ROOT)).orElse(text);
    }

    private static String group(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        if (!matcher.matches()) {
            return text;
        }
        String group = matcher.group(1);
        return group == null || group.isEmpty() ? text : group;
    }

    /** Returns an ASCII form of a text. Different texts have different forms, except for collisions of SHA-256. */
    private static String escaped(String text) {
        byte[] octets = text.getBytes(StandardCharsets.UTF_8);
        StringBuilder escaped = new StringBuilder(MARK);
        int readable = MARK.length();
        for (byte octet : octets) {
            if (octet > ' ' && octet < 0x7f && octet != '%') {
                escaped.append((char) octet);
            } else {
                escaped.append('%').append(HEX.toHexDigits(octet));
            }
            if (escaped.length() <= READABLE) {
                readable = escaped.length();
            }
        }
        if (escaped.length() > LONGEST) {
            escaped.setLength(readable);
            // This is not an escape: nothing else is followed by a tilde.
            escaped.append("%~").append(HEX.formatHex(sha256(octets)));
        }
        return escaped.toString();
    }

    private static byte[] sha256(byte[] octets) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(octets);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public boolean equals(Object other) {
        return this == other
                || (other instanceof SerialForm form && anyText == form.anyText && names.equals(form.names));
    }

    @Override
    public int hashCode() {
        return 31 * names.hashCode() + Boolean.hashCode(anyText);
    }

    @Override
    public String toString() {
        return "SerialForm" + names + (anyText ? " of any text" : "");
    }

    /** Returns other spellings of a serial that people and spreadsheets produce, without itself; a few dozen. */
    public static List<String> spellings(String text) {
        List<String> shapes = new ArrayList<>();
        String bare = trimmed(text);
        shapes.add(bare);
        String plain = bare.replaceAll("[\\s:._/-]+", "");
        shapes.add(plain);
        for (String separator : List.of("-", "_", ":", ".")) {
            shapes.add(bare.replaceAll("[\\s:._/-]+", separator));
            // Between letters and digits: SN0001 is SN-0001.
            shapes.add(plain.replaceAll("(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])", separator));
        }
        Eui.parse(plain).ifPresent(eui -> {
            shapes.add(eui.hex().replaceAll("..(?=.)", "$0:"));
            shapes.add(eui.hex().replaceAll("..(?=.)", "$0-"));
            shapes.add(eui.hex().replaceAll("....(?=.)", "$0."));
        });
        return shapes.stream()
                .flatMap(shape -> List.of(shape, upper(shape), shape.toLowerCase(Locale.ROOT)).stream())
                .filter(shape -> !shape.equals(text) && SerialNumber.isValid(shape))
                .distinct()
                .toList();
    }
}
