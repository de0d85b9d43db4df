package io.muster.registration;

import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.audit.Audit;
import io.muster.config.MusterConfig;
import io.muster.device.Device;
import io.muster.device.DeviceStore;
import io.muster.device.DeviceTag;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.DeviceRegistered;
import io.muster.spi.RegistrationRefused;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.Proof;
import io.muster.verification.VerifierPolicy;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Registers devices. Thread-safe. */
public final class Registrar {

    private static final Logger LOG = LoggerFactory.getLogger(Registrar.class);
    private static final Duration RETRY_AFTER = Duration.ofSeconds(5);

    private final Fleets fleets;
    private final Limits limits;
    private final Enrolment enrolment;
    private final DeviceStore devices;
    private final Audit audit;
    private final Consumer<Object> events;
    private final Clock clock;
    private final Map<String, String> links;

    /** Wires the path of a registration. */
    public Registrar(
            MusterConfig config,
            Fleets fleets,
            Database database,
            Changes changes,
            DeviceStore devices,
            Audit audit,
            CredentialIssuer issuer,
            Ids ids,
            Clock clock,
            Consumer<Object> events) {
        this.fleets = fleets;
        this.limits = new Limits(config.limits(), clock);
        this.enrolment = new Enrolment(database, changes, issuer, ids, clock);
        this.devices = devices;
        this.audit = audit;
        this.events = events;
        this.clock = clock;
        this.links = links(config.issuer());
    }

    private static Map<String, String> links(URI issuer) {
        String base = issuer.toString().replaceAll("/+$", "");
        Map<String, String> links = new LinkedHashMap<>();
        links.put("token", base + "/token");
        links.put("device", base + "/devices/me");
        return links;
    }

    /**
     * Registers a device, new or again.
     *
     * @throws RegistryException {@code NOT_FOUND} for an unknown fleet; {@code TOO_MANY_REQUESTS}; {@code
     *     VERIFICATION_UNAVAILABLE} if a verifier could not find out; {@code REGISTRATION_REFUSED} for everything that is not
     *     admitted, without telling which
     */
    public RegistrationReceipt register(Candidate candidate) {
        Fleet fleet = fleets.find(candidate.fleet())
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no fleet " + candidate.fleet()));
        limits.check(candidate.origin());
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
        Enrolment.Outcome outcome = enrolment.enrol(candidate, fleet, genuine, proof.uses());
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
                enrolled.credential().key(),
                enrolled.again(),
                candidate.origin()));
        return receipt(fleet, enrolled, genuine);
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
            LOG.warn("A registration in fleet {} cannot be decided: {}", fleet.name(), e.getMessage());
            throw RegistryException.later(ProblemType.VERIFICATION_UNAVAILABLE, e.getMessage(), RETRY_AFTER);
        }
    }

    private void note(Candidate candidate, String reason, boolean repeat) {
        limits.refused(candidate.origin());
        audit.refused(candidate.fleet(), candidate.serial(), candidate.origin(), reason, repeat);
        events.accept(new RegistrationRefused(
                clock.instant(), candidate.fleet(), candidate.serial(), reason, repeat, candidate.origin()));
    }

    private RegistrationReceipt receipt(Fleet fleet, Enrolment.Enrolled enrolled, Verdict.Genuine genuine) {
        Device device = enrolled.device();
        Map<String, String> tags = new LinkedHashMap<>();
        if (enrolled.again()) {
            tags.putAll(devices.tags(device));
        } else {
            tags.putAll(genuine.tags());
            tags.put(DeviceTag.SERIAL, device.serial().value());
        }
        return new RegistrationReceipt(
                device.id().value(),
                enrolled.credential().key(),
                enrolled.credential().secret(),
                fleet.name(),
                device.name(),
                tags,
                device.attributes(),
                fleet.document().configuration(),
                enrolled.lapses(),
                links);
    }
}
