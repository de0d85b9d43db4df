// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.device.Device;
import io.muster.device.DeviceRows;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.fleet.ClaimRules;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.limit.Limits;
import io.muster.once.UsedOnce;
import io.muster.ownership.Ownership.Change;
import io.muster.ownership.Ownership.Locked;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.spi.SerialNumber;
import io.muster.user.User;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.io.Serial;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Users claim devices, and look after those that they own. Thread-safe. */
@Part
public final class Claims {

    private static final String LISTED = "SELECT state, listed FROM expected_serial WHERE fleet = ? AND serial = ?";
    private static final String DEVICE = "SELECT 1 FROM device WHERE fleet = ? AND serial = ?";

    /**
     * An accepted claim.
     *
     * @param device the device as its owner sees it
     * @param again whether it belonged to the user already
     */
    public record Claimed(OwnedDevice device, boolean again) {}

    /** A claim that is refused. */
    private static final class RefusedException extends RuntimeException {

        @Serial
        private static final long serialVersionUID = 1;

        RefusedException(String reason) {
            super(reason, null, false, false);
        }
    }

    /** The serial that a claim is about, found before anything is locked. */
    private record Target(Fleet fleet, ClaimRules rules, String serial) {}

    /** The decision of a transaction. */
    private record Decided(byte[] claimId, Optional<Change> change) {}

    /**
     * How many changes a user may make on a node within {@code muster.limits.window}: claims that change an owner,
     * releases, codes for the next owner, names and tags. Each is kept on record.
     */
    static final int MOST_CHANGES = 1_000;

    private final Database database;
    private final Fleets fleets;
    private final Ownership ownership;
    private final OwnedDevices devices;
    private final ClaimCodes codes;
    private final Audit audit;
    private final Limits byUser;
    private final Limits byAddress;
    private final Limits bySerial;
    private final Limits changes;
    private final Clock clock;

    @Inject
    Claims(
            Database database,
            Fleets fleets,
            Ownership ownership,
            OwnedDevices devices,
            ClaimCodes codes,
            Audit audit,
            MusterConfig config,
            @Ours Clock clock) {
        this.database = database;
        this.fleets = fleets;
        this.ownership = ownership;
        this.devices = devices;
        this.codes = codes;
        this.audit = audit;
        this.byUser = limits(config, clock);
        this.byAddress = limits(config, clock);
        this.bySerial = limits(config, clock);
        this.changes = new Limits(MOST_CHANGES, config.limits().window(), clock);
        this.clock = clock;
    }

    private static Limits limits(MusterConfig config, Clock clock) {
        return new Limits(config.limits().claims(), config.limits().window(), clock);
    }

    /**
     * Makes a user, or a group of the user, the owner of a device. Doing it again changes nothing.
     *
     * @param watch tells afterwards when a refusal is to be answered
     * @throws RegistryException {@code NOT_IN_GROUP}; {@code TOO_MANY_REQUESTS}; {@code CLAIM_REFUSED} for everything
     *     that is unknown, wrong or cannot be claimed, without the reason; {@code ALREADY_CLAIMED} if somebody else
     *     owns it and the user presents a code of it
     */
    public Claimed claim(Claim claim, EvenClaims.Watch watch) {
        claim.group().filter(group -> !claim.user().groups().contains(group)).ifPresent(group -> {
            throw new RegistryException(ProblemType.NOT_IN_GROUP, "the user is not in the group");
        });
        changes.check(account(claim.user()));
        // Each counts as refused until it is not: guesses at the same time cannot exceed a limit.
        List<Limits.Attempt> attempts = attempts(claim);
        Optional<Target> target = Optional.empty();
        Decided decided;
        try {
            target = Optional.of(target(claim));
            Target found = target.get();
            try {
                decided = database.transaction(em -> decide(em, claim, found));
            } finally {
                watch.decided();
            }
        } catch (RefusedException e) {
            audit.claimRefused(
                    target.map(found -> found.fleet().name()).orElse(null),
                    target.map(Target::serial).orElse(null),
                    Owner.text(claim.user()),
                    e.getMessage());
            throw new RegistryException(ProblemType.CLAIM_REFUSED, e.getMessage());
        } catch (RuntimeException e) {
            if (!(e instanceof RegistryException told) || told.type() != ProblemType.ALREADY_CLAIMED) {
                attempts.forEach(Limits.Attempt::takeBack);
            }
            throw e;
        }
        attempts.forEach(Limits.Attempt::takeBack);
        decided.change().ifPresent(change -> {
            ownership.committed(change);
            changes.attempt(account(claim.user()));
        });
        return new Claimed(
                // Somebody may have changed the owner again since the commit.
                devices.byId(decided.claimId())
                        .filter(device -> device.owner().includes(claim.user()))
                        .orElseThrow(() -> new RegistryException(ProblemType.CLAIM_REFUSED, "it was taken back")),
                decided.change().isEmpty());
    }

