// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import io.muster.audit.Audit;
import io.muster.audit.AuditEvent;
import io.muster.cdi.Part;
import io.muster.json.Json;
import io.muster.log.RareLog;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Writes what is to be sent to webhooks, in the transaction that records the event. So a delivery exists if its event
 * does, whatever happens afterwards. It knows all webhooks from memory, at most some seconds old; without a webhook for
 * an event, nothing is read or written. Thread-safe.
 */
@Part
public final class Outbox implements Audit.Listener {

    static final String SUBJECT = "webhooks";

    private static final RareLog LOG = RareLog.of(Outbox.class);
    private static final String INSERT = "INSERT INTO webhook_delivery"
            + " (id, webhook, type, body, state, due_at, begun_at, attempts) VALUES (?, ?, ?, ?, 'W', ?, ?, 0)";

    /** A webhook that is enabled. If it is full, nothing more is written for it. */
    private record Subscription(String webhook, Optional<Set<String>> types, boolean full) {

        boolean wants(String type) {
            return !full && types.map(some -> some.contains(type)).orElse(true);
        }
    }

    private record Row(byte[] id, String webhook, String type, String body) {}

    private final Database database;
    private final Ids ids;
    private final Changes.Remembered<Map<String, List<Subscription>>> remembered;
    private volatile Map<String, List<Subscription>> byFleet = Map.of();

    @Inject
    Outbox(Database database, Changes changes, Ids ids) {
        this.database = database;
        this.ids = ids;
        this.remembered = changes.remember(1, subject -> Optional.of(load()));
    }

    private Map<String, List<Subscription>> load() {
        Map<String, List<Subscription>> all = new HashMap<>();
        database.jdbc(Sql.of("SELECT fleet, id, types, full_since FROM webhook WHERE enabled")
                .forEach(row -> all.computeIfAbsent(row.getString(1), fleet -> new ArrayList<>())
                        .add(new Subscription(
                                row.getString(2),
                                EventTypes.ofStored(row.getString(3)).map(Set::copyOf),
                                Sql.number(row, 4).isPresent()))));
        return all;
    }

    /** Learns of changes by other nodes. Called every second; never throws. */
    public void refresh() {
        try {
            byFleet = remembered.get(SUBJECT).orElseGet(Map::of);
        } catch (RuntimeException e) {
            LOG.warn("refresh", "Webhooks cannot be read: {}", e.getMessage());
        }
    }

    /** Tells whether no webhook is enabled. */
    boolean isEmpty() {
        return byFleet.isEmpty();
    }

    @Override
    public boolean wants(String fleet, String type) {
        return fleet != null && byFleet.getOrDefault(fleet, List.of()).stream().anyMatch(one -> one.wants(type));
    }

    @Override
    public void recorded(EntityManager em, List<AuditEvent> events) {
        List<Row> rows = new ArrayList<>();
        for (AuditEvent event : events) {
            if (!wants(event.fleet(), event.type())) {
                continue;
            }
            String body = body(event);
            byFleet.getOrDefault(event.fleet(), List.of()).stream()
                    .filter(one -> one.wants(event.type()))
                    .forEach(one -> rows.add(new Row(ids.next(), one.webhook(), event.type(), body)));
        }
        if (!rows.isEmpty()) {
            Database.within(em, Sql.batch(INSERT, rows, row -> {
                long now = Ids.time(row.id()).toEpochMilli();
                return new Object[] {row.id(), row.webhook(), row.type(), row.body(), now, now};
            }));
        }
    }

    private static String body(AuditEvent event) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("id", event.id());
        data.put("fleet", event.fleet());
        Optional.ofNullable(event.serial()).ifPresent(serial -> data.put("serial", serial));
        Optional.ofNullable(event.deviceId()).ifPresent(id -> data.put("deviceId", id));
        data.put("who", event.who());
        Optional.ofNullable(event.detail()).ifPresent(detail -> data.put("detail", detail));
        return body(event.type(), event.at(), data);
    }

    /** Returns a body as Standard Webhooks proposes it. */
    static String body(String type, Object timestamp, Map<String, Object> data) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("type", type);
        body.put("timestamp", timestamp);
        body.put("data", data);
        return Json.text(body);
    }
}
