package io.muster.spi;

import java.time.Instant;

/**
 * A device was admitted and has a new credential. Fired after the commit, on the thread of the request; what an observer
 * throws is logged and dropped, since nothing can undo the admission.
 *
 * @param at when, by the clock of the node that admitted it
 * @param fleet its fleet
 * @param serial its serial
 * @param deviceId its id
 * @param key the key of the new credential; the secret is nowhere but in the reply
 * @param again false for a device that did not exist before
 * @param origin the address it registered from
 */
public record DeviceRegistered(
        Instant at, String fleet, SerialNumber serial, DeviceId deviceId, String key, boolean again, String origin) {}