    private List<Limits.Attempt> attempts(Claim claim) {
        List<Limits.Attempt> attempts = new ArrayList<>();
        try {
            attempts.add(byAddress.attempt(claim.origin()));
            attempts.add(byUser.attempt(account(claim.user())));
            named(claim.by()).ifPresent(name -> attempts.add(bySerial.attempt(name)));
            return attempts;
        } catch (RegistryException e) {
            // It is not decided, so it counts nowhere.
            attempts.forEach(Limits.Attempt::takeBack);
            throw e;
        }
    }

    private static String account(User user) {
        return "user " + Ids.hex(user.key());
    }

    /** Returns what a user names who presents no code. Whether it exists makes no difference. */
    private static Optional<String> named(Claim.Knowledge by) {
        if (by instanceof Claim.BySerial named) {
            return Optional.of("serial " + Ids.hex(UsedOnce.id(named.fleet(), named.text())));
        }
        return by instanceof Claim.ByTag named
                ? Optional.of("tag " + Ids.hex(UsedOnce.id(named.fleet(), named.name(), named.text())))
                : Optional.empty();
    }

    /** Finds what the claim is about, and writes nothing: anybody may name serials that do not exist. */
    private Target target(Claim claim) {
        if (claim.by() instanceof Claim.ByCode by) {
            ClaimCodes.Stored code = codes.find(by.code())
                    .filter(stored -> stored.isKnown(clock.instant()))
                    .orElseThrow(() -> new RefusedException("there is no such code"));
            Target target = target(claim, code.fleet(), code.serial());
            boolean allowed = code.kind() == ClaimCodes.Kind.TRANSFER
                    ? target.rules().transfer()
                    : target.rules().by().contains(ClaimRules.By.CODE);
            return when(allowed, target, "the fleet's devices are not claimed by such a code");
        }
        if (claim.by() instanceof Claim.BySerial by) {
            return target(claim, by.fleet(), by.text(), ClaimRules.By.SERIAL, Optional.empty());
        }
        Claim.ByTag by = (Claim.ByTag) claim.by();
        return target(claim, by.fleet(), by.text(), ClaimRules.By.TAG, Optional.of(by.name()));
    }

    private Target target(Claim claim, String fleet, String text, ClaimRules.By by, Optional<String> tag) {
        Target target = target(claim, fleet, "");
        when(
                target.rules().by().contains(by) && target.rules().tag().equals(tag.or(target.rules()::tag)),
                target,
                "the fleet's devices are not claimed by that");
        boolean isSerial =
                tag.isEmpty() || tag.equals(target.fleet().document().wire().serialTag());
        Optional<String> serial = isSerial
                ? target.fleet().document().serials().presented(text).map(SerialNumber::value)
                : tagged(fleet, tag.get(), text);
        Target found = new Target(
                target.fleet(),
                target.rules(),
                serial.orElseThrow(() -> new RefusedException("there is no such serial, or more than one")));
        return when(isKnown(fleet, found.serial()), found, "the serial is neither a device nor in the list");
    }

    private static Target when(boolean condition, Target target, String otherwise) {
        if (!condition) {
            throw new RefusedException(otherwise);
        }
        return target;
    }

    private Target target(Claim claim, String fleetName, String serial) {
        Fleet fleet = fleets.find(fleetName).orElseThrow(() -> new RefusedException("there is no such fleet"));
        ClaimRules rules = fleet.document()
                .claims()
                .filter(claims -> claims.isOpenTo(claim.user().provider()))
                .orElseThrow(() -> new RefusedException("the fleet has no devices that this user may claim"));
        return when(
                rules.to().contains(claim.group().isPresent() ? ClaimRules.To.GROUP : ClaimRules.To.USER),
                new Target(fleet, rules, serial),
                "the fleet's devices do not belong to " + (claim.group().isPresent() ? "groups" : "users alone"));
    }

    /** Returns the serial of the one device with this tag; empty if there is none, or not only one. */
    private Optional<String> tagged(String fleet, String name, String text) {
        DeviceStore.Filter filter = new DeviceStore.Filter(
                Set.of(fleet), Optional.empty(), Optional.of(Map.entry(name, text)), Optional.empty());
        DeviceRows.Some found = database.jdbc(connection -> DeviceRows.list(connection, filter, new byte[16], 2));
        return found.devices().size() == 1 && found.next().isEmpty()
                ? Optional.of(found.devices().get(0).serial().value())
                : Optional.empty();
    }

