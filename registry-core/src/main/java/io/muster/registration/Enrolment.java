// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.credential.BrokerLogins;
import io.muster.credential.CredentialOrders;
import io.muster.credential.CredentialOrders.Owner;
import io.muster.credential.CredentialState;
import io.muster.credential.StoredCredential;
import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.device.DeviceTag;
import io.muster.fleet.Fleet;
import io.muster.fleet.LeftOut;
import io.muster.issuer.Issuers;
import io.muster.jose.PublicJwk;
import io.muster.once.Use;
import io.muster.ownership.Ownership;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.problem.RegistryException;
import io.muster.registration.Allowances.Allowance;
import io.muster.registration.RegisterAgain.Decision;
import io.muster.registration.RegistrationAttempt.OfferedKey;
import io.muster.spi.Candidate;
import io.muster.spi.Credential;
import io.muster.spi.Verdict;
import io.muster.user.User;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Creates device and credential in one short transaction. The unique constraint on fleet and serial decides races: a
 * device is inserted without looking first. A request that finds the serial taken registers again by the fleet's rule.
 * Thread-safe.
 */
@Part
public final class Enrolment {

    /** How many credentials of a device are kept that were voided before they were used. */
    private static final int VOID_KEPT = 50;

    /** The result of an enrolment. */
    sealed interface Outcome {

        /** Tells whether the serial was a device before. */
        boolean again();

        /** Returns what was enrolled, or throws the exception that the function makes of the refusal. */
        Enrolled orThrow(Function<Refused, RegistryException> refusal);
    }

    /**
     * A device and the reply to it.
     *
     * @param key of its credential
     */
    record Enrolled(Device device, String key, RegistrationReply reply, boolean again) implements Outcome {

        @Override
        public Enrolled orThrow(Function<Refused, RegistryException> refusal) {
            return this;
        }
    }

    /**
     * No credential was issued.
     *
     * @param reason for operators
     */
    record Refused(String reason, boolean again) implements Outcome {

        @Override
        public Enrolled orThrow(Function<Refused, RegistryException> refusal) {
            throw refusal.apply(this);
        }
    }

    /**
     * The result that an enrolment would have now.
     *
     * @param outcome {@code new}, {@code again} or {@code refused}
     * @param reason why it would be refused; else empty
     * @param deviceId the device that exists already
     */
    public record Preview(String outcome, String reason, Optional<String> deviceId) {}

    /**
     * A device that exists, and the request for it.
     *
     * @param device locked until the transaction ends
     * @param tags all tags of the device
     * @param credentials all that the device has
     * @param changed collects what the nodes must read again
     */
    private record Case(
            EntityManager em,
            RegistrationAttempt attempt,
            Fleet fleet,
            Device device,
            Map<String, String> tags,
            List<StoredCredential> credentials,
            Instant now,
            List<String> changed) {

        void revoke(StoredCredential credential) {
            credential.revoke();
            changed.add(credential.key());
        }
    }

    private final Database database;
    private final Changes changes;
    private final CredentialOrders orders;
    private final Issuers issuers;
    private final Receipts receipts;
    private final BrokerLogins logins;
    private final Ownership ownership;
    private final Audit audit;
    private final Ids ids;
    private final Clock clock;

    @Inject
    Enrolment(
            Database database,
            Changes changes,
            CredentialOrders orders,
            Issuers issuers,
            Receipts receipts,
            BrokerLogins logins,
            Ownership ownership,
            Audit audit,
            Ids ids,
            @Ours Clock clock) {
        this.database = database;
        this.changes = changes;
        this.orders = orders;
        this.issuers = issuers;
        this.receipts = receipts;
        this.logins = logins;
        this.ownership = ownership;
        this.audit = audit;
        this.ids = ids;
        this.clock = clock;
    }

    Outcome enrol(
            RegistrationAttempt attempt, Fleet fleet, Verdict.Genuine genuine, List<Use> uses, Optional<User> owner) {
        try {
            return create(attempt, fleet, genuine, uses, owner);
        } catch (Spending.UsedUpException e) {
            return new Refused(e.getMessage(), false);
        } catch (Ownership.OwnedByAnotherException e) {
            return new Refused(e.getMessage(), false);
        } catch (DuplicateException e) {
            return repeat(attempt, fleet, uses, owner);
        }
    }

