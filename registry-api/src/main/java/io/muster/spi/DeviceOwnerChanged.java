// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.time.Instant;
import java.util.Optional;

/**
 * A device, or a serial whose device has not registered yet, has another owner, or none any more. The event is fired
 * after the commit. Observers run on threads of their own; the request waits for them for one second at most. An
 * exception of an observer is logged and dropped.
 *
 * @param at when, by the clock of the node that did it
 * @param fleet its fleet
 * @param serial its serial
 * @param deviceId the device; empty if it has not registered yet
 * @param before the user that it belonged to, {@code <provider>:<subject>}; empty for nobody
 * @param after the user that it belongs to; empty for nobody
 * @param group the group that it belongs to with that user, if any
 * @param who the user, or the name of the operator, whose request it was
 */
public record DeviceOwnerChanged(
        Instant at,
        String fleet,
        SerialNumber serial,
        Optional<DeviceId> deviceId,
        Optional<String> before,
        Optional<String> after,
        Optional<String> group,
        String who) {}
