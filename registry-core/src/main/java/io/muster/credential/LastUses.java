// SPDX-License-Identifier: Apache-2.0
package io.muster.credential;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.muster.cdi.Part;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last uses of credentials and of operators' tokens, remembered on this node and written in batches:
 * authentication never waits for it. A node that is killed loses the uses of some seconds that it has not written yet.
 * A use soon after a written one is not written. Thread-safe.
 */
@Part
public final class LastUses {

    private static final Logger LOG = LoggerFactory.getLogger(LastUses.class);
    private static final int WAITING = 200_000;
    private static final int BATCH = 500;

    /** The precision of the times. */
    public static final Duration GRAIN = Duration.ofMinutes(5);

    private final Database database;
    private final Uses credentials = new Uses("credential", "access_key", key -> key);
    private final Uses operators = new Uses("operator", "id", Ids::bytes);

    /** Writes to the database. */
    @Inject
    public LastUses(Database database) {
        this.database = database;
    }

    /** The uses of the rows of one table. */
    private static final class Uses {

        private final String update;
        private final Function<String, Object> column;
        private final Map<String, Instant> waiting = new ConcurrentHashMap<>();

        /** The last use that this node wrote; a use soon after it does not reach the database. */
        private final Cache<String, Instant> written =
                Caffeine.newBuilder().maximumSize(WAITING).build();

        Uses(String table, String key, Function<String, Object> column) {
            this.update = "UPDATE " + table + " SET last_used_at = ? WHERE " + key
                    + " = ? AND (last_used_at IS NULL OR last_used_at < ?)";
            this.column = column;
        }

        void used(String key, Instant at) {
            Instant before = written.getIfPresent(key);
            boolean soon = before != null && !at.isBefore(before) && at.isBefore(before.plus(GRAIN));
            if (!soon && waiting.size() < WAITING) {
                waiting.put(key, at);
            }
        }

        void flush(Database database) {
            List<Map.Entry<String, Instant>> all = new ArrayList<>(waiting.entrySet());
            for (int from = 0; from < all.size(); from += BATCH) {
                List<Map.Entry<String, Instant>> batch = all.subList(from, Math.min(from + BATCH, all.size()));
                int[] changed = database.jdbcTransaction(Sql.batch(update, batch, use -> new Object[] {
                    use.getValue(), column.apply(use.getKey()), use.getValue().minus(GRAIN)
                }));
                for (int i = 0; i < changed.length; i++) {
                    // Not if another node wrote: by its time the next write may be due earlier.
                    if (changed[i] == 1) {
                        written.put(batch.get(i).getKey(), batch.get(i).getValue());
                    }
                }
                batch.forEach(use -> waiting.remove(use.getKey(), use.getValue()));
            }
        }
    }

    /** Notes a use of a credential. Drops it if too many wait to be written. */
    void used(String key, Instant at) {
        credentials.used(key, at);
    }

    /** Notes a use of an operator's token. Drops it if too many wait to be written. */
    public void operatorUsed(String id, Instant at) {
        operators.used(id, at);
    }

    /** Writes the waiting uses. Called by one thread, every ten seconds or so; never throws. */
    public void flush() {
        try {
            credentials.flush(database);
            operators.flush(database);
        } catch (RuntimeException e) {
            LOG.warn("When credentials were last used could not be written: {}", e.getMessage());
        }
    }
}
