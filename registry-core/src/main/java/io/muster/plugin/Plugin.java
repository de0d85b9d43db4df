// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import io.muster.plugin.BoundedCalls.NoResultException;
import io.muster.spi.Configurable;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An object of a plug-in. During a call the plug-in's class loader is the thread's, because libraries look for their
 * own parts with it. The object is made and gets its settings on a thread of its own, and the start waits for that only
 * a limited time. A plug-in without settings accepts none.
 *
 * @param <T> its interface
 */
public class Plugin<T> implements Configurable, AutoCloseable {

    /**
     * How long the start waits for a constructor, and for the settings to be accepted: some plug-ins connect to their
     * back end there.
     */
    static final Duration PATIENCE = Duration.ofSeconds(30);

    /** How long the end waits for all plug-ins together to close. */
    static final Duration CLOSING = Duration.ofSeconds(5);

    private static final Logger LOG = LoggerFactory.getLogger(Plugin.class);
    private static final int MOST_NAMES = 1000;
    private static final int MOST_OF_A_FAULT = 2000;

    private final String jar;
    private final ClassLoader loader;
    private final BoundedCalls calls;
    private final T service;

    /**
     * The result of a call: a value of the registry's own, an object that only its plug-in's threads look into, or a
     * fault.
     */
    private record Outcome<R>(R value, String fault) {}

    /**
     * Makes an object of the plug-in.
     *
     * @throws ServiceConfigurationError if its constructor fails, or does not end; the message says why
     */
    Plugin(String jar, ClassLoader loader, ServiceLoader.Provider<T> provider) {
        this.jar = jar;
        this.loader = loader;
        this.calls = new BoundedCalls("muster-plugin-" + jar, 2, loader);
        Outcome<T> made;
        try {
            made = calls.call(
                    () -> {
                        try {
                            return new Outcome<>(provider.get(), null);
                        } catch (ServiceConfigurationError e) {
                            OutOfMemory.report(e.getCause() == null ? e : e.getCause());
                            return new Outcome<>(null, OwnValues.reason(e));
                        }
                    },
                    PATIENCE);
        } catch (NoResultException e) {
            throw new ServiceConfigurationError(
                    "its constructor " + (e.failed() ? "failed with " : "gave ") + e.getMessage());
        }
        if (made.fault != null) {
            throw new ServiceConfigurationError(made.fault);
        }
        this.service = made.value;
    }

    /** Returns the name of the file that it comes from. */
    public final String jar() {
        return jar;
    }

    final T service() {
        return service;
    }

    @Override
    public final void configure(Map<String, String> settings) {
        if (service instanceof Configurable configurable) {
            configuring(() -> {
                configurable.configure(settings);
                return "";
            });
        }
    }

    @Override
    public final Set<String> settingNames() {
        return service instanceof Configurable configurable
                ? configuring(() -> OwnValues.names("settingNames", configurable.settingNames(), MOST_NAMES))
                : Set.of();
    }

    @Override
    public final Set<String> secretNames() {
        return service instanceof Configurable configurable
                ? configuring(() -> OwnValues.names("secretNames", configurable.secretNames(), MOST_NAMES))
                : Set.of();
    }

    /** Turns any unexpected exception into a fault of the configuration too, which names the jar. */
    private <R> R configuring(Supplier<R> call) {
        Outcome<R> outcome;
        try {
            outcome = calls.call(
                    () -> {
                        try {
                            return new Outcome<>(call.get(), null);
                        } catch (IllegalArgumentException e) {
                            return new Outcome<>(
                                    null,
                                    e.getMessage() == null
                                            ? "plug-in " + jar + " refuses its settings"
                                            : OwnValues.cut(e.getMessage(), MOST_OF_A_FAULT));
                        } catch (LinkageError | ServiceConfigurationError | OwnValues.NotOwnException e) {
                            return new Outcome<>(null, "plug-in " + jar + ": " + OwnValues.reason(e));
                        }
                    },
                    PATIENCE);
        } catch (NoResultException e) {
            // Drop the exception: its message may contain a setting.
            throw new IllegalArgumentException("plug-in " + jar
                    + (e.failed() ? " failed while it took its settings, with " : " took its settings: ")
                    + e.getMessage());
        }
        if (outcome.fault != null) {
            throw new IllegalArgumentException(outcome.fault);
        }
        return outcome.value;
    }

    final <R> R inside(Supplier<R> call) {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            return call.get();
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    /** Closes the object if it can be closed. Never throws, and waits only a limited time. */
    @Override
    public final void close() {
        closing().ifPresent(thread -> await(thread, System.nanoTime() + CLOSING.toNanos()));
    }

    /** Begins to close the object if it can be closed. */
    final Optional<Thread> closing() {
        calls.close();
        if (!(service instanceof AutoCloseable closeable)) {
            return Optional.empty();
        }
        Thread thread = BoundedCalls.thread(() -> close(closeable), "muster-plugin-" + jar + "-close", loader);
        thread.start();
        return Optional.of(thread);
    }

    private void close(AutoCloseable closeable) {
        try {
            closeable.close();
        } catch (Throwable e) {
            OutOfMemory.report(e);
            LOG.warn("Plug-in {} did not close: {}", jar, OwnValues.className(e));
        }
    }

    /** Waits for the thread of {@link #closing}. */
    final void await(Thread closing, long untilNanos) {
        try {
            closing.join(Math.max(1, (untilNanos - System.nanoTime()) / 1_000_000));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (closing.isAlive()) {
            LOG.warn("Plug-in {} did not close within {}", jar, CLOSING);
        }
    }
}
