// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import io.muster.spi.DeviceId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A device as its owner sees it.
 *
 * @param claimId names the claim, whether the device has registered or not
 * @param deviceId empty if it has not registered yet
 * @param name how its owner calls it; else how the registry calls it
 * @param state {@code expected} before it registers; else {@code pending}, {@code active}, {@code disabled} or
 *     {@code retired}
 * @param tags those that its owners may set, and that are set
 * @param can the rights of its owners
 * @param lastSeenAt when it last authenticated
 */
public record OwnedDevice(
        String claimId,
        Optional<DeviceId> deviceId,
        String fleet,
        String serial,
        String name,
        String state,
        Owner owner,
        Instant claimedAt,
        Map<String, String> tags,
        Can can,
        Optional<Instant> lastSeenAt) {

    /**
     * The rights of owners.
     *
     * @param rename change the name and tags
     * @param release give the device up
     * @param transfer hand it over to the next owner
     * @param tags the names of the tags that owners may set; empty if the device has not registered yet
     */
    public record Can(boolean rename, boolean release, boolean transfer, List<String> tags) {

        /** Copies the names. */
        public Can {
            tags = List.copyOf(tags);
        }
    }
}
