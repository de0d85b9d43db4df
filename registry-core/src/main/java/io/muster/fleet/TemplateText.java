// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text of a fleet's template, with placeholders such as {@code {lot|upper}}. {@code docs/templates.md} has the
 * grammar. A value is never read as a placeholder.
 *
 * @param text as it was written
 * @param pieces the literals and placeholders in their order
 */
record TemplateText(String text, List<Piece> pieces) {

    static final int MAX_TEXT = 1000;
    private static final int MAX_PLACEHOLDERS = 10;
    private static final int MAX_FUNCTIONS = 4;

    private static final Pattern PIECE =
            Pattern.compile("(?<literal>(?:[^{}]|\\{\\{|}})++)|\\{(?<placeholder>[^{}]*)}|[{}]");
    private static final Pattern VALUE = Pattern.compile("serial|lot|attribute\\.(?<attribute>[A-Za-z0-9_.:-]{1,64})");
    private static final Pattern PART = Pattern.compile("(?<part>first|last):(?<count>[1-9][0-9]{0,2})");
    private static final String OR = "or:";

    /** Where a text is faulty, counted from 1, and why. */
    record FaultyPlace(int character, String detail) {}

    private interface Piece {
        Optional<String> fill(Function<String, Optional<String>> values);
    }

    private record Literal(String literal) implements Piece {
        @Override
        public Optional<String> fill(Function<String, Optional<String>> values) {
            return Optional.of(literal);
        }
    }

    private record Placeholder(String value, List<String> functions) implements Piece {
        @Override
        public Optional<String> fill(Function<String, Optional<String>> values) {
            Optional<String> filled = values.apply(value).filter(text -> !text.isEmpty());
            for (String function : functions) {
                filled = function.startsWith(OR)
                        ? filled.or(() -> Optional.of(function.substring(OR.length())))
                        : filled.map(text -> apply(function, text));
            }
            return filled;
        }
    }

    private static String apply(String function, String text) {
        Matcher part = PART.matcher(function);
        if (!part.matches()) {
            return function.equals("upper") ? text.toUpperCase(Locale.ROOT) : text.toLowerCase(Locale.ROOT);
        }
        // Counts code points, so that no surrogate pair is cut.
        int length = text.codePointCount(0, text.length());
        int count = Math.min(length, Integer.parseInt(part.group("count")));
        return part.group("part").equals("first")
                ? text.substring(0, text.offsetByCodePoints(0, count))
                : text.substring(text.offsetByCodePoints(0, length - count));
    }

    /**
     * Reads a text.
     *
     * @param isAttribute whether there is an attribute of this name
     * @param faults gets every fault; a faulty piece is left out
     */
    static TemplateText read(String text, Predicate<String> isAttribute, List<FaultyPlace> faults) {
        List<Piece> pieces = new ArrayList<>();
        if (text.length() > MAX_TEXT) {
            faults.add(new FaultyPlace(MAX_TEXT + 1, "the text has more than " + MAX_TEXT + " characters"));
            return new TemplateText(text, pieces);
        }
        int placeholders = 0;
        Matcher piece = PIECE.matcher(text);
        while (piece.find()) {
            int at = piece.start() + 1;
            if (piece.group("literal") != null) {
                pieces.add(new Literal(piece.group("literal").replace("{{", "{").replace("}}", "}")));
            } else if (piece.group("placeholder") == null) {
                faults.add(new FaultyPlace(at, "a brace alone; write {{ or }} to have one"));
            } else if (++placeholders > MAX_PLACEHOLDERS) {
                faults.add(new FaultyPlace(at, "more than " + MAX_PLACEHOLDERS + " placeholders"));
                break;
            } else {
                pieces.add(placeholder(piece.group("placeholder"), at + 1, isAttribute, faults));
            }
        }
        return new TemplateText(text, List.copyOf(pieces));
    }

    private static Piece placeholder(String inner, int at, Predicate<String> isAttribute, List<FaultyPlace> faults) {
        String[] parts = inner.split("\\|", -1);
        Matcher value = VALUE.matcher(parts[0]);
        if (!value.matches()) {
            faults.add(new FaultyPlace(at, "must be serial, lot or attribute.<name>"));
        } else if (value.group("attribute") != null && !isAttribute.test(value.group("attribute"))) {
            faults.add(new FaultyPlace(at, "names an attribute that the document does not declare"));
        }
        List<String> functions = new ArrayList<>();
        int place = at + parts[0].length() + 1;
        for (int i = 1; i < parts.length; i++) {
            if (i > MAX_FUNCTIONS) {
                faults.add(new FaultyPlace(place, "more than " + MAX_FUNCTIONS + " functions"));
                break;
            }
            if (!parts[i].matches("upper|lower|or:.+")
                    && !PART.matcher(parts[i]).matches()) {
                faults.add(new FaultyPlace(place, "must be upper, lower, first:<count>, last:<count> or or:<text>"));
            }
            functions.add(parts[i]);
            place += parts[i].length() + 1;
        }
        return new Placeholder(parts[0], List.copyOf(functions));
    }

    /**
     * Fills in.
     *
     * @param values the text of {@code serial}, {@code lot} or {@code attribute.<name>}; empty if it has none
     * @return empty if a placeholder has no value
     */
    Optional<String> fill(Function<String, Optional<String>> values) {
        StringBuilder filled = new StringBuilder();
        for (Piece piece : pieces) {
            Optional<String> text = piece.fill(values);
            if (text.isEmpty()) {
                return Optional.empty();
            }
            filled.append(text.get());
        }
        return Optional.of(filled.toString());
    }
}
