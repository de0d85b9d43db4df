// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import dev.failsafe.CircuitBreaker;
import dev.failsafe.CircuitBreakerOpenException;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.RetryPolicy;
import io.muster.config.Settings;
import io.muster.http.OutageException;
import io.muster.http.Target;
import io.muster.http.Transport;
import io.muster.log.RareLog;
import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.net.http.HttpRequest;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;

/**
 * Asks an API over HTTP: an existing one, whose replies the settings map to verdicts, or one that was made for Muster
 * ({@code form = contract}). {@code docs/verifiers/http.md} has the settings, the contract and the ways to fail.
 *
 * <p>Only a reply that the settings map to genuine is genuine. Any other reply, or none, is mapped too or is a
 * {@link VerificationUnavailableException}. The caller's thread waits for {@code timeout} at most, including one retry.
 * The API may be asked the same question twice.
 */
public final class HttpVerifier implements SerialVerifier, AutoCloseable {

    private static final RareLog LOG = RareLog.of(HttpVerifier.class);

    private enum Kind {
        API,
        CONTRACT
    }

    private final String name;
    private final String who;
    private final Form form;
    private final Transport transport;
    private final FailsafeExecutor<Verdict> guarded;

    /**
     * Reads every setting and reports faults; connects to nothing. Never throws for a fault: the verifier then reaches
     * no address at all, and {@link Settings#check} refuses the start.
     *
     * @param name the verifier's name, for messages, logs and threads
     * @param settings those of this verifier, below {@code muster.verifier.<name>.}
     * @param clock for the time in the headers of the form {@code contract}
     */
    public HttpVerifier(String name, Settings settings, Clock clock) {
        this.name = name;
        this.who = "verifier " + name + ": ";
        Kind kind = settings.choice("form", Kind.class, Kind.API);
        Target target =
                Target.read(settings, "url", kind == Kind.API ? Optional.empty() : Optional.of("in the form contract"));
        ExtraHeaders headers = new ExtraHeaders(settings);
        this.form = switch (kind) {
            case API -> new ApiForm(settings, target, headers);
            case CONTRACT -> new ContractForm(settings, target, headers, clock);
        };
        this.transport = new Transport(who, "muster-verifier-" + name, settings, target);
        this.guarded = guarded(settings);
    }

    private FailsafeExecutor<Verdict> guarded(Settings settings) {
        int failures = settings.number("breaker-failures", 5, 1, 1000);
        Duration delay =
                settings.duration("breaker-delay", Duration.ofSeconds(5), Duration.ofMillis(10), Duration.ofMinutes(5));
        CircuitBreaker<Verdict> breaker = CircuitBreaker.<Verdict>builder()
                .handle(OutageException.class)
                .withFailureThreshold(failures, 2 * failures)
                .withSuccessThreshold(1)
                .withDelay(delay)
                .onOpen(event -> LOG.warn("open " + who, "{}circuit open, no question for {}", who, delay))
                .onClose(event -> LOG.info("closed " + who, "{}circuit closed, it answers again", who))
                .build();
        RetryPolicy<Verdict> retry = RetryPolicy.<Verdict>builder()
                .handleIf(failure -> failure instanceof OutageException outage && outage.worthRetrying())
                .withMaxRetries(1)
                .build();
        // From the outside in: the circuit breaker counts questions, not attempts.
        return Failsafe.with(breaker).compose(retry);
    }

    @Override
    public Verdict verify(Candidate candidate) {
        long deadline = transport.deadline();
        HttpRequest question = form.question(candidate);
        try {
            return guarded.get(() -> form.verdict(candidate, transport.ask(question, deadline)));
        } catch (CircuitBreakerOpenException e) {
            throw new VerificationUnavailableException(who + "circuit open after too many failures");
        }
    }

    /** Ends its threads; questions under way end as unavailable. */
    @Override
    public void close() {
        transport.close();
    }

    @Override
    public String toString() {
        return "HttpVerifier[" + name + "]";
    }
}
