// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.time.Instant;

/**
 * A device was admitted and has a new credential. The event is fired after the commit. Observers run on threads of
 * their own; the request waits for them for one second at most. An exception of an observer is logged and dropped,
 * since nothing can undo the admission.
 *
 * @param at when, by the clock of the node that admitted it
 * @param fleet its fleet
 * @param serial its serial
 * @param deviceId its id
 * @param key the key of the new credential; only the reply has the secret
 * @param again false for a device that did not exist before
 * @param origin the address it registered from
 */
public record DeviceRegistered(
        Instant at, String fleet, SerialNumber serial, DeviceId deviceId, String key, boolean again, String origin) {}
