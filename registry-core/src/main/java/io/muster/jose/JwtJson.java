// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import io.jsonwebtoken.io.DeserializationException;
import io.jsonwebtoken.io.Deserializer;
import io.jsonwebtoken.io.SerializationException;
import io.jsonwebtoken.io.Serializer;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Reader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Makes jjwt read and write tokens with the registry's own strict JSON, and look for no other. */
public final class JwtJson implements Serializer<Map<String, ?>>, Deserializer<Map<String, ?>> {

    private static final String REPLACEMENT = "\ufffd";

    @Override
    @Deprecated
    @SuppressWarnings("InlineMeSuggester") // nobody of ours calls it
    public byte[] serialize(Map<String, ?> value) {
        return Json.bytes(value);
    }

    @Override
    public void serialize(Map<String, ?> value, OutputStream out) {
        try {
            out.write(Json.bytes(value));
        } catch (IOException e) {
            throw new SerializationException("cannot write a token", e);
        }
    }

    @Override
    @Deprecated
    public Map<String, ?> deserialize(byte[] bytes) {
        try {
            return Json.parseObject(bytes);
        } catch (MalformedJsonException e) {
            throw new DeserializationException(e.getMessage(), e);
        }
    }

    @Override
    public Map<String, ?> deserialize(Reader reader) {
        StringWriter text = new StringWriter();
        try {
            reader.transferTo(text);
            if (text.getBuffer().indexOf(REPLACEMENT) >= 0) {
                // jjwt decodes leniently; this character replaces bytes that were not UTF-8.
                throw new DeserializationException("the token is not UTF-8");
            }
            return Json.parseObject(text.toString().getBytes(StandardCharsets.UTF_8));
        } catch (IOException | MalformedJsonException e) {
            throw new DeserializationException("the token does not hold a JSON object", e);
        }
    }
}
