package io.muster.registration;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.audit.Audit;
import io.muster.config.MusterConfig;
import io.muster.credential.BrokerLogins;
import io.muster.credential.CredentialOrders;
import io.muster.credential.Issuers;
import io.muster.device.Device;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.problem.Limits;
import io.muster.problem.RareLog;
import io.muster.problem.RegistryException;
import io.muster.registration.RegistrationAttempt.OfferedKey;
import io.muster.registration.RegistrationAttempt.Seal;
import io.muster.spi.Candidate;
import io.muster.spi.DeviceRegistered;
import io.muster.spi.RegistrationRefused;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.Nonces;
import io.muster.verification.Proof;
import io.muster.verification.VerifierPolicy;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Registers devices. Thread-safe. */
public final class Registrar {

    private static final RareLog LOG = RareLog.of(Registrar.class);

    private final Fleets fleets;
    private final Limits limits;
    private final KeyProof keyProof;
    private final Enrolment enrolment;
    private final Audit audit;
    private final Consumer<Object> events;
    private final Clock clock;

    /** Wires the path of a registration. */
    public Registrar(
            MusterConfig config,
            Fleets fleets,
            Database database,
            Changes changes,
            CredentialOrders orders,
            BrokerLogins logins,
            Nonces nonces,
            Audit audit,
            Issuers issuers,
            Ids ids,
            Clock clock,
            Consumer<Object> events) {
        this.fleets = fleets;
        this.limits = new Limits(config.limits().refusals(), config.limits().window(), clock);
        this.keyProof = new KeyProof(config.issuer(), nonces, clock);
        this.enrolment = new Enrolment(
                database, changes, orders, issuers, new Receipts(config.issuer()), logins, audit, ids, clock);
        this.audit = audit;
        this.events = events;
        this.clock = clock;
    }

    /** Registers a device that asks for nothing but a secret, as {@link #register(RegistrationAttempt)} does. */
    public RegistrationReceipt register(Candidate candidate) {
        if (register(RegistrationAttempt.of(candidate)) instanceof RegistrationReply.Plain plain) {
            return plain.receipt();
        }
        throw new IllegalStateException("sealed, although nobody asked for it");
    }

