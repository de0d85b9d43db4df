package io.muster.registration;

import io.muster.audit.Audit;
import io.muster.credential.BrokerLogins;
import io.muster.credential.CredentialOrders;
import io.muster.credential.CredentialOrders.Owner;
import io.muster.credential.CredentialState;
import io.muster.credential.Issuers;
import io.muster.credential.StoredCredential;
import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.device.DeviceTag;
import io.muster.fleet.Fleet;
import io.muster.jose.PublicJwk;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.registration.Allowances.Allowance;
import io.muster.registration.RegisterAgain.Decision;
import io.muster.registration.RegistrationAttempt.OfferedKey;
import io.muster.spi.Candidate;
import io.muster.spi.Credential;
import io.muster.spi.Verdict;
import io.muster.verification.Use;
import jakarta.persistence.EntityManager;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Device and credential in one short transaction. The unique constraint on fleet and serial decides races: a device is inserted
 * without looking first, and who finds it taken registers again by the fleet's rule. Thread-safe.
 */
public final class Enrolment {

    /** So many credentials of a device are kept that were void before they were used. */
    private static final int VOID_KEPT = 50;

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

    /**
     * A device and what it is answered.
     *
     * @param key of its credential
     * @param again whether it was a device before
     */
    record Enrolled(Device device, String key, RegistrationReply reply, boolean again) {}

    private final Database database;
    private final Changes changes;
    private final CredentialOrders orders;
    private final Issuers issuers;
    private final Receipts receipts;
    private final BrokerLogins logins;
    private final Audit audit;
    private final Ids ids;
    private final Clock clock;

    Enrolment(
            Database database,
            Changes changes,
            CredentialOrders orders,
            Issuers issuers,
            Receipts receipts,
            BrokerLogins logins,
            Audit audit,
            Ids ids,
            Clock clock) {
        this.database = database;
        this.changes = changes;
        this.orders = orders;
        this.issuers = issuers;
        this.receipts = receipts;
        this.logins = logins;
        this.audit = audit;
        this.ids = ids;
        this.clock = clock;
    }

    Outcome enrol(RegistrationAttempt attempt, Fleet fleet, Verdict.Genuine genuine, List<Use> uses) {
        try {
            return create(attempt, fleet, genuine, uses);
        } catch (Spending.UsedUpException e) {
            return new Outcome(Optional.empty(), e.getMessage(), false);
        } catch (DuplicateException e) {
            return repeat(attempt, fleet, uses);
        }
    }

    private Outcome repeat(RegistrationAttempt attempt, Fleet fleet, List<Use> uses) {
        try {
            return again(attempt, fleet, uses, Optional.empty());
        } catch (Spending.UsedUpException e) {
            return Outcome.refusedRepeat(e.getMessage());
        }
    }

    private Outcome create(RegistrationAttempt attempt, Fleet fleet, Verdict.Genuine genuine, List<Use> uses) {
        Candidate candidate = attempt.candidate();
        Instant now = clock.instant();
        byte[] id = ids.next();
        Device device = new Device(
                id, fleet.name(), candidate.serial(), genuine.name().orElse(null), genuine.attributes(), now);
        Map<String, String> tags = new HashMap<>(genuine.tags());
        tags.remove(DeviceTag.SERIAL);
        Credential credential = issuers.issue(fleet.document().issuer(), device.registered(offered(attempt)));
        StoredCredential stored = store(credential, device, fleet, candidate.origin(), now, Optional.empty());
        Map<String, String> all = new LinkedHashMap<>(tags);
        all.put(DeviceTag.SERIAL, candidate.serial().value());
        RegistrationReply reply = receipts.reply(fleet, device, all, credential, stored.expiresAt(), attempt.seal());
        database.transaction(em -> {
            em.persist(device);
            // Now, before anything else is locked: who finds the serial taken must not hold what the holder waits for.
            em.flush();
            Spending.spend(em, uses, candidate, true);
            em.persist(stored);
            DeviceStore.tag(em, id, tags);
            logins.issued(em, fleet.name(), id, credential);
            keep(em, attempt, fleet, credential.key(), reply, now);
            return null;
        });
        logins.committed();
        return Outcome.of(new Enrolled(device, credential.key(), reply, false));
    }

    private static Optional<Map<String, Object>> offered(RegistrationAttempt attempt) {
        return attempt.offered().map(OfferedKey::key).map(PublicJwk::members);
    }

    private static StoredCredential store(
            Credential credential,
            Device device,
            Fleet fleet,
            String origin,
            Instant now,
            Optional<StoredCredential.Replacement> replacement) {
        return new StoredCredential(
                credential,
                device.idBytes(),
                origin,
                now,
                now.plus(fleet.document().unconfirmedLifetime()),
                replacement,
                fleet.document().credentialLifetime());
    }

