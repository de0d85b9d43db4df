// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.device.Device;
import io.muster.device.DeviceStore;
import io.muster.device.DeviceTag;
import io.muster.disconnection.Disconnections;
import io.muster.fleet.ClaimRules;
import io.muster.fleet.Fleet;
import io.muster.fleet.FleetDocument;
import io.muster.fleet.Fleets;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import io.muster.spi.DeviceOwnerChanged;
import io.muster.spi.SerialNumber;
import io.muster.user.User;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.persistence.Query;
import java.io.Serial;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Whom devices belong to, and every change of that. A transaction that changes an owner locks the device, if there is
 * one, and then the row of its serial. The owner is also shown as tags of the device. Thread-safe.
 */
@Part
public final class Ownership {

    private static final String FIND = "SELECT " + OwnedSerial.COLUMNS
            + " FROM owned_serial o WHERE o.fleet = ? AND o.serial = ? AND o.provider IS NOT NULL";

    /** A serial that somebody else owns was to register with the token of a user. */
    public static final class OwnedByAnotherException extends RuntimeException {

        @Serial
        private static final long serialVersionUID = 1;

        private OwnedByAnotherException() {
            super("the serial belongs to another user than the one whose token it came with", null, false, false);
        }
    }

    /**
     * The owner of a serial, as operators see it.
     *
     * @param name how the owner calls the device
     */
    public record Owned(Owner owner, Optional<String> name, Instant claimedAt) {}

    /** A change of the owner, which is told after the commit. */
    public record Change(
            String fleet,
            SerialNumber serial,
            Optional<DeviceId> deviceId,
            Optional<Owner> before,
            Optional<Owner> after,
            String who) {}

    /**
     * The owner of a device that registers.
     *
     * @param tags the tags that show the owner
     * @param change if the device belongs to its user from now on; to be told by {@link #committed}
     */
    public record Admitted(Map<String, String> tags, Optional<Change> change) {}

    private static final Admitted NOBODYS = new Admitted(Map.of(), Optional.empty());

    private final Database database;
    private final Changes changes;
    private final Disconnections disconnections;
    private final Fleets fleets;
    private final Audit audit;
    private final Consumer<Object> events;
    private final Ids ids;
    private final Clock clock;

    @Inject
    Ownership(
            Database database,
            Changes changes,
            Disconnections disconnections,
            Fleets fleets,
            Audit audit,
            @Ours Consumer<Object> events,
            Ids ids,
            @Ours Clock clock) {
        this.database = database;
        this.changes = changes;
        this.disconnections = disconnections;
        this.fleets = fleets;
        this.audit = audit;
        this.events = events;
        this.ids = ids;
        this.clock = clock;
    }

    /**
     * Finds the owner of a new device, within the transaction that has inserted it. Asks the database only in fleets
     * whose devices can be claimed, or if the device came with the token of its user.
     *
     * @param user whose token it registers with
     * @throws OwnedByAnotherException if somebody else owns the serial
     */
    public Admitted admitted(EntityManager em, Fleet fleet, Device device, Optional<User> user) {
        if (user.isEmpty() && fleet.document().claims().isEmpty()) {
            return NOBODYS;
        }
        OwnedSerial row =
                OwnedSerial.lock(em, ids.next(), fleet.name(), device.serial().value());
        if (row.owner().isPresent()) {
            user.filter(other -> !row.owner().get().includes(other)).ifPresent(other -> {
                throw new OwnedByAnotherException();
            });
            return new Admitted(tags(row.owner().get()), Optional.empty());
        }
        if (user.isEmpty()) {
            return NOBODYS;
        }
        Owner owner = Owner.of(user.get());
        OwnedSerial.write(em, row, Optional.of(owner), Optional.empty(), clock.instant());
        record(
                em,
                Audit.Type.DEVICE_CLAIMED,
                row,
                Optional.of(device),
                Optional.of(owner),
                owner.text(),
                "with the registration");
        return new Admitted(
                tags(owner), Optional.of(change(row, Optional.of(device), Optional.of(owner), owner.text())));
    }

