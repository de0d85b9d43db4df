// SPDX-License-Identifier: Apache-2.0
package io.muster.json;

import java.io.Serial;

/**
 * A text is not the JSON that the registry accepts. The message describes the fault and its place, and repeats none of
 * the text.
 */
public final class MalformedJsonException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1;

    MalformedJsonException(String message) {
        super(message);
    }
}
