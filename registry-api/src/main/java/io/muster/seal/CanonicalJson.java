// SPDX-License-Identifier: Apache-2.0
package io.muster.seal;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * The one text of an object that is hashed or signed: RFC 8785 (JSON Canonicalization Scheme), for objects whose members
 * are texts and whole numbers.
 */
public final class CanonicalJson {

    private CanonicalJson() {}

    /**
     * Returns the text of an object in UTF-8, with its members in order.
     *
     * @param members texts, and whole numbers of at most 2<sup>53</sup>
     */
    public static byte[] bytes(Map<String, ?> members) {
        StringBuilder out = new StringBuilder(256);
        char before = '{';
        for (Map.Entry<String, ?> member : new TreeMap<>(members).entrySet()) {
            out.append(before);
            quote(member.getKey(), out);
            out.append(':');
            Object value = member.getValue();
            if (value instanceof Long || value instanceof Integer) {
                out.append(value);
            } else {
                quote((String) value, out);
            }
            before = ',';
        }
        return (members.isEmpty() ? out.append('{') : out)
                .append('}')
                .toString()
                .getBytes(StandardCharsets.UTF_8);
    }

    private static void quote(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                case '\b' -> out.append("\\b");
                case '\t' -> out.append("\\t");
                case '\n' -> out.append("\\n");
                case '\f' -> out.append("\\f");
                case '\r' -> out.append("\\r");
                default -> {
                    if (c < ' ') {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
