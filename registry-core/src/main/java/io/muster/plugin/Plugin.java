package io.muster.plugin;

import io.muster.spi.Configurable;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An object of a plug-in, called with the plug-in's class loader as the thread's, because libraries look for their own parts there.
 * One without settings takes none.
 *
 * @param <T> what it is
 */
public class Plugin<T> implements Configurable, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Plugin.class);

    private final String jar;
    private final ClassLoader loader;
    private final T service;

    /**
     * Makes an object of the plug-in.
     *
     * @throws ServiceConfigurationError if its constructor fails
     */
    Plugin(String jar, ClassLoader loader, ServiceLoader.Provider<T> provider) {
        this.jar = jar;
        this.loader = loader;
        this.service = inside(provider::get);
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
                return null;
            });
        }
    }

    @Override
    public final Set<String> settingNames() {
        return service instanceof Configurable configurable
                ? configuring(() -> Set.copyOf(configurable.settingNames()))
                : Set.of();
    }

    @Override
    public final Set<String> secretNames() {
        return service instanceof Configurable configurable
                ? configuring(() -> Set.copyOf(configurable.secretNames()))
                : Set.of();
    }

    /** Whatever is thrown instead of what the SPI promises is a fault of the configuration too, and names the jar. */
    private <R> R configuring(Supplier<R> call) {
        try {
            return inside(call);
        } catch (IllegalArgumentException e) {
            throw e.getMessage() == null ? new IllegalArgumentException("plug-in " + jar + " refuses its settings") : e;
        } catch (RuntimeException e) {
            // Its message may hold a setting.
            throw new IllegalArgumentException("plug-in " + jar + " failed while it took its settings, with "
                    + e.getClass().getName());
        } catch (LinkageError | ServiceConfigurationError e) {
            throw new IllegalArgumentException("plug-in " + jar + ": " + reason(e));
        }
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

    /** Closes the object if it can be closed; never throws. */
    @Override
    public final void close() {
        if (service instanceof AutoCloseable closeable) {
            inside(() -> {
                try {
                    closeable.close();
                } catch (Exception | LinkageError e) {
                    LOG.warn("Plug-in {} did not close: {}", jar, e.getClass().getName());
                }
                return null;
            });
        }
    }

    /** Says in words what kept a class from being used. */
    static String reason(Throwable thrown) {
        String said =
                thrown.getMessage() == null ? "" : thrown.getMessage().replaceFirst("^io\\.muster\\.spi\\.\\w+: ", "");
        if (thrown instanceof UnsupportedClassVersionError) {
            return "it was compiled for a newer Java: " + said;
        }
        if (thrown instanceof NoClassDefFoundError && thrown.getCause() instanceof ClassNotFoundException) {
            return "it needs the class " + said.replace('/', '.') + ", which "
                    + (said.startsWith("io/muster/")
                            ? "this Muster does not have: it was made for another version"
                            : "is not in the jar");
        }
        String kind = thrown instanceof ServiceConfigurationError
                ? ""
                : thrown.getClass().getSimpleName() + (said.isEmpty() ? "" : ": ");
        Throwable cause = thrown.getCause();
        return kind + said + (cause == null ? "" : " (" + cause + ")");
    }
}
