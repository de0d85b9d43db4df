package io.muster.api;

import java.time.Instant;
import java.util.Map;

/**
 * The reply to an admitted registration. {@code deviceId}, {@code key} and {@code secret} are the promise that the simplest
 * firmware relies on; everything beside them is what such a device would otherwise have to be told another way.
 *
 * @param deviceId 32 lower-case hex digits; the device's name for ever, and its MQTT client id
 * @param key the access key, letters and digits only; user name and OAuth {@code client_id}
 * @param secret 256 bits as base64url; shown this once, since the registry keeps only a hash; null for a device that keeps its own
 *     private key
 * @param fleet the fleet that admitted the device
 * @param name the device's name for people
 * @param tags texts to find the device by; {@code serial} is always among them
 * @param attributes typed values: String, Number or Boolean
 * @param configuration what the fleet's template gives to each of its devices; never null, may be empty
 * @param expiresAt when an unused credential lapses; null if it does not
 * @param links addresses the device needs next, by name: {@code token}, {@code device}
 * @param extras what the fleet's credential issuer says beside key and secret; null if it says no more
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