    /**
     * Registers a device, new or again.
     *
     * @throws RegistryException {@code NOT_FOUND} for an unknown fleet; {@code TOO_MANY_REQUESTS}; {@code
     *     VERIFICATION_UNAVAILABLE} if a verifier could not find out; {@code REGISTRATION_REFUSED} for everything that is not
     *     admitted, without telling which
     */
    public RegistrationReply register(RegistrationAttempt asked) {
        Fleet fleet = fleets.find(asked.candidate().fleet())
                .orElseThrow(() -> new RegistryException(
                        ProblemType.NOT_FOUND, "no fleet " + asked.candidate().fleet()));
        limits.check(asked.candidate().origin());
        RegistrationAttempt attempt = proved(fleet, asked);
        Candidate candidate = attempt.candidate();
        long began = System.nanoTime();
        VerifierPolicy.Decided decided = decide(fleet, candidate);
        Proof proof = decided.proof();
        fleet.policy()
                .shadow(
                        candidate,
                        proof.verdict(),
                        (verifier, what) -> audit.disagreed(
                                fleet.name(), candidate.serial(), candidate.origin(), verifier + " " + what));
        if (!(proof.verdict() instanceof Verdict.Genuine found)) {
            String reason = proof.verdict() instanceof Verdict.Refused no ? no.reason() : "not genuine";
            note(candidate, reason, false);
            throw RegistryException.refused(
                    reason,
                    fleet.policy().leastRefusal(decided.complete(), Duration.ofNanos(System.nanoTime() - began)));
        }
        Verdict.Genuine genuine = tagged(found, fleet, candidate);
        Enrolment.Outcome outcome = enrolment.enrol(attempt, fleet, genuine, proof.uses());
        if (outcome.device().isEmpty()) {
            note(candidate, outcome.reason(), outcome.repeat());
            // Where everybody was asked it has taken as long as if the serial were unknown already.
            throw RegistryException.refused(
                    outcome.reason(),
                    decided.complete()
                            ? Duration.ZERO
                            : fleet.policy().leastRefusal(false, Duration.ofNanos(System.nanoTime() - began)));
        }
        Enrolment.Enrolled enrolled = outcome.device().get();
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

    /** Checks the key that the device offers, if it does, before anything costs more. */
    private RegistrationAttempt proved(Fleet fleet, RegistrationAttempt asked) {
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
        Optional<String> fault = keyProof.fault(asked.offered().get(), candidate.serial());
        if (fault.isPresent()) {
            // Before anybody was asked about the serial, whichever it is.
            note(candidate, fault.get(), false);
            throw RegistryException.refused(fault.get(), Duration.ZERO);
        }
        Candidate proved = new Candidate(
                candidate.serial(),
                candidate.fleet(),
                Optional.of(asked.offered().get().key().members()),
                candidate.evidence(),
                candidate.clientCertificates(),
                candidate.origin());
        return new RegistrationAttempt(proved, asked.offered(), asked.seal(), asked.presented());
    }

    /**
     * Gives a device a further credential beside the one that it has; the first use of the new one retires the old one, after the
     * fleet's overlap. Asking again before that voids the one that was not used, so a lost reply costs nothing.
     *
     * @param device who asks
     * @param presented the same, with the credential that is to be renewed
     * @param offered the key that it wants to keep the private half of; empty for a secret
     * @param seal how the reply is to be sealed
     * @param origin the address the request came from
     * @throws RegistryException {@code INVALID_REQUEST}, {@code CONFLICT} if the device or its credential is no longer good
     */
    public RegistrationReply rotate(
            Device device, Presented presented, Optional<OfferedKey> offered, Optional<Seal> seal, String origin) {
        Fleet fleet = fleets.get(device.fleet());
        Candidate candidate = Candidate.of(device.serial(), fleet.name(), origin);
        RegistrationAttempt attempt =
                proved(fleet, new RegistrationAttempt(candidate, offered, seal, Optional.empty()));
        Enrolment.Outcome outcome = enrolment.rotate(attempt, fleet, presented.key());
        return outcome.device()
                .map(Enrolment.Enrolled::reply)
                .orElseThrow(() -> RegistryException.withDetail(ProblemType.CONFLICT, outcome.reason()));
    }

    /** Adds the tag under which the fleet keeps the serial too, whatever a verifier says there. */
    private static Verdict.Genuine tagged(Verdict.Genuine genuine, Fleet fleet, Candidate candidate) {
        Optional<String> tag = fleet.document().wire().serialTag();
        if (tag.isEmpty()) {
            return genuine;
        }
        Map<String, String> tags = new LinkedHashMap<>(genuine.tags());
        tags.put(tag.get(), candidate.serial().value());
        return new Verdict.Genuine(genuine.name(), tags, genuine.attributes());
    }

    /**
     * Tells what would happen to a candidate now, and why. Nothing is changed by asking, and nothing is counted against limits.
     *
     * @throws RegistryException {@code NOT_FOUND} for an unknown fleet
     */
    public Explanation explain(Candidate candidate) {
        Fleet fleet = fleets.find(candidate.fleet())
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no fleet " + candidate.fleet()));
        VerifierPolicy.Explanation verification = fleet.policy().explain(candidate);
        return new Explanation(verification, enrolment.preview(candidate, fleet, verification.uses()));
    }

    /**
     * What would happen.
     *
     * @param verification what the verifiers say, and what the policy decides
     * @param registration what the fleet's rule of registering again would say to a serial that is admitted
     */
    public record Explanation(VerifierPolicy.Explanation verification, Enrolment.Preview registration) {}

    private static VerifierPolicy.Decided decide(Fleet fleet, Candidate candidate) {
        try {
            return fleet.policy().decide(candidate);
        } catch (VerificationUnavailableException e) {
            LOG.warn(fleet.name(), "A registration in fleet {} cannot be decided: {}", fleet.name(), e.getMessage());
            throw new RegistryException(ProblemType.VERIFICATION_UNAVAILABLE, e.getMessage());
        }
    }

    private void note(Candidate candidate, String reason, boolean repeat) {
        limits.refused(candidate.origin());
        audit.refused(candidate.fleet(), candidate.serial(), candidate.origin(), reason, repeat);
        events.accept(new RegistrationRefused(
                clock.instant(), candidate.fleet(), candidate.serial(), reason, repeat, candidate.origin()));
    }
}
