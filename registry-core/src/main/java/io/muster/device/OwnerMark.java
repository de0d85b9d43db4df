// SPDX-License-Identifier: Apache-2.0
package io.muster.device;

import io.muster.persistence.Ids;
import java.util.Arrays;
import java.util.Optional;

/**
 * A text that stands for the owner in a device's topics: for the group if the device belongs to one, else for the user.
 * It is no secret, and it reveals neither.
 *
 * @param value 32 lower-case hex digits
 */
public record OwnerMark(String value) {

    private static final int BYTES = 16;

    /**
     * Returns the mark of an owner.
     *
     * @param userKey of {@code owned_serial}, or null if nobody owns the device
     * @param groupKey of {@code owned_serial}, or null if the device belongs to no group
     */
    public static Optional<OwnerMark> of(byte[] userKey, byte[] groupKey) {
        return Optional.ofNullable(groupKey == null ? userKey : groupKey)
                .map(key -> new OwnerMark(Ids.hex(Arrays.copyOf(key, BYTES))));
    }
}
