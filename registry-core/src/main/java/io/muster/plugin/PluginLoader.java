// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import io.muster.spi.SerialVerifier;
import java.io.UncheckedIOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;

/**
 * The classes of one plug-in. It sees the JDK, the SPI of the registry, and its own jar, but no libraries of the
 * registry or the server. So it can bring any version of what it needs, and finds the same on every server. The same
 * applies to resources, and so to the results of a ServiceLoader.
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

    /**
     * Takes classes of the SPI only from the registry, even those that the registry does not have: a copy of the SPI in
     * the jar is not the SPI.
     */
    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        if (Window.shows(name)) {
            throw new ClassNotFoundException(name);
        }
        return super.findClass(name);
    }

    /** The part of its surroundings that a plug-in sees. */
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
