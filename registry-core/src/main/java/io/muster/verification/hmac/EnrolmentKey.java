// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.hmac;

import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * The data of an enrolment key, without the key itself.
 *
 * @param id unique in the registry
 * @param fleet the fleet whose devices it enrols
 * @param notBefore when it begins to be good; empty if it always was
 * @param notAfter the last instant it is good; empty if it does not expire
 * @param maxUses how many devices it may create; empty for any number
 * @param uses how many it created; counted only if there is a limit
 * @param revokedAt when it was revoked; empty if it was not
 * @param createdAt when it was made or imported
 */
public record EnrolmentKey(
        String id,
        String fleet,
        Optional<Instant> notBefore,
        Optional<Instant> notAfter,
        OptionalLong maxUses,
        long uses,
        Optional<Instant> revokedAt,
        Instant createdAt) {

    /** The rule for ids in words, for error messages. */
    public static final String ID_SYNTAX = "1 to 64 letters, digits and - _ ., beginning with a letter or digit";

    private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    /** Whether it enrols devices. */
    public enum State {
        /** It enrols devices. */
        ACTIVE,
        /** Its time has not come. */
        NOT_YET,
        /** Its time is over. */
        EXPIRED,
        /** It created as many devices as it may; those may still register again by their fleet's rule. */
        USED_UP,
        /** An operator revoked it. */
        REVOKED;

        /** Returns the word for the wire, such as {@code not-yet}. */
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** Tells whether the text can be an id; null cannot. */
    public static boolean isId(String text) {
        return text != null && ID.matcher(text).matches();
    }

    /** Returns the data after revocation. */
    EnrolmentKey revoked(Instant at) {
        return new EnrolmentKey(id, fleet, notBefore, notAfter, maxUses, uses, Optional.of(at), createdAt);
    }

    /** Returns its state at that time. */
    public State state(Instant now) {
        if (revokedAt.isPresent()) {
            return State.REVOKED;
        }
        if (notAfter.filter(now::isAfter).isPresent()) {
            return State.EXPIRED;
        }
        if (notBefore.filter(now::isBefore).isPresent()) {
            return State.NOT_YET;
        }
        return maxUses.isPresent() && uses >= maxUses.getAsLong() ? State.USED_UP : State.ACTIVE;
    }
}
