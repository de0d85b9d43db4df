// SPDX-License-Identifier: Apache-2.0
package io.muster.start;

import io.muster.cdi.Parts;
import io.muster.cdi.RegistryExtension;
import jakarta.enterprise.inject.Instance;
import jakarta.enterprise.inject.spi.BeanManager;
import java.lang.annotation.Annotation;

/**
 * A running registry. An application has one, whose parts are injected everywhere. The warm-up and tests start others
 * beside it in the same process, and get their parts here. Thread-safe; closed once, at the end.
 */
public final class Node implements AutoCloseable {

    private final Parts parts;
    private final Instance<Object> beans;

    private Node(Parts parts, Instance<Object> beans) {
        this.parts = parts;
        this.beans = beans;
    }

    /**
     * Starts the registry of the application.
     *
     * @param beans all beans
     * @throws io.muster.config.ConfigurationException if the configuration or the database is not usable; lists every
     *     fault
     */
    public static Node start(BeanManager manager, Instance<Object> beans, Surroundings surroundings) {
        return new Node(manager.getExtension(RegistryExtension.class).application(), beans).started(surroundings);
    }

    /**
     * Starts a registry beside that of the application.
     *
     * @param beans all beans
     * @throws io.muster.config.ConfigurationException if the configuration or the database is not usable; lists every
     *     fault
     */
    public static Node startAnother(Instance<Object> beans, Surroundings surroundings) {
        return new Node(new Parts(), beans).started(surroundings);
    }

    private Node started(Surroundings surroundings) {
        parts.surround(surroundings);
        try {
            parts.in(() -> {
                part(Startup.class).start();
                return null;
            });
        } catch (RuntimeException e) {
            parts.end();
            throw e;
        }
        return this;
    }

    /** Returns the part of this type. */
    public <T> T part(Class<T> type, Annotation... qualifiers) {
        return parts.in(beans.select(type, qualifiers)::get);
    }

    /** Stops the background tasks, writes what is queued, and closes the database. */
    @Override
    public void close() {
        parts.in(() -> {
            parts.ifMade(Startup.class, Startup::stop);
            return null;
        });
        parts.end();
    }
}
