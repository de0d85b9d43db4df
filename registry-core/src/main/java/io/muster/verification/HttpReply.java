package io.muster.verification;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.spi.VerificationUnavailableException;
import java.net.http.HttpHeaders;
import java.util.List;
import java.util.Locale;

/** A complete reply, within the size limit. What it throws repeats nothing of the reply but its status. */
final class HttpReply {

    private final String who;
    private final int status;
    private final HttpHeaders headers;
    private final byte[] body;

    /**
     * Holds what came.
     *
     * @param who what messages begin with
     */
    HttpReply(String who, int status, HttpHeaders headers, byte[] body) {
        this.who = who;
        this.status = status;
        this.headers = headers;
        this.body = body;
    }

    int status() {
        return status;
    }

    /** Returns the body as JSON if the reply calls it that and it strictly is that. */
    JsonNode json() {
        if (!isJson(headers.allValues("Content-Type"))) {
            throw misread("a content type that is not JSON in UTF-8");
        }
        if (!headers.allValues("Content-Encoding").stream().allMatch("identity"::equalsIgnoreCase)) {
            throw misread("a content encoding that nobody asked for");
        }
        try {
            return Json.parse(body);
        } catch (MalformedJsonException e) {
            throw misread("malformed JSON (" + e.getMessage() + ")");
        }
    }

    /** Says that the reply cannot be relied on, and why. */
    VerificationUnavailableException misread(String what) {
        return new VerificationUnavailableException(who + "status " + status + " came with " + what);
    }

    /** Says that the status means nothing here. */
    VerificationUnavailableException unmapped() {
        String message = who + "status " + status + " is mapped to no verdict";
        return status >= 500 ? new HttpOutageException(message, true) : new VerificationUnavailableException(message);
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
