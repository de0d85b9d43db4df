package io.muster.web.operator;

import io.muster.json.Fields;
import io.muster.spi.SerialNumber;
import io.muster.verification.BlockedSerial;
import java.util.List;
import java.util.Optional;

/** Members that several requests of the operator API have. */
final class Members {

    static final String REASON = "reason";

    private static final String SERIALS = "serials";
    private static final int MAX_SERIALS = 1000;

    private Members() {}

    /** Why an operator does something; empty if it is not said. */
    static Optional<String> reason(Fields fields) {
        return fields.text(
                        REASON,
                        "a string of at most " + BlockedSerial.MAX_REASON + " characters and no control characters",
                        text -> text.length() <= BlockedSerial.MAX_REASON
                                && text.chars().noneMatch(Character::isISOControl))
                .filter(text -> !text.isEmpty());
    }

    /** The serials that something is done with, which are required. */
    static List<String> serials(Fields fields) {
        Optional<List<String>> serials = fields.meanings(
                SERIALS,
                "an array of 1 to " + MAX_SERIALS + " serials",
                size -> size >= 1 && size <= MAX_SERIALS,
                "a serial, " + SerialNumber.SYNTAX,
                text -> Optional.of(text).filter(SerialNumber::isValid));
        fields.require(SERIALS);
        return serials.orElse(List.of());
    }
}
