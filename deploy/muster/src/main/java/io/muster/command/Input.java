// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.util.Locale;

/**
 * Something that an order takes, and where it goes in the request.
 *
 * @param member its name in the request
 * @param label the name of its value in the help
 */
record Input(String member, Place place, Form form, boolean required, String label, String description) {

    /** The part of the request. */
    enum Place {
        /** In the path, and an argument of the command. */
        PATH,
        QUERY,
        BODY,
        /** A member of the body, and the arguments of the command. */
        ARGUMENTS
    }

    /** The form of a value on the command line. */
    enum Form {
        TEXT,
        NUMBER,
        /** {@code true} if the option is there. */
        FLAG,
        BOOLEAN,
        /** May be repeated. */
        LIST,
        /** Pairs of texts; an empty one is null, which removes. */
        TEXTS,
        /** Pairs, whose values are JSON if they can be. */
        VALUES,
        JSON
    }

    /** The option: {@code notAfter} is {@code --not-after}. */
    String option() {
        return "--" + member.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }
}
