// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.util.regex.Pattern;

/** Text of strangers, made harmless for terminals and spreadsheets. */
final class Printable {

    /** Controls, and characters that nobody sees or that turn the direction of writing. */
    private static final Pattern HARMFUL = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]");

    /** The same outside of line breaks, which are between the members of an object and never in a text. */
    private static final Pattern HARMFUL_IN_JSON = Pattern.compile("[" + HARMFUL.pattern() + "&&[^\\r\\n]]");

    private static final Pattern FORMULA = Pattern.compile("^[=+\\-@].*", Pattern.DOTALL);

    private Printable() {}

    /** Puts a question mark in place of everything that a terminal might obey. */
    static String text(String text) {
        return HARMFUL.matcher(text).replaceAll("?");
    }

    /** The same for several lines. */
    static String lines(String text) {
        return String.join("\n", text.lines().map(Printable::text).toList());
    }

    /** Escapes the same characters in JSON, where they are in texts only. */
    static String json(String json) {
        return HARMFUL_IN_JSON.matcher(json).replaceAll(found -> found.group()
                .chars()
                .mapToObj(unit -> "\\\\u%04x".formatted(unit))
                .reduce("", String::concat));
    }

    /** Returns a field of CSV that no spreadsheet takes for a formula. */
    static String csv(String value) {
        String text = text(value);
        String safe = FORMULA.matcher(text).matches() ? "'" + text : text;
        return safe.matches(".*[\",;].*") || !safe.equals(safe.strip()) ? '"' + safe.replace("\"", "\"\"") + '"' : safe;
    }

    /** The number of columns that a text takes on a terminal. */
    static int width(String text) {
        return text.codePoints().map(Printable::width).sum();
    }

    private static int width(int point) {
        int type = Character.getType(point);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
            return 0;
        }
        return switch (Character.UnicodeScript.of(point)) {
            case HAN, HIRAGANA, KATAKANA, HANGUL, BOPOMOFO, YI -> 2;
            default -> (point >= 0xFF01 && point <= 0xFF60) || (point >= 0x1F300 && point <= 0x1FAFF) ? 2 : 1;
        };
    }

    /** Cuts a text to a width, and fills it up with blanks if asked to. */
    static String fit(String text, int columns, boolean fill) {
        StringBuilder fitted = new StringBuilder();
        int used = 0;
        boolean cut = width(text) > columns;
        for (int point : text.codePoints().toArray()) {
            if (used + width(point) > columns - (cut ? 1 : 0)) {
                break;
            }
            fitted.appendCodePoint(point);
            used += width(point);
        }
        if (cut) {
            fitted.append('~');
            used++;
        }
        return fitted + " ".repeat(fill ? Math.max(0, columns - used) : 0);
    }
}
