package io.muster.plugin;

import io.muster.config.Settings;
import io.muster.spi.Configurable;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.SerialVerifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.function.Consumer;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The verifiers and credential issuers found in the plug-in directory: each jar in a class loader of its own, so that it works the
 * same on every server. A jar that cannot be used is a fault that names it and says why.
 */
public final class Plugins implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Plugins.class);

    private final Services<SerialVerifier, PluginVerifier> verifiers;
    private final Services<CredentialIssuer, PluginIssuer> issuers;
    private final List<PluginLoader> loaders = new ArrayList<>();
    private final Consumer<String> faults;

    private Plugins(Consumer<String> faults) {
        this.faults = faults;
        this.verifiers = new Services<>(SerialVerifier.class, "verifier", PluginVerifier::new, faults);
        this.issuers = new Services<>(CredentialIssuer.class, "credential issuer", PluginIssuer::new, faults);
    }

    /** Loads what the directory has, and makes one object of each; a directory that cannot be read is a fault. */
    public static Plugins load(Optional<Path> directory, Consumer<String> faults) {
        Plugins plugins = new Plugins(faults);
        directory.ifPresent(dir -> {
            for (Path jar : jars(dir, faults)) {
                plugins.load(jar);
            }
        });
        return plugins;
    }

    private static List<Path> jars(Path directory, Consumer<String> faults) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".jar"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            faults.accept("muster.plugins-dir: " + directory
                    + (Files.exists(directory) ? " is not a directory that can be read" : " does not exist"));
            return List.of();
        }
    }

    private void load(Path file) {
        String jar = file.getFileName().toString();
        List<Services<?, ?>> named;
        try (JarFile content = new JarFile(file.toFile())) {
            named = Stream.of(verifiers, issuers)
                    .filter(services -> content.getEntry(services.file()) != null)
                    .collect(Collectors.toList());
            if (named.isEmpty()) {
                fault(
                        jar,
                        "has neither " + verifiers.file() + ", which names the class of its verifier, nor "
                                + issuers.file() + ", which names that of its credential issuer");
                return;
            }
            if (content.stream().anyMatch(entry -> entry.getName().startsWith("io/muster/spi/"))) {
                LOG.warn("Plug-in {} contains a copy of io.muster.spi, which is ignored: make it \"provided\"", jar);
            }
        } catch (IOException | SecurityException e) {
            fault(jar, "cannot be read as a jar (" + said(e) + ")");
            return;
        }
        PluginLoader loader = PluginLoader.of(file);
        loaders.add(loader);
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            named.forEach(services -> services.load(jar, loader));
        } catch (ServiceConfigurationError | LinkageError | RuntimeException e) {
            // The first one of a jar is enough: whatever is wrong with it, it has to be built again.
            fault(jar, Plugin.reason(e));
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private void fault(String jar, String why) {
        faults.accept("plug-in " + jar + ": " + why);
    }

    private static String said(Exception e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    /** Returns the verifiers. */
    public Services<SerialVerifier, PluginVerifier> verifiers() {
        return verifiers;
    }

    /** Returns the credential issuers. */
    public Services<CredentialIssuer, PluginIssuer> issuers() {
        return issuers;
    }

    /** Gives a plug-in or a CDI bean its settings, if it takes any; what it refuses is a fault of them. */
    public static void configure(Object service, Settings settings) {
        if (service instanceof Configurable configurable) {
            try {
                configurable.configure(settings.of(configurable.settingNames(), configurable.secretNames()));
            } catch (IllegalArgumentException e) {
                settings.fault("*", e.getMessage());
            }
        }
    }

    /** Closes what can be closed, then the jars. */
    @Override
    public void close() {
        verifiers.close();
        issuers.close();
        for (PluginLoader loader : loaders) {
            try {
                loader.close();
            } catch (IOException e) {
                LOG.debug("A plug-in's jar did not close", e);
            }
        }
    }
}
