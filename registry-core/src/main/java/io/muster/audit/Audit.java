package io.muster.audit;

import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.spi.SerialNumber;
import jakarta.persistence.EntityManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records decisions. An admission is its own record: the credential, with when and where. What else changes something is
 * recorded in the transaction that changes it. Refusals change nothing and anybody
 * can cause them, so they wait in a bounded queue and are written in bounded batches; what does not fit is counted, and the
 * count is written. Thread-safe.
 */
public final class Audit {

    private static final Logger LOG = LoggerFactory.getLogger(Audit.class);
    private static final int WAITING = 2000;

    /** What can be decided. */
    public enum Type {
        /** A registration was refused. */
        REFUSED,
        /** The serial of a device that may not register again was presented: perhaps a clone. */
        REFUSED_REPEAT,
        /** Refusals that were too many to be recorded singly. */
        REFUSALS_NOT_RECORDED,
        /** An operator disabled a device. */
        DEVICE_DISABLED,
        /** An operator enabled a device. */
        DEVICE_ENABLED,
        /** An operator retired a device. */
        DEVICE_RETIRED,
        /** An operator revoked a credential, or all of a device, a lot or a fleet. */
        CREDENTIALS_REVOKED,
        /** An operator ordered that the credentials of a device, a lot or a fleet be renewed. */
        ROTATION_ORDERED,
        /** An operator called off such an order. */
        ROTATION_CALLED_OFF,
        /** One credential was used from two addresses within a minute: perhaps a clone. */
        CREDENTIAL_IN_TWO_PLACES,
        /** An operator permitted a serial to register once more. */
        ALLOWANCE_CREATED,
        /** A device registered by such a permission. */
        ALLOWANCE_USED,
        /** An operator took such a permission back, or shut its device out. */
        ALLOWANCE_REVOKED,
        /** A verifier that is asked on trial disagreed with what was decided. */
        SHADOW_DISAGREED,
        /** An operator imported expected serials. */
        SERIALS_IMPORTED,
        /** An operator blocked a serial. */
        SERIAL_BLOCKED,
        /** An operator unblocked a serial. */
        SERIAL_UNBLOCKED,
        /** An operator wrote a lot. */
        LOT_WRITTEN,
        /** An operator wrote a fleet. */
        FLEET_WRITTEN,
        /** An operator made or imported an enrolment key. */
        ENROLMENT_KEY_CREATED,
        /** An operator revoked an enrolment key. */
        ENROLMENT_KEY_REVOKED,
        /** An operator made a registration token. */
        REGISTRATION_TOKEN_CREATED,
        /** The next signing key was published. */
        SIGNING_KEY_CREATED,
        /** An operator dropped every signing key for a new one. */
        SIGNING_KEYS_REPLACED,
        /** An operator was made. */
        OPERATOR_CREATED,
        /** An operator's token was revoked. */
        OPERATOR_REVOKED;

        /** Returns the word for the wire and the database. */
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    private final Database database;
    private final Ids ids;
    private final BlockingQueue<AuditEvent> waiting = new ArrayBlockingQueue<>(WAITING);
    private final AtomicLong dropped = new AtomicLong();

    /** Records in the database. */
    public Audit(Database database, Ids ids) {
        this.database = database;
        this.ids = ids;
    }

    /**
     * Records a decision within the transaction that carries it out.
     *
     * @param who the operator, or the address of the device
     */
    public void record(
            EntityManager em, Type type, String fleet, String serial, byte[] deviceId, String who, String detail) {
        em.persist(new AuditEvent(ids.next(), type, fleet, serial, deviceId, who, detail));
    }

    /** Records a refusal soon, or counts it if there are too many. Never blocks. */
    public void refused(String fleet, SerialNumber serial, String origin, String reason, boolean repeat) {
        Type type = repeat ? Type.REFUSED_REPEAT : Type.REFUSED;
        later(new AuditEvent(ids.next(), type, fleet, serial.value(), null, origin, reason));
    }

    /** Records soon that a verifier on trial disagreed, or counts it if there is too much to record. Never blocks. */
    public void disagreed(String fleet, SerialNumber serial, String origin, String detail) {
        later(new AuditEvent(ids.next(), Type.SHADOW_DISAGREED, fleet, serial.value(), null, origin, detail));
    }

    /** Records soon that a credential was used from two addresses, or counts it if there is too much to record. Never blocks. */
    public void inTwoPlaces(String fleet, String deviceId, String origin, String detail) {
        later(new AuditEvent(
                ids.next(), Type.CREDENTIAL_IN_TWO_PLACES, fleet, null, Ids.bytes(deviceId), origin, detail));
    }

    private void later(AuditEvent event) {
        if (!waiting.offer(event)) {
            dropped.incrementAndGet();
        }
    }

    /** Writes what waits, in one transaction. Called by one thread, every second or so; never throws. */
    public void flush() {
        List<AuditEvent> batch = new ArrayList<>();
        waiting.drainTo(batch);
        long uncounted = dropped.getAndSet(0);
        if (uncounted > 0) {
            batch.add(new AuditEvent(
                    ids.next(), Type.REFUSALS_NOT_RECORDED, null, null, null, "registry", Long.toString(uncounted)));
        }
        if (batch.isEmpty()) {
            return;
        }
        try {
            database.transaction(em -> {
                batch.forEach(em::persist);
                return null;
            });
        } catch (RuntimeException e) {
            dropped.addAndGet(batch.size() + (uncounted > 0 ? uncounted - 1 : 0));
            LOG.warn("{} refusals could not be recorded: {}", batch.size(), e.getMessage());
        }
    }

    /** Lists decisions, the newest first, before the given id. */
    public List<AuditEvent> list(Optional<String> before, int atMost) {
        return database.read(em -> em.createQuery(
                        "SELECT e FROM AuditEvent e WHERE e.id < :before ORDER BY e.id DESC", AuditEvent.class)
                .setParameter("before", before.map(Ids::bytes).orElseGet(Audit::last))
                .setMaxResults(atMost)
                .getResultList());
    }

    private static byte[] last() {
        byte[] id = new byte[16];
        Arrays.fill(id, (byte) 0xff);
        return id;
    }
}
