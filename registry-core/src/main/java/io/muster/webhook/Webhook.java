// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import io.muster.persistence.Sql;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * An address that gets events of a fleet.
 *
 * @param id 32 hex digits
 * @param fleet the fleet
 * @param form the part that an operator writes
 * @param goneAt when the receiver answered 410, which disabled it; empty once an operator enabled it again
 * @param version counts changes by operators, and a disabling
 * @param createdAt when it was made
 * @param failures attempts that failed since the last one that succeeded
 * @param failingSince when the first of them was; empty if the last attempt succeeded
 * @param lastError why the last attempt failed; empty if it succeeded
 * @param deliveredAt when the last one succeeded
 * @param fullSince since when events are not recorded for it, because too many wait
 */
public record Webhook(
        String id,
        String fleet,
        Form form,
        Optional<Instant> goneAt,
        long version,
        Instant createdAt,
        int failures,
        Optional<Instant> failingSince,
        Optional<String> lastError,
        Optional<Instant> deliveredAt,
        Optional<Instant> fullSince) {

    /**
     * The part of a webhook that an operator writes.
     *
     * @param url where it is
     * @param types of the events it gets, in {@link EventTypes}; empty for all
     * @param enabled whether it gets any
     * @param description for people
     */
    public record Form(String url, Optional<List<String>> types, boolean enabled, Optional<String> description) {

        /** Hides the address, which may have a secret of the receiver in its path. */
        @Override
        public String toString() {
            return "Form[types=" + types + ", enabled=" + enabled + "]";
        }
    }

    static final String COLUMNS = "id, fleet, url, types, enabled, description, gone_at, version, created_at, failures,"
            + " failing_from, last_error, delivered_at, full_since";

    static Webhook of(ResultSet row) throws SQLException {
        return new Webhook(
                row.getString(1),
                row.getString(2),
                new Form(
                        row.getString(3),
                        EventTypes.ofStored(row.getString(4)),
                        row.getBoolean(5),
                        Optional.ofNullable(row.getString(6))),
                Sql.time(row, 7),
                row.getLong(8),
                Instant.ofEpochMilli(row.getLong(9)),
                row.getInt(10),
                Sql.time(row, 11),
                Optional.ofNullable(row.getString(12)),
                Sql.time(row, 13),
                Sql.time(row, 14));
    }
}
