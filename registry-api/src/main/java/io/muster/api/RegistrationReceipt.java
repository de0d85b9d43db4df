// SPDX-License-Identifier: Apache-2.0
package io.muster.api;

import java.time.Instant;
import java.util.Map;

/**
 * The reply to an admitted registration. The simplest firmware relies on {@code deviceId}, {@code key} and
 * {@code secret} alone. The other members are what such a device would otherwise have to learn in another way.
 *
 * @param deviceId 32 lower-case hex digits; the device's name for ever, and its MQTT client id
 * @param key the access key, letters and digits only; user name and OAuth {@code client_id}
 * @param secret 256 bits as base64url; shown this once, since the registry keeps only a hash; null for a device that
 *     keeps its own private key
 * @param fleet the fleet that admitted the device
 * @param name the device's name for people
 * @param tags texts to find the device by; {@code serial} is always among them
 * @param attributes typed values: String, Number or Boolean
 * @param configuration the values that the fleet's template gives to each of its devices; never null, may be empty
 * @param expiresAt when an unused credential lapses; null if it does not
 * @param links addresses the device needs next, by name: {@code token}, {@code device}
 * @param extras texts that the fleet's credential issuer adds to key and secret; null if it adds none
 */
public record RegistrationReceipt(
        String deviceId,
        String key,
        String secret,
        String fleet,
        String name,
        Map<String, String> tags,
        Map<String, Object> attributes,
        Map<String, String> configuration,
        Instant expiresAt,
        Map<String, String> links,
        Map<String, String> extras) {

    /** Hides the secret. */
    @Override
    public String toString() {
        return "RegistrationReceipt[deviceId=" + deviceId + ", key=" + key + ", fleet=" + fleet + "]";
    }
}
