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
final class Enrolment {

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
            Optional<String> refusal = refusal(em, device, fleet.config().again(), voided);
            if (refusal.isPresent()) {
                return Outcome.refusedRepeat(refusal.get());
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

    /** The rules of registering again; a voided credential is noted in the list. */
    private static Optional<String> refusal(
            EntityManager em, Device device, MusterConfig.Again rule, List<String> voided) {
        if (device.state() != DeviceState.ACTIVE) {
            return Optional.of("the device is " + device.state().word());
        }
        return switch (rule) {
            case ALWAYS -> Optional.empty();
            case NEVER -> Optional.of("the serial is registered and the fleet's rule is never");
            case UNTIL_CONFIRMED -> {
                List<StoredCredential> credentials = StoredCredential.of(em, device.idBytes());
                if (credentials.stream().anyMatch(StoredCredential::wasUsed)) {
                    yield Optional.of("the serial is registered and its credential was used");
                }
                for (StoredCredential credential : credentials) {
                    if (credential.state() == CredentialState.PROVISIONAL) {
                        credential.revoke();
                        voided.add(credential.key());
                    }
                }
                yield Optional.empty();
            }
        };
    }

    private Enrolled issue(Device device, Fleet fleet, Instant now, boolean again) {
        Credential credential = issuer.issue(device.registered());
        return new Enrolled(device, credential, now.plus(fleet.config().unconfirmedLifetime()), again);
    }
}
