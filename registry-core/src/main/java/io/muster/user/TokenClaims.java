// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import io.muster.config.Settings;
import io.muster.jose.InvalidTokenException;
import io.muster.json.Json;
import io.muster.log.RareLog;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Reads a user from the claims of a token that was checked. */
final class TokenClaims {

    private static final RareLog RARE = RareLog.of(IdentityProviders.class);

    private static final int LONGEST = 255;
    private static final int LONGEST_OWNER = 256;
    private static final int LONGEST_NAME = 200;
    private static final int MOST_GROUPS = 200;

    private final String provider;
    private final String issuer;
    private final String nameClaim;
    private final String groupsClaim;

    TokenClaims(String provider, String issuer, Settings settings) {
        this.provider = provider;
        this.issuer = issuer;
        this.nameClaim = claim(settings, "name-claim", "name");
        this.groupsClaim = claim(settings, "groups-claim", "groups");
    }

    private static String claim(Settings settings, String key, String otherwise) {
        String claim = settings.text(key, otherwise);
        if (claim.startsWith("/") && !claim.matches("(/([^/~]|~[01])*)+")) {
            settings.fault(key, "\"" + claim + "\" is not a JSON pointer such as /realm_access/roles");
            return otherwise;
        }
        return claim;
    }

    /**
     * Returns the user.
     *
     * @throws InvalidTokenException if the token names none, or one that cannot be stored
     */
    User user(JsonNode claims) {
        JsonNode subject = claims.path("sub");
        if (!subject.isTextual() || !isUsable(subject.textValue())) {
            throw new InvalidTokenException(
                    "it has no sub of 1 to " + LONGEST + " characters, without control characters");
        }
        if (provider.length() + 1 + subject.textValue().length() > LONGEST_OWNER) {
            throw new InvalidTokenException("its sub is too long");
        }
        return new User(provider, issuer, subject.textValue(), name(at(claims, nameClaim)), groups(claims));
    }

    private static JsonNode at(JsonNode claims, String claim) {
        return claim.startsWith("/") ? claims.at(JsonPointer.compile(claim)) : claims.path(claim);
    }

    private static boolean isUsable(String text) {
        return !text.isEmpty()
                && text.length() <= LONGEST
                && text.chars().noneMatch(Character::isISOControl)
                && Json.isStorable(text);
    }

    /** Returns the name as it can be shown: it proves nothing, so one that is odd is repaired, not refused. */
    private static Optional<String> name(JsonNode claim) {
        if (!claim.isTextual() || !Json.isStorable(claim.textValue())) {
            return Optional.empty();
        }
        StringBuilder name = new StringBuilder();
        claim.textValue()
                .codePoints()
                .filter(character -> !Character.isISOControl(character))
                .takeWhile(character -> name.length() + Character.charCount(character) <= LONGEST_NAME)
                .forEachOrdered(name::appendCodePoint);
        return Optional.of(name.toString().strip()).filter(text -> !text.isEmpty());
    }

    private Set<String> groups(JsonNode claims) {
        JsonNode claim = at(claims, groupsClaim);
        List<JsonNode> named = new ArrayList<>();
        if (claim.isArray()) {
            claim.forEach(named::add);
        } else if (!claim.isMissingNode() && !claim.isNull()) {
            named.add(claim);
        }
        Set<String> groups = new LinkedHashSet<>();
        int ignored = 0;
        for (JsonNode group : named) {
            if (!group.isTextual() || !isUsable(group.textValue()) || groups.size() == MOST_GROUPS) {
                ignored++;
            } else {
                groups.add(group.textValue());
            }
        }
        if (ignored > 0) {
            RARE.warn(
                    provider,
                    "Identity provider {}: {} groups of a user are ignored; a user has at most {}, each a text of 1 to"
                            + " {} characters",
                    provider,
                    ignored,
                    MOST_GROUPS,
                    LONGEST);
        }
        return groups;
    }
}
