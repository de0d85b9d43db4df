package io.muster.client;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that a store file holds: the identity with the credential that works, and what a rotation leaves beside it.
 *
 * @param deviceKey the private half of the credential; null if the identity has a secret
 * @param audience what assertions are made for, if it is not the registry's address; null if it is
 * @param next the credential of a rotation that was not used yet; null if there is none
 * @param rotateAt when to rotate, by the registry's clock; null if the registry did not ask for it
 */
record Stored(DeviceIdentity identity, JoseKey deviceKey, URI audience, Credential next, Instant rotateAt) {

    /** A file that clients read which know neither device keys nor rotation. */
    private static final int PLAIN = 1;

    private static final int WITH_KEYS = 2;

    static Stored of(DeviceIdentity identity) {
        return new Stored(identity, null, null, null, null);
    }

    /** Returns the credential that works, or worked last. */
    Credential credential() {
        return new Credential(identity.key(), identity.secret(), deviceKey, identity.expiresAt());
    }

    Stored withNext(Credential credential) {
        return new Stored(identity, deviceKey, audience, credential, rotateAt);
    }

    Stored withRotateAt(Instant moment) {
        return new Stored(identity, deviceKey, audience, next, moment);
    }

    /** The registry knows the next credential: it takes the place of the present one. */
    Stored confirmed() {
        return new Stored(identity.with(next), next.deviceKey(), audience, null, null);
    }

    Map<String, Object> write() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", deviceKey == null && next == null ? PLAIN : WITH_KEYS);
        json.put("registry", identity.registry().toString());
        json.put("serial", identity.serial());
        json.putAll(identity.write());
        put(json, "deviceKey", deviceKey == null ? null : deviceKey.write());
        put(json, "audience", audience == null ? null : audience.toString());
        put(json, "next", next == null ? null : next.write());
        put(json, "rotateAt", rotateAt == null ? null : rotateAt.getEpochSecond());
        return json;
    }

    private static void put(Map<String, Object> json, String name, Object value) {
        if (value != null) {
            json.put(name, value);
        }
    }

    /**
     * Reads what {@link #write} wrote, or a version before.
     *
     * @throws IllegalArgumentException if it is not whole; quotes no value
     */
    static Stored read(Map<String, Object> json) {
        if (!(json.get("format") instanceof Number format)
                || format.doubleValue() != PLAIN && format.doubleValue() != WITH_KEYS) {
            throw new IllegalArgumentException(
                    "its format is neither " + PLAIN + " nor " + WITH_KEYS + ", those that this version knows");
        }
        URI registry = address(json, "registry")
                .orElseThrow(() -> new IllegalArgumentException("no address \"registry\" in it"));
        JoseKey deviceKey = deviceKey(json);
        DeviceIdentity identity = DeviceIdentity.read(json, registry, Json.required(json, "serial"), deviceKey);
        return new Stored(
                identity,
                identity.secret() == null ? deviceKey : null,
                address(json, "audience").orElse(null),
                next(json.get("next")),
                json.get("rotateAt") instanceof Number seconds ? Instant.ofEpochSecond(seconds.longValue()) : null);
    }

    private static Credential next(Object json) {
        if (json == null) {
            return null;
        }
        if (!(json instanceof Map<?, ?> members)) {
            throw new IllegalArgumentException("\"next\" in it is not an object");
        }
        Map<String, Object> copy = new LinkedHashMap<>();
        members.forEach((name, value) -> copy.put((String) name, value));
        return Credential.read(copy, deviceKey(copy));
    }

    private static JoseKey deviceKey(Map<String, Object> json) {
        return json.get("deviceKey") == null ? null : JoseKey.read(json.get("deviceKey"));
    }

    private static Optional<URI> address(Map<String, Object> json, String name) {
        return Json.text(json, name).flatMap(text -> {
            try {
                return Optional.of(new URI(text));
            } catch (URISyntaxException e) {
                return Optional.empty();
            }
        });
    }

    /** Names the device. */
    @Override
    public String toString() {
        return "Stored[" + identity + "]";
    }
}
