// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The values that a fleet tells a device.
 *
 * @param version changes if and only if the values do; not a number, and in no order
 * @param values texts by name
 */
public record DeviceConfiguration(String version, Map<String, String> values) {

    /** Copies the map. */
    public DeviceConfiguration {
        values = Map.copyOf(values);
    }

    static DeviceConfiguration read(Map<String, Object> record) {
        Map<String, String> values = new LinkedHashMap<>();
        if (record.get("configuration") instanceof Map<?, ?> members) {
            members.forEach((name, value) -> values.put(String.valueOf(name), String.valueOf(value)));
        }
        return new DeviceConfiguration(Json.text(record, "configurationVersion").orElse(""), values);
    }

    /** Names the version only: there may be secrets among the values. */
    @Override
    public String toString() {
        return "DeviceConfiguration[version=" + version + "]";
    }
}
