// SPDX-License-Identifier: Apache-2.0
package io.muster.record;

import io.muster.audit.AuditEvent;
import io.muster.persistence.Ids;
import io.muster.seal.SealedRecord;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A record: an event, or an admission, which is a credential.
 *
 * @param id an event's id in hex, or an access key
 * @param deviceId the device of an admission; else null, and the device is among the members
 * @param members the rest, by name
 * @param personal the author and details; empty if they were erased
 */
record Entry(
        String id, Instant at, byte[] deviceId, Map<String, String> members, Optional<Map<String, String>> personal) {

    static Entry of(AuditEvent event) {
        Map<String, String> members = members(event.id(), event.at(), event.type());
        put(members, "fleet", event.fleet());
        put(members, "serial", event.serial());
        put(members, "deviceId", event.deviceId());
        Map<String, String> personal = new TreeMap<>();
        personal.put("who", event.who());
        put(personal, "detail", event.detail());
        return new Entry(event.id(), event.at(), null, members, known(event.who(), personal));
    }

    /**
     * Makes the record of an admission.
     *
     * @param origin the address; empty if it was erased
     */
    static Entry admission(String key, byte[] deviceId, Instant at, String origin, String serial) {
        Map<String, String> members = members(key, at, "registered");
        put(members, "serial", serial);
        members.put("deviceId", Ids.hex(deviceId));
        return new Entry(key, at, deviceId, members, known(origin, Map.of("who", origin)));
    }

    private static Map<String, String> members(String id, Instant at, String type) {
        Map<String, String> members = new TreeMap<>();
        members.put("id", id);
        members.put("at", at.toString());
        members.put("type", type);
        return members;
    }

    private static void put(Map<String, String> members, String name, String value) {
        if (value != null) {
            members.put(name, value);
        }
    }

    private static Optional<Map<String, String>> known(String who, Map<String, String> personal) {
        return who.isEmpty() ? Optional.empty() : Optional.of(personal);
    }

    /** Returns the digest of the personal part; of one that was erased before it was sealed, that of nothing. */
    byte[] digest(byte[] saltKey) {
        return SealedRecord.digest(SealKeys.salt(saltKey, id), personal.orElse(Map.of()));
    }
}
