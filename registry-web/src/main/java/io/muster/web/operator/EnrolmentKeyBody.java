// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.json.Fields;
import io.muster.verification.hmac.EnrolmentKey;
import io.muster.verification.hmac.EnrolmentKeys;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The body of a request for an enrolment key, read into a draft or into every fault it has. No fault repeats the key.
 */
final class EnrolmentKeyBody {

    private static final long MOST_USES = 1_000_000_000;

    private EnrolmentKeyBody() {}

    static EnrolmentKeys.Draft parse(byte[] body, String fleet) {
        Fields fields = Fields.of(body);
        Optional<Instant> notBefore = fields.time("notBefore");
        Optional<Instant> notAfter = fields.time("notAfter");
        fields.order("notBefore", notBefore, "notAfter", notAfter);
        EnrolmentKeys.Draft draft = new EnrolmentKeys.Draft(
                fleet,
                fields.text("id", EnrolmentKey.ID_SYNTAX, EnrolmentKey::isId),
                fields.meaning(
                        "key",
                        EnrolmentKeys.SHORTEST + " to " + EnrolmentKeys.LONGEST + " bytes in base64",
                        EnrolmentKeys::parse),
                notBefore,
                notAfter,
                fields.number("maxUses", 1, MOST_USES).map(OptionalLong::of).orElse(OptionalLong.empty()));
        // A limit that is null is a mistake of the caller, not a limit left out.
        fields.refuseNulls();
        fields.check();
        return draft;
    }
}
