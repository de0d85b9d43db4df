// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import java.util.Optional;

/**
 * A serial that may not register.
 *
 * @param serial a valid serial
 * @param reason why, for operators; empty leaves the reason of an earlier block as it is
 */
public record BlockedSerial(String serial, Optional<String> reason) {

    /** The longest reason. */
    public static final int MAX_REASON = 200;
}