    private static Optional<byte[]> sealedId(RegistrationAttempt attempt, Fleet fleet) {
        return attempt.seal()
                .map(seal -> SealedReplies.id(
                        fleet.name(),
                        attempt.candidate().serial(),
                        seal,
                        attempt.offered().map(OfferedKey::key)));
    }

    private static void keep(
            EntityManager em,
            RegistrationAttempt attempt,
            Fleet fleet,
            String key,
            RegistrationReply reply,
            Instant now) {
        if (reply instanceof RegistrationReply.Sealed sealed) {
            SealedReplies.keep(
                    em, sealedId(attempt, fleet).orElseThrow(), new SealedReplies.Kept(key, sealed.jwe()), now);
        }
    }

    /**
     * Gives a device a further credential, whose first use retires the one that it has.
     *
     * @param attempt names the device by its serial
     * @param key of the credential that it has, and authenticated with
     */
    Outcome rotate(RegistrationAttempt attempt, Fleet fleet, String key) {
        return again(attempt, fleet, List.of(), Optional.of(key));
    }

    /** Registers again, or, where the key of a credential is given, renews that one. */
    private Outcome again(RegistrationAttempt attempt, Fleet fleet, List<Use> uses, Optional<String> renewed) {
        List<String> changed = new ArrayList<>();
        CredentialOrders.OfFleet ordered = orders.of(fleet.name());
        Outcome outcome = database.transaction(em -> {
            changed.clear();
            Device device = DeviceStore.lock(
                            em, fleet.name(), attempt.candidate().serial().value())
                    .orElseThrow(() -> new IllegalStateException("a device that was there is gone"));
            Instant now = clock.instant();
            Map<String, String> tags = DeviceStore.tags(em, device);
            List<StoredCredential> credentials = StoredCredential.of(em, device.idBytes());
            RegisterAgain rules = rules(fleet, ordered, device, tags, credentials, now);
            Optional<Enrolled> same = replay(em, attempt, fleet, device, rules, now);
            if (same.isPresent()) {
                return Outcome.of(same.get());
            }
            Optional<Allowance> allowance =
                    Allowances.open(em, fleet.name(), attempt.candidate().serial(), now);
            Optional<PublicJwk> offered = attempt.offered().map(OfferedKey::key);
            Decision decision = renewed.map(key -> rules.renew(key, offered))
                    .orElseGet(() -> rules.decide(offered, presented(attempt, device), allowance.isPresent()));
            if (decision instanceof Decision.Same one) {
                return Outcome.of(same(em, attempt, fleet, device, tags, one.credential(), now));
            }
            if (!(decision instanceof Decision.Further further)) {
                return Outcome.refusedRepeat(
                        decision instanceof Decision.Refused no ? no.reason() : "nothing permits it");
            }
            Credential credential = issuers.issue(fleet.document().issuer(), device.registered(offered(attempt)));
            if (further.byAllowance()) {
                if (!Allowances.use(em, allowance.orElseThrow(), credential.key(), now)) {
                    return Outcome.refusedRepeat("the allowance for the serial is used already");
                }
                audit.record(
                        em,
                        Audit.Type.ALLOWANCE_USED,
                        fleet.name(),
                        device.serial().value(),
                        device.idBytes(),
                        attempt.candidate().origin(),
                        "allowance " + allowance.get().id() + ", credential " + credential.key());
                if (device.state() == DeviceState.RETIRED) {
                    // What it had before it was retired does not come back with it.
                    credentials.forEach(one -> revoke(one, changed));
                    device.revive();
                    changed.add(device.id().value());
                }
            }
            if (further.voidUnused()) {
                voidUnused(em, credentials, changed);
            }
            // Of several that wait to replace one credential, the last one counts.
            further.replacement().ifPresent(instead -> credentials.stream()
                    .filter(one -> one.isToReplace(instead.key()))
                    .forEach(one -> revoke(one, changed)));
            Spending.spend(em, uses, attempt.candidate(), false);
            StoredCredential stored =
                    store(credential, device, fleet, attempt.candidate().origin(), now, further.replacement());
            em.persist(stored);
            logins.issued(em, fleet.name(), device.idBytes(), credential);
            RegistrationReply reply =
                    receipts.reply(fleet, device, tags, credential, stored.expiresAt(), attempt.seal());
            sealedId(attempt, fleet).ifPresent(id -> SealedReplies.drop(em, id));
            keep(em, attempt, fleet, credential.key(), reply, now);
            changes.note(em, changed);
            return Outcome.of(new Enrolled(device, credential.key(), reply, true));
        });
        changes.forget(changed);
        logins.committed();
        return outcome;
    }