    private Outcome repeat(RegistrationAttempt attempt, Fleet fleet, List<Use> uses, Optional<User> owner) {
        try {
            return again(attempt, fleet, uses, owner, Optional.empty());
        } catch (Spending.UsedUpException | Ownership.OwnedByAnotherException e) {
            return new Refused(e.getMessage(), true);
        }
    }

    private Outcome create(
            RegistrationAttempt attempt, Fleet fleet, Verdict.Genuine known, List<Use> uses, Optional<User> owner) {
        Candidate candidate = attempt.candidate();
        Verdict.Genuine genuine = fleet.document().complete(candidate.serial(), known, LeftOut.UNSAID);
        Instant now = clock.instant();
        byte[] id = ids.next();
        Device device = new Device(
                id, fleet.name(), candidate.serial(), genuine.name().orElse(null), genuine.attributes(), now);
        Map<String, String> tags = new HashMap<>(genuine.tags());
        tags.remove(DeviceTag.SERIAL);
        // Nobody but the registry says whom a device belongs to.
        tags.keySet().removeAll(DeviceTag.OF_OWNERS);
        Credential credential = issuers.issue(fleet.document().issuer(), device.registered(offeredMembers(attempt)));
        StoredCredential stored = credentialRow(
                credential,
                device,
                fleet,
                candidate.origin(),
                orders.of(fleet.name()).issuedAt(owner(device, tags), now),
                now,
                Optional.empty());
        Map<String, String> all = new LinkedHashMap<>(tags);
        all.put(DeviceTag.SERIAL, candidate.serial().value());
        RegistrationReply reply = receipts.reply(fleet, device, all, credential, stored.expiresAt(), attempt.seal());
        Optional<Ownership.Change> change = database.transaction(em -> {
            em.persist(device);
            // Flush now, before anything else is locked: a request that finds the serial taken must not hold a lock
            // that the other one waits for.
            em.flush();
            spend(em, uses, new Spending.Admission(candidate, credential.key(), true, now), device);
            em.persist(stored);
            Ownership.Admitted admitted = ownership.admitted(em, fleet, device, owner);
            // The reply does not have these: a device is not told whose it is.
            Map<String, String> shown = new HashMap<>(tags);
            shown.putAll(admitted.tags());
            DeviceStore.tag(em, id, shown);
            logins.issued(em, fleet.name(), id, credential);
            keep(em, attempt, fleet, credential.key(), reply, now);
            admitted(em, device, candidate.origin(), false, credential.key());
            return admitted.change();
        });
        logins.committed();
        change.ifPresent(ownership::committed);
        return new Enrolled(device, credential.key(), reply, false);
    }

    private void admitted(EntityManager em, Device device, String origin, boolean again, String key) {
        audit.admitted(em, device.fleet(), device.serial().value(), device.idBytes(), origin, again, key);
    }

    private void spend(EntityManager em, List<Use> uses, Spending.Admission admission, Device device) {
        Spending.spend(em, uses, admission);
        if (uses.contains(new Use.Approval())) {
            audit.record(
                    em,
                    Audit.Type.APPROVAL_USED,
                    device.fleet(),
                    device.serial().value(),
                    device.idBytes(),
                    admission.candidate().origin(),
                    "credential " + admission.key());
        }
    }

    private static Optional<Map<String, Object>> offeredMembers(RegistrationAttempt attempt) {
        return attempt.offered().map(OfferedKey::key).map(PublicJwk::members);
    }

    private static StoredCredential credentialRow(
            Credential credential,
            Device device,
            Fleet fleet,
            String origin,
            Instant issuedAt,
            Instant now,
            Optional<StoredCredential.Replacement> replacement) {
        return new StoredCredential(
                credential,
                device.idBytes(),
                origin,
                issuedAt,
                now.plus(fleet.document().unconfirmedLifetime()),
                replacement,
                fleet.document().credentialLifetime());
    }

