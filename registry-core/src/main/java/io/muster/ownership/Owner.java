// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import io.muster.user.User;
import java.util.Optional;

/**
 * The owner of a device.
 *
 * @param user the user who claimed it, or whose token it registered with
 * @param group the group of the user that it belongs to, if any. All who are in the group then, and nobody else, may do
 *     what owners may: a user who leaves the group leaves its devices behind
 */
public record Owner(User user, Optional<String> group) {

    /** A device of this user alone. */
    public static Owner of(User user) {
        return new Owner(user, Optional.empty());
    }

    /** Tells whether a user may do what owners may. */
    public boolean includes(User other) {
        return group.map(name ->
                        user.issuer().equals(other.issuer()) && other.groups().contains(name))
                .orElseGet(() -> user.isSameAs(other));
    }

    /** Returns the text of the tag {@code owner}: {@code <provider>:<subject>}. */
    public String text() {
        return text(user);
    }

    /** Returns the user as records and tags show it. */
    public static String text(User user) {
        return user.provider() + ":" + user.subject();
    }

    /** Returns the owner in words, for records. */
    String inWords() {
        return text() + group.map(name -> " in group " + name).orElse("");
    }
}
