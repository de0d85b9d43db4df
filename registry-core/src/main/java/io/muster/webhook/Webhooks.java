// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.MasterKey;
import io.muster.persistence.RowLock;
import io.muster.persistence.SealedColumn;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.LongPredicate;

/**
 * The webhooks of fleets. A secret is shown when it is made and never again. In the database it is encrypted under the
 * master key, for its webhook only. A change is effective on this node at once, on others within some seconds.
 * Thread-safe.
 */
@Part
public final class Webhooks {

    /** How many a fleet may have. */
    public static final int MOST = 20;

    /** The secrets. */
    public static final SealedColumn SEALED = new SealedColumn(
            "webhook_secret", "sealed_secret", List.of("webhook", "id"), row -> purpose(row.get(0), row.get(1)));

    private static final RowLock FLEET = RowLock.of("fleet", "name");
    private static final RowLock WEBHOOK = RowLock.of("webhook", "id");
    private static final String SELECT = "SELECT " + Webhook.COLUMNS + " FROM webhook WHERE fleet = ?";
    private static final List<String> SUBJECTS = List.of(Outbox.SUBJECT);
    private static final int DELETED_AT_ONCE = 1000;

    /**
     * A webhook with its new secret.
     *
     * @param secret shown this once
     */
    public record Created(Webhook webhook, String secret) {

        /** Hides the secret. */
        @Override
        public String toString() {
            return "Created[" + webhook.id() + "]";
        }
    }

    private final Database database;
    private final MasterKey master;
    private final Changes changes;
    private final Audit audit;
    private final Outbox outbox;
    private final Ids ids;
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();

    @Inject
    Webhooks(
            Database database,
            MasterKey master,
            Changes changes,
            Audit audit,
            Outbox outbox,
            Ids ids,
            @Ours Clock clock) {
        this.database = database;
        this.master = master;
        this.changes = changes;
        this.audit = audit;
        this.outbox = outbox;
        this.ids = ids;
        this.clock = clock;
    }

    /** Lists the webhooks of a fleet, in the order in which they were made. */
    public List<Webhook> list(String fleet) {
        return database.jdbc(
                Sql.of(SELECT + " ORDER BY id LIMIT " + MOST, fleet).list(Webhook::of));
    }

    /**
     * Returns a webhook.
     *
     * @throws RegistryException {@code NOT_FOUND} if the fleet has none of this id
     */
    public Webhook get(String fleet, String id) {
        return database.jdbc(Sql.of(SELECT + " AND id = ?", fleet, id).first(Webhook::of))
                .orElseThrow(Webhooks::noSuchWebhook);
    }

    /**
     * Makes a webhook.
     *
     * @param form checked by {@link WebhookSender#fault}
     * @throws RegistryException {@code CONFLICT} if the fleet has {@link #MOST}
     */
    public Created create(String fleet, Webhook.Form form, String by) {
        String id = Ids.hex(ids.next());
        byte[] secret = Signature.newSecret(random);
        Webhook made = changed(em -> {
            FLEET.take(em, fleet);
            long there = Database.within(
                            em,
                            Sql.of("SELECT COUNT(*) FROM webhook WHERE fleet = ?", fleet)
                                    .first(row -> row.getLong(1)))
                    .orElse(0L);
            if (there >= MOST) {
                throw RegistryException.withDetail(
                        ProblemType.CONFLICT, "the fleet has " + MOST + " webhooks; delete one");
            }
            run(
                    em,
                    "INSERT INTO webhook (id, fleet, url, description, types, enabled, version, created_at,"
                            + " lease_until, paused_until, failures, reported, counted_at)"
                            + " VALUES (?, ?, ?, ?, ?, ?, 1, ?, 0, 0, 0, FALSE, 0)",
                    id,
                    fleet,
                    form.url(),
                    form.description().orElse(null),
                    EventTypes.stored(form.types()),
                    form.enabled(),
                    clock.millis());
            insert(em, id, secret);
            audit.record(em, Audit.Type.WEBHOOK_WRITTEN, fleet, null, null, by, "webhook " + id + ", version 1");
            return stored(em, fleet, id);
        });
        return new Created(made, Signature.shown(secret));
    }

    /**
     * Replaces what an operator wrote about a webhook. Enabling it ends a pause.
     *
     * @param condition whether the present version may be replaced
     */
    public Webhook put(String fleet, String id, Webhook.Form form, LongPredicate condition, String by) {
        return changed(em -> {
            Webhook before = locked(em, fleet, id, condition);
            run(
                    em,
                    "UPDATE webhook SET url = ?, description = ?, types = ?, enabled = ?, version = version + 1,"
                            + " paused_until = 0 WHERE id = ?",
                    form.url(),
                    form.description().orElse(null),
                    EventTypes.stored(form.types()),
                    form.enabled(),
                    id);
            if (form.enabled()) {
                run(em, "UPDATE webhook SET gone_at = NULL WHERE id = ?", id);
            }
            record(em, Audit.Type.WEBHOOK_WRITTEN, before, by, ", version " + (before.version() + 1));
            return stored(em, fleet, id);
        });
    }

