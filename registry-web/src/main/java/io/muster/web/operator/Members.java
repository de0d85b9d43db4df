// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.json.Fields;
import io.muster.spi.SerialNumber;
import io.muster.verification.SerialForm;
import io.muster.verification.list.BlockedSerial;
import java.util.List;
import java.util.Optional;

/** Members that several requests of the operator API have. */
final class Members {

    static final String REASON = "reason";

    private static final String SERIALS = "serials";
    private static final int MAX_SERIALS = 1000;

    private Members() {}

    /** Reads the operator's reason; empty if there is none. */
    static Optional<String> reason(Fields fields) {
        return fields.text(
                        REASON,
                        "a string of at most " + BlockedSerial.MAX_REASON + " characters and no control characters",
                        text -> text.length() <= BlockedSerial.MAX_REASON
                                && text.chars().noneMatch(Character::isISOControl))
                .filter(text -> !text.isEmpty());
    }

    /** Reads the serials of the request, which are required, as the fleet spells them. */
    static List<String> serials(Fields fields, SerialForm form) {
        Optional<List<String>> serials = someSerials(fields, form);
        fields.require(SERIALS);
        return serials.orElse(List.of());
    }

    /** Reads the serials of the request as the fleet spells them; empty if there are none. */
    static Optional<List<String>> someSerials(Fields fields, SerialForm form) {
        return fields.meanings(
                SERIALS,
                "an array of 1 to " + MAX_SERIALS + " serials",
                size -> size >= 1 && size <= MAX_SERIALS,
                "a serial, " + form.syntax(),
                text -> form.of(text).map(SerialNumber::value));
    }
}