    /** Checks that a device that registers again does not come with the token of somebody who does not own it. */
    public static void checkAgain(Map<String, String> tags, Optional<User> user) {
        String owner = tags.get(DeviceTag.OWNER);
        if (owner == null || user.isEmpty()) {
            return;
        }
        String group = tags.get(DeviceTag.GROUP);
        boolean isOwner = group == null
                ? owner.equals(Owner.text(user.get()))
                : owner.startsWith(user.get().provider() + ":")
                        && user.get().groups().contains(group);
        if (!isOwner) {
            throw new OwnedByAnotherException();
        }
    }

    private static Map<String, String> tags(Owner owner) {
        Map<String, String> tags = new LinkedHashMap<>();
        tags.put(DeviceTag.OWNER, owner.text());
        owner.group().ifPresent(group -> tags.put(DeviceTag.GROUP, group));
        return tags;
    }

    /** Returns the tags of a device without those that name its owner, whom the device itself is not told. */
    public static Map<String, String> withoutOwner(Map<String, String> tags) {
        if (!tags.containsKey(DeviceTag.OWNER)) {
            return tags;
        }
        Map<String, String> others = new LinkedHashMap<>(tags);
        others.keySet().removeAll(DeviceTag.OF_OWNERS);
        return others;
    }

    /** Tells whether a device belongs to somebody. Asks the database only if its tags say so. */
    public boolean isOwned(Device device, Map<String, String> tags) {
        return tags.containsKey(DeviceTag.OWNER)
                && find(device.fleet(), device.serial().value()).isPresent();
    }

    /** Returns the owner of a serial, whether its device has registered or not; empty if nobody owns it. */
    public Optional<Owned> find(String fleet, String serial) {
        return database.jdbc(Sql.of(FIND, fleet, serial).first(OwnedSerial::of))
                .map(row -> new Owned(
                        row.owner().orElseThrow(), row.name(), row.claimedAt().orElse(Instant.EPOCH)));
    }

    /** A serial with its locks. */
    record Locked(Optional<Device> device, OwnedSerial row) {}

    /** Locks the device of a serial, if there is one, and the row of the serial, until the transaction ends. */
    Locked lock(EntityManager em, String fleet, String serial) {
        Optional<Device> device = DeviceStore.lock(em, fleet, serial);
        OwnedSerial row = OwnedSerial.lock(em, ids.next(), fleet, serial);
        // It may have registered before the row was locked. Afterwards it cannot: its admission waits for the row.
        return new Locked(device.or(() -> DeviceStore.lock(em, fleet, serial)), row);
    }

    /**
     * Changes the owner of a locked serial.
     *
     * @param after empty for nobody
     * @param name how the next owner calls the device
     * @param who a user, or the name of an operator
     * @param how for the record
     * @return the change, to be told by {@link #committed}
     */
    Change change(
            EntityManager em,
            Audit.Type type,
            Optional<ClaimRules> rules,
            Locked locked,
            Optional<Owner> after,
            Optional<String> name,
            String who,
            String how) {
        OwnedSerial row = locked.row();
        OwnedSerial.write(em, row, after, name, clock.instant());
        locked.device().ifPresent(device -> {
            List<String> gone = new ArrayList<>(DeviceTag.OF_OWNERS);
            if (row.owner().isPresent()) {
                // The next owner is not told what the one before wrote.
                rules.ifPresent(claims -> gone.addAll(claims.tags()));
            }
            untag(em, device, gone);
            after.ifPresent(owner -> DeviceStore.tag(em, device.idBytes(), tags(owner)));
            changes.note(em, List.of(device.id().value()));
            if (fleets.last(device.fleet()).filter(FleetDocument::followsOwner).isPresent()) {
                disconnections.requestAnew(em, device.fleet(), device.idBytes());
            }
        });
        record(em, type, row, locked.device(), after, who, how);
        return change(row, locked.device(), after, who);
    }

