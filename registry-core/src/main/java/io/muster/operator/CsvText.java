// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import io.muster.api.Problem;
import io.muster.problem.RegistryException;
import java.io.IOException;
import java.io.Reader;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * CSV as spreadsheets write it. Detects the separator of fields, and whether a quote is open. The separator is the
 * character that a first line {@code sep=;} names, which is skipped. Otherwise it is the most frequent candidate in the
 * header line. All characters before a fault of the text are returned before the fault is thrown.
 */
final class CsvText extends Reader {

    private static final Pattern SEPARATOR_LINE = Pattern.compile("\"?sep=(.)\"?\\s*", Pattern.CASE_INSENSITIVE);
    private static final String SEPARATORS = ",;\t";

    /** The place of the next character, in terms of RFC 4180. */
    private enum At {
        START_OF_FIELD,
        FIELD,
        QUOTED_FIELD,
        QUOTE_IN_QUOTED_FIELD
    }

    private final Reader text;
    private final StringBuilder ahead = new StringBuilder();
    private final char separator;
    private int given;
    private IOException fault;
    private At at = At.START_OF_FIELD;

    /**
     * Reads up to the end of the header line.
     *
     * @throws RegistryException if a line {@code sep=} names a character that cannot separate fields
     */
    CsvText(Reader text) {
        this.text = text;
        String first = line();
        Matcher named = SEPARATOR_LINE.matcher(first);
        if (named.matches()) {
            separator = named.group(1).charAt(0);
            if (SEPARATORS.indexOf(separator) < 0 && separator != '|') {
                throw RegistryException.invalid(
                        List.of(new Problem.Fault("#", "sep= names none of comma, semicolon, tab and |")));
            }
            ahead.delete(0, first.length());
            if (ahead.indexOf("\r") == 0) {
                ahead.deleteCharAt(0);
            }
            if (ahead.indexOf("\n") == 0) {
                ahead.deleteCharAt(0);
            }
            return;
        }
        String header = first;
        while (header.isBlank() && fault == null && ahead.length() < SerialImport.MAX_ROW) {
            int before = ahead.length();
            header = line();
            if (ahead.length() == before) {
                break;
            }
        }
        separator = most(header);
    }

    /** Reads text whose header line was read before. */
    CsvText(Reader text, char separator) {
        this.text = text;
        this.separator = separator;
    }

    /** Reads a line with its end, and returns it without the end. */
    private String line() {
        int from = ahead.length();
        int end = -1;
        while (end < 0 && ahead.length() < SerialImport.MAX_ROW) {
            int c = next();
            if (c < 0) {
                break;
            }
            ahead.append((char) c);
            if (c == '\n') {
                end = ahead.length() - 1;
            } else if (c == '\r') {
                end = ahead.length() - 1;
                int after = next();
                if (after >= 0) {
                    ahead.append((char) after);
                }
            }
        }
        return ahead.substring(from, end < 0 ? ahead.length() : end);
    }

    private int next() {
        if (fault != null) {
            return -1;
        }
        try {
            return text.read();
        } catch (IOException e) {
            fault = e;
            return -1;
        }
    }

    private static char most(String header) {
        int[] counts = new int[SEPARATORS.length()];
        boolean quoted = false;
        for (int i = 0; i < header.length(); i++) {
            char c = header.charAt(i);
            quoted ^= c == '"';
            int which = SEPARATORS.indexOf(c);
            if (!quoted && which >= 0) {
                counts[which]++;
            }
        }
        int best = 0;
        for (int i = 1; i < counts.length; i++) {
            best = counts[i] > counts[best] ? i : best;
        }
        return SEPARATORS.charAt(best);
    }

    /** Returns the character between fields. */
    char separator() {
        return separator;
    }

    /** Tells whether the characters returned so far end within quotes. */
    boolean isQuoteOpen() {
        return at == At.QUOTED_FIELD;
    }

    @Override
    public int read(char[] into, int offset, int length) throws IOException {
        int count;
        if (given < ahead.length()) {
            count = Math.min(length, ahead.length() - given);
            ahead.getChars(given, given + count, into, offset);
            given += count;
        } else if (fault != null) {
            throw fault;
        } else {
            count = text.read(into, offset, length);
        }
        for (int i = offset; i < offset + count; i++) {
            step(into[i]);
        }
        return count;
    }

    private void step(char c) {
        boolean endOfField = c == separator || c == '\n' || c == '\r';
        switch (at) {
            case START_OF_FIELD -> {
                if (!endOfField) {
                    at = c == '"' ? At.QUOTED_FIELD : At.FIELD;
                }
            }
            case QUOTED_FIELD -> {
                if (c == '"') {
                    at = At.QUOTE_IN_QUOTED_FIELD;
                }
            }
            case QUOTE_IN_QUOTED_FIELD -> {
                if (c == '"') {
                    at = At.QUOTED_FIELD;
                } else {
                    at = endOfField ? At.START_OF_FIELD : At.FIELD;
                }
            }
            case FIELD -> {
                if (endOfField) {
                    at = At.START_OF_FIELD;
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        text.close();
    }
}
