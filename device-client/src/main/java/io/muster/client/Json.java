// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.JsonTokenId;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.muster.api.DisplayCode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** JSON objects as maps. Members that are null are dropped when reading. */
final class Json {

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(32).build())
            .build();

    private Json() {}

    /**
     * Reads one object and nothing after it.
     *
     * @throws IOException if it is anything else. The message and the cause never quote the text, which may hold a
     *     secret.
     */
    static Map<String, Object> readObject(byte[] utf8) throws IOException {
        try (JsonParser parser = FACTORY.createParser(utf8)) {
            if (parser.nextToken() == JsonToken.START_OBJECT) {
                Map<String, Object> object = object(parser);
                if (parser.nextToken() == null) {
                    return object;
                }
            }
        } catch (JsonProcessingException e) {
            // Neither show nor chain Jackson's exception: it quotes the token at fault.
        }
        throw new IOException("not a JSON object, or not a whole one");
    }

    private static Map<String, Object> object(JsonParser parser) throws IOException {
        Map<String, Object> members = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            parser.nextToken();
            Object value = value(parser);
            if (value != null) {
                members.put(name, value);
            }
        }
        return members;
    }

    private static Object value(JsonParser parser) throws IOException {
        return switch (parser.currentTokenId()) {
            case JsonTokenId.ID_START_OBJECT -> object(parser);
            case JsonTokenId.ID_START_ARRAY -> {
                List<Object> items = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    items.add(value(parser));
                }
                yield items;
            }
            case JsonTokenId.ID_STRING -> parser.getText();
            case JsonTokenId.ID_NUMBER_INT -> parser.getNumberValue();
            case JsonTokenId.ID_NUMBER_FLOAT -> parser.getDecimalValue();
            case JsonTokenId.ID_TRUE -> true;
            case JsonTokenId.ID_FALSE -> false;
            case JsonTokenId.ID_NULL -> null;
            default -> throw new IOException("not a JSON object, or not a whole one");
        };
    }

    /** Returns the member if it is a string that is not empty. Another type counts as absent. */
    static Optional<String> text(Map<String, Object> object, String name) {
        return object.get(name) instanceof String text && !text.isEmpty() ? Optional.of(text) : Optional.empty();
    }

    /**
     * Returns the member.
     *
     * @throws IllegalArgumentException if it is missing, empty or not a string; quotes no value
     */
    static String required(Map<String, Object> object, String name) {
        return text(object, name).orElseThrow(() -> new IllegalArgumentException("no string \"" + name + "\" in it"));
    }

    /** Reads the code of a device's display. */
    static DisplayCode displayCode(Map<String, Object> json) throws NoAnswer {
        try {
            return new DisplayCode(
                    required(json, "code"),
                    Instant.parse(required(json, "expiresAt")),
                    URI.create(required(json, "url")));
        } catch (DateTimeException | IllegalArgumentException e) {
            throw new NoAnswer("HTTP 201 without a claim code");
        }
    }

    /**
     * Writes an object of strings, numbers, booleans, nulls, maps and lists.
     *
     * @throws IllegalArgumentException if there is a value of another type; the message names the type only
     */
    static byte[] write(Map<String, ?> object) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator generator = FACTORY.createGenerator(bytes)) {
            write(object, generator);
        }
        bytes.write('\n');
        return bytes.toByteArray();
    }

    private static void write(Object value, JsonGenerator generator) throws IOException {
        if (value == null) {
            generator.writeNull();
        } else if (value instanceof Map<?, ?> members) {
            generator.writeStartObject();
            for (Map.Entry<?, ?> member : members.entrySet()) {
                generator.writeFieldName(String.valueOf(member.getKey()));
                write(member.getValue(), generator);
            }
            generator.writeEndObject();
        } else if (value instanceof Iterable<?> items) {
            generator.writeStartArray();
            for (Object item : items) {
                write(item, generator);
            }
            generator.writeEndArray();
        } else if (value instanceof String text) {
            generator.writeString(text);
        } else if (value instanceof Boolean truth) {
            generator.writeBoolean(truth);
        } else if (value instanceof BigDecimal number) {
            generator.writeNumber(number);
        } else if (value instanceof BigInteger number) {
            generator.writeNumber(number);
        } else if (value instanceof Number number && isFinite(number)) {
            generator.writeNumber(new BigDecimal(number.toString()));
        } else {
            throw new IllegalArgumentException(
                    "not a JSON value: " + value.getClass().getName());
        }
    }

    private static boolean isFinite(Number number) {
        return Double.isFinite(number.doubleValue());
    }
}
