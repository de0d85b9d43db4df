// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;

/**
 * Puts {@code io.muster.micro.grizzly.Guard} before the application on every listener that is open now. Grizzly's
 * classes are in a class loader of the server's own. So the guard's classes are loaded by one below it, and the server
 * is called by reflection.
 */
final class Connections {

    private static final String GUARD = "io.muster.micro.grizzly.";

    private Connections() {}

    static void guard(ClassLoader server) throws ReflectiveOperationException {
        Class<?> guard = new BelowServer(server).loadClass(GUARD + "Guard");
        Class<?> service = server.loadClass("com.sun.enterprise.v3.services.impl.GrizzlyService");
        Class<?> listenerType = server.loadClass("org.glassfish.grizzly.config.GenericGrizzlyListener");
        Class<?> transportType = server.loadClass("org.glassfish.grizzly.nio.NIOTransport");
        Field proxies = service.getDeclaredField("proxies");
        proxies.setAccessible(true);
        Object grizzly = server.loadClass("org.glassfish.internal.api.Globals")
                .getMethod("get", Class.class)
                .invoke(null, service);
        for (Object proxy : (Iterable<?>) proxies.get(grizzly)) {
            Object listener =
                    proxy.getClass().getMethod("getUnderlyingListener").invoke(proxy);
            if (listenerType.isInstance(listener)) {
                Object transport = listenerType.getMethod("getTransport").invoke(listener);
                guard.getMethod("on", transportType).invoke(null, transport);
            }
        }
    }

    /** Loads the guard itself, and everything else as the server does. */
    private static final class BelowServer extends ClassLoader {

        BelowServer(ClassLoader server) {
            super(server);
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded != null ? loaded : name.startsWith(GUARD) ? define(name) : super.loadClass(name, resolve);
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            try (InputStream in = Connections.class.getResourceAsStream("/" + name.replace('.', '/') + ".class")) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length, Connections.class.getProtectionDomain());
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }
}
