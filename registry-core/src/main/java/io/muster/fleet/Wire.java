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
import java.util.Set;

/**
 * How the devices of a fleet put a registration and want to be answered, for firmware that is in the field already.
 *
 * @param path a route of the fleet's own below the root, such as {@code /api/register-device}; beside the usual ones
 * @param serial JSON pointer to the serial in the request
 * @param evidence JSON pointers to what verifiers read, by the name under which they look for it; empty for the members of
 *     {@code evidence} as they are
 * @param reply the members of the reply, by the name the device reads, with the name that {@code POST /register} gives them;
 *     empty for those of {@code POST /register}
 * @param serialTag a tag under which the serial is kept too
 */
public record Wire(
        Optional<String> path,
        String serial,
        Map<String, String> evidence,
        Map<String, String> reply,
        Optional<String> serialTag) {

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

    /** What {@code POST /register} takes and answers. */
    public static final Wire PLAIN = new Wire(Optional.empty(), SERIAL, Map.of(), Map.of(), Optional.empty());

    private static final Map<String, Wire> PRESETS = Map.of(
            "register-device",
            new Wire(
                    Optional.of("/api/register-device"),
                    "/manufacturerId",
                    Map.of("jwt", "/token"),
                    Map.of("deviceId", "deviceId", "accessKey", "key", "accessSecret", "secret"),
                    Optional.of("manufacturerId")));

    // What the registry answers itself, now or by its design.
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

    /** Returns the wire shape that is known by this name. */
    public static Optional<Wire> preset(String name) {
        return Optional.ofNullable(PRESETS.get(name));
    }

    /** Returns the names of all presets. */
    public static Set<String> presets() {
        return PRESETS.keySet();
    }

    static Wire read(Fields fields) {
        Wire base = fields.meaning("preset", "one of " + String.join(", ", presets()), Wire::preset)
                .orElse(PLAIN);
        Optional<Fields> request = fields.object("request");
        Wire wire = new Wire(
                fields.text(
                                "path",
                                "a path of one to eight segments that is not one of the registry's own",
                                Wire::isFree)
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
                                                ", ",
                                                DeviceTag.RESERVED.stream()
                                                        .sorted()
                                                        .toList()) + ")",
                                text -> text.matches("[A-Za-z0-9._-]{1,64}") && !DeviceTag.RESERVED.contains(text))
                        .or(base::serialTag));
        if (!wire.reply.isEmpty() && !wire.reply.values().containsAll(List.of("key", "secret"))) {
            fields.fault("reply", "must have key and secret, or no device could use it");
        }
        request.ifPresent(Fields::end);
        fields.end();
        return wire;
    }

    /** Writes what a device is told, in the members that it reads. */
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

    private static boolean isFree(String path) {
        return path.length() <= 200
                && path.matches("(/[A-Za-z0-9_-][A-Za-z0-9._-]*){1,8}")
                && OWN.stream().noneMatch(own -> isOrIsBelow(path.toLowerCase(Locale.ROOT), own));
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
        Map<String, Object> json = new LinkedHashMap<>();
        path.ifPresent(value -> json.put("path", value));
        json.put("request", request);
        if (!reply.isEmpty()) {
            json.put("reply", reply);
        }
        serialTag.ifPresent(value -> json.put("serialTag", value));
        return json;
    }
}
