// SPDX-License-Identifier: Apache-2.0
package io.muster.web.user;

import io.muster.device.Storable;
import io.muster.json.Fields;
import io.muster.ownership.Claim;
import io.muster.ownership.ClaimCode;
import io.muster.user.User;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The bodies of users' requests. */
final class ClaimBody {

    /** The longest text that may be a serial, the text of a tag or a group. */
    private static final int MAX_TEXT = 256;

    private static final String CODE = "code";
    private static final String FLEET = "fleet";
    private static final String SERIAL = "serial";
    private static final String TAG = "tag";
    private static final String TO = "to";
    private static final String NAME = "name";
    private static final String TAGS = "tags";
    private static final String SHORT = "1 to " + MAX_TEXT + " characters";

    private ClaimBody() {}

    /**
     * Reads {@code {"code"}}, {@code {"fleet", "serial"}} or {@code {"fleet", "tag": {"<name>": "<text>"}}}, with
     * {@code "to": "user"} or {@code "to": {"group": "..."}}, and {@code "name"}.
     *
     * @throws io.muster.problem.RegistryException {@code INVALID_REQUEST} with every fault
     */
    static Claim claim(byte[] body, User user, String origin) {
        Fields fields = Fields.of(body);
        Optional<ClaimCode> code = code(fields);
        Optional<String> fleet = fields.text(FLEET, SHORT, ClaimBody::isShort);
        Optional<String> serial = fields.text(SERIAL, SHORT, ClaimBody::isShort);
        Optional<Map<String, String>> tag =
                fields.map(TAG, Storable.MEMBER_NAME, Storable::isMemberName, SHORT, text -> Optional.of(text)
                        .filter(ClaimBody::isShort));
        tag.filter(one -> one.size() != 1 && fields.faults().isEmpty())
                .ifPresent(more -> fields.fault(TAG, "must have one member"));
        if (fields.faults().isEmpty()) {
            knowledge(fields, code.isPresent(), fleet.isPresent(), serial.isPresent(), tag.isPresent());
        }
        Optional<String> group = group(fields);
        Optional<String> name = name(fields);
        fields.refuseNulls();
        fields.check();
        return new Claim(
                user,
                code.<Claim.Knowledge>map(Claim.ByCode::new)
                        .or(() -> serial.map(text -> new Claim.BySerial(fleet.orElseThrow(), text)))
                        .orElseGet(() -> byTag(fleet.orElseThrow(), tag.orElseThrow())),
                group,
                name,
                origin);
    }

    private static boolean isShort(String text) {
        return !text.isEmpty() && text.length() <= MAX_TEXT;
    }

    private static Claim.ByTag byTag(String fleet, Map<String, String> tag) {
        Map.Entry<String, String> one = tag.entrySet().iterator().next();
        return new Claim.ByTag(fleet, one.getKey(), one.getValue());
    }

    /** Reads a code. One that is mistyped is a fault of the request, and no guess. */
    private static Optional<ClaimCode> code(Fields fields) {
        Optional<String> text = fields.text(CODE);
        text.flatMap(ClaimCode::fault).ifPresent(fault -> fields.fault(CODE, fault));
        return text.flatMap(ClaimCode::of);
    }

    private static void knowledge(Fields fields, boolean code, boolean fleet, boolean serial, boolean tag) {
        if (code) {
            Map<String, Boolean> others = new LinkedHashMap<>();
            others.put(FLEET, fleet);
            others.put(SERIAL, serial);
            others.put(TAG, tag);
            others.forEach((name, present) -> {
                if (present) {
                    fields.fault(name, "must not be there beside a code");
                }
            });
        } else if (!fleet && !serial && !tag) {
            fields.fault(CODE, "is required, unless a fleet with a serial or with a tag is named");
        } else {
            if (!fleet) {
                fields.fault(FLEET, "is required");
            }
            if (serial == tag) {
                fields.fault(SERIAL, serial ? "must not be there beside a tag" : "is required, or a tag");
            }
        }
    }

    private static Optional<String> group(Fields fields) {
        if (fields.isText(TO)) {
            fields.text(TO, "\"user\", or an object with a group", "user"::equals);
            return Optional.empty();
        }
        Optional<Fields> to = fields.object(TO);
        Optional<String> group = to.flatMap(members -> members.text("group", SHORT, ClaimBody::isShort));
        to.ifPresent(members -> {
            members.require("group");
            members.end();
        });
        return group;
    }

    private static Optional<String> name(Fields fields) {
        Optional<String> name = fields.text(NAME);
        name.flatMap(Storable::nameFault).ifPresent(fault -> fields.fault(NAME, fault));
        return name;
    }

    /**
     * A change of a device.
     *
     * @param name the new name, empty to have none; empty outside to leave it
     * @param tags the texts by name, empty for a tag that is to go
     */
    record Change(Optional<Optional<String>> name, Map<String, Optional<String>> tags) {}

    /**
     * Reads a merge patch (RFC 7396): {@code {"name": "...", "tags": {"<name>": "..."}}}. A null removes.
     *
     * @param settable the tags that owners may set
     * @throws io.muster.problem.RegistryException {@code INVALID_REQUEST} with every fault
     */
    static Change change(byte[] body, List<String> settable) {
        Fields fields = Fields.of(body);
        Optional<Optional<String>> name = fields.names().contains(NAME) ? Optional.of(name(fields)) : Optional.empty();
        Map<String, Optional<String>> tags = new LinkedHashMap<>();
        fields.object(TAGS).ifPresent(members -> {
            for (String tag : settable) {
                if (members.names().contains(tag)) {
                    Optional<String> text = members.text(tag);
                    text.flatMap(Storable::tagFault).ifPresent(fault -> members.fault(tag, fault));
                    tags.put(tag, text);
                }
            }
            members.names().stream()
                    .filter(tag -> !settable.contains(tag))
                    .forEach(tag -> members.text(tag, "left out: owners do not set it", text -> false));
        });
        if (name.isEmpty() && tags.isEmpty() && fields.faults().isEmpty()) {
            fields.fault(NAME, "or a tag is required");
        }
        fields.check();
        return new Change(name, tags);
    }
}
