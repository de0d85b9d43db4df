// SPDX-License-Identifier: Apache-2.0
package io.muster.cdi;

import jakarta.inject.Provider;
import java.util.function.Supplier;

/**
 * A part that is made at its first use, in the registry that was current when this object was made. It is for parts
 * that need the database, in parts that must exist before the database is opened. Thread-safe.
 *
 * @param <T> the part's type
 */
public final class Later<T> implements Supplier<T> {

    private final Parts parts = Parts.current();
    private final Provider<T> provider;
    private volatile T part;

    private Later(Provider<T> provider) {
        this.provider = provider;
    }

    /** Asks this provider, once. */
    public static <T> Later<T> of(Provider<T> provider) {
        return new Later<>(provider);
    }

    @Override
    public T get() {
        T there = part;
        if (there == null) {
            there = parts.in(provider::get);
            part = there;
        }
        return there;
    }
}
