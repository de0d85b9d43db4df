// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.approval.ApprovalQueue;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.device.Device;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.issuer.Issuers;
import io.muster.limit.Limits;
import io.muster.log.RareLog;
import io.muster.once.Use;
import io.muster.problem.RegistryException;
import io.muster.registration.RegistrationAttempt.OfferedKey;
import io.muster.registration.RegistrationAttempt.Seal;
import io.muster.spi.Candidate;
import io.muster.spi.DeviceRegistered;
import io.muster.spi.RegistrationRefused;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.statistics.Kind;
import io.muster.verification.Proof;
import io.muster.verification.policy.Explanation;
import io.muster.verification.policy.Said;
import io.muster.verification.policy.VerifierPolicy;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Registers devices. Thread-safe. */
@Part
public final class Registrar {

    private static final RareLog LOG = RareLog.of(Registrar.class);

    private static final String ARCHIVED = "the fleet is archived";

    /** When a device asks again if no verifier knows when it will have an answer. */
    private static final Duration ASK_AGAIN = Duration.ofMinutes(1);

    private static final Duration SHORTEST_WAIT = Duration.ofSeconds(1);
    private static final Duration LONGEST_WAIT = Duration.ofDays(1);

    /** When a device asks again that found no room in the queue. */
    private static final Duration FULL_AGAIN = Duration.ofMinutes(5);

    private final Fleets fleets;
    private final Limits limits;
    private final EvenRefusals refusals;
    private final KeyProof keyProof;
    private final Enrolment enrolment;
    private final ApprovalQueue queue;
    private final Audit audit;
    private final RegistrationMeters meters;
    private final Consumer<Object> events;
    private final Clock clock;

    /** Injects the steps of a registration. */
    @Inject
    Registrar(
            MusterConfig config,
            Fleets fleets,
            EvenRefusals refusals,
            KeyProof keyProof,
            Enrolment enrolment,
            ApprovalQueue queue,
            Audit audit,
            RegistrationMeters meters,
            @Ours Clock clock,
            @Ours Consumer<Object> events) {
        this.fleets = fleets;
        this.limits = new Limits(config.limits().refusals(), config.limits().window(), clock);
        this.refusals = refusals;
        this.keyProof = keyProof;
        this.enrolment = enrolment;
        this.queue = queue;
        this.audit = audit;
        this.meters = meters;
        this.events = events;
        this.clock = clock;
    }

    /** Registers a device that asks only for a secret, as {@link #register(RegistrationAttempt)} does. */
    public RegistrationReceipt register(Candidate candidate) {
        if (register(RegistrationAttempt.of(candidate)) instanceof RegistrationReply.Plain plain) {
            return plain.receipt();
        }
        throw new IllegalStateException("the reply is sealed, or the registration is pending");
    }

    /**
     * Registers a device as {@link #register(RegistrationAttempt, EvenRefusals.Watch)} does, for callers that answer a
     * refusal at once.
     */
    public RegistrationReply register(RegistrationAttempt asked) {
        return register(asked, refusals.watch());
    }

    /**
     * Registers a device, new or again.
     *
     * @param watch tells afterwards when a refusal is to be answered
     * @return {@link RegistrationReply.Pending} if the verifiers have not made up their minds; then nothing was created
     * @throws RegistryException {@code NOT_FOUND} for an unknown fleet; {@code TOO_MANY_REQUESTS};
     *     {@code VERIFICATION_UNAVAILABLE} if a verifier could not find out; {@code REGISTRATION_REFUSED} for
     *     everything that is not admitted, without the reason
     */
    public RegistrationReply register(RegistrationAttempt asked, EvenRefusals.Watch watch) {
        Fleet fleet = fleets.find(asked.candidate().fleet())
                .orElseThrow(() -> new RegistryException(
                        ProblemType.NOT_FOUND, "no fleet " + asked.candidate().fleet()));
        try {
            return register(fleet, asked, watch);
        } catch (RegistryException e) {
            meters.failed(fleet.name(), e);
            throw e;
        }
    }

