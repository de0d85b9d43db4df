// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A credential of the device: the access key, and either a secret or a key pair that it made itself.
 *
 * @param secret null if there is a device key
 * @param deviceKey null if there is a secret
 * @param expiresAt when it lapses unless it is used before; null if the registry did not say
 */
record Credential(String key, String secret, JoseKey deviceKey, Instant expiresAt) {

    /**
     * Reads the reply to a request, or a stored credential.
     *
     * @param offered the device key whose public half was sent; if null, the secret is required
     * @throws IllegalArgumentException if key or secret is missing, empty or not a string; quotes no value
     */
    static Credential read(Map<String, Object> json, JoseKey offered) {
        String key = Json.required(json, "key");
        Instant expiresAt = expiresAt(json);
        boolean secret = offered == null || Json.text(json, "secret").isPresent();
        return secret
                ? new Credential(key, Json.required(json, "secret"), null, expiresAt)
                : new Credential(key, null, offered, expiresAt);
    }

    /** Returns the member of that name, or null; for the application's information only. */
    static Instant expiresAt(Map<String, Object> json) {
        try {
            return Json.text(json, "expiresAt").map(Instant::parse).orElse(null);
        } catch (DateTimeException e) {
            return null;
        }
    }

    Map<String, Object> write() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("key", key);
        if (secret != null) {
            json.put("secret", secret);
        }
        if (deviceKey != null) {
            json.put("deviceKey", deviceKey.write());
        }
        json.put("expiresAt", expiresAt == null ? null : expiresAt.toString());
        return json;
    }

    /** Names the access key and hides the rest. */
    @Override
    public String toString() {
        return "Credential[key=" + key + "]";
    }
}
