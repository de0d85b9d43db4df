// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import java.io.Serial;
import java.util.List;

/** Says everything that is wrong with a filter. */
public final class FilterException extends Exception {

    @Serial
    private static final long serialVersionUID = 1;

    private final List<String> faults;

    /** Takes the faults, each with its place in the text. */
    FilterException(List<String> faults) {
        super(String.join("; ", faults));
        this.faults = List.copyOf(faults);
    }

    /** Returns the faults. */
    public List<String> faults() {
        return faults;
    }
}
