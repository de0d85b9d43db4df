// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import io.muster.json.Json;
import io.muster.once.UsedOnce;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/**
 * The values that a fleet tells one device. They are stored nowhere: a changed document changes them for all devices.
 *
 * @param values texts by name
 */
public record DeviceConfiguration(Map<String, String> values) {

    /** Returns 16 hex digits that change if and only if the values do. */
    public String version() {
        return HexFormat.of().formatHex(UsedOnce.id(Json.text(new TreeMap<>(values))), 0, 8);
    }
}
