// SPDX-License-Identifier: Apache-2.0
package io.muster.credential;

import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.device.Device;
import io.muster.device.DeviceStore;
import io.muster.device.OpenAllowances;
import io.muster.disconnection.Disconnections;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.spi.DeviceId;
import jakarta.inject.Inject;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Revokes credentials of single devices; {@link CredentialOrders} has those of a lot or a fleet. Thread-safe. */
@Part
public final class Revocations {

    private final Database database;
    private final Changes changes;
    private final Audit audit;
    private final Disconnections disconnections;
    private final Clock clock;

    /** Works on the database, and tells other nodes of its changes. */
    @Inject
    public Revocations(
            Database database, Changes changes, Audit audit, Disconnections disconnections, @Ours Clock clock) {
        this.database = database;
        this.changes = changes;
        this.audit = audit;
        this.disconnections = disconnections;
        this.clock = clock;
    }

    /**
     * Revokes a credential of a device, or all of them. Revoking all also revokes the allowances with which the device
     * could come back. Effective on this node when it returns, on others within two seconds.
     *
     * @param key of the one; empty for all
     * @param reason why, for people; may be empty
     * @param who the operator, or the address of the device
     * @return how many were good until now; empty if there is no such device, or it has no such credential
     */
    public OptionalInt revoke(DeviceId id, Optional<String> key, String reason, String who) {
        List<String> revoked = new ArrayList<>();
        Optional<Boolean> found = database.found(() -> database.transaction(em -> {
            revoked.clear();
            if (!DeviceStore.lock(em, Ids.bytes(id.value()))) {
                return Optional.empty();
            }
            Device device = em.find(Device.class, Ids.bytes(id.value()));
            List<StoredCredential> meant = StoredCredential.of(em, device.idBytes()).stream()
                    .filter(credential -> key.map(credential.key()::equals).orElse(true))
                    .toList();
            meant.stream()
                    .filter(credential -> credential.state() != CredentialState.REVOKED)
                    .forEach(credential -> {
                        credential.revoke();
                        revoked.add(credential.key());
                    });
            if (!revoked.isEmpty()) {
                audit.record(
                        em,
                        Audit.Type.CREDENTIALS_REVOKED,
                        device.fleet(),
                        null,
                        device.idBytes(),
                        who,
                        key.map(credential -> "credential " + credential).orElse("all credentials")
                                + (reason.isEmpty() ? "" : ": " + reason));
                changes.note(em, revoked);
                disconnections.request(em, device.fleet(), device.idBytes(), clock.instant());
            }
            if (key.isEmpty()) {
                OpenAllowances.takeBack(em, audit, device, clock.instant(), who, "all credentials were revoked");
            }
            return key.isEmpty() || !meant.isEmpty() ? Optional.of(true) : Optional.empty();
        }));
        database.afterwards(() -> {
            changes.forget(revoked);
            disconnections.committed();
        });
        return found.isPresent() ? OptionalInt.of(revoked.size()) : OptionalInt.empty();
    }
}
