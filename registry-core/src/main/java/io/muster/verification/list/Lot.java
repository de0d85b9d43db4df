// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import io.muster.device.Storable;
import java.time.Instant;
import java.util.Optional;

/**
 * An operator's settings for serials that were made together. A lot without settings has no limits.
 *
 * @param name as the rows of the list have it
 * @param expected how many serials it may have; empty for any number
 * @param notBefore when its serials may begin to register
 * @param notAfter when its serials may no longer register
 * @param paused whether its serials may not register now
 */
public record Lot(
        String name,
        Optional<Integer> expected,
        Optional<Instant> notBefore,
        Optional<Instant> notAfter,
        boolean paused) {

    /** The longest name. */
    public static final int MAX_NAME = 64;

    /** Tells whether a lot can have this name: 1 to 64 characters, none of them a control character. */
    public static boolean isName(String text) {
        return !text.isEmpty() && Storable.textFault(text, MAX_NAME).isEmpty();
    }

    /** Returns why its serials may not register at this time, for operators; empty if they may. */
    Optional<String> refusal(Instant now) {
        if (paused) {
            return Optional.of("the lot " + name + " is paused");
        }
        if (notBefore.isPresent() && now.isBefore(notBefore.get())) {
            return Optional.of("the lot " + name + " is not valid before " + notBefore.get());
        }
        if (notAfter.isPresent() && !now.isBefore(notAfter.get())) {
            return Optional.of("the lot " + name + " is not valid after " + notAfter.get());
        }
        return Optional.empty();
    }
}
