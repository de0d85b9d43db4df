// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.pattern;

import io.muster.verification.Eui;
import java.util.function.Predicate;

/**
 * Check digits. Letters are upper-case, as in the standards. Hyphens group characters for people and are skipped. Each
 * check works in one pass and accepts any text.
 */
enum PatternCheck {
    /** Nothing is checked. */
    NONE(text -> true),
    /** Digits, the last one a check digit by ISO/IEC 7812-1 annex B. */
    LUHN(PatternCheck::luhn),
    /** Digits and a check digit, or X. */
    ISO7064_MOD11_2(text -> pure(text, 11, "0123456789", "X")),
    /** Digits and letters, and a check character of those, or an asterisk. */
    ISO7064_MOD37_2(text -> pure(text, 37, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "*")),
    /** Digits, or digits and letters that stand for 10 to 35 as in ISO 17442, and two check digits. */
    ISO7064_MOD97_10(PatternCheck::mod97),
    /** Digits and letters, and a check character of those. */
    ISO7064_MOD37_36(PatternCheck::mod37and36),
    /** An IEEE EUI-48 or EUI-64; hyphens count here. */
    MAC(text -> Eui.parse(text).isPresent()),
    /**
     * An IMEI (3GPP TS 23.003 annex B): 14 digits and the check digit. The 14 digits alone, as networks send them, have
     * nothing to check. 16 digits are an IMEISV, which has no check digit and changes with the software.
     */
    IMEI(text -> bare(text).length() == 15 && luhn(text));

    @SuppressWarnings("ImmutableEnumChecker") // functions without state
    private final Predicate<String> right;

    PatternCheck(Predicate<String> right) {
        this.right = right;
    }

    /** Tells whether the text has the right characters and the right check digit. */
    boolean isRight(String text) {
        return right.test(text);
    }

    private static String bare(String text) {
        return text.replace("-", "");
    }

    private static boolean luhn(String grouped) {
        String text = bare(grouped);
        int sum = 0;
        for (int i = 0; i < text.length(); i++) {
            int digit = digit(text.charAt(text.length() - 1 - i));
            if (digit < 0) {
                return false;
            }
            int weighted = i % 2 == 0 ? digit : 2 * digit;
            sum += weighted > 9 ? weighted - 9 : weighted;
        }
        return text.length() > 1 && sum % 10 == 0;
    }

    // ISO/IEC 7064 section 7: a pure system of radix 2 with one check character, which may be the supplementary one.
    private static boolean pure(String grouped, int modulus, String characters, String supplementary) {
        String text = bare(grouped);
        int sum = 0;
        for (int i = 0; i < text.length(); i++) {
            boolean last = i == text.length() - 1;
            int value = (last ? characters + supplementary : characters).indexOf(text.charAt(i));
            if (value < 0) {
                return false;
            }
            sum = (2 * sum + value) % modulus;
        }
        return text.length() > 1 && sum == 1;
    }

    // ISO/IEC 7064 section 8: a pure system of radix 10 with two check digits.
    private static boolean mod97(String grouped) {
        String text = bare(grouped);
        int sum = 0;
        for (int i = 0; i < text.length(); i++) {
            int value = alphanumeric(text.charAt(i));
            if (value < 0 || (value > 9 && i >= text.length() - 2)) {
                return false;
            }
            sum = (value > 9 ? 100 * sum + value : 10 * sum + value) % 97;
        }
        return text.length() > 2 && sum == 1;
    }

    // ISO/IEC 7064 section 10: a hybrid system, first modulo 36 and then modulo 37.
    private static boolean mod37and36(String grouped) {
        String text = bare(grouped);
        int product = 36;
        for (int i = 0; i < text.length(); i++) {
            int value = alphanumeric(text.charAt(i));
            if (value < 0) {
                return false;
            }
            int sum = (product + value) % 36;
            if (i == text.length() - 1) {
                return i > 0 && sum == 1;
            }
            product = (sum == 0 ? 36 : sum) * 2 % 37;
        }
        return false;
    }

    private static int digit(char c) {
        return c >= '0' && c <= '9' ? c - '0' : -1;
    }

    private static int alphanumeric(char c) {
        return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : digit(c);
    }
}