    private RegistrationReply register(Fleet fleet, RegistrationAttempt asked, EvenRefusals.Watch watch) {
        limits.check(asked.candidate().origin());
        watch.questions(fleet);
        if (fleet.document().archived()) {
            throw refused(asked.candidate(), ARCHIVED, Kind.REFUSED_ARCHIVED);
        }
        RegistrationAttempt attempt = proved(fleet, asked, true);
        Candidate candidate = attempt.candidate();
        watch.questions(fleet);
        VerifierPolicy.Outcome decided = decide(fleet, candidate);
        watch.decided(decided);
        Proof proof = decided.proof();
        if (proof.verdict() instanceof Verdict.Pending pending) {
            // The shadows are not asked: nothing is decided yet that they could disagree with.
            return waits(candidate, decided, pending);
        }
        fleet.policy()
                .shadow(
                        candidate,
                        proof.verdict(),
                        (verifier, what) -> audit.disagreed(
                                fleet.name(), candidate.serial(), candidate.origin(), verifier + " " + what));
        if (!(proof.verdict() instanceof Verdict.Genuine found)) {
            boolean byVerifier = decided.said().stream().anyMatch(Said::isRefusal);
            throw refused(
                    candidate,
                    proof.verdict() instanceof Verdict.Refused no ? no.reason() : "not genuine",
                    byVerifier ? Kind.REFUSED_BY_VERIFIER : Kind.REFUSED_UNPROVED);
        }
        Verdict.Genuine genuine = tagged(found, fleet, candidate);
        Enrolment.Outcome outcome = enrolment.enrol(attempt, fleet, genuine, proof.uses(), proof.owner());
        watch.enrolled(outcome.again());
        Enrolment.Enrolled enrolled = outcome.orThrow(
                no -> refused(candidate, no.reason(), no.again() ? Kind.REFUSED_REPEAT : Kind.REFUSED_MEANWHILE));
        meters.answered(fleet.name(), enrolled.again() ? Kind.AGAIN : Kind.NEW);
        events.accept(new DeviceRegistered(
                clock.instant(),
                fleet.name(),
                candidate.serial(),
                enrolled.device().id(),
                enrolled.key(),
                enrolled.again(),
                candidate.origin()));
        return enrolled.reply();
    }

    /** Gives the candidate its place in the queue if it waits for an operator, and tells the device to ask again. */
    private RegistrationReply waits(Candidate candidate, VerifierPolicy.Outcome decided, Verdict.Pending pending) {
        if (decided.proof().uses().contains(new Use.Approval())) {
            try {
                queue.take(candidate, decided.said());
            } catch (ApprovalQueue.FullException e) {
                limits.count(candidate.origin());
                throw RegistryException.later(ProblemType.TOO_MANY_REQUESTS, e.getMessage(), FULL_AGAIN);
            }
        }
        meters.answered(candidate.fleet(), Kind.PENDING);
        Duration wait = pending.retryAfter().orElse(ASK_AGAIN);
        if (wait.compareTo(SHORTEST_WAIT) < 0) {
            wait = SHORTEST_WAIT;
        }
        return new RegistrationReply.Pending(wait.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : wait);
    }

    /**
     * Checks the key that the device offers, if any, before anything that costs more.
     *
     * @param stranger whether nothing else shows which device asks
     */
    private RegistrationAttempt proved(Fleet fleet, RegistrationAttempt asked, boolean stranger) {
        String issuer = fleet.document().issuer();
        if (asked.offered().isEmpty()) {
            if (issuer.equals(Issuers.PUBLIC_KEY)) {
                throw RegistryException.invalid(List.of(new Problem.Fault("#/publicKey", "is required by this fleet")));
            }
            return asked;
        }
        if (issuer.equals(Issuers.SECRET)) {
            throw RegistryException.invalid(
                    List.of(new Problem.Fault("#/publicKey", "this fleet has no devices that keep their own key")));
        }
        Candidate candidate = asked.candidate();
        Optional<String> fault = keyProof.fault(
                asked.offered().get(),
                fleet.name(),
                candidate.serial(),
                fleet.document().serials(),
                stranger);
        if (fault.isPresent()) {
            throw refused(candidate, fault.get(), Kind.REFUSED_KEY);
        }
        Candidate proved = new Candidate(
                candidate.serial(),
                candidate.fleet(),
                Optional.of(asked.offered().get().key().members()),
                candidate.evidence(),
                candidate.clientCertificates(),
                candidate.origin(),
                Optional.of(asked.offered().get().key().thumbprint()));
        return new RegistrationAttempt(proved, asked.offered(), asked.seal(), asked.presented());
    }

