// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.log.RareLog;
import io.muster.plugin.BoundedCalls.NoResultException;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * Delivers events to observers in {@link BoundedCalls}. The thread that causes an event waits for its observers, but
 * one second at most: an observer that hangs costs its own threads. If all of those are busy, an event is not
 * delivered, and a line in the log records that. Thread-safe.
 */
@Part
@Ours
public final class EventDelivery implements Consumer<Object>, AutoCloseable {

    private static final RareLog LOG = RareLog.of(EventDelivery.class);
    private static final Duration PATIENCE = Duration.ofSeconds(1);
    private static final int AT_ONCE = 16;

    private final Observers observers;
    private final Duration patience;
    private final BoundedCalls calls;

    /** Delivers events to these observers. */
    @Inject
    public EventDelivery(@Ours Observers observers) {
        this(observers, PATIENCE);
    }

    EventDelivery(Observers observers, Duration patience) {
        this.observers = observers;
        this.patience = patience;
        this.calls = new BoundedCalls(
                "muster-observer", AT_ONCE, observers.getClass().getClassLoader());
    }

    /** Never throws. */
    @Override
    public void accept(Object event) {
        String kind = event.getClass().getSimpleName();
        try {
            if (!observers.observe(event)) {
                return;
            }
            calls.call(
                    () -> {
                        observers.accept(event);
                        return null;
                    },
                    patience);
        } catch (NoResultException e) {
            if (e.failed()) {
                LOG.error(kind + e.getMessage(), "An observer of {} failed with {}", kind, e.getMessage(), e);
            } else {
                LOG.error(kind, "An event {} was not observed in time, or not at all: {}", kind, e.getMessage());
            }
        } catch (RuntimeException e) {
            LOG.error(kind, "An event {} was not observed: nobody can tell by whom", kind, e);
        }
    }

    @Override
    public void close() {
        calls.close();
    }
}
