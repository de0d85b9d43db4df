// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import io.muster.config.Settings;
import io.muster.device.DeviceTag;
import io.muster.device.Storable;
import io.muster.json.Fields;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The rules by which users claim devices of a fleet. A fleet without these rules has no device that anybody may
 * claim.
 *
 * @param users the names of the identity providers whose users may claim
 * @param by the knowledge that is enough; at least one
 * @param tag the tag by which a device is named, exactly if {@code by} has {@link By#TAG}
 * @param to whom a device may then belong
 * @param release whether owners may release their devices
 * @param transfer whether owners may hand over their devices
 * @param tags the tags that owners may set
 * @param disconnect whether a change of the owner ends the device's connections to brokers
 */
public record ClaimRules(
        List<String> users,
        List<By> by,
        Optional<String> tag,
        List<To> to,
        boolean release,
        boolean transfer,
        List<String> tags,
        boolean disconnect) {

    /** How many providers a fleet may name. */
    private static final int MAX_USERS = 20;

    /** How many tags owners may set. */
    private static final int MAX_TAGS = 20;

    /** The knowledge by which a user claims a device. */
    public enum By {
        /** A code that was printed, made by an operator, shown by the device or made by its owner. */
        CODE,
        /** The serial. */
        SERIAL,
        /** The text of a tag. */
        TAG
    }

    /** To whom a claimed device belongs. */
    public enum To {
        /** The user alone. */
        USER,
        /** One of the groups of the user. */
        GROUP
    }

    /** Copies the lists. */
    public ClaimRules {
        users = List.copyOf(users);
        by = List.copyOf(by);
        to = List.copyOf(to);
        tags = List.copyOf(tags);
    }

    /**
     * Reads the member {@code claims} of a fleet's document.
     *
     * @param providerFault the fault of a provider's name, if any
     * @param serialTag the tag under which the registry itself stores the serial
     */
    static ClaimRules read(
            Fields fields, Function<String, Optional<String>> providerFault, Optional<String> serialTag) {
        int before = fields.faults().size();
        List<String> users = fields.texts("users", "the name of an identity provider", Settings::isName)
                .orElse(List.of());
        List<By> by = words(fields, "by", By.values()).orElse(List.of());
        Optional<String> tag = fields.text("tag", tagName(), ClaimRules::isTag);
        List<String> tags = fields.texts("tags", tagName(), ClaimRules::isTag).orElse(List.of());
        List<To> to = words(fields, "to", To.values()).orElse(List.of(To.USER));
        boolean readable = fields.faults().size() == before;
        if (readable) {
            fields.require("users", "by");
            sizes(fields, users, by, to, tags);
            users.forEach(name -> providerFault
                    .apply(name)
                    .ifPresent(fault -> fields.fault("users", "the provider \"" + name + "\" " + fault)));
            tags(fields, by, tag, tags, serialTag);
        }
        ClaimRules rules = new ClaimRules(
                users,
                by,
                tag,
                to,
                fields.flag("release").orElse(true),
                fields.flag("transfer").orElse(true),
                tags,
                fields.flag("disconnect").orElse(false));
        fields.refuseNulls();
        fields.end();
        return rules;
    }

    private static void sizes(Fields fields, List<String> users, List<By> by, List<To> to, List<String> tags) {
        Map.of("users", users, "by", by, "to", to).forEach((name, list) -> {
            if (list.isEmpty() && fields.names().contains(name)) {
                fields.fault(name, "must name at least one");
            }
        });
        if (users.size() > MAX_USERS) {
            fields.fault("users", "has more than " + MAX_USERS + " elements");
        }
        if (tags.size() > MAX_TAGS) {
            fields.fault("tags", "has more than " + MAX_TAGS + " elements");
        }
    }

    private static void tags(
            Fields fields, List<By> by, Optional<String> tag, List<String> tags, Optional<String> serialTag) {
        if (by.contains(By.TAG) && tag.isEmpty()) {
            fields.fault("tag", "is required if devices are claimed by a tag");
        }
        if (!by.contains(By.TAG) && tag.isPresent()) {
            fields.fault("tag", "is only for fleets whose devices are claimed by a tag");
        }
        // An owner could otherwise give a device the number of another one.
        Stream.concat(tag.stream(), serialTag.stream())
                .distinct()
                .filter(tags::contains)
                .forEach(name ->
                        fields.fault("tags", "\"" + name + "\" says which device it is, so owners cannot set it"));
    }

    private static String tagName() {
        return "the name of a tag, " + Storable.MEMBER_NAME + ", none of the registry's own ("
                + String.join(", ", DeviceTag.OWN.stream().sorted().toList()) + ")";
    }

    private static boolean isTag(String name) {
        return Storable.isMemberName(name) && !DeviceTag.OWN.contains(name);
    }

    private static <E extends Enum<E>> Optional<List<E>> words(Fields fields, String name, E[] constants) {
        return fields.texts(
                        name,
                        String.join(
                                ", ", Stream.of(constants).map(ClaimRules::word).toList()),
                        text -> Stream.of(constants).anyMatch(one -> word(one).equals(text)))
                .map(texts -> Stream.of(constants)
                        .filter(one -> texts.contains(word(one)))
                        .toList());
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** Tells whether users of this provider may claim. */
    public boolean isOpenTo(String provider) {
        return users.contains(provider);
    }

    /** Returns the member of the document, including what has its default. */
    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("users", users);
        json.put("by", by.stream().map(ClaimRules::word).toList());
        tag.ifPresent(name -> json.put("tag", name));
        json.put("to", to.stream().map(ClaimRules::word).toList());
        json.put("release", release);
        json.put("transfer", transfer);
        json.put("tags", tags);
        json.put("disconnect", disconnect);
        return json;
    }
}
