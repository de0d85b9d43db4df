// SPDX-License-Identifier: Apache-2.0
package io.muster.device;

import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** The states of a device. Stored as the first letter of the name. */
public enum DeviceState {
    /** Waits for an operator. */
    PENDING,
    /** May authenticate. */
    ACTIVE,
    /** May not authenticate until an operator enables it. */
    DISABLED,
    /** A tombstone: may never authenticate again. */
    RETIRED;

    /** Returns the name in lower case, as the wire has it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Returns the state of a word, or empty if there is none. */
    public static Optional<DeviceState> of(String word) {
        return Stream.of(values()).filter(state -> state.word().equals(word)).findFirst();
    }

    /** Returns the letter that stands for it in the database. */
    public String letter() {
        return name().substring(0, 1);
    }

    /** Returns the state that a letter in the database stands for. */
    public static DeviceState ofLetter(String letter) {
        return Stream.of(values())
                .filter(state -> state.letter().equals(letter))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no device state " + letter));
    }

    /** Converts between the enum and its letter. */
    @Converter(autoApply = true)
    public static final class Letter implements AttributeConverter<DeviceState, String> {

        @Override
        public String convertToDatabaseColumn(DeviceState state) {
            return state.letter();
        }

        @Override
        public DeviceState convertToEntityAttribute(String letter) {
            return ofLetter(letter);
        }
    }
}
