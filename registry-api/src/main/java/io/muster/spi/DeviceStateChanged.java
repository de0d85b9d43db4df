// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.time.Instant;

/**
 * An operator changed the state of a device. The event is fired after the commit. Observers run on threads of their
 * own; the request waits for them for one second at most. An exception of an observer is logged and dropped.
 *
 * @param at when, by the clock of the node that did it
 * @param fleet the device's fleet
 * @param deviceId the device
 * @param state {@code pending}, {@code active}, {@code disabled} or {@code retired}
 * @param operator the operator's name
 */
public record DeviceStateChanged(Instant at, String fleet, DeviceId deviceId, String state, String operator) {}