    private static Optional<byte[]> sealedReplyId(RegistrationAttempt attempt, Fleet fleet) {
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
                    em,
                    sealedReplyId(attempt, fleet).orElseThrow(),
                    new SealedReplies.SealedReply(key, sealed.jwe()),
                    now);
        }
    }

    /**
     * Gives a device a further credential. The first use of that one retires the present one.
     *
     * @param attempt names the device by its serial
     * @param key of the present credential, with which the device authenticated
     */
    Outcome rotate(RegistrationAttempt attempt, Fleet fleet, String key) {
        return again(attempt, fleet, List.of(), Optional.empty(), Optional.of(key));
    }

    /** Registers again. If the key of a credential is given, renews that credential instead. */
    private Outcome again(
            RegistrationAttempt attempt, Fleet fleet, List<Use> uses, Optional<User> owner, Optional<String> renewed) {
        List<String> changed = new ArrayList<>();
        Supplier<Optional<Outcome>> decided = () -> database.transaction(em -> {
            changed.clear();
            Optional<Case> locked = locked(em, attempt, fleet, changed);
            if (locked.isEmpty()) {
                return Optional.empty();
            }
            Case one = locked.get();
            Ownership.checkAgain(one.tags(), owner);
            // Not from memory: a credential that a revoked one gets now would outlive the two seconds of the memory.
            CredentialOrders.OfFleet ordered = CredentialOrders.now(em, fleet.name());
            RegisterAgain rules = rules(fleet, ordered, one.device(), one.tags(), one.credentials(), one.now());
            Optional<Enrolled> replayed = replay(one, rules);
            if (replayed.isPresent()) {
                return Optional.of(replayed.get());
            }
            Optional<Allowance> allowance =
                    Allowances.open(em, fleet.name(), attempt.candidate().serial(), one.now());
            Optional<PublicJwk> offered = attempt.offered().map(OfferedKey::key);
            Decision decision = renewed.map(key -> rules.renew(key, offered))
                    .orElseGet(() -> rules.decide(offered, presented(attempt, one.device()), allowance.isPresent()));
            if (decision instanceof Decision.Same same) {
                return Optional.of(answerSame(one, same.credential()));
            }
            if (decision instanceof Decision.Further further) {
                Outcome granted = grant(
                        one, further, allowance, uses, ordered.issuedAt(owner(one.device(), one.tags()), one.now()));
                if (renewed.isEmpty() && granted instanceof Enrolled enrolled) {
                    admitted(em, one.device(), attempt.candidate().origin(), true, enrolled.key());
                }
                return Optional.of(granted);
            }
            return Optional.of(
                    new Refused(decision instanceof Decision.Refused no ? no.reason() : "nothing permits it", true));
        });
        // An order that revokes a lot locks no device, so on a cluster it may arrive here later than a device's
        // request.
        boolean byCredential = renewed.isPresent() || attempt.presented().isPresent();
        Optional<Outcome> outcome = byCredential ? database.newest(decided) : database.found(decided);
        changes.forget(changed);
        logins.committed();
        return outcome.orElseThrow(() -> new IllegalStateException("a device that was there is gone"));
    }

    private Optional<Case> locked(EntityManager em, RegistrationAttempt attempt, Fleet fleet, List<String> changed) {
        return DeviceStore.lock(em, fleet.name(), attempt.candidate().serial().value())
                .map(device -> new Case(
                        em,
                        attempt,
                        fleet,
                        device,
                        DeviceStore.tags(em, device),
                        StoredCredential.of(em, device.idBytes()),
                        clock.instant(),
                        changed));
    }

    /** Issues a further credential. */
    private Outcome grant(
            Case one, Decision.Further further, Optional<Allowance> allowance, List<Use> uses, Instant issuedAt) {
        EntityManager em = one.em();
        RegistrationAttempt attempt = one.attempt();
        Fleet fleet = one.fleet();
        Device device = one.device();
        Credential credential = issuers.issue(fleet.document().issuer(), device.registered(offeredMembers(attempt)));
        if (further.byAllowance() && !byAllowance(one, allowance.orElseThrow(), credential)) {
            return new Refused("the allowance for the serial is used already", true);
        }
        // Before any credential is void: an approval may be used again only if the credential that it brought was not.
        spend(em, uses, new Spending.Admission(attempt.candidate(), credential.key(), false, one.now()), device);
        if (further.voidUnused() || uses.contains(new Use.Approval())) {
            voidUnused(one);
        }
        // If several wait to replace one credential, the last one prevails.
        further.replacement().ifPresent(instead -> one.credentials().stream()
                .filter(waiting -> waiting.isToReplace(instead.key()))
                .forEach(one::revoke));
        StoredCredential stored = credentialRow(
                credential, device, fleet, attempt.candidate().origin(), issuedAt, one.now(), further.replacement());
        em.persist(stored);
        logins.issued(em, fleet.name(), device.idBytes(), credential);
        Enrolled enrolled = answer(one, credential, stored.expiresAt());
        changes.note(em, one.changed());
        return enrolled;
    }

    /**
     * Uses the allowance, and returns a retired device to service.
     *
     * @return false if it is used already
     */
    private boolean byAllowance(Case one, Allowance allowance, Credential credential) {
        if (!Allowances.use(one.em(), allowance, credential.key(), one.now())) {
            return false;
        }
        Device device = one.device();
        audit.record(
                one.em(),
                Audit.Type.ALLOWANCE_USED,
                one.fleet().name(),
                device.serial().value(),
                device.idBytes(),
                one.attempt().candidate().origin(),
                "allowance " + allowance.id() + ", credential " + credential.key());
        if (device.state() == DeviceState.RETIRED) {
            // The credentials from before it was retired stay revoked.
            one.credentials().forEach(one::revoke);
            device.revive();
            one.changed().add(device.id().value());
        }
        return true;
    }

    /** Answers with a credential. A sealed answer is kept in place of the previous one. */
    private Enrolled answer(Case one, Credential credential, Optional<Instant> expiresAt) {
        RegistrationReply reply = receipts.reply(
                one.fleet(),
                one.device(),
                Ownership.withoutOwner(one.tags()),
                credential,
                expiresAt,
                one.attempt().seal());
        sealedReplyId(one.attempt(), one.fleet()).ifPresent(id -> SealedReplies.drop(one.em(), id));
        keep(one.em(), one.attempt(), one.fleet(), credential.key(), reply, one.now());
        return new Enrolled(one.device(), credential.key(), reply, true);
    }

    private static Owner owner(Device device, Map<String, String> tags) {
        return new Owner(Optional.ofNullable(tags.get(DeviceTag.LOT)), device.id());
    }

    private static RegisterAgain rules(
            Fleet fleet,
            CredentialOrders.OfFleet ordered,
            Device device,
            Map<String, String> tags,
            List<StoredCredential> credentials,
            Instant now) {
        Owner owner = owner(device, tags);
        return new RegisterAgain(
                fleet.document().registerAgain(),
                device.state(),
                credentials,
                credential -> credential.isGood(now) && !ordered.revoke(owner, credential.createdAt()),
                fleet.document().rotationOverlap());
    }

    /** Returns the same bytes again, for a device that repeats its request because it did not get the reply. */
    private static Optional<Enrolled> replay(Case one, RegisterAgain rules) {
        if (one.device().state() != DeviceState.ACTIVE) {
            return Optional.empty();
        }
        return sealedReplyId(one.attempt(), one.fleet())
                .flatMap(id -> SealedReplies.find(one.em(), id, one.now()))
                .filter(kept -> rules.credentials().stream()
                        .filter(rules.isGood())
                        .filter(credential -> credential.state() == CredentialState.PROVISIONAL)
                        .anyMatch(credential -> credential.key().equals(kept.key())))
                .map(kept -> new Enrolled(one.device(), kept.key(), new RegistrationReply.Sealed(kept.jwe()), true));
    }

    /** Answers with the credential that the device has, because the device offered the key of it. */
    private Enrolled answerSame(Case one, StoredCredential has) {
        Credential credential = new Credential.PublicKey(
                has.key(), has.publicKey().orElseThrow().members(), Map.of());
        return answer(one, credential, has.expiresAt());
    }

    /** Returns the key of the credential that came with the request, if it belongs to this device. */
    private static Optional<String> presented(RegistrationAttempt attempt, Device device) {
        return attempt.presented()
                .filter(proved -> proved.deviceId().equals(device.id()))
                .map(proved -> proved.key());
    }

    private static void voidUnused(Case one) {
        List<StoredCredential> unused = one.credentials().stream()
                .filter(credential -> !credential.wasUsed())
                .toList();
        unused.stream()
                .filter(credential -> credential.state() == CredentialState.PROVISIONAL)
                .forEach(one::revoke);
        // A device that asks periodically must not make its list longer for ever.
        unused.stream().limit(Math.max(0, unused.size() - VOID_KEPT)).forEach(one.em()::remove);
    }

    /** Tells what the result would be, without changing anything. */
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
