// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import java.time.Instant;
import java.util.Set;

/**
 * A person or program that runs fleets.
 *
 * @param id 32 hex digits
 * @param name unique, for people and records
 * @param rights the rights of its token
 * @param active false once it was revoked
 * @param createdAt when it was made
 */
public record Operator(String id, String name, Set<Right> rights, boolean active, Instant createdAt) {

    /** Tells whether its token permits this. */
    public boolean may(Right right) {
        return active && rights.contains(right);
    }
}
