// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Where the comparisons of a filter are in its text, and how deep its parentheses are. The library that parses filters
 * says neither.
 *
 * @param comparisons the place of each comparison, from 0
 * @param depth of the parentheses
 */
record Words(List<Integer> comparisons, int depth) {

    private static final String LOGICAL = " and or not ";

    /** Reads a text, whether or not it is a filter. */
    static Words of(String text) {
        List<Integer> comparisons = new ArrayList<>();
        int deepest = 0;
        int depth = 0;
        // Words of the comparison so far: attribute, operator, value.
        int words = 0;
        for (int at = 0; at < text.length(); ) {
            char c = text.charAt(at);
            int end = at + 1;
            if (c == '(' || c == ')') {
                depth += c == '(' ? 1 : -1;
                deepest = Math.max(deepest, depth);
                words = 0;
            } else if (c == '"') {
                end = endOfText(text, at);
                words = 0;
            } else if (c != ' ') {
                end = endOfWord(text, at);
                String word = text.substring(at, end);
                if (words == 0 && !LOGICAL.contains(" " + word.toLowerCase(Locale.ROOT) + " ")) {
                    comparisons.add(at);
                    words = 1;
                } else if (words == 1) {
                    words = word.equalsIgnoreCase("pr") ? 0 : 2;
                } else {
                    words = 0;
                }
            }
            at = end;
        }
        return new Words(List.copyOf(comparisons), deepest);
    }

    private static int endOfText(String text, int from) {
        int at = from + 1;
        while (at < text.length() && text.charAt(at) != '"') {
            at += text.charAt(at) == '\\' ? 2 : 1;
        }
        return Math.min(at + 1, text.length());
    }

    private static int endOfWord(String text, int from) {
        int at = from;
        while (at < text.length() && " ()\"".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        return at;
    }
}
