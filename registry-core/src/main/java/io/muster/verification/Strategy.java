// SPDX-License-Identifier: Apache-2.0
package io.muster.verification;

import io.muster.config.Settings;
import io.muster.spi.SerialVerifier;

/**
 * Makes the verifiers of one type. A built-in type is a {@link io.muster.cdi.Part} with the type's name in
 * {@code @Named}. Adding one touches its own package and its page in the documentation. The parts that its verifiers
 * need are injected. Parts that need the database are injected as a {@link io.muster.cdi.Later}, because verifiers are
 * made before the database is opened.
 */
public interface Strategy {

    /** How much a verifier proves about the device that presents a serial. */
    enum Grade {

        /** It tells one serial from another, but proves nothing about the device. */
        IDENTIFIES,

        /** Only the genuine device has what it checks. */
        AUTHENTICATES,

        /** It depends on an API or a plug-in. */
        UNKNOWN
    }

    /**
     * Reads every setting and reports faults. Never throws for a fault, and connects to nothing.
     *
     * @param name the verifier's name
     * @param settings those below {@code muster.verifier.<name>.}
     * @return the verifier; closed at the end if it is {@link AutoCloseable}
     */
    SerialVerifier make(String name, Settings settings);

    /** Returns the grade of a verifier with these settings. */
    default Grade grade(Settings settings) {
        return Grade.UNKNOWN;
    }

    /** Tells whether a verifier can answer genuine; one that cannot refuses, or answers unknown. */
    default boolean canBeGenuine() {
        return true;
    }

    /**
     * Tells whether the form of the serial alone decides. Such a verifier is quick, calls no other system, and is also
     * asked about serials that no device presents yet.
     */
    default boolean looksAtFormOnly() {
        return false;
    }

    /**
     * Tells whether a finished verifier waits for answers of others, so that the number of questions at once must be
     * limited.
     */
    default boolean asksOthers(SerialVerifier made) {
        return false;
    }
}
