// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** Says in English why the registry did not do it. */
final class Problems {

    private Problems() {}

    /** Returns what to tell for an answer that is no success: a problem of RFC 9457, or anything else. */
    static Failure failure(int status, String body, Optional<Duration> retryAfter, Optional<String> location) {
        StringBuilder text = new StringBuilder();
        Map<String, Object> problem = problem(body);
        String type = Json.text(problem, "type").replaceFirst(".*:", "");
        String title = Json.text(problem, "title");
        if (title.isEmpty()) {
            text.append("HTTP ").append(status).append(", and not by a registry. Is the address right?");
            location.ifPresent(place ->
                    text.append("\n  It redirects to ").append(place).append(" , where the token is not sent."));
        } else {
            text.append(title)
                    .append(" (")
                    .append(type)
                    .append(", ")
                    .append(status)
                    .append(')');
        }
        String detail = Json.text(problem, "detail");
        if (!detail.isEmpty()) {
            text.append("\n  ").append(detail);
        }
        for (Map<String, Object> fault : Json.objects(problem, "errors")) {
            String pointer = Json.text(fault, "pointer").replaceFirst("^#/?", "");
            text.append("\n  ").append(pointer.isEmpty() ? "" : pointer + ": ").append(Json.text(fault, "detail"));
        }
        advice(status).ifPresent(line -> text.append("\n  ").append(line));
        retryAfter.ifPresent(time ->
                text.append("\n  Ask again in ").append(time.toSeconds()).append(" s."));
        String instance = Json.text(problem, "instance");
        if (status >= 500 && !instance.isEmpty()) {
            text.append("\n  The log of the registry has it as ").append(instance);
        }
        return new Failure(Exit.ofStatus(status), Printable.lines(text.toString()));
    }

    private static Optional<String> advice(int status) {
        return switch (status) {
            case 401 -> Optional.of("Sign in with: muster login");
            case 412 -> Optional.of("Somebody changed it since it was read, or it is there already. Look at it first.");
            default -> Optional.empty();
        };
    }

    private static Map<String, Object> problem(String body) {
        try {
            return Json.object(body);
        } catch (IOException e) {
            return Map.of();
        }
    }
}
