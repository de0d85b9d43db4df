package io.muster.verification;

import io.muster.config.Settings;
import io.muster.spi.SerialVerifier;
import io.muster.spi.VerifierName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
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
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The verifiers found in the plug-in directory: each jar in a class loader of its own, each class by the JDK's ServiceLoader, so
 * that it works the same on every server. A jar that cannot be used is a fault that names it.
 */
final class Plugins implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Plugins.class);

    private final Map<String, SerialVerifier> verifiers;
    private final List<URLClassLoader> loaders;

    private Plugins(Map<String, SerialVerifier> verifiers, List<URLClassLoader> loaders) {
        this.verifiers = verifiers;
        this.loaders = loaders;
    }

    static Plugins load(Optional<Path> directory, Consumer<String> faults) {
        Map<String, SerialVerifier> verifiers = new HashMap<>();
        List<URLClassLoader> loaders = new ArrayList<>();
        directory.ifPresent(dir -> {
            for (Path jar : jars(dir, faults)) {
                try {
                    load(jar, verifiers, loaders, faults);
                } catch (ServiceConfigurationError | LinkageError e) {
                    faults.accept("plug-in " + jar.getFileName() + " cannot be loaded: " + e.getMessage());
                }
            }
        });
        return new Plugins(Map.copyOf(verifiers), List.copyOf(loaders));
    }

    private static List<Path> jars(Path directory, Consumer<String> faults) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".jar"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            faults.accept("muster.plugins-dir: cannot read the directory " + directory);
            return List.of();
        }
    }

    private static void load(
            Path jar, Map<String, SerialVerifier> verifiers, List<URLClassLoader> loaders, Consumer<String> faults) {
        URLClassLoader loader = new URLClassLoader(
                jar.getFileName().toString(), new URL[] {url(jar)}, SerialVerifier.class.getClassLoader());
        loaders.add(loader);
        Iterator<ServiceLoader.Provider<SerialVerifier>> providers =
                ServiceLoader.load(SerialVerifier.class, loader).stream()
                        .filter(provider -> provider.type().getClassLoader() == loader)
                        .iterator();
        if (!providers.hasNext()) {
            faults.accept("plug-in " + jar.getFileName()
                    + " has no verifier: META-INF/services/io.muster.spi.SerialVerifier must name one of its classes");
        }
        while (providers.hasNext()) {
            ServiceLoader.Provider<SerialVerifier> provider = providers.next();
            VerifierName name = provider.type().getAnnotation(VerifierName.class);
            if (name == null || !Settings.isName(name.value())) {
                faults.accept(
                        "plug-in " + jar.getFileName() + ": " + provider.type().getName()
                                + " needs @VerifierName with lower-case letters, digits and dashes");
            } else if (verifiers.putIfAbsent(name.value(), provider.get()) != null) {
                faults.accept("plug-in " + jar.getFileName() + ": another one has the name " + name.value() + " too");
            } else {
                LOG.info("Verifier {} comes from {}", name.value(), jar.getFileName());
            }
        }
    }

    private static URL url(Path jar) {
        try {
            return jar.toUri().toURL();
        } catch (MalformedURLException e) {
            throw new UncheckedIOException(e);
        }
    }

    Map<String, SerialVerifier> verifiers() {
        return verifiers;
    }

    @Override
    public void close() {
        for (URLClassLoader loader : loaders) {
            try {
                loader.close();
            } catch (IOException e) {
                LOG.debug("A plug-in's jar did not close", e);
            }
        }
    }
}
