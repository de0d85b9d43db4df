package io.muster.client;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/**
 * A request for a credential that may have been accepted, though no reply was kept yet. Written down before the request is made,
 * so that a device that loses power can make the same one again: the registry then gives the same reply, sealed for the reply
 * key.
 *
 * @param serial what the device registers as
 * @param fleet the fleet it asks for; null for the default fleet
 * @param rotates the access key of the credential to replace; null for a registration
 * @param requestId the same for every repeat
 * @param replyKey made for this attempt alone
 * @param deviceKey the key of the credential; null if a secret is wanted
 */
record Pending(String serial, String fleet, String rotates, String requestId, JoseKey replyKey, JoseKey deviceKey) {

    private static final int FORMAT = 1;

    /** Makes a new attempt, with keys of its own. */
    static Pending begin(String serial, String fleet, String rotates, KeyKind deviceKey) {
        return new Pending(
                serial,
                fleet,
                rotates,
                UUID.randomUUID().toString(),
                JoseKey.generate(KeyKind.P256),
                deviceKey == null ? null : JoseKey.generate(deviceKey));
    }

    /** Returns whether this is an attempt at the same thing. */
    boolean isFor(String serial, String fleet, String rotates, KeyKind kind) {
        return this.serial.equals(serial)
                && Objects.equals(this.fleet, fleet)
                && Objects.equals(this.rotates, rotates)
                && kind == (deviceKey == null ? null : deviceKey.kind());
    }

    /** Adds what makes the registry's reply repeatable to a request. */
    void addTo(Map<String, Object> request) {
        request.put("requestId", requestId);
        request.put("replyKey", replyKey.jwk());
    }

    Map<String, Object> write() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", FORMAT);
        json.put("serial", serial);
        json.put("fleet", fleet);
        json.put("rotates", rotates);
        json.put("requestId", requestId);
        json.put("replyKey", replyKey.write());
        json.put("deviceKey", deviceKey == null ? null : deviceKey.write());
        return json;
    }

    /**
     * Reads what {@link #write} wrote.
     *
     * @throws IllegalArgumentException if it is not whole; quotes no value
     */
    static Pending read(Map<String, Object> json) {
        if (!(json.get("format") instanceof Number format) || format.doubleValue() != FORMAT) {
            throw new IllegalArgumentException("its format is not " + FORMAT);
        }
        return new Pending(
                Json.required(json, "serial"),
                Json.text(json, "fleet").orElse(null),
                Json.text(json, "rotates").orElse(null),
                Json.required(json, "requestId"),
                JoseKey.read(json.get("replyKey")),
                json.get("deviceKey") == null ? null : JoseKey.read(json.get("deviceKey")));
    }

    /** Names the request. */
    @Override
    public String toString() {
        return "Pending[" + requestId + "]";
    }
}
