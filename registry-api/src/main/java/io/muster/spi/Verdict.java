// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A verifier's answer: one of four. A verifier that could not find out throws a
 * {@link VerificationUnavailableException} instead.
 *
 * <p>Branch positively, so that anything unforeseen is a refusal:
 * {@code if (verdict instanceof Verdict.Genuine genuine)}.
 */
public sealed interface Verdict {

    /**
     * The serial is genuine, and this is what the verifier knows about the device. The registry stores it when it
     * creates the device. If several verifiers know the same thing, the first in the fleet's order prevails.
     *
     * @param name the device's name for people; empty if the verifier knows none
     * @param tags texts to find the device by; the tag {@code serial} is the registry's own and ignored here
     * @param attributes typed values: String, Number or Boolean
     */
    record Genuine(Optional<String> name, Map<String, String> tags, Map<String, Object> attributes) implements Verdict {

        /** How many tags, and how many attributes, a verdict can have; the registry stores fewer. */
        public static final int MOST_MEMBERS = 1000;

        /**
         * Copies the maps.
         *
         * @throws IllegalArgumentException if an attribute is neither String, Number nor Boolean, or if there are more
         *     than {@value #MOST_MEMBERS} tags or attributes; such maps are not copied
         */
        public Genuine {
            Objects.requireNonNull(name, "name");
            tags = Copies.of("tags", tags, MOST_MEMBERS);
            attributes = Copies.of("attributes", attributes, MOST_MEMBERS);
            attributes.forEach((attribute, value) -> {
                if (!(value instanceof String || value instanceof Number || value instanceof Boolean)) {
                    throw new IllegalArgumentException(
                            "attribute " + attribute + " must be a String, Number or Boolean");
                }
            });
        }
    }

    /**
     * The serial is not genuine. This is final, whatever another verifier says.
     *
     * @param reason for operators and logs; never sent to the device
     */
    record Refused(String reason) implements Verdict {
        /** The reason may not be null. */
        public Refused {
            Objects.requireNonNull(reason, "reason");
        }
    }

    /** This verifier has nothing to say about the serial; the next one is asked. */
    record Unknown() implements Verdict {}

    /**
     * The answer is not there yet: a person decides, or a system that takes its time. It counts for nothing. The next
     * verifier is asked. If nothing but pending answers is missing in the end, the device is told to ask again.
     *
     * @param retryAfter how long the device should wait at least; empty if the verifier does not know. The registry
     *     tells no device to wait for less than a second or for more than a day
     */
    record Pending(Optional<Duration> retryAfter) implements Verdict {
        /** The time may be neither null nor negative. */
        public Pending {
            Objects.requireNonNull(retryAfter, "retryAfter");
            if (retryAfter.filter(Duration::isNegative).isPresent()) {
                throw new IllegalArgumentException("the time until the next question is negative");
            }
        }
    }

    /**
     * Says that the serial is genuine and nothing more.
     *
     * @return a verdict without name, tags and attributes
     */
    static Verdict genuine() {
        return new Genuine(Optional.empty(), Map.of(), Map.of());
    }

    /**
     * Says that the serial is genuine, with the device's attributes.
     *
     * @param attributes values of type String, Number or Boolean
     * @return a verdict without name and tags
     */
    static Verdict genuine(Map<String, Object> attributes) {
        return new Genuine(Optional.empty(), Map.of(), attributes);
    }

    /**
     * Says that the serial is not genuine.
     *
     * @param reason for operators and logs; never sent to the device
     * @return a final verdict
     */
    static Verdict refused(String reason) {
        return new Refused(reason);
    }

    /**
     * Says nothing about the serial.
     *
     * @return a verdict that lets the next verifier be asked
     */
    static Verdict unknown() {
        return new Unknown();
    }

    /**
     * Says that the answer is not there yet.
     *
     * @return a verdict that names no time to ask again
     */
    static Verdict pending() {
        return new Pending(Optional.empty());
    }

    /**
     * Says that the answer is not there yet.
     *
     * @param retryAfter how long the device should wait before it asks again
     * @return a verdict that lets the next verifier be asked
     */
    static Verdict pending(Duration retryAfter) {
        return new Pending(Optional.of(retryAfter));
    }
}
