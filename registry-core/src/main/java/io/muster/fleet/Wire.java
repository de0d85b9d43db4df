// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.api.RegistrationReceipt;
import io.muster.device.DeviceTag;
import io.muster.json.Fields;
import io.muster.json.Json;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The shape of a fleet's registrations and replies, for firmware that is in the field already.
 *
 * @param path a route of the fleet's own below the root, such as {@code /api/register-device}, in addition to the usual
 *     ones
 * @param serial JSON pointer to the serial in the request
 * @param evidence JSON pointers to the values that verifiers read, by the name under which they look for each; empty
 *     for the members of {@code evidence} as they are
 * @param reply the members of the reply: the name that the device reads, with the name in the reply of
 *     {@code POST /register}; empty for those of {@code POST /register}
 * @param serialTag another tag under which the serial is stored
 * @param anyText whether the serial is any text of 1 to 128 characters, or a number
 * @param refusedStatus the status of refusals; empty for the one of the configuration
 * @param error a member with a sentence that every error has in addition to those of a problem
 * @param bearer the name of the evidence that the token in {@code Authorization: Bearer} is; empty if that header is no
 *     evidence
 * @param pendingStatus the status of a registration that is not decided yet: 202, or 503 for firmware that takes 202 for
 *     a success; empty for 202
 */
