// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.config.Settings;
import io.muster.device.DeviceTag;
import io.muster.json.Fields;
import io.muster.ownership.Owner;
import io.muster.ownership.Ownership;
import io.muster.user.IdentityProvider;
import io.muster.user.IdentityProviders;
import io.muster.user.User;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** An owner in requests and replies of the operator API. */
final class OwnerMembers {

    private static final String PROVIDER = "provider";
    private static final String SUBJECT = "subject";
    private static final int MAX_SUBJECT = 255;
    private static final int MAX_GROUP = 255;

    private OwnerMembers() {}

    /** Reads {@code {"provider", "subject", "group"}}. */
    static Owner read(byte[] body, IdentityProviders users) {
        Fields fields = Fields.of(body);
        Optional<String> provider = fields.text(PROVIDER, "the name of an identity provider", Settings::isName);
        Optional<String> issuer = provider.flatMap(users::find).map(IdentityProvider::issuer);
        provider.flatMap(users::fault)
                .ifPresent(fault -> fields.fault(PROVIDER, "\"" + provider.get() + "\" " + fault));
        Optional<String> subject = fields.text(
                SUBJECT, "1 to " + MAX_SUBJECT + " characters without control characters", OwnerMembers::isSubject);
        if (provider.isPresent()
                && subject.isPresent()
                && provider.get().length() + 1 + subject.get().length() > DeviceTag.MAX_TEXT) {
            fields.fault(SUBJECT, "is too long beside the name of the provider");
        }
        Optional<String> group = fields.text(
                "group", "1 to " + MAX_GROUP + " characters", text -> !text.isEmpty() && text.length() <= MAX_GROUP);
        fields.require(PROVIDER, SUBJECT);
        fields.refuseNulls();
        fields.check();
        User user = new User(
                provider.orElseThrow(),
                issuer.orElseThrow(),
                subject.orElseThrow(),
                Optional.empty(),
                group.map(Set::of).orElse(Set.of()));
        return new Owner(user, group);
    }

    private static boolean isSubject(String text) {
        return !text.isEmpty() && text.length() <= MAX_SUBJECT && text.chars().noneMatch(Character::isISOControl);
    }

    /** Returns the owner's members for the reply. */
    static Map<String, Object> view(String fleet, String serial, Ownership.Owned owned) {
        Map<String, Object> view = new LinkedHashMap<>();
        User user = owned.owner().user();
        view.put("fleet", fleet);
        view.put("serial", serial);
        view.put(PROVIDER, user.provider());
        view.put(SUBJECT, user.subject());
        user.name().ifPresent(name -> view.put("ownerName", name));
        owned.owner().group().ifPresent(group -> view.put("group", group));
        owned.name().ifPresent(name -> view.put("name", name));
        view.put("claimedAt", owned.claimedAt());
        return view;
    }
}
