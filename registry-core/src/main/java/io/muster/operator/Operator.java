// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A person or program that runs fleets.
 *
 * @param id 32 hex digits
 * @param name unique, for people and records
 * @param grants the rights of its tokens
 * @param active false once it was revoked or has expired
 * @param createdAt when it was made
 * @param expiresAt when its tokens end to work; empty for never
 * @param lastUsedAt when a token of it was last used, some minutes late; empty for never
 * @param version grows by one with each change
 */
public record Operator(
        String id,
        String name,
        List<Grant> grants,
        boolean active,
        Instant createdAt,
        Optional<Instant> expiresAt,
        Optional<Instant> lastUsedAt,
        long version) {

    /** Returns the rights that it has for all fleets. */
    public Set<Right> rights() {
        Set<Right> rights = EnumSet.noneOf(Right.class);
        grants.stream().filter(grant -> grant.fleets().isEmpty()).forEach(grant -> rights.addAll(grant.given()));
        return rights;
    }

    /** Tells whether it may do this in all fleets, and where no fleet is concerned. */
    public boolean may(Right right) {
        return active && rights().contains(right);
    }

    /** Tells whether it may do this in a fleet. */
    public boolean may(Right right, String fleet) {
        return active
                && grants.stream()
                        .anyMatch(grant -> grant.isFor(fleet) && grant.given().contains(right));
    }

    /** Tells whether it may do this in at least one fleet. */
    public boolean maySomewhere(Right right) {
        return active && grants.stream().anyMatch(grant -> grant.given().contains(right));
    }

    /**
     * Tells whether a fleet is visible. To an operator with a grant for named fleets, only fleets are in which it has a
     * right. Rights that concern no fleet show none.
     */
    public boolean sees(String fleet) {
        return active
                && (grants.stream().noneMatch(grant -> grant.fleets().isPresent())
                        || grants.stream()
                                .anyMatch(grant -> grant.isFor(fleet)
                                        && grant.given().stream().anyMatch(Right::isOfOneFleet)));
    }

    /** Tells whether brokers admit it. */
    boolean isForBrokers() {
        return rights().stream().anyMatch(Right::isForBrokers);
    }

    /** Returns the first right that this operator lacks of those that a grant gives, as a text; empty if it has all. */
    Optional<String> lacks(Grant grant) {
        for (Right right : grant.given()) {
            if (grant.fleets().isEmpty() && !may(right)) {
                return Optional.of(right.word() + " for all fleets");
            }
            for (String fleet : grant.fleets().orElse(Set.of())) {
                if (!may(right, fleet)) {
                    return Optional.of(right.word() + " for the fleet " + fleet);
                }
            }
        }
        return Optional.empty();
    }

    /** Returns the same operator without any right. */
    Operator ended() {
        return new Operator(id, name, grants, false, createdAt, expiresAt, lastUsedAt, version);
    }
}
