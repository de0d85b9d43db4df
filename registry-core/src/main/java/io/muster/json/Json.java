// SPDX-License-Identifier: Apache-2.0
package io.muster.json;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ValueNode;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import io.muster.spi.WrittenText;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Iterator;
import java.util.Map;

/**
 * Reads JSON strictly (RFC 8259): UTF-8 only, one value, no duplicate members, and at most 32 levels. Numbers have at
 * most 100 digits and exponents at most nine. Writes records, maps and values compactly: null components are left out,
 * and an Instant is ISO 8601. Thread-safe.
 */
public final class Json {

    /** How deep arrays and objects may nest. */
    public static final int MAX_DEPTH = 32;

    /** The fault of a text that cannot be stored. */
    public static final String NOT_STORABLE = "must have no NUL and no half of a surrogate pair";

    private static final String UTF_16 = "the text is UTF-16; it must be UTF-8";

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    // It would put the text of a request into the messages of exceptions.
                    .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(100)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .defaultPropertyInclusion(
                    JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.NON_NULL))
            .nodeFactory(new BoundedNumbers())
            .addModule(new SimpleModule().addSerializer(Instant.class, ToStringSerializer.instance))
            .build();

    /**
     * With the greatest exponents, a number could not be read again after it was written: 11e2147483647 is
     * 1.1e2147483648.
     */
    private static final class BoundedNumbers extends JsonNodeFactory {

        private static final long serialVersionUID = 1;
        private static final int MAX_SCALE = 999_999_999;

        @Override
        public ValueNode numberNode(BigDecimal number) {
            if (number.scale() > MAX_SCALE || number.scale() < -MAX_SCALE) {
                throw new NumberFormatException("exponent");
            }
            return super.numberNode(number);
        }
    }

    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};

    private Json() {}

    /**
     * Reads one value.
     *
     * @param utf8 the whole text
     * @throws MalformedJsonException if it is empty or not one strict JSON value
     */
    public static JsonNode parse(byte[] utf8) {
        try {
            // Decode first: Jackson guesses UTF-16 and UTF-32 from the first bytes, and accepts some overlong forms.
            CharBuffer text = StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(utf8));
            JsonNode value = MAPPER.readTree(text.toString());
            if (value == null || value.isMissingNode()) {
                throw new MalformedJsonException("the text is empty");
            }
            return value;
        } catch (CharacterCodingException e) {
            throw new MalformedJsonException(WrittenText.isUtf16(utf8) ? UTF_16 : "the text is not UTF-8");
        } catch (JsonProcessingException e) {
            throw malformed(e);
        } catch (NumberFormatException e) {
            throw new MalformedJsonException("a number with too large an exponent");
        }
    }

    /**
     * Reads one value of a document that a person may have written into a file. Does the same as {@link #parse}, and
     * skips a byte order mark.
     *
     * @throws MalformedJsonException as {@link #parse}
     */
    public static JsonNode parseWritten(byte[] utf8) {
        try {
            return parse(WrittenText.withoutMark(utf8));
        } catch (WrittenText.Utf16Exception e) {
            throw new MalformedJsonException(UTF_16);
        }
    }

    /**
     * Reads one object into a map.
     *
     * @throws MalformedJsonException if the text is anything else
     */
    public static Map<String, Object> parseObject(byte[] utf8) {
        JsonNode node = parse(utf8);
        if (!node.isObject()) {
            throw new MalformedJsonException("the text is not an object");
        }
        return MAPPER.convertValue(node, OBJECT);
    }

    /** Returns an object with these members. */
    public static JsonNode object(Map<String, JsonNode> members) {
        return MAPPER.createObjectNode().setAll(members);
    }

    /** Returns the members of an object as a map of String, Number, Boolean, List, Map and null. */
    public static Map<String, Object> toMap(JsonNode object) {
        return MAPPER.convertValue(object, OBJECT);
    }

    /**
     * Opens a reader of tokens for a text too long to hold in memory. The reader throws Jackson's exceptions for
     * malformed text; {@link #malformed} describes them.
     *
     * @param text decoded, and bounded, by the caller
     */
    public static JsonParser stream(Reader text) throws IOException {
        JsonParser parser = MAPPER.createParser(text);
        // After a value of an array follows the next one.
        parser.setCodec(MAPPER.reader().without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS));
        return parser;
    }

    /** Describes a fault that Jackson found, and repeats nothing of the text. */
    public static MalformedJsonException malformed(JsonProcessingException e) {
        JsonLocation at = e.getLocation();
        String where = at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr();
        String message = String.valueOf(e.getOriginalMessage());
        String what;
        if (message.startsWith("Duplicate field")) {
            what = "a member appears twice";
        } else if (message.contains("nesting depth")) {
            what = "deeper than " + MAX_DEPTH + " levels";
        } else if (message.startsWith("Trailing token")) {
            what = "text after the value";
        } else {
            what = "not JSON";
        }
        return new MalformedJsonException(what + where);
    }

    /** Tells whether a text can be written and stored unchanged: it has no NUL and no half of a surrogate pair. */
    public static boolean isStorable(String text) {
        return text.codePoints()
                .noneMatch(
                        point -> point == 0 || (point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE));
    }

    /** Tells whether every text and every name in it can be stored. */
    public static boolean isStorable(JsonNode value) {
        if (value.isTextual()) {
            return isStorable(value.textValue());
        }
        for (Iterator<String> names = value.fieldNames(); names.hasNext(); ) {
            if (!isStorable(names.next())) {
                return false;
            }
        }
        for (JsonNode inner : value) {
            if (!isStorable(inner)) {
                return false;
            }
        }
        return true;
    }

    /** Writes a record, map, list or value as UTF-8. */
    public static byte[] bytes(Object value) {
        try {
            return MAPPER.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("cannot be written as JSON: " + value.getClass(), e);
        }
    }

    /** Writes a record, map, list or value as text. */
    public static String text(Object value) {
        return new String(bytes(value), StandardCharsets.UTF_8);
    }

    /** Reads a map that {@link #text} wrote; null and the empty text are the empty map. */
    public static Map<String, Object> stored(String text) {
        if (text == null || text.isEmpty()) {
            return Map.of();
        }
        try {
            return MAPPER.readValue(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), OBJECT);
        } catch (IOException e) {
            throw new UncheckedIOException("stored JSON is damaged", e);
        }
    }
}
