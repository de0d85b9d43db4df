// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import io.muster.audit.Audit;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The outbox as a queue for each webhook. All nodes share it; one node at a time has the lease of a webhook. Each
 * statement is committed by itself, so that no transaction waits for a receiver. Thread-safe.
 */
final class DeliveryQueue {

    private static final String READY = "SELECT w.id, w.fleet, w.lease_until FROM webhook w"
            + " WHERE w.enabled AND w.lease_until <= ? AND w.paused_until <= ?"
            + " AND (SELECT d.due_at FROM webhook_delivery d WHERE d.webhook = w.id ORDER BY d.due_at LIMIT 1) <= ?"
            + " ORDER BY w.lease_until LIMIT ?";
    private static final Duration REPORTED_AFTER = Duration.ofHours(1);

    /** A webhook for which something is due, and the end of the lease that was read. */
    record Ready(String webhook, String fleet, long leaseUntil) {}

    /** The right to deliver for a webhook, until the given time. */
    record Lease(String webhook, String fleet, long until) {}

    /** A message that is due. */
    record Due(byte[] id, String body, int attempts, Instant begunAt) {

        /** Returns the header {@code webhook-id}. */
        String webhookId() {
            return Ids.hex(id);
        }
    }

    private final Database database;
    private final Audit audit;
    private final Clock clock;

    DeliveryQueue(Database database, Audit audit, Clock clock) {
        this.database = database;
        this.audit = audit;
        this.clock = clock;
    }

    /** Lists webhooks for which something is due, and which no node has; those first that waited longest. */
    List<Ready> ready(int atMost) {
        long now = clock.millis();
        return database.jdbc(Sql.of(READY, now, now, now, atMost)
                .list(row -> new Ready(row.getString(1), row.getString(2), row.getLong(3))));
    }

    /** Takes the lease of a webhook: a compare-and-swap, so that one node has it. Empty if another node was first. */
    Optional<Lease> take(Ready one, Duration length) {
        long until = clock.instant().plus(length).toEpochMilli();
        int rows = update(
                "UPDATE webhook SET lease_until = ? WHERE id = ? AND lease_until = ?",
                until,
                one.webhook(),
                one.leaseUntil());
        return rows == 1 ? Optional.of(new Lease(one.webhook(), one.fleet(), until)) : Optional.empty();
    }

    /** Gives a lease back before it ends. */
    void release(Lease lease) {
        update(
                "UPDATE webhook SET lease_until = ? WHERE id = ? AND lease_until = ?",
                clock.millis(),
                lease.webhook(),
                lease.until());
    }

    /** Returns the webhook as it is now, if it is enabled. */
    Optional<Webhook> webhook(Lease lease) {
        return database.jdbc(
                Sql.of("SELECT " + Webhook.COLUMNS + " FROM webhook WHERE id = ? AND enabled", lease.webhook())
                        .first(Webhook::of));
    }

    /** Lists what is due for a webhook, the oldest first. */
    List<Due> due(Lease lease, int atMost) {
        return database.jdbc(Sql.of(
                        "SELECT id, body, attempts, begun_at FROM webhook_delivery"
                                + " WHERE webhook = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?",
                        lease.webhook(),
                        clock.millis(),
                        atMost)
                .list(row -> new Due(
                        row.getBytes(1), row.getString(2), row.getInt(3), Instant.ofEpochMilli(row.getLong(4)))));
    }

    /** Records that a message was accepted. */
    void delivered(Webhook webhook, Due one, WebhookSender.Result result) {
        attempted(one, Delivery.State.DELIVERED, Delivery.NEVER, result);
        update(
                "UPDATE webhook SET failures = 0, failing_from = NULL, reported = FALSE, last_error = NULL,"
                        + " delivered_at = ? WHERE id = ? AND (failures > 0 OR delivered_at IS NULL"
                        + " OR delivered_at < ?)",
                clock.millis(),
                webhook.id(),
                clock.instant().minusSeconds(1));
    }

    /**
     * Records that a message was not accepted.
     *
     * @param next when it is sent again; empty if never
     * @param pause how long nothing is sent to the webhook
     */
    void failed(Webhook webhook, Due one, WebhookSender.Result result, Optional<Instant> next, Duration pause) {
        attempted(
                one,
                next.isPresent() ? Delivery.State.WAITING : Delivery.State.DEAD,
                next.map(Instant::toEpochMilli).orElse(Delivery.NEVER),
                result);
        Instant now = clock.instant();
        update(
                "UPDATE webhook SET failures = failures + 1, failing_from = COALESCE(failing_from, ?), last_error = ?,"
                        + " paused_until = ? WHERE id = ?",
                now,
                result.error().orElse(""),
                now.plus(pause),
                webhook.id());
        report(webhook);
    }

    /** Records once that a webhook fails for long. */
    private void report(Webhook webhook) {
        database.transaction(em -> {
            int rows = Database.within(
                    em,
                    Sql.of(
                                    "UPDATE webhook SET reported = TRUE WHERE id = ? AND NOT reported AND failing_from <= ?",
                                    webhook.id(),
                                    clock.instant().minus(REPORTED_AFTER))
                            .update());
            if (rows > 0) {
                audit.record(
                        em,
                        Audit.Type.WEBHOOK_FAILING,
                        webhook.fleet(),
                        null,
                        null,
                        "registry",
                        "webhook " + webhook.id());
            }
            return null;
        });
    }

    private void attempted(Due one, Delivery.State state, long dueAt, WebhookSender.Result result) {
        update(
                "UPDATE webhook_delivery SET state = ?, due_at = ?, attempts = attempts + 1, last_at = ?,"
                        + " last_status = ?, last_millis = ?, last_error = ? WHERE id = ?",
                state.letter(),
                dueAt,
                clock.millis(),
                result.status().orElse(null),
                result.millis(),
                result.error().orElse(null),
                one.id());
    }

    /** Returns how long the oldest message waits for a webhook that is enabled; zero if none does. */
    Duration age() {
        return database
                .jdbc(Sql.of("SELECT (SELECT d.id FROM webhook_delivery d WHERE d.webhook = w.id"
                                + " AND d.state = 'W' ORDER BY d.id LIMIT 1) FROM webhook w WHERE w.enabled")
                        .list(row -> Optional.ofNullable(row.getBytes(1))))
                .stream()
                .flatMap(Optional::stream)
                .map(id -> Duration.between(Ids.time(id), clock.instant()))
                .filter(age -> !age.isNegative())
                .max(Duration::compareTo)
                .orElse(Duration.ZERO);
    }

    private int update(String sql, Object... parameters) {
        return database.jdbc(Sql.of(sql, parameters).update());
    }
}
