// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Detects serials that spreadsheets and exports changed: a shortened number, a formula, an error, a date, lost zeros.
 * Such a serial is permitted but probably a mistake. Used by one thread, for one import.
 */
final class SpreadsheetTraces {

    private static final int MAX_SERIAL = 128;
    private static final int SHORTEST_NUMBER = 8;
    private static final int EXACT_DIGITS = 15;
    private static final int SEVERAL = 3;

    private static final Pattern SHORTENED = Pattern.compile("[+-]?\\d([.,]\\d+)?[eE][+-]\\d{2,}");
    private static final Pattern ERROR = Pattern.compile("#(N/A|REF!|VALUE!|NAME\\?|DIV/0!|NUM!|NULL!|#+)");
    private static final Pattern NO_VALUE =
            Pattern.compile("null|\\(null\\)|none|undefined|true|false|nan", Pattern.CASE_INSENSITIVE);
    private static final Pattern DATE = Pattern.compile(
            "\\d{1,2}([./-])\\d{1,2}\\1\\d{2}(\\d{2})?|\\d{4}([/-])\\d{1,2}\\3\\d{1,2}"
                    + "|(\\d{1,2}-)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-\\d{1,4}"
                    + "|\\d{1,2}-(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
            Pattern.CASE_INSENSITIVE);

    // Serials that are all digits, by their length: how many there are, and the row of the first.
    private final long[] numbers = new long[MAX_SERIAL + 1];
    private final long[] firstRows = new long[MAX_SERIAL + 1];
    private boolean leadingZero;
    private long longNumbers;
    private long rounded;
    private long firstRounded;

    /** Returns what a single serial looks like, or empty if it looks normal. */
    Optional<String> of(long row, String serial) {
        if (serial.chars().allMatch(c -> c >= '0' && c <= '9')) {
            number(row, serial);
            return Optional.empty();
        }
        char first = serial.charAt(0);
        if (first == '=') {
            return Optional.of("the serial begins with =, as a formula of a spreadsheet");
        }
        if (first == '\'') {
            return Optional.of("the serial begins with an apostrophe, with which spreadsheets mark text");
        }
        if (SHORTENED.matcher(serial).matches()) {
            return Optional.of("the serial is a number as a spreadsheet shortens it; its digits are lost");
        }
        if (ERROR.matcher(serial).matches()) {
            return Optional.of("the serial is an error of a spreadsheet");
        }
        if (NO_VALUE.matcher(serial).matches()) {
            return Optional.of("the serial is a word that programs write where there is no value");
        }
        return DATE.matcher(serial).matches()
                ? Optional.of("the serial is a date, which spreadsheets make of other texts")
                : Optional.empty();
    }

    private void number(long row, String serial) {
        int length = serial.length();
        leadingZero |= serial.charAt(0) == '0';
        if (numbers[length]++ == 0) {
            firstRows[length] = row;
        }
        if (length > EXACT_DIGITS) {
            longNumbers++;
            if (serial.substring(EXACT_DIGITS).chars().allMatch(c -> c == '0')) {
                firstRounded = rounded++ == 0 ? row : firstRounded;
            }
        }
    }

    /** Returns what only all serials together show. */
    List<SerialImport.RowError> atEnd() {
        List<SerialImport.RowError> found = new ArrayList<>();
        if (rounded >= SEVERAL && rounded == longNumbers) {
            found.add(new SerialImport.RowError(
                    firstRounded,
                    "all " + rounded + " numbers of more than " + EXACT_DIGITS
                            + " digits end in zeros: a spreadsheet has rounded them, this one first"));
        }
        int longest = MAX_SERIAL;
        while (longest > 0 && numbers[longest] == 0) {
            longest--;
        }
        long shorter = 0;
        int firstShorter = 0;
        for (int length = 1; length < longest; length++) {
            shorter += numbers[length];
            if (numbers[length] > 0 && (firstShorter == 0 || firstRows[length] < firstRows[firstShorter])) {
                firstShorter = length;
            }
        }
        // One of ten random numbers begins with a zero. Numbers of many lengths come from counting up.
        if (longest >= SHORTEST_NUMBER && !leadingZero && shorter > 0 && shorter * 4 <= numbers[longest]) {
            found.add(new SerialImport.RowError(
                    firstRows[firstShorter],
                    shorter + " numbers have fewer than " + longest
                            + " digits: perhaps a spreadsheet dropped zeros at their beginning, here first"));
        }
        return found;
    }
}
