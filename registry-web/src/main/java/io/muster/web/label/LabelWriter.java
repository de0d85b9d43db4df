// SPDX-License-Identifier: Apache-2.0
package io.muster.web.label;

import java.io.IOException;

/** Writes labels one after the other, and keeps none. */
public interface LabelWriter {

    /** Writes what comes before the first label. */
    void begin() throws IOException;

    /** Writes one more label. */
    void label(Label label) throws IOException;

    /** Writes what comes after the last label. A text without it is incomplete. */
    void end() throws IOException;

    /** Writes instead that labels are missing, so that nobody takes the text for complete. Servers cannot tell that. */
    void breakOff() throws IOException;
}
