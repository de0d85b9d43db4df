// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import io.muster.config.Settings;
import io.muster.http.Reply;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.spi.Candidate;
import io.muster.spi.Verdict;
import io.muster.verification.DeviceFacts;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Maps the replies of an API that knows nothing of Muster to verdicts. A reply that is mapped to nothing is no answer.
 */
final class Mapping {

    /** The verdict for a value other than the expected one. */
    private enum Otherwise {
        REFUSED,
        UNKNOWN
    }

    private final Set<Integer> genuineStatus;
    private final Set<Integer> refusedStatus;
    private final Set<Integer> unknownStatus;
    private final Set<Integer> pendingStatus;
    private final Optional<JsonPointer> pointer;
    private final JsonNode expected;
    private final Otherwise otherwise;
    private final Optional<JsonPointer> serialPointer;
    private final DeviceFacts facts;

    /**
     * Reads the mapping.
     *
     * @param head whether replies never have a body
     */
    Mapping(Settings settings, boolean head) {
        genuineStatus = statuses(settings, "genuine-status", Set.of(200));
        refusedStatus = statuses(settings, "refused-status", Set.of());
        unknownStatus = new LinkedHashSet<>(statuses(settings, "unknown-status", Set.of(404)));
        if (settings.text("unknown-status").isEmpty()) {
            unknownStatus.removeAll(refusedStatus);
        }
        pendingStatus = new LinkedHashSet<>(statuses(settings, "pending-status", Set.of(202)));
        if (settings.text("pending-status").isEmpty()) {
            List.of(genuineStatus, refusedStatus, unknownStatus).forEach(pendingStatus::removeAll);
        }
        checkStatuses(settings);

        pointer = DeviceFacts.pointer(settings, "pointer");
        expected = expected(settings);
        otherwise = settings.choice("otherwise", Otherwise.class, Otherwise.UNKNOWN);
        serialPointer = DeviceFacts.pointer(settings, "serial-pointer");
        facts = new DeviceFacts(settings);
        checkPointers(settings, head);
    }

    private void checkStatuses(Settings settings) {
        for (int status : genuineStatus) {
            if (status > 299) {
                settings.fault("genuine-status", status + " is not a status of success");
            }
            if (refusedStatus.contains(status) || unknownStatus.contains(status)) {
                settings.fault("genuine-status", status + " means something else too");
            }
        }
        for (int status : refusedStatus) {
            if (unknownStatus.contains(status)) {
                settings.fault("refused-status", status + " is in unknown-status too");
            }
        }
        for (int status : pendingStatus) {
            if (genuineStatus.contains(status) || refusedStatus.contains(status) || unknownStatus.contains(status)) {
                settings.fault("pending-status", status + " means something else too");
            }
        }
    }

    private void checkPointers(Settings settings, boolean head) {
        boolean decides = settings.text("pointer").isPresent()
                || settings.text("serial-pointer").isPresent();
        boolean statusOnly = settings.flag("status-only", false);
        if (!decides && !statusOnly) {
            settings.fault(
                    "pointer", "is required, or serial-pointer; set status-only = true if the status alone is proof");
        }
        if (decides && statusOnly) {
            settings.fault("status-only", "cannot be true beside pointer or serial-pointer");
        }
        if (settings.text("pointer").isEmpty()) {
            for (String key : List.of("equals", "otherwise")) {
                if (settings.text(key).isPresent()) {
                    settings.fault(key, "means nothing without pointer");
                }
            }
        }
        if (needsBody() && head) {
            settings.fault("method", "HEAD has no reply that a pointer could point into");
        }
        if (needsBody() && (genuineStatus.contains(204) || genuineStatus.contains(205))) {
            settings.fault("genuine-status", "204 and 205 have no reply that a pointer could point into");
        }
    }

    private boolean needsBody() {
        return pointer.isPresent() || serialPointer.isPresent() || !facts.isEmpty();
    }

    Verdict verdict(Candidate candidate, Reply reply) {
        if (genuineStatus.contains(reply.status())) {
            return needsBody() ? fromBody(candidate, reply) : Verdict.genuine();
        }
        if (refusedStatus.contains(reply.status())) {
            return Verdict.refused("the API answered with status " + reply.status());
        }
        if (unknownStatus.contains(reply.status())) {
            return Verdict.unknown();
        }
        if (pendingStatus.contains(reply.status())) {
            return new Verdict.Pending(reply.retryAfter());
        }
        throw reply.unmapped();
    }

    private Verdict fromBody(Candidate candidate, Reply reply) {
        JsonNode body = reply.json();
        if (serialPointer.isPresent()) {
            JsonNode echo = body.at(serialPointer.get());
            if (!echo.isTextual() || !echo.textValue().equals(candidate.serial().value())) {
                throw reply.misread("another serial than the one asked for, or none, at " + serialPointer.get());
            }
        }
        if (pointer.isPresent()) {
            JsonNode found = body.at(pointer.get());
            if (found.isMissingNode()) {
                throw reply.misread("nothing at " + pointer.get());
            }
            if (!found.equals(expected)) {
                return switch (otherwise) {
                    case REFUSED -> Verdict.refused("the API answered with another value at " + pointer.get());
                    case UNKNOWN -> Verdict.unknown();
                };
            }
        }
        return facts.genuine(body, reply::misread);
    }

    private static Set<Integer> statuses(Settings settings, String key, Set<Integer> otherwise) {
        List<String> texts = settings.list(key);
        if (texts.isEmpty()) {
            return otherwise;
        }
        if (texts.equals(List.of("none"))) {
            return Set.of();
        }
        Set<Integer> statuses = new LinkedHashSet<>();
        for (String text : texts) {
            if (text.matches("[2-5][0-9][0-9]")) {
                statuses.add(Integer.valueOf(text));
            } else {
                settings.fault(key, "\"" + text + "\" is not a status from 200 to 599");
            }
        }
        return statuses;
    }

    private static JsonNode expected(Settings settings) {
        Optional<String> literal = settings.text("equals");
        if (literal.isPresent()) {
            try {
                JsonNode value = Json.parse(literal.get().getBytes(StandardCharsets.UTF_8));
                if (value.isValueNode() && !value.isNull()) {
                    return value;
                }
            } catch (MalformedJsonException e) {
                // reported below
            }
            settings.fault("equals", "must be true, false, a number or a text in double quotes");
        }
        return BooleanNode.TRUE;
    }
}
