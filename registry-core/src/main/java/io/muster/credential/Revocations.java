package io.muster.credential;

import io.muster.audit.Audit;
import io.muster.device.Device;
import io.muster.device.Disconnections;
import io.muster.device.OpenAllowances;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.spi.DeviceId;
import jakarta.persistence.LockModeType;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Revokes single credentials; those of a lot or a fleet are for {@link CredentialOrders}. Thread-safe. */
public final class Revocations {

    private final Database database;
    private final Changes changes;
    private final Audit audit;
    private final Disconnections disconnections;
    private final Clock clock;

    /** Works on the database and tells other nodes of its changes. */
    public Revocations(Database database, Changes changes, Audit audit, Disconnections disconnections, Clock clock) {
        this.database = database;
        this.changes = changes;
        this.audit = audit;
        this.disconnections = disconnections;
        this.clock = clock;
    }

    /**
     * Revokes a credential of a device, or all that it has, and with all of them the allowances by which it could come back.
     * Effective on this node when it returns, on others within two seconds.
     *
     * @param key of the one; empty for all
     * @param reason why, for people; may be empty
     * @param who the operator, or the address of the device
     * @return how many were good until now; empty if there is no such device, or no such credential of it
     */
    public OptionalInt revoke(DeviceId id, Optional<String> key, String reason, String who) {
        List<String> revoked = new ArrayList<>();
        boolean found = database.transaction(em -> {
            revoked.clear();
            Device device = em.find(Device.class, Ids.bytes(id.value()), LockModeType.PESSIMISTIC_WRITE);
            if (device == null) {
                return false;
            }
            List<StoredCredential> meant = StoredCredential.of(em, device.idBytes()).stream()
                    .filter(one -> key.map(one.key()::equals).orElse(true))
                    .toList();
            meant.stream().filter(one -> one.state() != CredentialState.REVOKED).forEach(one -> {
                one.revoke();
                revoked.add(one.key());
            });
            if (!revoked.isEmpty()) {
                audit.record(
                        em,
                        Audit.Type.CREDENTIALS_REVOKED,
                        device.fleet(),
                        null,
                        device.idBytes(),
                        who,
                        key.map(one -> "credential " + one).orElse("all credentials")
                                + (reason.isEmpty() ? "" : ": " + reason));
                changes.note(em, revoked);
                disconnections.request(em, device.fleet(), device.idBytes(), clock.instant());
            }
            if (key.isEmpty()) {
                OpenAllowances.takeBack(em, audit, device, clock.instant(), who, "all credentials were revoked");
            }
            return key.isEmpty() || !meant.isEmpty();
        });
        changes.forget(revoked);
        disconnections.committed();
        return found ? OptionalInt.of(revoked.size()) : OptionalInt.empty();
    }
}
