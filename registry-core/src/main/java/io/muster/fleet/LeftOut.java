// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

/** Is told which texts of a template a device does not get. A device is admitted without them. */
@FunctionalInterface
public interface LeftOut {

    /** Nobody is told. */
    LeftOut UNSAID = (pointer, reason) -> {};

    /** Takes the JSON pointer to a text in the document, and why it was left out. */
    void text(String pointer, String reason);
}