    static void untag(EntityManager em, Device device, List<String> names) {
        Query delete = em.createNativeQuery("DELETE FROM device_tag WHERE device_id = ? AND name IN ("
                + String.join(",", Collections.nCopies(names.size(), "?")) + ")");
        delete.setParameter(1, device.idBytes());
        for (int i = 0; i < names.size(); i++) {
            delete.setParameter(i + 2, names.get(i));
        }
        delete.executeUpdate();
    }

    private void record(
            EntityManager em,
            Audit.Type type,
            OwnedSerial row,
            Optional<Device> device,
            Optional<Owner> after,
            String who,
            String how) {
        audit.record(
                em,
                type,
                row.fleet(),
                row.serial(),
                device.map(Device::idBytes).orElse(null),
                who,
                how + "; before: " + inWords(row.owner()) + "; after: " + inWords(after));
    }

    private static String inWords(Optional<Owner> owner) {
        return owner.map(Owner::inWords).orElse("nobody");
    }

    private static Change change(OwnedSerial row, Optional<Device> device, Optional<Owner> after, String who) {
        return new Change(row.fleet(), new SerialNumber(row.serial()), device.map(Device::id), row.owner(), after, who);
    }

    /** Tells observers and this node of a change that was committed. */
    public void committed(Change change) {
        change.deviceId().ifPresent(id -> changes.forget(List.of(id.value())));
        disconnections.committed();
        events.accept(new DeviceOwnerChanged(
                clock.instant(),
                change.fleet(),
                change.serial(),
                change.deviceId(),
                change.before().map(Owner::text),
                change.after().map(Owner::text),
                change.after().flatMap(Owner::group),
                change.who()));
    }

    /**
     * Makes somebody the owner of a serial, in place of any owner before. Codes for the next owner are void.
     *
     * @param operator the operator
     */
    public Owned assign(Fleet fleet, String serial, Owner owner, String operator) {
        Instant now = clock.instant();
        Change change = database.transaction(em -> {
            Locked locked = lock(em, fleet.name(), serial);
            ClaimCodes.release(em, fleet.name(), serial);
            return change(
                    em,
                    Audit.Type.OWNER_ASSIGNED,
                    fleet.document().claims(),
                    locked,
                    Optional.of(owner),
                    Optional.empty(),
                    operator,
                    "by an operator");
        });
        committed(change);
        return new Owned(owner, Optional.empty(), now);
    }

    /**
     * Makes a serial nobody's. Codes that its owner may know are worthless from then on.
     *
     * @param operator the operator
     * @throws RegistryException {@code NOT_FOUND} if nobody owns it
     */
    public void release(Fleet fleet, String serial, String operator) {
        if (find(fleet.name(), serial).isEmpty()) {
            throw nobodys();
        }
        committed(database.transaction(em -> {
            Locked locked = lock(em, fleet.name(), serial);
            if (locked.row().owner().isEmpty()) {
                throw nobodys();
            }
            return release(em, fleet.document().claims(), locked, operator, "by an operator");
        }));
    }

    /**
     * Makes the serial of a device nobody's and deletes its claim codes, within the transaction that deletes the device
     * and has locked it. The record does not repeat who the owner was.
     *
     * @return the change, to be told by {@link #committed}; empty if nobody owned it
     */
    public Optional<Change> erase(EntityManager em, String fleet, String serial, String operator) {
        Locked locked = lock(em, fleet, serial);
        ClaimCodes.erase(em, fleet, serial);
        if (locked.row().owner().isEmpty()) {
            return Optional.empty();
        }
        OwnedSerial.write(em, locked.row(), Optional.empty(), Optional.empty(), clock.instant());
        return Optional.of(change(locked.row(), locked.device(), Optional.empty(), operator));
    }

    private static RegistryException nobodys() {
        return new RegistryException(ProblemType.NOT_FOUND, "nobody owns it");
    }

    Change release(EntityManager em, Optional<ClaimRules> rules, Locked locked, String who, String how) {
        ClaimCodes.release(em, locked.row().fleet(), locked.row().serial());
        return change(em, Audit.Type.DEVICE_RELEASED, rules, locked, Optional.empty(), Optional.empty(), who, how);
    }
}
