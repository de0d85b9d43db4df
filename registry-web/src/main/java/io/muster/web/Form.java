// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A form body (WHATWG URL, {@code application/x-www-form-urlencoded}), read strictly: UTF-8, and no parameter twice.
 */
public final class Form {

    private final Map<String, String> parameters = new LinkedHashMap<>();
    private final Set<String> repeated = new HashSet<>();

    private Form() {}

    /**
     * Reads a form.
     *
     * @throws IllegalArgumentException if it is not one
     */
    public static Form parse(byte[] body) {
        Form form = new Form();
        for (String pair : new String(body, StandardCharsets.ISO_8859_1).split("&")) {
            if (pair.isEmpty()) {
                continue;
            }
            int equals = pair.indexOf('=');
            String name = decode(equals < 0 ? pair : pair.substring(0, equals));
            String value = equals < 0 ? "" : decode(pair.substring(equals + 1));
            if (form.parameters.put(name, value) != null) {
                form.repeated.add(name);
            }
        }
        return form;
    }

    /**
     * Reads the query of an address, which is written as a form is.
     *
     * @throws IllegalArgumentException if it is not one
     */
    public static Form parseQuery(String query) {
        if (query.chars().anyMatch(c -> c <= ' ' || c > '~')) {
            throw new IllegalArgumentException("a character that must be encoded");
        }
        return parse(query.getBytes(StandardCharsets.US_ASCII));
    }

    /**
     * Decodes one name or value.
     *
     * @throws IllegalArgumentException if a percent sign is not followed by two hex digits, or the bytes are not UTF-8
     */
    public static String decode(String encoded) {
        ByteBuffer bytes = ByteBuffer.allocate(encoded.length());
        for (int i = 0; i < encoded.length(); i++) {
            char c = encoded.charAt(i);
            if (c > 0xff) {
                throw new IllegalArgumentException("a character that must be encoded");
            }
            if (c == '%') {
                if (i + 2 >= encoded.length()) {
                    throw new IllegalArgumentException("a percent sign without two hex digits");
                }
                int high = Character.digit(encoded.charAt(i + 1), 16);
                int low = Character.digit(encoded.charAt(i + 2), 16);
                if (high < 0 || low < 0) {
                    throw new IllegalArgumentException("a percent sign without two hex digits");
                }
                bytes.put((byte) (high << 4 | low));
                i += 2;
            } else {
                bytes.put((byte) (c == '+' ? ' ' : c));
            }
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("not UTF-8", e);
        }
    }

    /** Returns a parameter; an empty one counts as absent (RFC 6749 section 3.2). */
    public Optional<String> get(String name) {
        return Optional.ofNullable(parameters.get(name)).filter(value -> !value.isEmpty());
    }

    /** Returns the names of all parameters, in their order, each once. */
    public Set<String> names() {
        return Collections.unmodifiableSet(parameters.keySet());
    }

    /** Tells whether this parameter was given more than once. */
    public boolean isRepeated(String name) {
        return repeated.contains(name);
    }

    /** Tells whether any parameter was given more than once. */
    public boolean hasRepeated() {
        return !repeated.isEmpty();
    }
}
