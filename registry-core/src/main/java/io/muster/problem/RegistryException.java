// SPDX-License-Identifier: Apache-2.0
package io.muster.problem;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import java.io.Serial;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A refusal by the registry. The caller sees the type, the public detail and the faults. The message is the reason, for
 * operators and logs only.
 */
public final class RegistryException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1;

    private static final int MOST_FAULTS = 100;

    private final ProblemType type;
    private final String detail;
    private final transient List<Problem.Fault> faults;
    private final transient Duration retryAfter;

    private RegistryException(
            ProblemType type, String reason, String detail, List<Problem.Fault> faults, Duration retryAfter) {
        // No stack trace: a refusal is an ordinary answer, and a flood of them must stay cheap.
        super(reason, null, false, false);
        this.type = type;
        this.detail = detail;
        this.faults = List.copyOf(faults);
        this.retryAfter = retryAfter;
    }

    /** Refuses, and tells the caller only the type. */
    public RegistryException(ProblemType type, String reason) {
        this(type, reason, null, List.of(), null);
    }

    /**
     * Refuses, and lists the faults of the request, of which there is at least one. Beyond a hundred the rest is only
     * counted, so that no small request gets a huge reply.
     */
    public static RegistryException invalid(List<Problem.Fault> all) {
        List<Problem.Fault> faults = new ArrayList<>(all.subList(0, Math.min(all.size(), MOST_FAULTS)));
        if (all.size() > MOST_FAULTS) {
            faults.add(new Problem.Fault("#", "and " + (all.size() - MOST_FAULTS) + " faults more"));
        }
        return new RegistryException(
                ProblemType.INVALID_REQUEST,
                "invalid: "
                        + String.join(
                                "; ",
                                faults.stream()
                                        .map(f -> f.pointer() + " " + f.detail())
                                        .toList()),
                null,
                faults,
                null);
    }

    /** Refuses with a sentence that the caller may read. */
    public static RegistryException withDetail(ProblemType type, String detail) {
        return new RegistryException(type, detail, detail, List.of(), null);
    }

    /** Refuses for now: the caller may retry after this time. */
    public static RegistryException later(ProblemType type, String reason, Duration retryAfter) {
        return new RegistryException(type, reason, null, List.of(), retryAfter);
    }

    /** Returns the type, which the caller is told. */
    public ProblemType type() {
        return type;
    }

    /** Returns the sentence for the caller, if there is one. */
    public Optional<String> detail() {
        return Optional.ofNullable(detail);
    }

    /** Returns every fault of the request, or none. */
    public List<Problem.Fault> faults() {
        return faults;
    }

    /** Returns how long the caller should wait before it retries, if a retry helps. */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