    /**
     * Gives a device a further credential beside the one that it has. The first use of the new one retires the old one,
     * after the fleet's overlap. Asking again before that voids the unused one, so a lost reply costs nothing.
     *
     * @param device the device that asks
     * @param presented the same, with the credential that is to be renewed
     * @param offered the key that it wants to keep the private half of; empty for a secret
     * @param seal how the reply is to be sealed
     * @param origin the address the request came from
     * @throws RegistryException {@code INVALID_REQUEST}, {@code CONFLICT} if the device or its credential is no longer
     *     good
     */
    public RegistrationReply rotate(
            Device device,
            CredentialProof presented,
            Optional<OfferedKey> offered,
            Optional<Seal> seal,
            String origin) {
        Fleet fleet = fleets.get(device.fleet());
        Candidate candidate = Candidate.of(device.serial(), fleet.name(), origin);
        RegistrationAttempt attempt =
                proved(fleet, new RegistrationAttempt(candidate, offered, seal, Optional.empty()), false);
        return enrolment
                .rotate(attempt, fleet, presented.key())
                .orThrow(no -> RegistryException.withDetail(ProblemType.CONFLICT, no.reason()))
                .reply();
    }

    /** Adds the serial under the fleet's own tag, which overrides a verifier's value. */
    private static Verdict.Genuine tagged(Verdict.Genuine genuine, Fleet fleet, Candidate candidate) {
        Optional<String> tag = fleet.document().wire().serialTag();
        if (tag.isEmpty()) {
            return genuine;
        }
        Map<String, String> tags = new LinkedHashMap<>(genuine.tags());
        tags.put(tag.get(), fleet.document().shown(candidate.serial()));
        return new Verdict.Genuine(genuine.name(), tags, genuine.attributes());
    }

    /**
     * Tells what would happen to a candidate now, and why. Asking changes nothing, and does not count against limits.
     *
     * @throws RegistryException {@code NOT_FOUND} for an unknown fleet
     */
    public Preview explain(Candidate candidate) {
        Fleet fleet = fleets.find(candidate.fleet())
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no fleet " + candidate.fleet()));
        Explanation verification = fleet.policy().explain(candidate);
        Enrolment.Preview registration = enrolment.preview(candidate, fleet, verification.uses());
        return new Preview(
                verification,
                fleet.document().archived()
                        ? new Enrolment.Preview("refused", ARCHIVED, registration.deviceId())
                        : registration);
    }

    /**
     * The result that a registration would have.
     *
     * @param verification the answers of the verifiers, and the policy's decision
     * @param registration the answer of the fleet's rule of registering again, if the serial is admitted
     */
    public record Preview(Explanation verification, Enrolment.Preview registration) {}

    private static VerifierPolicy.Outcome decide(Fleet fleet, Candidate candidate) {
        try {
            return fleet.policy().decide(candidate);
        } catch (VerificationUnavailableException e) {
            LOG.warn(fleet.name(), "A registration in fleet {} cannot be decided: {}", fleet.name(), e.getMessage());
            throw new RegistryException(ProblemType.VERIFICATION_UNAVAILABLE, e.getMessage());
        }
    }

    /**
     * Records and counts a refusal. If it is over the limit, the device gets that answer, however many requests run at
     * once.
     */
    private RegistryException refused(Candidate candidate, String reason, Kind why) {
        boolean repeat = why == Kind.REFUSED_REPEAT;
        meters.refused(candidate.fleet(), why);
        audit.refused(candidate.fleet(), candidate.serial(), candidate.origin(), reason, repeat);
        events.accept(new RegistrationRefused(
                clock.instant(), candidate.fleet(), candidate.serial(), reason, repeat, candidate.origin()));
        limits.count(candidate.origin());
        return new RegistryException(ProblemType.REGISTRATION_REFUSED, reason);
    }
}
