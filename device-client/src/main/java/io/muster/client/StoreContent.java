// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that a store file holds: the identity with the credential that works, and what a rotation adds.
 *
 * @param deviceKey the private half of the credential; empty if the identity has a secret
 * @param audience the audience of assertions; empty if that is the registry's address
 * @param next the credential of a rotation that was not used yet
 * @param rotateAt when to rotate, by the registry's clock; empty if the registry did not ask for it
 */
record StoreContent(
        DeviceIdentity identity,
        Optional<JoseKey> deviceKey,
        Optional<URI> audience,
        Optional<Credential> next,
        Optional<Instant> rotateAt) {

    /** The format of a file that clients without device keys and rotation can read. */
    private static final int PLAIN = 1;

    private static final int WITH_KEYS = 2;

    static StoreContent of(DeviceIdentity identity) {
        return of(identity, Optional.empty(), Optional.empty());
    }

    /** Returns the content after a registration. */
    static StoreContent of(DeviceIdentity identity, Optional<JoseKey> deviceKey, Optional<URI> audience) {
        return new StoreContent(identity, deviceKey, audience, Optional.empty(), Optional.empty());
    }

    /** Returns the credential that works, or worked last. */
    Credential credential() {
        return new Credential(identity.key(), identity.secret(), deviceKey.orElse(null), identity.expiresAt());
    }

    /** Adds a credential that is not proved to work yet to the one that works. */
    StoreContent withNext(Credential credential) {
        return new StoreContent(identity, deviceKey, audience, Optional.of(credential), rotateAt);
    }

    /** Returns the content with the present credential alone. */
    StoreContent withoutNext() {
        return new StoreContent(identity, deviceKey, audience, Optional.empty(), rotateAt);
    }

    StoreContent withRotateAt(Instant moment) {
        return new StoreContent(identity, deviceKey, audience, next, Optional.of(moment));
    }

    /** Replaces the present credential by this one, which the registry has accepted. */
    StoreContent replacedBy(Credential credential) {
        return of(identity.with(credential), Optional.ofNullable(credential.deviceKey()), audience);
    }

    Map<String, Object> write() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", deviceKey.isEmpty() && next.isEmpty() ? PLAIN : WITH_KEYS);
        json.put("registry", identity.registry().toString());
        json.put("serial", identity.serial());
        json.putAll(identity.write());
        put(json, "deviceKey", deviceKey.map(JoseKey::write));
        put(json, "audience", audience.map(URI::toString));
        put(json, "next", next.map(Credential::write));
        put(json, "rotateAt", rotateAt.map(Instant::getEpochSecond));
        return json;
    }

    private static void put(Map<String, Object> json, String name, Optional<?> value) {
        if (value.isPresent()) {
            json.put(name, value.get());
        }
    }

    /**
     * Reads the output of {@link #write}, or of an earlier version.
     *
     * @throws IllegalArgumentException if it is not whole; quotes no value
     */
    static StoreContent read(Map<String, Object> json) {
        if (!(json.get("format") instanceof Number format)
                || (format.doubleValue() != PLAIN && format.doubleValue() != WITH_KEYS)) {
            throw new IllegalArgumentException(
                    "its format is neither " + PLAIN + " nor " + WITH_KEYS + ", those that this version knows");
        }
        URI registry = address(json, "registry")
                .orElseThrow(() -> new IllegalArgumentException("no address \"registry\" in it"));
        Optional<JoseKey> deviceKey = deviceKey(json);
        DeviceIdentity identity =
                DeviceIdentity.read(json, registry, Json.required(json, "serial"), deviceKey.orElse(null));
        return new StoreContent(
                identity,
                identity.secret() == null ? deviceKey : Optional.empty(),
                address(json, "audience"),
                next(json.get("next")),
                json.get("rotateAt") instanceof Number seconds
                        ? Optional.of(Instant.ofEpochSecond(seconds.longValue()))
                        : Optional.empty());
    }

    private static Optional<Credential> next(Object json) {
        if (json == null) {
            return Optional.empty();
        }
        if (!(json instanceof Map<?, ?> members)) {
            throw new IllegalArgumentException("\"next\" in it is not an object");
        }
        Map<String, Object> copy = new LinkedHashMap<>();
        members.forEach((name, value) -> copy.put((String) name, value));
        return Optional.of(Credential.read(copy, deviceKey(copy).orElse(null)));
    }

    private static Optional<JoseKey> deviceKey(Map<String, Object> json) {
        return Optional.ofNullable(json.get("deviceKey")).map(JoseKey::read);
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
        return "StoreContent[" + identity + "]";
    }
}
