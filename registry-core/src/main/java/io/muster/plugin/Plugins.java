// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import io.muster.config.Settings;
import io.muster.spi.Configurable;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.SerialVerifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.Set;
import java.util.function.Consumer;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The verifiers and credential issuers in the plug-in directory. Each jar has a class loader of its own, so that it
 * works the same on every server. A jar that cannot be used is a fault, which names the jar and the reason.
 */
public final class Plugins implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Plugins.class);

    private final Services<SerialVerifier, PluginVerifier> verifiers;
    private final Services<CredentialIssuer, PluginIssuer> issuers;
    private final List<PluginLoader> loaders = new ArrayList<>();
    private final Consumer<String> faults;
    private Optional<Thread> exit = Optional.empty();

    private Plugins(Consumer<String> faults) {
        this.faults = faults;
        this.verifiers = new Services<>(SerialVerifier.class, "verifier", PluginVerifier::new, faults);
        this.issuers = new Services<>(CredentialIssuer.class, "credential issuer", PluginIssuer::new, faults);
    }

    /** Loads the jars of the directory, and makes one object of each. A directory that cannot be read is a fault. */
    public static Plugins load(Optional<Path> directory, Consumer<String> faults) {
        Plugins plugins = new Plugins(faults);
        directory.ifPresent(dir -> {
            for (Path jar : jars(dir, faults)) {
                plugins.load(jar);
            }
        });
        plugins.watch();
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
        } catch (Throwable e) {
            // The first fault of a jar is enough, since it has to be built again. Catch everything, so that no jar
            // hides the faults of the others.
            OutOfMemory.report(e);
            fault(jar, OwnValues.reason(e));
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private void watch() {
        if (!loaders.isEmpty()) {
            Set<String> jars = loaders.stream().map(PluginLoader::getName).collect(Collectors.toSet());
            exit = Optional.of(new Thread(() -> PluginThreads.reportExit(jars), "muster-plugin-exit"));
            exit.ifPresent(Runtime.getRuntime()::addShutdownHook);
        }
    }

    /** Returns whether the process ends. */
    private boolean unwatch() {
        try {
            exit.ifPresent(Runtime.getRuntime()::removeShutdownHook);
            return false;
        } catch (IllegalStateException e) {
            return true;
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

    /**
     * Gives a plug-in or a CDI bean its settings, if it takes any. If it refuses them, that is a fault of the settings.
     */
    public static void configure(Object service, Settings settings) {
        if (service instanceof Configurable configurable) {
            try {
                configurable.configure(settings.of(configurable.settingNames(), configurable.secretNames()));
            } catch (IllegalArgumentException e) {
                settings.fault("*", e.getMessage());
            } catch (Exception | LinkageError | AssertionError | StackOverflowError | ServiceConfigurationError e) {
                // The exception of a bean: a plug-in throws no other. Its message may contain a setting.
                settings.fault("*", "failed while it took its settings, with " + OwnValues.className(e));
            }
        }
    }

    /** Closes the objects, all at once and within a limited time, then the jars. Logs what a plug-in left behind. */
    @Override
    public void close() {
        boolean ending = unwatch();
        Map<Plugin<?>, Thread> closing = new LinkedHashMap<>();
        Stream.<Plugin<?>>concat(verifiers.all(), issuers.all())
                .forEach(plugin -> plugin.closing().ifPresent(thread -> closing.put(plugin, thread)));
        long until = System.nanoTime() + Plugin.CLOSING.toNanos();
        closing.forEach((plugin, thread) -> plugin.await(thread, until));
        if (!loaders.isEmpty()) {
            PluginThreads.reportLeft(List.copyOf(loaders), ending);
        }
        for (PluginLoader loader : loaders) {
            try {
                loader.close();
            } catch (IOException e) {
                LOG.debug("A plug-in's jar did not close", e);
            }
        }
    }
}
