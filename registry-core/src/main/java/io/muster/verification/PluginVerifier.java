package io.muster.verification;

import io.muster.problem.RareLog;
import io.muster.spi.Candidate;
import io.muster.spi.Configurable;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A verifier of a plug-in, called with the plug-in's class loader as the thread's, because libraries look for their own parts
 * there. A plug-in that turns out to be broken is unavailable, not a defect of the registry.
 */
final class PluginVerifier implements SerialVerifier, Configurable, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PluginVerifier.class);
    private static final RareLog RARE = RareLog.of(PluginVerifier.class);

    private final String jar;
    private final ClassLoader loader;
    private final ServiceLoader.Provider<SerialVerifier> provider;
    private final SerialVerifier verifier;

    /**
     * Makes a verifier of the plug-in.
     *
     * @throws ServiceConfigurationError if its constructor fails
     */
    PluginVerifier(String jar, ClassLoader loader, ServiceLoader.Provider<SerialVerifier> provider) {
        this.jar = jar;
        this.loader = loader;
        this.provider = provider;
        this.verifier = inside(provider::get);
    }

    /** Makes another one, with settings of its own. */
    PluginVerifier another() {
        return new PluginVerifier(jar, loader, provider);
    }

    String jar() {
        return jar;
    }

    @Override
    public Verdict verify(Candidate candidate) {
        try {
            return inside(() -> verifier.verify(candidate));
        } catch (LinkageError | ServiceConfigurationError e) {
            // What these say is the JVM's text about classes, free of serials and secrets.
            String reason = reason(e);
            RARE.error(jar, "Plug-in {} is broken, or made for another version: {}", jar, reason);
            throw new VerificationUnavailableException("plug-in " + jar + ": " + reason);
        }
    }

    @Override
    public void configure(Map<String, String> settings) {
        if (verifier instanceof Configurable configurable) {
            configuring(() -> {
                configurable.configure(settings);
                return null;
            });
        }
    }

    @Override
    public Set<String> settingNames() {
        return verifier instanceof Configurable configurable
                ? configuring(() -> Set.copyOf(configurable.settingNames()))
                : Set.of();
    }

    @Override
    public Set<String> secretNames() {
        return verifier instanceof Configurable configurable
                ? configuring(() -> Set.copyOf(configurable.secretNames()))
                : Set.of();
    }

    /** Whatever is thrown instead of what the SPI promises is a fault of the configuration too, and names the jar. */
    private <T> T configuring(Supplier<T> call) {
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

    private <T> T inside(Supplier<T> call) {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            return call.get();
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    /** Closes the verifier if it can be closed; never throws. */
    @Override
    public void close() {
        if (verifier instanceof AutoCloseable closeable) {
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
        String said = thrown.getMessage() == null
                ? ""
                : thrown.getMessage().replace(SerialVerifier.class.getName() + ": ", "");
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
