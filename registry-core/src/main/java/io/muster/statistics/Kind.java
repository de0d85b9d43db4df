// SPDX-License-Identifier: Apache-2.0
package io.muster.statistics;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The kinds of numbers. All but one are sums: of all nodes, and of hours. */
public enum Kind {
    /** A device registered for the first time. */
    NEW,
    /** A device registered again. */
    AGAIN,
    /** A device was told to ask again. */
    PENDING,
    /** A registration was refused because a verifier refused it. */
    REFUSED_BY_VERIFIER,
    /** A registration was refused because too few verifiers said that the device is genuine. */
    REFUSED_UNPROVED,
    /** A registration was refused because the device did not prove the key that it offered. */
    REFUSED_KEY,
    /** A registration was refused because the serial has a device that may not register again. */
    REFUSED_REPEAT,
    /** A registration was refused because something that it needed was used up or had changed meanwhile. */
    REFUSED_MEANWHILE,
    /** A registration was refused because the fleet is archived. */
    REFUSED_ARCHIVED,
    /** A registration was refused because of a limit. */
    REFUSED_LIMIT,
    /** A registration could not be decided. */
    UNAVAILABLE,
    /** A registration was answered with another problem. */
    INVALID,
    /** A device got a token. */
    TOKEN,
    /** The most that waited for an operator at one time. Not a sum. */
    APPROVALS_WAITING;

    /** Returns the word for the wire and the database. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Returns the kind of a word. */
    public static Optional<Kind> of(String word) {
        return Arrays.stream(values()).filter(kind -> kind.word().equals(word)).findFirst();
    }

    /** Returns the part of its word that says why, for a refusal. */
    public Optional<String> reason() {
        return Optional.of(word())
                .filter(word -> word.startsWith("refused-"))
                .map(word -> word.substring("refused-".length()));
    }
}
