package io.muster.spi;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A verifier's answer. There are three, and none of them is "could not find out": that is a {@link
 * VerificationUnavailableException}.
 *
 * <p>Branch positively, so that anything unforeseen is a refusal: {@code if (verdict instanceof Verdict.Genuine genuine)}.
 */
public sealed interface Verdict {

    /**
     * The serial is genuine, and this is what the verifier knows about the device. What is known is stored with a device when
     * it is created; where several verifiers know the same thing, the first in the fleet's order holds.
     *
     * @param name the device's name for people; empty if the verifier knows none
     * @param tags texts to find the device by; the tag {@code serial} is the registry's own and ignored here
     * @param attributes typed values: String, Number or Boolean
     */
    record Genuine(Optional<String> name, Map<String, String> tags, Map<String, Object> attributes) implements Verdict {

        /**
         * Copies the maps.
         *
         * @throws IllegalArgumentException if an attribute is neither String, Number nor Boolean
         */
        public Genuine {
            Objects.requireNonNull(name, "name");
            tags = Map.copyOf(tags);
            attributes = Map.copyOf(attributes);
            attributes.forEach((attribute, value) -> {
                if (!(value instanceof String || value instanceof Number || value instanceof Boolean)) {
                    throw new IllegalArgumentException(
                            "attribute " + attribute + " must be a String, Number or Boolean");
                }
            });
        }
    }

    /**
     * The serial is not genuine, whatever another verifier says. Final.
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
     * Says that the serial is genuine and nothing more.
     *
     * @return a verdict without name, tags and attributes
     */
    static Verdict genuine() {
        return new Genuine(Optional.empty(), Map.of(), Map.of());
    }

    /**
     * Says that the serial is genuine and what is known of the device.
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
}
