// SPDX-License-Identifier: Apache-2.0
package io.muster.web.label;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** The sheets of labels that can be printed: A4, in two common sizes. */
public enum LabelSize {
    /** 21 labels of 63.5 x 38.1 mm. */
    A(3, 7),
    /** 48 labels of 45.7 x 21.2 mm. */
    B(4, 12);

    private final int columns;
    private final int rows;

    LabelSize(int columns, int rows) {
        this.columns = columns;
        this.rows = rows;
    }

    /** Returns the size for a word of the query. */
    public static Optional<LabelSize> of(String word) {
        return Stream.of(values()).filter(size -> size.word().equals(word)).findFirst();
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Returns how many labels are on a sheet. */
    int perSheet() {
        return columns * rows;
    }
}
