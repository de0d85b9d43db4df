package io.muster.credential;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.muster.persistence.Database;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When credentials were last used, remembered on this node and written in batches: authenticating never waits for it. A node that
 * is killed loses what it did not write yet, some seconds; a use soon after one that was written is not written. Thread-safe.
 */
public final class LastUses {

    private static final Logger LOG = LoggerFactory.getLogger(LastUses.class);
    private static final int WAITING = 200_000;
    private static final int BATCH = 500;

    /** How exact it is. */
    public static final Duration GRAIN = Duration.ofMinutes(5);

    private final Database database;
    private final Map<String, Instant> waiting = new ConcurrentHashMap<>();

    /** What this node wrote last; a use soon after it is no reason to ask the database. */
    private final Cache<String, Instant> written =
            Caffeine.newBuilder().maximumSize(WAITING).build();

    /** Writes to the database. */
    public LastUses(Database database) {
        this.database = database;
    }

    /** Notes a use; forgets it if too many wait to be written. */
    void used(String key, Instant at) {
        Instant before = written.getIfPresent(key);
        boolean soon = before != null && !at.isBefore(before) && at.isBefore(before.plus(GRAIN));
        if (!soon && waiting.size() < WAITING) {
            waiting.put(key, at);
        }
    }

    /** Writes what waits. Called by one thread, every ten seconds or so; never throws. */
    public void flush() {
        List<Map.Entry<String, Instant>> all = new ArrayList<>(waiting.entrySet());
        for (int from = 0; from < all.size(); from += BATCH) {
            List<Map.Entry<String, Instant>> batch = all.subList(from, Math.min(from + BATCH, all.size()));
            try {
                int[] changed = write(batch);
                for (int i = 0; i < changed.length; i++) {
                    // Not where another node wrote: by its time the next may be due earlier.
                    if (changed[i] == 1) {
                        written.put(batch.get(i).getKey(), batch.get(i).getValue());
                    }
                }
                batch.forEach(use -> waiting.remove(use.getKey(), use.getValue()));
            } catch (RuntimeException e) {
                LOG.warn("When credentials were last used could not be written: {}", e.getMessage());
                return;
            }
        }
    }

    private int[] write(List<Map.Entry<String, Instant>> batch) {
        return database.sql(connection -> {
            try (PreparedStatement update = connection.prepareStatement("UPDATE credential SET last_used_at = ?"
                    + " WHERE access_key = ? AND (last_used_at IS NULL OR last_used_at < ?)")) {
                for (Map.Entry<String, Instant> use : batch) {
                    update.setLong(1, use.getValue().toEpochMilli());
                    update.setString(2, use.getKey());
                    update.setLong(3, use.getValue().minus(GRAIN).toEpochMilli());
                    update.addBatch();
                }
                return update.executeBatch();
            }
        });
    }
}
