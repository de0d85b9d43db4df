// SPDX-License-Identifier: Apache-2.0
package io.muster.device;

import io.muster.json.Json;
import io.muster.spi.Verdict;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The one rule for data about a device, whether a verifier or an import supplies it. Data that passes is stored and
 * read back equal on every database. A fault names the member and repeats no value.
 */
public final class Storable {

    /** How many tags, and how many attributes, a device may have. */
    public static final int MAX_MEMBERS = 100;
    /** The rule for names of tags and attributes in words, for error messages. */
    public static final String MEMBER_NAME = "1 to " + DeviceTag.MAX_NAME + " letters, digits and _ . : -";
    /** The longest attribute that is a text. */
    public static final int MAX_ATTRIBUTE = 1000;

    private static final int MAX_PRECISION = 40;
    private static final int MAX_SCALE = 400;
    // Enough for a number of 40 digits.
    private static final int MAX_BITS = 140;
    // The capacity of a column of type TEXT on MariaDB.
    private static final int MAX_BYTES = 65_535;

    private Storable() {}

    /** Tells whether a tag or an attribute can have this name. */
    public static boolean isMemberName(String name) {
        return name.matches("[A-Za-z0-9_.:-]{1," + DeviceTag.MAX_NAME + "}");
    }

    /** Returns what is wrong with a device's name for people; empty if it can be stored. */
    public static Optional<String> nameFault(String name) {
        return name.length() <= Device.MAX_NAME && name.isBlank()
                ? Optional.of("must not be blank")
                : textFault(name, Device.MAX_NAME);
    }

    /** Returns what is wrong with the text of a tag; empty if it can be stored. */
    public static Optional<String> tagFault(String text) {
        return textFault(text, DeviceTag.MAX_TEXT);
    }

    /** Returns what is wrong with the value of an attribute, a String, Number or Boolean; empty if it can be stored. */
    public static Optional<String> attributeFault(Object value) {
        if (value instanceof String text) {
            return textFault(text, MAX_ATTRIBUTE);
        }
        return value instanceof Number number ? numberFault(number) : Optional.empty();
    }

    /**
     * Returns what is wrong with a text of at most this many characters; empty if it can be stored and shown in one
     * line.
     */
    public static Optional<String> textFault(String text, int atMost) {
        return text.length() <= atMost && Json.isStorable(text) && text.chars().noneMatch(Character::isISOControl)
                ? Optional.empty()
                : Optional.of("must have at most " + atMost
                        + " characters, no control characters and no half of a surrogate pair");
    }

    private static Optional<String> numberFault(Number number) {
        BigDecimal exact;
        if ((number instanceof BigInteger whole && whole.bitLength() > MAX_BITS)
                || (number instanceof BigDecimal fraction
                        && fraction.unscaledValue().bitLength() > MAX_BITS)) {
            // Do not count its digits: with a million of them that takes seconds.
            return Optional.of("is too long a number");
        }
        try {
            // A fraction, NaN and infinity have no such text. Neither has a plug-in's own subclass of Number that is no
            // number.
            exact = number instanceof BigInteger whole ? new BigDecimal(whole) : new BigDecimal(String.valueOf(number));
        } catch (NumberFormatException e) {
            return Optional.of("is not a finite number");
        }
        if (exact.precision() > MAX_PRECISION || exact.scale() > MAX_SCALE || exact.scale() < -MAX_SCALE) {
            return Optional.of("is too long a number");
        }
        // Most readers of JSON would make infinity of it.
        return Double.isInfinite(exact.doubleValue()) ? Optional.of("is too large a number") : Optional.empty();
    }

    /** Returns what is wrong with all tags or all attributes of one device together; empty if they can be stored. */
    public static Optional<String> membersFault(Map<String, ?> members) {
        if (members.size() > MAX_MEMBERS) {
            return Optional.of("has more than " + MAX_MEMBERS + " members");
        }
        return Json.bytes(members).length > MAX_BYTES
                ? Optional.of("has more than " + MAX_BYTES + " bytes as JSON")
                : Optional.empty();
    }

    /** Returns the first part of a verifier's data that cannot be stored, by its member; empty if all of it can. */
    public static Optional<String> fault(Verdict.Genuine known) {
        return fault(known.name(), known.tags(), known.attributes());
    }

    /** Returns the same for the parts of a future verdict. */
    public static Optional<String> fault(
            Optional<String> name, Map<String, String> tags, Map<String, Object> attributes) {
        return name.flatMap(Storable::nameFault)
                .map(fault -> "name " + fault)
                .or(() -> membersFault("tags", tags, text -> tagFault((String) text)))
                .or(() -> membersFault("attributes", attributes, Storable::attributeFault));
    }

    private static Optional<String> membersFault(
            String what, Map<String, ?> members, Function<Object, Optional<String>> fault) {
        if (members.size() > MAX_MEMBERS) {
            return membersFault(members).map(found -> what + " " + found);
        }
        for (Map.Entry<String, ?> member : members.entrySet()) {
            if (!isMemberName(member.getKey())) {
                // The name may be anything, so it is not repeated.
                return Optional.of("a name in " + what + " must be " + MEMBER_NAME);
            }
            Optional<String> found = fault.apply(member.getValue());
            if (found.isPresent()) {
                return Optional.of(what + "." + member.getKey() + " " + found.get());
            }
        }
        return membersFault(members).map(found -> what + " " + found);
    }
}
