package io.muster.verification;

import io.muster.config.Settings;
import io.muster.spi.Configurable;
import io.muster.spi.SerialVerifier;
import io.muster.spi.VerifierName;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.function.Consumer;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The verifiers found in the plug-in directory: each jar in a class loader of its own, each class by the JDK's ServiceLoader, so
 * that it works the same on every server. A jar that cannot be used is a fault that names it and says why.
 */
final class Plugins implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Plugins.class);
    private static final String SERVICE_FILE = "META-INF/services/" + SerialVerifier.class.getName();

    private final Map<String, PluginVerifier> verifiers = new HashMap<>();
    private final List<PluginVerifier> others = new ArrayList<>();
    private final List<PluginLoader> loaders = new ArrayList<>();
    private final Consumer<String> faults;

    private Plugins(Consumer<String> faults) {
        this.faults = faults;
    }

    /** Loads what the directory has, and makes one object of each verifier; a directory that cannot be read is a fault. */
    static Plugins load(Optional<Path> directory, Consumer<String> faults) {
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
        try (JarFile content = new JarFile(file.toFile())) {
            if (content.getEntry(SERVICE_FILE) == null) {
                fault(jar, "has no " + SERVICE_FILE + ", which names the class of its verifier");
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
            Iterator<ServiceLoader.Provider<SerialVerifier>> providers =
                    ServiceLoader.load(SerialVerifier.class, loader).stream().iterator();
            if (!providers.hasNext()) {
                fault(jar, "names no class in " + SERVICE_FILE);
            }
            while (providers.hasNext()) {
                add(jar, loader, providers.next());
            }
        } catch (ServiceConfigurationError | LinkageError | RuntimeException e) {
            // The first one of a jar is enough: whatever is wrong with it, it has to be built again.
            fault(jar, PluginVerifier.reason(e));
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private void add(String jar, PluginLoader loader, ServiceLoader.Provider<SerialVerifier> provider) {
        Class<? extends SerialVerifier> type = provider.type();
        VerifierName name = type.getAnnotation(VerifierName.class);
        if (name == null) {
            fault(jar, type.getName() + " has no @VerifierName, by which fleets refer to it");
            return;
        }
        if (!Settings.isName(name.value())) {
            fault(
                    jar,
                    "the @VerifierName of " + type.getName()
                            + " must be 1 to 64 lower-case letters, digits and dashes, beginning with a letter");
            return;
        }
        Optional<Method> missing = missing(type);
        if (missing.isPresent()) {
            fault(
                    jar,
                    type.getName() + " has no method " + missing.get().getName()
                            + " as this Muster calls it: it was made for another version");
            return;
        }
        PluginVerifier other = verifiers.get(name.value());
        if (other != null) {
            fault(
                    jar,
                    other.jar().equals(jar)
                            ? "two of its verifiers have the name " + name.value()
                            : "its verifier has the name " + name.value() + ", and that of " + other.jar() + " too");
            return;
        }
        verifiers.put(name.value(), new PluginVerifier(jar, loader, provider));
        LOG.debug("Verifier {} comes from {}", name.value(), jar);
    }

    /** Returns what the SPI promises and the class, which compiled against another one, does not have. */
    private static Optional<Method> missing(Class<?> type) {
        return Stream.of(SerialVerifier.class, Configurable.class)
                .filter(promise -> promise.isAssignableFrom(type))
                .flatMap(promise -> Stream.of(promise.getMethods()))
                .filter(method -> Modifier.isAbstract(method.getModifiers()))
                .filter(method -> isAbstract(type, method))
                .findFirst();
    }

    private static boolean isAbstract(Class<?> type, Method promised) {
        try {
            return Modifier.isAbstract(type.getMethod(promised.getName(), promised.getParameterTypes())
                    .getModifiers());
        } catch (NoSuchMethodException e) {
            return true;
        }
    }

    private void fault(String jar, String why) {
        faults.accept("plug-in " + jar + ": " + why);
    }

    private static String said(Exception e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    /** Returns the verifiers by name; those without settings of their own take none. */
    Map<String, SerialVerifier> verifiers() {
        return Map.copyOf(verifiers);
    }

    /**
     * Returns a further verifier of the plug-in with this name, whose settings are another verifier's, or empty if there is no such
     * plug-in. Closed with the others.
     */
    Optional<SerialVerifier> another(String plugin) {
        return Optional.ofNullable(verifiers.get(plugin)).map(first -> {
            PluginVerifier further = first.another();
            others.add(further);
            return further;
        });
    }

    /** Returns the jar that the verifier of this name comes from, or empty. */
    Optional<String> jar(String name) {
        return Optional.ofNullable(verifiers.get(name)).map(PluginVerifier::jar);
    }

    /** Closes the verifiers that can be closed, then their jars. */
    @Override
    public void close() {
        verifiers.values().forEach(PluginVerifier::close);
        others.forEach(PluginVerifier::close);
        for (PluginLoader loader : loaders) {
            try {
                loader.close();
            } catch (IOException e) {
                LOG.debug("A plug-in's jar did not close", e);
            }
        }
    }
}
