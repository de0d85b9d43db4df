// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

/** A wrong answer. It counts as a fault and never as a result. */
final class WrongAnswerException extends RuntimeException {

    private static final long serialVersionUID = 1;

    WrongAnswerException(String message) {
        super(message);
    }
}