    /**
     * Deletes a webhook, and what waits for it.
     *
     * @param condition whether the present version may be deleted
     */
    public void delete(String fleet, String id, LongPredicate condition, String by) {
        changed(em -> {
            Webhook before = locked(em, fleet, id, condition);
            run(em, "DELETE FROM webhook_secret WHERE webhook = ?", id);
            run(em, "DELETE FROM webhook WHERE id = ?", id);
            record(em, Audit.Type.WEBHOOK_DELETED, before, by, "");
            return null;
        });
        // In small transactions: there may be many.
        int deleted = DELETED_AT_ONCE;
        while (deleted == DELETED_AT_ONCE) {
            deleted =
                    database.jdbc(Sql.of("DELETE FROM webhook_delivery WHERE webhook = ? LIMIT " + DELETED_AT_ONCE, id)
                            .update());
        }
    }

    /**
     * Makes a new secret. The present one signs beside it until the given time; an earlier one ends now.
     *
     * @param until when the present secret ends
     */
    public Created replaceSecret(String fleet, String id, Instant until, LongPredicate condition, String by) {
        byte[] secret = Signature.newSecret(random);
        Webhook replaced = changed(em -> {
            Webhook before = locked(em, fleet, id, condition);
            run(em, "DELETE FROM webhook_secret WHERE webhook = ? AND not_after IS NOT NULL", id);
            run(em, "UPDATE webhook_secret SET not_after = ? WHERE webhook = ?", until, id);
            insert(em, id, secret);
            run(em, "UPDATE webhook SET version = version + 1 WHERE id = ?", id);
            record(em, Audit.Type.WEBHOOK_SECRET_REPLACED, before, by, ", the one before is good until " + until);
            return stored(em, fleet, id);
        });
        return new Created(replaced, Signature.shown(secret));
    }

    private void insert(EntityManager em, String webhook, byte[] secret) {
        String id = ids.nextKey();
        run(
                em,
                "INSERT INTO webhook_secret (webhook, id, sealed_secret, created_at) VALUES (?, ?, ?, ?)",
                webhook,
                id,
                master.seal(secret, purpose(webhook, id)),
                clock.millis());
    }

    /** Returns the secrets that sign now, the newest first. */
    List<byte[]> secrets(String webhook) {
        return database.jdbc(Sql.of(
                        "SELECT id, sealed_secret FROM webhook_secret"
                                + " WHERE webhook = ? AND (not_after IS NULL OR not_after > ?)"
                                + " ORDER BY CASE WHEN not_after IS NULL THEN 0 ELSE 1 END LIMIT 2",
                        webhook,
                        clock.millis())
                .list(row -> master.open(row.getBytes(2), purpose(webhook, row.getString(1)))));
    }

    /** Returns the time until which a second secret signs, if there is one. */
    public Optional<Instant> secondSecretUntil(String webhook) {
        return database.jdbc(Sql.of(
                                "SELECT not_after FROM webhook_secret WHERE webhook = ? AND not_after > ?",
                                webhook,
                                clock.millis())
                        .first(row -> Sql.time(row, 1)))
                .flatMap(until -> until);
    }

    /** Disables a webhook whose receiver says that it is gone. */
    void disable(Webhook gone) {
        changed(em -> {
            int rows = run(
                    em,
                    "UPDATE webhook SET enabled = FALSE, gone_at = ?, version = version + 1 WHERE id = ? AND enabled",
                    clock.millis(),
                    gone.id());
            if (rows > 0) {
                record(em, Audit.Type.WEBHOOK_DISABLED, gone, "registry", ", its receiver answered 410");
            }
            return null;
        });
    }

    private <T> T changed(Database.Work<T> work) {
        T result = database.transaction(em -> {
            T done = work.in(em);
            changes.note(em, SUBJECTS);
            return done;
        });
        changes.forget(SUBJECTS);
        outbox.refresh();
        return result;
    }

    private void record(EntityManager em, Audit.Type type, Webhook webhook, String by, String detail) {
        audit.record(em, type, webhook.fleet(), null, null, by, "webhook " + webhook.id() + detail);
    }

    private static Webhook locked(EntityManager em, String fleet, String id, LongPredicate condition) {
        WEBHOOK.take(em, id);
        Webhook there = stored(em, fleet, id);
        if (!condition.test(there.version())) {
            throw new RegistryException(ProblemType.PRECONDITION_FAILED, "version " + there.version() + " is there");
        }
        return there;
    }

    private static Webhook stored(EntityManager em, String fleet, String id) {
        return Database.within(em, Sql.of(SELECT + " AND id = ?", fleet, id).first(Webhook::of))
                .orElseThrow(Webhooks::noSuchWebhook);
    }

    private static int run(EntityManager em, String sql, Object... parameters) {
        return Database.within(em, Sql.of(sql, parameters).update());
    }

    private static RegistryException noSuchWebhook() {
        return new RegistryException(ProblemType.NOT_FOUND, "no such webhook");
    }

    private static String purpose(String webhook, String id) {
        return "webhook:" + webhook + ":" + id;
    }
}
