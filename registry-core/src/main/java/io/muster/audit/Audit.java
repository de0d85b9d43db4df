// SPDX-License-Identifier: Apache-2.0
package io.muster.audit;

import io.muster.cdi.Part;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.spi.SerialNumber;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records decisions. An admission is its own record: the credential, with its time and address. Any other change is
 * recorded in the transaction that makes it. Refusals change nothing and anybody can cause them. So they wait in a
 * bounded queue and are written in bounded batches; the excess is counted, and the count is written. Thread-safe.
 */
@Part
public final class Audit {

    private static final Logger LOG = LoggerFactory.getLogger(Audit.class);
    private static final int WAITING = 2000;
    /** Nobody reads a hint for each of more refusals at once: they are a flood, or a fault of a whole fleet. */
    private static final int MOST_HINTS = 10;

    /** The type of an admission that created a device, for listeners: the credential is its record. */
    public static final String REGISTERED = "registered";
    /** The type of any other admission, for listeners. */
    public static final String REGISTERED_AGAIN = "registered-again";

    /** Gets each event in the transaction that records it. */
    public interface Listener {

        /** Tells whether it does anything with such an event. Must be immediate. */
        boolean wants(String fleet, String type);

        /** Takes events. Rows that it writes are committed with them. */
        void recorded(EntityManager em, List<AuditEvent> events);
    }

    private static final Listener NOBODY = new Listener() {
        @Override
        public boolean wants(String fleet, String type) {
            return false;
        }

        @Override
        public void recorded(EntityManager em, List<AuditEvent> events) {}
    };

    /** The kinds of decisions. */
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
        /** An operator changed the name, tags or attributes of a device. */
        DEVICE_CHANGED,
        /** A device reported attributes of itself. */
        DEVICE_REPORTED,
        /** An operator deleted a device. */
        DEVICE_DELETED,
        /** An operator revoked a credential, or all of a device, a lot or a fleet. */
        CREDENTIALS_REVOKED,
        /** An operator ordered that the credentials of a device, a lot or a fleet be renewed. */
        ROTATION_ORDERED,
        /** An operator cancelled such an order. */
        ROTATION_CALLED_OFF,
        /** One credential was used from two addresses within a minute: perhaps a clone. */
        CREDENTIAL_IN_TWO_PLACES,
        /** An operator permitted a serial to register once more. */
        ALLOWANCE_CREATED,
        /** A device registered with such a permission. */
        ALLOWANCE_USED,
        /** A user claimed a device, or a serial before its device registered, or registered a device with a token. */
        DEVICE_CLAIMED,
        /** An owner or an operator released a device. */
        DEVICE_RELEASED,
        /** The next owner used the code of the one before. */
        DEVICE_TRANSFERRED,
        /** An operator made somebody the owner of a device. */
        OWNER_ASSIGNED,
        /** An owner changed how the owner calls a device, or tags that owners may set. */
        OWNED_DEVICE_CHANGED,
        /** An owner had a code made for the next owner. */
        TRANSFER_CODE_MADE,
        /** A user was refused a device. */
        CLAIM_REFUSED,
        /** A candidate got a place in the queue of those that wait for an operator. */
        APPROVAL_REQUESTED,
        /** An operator approved a candidate, or a serial before a device presented it. */
        APPROVAL_GRANTED,
        /** An operator rejected a candidate, or approved another one with its serial. */
        APPROVAL_REJECTED,
        /** An operator removed a candidate from the queue, with the decision about it. */
        APPROVAL_REMOVED,
        /** A device registered with an approval. */
        APPROVAL_USED,
        /** An operator revoked such a permission, retired its device, or revoked all credentials of the device. */
        ALLOWANCE_REVOKED,
        /** An operator had claim codes made, to print them. */
        CLAIM_CODES_MADE,
        /** A shadow verifier disagreed with the decision. */
        SHADOW_DISAGREED,
        /** An operator began to import expected serials. */
        SERIALS_IMPORT_STARTED,
        /** An operator imported expected serials. */
        SERIALS_IMPORTED,
        /** The node that read an import did not end it. */
        SERIALS_IMPORT_INTERRUPTED,
        /** An operator removed a serial from the list. */
        SERIAL_REMOVED,
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
        /** An operator made or changed a webhook. */
        WEBHOOK_WRITTEN,
        /** An operator deleted a webhook. */
        WEBHOOK_DELETED,
        /** An operator replaced the secret of a webhook. */
        WEBHOOK_SECRET_REPLACED,
        /** A webhook was disabled, because its receiver answered that it is gone. */
        WEBHOOK_DISABLED,
        /** Nothing could be delivered to a webhook for an hour. */
        WEBHOOK_FAILING,
        /** Too many deliveries of a webhook wait: events are not recorded for it any more. */
        WEBHOOK_FULL,
        /** An operator had deliveries of a webhook sent again. */
        WEBHOOK_SENT_AGAIN,
        /** An operator had work begun on many serials or devices. */
        JOB_CREATED,
        /** An operator cancelled such work. */
        JOB_CANCELLED,
        /** Such work ended, at its end or because it could not go on. */
        JOB_ENDED,
        /** The next signing key was published. */
        SIGNING_KEY_CREATED,
        /** An operator replaced every signing key by a new one. */
        SIGNING_KEYS_REPLACED,
        /** An operator replaced the key that signs seals. */
        SEAL_KEY_REPLACED,
        /** An operator was made. */
        OPERATOR_CREATED,
        /** The grants or the expiry of an operator were changed. */
        OPERATOR_CHANGED,
        /** An operator got a new token. */
        OPERATOR_TOKEN_REPLACED,
        /** A start made an operator because a file in the data directory asked for it. */
        OPERATOR_RECOVERED,
        /** An operator's token was revoked. */
        OPERATOR_REVOKED,
        /** An operator signed in at the console. */
        CONSOLE_SIGNED_IN,
        /** An operator signed out at the console. */
        CONSOLE_SIGNED_OUT,
        /** An operator made a link that signs in at the console once. */
        CONSOLE_LINK_MADE,
        /** An operator ended the sessions of an operator, or all. */
        CONSOLE_SESSIONS_ENDED;

