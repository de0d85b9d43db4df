// SPDX-License-Identifier: Apache-2.0
package io.muster.api;

import java.util.Map;

/**
 * The body of {@code POST /register}. Unknown members of the JSON object are ignored. Every component but
 * {@code serial} may be null, which means that the member was absent.
 *
 * @param serial the identifier the device was born with; its syntax is that of {@link io.muster.spi.SerialNumber}
 * @param publicKey a JWK (RFC 7517) whose private half stays on the device
 * @param proof a compact JWS by that key: proof of possession
 * @param evidence all that the device offers beyond its serial; each verifier reads the members that it knows
 * @param requestId names this attempt, so that its repeat is not taken for a second registration
 * @param replyKey a JWK (EC, P-256) made for this attempt, which needs a requestId. The reply is a JWE (RFC 7516) to
 *     this key, and the same request gets the same bytes again
 */
public record RegistrationRequest(
        String serial,
        Map<String, Object> publicKey,
        String proof,
        Map<String, Object> evidence,
        String requestId,
        Map<String, Object> replyKey) {

    /**
     * Makes a request that offers nothing but a serial.
     *
     * @param serial the identifier the device was born with
     * @return a request in which every other member is absent
     */
    public static RegistrationRequest of(String serial) {
        return new RegistrationRequest(serial, null, null, null, null, null);
    }

    /** Names only the serial: evidence and proof are secrets, or as good as secrets. */
    @Override
    public String toString() {
        return "RegistrationRequest[serial=" + serial + "]";
    }
}