    private boolean isKnown(String fleet, String serial) {
        return database.jdbc(connection -> Sql.of(DEVICE, fleet, serial)
                        .exists()
                        .in(connection)
                || Sql.of(LISTED + " AND listed", fleet, serial).exists().in(connection));
    }

    private Decided decide(EntityManager em, Claim claim, Target target) {
        String fleet = target.fleet().name();
        Locked locked = ownership.lock(em, fleet, target.serial());
        Optional<ClaimCode> code = claim.by() instanceof Claim.ByCode by ? Optional.of(by.code()) : Optional.empty();
        Optional<ClaimCodes.Stored> stored = code.map(presented -> ClaimCodes.find(em, presented)
                .filter(found -> found.isKnown(clock.instant()))
                .filter(found -> found.fleet().equals(fleet) && found.serial().equals(target.serial()))
                .orElseThrow(() -> new RefusedException("the code is worthless by now")));
        if (locked.device()
                .filter(device -> device.state() == DeviceState.RETIRED)
                .isPresent()) {
            throw new RefusedException("the device is retired");
        }
        checkList(
                em, fleet, target.serial(), code.isPresent() || locked.device().isPresent());
        if (locked.row().owner().isPresent()) {
            return owned(em, claim, target, locked, stored);
        }
        if (stored.filter(found -> found.isUsed() || found.kind() == ClaimCodes.Kind.TRANSFER)
                .isPresent()) {
            throw new RefusedException("the code was used before");
        }
        code.ifPresent(presented -> use(em, presented));
        return changed(em, claim, target, locked, Audit.Type.DEVICE_CLAIMED);
    }

    /**
     * Checks that the serial is not blocked.
     *
     * @param found whether it may be claimed even if it is not in the list
     */
    private static void checkList(EntityManager em, String fleet, String serial, boolean found) {
        List<?> rows = em.createNativeQuery(LISTED)
                .setParameter(1, fleet)
                .setParameter(2, serial)
                .getResultList();
        if (rows.isEmpty()) {
            if (!found) {
                throw new RefusedException("the serial is not in the list");
            }
            return;
        }
        if (!String.valueOf(((Object[]) rows.get(0))[0]).equals("E")) {
            throw new RefusedException("the serial is blocked");
        }
    }

    /** Decides the claim of a device that has an owner. */
    private Decided owned(
            EntityManager em, Claim claim, Target target, Locked locked, Optional<ClaimCodes.Stored> code) {
        Owner owner = locked.row().owner().orElseThrow();
        if (owner.includes(claim.user())) {
            if (!owner.group().equals(claim.group())) {
                throw RegistryException.withDetail(
                        ProblemType.ALREADY_CLAIMED,
                        "it is yours already, but belongs to " + (owner.group().isPresent() ? "a group" : "you alone"));
            }
            // Its owner knows the code now, so it must be worthless after a release.
            code.filter(found -> !found.isUsed() && found.kind() != ClaimCodes.Kind.TRANSFER)
                    .ifPresent(found -> use(em, ((Claim.ByCode) claim.by()).code()));
            return new Decided(locked.row().id(), Optional.empty());
        }
        if (code.isEmpty()) {
            throw new RefusedException("it belongs to somebody else");
        }
        if (code.get().kind() != ClaimCodes.Kind.TRANSFER || code.get().isUsed()) {
            throw new RegistryException(ProblemType.ALREADY_CLAIMED, "it belongs to somebody else");
        }
        use(em, ((Claim.ByCode) claim.by()).code());
        return changed(em, claim, target, locked, Audit.Type.DEVICE_TRANSFERRED);
    }

    private Decided changed(EntityManager em, Claim claim, Target target, Locked locked, Audit.Type type) {
        Change change = ownership.change(
                em,
                type,
                Optional.of(target.rules()),
                locked,
                Optional.of(claim.owner()),
                claim.name(),
                Owner.text(claim.user()),
                how(claim.by()) + " from " + claim.origin());
        return new Decided(locked.row().id(), Optional.of(change));
    }

    private void use(EntityManager em, ClaimCode code) {
        if (!ClaimCodes.use(em, code, clock.instant())) {
            throw new RefusedException("the code is worthless by now");
        }
    }

    private static String how(Claim.Knowledge by) {
        if (by instanceof Claim.ByTag tag) {
            return "by the tag " + tag.name();
        }
        return by instanceof Claim.ByCode ? "by a code" : "by the serial";
    }

    /** Work on a device that the user owns. */
    @FunctionalInterface
    private interface Work<T> {
        T in(EntityManager em, Locked locked, Optional<ClaimRules> rules);
    }

