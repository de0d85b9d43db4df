// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import io.muster.user.User;
import java.util.Optional;

/**
 * A user's wish to own a device.
 *
 * @param user the user
 * @param by the knowledge that the user presents
 * @param group the group of the user that it is to belong to; empty for the user alone
 * @param name how the user calls it
 * @param origin the address that the request came from
 */
public record Claim(User user, Knowledge by, Optional<String> group, Optional<String> name, String origin) {

    /** Knowledge of a device. */
    public sealed interface Knowledge {}

    /** A code of it. */
    public record ByCode(ClaimCode code) implements Knowledge {}

    /**
     * Its serial.
     *
     * @param text as the user spells it
     */
    public record BySerial(String fleet, String text) implements Knowledge {}

    /** The text of one of its tags. */
    public record ByTag(String fleet, String name, String text) implements Knowledge {}

    Owner owner() {
        return new Owner(user, group);
    }
}
