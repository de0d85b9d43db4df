// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.net.URI;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * This device's identity and its proof: the registry's reply, with the registry's address and the serial.
 *
 * <p>For MQTT use {@link DeviceClient#mqtt()}, for HTTP APIs {@link DeviceClient#accessToken()}, and keep the secret to
 * yourself.
 *
 * @param registry the registry that knows this device
 * @param serial the serial it registered with
 * @param deviceId the device's name for ever, and its MQTT client id
 * @param key the access key; user name and OAuth {@code client_id}
 * @param secret the secret, which must not be logged; {@link #toString()} hides it. Null if the device registered with
 *     a key that it made itself ({@link DeviceClient.Builder#deviceKey()}): that key never leaves the store
 * @param fleet the fleet that admitted the device; null if the registry did not say
 * @param name the device's name for people; null if the registry did not say
 * @param tags texts by name; never null
 * @param attributes typed values, each a String, Number or Boolean; never null
 * @param configuration the values that the fleet's template gives to each of its devices; never null
 * @param expiresAt when the credential lapses unless it is used before; null if it does not
 * @param links addresses by name; never null. For the application: the client itself follows none of them
 */
public record DeviceIdentity(
        URI registry,
        String serial,
        String deviceId,
        String key,
        String secret,
        String fleet,
        String name,
        Map<String, String> tags,
        Map<String, Object> attributes,
        Map<String, String> configuration,
        Instant expiresAt,
        Map<String, String> links) {

    /**
     * Copies the maps; null stands for an empty one.
     *
     * @throws NullPointerException if registry, serial, deviceId or key is null
     */
    public DeviceIdentity {
        Objects.requireNonNull(registry, "registry");
        Objects.requireNonNull(serial, "serial");
        Objects.requireNonNull(deviceId, "deviceId");
        Objects.requireNonNull(key, "key");
        tags = tags == null ? Map.of() : Map.copyOf(tags);
        attributes = attributes == null ? Map.of() : Map.copyOf(attributes);
        configuration = configuration == null ? Map.of() : Map.copyOf(configuration);
        links = links == null ? Map.of() : Map.copyOf(links);
    }

    /**
     * Reads a registry's reply or a stored identity. Only the members that every registry promises are required. Others
     * of the wrong type count as absent, so that a registry may grow.
     *
     * @param deviceKey the key whose public half the registry has; if null, a secret is required
     * @throws IllegalArgumentException if deviceId, key or secret is missing, empty or not a string; quotes no value
     */
    static DeviceIdentity read(Map<String, Object> json, URI registry, String serial, JoseKey deviceKey) {
        Credential credential = Credential.read(json, deviceKey);
        return new DeviceIdentity(
                registry,
                serial,
                Json.required(json, "deviceId"),
                credential.key(),
                credential.secret(),
                Json.text(json, "fleet").orElse(null),
                Json.text(json, "name").orElse(null),
                texts(json.get("tags")),
                values(json.get("attributes")),
                texts(json.get("configuration")),
                credential.expiresAt(),
                texts(json.get("links")));
    }

    /** Returns the same device with another credential. */
    DeviceIdentity with(Credential credential) {
        return new DeviceIdentity(
                registry,
                serial,
                deviceId,
                credential.key(),
                credential.secret(),
                fleet,
                name,
                tags,
                attributes,
                configuration,
                credential.expiresAt(),
                links);
    }

    /** Returns everything but registry and serial, under the names of the reply. */
    Map<String, Object> write() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("deviceId", deviceId);
        json.put("key", key);
        json.put("secret", secret);
        json.put("fleet", fleet);
        json.put("name", name);
        json.put("tags", tags);
        json.put("attributes", attributes);
        json.put("configuration", configuration);
        json.put("expiresAt", expiresAt == null ? null : expiresAt.toString());
        json.put("links", links);
        return json;
    }

    /** Hides the secret, configuration and attributes: the fleet's template may have put secrets into the last two. */
    @Override
    public String toString() {
        return "DeviceIdentity[deviceId=" + deviceId + ", key=" + key + ", fleet=" + fleet + ", name=" + name + "]";
    }

    private static Map<String, String> texts(Object json) {
        Map<String, String> texts = new LinkedHashMap<>();
        values(json).forEach((name, value) -> {
            if (value instanceof String text) {
                texts.put(name, text);
            }
        });
        return texts;
    }

    private static Map<String, Object> values(Object json) {
        if (!(json instanceof Map<?, ?> members)) {
            return new LinkedHashMap<>();
        }
        Map<String, Object> values = new LinkedHashMap<>();
        members.forEach((name, value) -> {
            if (value instanceof String || value instanceof Number || value instanceof Boolean) {
                values.put((String) name, value);
            }
        });
        return values;
    }
}
