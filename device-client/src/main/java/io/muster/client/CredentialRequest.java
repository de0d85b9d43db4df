// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * A request for a credential that the registry may have accepted, but whose reply is not stored yet. It is written down
 * before it is made, so that a device that loses power can make the same one again. The registry then gives the same
 * reply, sealed for the reply key.
 *
 * @param serial the serial that the device registers with
 * @param fleet the fleet it asks for; empty for the default fleet
 * @param rotates the access key of the credential to replace; empty for a registration
 * @param requestId the same for every repeat
 * @param replyKey made for this attempt alone
 * @param deviceKey the key of the credential; empty if a secret is wanted
 */
record CredentialRequest(
        String serial,
        Optional<String> fleet,
        Optional<String> rotates,
        String requestId,
        JoseKey replyKey,
        Optional<JoseKey> deviceKey) {

    private static final int FORMAT = 1;

    /** Makes a new request, with keys of its own. */
    static CredentialRequest begin(
            String serial, Optional<String> fleet, Optional<String> rotates, Optional<KeyKind> deviceKey) {
        return new CredentialRequest(
                serial,
                fleet,
                rotates,
                UUID.randomUUID().toString(),
                JoseKey.generate(KeyKind.P256),
                deviceKey.map(JoseKey::generate));
    }

    /** Returns whether this asks for the same. */
    boolean isFor(String serial, Optional<String> fleet, Optional<String> rotates, Optional<KeyKind> deviceKey) {
        return this.serial.equals(serial)
                && this.fleet.equals(fleet)
                && this.rotates.equals(rotates)
                && this.deviceKey.map(JoseKey::kind).equals(deviceKey);
    }

    /** Returns whether this is the request of a rotation, and not of a registration. */
    boolean isRotation() {
        return rotates.isPresent();
    }

    /** Returns the fleet that a proof names, so that nobody can present the proof in another fleet. */
    String fleetName() {
        return fleet.orElse("default");
    }

    /**
     * Adds the public half of the device key to a request, and the proof that the device has the private half.
     *
     * @param nonce of the registry, so that the proof needs no clock
     */
    void addKeyTo(Map<String, Object> request, String issuer, String nonce) throws IOException {
        JoseKey key = deviceKey.orElseThrow();
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("serial", serial);
        claims.put("aud", issuer);
        if (!isRotation()) {
            claims.put("fleet", fleetName());
        }
        claims.put("nonce", nonce);
        request.put("publicKey", key.jwk());
        request.put("proof", key.sign(Map.of("typ", "muster-proof+jwt"), claims));
    }

    /** Adds the members to a request that let the registry repeat its reply. */
    void addTo(Map<String, Object> request) {
        request.put("requestId", requestId);
        request.put("replyKey", replyKey.jwk());
    }

    Map<String, Object> write() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", FORMAT);
        json.put("serial", serial);
        json.put("fleet", fleet.orElse(null));
        json.put("rotates", rotates.orElse(null));
        json.put("requestId", requestId);
        json.put("replyKey", replyKey.write());
        json.put("deviceKey", deviceKey.map(JoseKey::write).orElse(null));
        return json;
    }

    /**
     * Reads the output of {@link #write}.
     *
     * @throws IllegalArgumentException if it is not whole; quotes no value
     */
    static CredentialRequest read(Map<String, Object> json) {
        if (!(json.get("format") instanceof Number format) || format.doubleValue() != FORMAT) {
            throw new IllegalArgumentException("its format is not " + FORMAT);
        }
        return new CredentialRequest(
                Json.required(json, "serial"),
                Json.text(json, "fleet"),
                Json.text(json, "rotates"),
                Json.required(json, "requestId"),
                JoseKey.read(json.get("replyKey")),
                Optional.ofNullable(json.get("deviceKey")).map(JoseKey::read));
    }

    /** Names the request. */
    @Override
    public String toString() {
        return "CredentialRequest[" + requestId + "]";
    }
}
