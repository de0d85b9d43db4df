package io.muster.suite;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What came back over HTTP.
 *
 * @param headers by name, whose case does not matter
 */
record Reply(int status, Map<String, List<String>> headers, byte[] body) {

    private static final ObjectMapper JSON = new ObjectMapper();

    Reply {
        Map<String, List<String>> ignoringCase = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        ignoringCase.putAll(headers);
        headers = ignoringCase;
    }

    Optional<String> header(String name) {
        return headers.getOrDefault(name, List.of()).stream().findFirst();
    }

    /** The content type without its parameters. */
    String type() {
        return header("Content-Type").orElse("").split(";")[0].strip();
    }

    String text() {
        return new String(body, StandardCharsets.UTF_8);
    }

    JsonNode json() {
        return json(body);
    }

    static JsonNode json(byte[] utf8) {
        try {
            return JSON.readTree(utf8);
        } catch (IOException e) {
            throw new UncheckedIOException("not JSON: " + new String(utf8, StandardCharsets.ISO_8859_1), e);
        }
    }

    /** Status, headers and body, for the messages of assertions. */
    @Override
    public String toString() {
        return status + " " + headers + " " + text();
    }
}
