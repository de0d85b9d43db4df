// SPDX-License-Identifier: Apache-2.0
package io.muster.http;

import io.muster.json.Json;
import io.muster.spi.Candidate;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Fills {@code {serial}} and {@code {fleet}} into a text, each escaped for its context. */
public final class Template {

    private static final Pattern PLACEHOLDER = Pattern.compile("\\{(serial|fleet)}");
    private static final String UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    private final String text;
    private final UnaryOperator<String> escape;

    /** Takes a text, and the escape for what is filled in. */
    public Template(String text, UnaryOperator<String> escape) {
        this.text = text;
        this.escape = escape;
    }

    /** Fills in the serial and the fleet of a candidate. */
    public String fill(Candidate candidate) {
        return fill(candidate.serial().value(), candidate.fleet());
    }

    /** Fills in one pass: a serial that looks like a placeholder stays as it is. */
    public String fill(String serial, String fleet) {
        return PLACEHOLDER
                .matcher(text)
                .replaceAll(found ->
                        Matcher.quoteReplacement(escape.apply(found.group(1).equals("serial") ? serial : fleet)));
    }

    /** Tells whether the serial is filled in. */
    public boolean asksForSerial() {
        return text.contains("{serial}");
    }

    /** Returns where the first placeholder begins, or the length of the text if there is none. */
    int firstPlaceholder() {
        Matcher placeholder = PLACEHOLDER.matcher(text);
        return placeholder.find() ? placeholder.start() : text.length();
    }

    /**
     * Percent-encodes everything but the unreserved characters of RFC 3986, so that nothing can end a segment or a
     * value.
     */
    public static String percentEncoded(String value) {
        StringBuilder encoded = new StringBuilder();
        for (byte b : value.getBytes(StandardCharsets.UTF_8)) {
            if (UNRESERVED.indexOf(b) >= 0) {
                encoded.append((char) b);
            } else {
                encoded.append('%').append(HEX.toHexDigits(b));
            }
        }
        return encoded.toString();
    }

    /** Escapes for the inside of a JSON string. */
    public static String jsonEscaped(String value) {
        String quoted = Json.text(value);
        return quoted.substring(1, quoted.length() - 1);
    }
}
