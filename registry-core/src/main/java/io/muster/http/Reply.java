// SPDX-License-Identifier: Apache-2.0
package io.muster.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.spi.VerificationUnavailableException;
import java.net.http.HttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/** A complete reply, within the size limit. Its exceptions repeat only the status of the reply. */
public final class Reply {

    private final String who;
    private final int status;
    private final HttpHeaders headers;
    private final byte[] body;

    /**
     * Holds a reply.
     *
     * @param who the beginning of messages
     */
    public Reply(String who, int status, HttpHeaders headers, byte[] body) {
        this.who = who;
        this.status = status;
        this.headers = headers;
        this.body = body;
    }

    /** Returns the status. */
    public int status() {
        return status;
    }

    /**
     * Returns how long the sender asks to wait ({@code Retry-After}): a number of seconds, or a date, which is measured
     * against the reply's own. Empty if it asks for nothing, or for something that is no time to come.
     */
    public Optional<Duration> retryAfter() {
        Optional<String> text = headers.firstValue("Retry-After").map(String::strip);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        if (text.get().matches("[0-9]{1,9}")) {
            return Optional.of(Duration.ofSeconds(Long.parseLong(text.get())));
        }
        return headers.firstValue("Date")
                .flatMap(Reply::date)
                .flatMap(sent -> date(text.get()).map(until -> Duration.between(sent, until)))
                .filter(wait -> !wait.isNegative());
    }

    private static Optional<Instant> date(String text) {
        try {
            return Optional.of(Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(text)));
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }

    /** Returns the body as JSON if its content type is JSON and it is strictly valid. */
    public JsonNode json() {
        return json(Json::parse);
    }

    /** Returns the same of a document that a person may have written: a byte order mark at its beginning is skipped. */
    public JsonNode written() {
        return json(Json::parseWritten);
    }

    private JsonNode json(Function<byte[], JsonNode> parse) {
        if (!isJson(headers.allValues("Content-Type"))) {
            throw misread("a content type that is not JSON in UTF-8");
        }
        if (!headers.allValues("Content-Encoding").stream().allMatch("identity"::equalsIgnoreCase)) {
            throw misread("a content encoding that nobody asked for");
        }
        try {
            return parse.apply(body);
        } catch (MalformedJsonException e) {
            throw misread("malformed JSON (" + e.getMessage() + ")");
        }
    }

    /** Returns an exception that says why the reply cannot be relied on. */
    public VerificationUnavailableException misread(String what) {
        return new VerificationUnavailableException(who + "status " + status + " came with " + what);
    }

    /** Returns an exception that says that the status has no meaning here. */
    public VerificationUnavailableException unmapped() {
        String message = who + "status " + status + " is mapped to no verdict";
        return status >= 500 ? new OutageException(message, true) : new VerificationUnavailableException(message);
    }

    private static boolean isJson(List<String> contentTypes) {
        if (contentTypes.size() != 1) {
            return false;
        }
        String[] parts = contentTypes.get(0).toLowerCase(Locale.ROOT).split(";", -1);
        if (!parts[0].strip().matches("application/([a-z0-9!#$&^_.+-]+\\+)?json")) {
            return false;
        }
        for (int i = 1; i < parts.length; i++) {
            String parameter = parts[i].strip().replace("\"", "");
            if (parameter.startsWith("charset") && !parameter.equals("charset=utf-8")) {
                return false;
            }
        }
        return true;
    }
}