public record Wire(
        Optional<String> path,
        String serial,
        Map<String, String> evidence,
        Map<String, String> reply,
        Optional<String> serialTag,
        boolean anyText,
        OptionalInt refusedStatus,
        Optional<String> error,
        Optional<String> bearer,
        OptionalInt pendingStatus) {

    private static final int PENDING = 202;

    /** A shape without evidence in a header, and with the usual status of what is not decided yet. */
    public Wire(
            Optional<String> path,
            String serial,
            Map<String, String> evidence,
            Map<String, String> reply,
            Optional<String> serialTag,
            boolean anyText,
            OptionalInt refusedStatus,
            Optional<String> error) {
        this(
                path,
                serial,
                evidence,
                reply,
                serialTag,
                anyText,
                refusedStatus,
                error,
                Optional.empty(),
                OptionalInt.empty());
    }

    /** The members of a reply. */
    public static final Set<String> REPLY = Set.copyOf(new LinkedHashSet<>(List.of(
            "deviceId",
            "key",
            "secret",
            "fleet",
            "name",
            "tags",
            "attributes",
            "configuration",
            "expiresAt",
            "links",
            "extras")));

    private static final String SERIAL = "/serial";

    /** The evidence that the verifier {@code user} reads by default. */
    private static final String USER = "user";

    /** The request and reply of {@code POST /register}. */
    public static final Wire PLAIN = new Wire(
            Optional.empty(),
            SERIAL,
            Map.of(),
            Map.of(),
            Optional.empty(),
            false,
            OptionalInt.empty(),
            Optional.empty());

    private static final Map<String, Wire> PRESETS = Map.of(
            "register-device",
            new Wire(
                    Optional.of("/api/register-device"),
                    "/manufacturerId",
                    Map.of("jwt", "/token"),
                    Map.of("deviceId", "deviceId", "accessKey", "key", "accessSecret", "secret"),
                    Optional.of("manufacturerId"),
                    true,
                    OptionalInt.of(403),
                    Optional.of("error")));

    /** The members of a problem; no other text may use them. */
    private static final Set<String> PROBLEM = Set.of("type", "title", "status", "detail", "instance", "errors");

    // The paths that the registry answers itself, now or by its design.
    private static final List<String> OWN = List.of(
            "/register",
            "/fleets",
            "/nonce",
            "/token",
            "/introspect",
            "/revoke",
            "/devices",
            "/claims",
            "/mqtt",
            "/health",
            "/metrics",
            "/openapi",
            "/console",
            "/api/v1",
            "/api/v2",
            "/api/v3",
            "/web-inf",
            "/meta-inf",
            "/.well-known");

    /** The same, for paths that were free in earlier versions. */
    private static final List<String> NOW_OWN = List.of("/claim", "/provision", "/ui");

    /** Returns the wire shape of this name. */
    public static Optional<Wire> preset(String name) {
        return Optional.ofNullable(PRESETS.get(name));
    }

    /** Returns the names of all presets. */
    public static Set<String> presets() {
        return PRESETS.keySet();
    }

    /**
     * Reads the member {@code wire} of a fleet's document.
     *
     * @param written whether it is being written now. One that is stored may have a name that was free at its time
     */
    static Wire read(Fields fields, boolean written) {
        Set<String> taken = written ? DeviceTag.OWN : DeviceTag.RESERVED;
        Wire base = fields.meaning("preset", "one of " + String.join(", ", presets()), Wire::preset)
                .orElse(PLAIN);
        Optional<Fields> request = fields.object("request");
        Wire wire = new Wire(
                fields.text(
                                "path",
                                "a path of one to eight segments that is not one of the registry's own",
                                path -> isFree(path) && !(written && isAmong(NOW_OWN, path)))
                        .or(base::path),
                request.flatMap(members -> members.text("serial", "a JSON pointer", Wire::isPointer))
                        .orElse(base.serial),
                request.flatMap(members -> members.map(
                                "evidence",
                                "1 to 64 characters",
                                name -> !name.isBlank() && name.length() <= 64,
                                "a JSON pointer",
                                text -> Optional.of(text).filter(Wire::isPointer)))
                        .orElse(base.evidence),
                fields.map(
                                "reply",
                                "1 to 64 characters",
                                name -> !name.isBlank() && name.length() <= 64,
                                "one of "
                                        + String.join(
                                                ", ", REPLY.stream().sorted().toList()),
                                text -> Optional.of(text).filter(REPLY::contains))
                        .orElse(base.reply),
                fields.text(
                                "serialTag",
                                "the name of a tag, 1 to 64 letters, digits and . _ -, none of the registry's own ("
                                        + String.join(
                                                ", ", taken.stream().sorted().toList()) + ")",
                                text -> text.matches("[A-Za-z0-9._-]{1,64}") && !taken.contains(text))
                        .or(base::serialTag),
                request.flatMap(members -> members.flag("anyText")).orElse(base.anyText),
                refusedStatus(fields).orElse(base.refusedStatus),
                fields.text(
                                "error",
                                "1 to 64 characters, and no member of a problem",
                                name -> !name.isBlank() && name.length() <= 64 && !PROBLEM.contains(name))
                        .or(base::error),
                request.flatMap(members -> members.flagOrText(
                                "bearer",
                                "the name of evidence, 1 to 64 characters",
                                USER,
                                name -> !name.isBlank() && name.length() <= 64))
                        .or(base::bearer)
                        // false
                        .filter(name -> !name.isEmpty()),
                pendingStatus(fields).orElse(base.pendingStatus));
        if (!wire.reply.isEmpty() && !wire.reply.values().containsAll(List.of("key", "secret"))) {
            fields.fault("reply", "must have key and secret, or no device could use it");
        }
        request.ifPresent(Fields::end);
        fields.end();
        return wire.complete();
    }

    private static Optional<OptionalInt> refusedStatus(Fields fields) {
        Optional<Long> status = fields.number("refusedStatus", 400, 403);
        if (status.filter(number -> number == 402).isPresent()) {
            fields.fault("refusedStatus", "must be 400, 401 or 403");
        }
        return status.map(number -> OptionalInt.of(number.intValue()));
    }

    private static Optional<OptionalInt> pendingStatus(Fields fields) {
        Optional<Long> status = fields.number("pendingStatus", PENDING, 503);
        if (status.filter(number -> number != PENDING && number != 503).isPresent()) {
            fields.fault("pendingStatus", "must be 202 or 503");
        }
        return status.map(number -> OptionalInt.of(number.intValue()));
    }

    /** Completes a preset: documents of earlier versions contain it written out, without its newer members. */
    private Wire complete() {
        return PRESETS.values().stream()
                .filter(preset -> equals(new Wire(
                        preset.path,
                        preset.serial,
                        preset.evidence,
                        preset.reply,
                        preset.serialTag,
                        false,
                        OptionalInt.empty(),
                        Optional.empty())))
                .findFirst()
                .orElse(this);
    }

    /** Writes the reply in the members that the device reads. */
    public byte[] body(RegistrationReceipt receipt) {
        byte[] body = Json.bytes(receipt);
        if (reply.isEmpty()) {
            return body;
        }
        JsonNode whole = Json.parse(body);
        Map<String, JsonNode> renamed = new LinkedHashMap<>();
        reply.forEach((name, member) -> {
            if (whole.has(member)) {
                renamed.put(name, whole.get(member));
            }
        });
        return Json.bytes(Json.object(renamed));
    }

    /**
     * Writes the body for a registration that is not decided yet; empty if the firmware takes that for a failure.
     * Firmware that looks for a sentence finds one.
     */
    public Optional<byte[]> pending() {
        if (pendingStatus.orElse(PENDING) != PENDING) {
            return Optional.empty();
        }
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("status", "pending");
        error.ifPresent(name -> body.putIfAbsent(name, "The registration is not decided yet; ask again later"));
        return Optional.of(Json.bytes(body));
    }

    private static boolean isFree(String path) {
        return path.length() <= 200 && path.matches("(/[A-Za-z0-9_-][A-Za-z0-9._-]*){1,8}") && !isAmong(OWN, path);
    }

    private static boolean isAmong(List<String> paths, String path) {
        return paths.stream().anyMatch(own -> isOrIsBelow(path.toLowerCase(Locale.ROOT), own));
    }

    private static boolean isOrIsBelow(String path, String own) {
        return path.equals(own) || path.startsWith(own + "/");
    }

    private static boolean isPointer(String text) {
        return text.length() <= 200 && text.matches("(/([^/~]|~[01])*)+");
    }

    Map<String, Object> toJson() {
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("serial", serial);
        if (!evidence.isEmpty()) {
            request.put("evidence", evidence);
        }
        if (anyText) {
            request.put("anyText", true);
        }
        bearer.ifPresent(name -> request.put("bearer", name.equals(USER) ? true : name));
        Map<String, Object> json = new LinkedHashMap<>();
        path.ifPresent(value -> json.put("path", value));
        json.put("request", request);
        if (!reply.isEmpty()) {
            json.put("reply", reply);
        }
        serialTag.ifPresent(value -> json.put("serialTag", value));
        refusedStatus.ifPresent(status -> json.put("refusedStatus", status));
        error.ifPresent(name -> json.put("error", name));
        pendingStatus.ifPresent(status -> json.put("pendingStatus", status));
        return json;
    }
}
