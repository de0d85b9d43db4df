// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Copies that nobody can change. */
final class Copies {

    private Copies() {}

    /**
     * Copies a map of at most this many members.
     *
     * @throws IllegalArgumentException if it has more, whatever size it reports
     */
    static <V> Map<String, V> of(String what, Map<String, V> map, int most) {
        Map<String, V> copy = new LinkedHashMap<>();
        if (map.size() <= most) {
            for (Map.Entry<String, V> entry : map.entrySet()) {
                copy.put(entry.getKey(), entry.getValue());
                if (copy.size() > most) {
                    break;
                }
            }
        }
        if (map.size() > most || copy.size() > most) {
            throw new IllegalArgumentException(what + " has more than " + most + " members");
        }
        return Map.copyOf(copy);
    }

    /** Copies a map as parsed from JSON, and every list and map in it. */
    static Map<String, Object> deep(Map<String, Object> json) {
        boolean flat = true;
        for (Object value : json.values()) {
            flat &= !(value instanceof List || value instanceof Map);
        }
        if (flat) {
            return Map.copyOf(json);
        }
        Map<String, Object> copy = new LinkedHashMap<>();
        json.forEach((name, value) -> copy.put(name, frozen(value)));
        return Map.copyOf(copy);
    }

    private static Object frozen(Object value) {
        if (value instanceof List<?> list) {
            List<Object> copy = new ArrayList<>(list.size());
            list.forEach(item -> copy.add(frozen(item)));
            return Collections.unmodifiableList(copy);
        }
        if (value instanceof Map<?, ?> map) {
            Map<Object, Object> copy = new LinkedHashMap<>();
            map.forEach((name, item) -> copy.put(name, frozen(item)));
            return Collections.unmodifiableMap(copy);
        }
        return value;
    }
}
