// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import jakarta.inject.Inject;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Lists the deliveries of webhooks for operators, and repeats them. Thread-safe. */
@Part
public final class Deliveries {

    /** How many dead letters one request has sent again. */
    public static final int MOST_AT_ONCE = 1000;

    private static final String SELECT = "SELECT " + Delivery.COLUMNS + " FROM webhook_delivery WHERE webhook = ?";
    private static final String OF_STATE = "(SELECT " + Delivery.LISTED + " FROM webhook_delivery"
            + " WHERE webhook = ? AND state = ? AND id < ? ORDER BY id DESC LIMIT ?)";
    private static final String AGAIN =
            "UPDATE webhook_delivery SET state = 'W', due_at = ?, begun_at = ?, attempts = 0"
                    + " WHERE webhook = ? AND id = ? AND state <> 'W'";

    private final Database database;
    private final Audit audit;
    private final Clock clock;

    @Inject
    Deliveries(Database database, Audit audit, @Ours Clock clock) {
        this.database = database;
        this.audit = audit;
        this.clock = clock;
    }

    /**
     * Lists deliveries without their bodies, the newest first.
     *
     * @param webhook an existing one
     * @param state only these; empty for all
     * @param before the last id of the page before
     */
    public List<Delivery> list(Webhook webhook, Optional<Delivery.State> state, Optional<String> before, int atMost) {
        byte[] end = before.map(Ids::bytes).orElseGet(Deliveries::last);
        List<Delivery.State> states = state.map(List::of).orElseGet(() -> List.of(Delivery.State.values()));
        List<Object> parameters = new ArrayList<>();
        states.forEach(one -> parameters.addAll(List.of(webhook.id(), one.letter(), end, atMost)));
        parameters.add(atMost);
        // One statement sees one moment. With one for each state, a delivery that is just sent would be there twice.
        // It is a derived table because H2 takes no ORDER BY after a single SELECT in brackets.
        String sql = "SELECT * FROM (" + String.join(" UNION ALL ", Collections.nCopies(states.size(), OF_STATE))
                + ") listed ORDER BY id DESC LIMIT ?";
        return database.forOperators().jdbc(Sql.of(sql, parameters).list(row -> Delivery.of(row, false)));
    }

    private static byte[] last() {
        byte[] id = new byte[16];
        Arrays.fill(id, (byte) 0xff);
        return id;
    }

    /**
     * Returns a delivery with its body.
     *
     * @throws RegistryException {@code NOT_FOUND} if the webhook has none of this id
     */
    public Delivery get(Webhook webhook, String id) {
        return database.jdbc(Sql.of(SELECT + " AND id = ?", webhook.id(), Ids.bytes(id))
                        .first(row -> Delivery.of(row, true)))
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such delivery"));
    }

    /** Has one sent again with the same id, whether it arrived or not. One that waits goes on waiting. */
    public Delivery sendAgain(Webhook webhook, String id, String by) {
        get(webhook, id);
        again(webhook, List.of(Ids.bytes(id)), by);
        return get(webhook, id);
    }

    /** Has the oldest dead letters sent again, each with the same id, and returns how many. */
    public int sendDeadAgain(Webhook webhook, String by) {
        List<byte[]> dead = database.jdbc(Sql.of(
                        "SELECT id FROM webhook_delivery WHERE webhook = ? AND state = 'X' ORDER BY id LIMIT "
                                + MOST_AT_ONCE,
                        webhook.id())
                .list(row -> row.getBytes(1)));
        return again(webhook, dead, by);
    }

    private int again(Webhook webhook, List<byte[]> some, String by) {
        long now = clock.millis();
        return database.transaction(em -> {
            int[] rows = Database.within(em, Sql.batch(AGAIN, some, id -> new Object[] {now, now, webhook.id(), id}));
            int changed =
                    Arrays.stream(rows).filter(row -> row != 0).map(row -> 1).sum();
            if (changed > 0) {
                audit.record(
                        em,
                        Audit.Type.WEBHOOK_SENT_AGAIN,
                        webhook.fleet(),
                        null,
                        null,
                        by,
                        "webhook " + webhook.id() + ", deliveries " + changed);
            }
            return changed;
        });
    }
}
