// SPDX-License-Identifier: Apache-2.0
package io.muster.verification;

import io.muster.once.Use;
import io.muster.spi.Verdict;
import io.muster.user.User;
import java.util.List;
import java.util.Optional;

/**
 * A verdict, and what an admission by it uses up.
 *
 * @param verdict the verdict; asking has no side effect
 * @param uses the things that an admission uses up; of a pending verdict, those that it waits for; else empty
 * @param owner the user who vouches for the device, and who owns it from an admission on; empty unless the verdict is
 *     genuine
 */
public record Proof(Verdict verdict, List<Use> uses, Optional<User> owner) {

    /** A verdict without an owner. */
    public Proof(Verdict verdict, List<Use> uses) {
        this(verdict, uses, Optional.empty());
    }

    /** A verdict that uses nothing up. */
    public static Proof of(Verdict verdict) {
        return new Proof(verdict, List.of());
    }
}
