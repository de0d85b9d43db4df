// SPDX-License-Identifier: Apache-2.0
package io.muster.lifecycle;

import java.util.Map;
import java.util.Optional;

/**
 * A change of a device's data, member by member, as in a merge patch (RFC 7396).
 *
 * @param name the new name, empty to have none; empty outside to leave it
 * @param tags the texts by name, empty for a tag that is to go
 * @param attributes the values by name, a String, Number or Boolean, empty for one that is to go
 */
public record DevicePatch(
        Optional<Optional<String>> name, Map<String, Optional<String>> tags, Map<String, Optional<Object>> attributes) {

    /** Copies the maps. */
    public DevicePatch {
        tags = Map.copyOf(tags);
        attributes = Map.copyOf(attributes);
    }
}
