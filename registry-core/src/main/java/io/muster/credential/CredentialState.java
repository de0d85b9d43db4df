// SPDX-License-Identifier: Apache-2.0
package io.muster.credential;

import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import java.util.Locale;
import java.util.stream.Stream;

/** The life of a credential. Stored as the first letter of the name. */
public enum CredentialState {
    /** Issued and never used; it lapses. */
    PROVISIONAL,
    /** Used at least once. */
    CONFIRMED,
    /** No longer good. */
    REVOKED;

    /** Returns the name in lower case, as the wire has it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    String letter() {
        return name().substring(0, 1);
    }

    static CredentialState ofLetter(String letter) {
        return Stream.of(values())
                .filter(state -> state.letter().equals(letter))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no credential state " + letter));
    }

    /** Converts between the enum and its letter. */
    @Converter(autoApply = true)
    public static final class Letter implements AttributeConverter<CredentialState, String> {

        @Override
        public String convertToDatabaseColumn(CredentialState state) {
            return state.letter();
        }

        @Override
        public CredentialState convertToEntityAttribute(String letter) {
            return ofLetter(letter);
        }
    }
}
