// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.time.Instant;

/**
 * A credential was used for the first time, which confirms it. The event is fired after the commit. Observers run on
 * threads of their own; the request waits for them for one second at most. An exception of an observer is logged and
 * dropped.
 *
 * @param at when, by the clock of the node that saw it
 * @param fleet the device's fleet
 * @param deviceId the device
 * @param key the credential's key
 */
public record CredentialConfirmed(Instant at, String fleet, DeviceId deviceId, String key) {}