    /** Locks a device that the user owns, checks that this is still so, and works on it. */
    private <T> T own(User user, String id, Work<T> work) {
        changes.count(account(user));
        OwnedDevice known = find(user, id);
        Optional<ClaimRules> rules = fleets.find(known.fleet())
                .flatMap(fleet -> fleet.document().claims())
                .filter(claims -> claims.isOpenTo(user.provider()));
        return database.transaction(em -> {
            Locked locked = ownership.lock(em, known.fleet(), known.serial());
            if (locked.row().owner().filter(owner -> owner.includes(user)).isEmpty()) {
                throw OwnedDevices.notFound();
            }
            return work.in(em, locked, rules);
        });
    }

    private static void require(boolean allowed, String what) {
        if (!allowed) {
            throw RegistryException.withDetail(
                    ProblemType.FORBIDDEN, "owners of devices of this fleet may not " + what + " them");
        }
    }

    /**
     * Returns a device of the user or of one of the user's groups.
     *
     * @param id of the device or of the claim
     * @throws RegistryException {@code NOT_FOUND} if there is none, or it is not theirs
     */
    public OwnedDevice find(User user, String id) {
        return devices.find(user, id);
    }

    /**
     * Lists the devices of the user, and then those of the user's groups. Reads a bounded number of rows.
     *
     * @param after the {@code next} of the page before
     */
    public OwnedDevices.Page list(User user, Optional<String> after, int atMost) {
        return devices.list(user, after, atMost);
    }

    /**
     * Changes how the owner calls a device, and tags that owners may set.
     *
     * @param name the new name, or empty to have none; empty outside to leave it
     * @param tags the texts by name; empty for a tag that is to go
     * @throws RegistryException {@code NOT_FOUND}; {@code FORBIDDEN} if owners may not; {@code CONFLICT} for tags of a
     *     device that has not registered yet
     */
    public OwnedDevice change(
            User user, String id, Optional<Optional<String>> name, Map<String, Optional<String>> tags) {
        own(user, id, (em, locked, rules) -> {
            require(rules.isPresent() && rules.get().tags().containsAll(tags.keySet()), "change");
            List<String> changed = new ArrayList<>();
            name.ifPresent(text -> {
                OwnedSerial.rename(em, locked.row(), text);
                changed.add("name " + inWords(locked.row().name()) + " to " + inWords(text));
            });
            if (!tags.isEmpty()) {
                retag(em, locked, tags, changed);
            }
            record(em, Audit.Type.OWNED_DEVICE_CHANGED, locked, user, String.join("; ", changed));
            return null;
        });
        return find(user, id);
    }

    private static String inWords(Optional<String> text) {
        return text.map(value -> '"' + value + '"').orElse("none");
    }

    private void record(EntityManager em, Audit.Type type, Locked locked, User user, String detail) {
        audit.record(
                em,
                type,
                locked.row().fleet(),
                locked.row().serial(),
                locked.device().map(Device::idBytes).orElse(null),
                Owner.text(user),
                detail);
    }

    private static void retag(
            EntityManager em, Locked locked, Map<String, Optional<String>> tags, List<String> changed) {
        Device device = locked.device()
                .orElseThrow(() -> RegistryException.withDetail(
                        ProblemType.CONFLICT, "the device has not registered yet and has no tags"));
        Map<String, String> before = DeviceStore.tags(em, device);
        new TreeMap<>(tags)
                .forEach((tag, text) -> changed.add(
                        "tag " + tag + " " + inWords(Optional.ofNullable(before.get(tag))) + " to " + inWords(text)));
        Ownership.untag(em, device, List.copyOf(tags.keySet()));
        Map<String, String> set = new LinkedHashMap<>();
        tags.forEach((tag, text) -> text.ifPresent(value -> set.put(tag, value)));
        DeviceStore.tag(em, device.idBytes(), set);
    }

    /**
     * Gives a device up. It then belongs to nobody, and every code that was used for it is worthless.
     *
     * @throws RegistryException {@code NOT_FOUND}; {@code FORBIDDEN} if owners may not
     */
    public void release(User user, String id) {
        ownership.committed(own(user, id, (em, locked, rules) -> {
            require(rules.filter(ClaimRules::release).isPresent(), "release");
            return ownership.release(em, rules, locked, Owner.text(user), "by its owner");
        }));
    }

    /**
     * Makes a code for the next owner. Until it is used nothing changes. The one made before is void.
     *
     * @throws RegistryException {@code NOT_FOUND}; {@code FORBIDDEN} if owners may not
     */
    public ClaimCodes.Made transfer(User user, String id) {
        return own(user, id, (em, locked, rules) -> {
            require(rules.filter(ClaimRules::transfer).isPresent(), "hand over");
            record(em, Audit.Type.TRANSFER_CODE_MADE, locked, user, null);
            return codes.make(em, locked.row().fleet(), locked.row().serial(), ClaimCodes.Kind.TRANSFER);
        });
    }
}
