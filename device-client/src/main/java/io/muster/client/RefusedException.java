// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import java.io.IOException;
import java.io.Serial;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The registry said no. Repeating the same request will not help: do not loop. This is not an {@link IOException}, so
 * that a loop made for those does not catch it.
 *
 * <p>The message has the status, the type, and the instance to quote to an operator, in words of this library. The
 * registry's own words are only in {@link #detail()} and {@link #faults()}, because a broken server may echo what it
 * was sent.
 */
public final class RefusedException extends Exception {

    @Serial
    private static final long serialVersionUID = 1;

    private static final String TYPE_PREFIX = "urn:muster:problem:";

    private final int status;
    private final String type;
    private final String detail;
    private final transient List<Problem.Fault> faults;

    private RefusedException(String message, int status, String type, String detail, List<Problem.Fault> faults) {
        super(message);
        this.status = status;
        this.type = type;
        this.detail = detail;
        this.faults = faults;
    }

    static RefusedException of(Transport.Reply reply) {
        Map<String, Object> body = body(reply);
        String type = type(body);
        String instance = Json.text(body, "instance")
                .filter(text -> text.matches("urn:uuid:[0-9a-fA-F-]{36}"))
                .map(text -> ", " + text)
                .orElse("");
        String message = "the registry refused: HTTP " + reply.status() + " " + type + title(type) + instance;
        String detail = Json.text(body, "detail")
                .or(() -> Json.text(body, "error_description"))
                .orElse("");
        return new RefusedException(message, reply.status(), type, detail, faults(body));
    }

    /**
     * Returns the HTTP status of the reply.
     *
     * @return 400 to 499
     */
    public int status() {
        return status;
    }

    /**
     * Returns the kind of refusal, to branch on. It is the slug of a {@link ProblemType} such as
     * {@code registration-refused}, or the error code of the token endpoint (RFC 6749 section 5.2) such as
     * {@code invalid_client}.
     *
     * @return {@code about:blank} if the reply named none, as when a proxy answered for the registry
     */
    public String type() {
        return type;
    }

    /**
     * Returns the registry's own words, for a person.
     *
     * @return empty if it had none
     */
    public String detail() {
        return detail;
    }

    /**
     * Returns every fault that the registry found in the request.
     *
     * @return unmodifiable; empty unless {@link #type()} is {@code invalid-request}, or after serialization
     */
    public List<Problem.Fault> faults() {
        return faults == null ? List.of() : faults;
    }

    private static Map<String, Object> body(Transport.Reply reply) {
        try {
            return Json.readObject(reply.body());
        } catch (IOException e) {
            return Map.of(); // the status alone is a refusal
        }
    }

    private static String type(Map<String, Object> body) {
        Optional<String> problem = Json.text(body, "type")
                .filter(text -> text.startsWith(TYPE_PREFIX))
                .map(text -> text.substring(TYPE_PREFIX.length()));
        return problem.or(() -> Json.text(body, "error"))
                .filter(text -> text.matches("[a-z0-9_-]{1,40}"))
                .orElse("about:blank");
    }

    private static String title(String type) {
        for (ProblemType known : ProblemType.values()) {
            if (known.slug().equals(type)) {
                return " (" + known.title() + ")";
            }
        }
        return "";
    }

    private static List<Problem.Fault> faults(Map<String, Object> body) {
        List<Problem.Fault> faults = new ArrayList<>();
        if (body.get("errors") instanceof List<?> errors) {
            for (Object error : errors) {
                if (error instanceof Map<?, ?> fault) {
                    faults.add(new Problem.Fault(
                            String.valueOf(fault.get("pointer")), String.valueOf(fault.get("detail"))));
                }
            }
        }
        return List.copyOf(faults);
    }
}
