package io.muster.plugin;

import io.muster.spi.SerialVerifier;
import java.io.UncheckedIOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;

/**
 * The classes of one plug-in. It sees the JDK, the SPI of the registry, and its own jar: neither the libraries of the registry
 * nor those of the server, so that it brings what it needs in whatever version, and what it finds is the same on every server.
 * The same holds for resources, and so for what a ServiceLoader finds.
 */
final class PluginLoader extends URLClassLoader {

    static {
        registerAsParallelCapable();
    }

    private PluginLoader(String name, URL jar) {
        super(name, new URL[] {jar}, new Window());
    }

    static PluginLoader of(Path jar) {
        try {
            return new PluginLoader(jar.getFileName().toString(), jar.toUri().toURL());
        } catch (MalformedURLException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A copy of the SPI in the jar is not the SPI: its classes are only taken from the registry, even those it does not have. */
    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        if (Window.shows(name)) {
            throw new ClassNotFoundException(name);
        }
        return super.findClass(name);
    }

    /** What a plug-in sees of its surroundings. */
    private static final class Window extends ClassLoader {

        private static final ClassLoader REGISTRY = SerialVerifier.class.getClassLoader();

        static {
            registerAsParallelCapable();
        }

        Window() {
            super(ClassLoader.getPlatformClassLoader());
        }

        static boolean shows(String name) {
            return name.startsWith("io.muster.spi.") || name.startsWith("io.muster.api.");
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            if (shows(name)) {
                return REGISTRY.loadClass(name);
            }
            throw new ClassNotFoundException(name);
        }
    }
}
