// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import io.muster.once.UsedOnce;
import java.util.Optional;
import java.util.Set;

/**
 * A person with an account at an identity provider. Issuer and subject together tell one user from another; names and
 * e-mail addresses do not.
 *
 * @param provider the name of the provider in the configuration, {@code muster.users.<name>.*}
 * @param issuer the provider's {@code iss}, at most 500 characters
 * @param subject the user's {@code sub}, 1 to 255 characters without control characters
 * @param name the name for people, if the token has one; at most 200 characters
 * @param groups the groups that the token names; may be empty. Groups of two issuers are never the same
 */
public record User(String provider, String issuer, String subject, Optional<String> name, Set<String> groups) {

    /** Copies the groups. */
    public User {
        groups = Set.copyOf(groups);
    }

    /** Returns 32 bytes that no other user has. */
    public byte[] key() {
        return UsedOnce.id("user", issuer, subject);
    }

    /** Returns 32 bytes that no other group has, of a group of this user's issuer. */
    public byte[] groupKey(String group) {
        return UsedOnce.id("group", issuer, group);
    }

    /** Tells whether both are the same account. */
    public boolean isSameAs(User other) {
        return issuer.equals(other.issuer) && subject.equals(other.subject);
    }
}
