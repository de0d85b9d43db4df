package io.muster.json;

import java.io.Serial;

/** A text is not the JSON that the registry accepts. The message says what is wrong and where, and repeats none of the text. */
public final class MalformedJsonException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1;

    MalformedJsonException(String message) {
        super(message);
    }
}