        /** Returns the word for the wire and the database. */
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    private final Database database;
    private final Ids ids;
    private final BlockingQueue<AuditEvent> waiting = new ArrayBlockingQueue<>(WAITING);
    private final AtomicLong dropped = new AtomicLong();
    private volatile Listener listener = NOBODY;
    private volatile BiFunction<String, String, List<String>> hints = (fleet, serial) -> List.of();

    /** Records in the database. */
    @Inject
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
        AuditEvent event = new AuditEvent(ids.next(), type.word(), fleet, serial, deviceId, who, detail);
        em.persist(event);
        listener.recorded(em, List.of(event));
    }

    /**
     * Tells the listener of an admission within its transaction. It records nothing: the credential is the record.
     *
     * @param again false if it created the device
     * @param key the key of the new credential
     */
    public void admitted(
            EntityManager em, String fleet, String serial, byte[] deviceId, String origin, boolean again, String key) {
        String type = again ? REGISTERED_AGAIN : REGISTERED;
        if (listener.wants(fleet, type)) {
            listener.recorded(
                    em,
                    List.of(new AuditEvent(ids.next(), type, fleet, serial, deviceId, origin, "credential " + key)));
        }
    }

    /** Returns how many refusals and the like are not written yet. */
    public int waiting() {
        return waiting.size();
    }

    /** Names the one that gets every event from now on. */
    public void listener(Listener one) {
        listener = one;
    }

    /** Records a refusal soon, or counts it if there are too many. Never blocks. */
    public void refused(String fleet, SerialNumber serial, String origin, String reason, boolean repeat) {
        Type type = repeat ? Type.REFUSED_REPEAT : Type.REFUSED;
        later(new AuditEvent(ids.next(), type.word(), fleet, serial.value(), null, origin, reason));
    }

    /**
     * Records soon that a user was refused a device, or counts it if there is too much to record. Never blocks.
     *
     * @param fleet null if it is not known which fleet was meant
     * @param serial null if it is not known which serial was meant
     * @param user {@code <provider>:<subject>}
     */
    public void claimRefused(String fleet, String serial, String user, String reason) {
        later(new AuditEvent(ids.next(), Type.CLAIM_REFUSED.word(), fleet, serial, null, user, reason));
    }

    /** Records soon that a shadow verifier disagreed, or counts it if there is too much to record. Never blocks. */
    public void disagreed(String fleet, SerialNumber serial, String origin, String detail) {
        later(new AuditEvent(ids.next(), Type.SHADOW_DISAGREED.word(), fleet, serial.value(), null, origin, detail));
    }

    /**
     * Records soon that a credential was used from two addresses, or counts it if there is too much to record. Never
     * blocks.
     */
    public void inTwoPlaces(String fleet, String deviceId, String origin, String detail) {
        later(new AuditEvent(
                ids.next(), Type.CREDENTIAL_IN_TWO_PLACES.word(), fleet, null, Ids.bytes(deviceId), origin, detail));
    }

    private void later(AuditEvent event) {
        if (!waiting.offer(event)) {
            dropped.incrementAndGet();
        }
    }

    /**
     * Adds listed serials that may have been meant to refusals when they are written. By then the device has its
     * answer.
     *
     * @param listed finds them by fleet and serial
     */
    public void hints(BiFunction<String, String, List<String>> listed) {
        this.hints = listed;
    }

    private void hint(List<AuditEvent> batch) {
        List<AuditEvent> refusals = batch.stream()
                .filter(event -> event.type().equals(Type.REFUSED.word()))
                .toList();
        if (refusals.size() > MOST_HINTS) {
            return;
        }
        for (AuditEvent refusal : refusals) {
            List<String> listed = hints.apply(refusal.fleet(), refusal.serial());
            if (!listed.isEmpty()) {
                refusal.add("; spelled otherwise, it is listed: " + String.join(", ", listed));
            }
        }
    }

    /** Writes the queue in one transaction. Called by one thread, every second or so; never throws. */
    public void flush() {
        List<AuditEvent> batch = new ArrayList<>();
        waiting.drainTo(batch);
        long uncounted = dropped.getAndSet(0);
        if (uncounted > 0) {
            batch.add(new AuditEvent(
                    ids.next(),
                    Type.REFUSALS_NOT_RECORDED.word(),
                    null,
                    null,
                    null,
                    "registry",
                    Long.toString(uncounted)));
        }
        if (batch.isEmpty()) {
            return;
        }
        try {
            hint(batch);
            database.transaction(em -> {
                batch.forEach(em::persist);
                listener.recorded(em, batch);
                return null;
            });
        } catch (RuntimeException e) {
            dropped.addAndGet(batch.size() + (uncounted > 0 ? uncounted - 1 : 0));
            LOG.warn("{} refusals could not be recorded: {}", batch.size(), e.getMessage());
        }
    }

    /** Lists decisions, the newest first, before the given id. */
    public List<AuditEvent> list(Optional<String> before, int atMost) {
        return database.forOperators()
                .jdbc(Sql.of(
                                "SELECT " + AuditEvent.COLUMNS
                                        + " FROM audit_event WHERE id < ? ORDER BY id DESC LIMIT ?",
                                before.map(Ids::bytes).orElseGet(Audit::last),
                                atMost)
                        .list(AuditEvent::of));
    }

    private static byte[] last() {
        byte[] id = new byte[16];
        Arrays.fill(id, (byte) 0xff);
        return id;
    }
}
