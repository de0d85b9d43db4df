package io.muster.problem;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import java.io.Serial;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The registry's no. The caller sees the type, the public detail and the faults; the message is the reason, for operators and
 * logs only.
 */
public final class RegistryException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1;

    private static final int MOST_FAULTS = 100;

    private final ProblemType type;
    private final String detail;
    private final transient List<Problem.Fault> faults;
    private final transient Duration retryAfter;
    private final transient Duration least;

    private RegistryException(
            ProblemType type,
            String reason,
            String detail,
            List<Problem.Fault> faults,
            Duration retryAfter,
            Duration least) {
        // Without a stack trace: a no is an ordinary answer, and a flood of them must stay cheap.
        super(reason, null, false, false);
        this.type = type;
        this.detail = detail;
        this.faults = List.copyOf(faults);
        this.retryAfter = retryAfter;
        this.least = least;
    }

    /** Says no without telling the caller more than the type. */
    public RegistryException(ProblemType type, String reason) {
        this(type, reason, null, List.of(), null, Duration.ZERO);
    }

    /**
     * Says no and lists what is wrong with the request; there is at least one fault. Of more than a hundred the rest is counted, so
     * that no small request gets a huge reply.
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
                null,
                Duration.ZERO);
    }

    /** Says no with a sentence that the caller may read. */
    public static RegistryException withDetail(ProblemType type, String detail) {
        return new RegistryException(type, detail, detail, List.of(), null, Duration.ZERO);
    }

    /** Says not now. */
    public static RegistryException later(ProblemType type, String reason, Duration retryAfter) {
        return new RegistryException(type, reason, null, List.of(), retryAfter, Duration.ZERO);
    }

    /** Refuses a registration, and lets the caller know no sooner than so long after it was begun. */
    public static RegistryException refused(String reason, Duration least) {
        return new RegistryException(ProblemType.REGISTRATION_REFUSED, reason, null, List.of(), null, least);
    }

    /** Returns what the caller is told. */
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

    /** Returns how long the answer must take at least, so that its time tells nothing; zero where that is no matter. */
    public Duration least() {
        return least;
    }

    /** Returns when the caller may come back, where that helps. */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
