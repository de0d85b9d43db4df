// SPDX-License-Identifier: Apache-2.0
package io.muster.config;

import java.io.Serial;
import java.util.ArrayList;
import java.util.List;

/**
 * The configuration is wrong; the registry does not start. The message lists every fault, a line each, without secrets.
 */
public final class ConfigurationException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1;

    private final ArrayList<String> faults;

    /** Takes at least one fault. */
    public ConfigurationException(List<String> faults) {
        super("Muster cannot start, its configuration has "
                + (faults.size() == 1 ? "a fault" : faults.size() + " faults") + ":\n  - "
                + String.join("\n  - ", faults));
        this.faults = new ArrayList<>(faults);
    }

    /** Returns the faults, each a sentence. */
    public List<String> faults() {
        return List.copyOf(faults);
    }
}
