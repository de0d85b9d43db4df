// SPDX-License-Identifier: Apache-2.0
package io.muster.verification;

/** A built-in verifier that writes one of the registry's own tags. Another verifier's value must not override it. */
public interface TagWriter {

    /** Returns the name of its tag. */
    String ownTag();
}
