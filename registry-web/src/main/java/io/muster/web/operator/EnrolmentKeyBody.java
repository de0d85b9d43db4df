package io.muster.web.operator;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.api.Problem.Fault;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.problem.RegistryException;
import io.muster.verification.EnrolmentKey;
import io.muster.verification.EnrolmentKeys;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** The body of a request for an enrolment key, read into a draft or into every fault it has; no fault repeats the key. */
final class EnrolmentKeyBody {

    private static final Set<String> MEMBERS = Set.of("id", "key", "notBefore", "notAfter", "maxUses");
    private static final long MOST_USES = 1_000_000_000;
    private static final Instant LAST = Instant.parse("9999-12-31T23:59:59Z");

    private final JsonNode node;
    private final List<Fault> faults = new ArrayList<>();

    private EnrolmentKeyBody(JsonNode node) {
        this.node = node;
    }

    static EnrolmentKeys.Draft parse(byte[] body, String fleet) {
        JsonNode node;
        try {
            node = Json.parse(body);
        } catch (MalformedJsonException e) {
            throw RegistryException.invalid(List.of(new Fault("#", e.getMessage())));
        }
        if (!node.isObject()) {
            throw RegistryException.invalid(List.of(new Fault("#", "must be an object")));
        }
        return new EnrolmentKeyBody(node).draft(fleet);
    }

    private EnrolmentKeys.Draft draft(String fleet) {
        node.fieldNames().forEachRemaining(member -> {
            if (!MEMBERS.contains(member)) {
                faults.add(new Fault("#", "unknown member; members are id, key, notBefore, notAfter and maxUses"));
            }
        });
        Optional<String> id = text("id");
        if (id.isPresent() && !EnrolmentKey.isId(id.get())) {
            faults.add(new Fault("#/id", "must be " + EnrolmentKey.ID_SYNTAX));
        }
        Optional<byte[]> key = text("key").flatMap(this::key);
        Optional<Instant> notBefore = instant("notBefore");
        Optional<Instant> notAfter = instant("notAfter");
        if (notBefore.isPresent() && notAfter.isPresent() && !notBefore.get().isBefore(notAfter.get())) {
            faults.add(new Fault("#/notAfter", "must be later than notBefore"));
        }
        OptionalLong maxUses = maxUses();
        if (!faults.isEmpty()) {
            throw RegistryException.invalid(faults);
        }
        return new EnrolmentKeys.Draft(fleet, id, key, notBefore, notAfter, maxUses);
    }

    private Optional<String> text(String member) {
        JsonNode value = node.get(member);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isTextual()) {
            faults.add(new Fault("#/" + member, "must be a string"));
            return Optional.empty();
        }
        return Optional.of(value.textValue());
    }

    private Optional<byte[]> key(String base64) {
        Optional<byte[]> key = EnrolmentKeys.parse(base64);
        if (key.isEmpty()) {
            faults.add(new Fault(
                    "#/key",
                    "must be " + EnrolmentKeys.SHORTEST + " to " + EnrolmentKeys.LONGEST + " bytes in base64"));
        }
        return key;
    }

    private Optional<Instant> instant(String member) {
        return text(member).flatMap(text -> {
            try {
                Instant instant = Instant.parse(text);
                if (!instant.isBefore(Instant.EPOCH) && !instant.isAfter(LAST)) {
                    // What the database keeps.
                    return Optional.of(instant.truncatedTo(ChronoUnit.MILLIS));
                }
            } catch (DateTimeException e) {
                // said below
            }
            faults.add(new Fault("#/" + member, "must be a time such as 2026-12-31T23:59:59Z"));
            return Optional.empty();
        });
    }

    private OptionalLong maxUses() {
        JsonNode value = node.get("maxUses");
        if (value == null) {
            return OptionalLong.empty();
        }
        if (value.isIntegralNumber()
                && value.canConvertToLong()
                && value.longValue() >= 1
                && value.longValue() <= MOST_USES) {
            return OptionalLong.of(value.longValue());
        }
        faults.add(new Fault("#/maxUses", "must be a whole number from 1 to " + MOST_USES));
        return OptionalLong.empty();
    }
}
