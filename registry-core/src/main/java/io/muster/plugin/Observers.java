// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

/** The observers of the events of {@code io.muster.spi}, which run code of others. */
@FunctionalInterface
public interface Observers {

    /** Passes an event to all of its observers. May run code of others. */
    void accept(Object event);

    /** Tells whether the event has observers; without any, {@link #accept} is not called. Runs no code of others. */
    default boolean observe(Object event) {
        return true;
    }
}
