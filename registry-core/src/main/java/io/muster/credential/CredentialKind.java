// SPDX-License-Identifier: Apache-2.0
package io.muster.credential;

import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import java.util.Locale;

/** The kinds of credentials. Stored as the first letter of the name. */
public enum CredentialKind {
    /** A secret, of which the registry stores a hash. */
    SECRET,
    /** A private key that never leaves the device. */
    PUBLIC_KEY;

    /** Returns the name in lower case with dashes, as the wire has it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    String letter() {
        return name().substring(0, 1);
    }

    static CredentialKind ofLetter(String letter) {
        return switch (letter) {
            case "S" -> SECRET;
            case "P" -> PUBLIC_KEY;
            default -> throw new IllegalStateException("no kind of credential " + letter);
        };
    }

    /** Converts between the enum and its letter. */
    @Converter(autoApply = true)
    public static final class Letter implements AttributeConverter<CredentialKind, String> {

        @Override
        public String convertToDatabaseColumn(CredentialKind kind) {
            return kind.letter();
        }

        @Override
        public CredentialKind convertToEntityAttribute(String letter) {
            return ofLetter(letter);
        }
    }
}
