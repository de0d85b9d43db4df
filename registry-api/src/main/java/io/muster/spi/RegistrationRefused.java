// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.time.Instant;

/**
 * A registration was refused. Observers run on threads of their own; the request waits for them for one second at most.
 * An exception of an observer is logged and dropped.
 *
 * @param at when, by the clock of the node that refused it
 * @param fleet the fleet it asked to join
 * @param serial the serial it presented
 * @param reason the true reason, for operators only; the device was told none
 * @param repeat true if the serial belongs to a device that may not register again: perhaps a clone
 * @param origin the address it came from
 */
public record RegistrationRefused(
        Instant at, String fleet, SerialNumber serial, String reason, boolean repeat, String origin) {}
