package io.muster.spi;

import java.time.Instant;

/**
 * A credential was used for the first time, which confirms it. Fired after the commit, on the thread of the request; what an
 * observer throws is logged and dropped.
 *
 * @param at when, by the clock of the node that saw it
 * @param fleet the device's fleet
 * @param deviceId the device
 * @param key the credential's key
 */
public record CredentialConfirmed(Instant at, String fleet, DeviceId deviceId, String key) {}
