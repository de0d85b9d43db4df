// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

/** The presented evidence is not good. The check that finds it throws this, and the verifier catches it. */
final class RefusalException extends Exception {

    private static final long serialVersionUID = 1;

    /** The reason is for operators. It quotes nothing of the evidence. */
    RefusalException(String reason) {
        super(reason, null, false, false);
    }
}
