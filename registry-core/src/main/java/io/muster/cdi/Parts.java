// SPDX-License-Identifier: Apache-2.0
package io.muster.cdi;

import jakarta.enterprise.context.spi.Contextual;
import jakarta.enterprise.context.spi.CreationalContext;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The parts of one registry that were made so far. Every thread sees the registry of the application. Another registry
 * is current only within {@link #in}, while its parts are made or requested. Thread-safe.
 */
public final class Parts {

    private static final ThreadLocal<Parts> CURRENT = new ThreadLocal<>();

    private final Map<Contextual<?>, Object> made = new ConcurrentHashMap<>();
    private volatile Object surroundings;

    /**
     * Returns the parts of the registry whose part is being made on this thread, or {@linkplain #in in} which this
     * thread works.
     *
     * @throws IllegalStateException if there is none
     */
    public static Parts current() {
        Parts parts = CURRENT.get();
        if (parts == null) {
            throw new IllegalStateException("not within a registry");
        }
        return parts;
    }

    /** Returns the parts that are current on this thread, or the given ones if there are none. */
    static Parts currentOr(Parts others) {
        Parts parts = CURRENT.get();
        return parts == null ? others : parts;
    }

    /** Runs an action within this registry: it gets this registry's parts. */
    public <T> T in(Supplier<T> action) {
        Parts before = CURRENT.get();
        CURRENT.set(this);
        try {
            return action.get();
        } finally {
            if (before == null) {
                CURRENT.remove();
            } else {
                CURRENT.set(before);
            }
        }
    }

    /** Sets the surroundings that the registry is made from. Call it before its first part is made. */
    public void surround(Object from) {
        surroundings = from;
    }

    /**
     * Returns the surroundings that the registry is made from.
     *
     * @throws IllegalStateException if it does not run
     */
    public <T> T surroundings(Class<T> type) {
        Object from = surroundings;
        if (from == null) {
            throw new IllegalStateException("The registry is not running");
        }
        return type.cast(from);
    }

    <T> T get(Contextual<T> part) {
        @SuppressWarnings("unchecked")
        T there = (T) made.get(part);
        return there;
    }

    <T> T get(Contextual<T> part, CreationalContext<T> creation) {
        T there = get(part);
        if (there != null) {
            return there;
        }
        synchronized (this) {
            T meanwhile = get(part);
            if (meanwhile != null) {
                return meanwhile;
            }
            T created = in(() -> part.create(creation));
            made.put(part, created);
            return created;
        }
    }

    /** Returns the part of this type, if it was made. */
    public <T> Optional<T> made(Class<T> type) {
        return made.values().stream().filter(type::isInstance).map(type::cast).findFirst();
    }

    /** Runs an action with the part of this type, if it was made; used when the registry stops. */
    public <T> void ifMade(Class<T> type, Consumer<T> action) {
        made(type).ifPresent(action);
    }

    /** Makes no more parts. Those that exist stay for callers that still ask. */
    public void end() {
        surroundings = null;
    }
}
