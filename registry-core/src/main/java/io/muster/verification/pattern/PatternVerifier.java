// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.pattern;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import io.muster.config.Settings;
import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.verification.Eui;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Refuses serials of the wrong form: by a regular expression, a check digit, or both. Never answers genuine, because
 * anybody can invent a serial of the right form. {@code docs/verifiers/pattern.md} has the settings.
 *
 * <p>The expression runs in time linear in the serial (RE2/J), for every expression and serial. Its size is bounded at
 * the start. So no serial can keep a thread busy.
 */
final class PatternVerifier implements SerialVerifier {

    private static final String PATTERN = "pattern";
    private static final String CHECK = "check";
    private static final String OUI = "oui";
    private static final int MAX_LENGTH = 1000;
    private static final int MAX_STEPS = 2000;

    private final Optional<Pattern> pattern;
    private final boolean hasPart;
    private final PatternCheck check;
    private final List<String> prefixes;

    /** Reads every setting and reports faults. */
    PatternVerifier(Settings settings) {
        Optional<String> expression = settings.text(PATTERN);
        this.pattern = expression.flatMap(text -> compile(settings, text));
        this.hasPart = pattern.map(compiled -> compiled.namedGroups().containsKey(CHECK))
                .orElse(false);
        this.check = settings.choice(CHECK, PatternCheck.class, PatternCheck.NONE);
        this.prefixes = prefixes(settings);
        if (expression.isEmpty() && check == PatternCheck.NONE) {
            settings.fault(PATTERN, "is required, or check");
        }
        if (hasPart && check == PatternCheck.NONE) {
            settings.fault(CHECK, "is required, because the pattern has a group named check");
        }
        if (!prefixes.isEmpty() && check != PatternCheck.MAC) {
            settings.fault(OUI, "means nothing without check = mac");
        }
    }

    private static Optional<Pattern> compile(Settings settings, String text) {
        if (text.length() > MAX_LENGTH) {
            settings.fault(PATTERN, "is longer than " + MAX_LENGTH + " characters");
            return Optional.empty();
        }
        try {
            Pattern compiled = Pattern.compile(text);
            if (compiled.programSize() <= MAX_STEPS) {
                return Optional.of(compiled);
            }
            settings.fault(PATTERN, "has too large repetitions");
        } catch (PatternSyntaxException e) {
            settings.fault(
                    PATTERN, "is not a regular expression of RE2: " + e.getDescription() + ": " + e.getPattern());
        }
        return Optional.empty();
    }

    private static List<String> prefixes(Settings settings) {
        List<String> prefixes = new ArrayList<>();
        for (String text : settings.list(OUI)) {
            String hex = text.replaceAll("[:.-]", "").toLowerCase(Locale.ROOT);
            // Manufacturers can get MA-L, MA-M and MA-S from the IEEE.
            if (hex.matches("[0-9a-f]{6}|[0-9a-f]{7}|[0-9a-f]{9}")) {
                prefixes.add(hex);
            } else {
                settings.fault(OUI, "\"" + text + "\" is not a prefix of 6, 7 or 9 hex digits such as 00:00:5E");
            }
        }
        return List.copyOf(prefixes);
    }

    @Override
    public Verdict verify(Candidate candidate) {
        String serial = candidate.serial().value();
        String checked = serial;
        if (pattern.isPresent()) {
            Matcher matcher = pattern.get().matcher(serial);
            if (!matcher.matches()) {
                return Verdict.refused("the serial does not match the pattern");
            }
            if (hasPart) {
                checked = matcher.group(CHECK);
            }
        }
        if (checked == null) {
            return Verdict.refused("the serial has no part to check");
        }
        if (!check.isRight(checked)) {
            return Verdict.refused(
                    check == PatternCheck.MAC ? "the serial is not a MAC address" : "the check digit is wrong");
        }
        return check == PatternCheck.MAC ? address(checked) : Verdict.unknown();
    }

    private Verdict address(String text) {
        Eui eui = Eui.parse(text).orElseThrow();
        if (eui.isGroup()) {
            return Verdict.refused("the address is that of a group");
        }
        boolean named = prefixes.stream().anyMatch(eui.hex()::startsWith);
        if (!prefixes.isEmpty() && !named) {
            return Verdict.refused("the address is none of the manufacturers in oui");
        }
        if (eui.isLocal() && !named) {
            return Verdict.refused("the address is a local one, which no manufacturer assigned");
        }
        return Verdict.unknown();
    }
}