    private static RegisterAgain rules(
            Fleet fleet,
            CredentialOrders.OfFleet ordered,
            Device device,
            Map<String, String> tags,
            List<StoredCredential> credentials,
            Instant now) {
        Owner owner = new Owner(Optional.ofNullable(tags.get(DeviceTag.LOT)), device.id());
        return new RegisterAgain(
                fleet.document().registerAgain(),
                device.state(),
                credentials,
                credential -> credential.isGood(now) && !ordered.revoke(owner, credential.createdAt()),
                fleet.document().rotationOverlap());
    }

    /** The same bytes again, for a device that asks the same again because it did not get them. */
    private static Optional<Enrolled> replay(
            EntityManager em,
            RegistrationAttempt attempt,
            Fleet fleet,
            Device device,
            RegisterAgain rules,
            Instant now) {
        if (device.state() != DeviceState.ACTIVE) {
            return Optional.empty();
        }
        return sealedId(attempt, fleet)
                .flatMap(id -> SealedReplies.find(em, id, now))
                .filter(kept -> rules.credentials().stream()
                        .filter(rules.isGood())
                        .filter(credential -> credential.state() == CredentialState.PROVISIONAL)
                        .anyMatch(credential -> credential.key().equals(kept.key())))
                .map(kept -> new Enrolled(device, kept.key(), new RegistrationReply.Sealed(kept.jwe()), true));
    }

    private Enrolled same(
            EntityManager em,
            RegistrationAttempt attempt,
            Fleet fleet,
            Device device,
            Map<String, String> tags,
            StoredCredential has,
            Instant now) {
        Credential credential = new Credential.PublicKey(
                has.key(), has.publicKey().orElseThrow().members(), Map.of());
        RegistrationReply reply = receipts.reply(fleet, device, tags, credential, has.expiresAt(), attempt.seal());
        sealedId(attempt, fleet).ifPresent(id -> SealedReplies.drop(em, id));
        keep(em, attempt, fleet, has.key(), reply, now);
        return new Enrolled(device, has.key(), reply, true);
    }

    /** The credential that came with the request, if it is one of this device. */
    private static Optional<String> presented(RegistrationAttempt attempt, Device device) {
        return attempt.presented()
                .filter(proved -> proved.deviceId().equals(device.id()))
                .map(proved -> proved.key());
    }

    private static void voidUnused(EntityManager em, List<StoredCredential> credentials, List<String> changed) {
        List<StoredCredential> unused =
                credentials.stream().filter(one -> !one.wasUsed()).toList();
        unused.stream()
                .filter(one -> one.state() == CredentialState.PROVISIONAL)
                .forEach(one -> revoke(one, changed));
        // Whoever asks again and again must not make the device's list longer for ever.
        unused.stream().limit(Math.max(0, unused.size() - VOID_KEPT)).forEach(em::remove);
    }

    private static void revoke(StoredCredential credential, List<String> changed) {
        credential.revoke();
        changed.add(credential.key());
    }

    /** Tells what would come of it, without doing it. */
    Preview preview(Candidate candidate, Fleet fleet, List<Use> uses) {
        CredentialOrders.OfFleet ordered = orders.of(fleet.name());
        return database.read(em -> {
            Optional<Device> device =
                    DeviceStore.find(em, fleet.name(), candidate.serial().value());
            Optional<String> id = device.map(found -> found.id().value());
            Optional<String> refusal = device.flatMap(found -> refusal(em, candidate, fleet, ordered, found))
                    .or(() -> Spending.wouldRefuse(em, uses, candidate, device.isEmpty()));
            return refusal.map(reason -> new Preview("refused", reason, id))
                    .orElseGet(() -> new Preview(device.isEmpty() ? "new" : "again", "", id));
        });
    }

    private Optional<String> refusal(
            EntityManager em, Candidate candidate, Fleet fleet, CredentialOrders.OfFleet ordered, Device device) {
        Instant now = clock.instant();
        RegisterAgain rules = rules(
                fleet, ordered, device, DeviceStore.tags(em, device), StoredCredential.of(em, device.idBytes()), now);
        boolean allowed =
                Allowances.open(em, fleet.name(), candidate.serial(), now).isPresent();
        return rules.decide(Optional.empty(), Optional.empty(), allowed) instanceof Decision.Refused no
                ? Optional.of(no.reason())
                : Optional.empty();
    }
}
