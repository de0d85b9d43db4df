// SPDX-License-Identifier: Apache-2.0
package io.muster.log;

/**
 * Makes foreign text, such as a plug-in's, fit for a log: one line of bounded length that cannot pass for another
 * entry.
 */
public final class OneLine {

    private static final int MOST = 500;

    private OneLine() {}

    /**
     * Returns the text with a question mark for every control character and line separator, cut after 500 characters.
     */
    public static String of(String foreign) {
        String text = String.valueOf(foreign);
        String cut = text.length() > MOST ? text.substring(0, MOST) + "..." : text;
        return cut.replaceAll("[\\p{Cntrl}\\p{Cf}\\x{80}-\\x{9f}\\x{2028}\\x{2029}]", "?");
    }
}
