package io.muster.registration;

import io.muster.config.MusterConfig;
import io.muster.credential.CredentialState;
import io.muster.credential.StoredCredential;
import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.device.DeviceTag;
import io.muster.fleet.Fleet;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.spi.Candidate;
import io.muster.spi.Credential;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.Verdict;
import io.muster.verification.Use;
import jakarta.persistence.EntityManager;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Device and credential in one short transaction. The unique constraint on fleet and serial decides races: a device is inserted
 * without looking first, and who finds it taken registers again by the fleet's rule. Thread-safe.
 */
public final class Enrolment {

    /**
     * What came of it.
     *
     * @param device the device, or empty if the rule refuses
     * @param reason why it was refused, for operators
     * @param repeat whether it was refused because the serial is a device already
     */
    record Outcome(Optional<Enrolled> device, String reason, boolean repeat) {

        static Outcome of(Enrolled device) {
            return new Outcome(Optional.of(device), null, false);
        }

        static Outcome refusedRepeat(String reason) {
            return new Outcome(Optional.empty(), reason, true);
        }
    }

    /**
     * What would come of it.
     *
     * @param outcome {@code new}, {@code again} or {@code refused}
     * @param reason why it would be refused; else empty
     * @param deviceId the device that is there already
     */
    public record Preview(String outcome, String reason, Optional<String> deviceId) {}

    /** A device with the credential it just got. */
    record Enrolled(Device device, Credential credential, Instant lapses, boolean again) {}

    private final Database database;
    private final Changes changes;
    private final CredentialIssuer issuer;
    private final Ids ids;
    private final Clock clock;

    Enrolment(Database database, Changes changes, CredentialIssuer issuer, Ids ids, Clock clock) {
        this.database = database;
        this.changes = changes;
        this.issuer = issuer;
        this.ids = ids;
        this.clock = clock;
    }

    Outcome enrol(Candidate candidate, Fleet fleet, Verdict.Genuine genuine, List<Use> uses) {
        try {
            return create(candidate, fleet, genuine, uses);
        } catch (Spending.UsedUpException e) {
            return new Outcome(Optional.empty(), e.getMessage(), false);
        } catch (DuplicateException e) {
            return repeat(candidate, fleet, uses);
        }
    }

    private Outcome repeat(Candidate candidate, Fleet fleet, List<Use> uses) {
        try {
            return again(candidate, fleet, uses);
        } catch (Spending.UsedUpException e) {
            return Outcome.refusedRepeat(e.getMessage());
        }
    }

    private Outcome create(Candidate candidate, Fleet fleet, Verdict.Genuine genuine, List<Use> uses) {
        Instant now = clock.instant();
        byte[] id = ids.next();
        Device device = new Device(
                id, fleet.name(), candidate.serial(), genuine.name().orElse(null), genuine.attributes(), now);
        Enrolled enrolled = issue(device, fleet, now, false);
        StoredCredential stored =
                new StoredCredential(enrolled.credential(), id, candidate.origin(), now, enrolled.lapses());
        Map<String, String> tags = new HashMap<>(genuine.tags());
        tags.remove(DeviceTag.SERIAL);
        database.transaction(em -> {
            em.persist(device);
            // Now, before anything else is locked: who finds the serial taken must not hold what the holder waits for.
            em.flush();
            Spending.spend(em, uses, candidate, true);
            em.persist(stored);
            DeviceStore.tag(em, id, tags);
            return null;
        });
        return Outcome.of(enrolled);
    }

    private Outcome again(Candidate candidate, Fleet fleet, List<Use> uses) {
        List<String> voided = new ArrayList<>();
        Outcome outcome = database.transaction(em -> {
            voided.clear();
            Device device = DeviceStore.lock(
                            em, fleet.name(), candidate.serial().value())
                    .orElseThrow(() -> new IllegalStateException("a device that was there is gone"));
            Optional<String> refusal = mayNotAgain(em, device, fleet.document().registerAgain());
            if (refusal.isPresent()) {
                return Outcome.refusedRepeat(refusal.get());
            }
            if (fleet.document().registerAgain() == MusterConfig.Again.UNTIL_CONFIRMED) {
                voidUnused(em, device, voided);
            }
            Spending.spend(em, uses, candidate, false);
            Instant now = clock.instant();
            Enrolled enrolled = issue(device, fleet, now, true);
            em.persist(new StoredCredential(
                    enrolled.credential(), device.idBytes(), candidate.origin(), now, enrolled.lapses()));
            changes.note(em, voided);
            return Outcome.of(enrolled);
        });
        changes.forget(voided);
        return outcome;
    }

    /** The rules of registering again. */
    private static Optional<String> mayNotAgain(EntityManager em, Device device, MusterConfig.Again rule) {
        if (device.state() != DeviceState.ACTIVE) {
            return Optional.of("the device is " + device.state().word());
        }
        return switch (rule) {
            case ALWAYS -> Optional.empty();
            case NEVER -> Optional.of("the serial is registered and the fleet's rule is never");
            case UNTIL_CONFIRMED ->
                StoredCredential.of(em, device.idBytes()).stream().anyMatch(StoredCredential::wasUsed)
                        ? Optional.of("the serial is registered and its credential was used")
                        : Optional.empty();
        };
    }

    private static void voidUnused(EntityManager em, Device device, List<String> voided) {
        for (StoredCredential credential : StoredCredential.of(em, device.idBytes())) {
            if (credential.state() == CredentialState.PROVISIONAL) {
                credential.revoke();
                voided.add(credential.key());
            }
        }
    }

    /** Tells what would come of it, without doing it. */
    Preview preview(Candidate candidate, Fleet fleet, List<Use> uses) {
        return database.read(em -> {
            Optional<Device> device =
                    DeviceStore.find(em, fleet.name(), candidate.serial().value());
            Optional<String> id = device.map(found -> found.id().value());
            Optional<String> refusal = device.flatMap(
                            found -> mayNotAgain(em, found, fleet.document().registerAgain()))
                    .or(() -> Spending.wouldRefuse(em, uses, candidate, device.isEmpty()));
            return refusal.map(reason -> new Preview("refused", reason, id))
                    .orElseGet(() -> new Preview(device.isEmpty() ? "new" : "again", "", id));
        });
    }

    private Enrolled issue(Device device, Fleet fleet, Instant now, boolean again) {
        Credential credential = issuer.issue(device.registered());
        return new Enrolled(device, credential, now.plus(fleet.document().unconfirmedLifetime()), again);
    }
}
