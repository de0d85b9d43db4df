// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import io.muster.config.Settings;
import io.muster.spi.Configurable;
import io.muster.spi.PluginName;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The plug-ins of one kind, found by the JDK's ServiceLoader. Two with the same name are faults, and so is one with a
 * name of the registry's own.
 *
 * @param <T> the interface that they implement
 * @param <P> one that implements it by asking a plug-in
 */
public final class Services<T, P extends Plugin<T>> {

    private static final Logger LOG = LoggerFactory.getLogger(Services.class);

    /** Makes an object of a plug-in. */
    interface Maker<T, P> {
        P make(String jar, ClassLoader loader, ServiceLoader.Provider<T> provider);
    }

    /** A service of this kind in a jar. */
    private record Entry<T>(String jar, ClassLoader loader, ServiceLoader.Provider<T> provider) {}

    private final Class<T> service;
    private final String kind;
    private final Maker<T, P> maker;
    private final Consumer<String> faults;
    private final Map<String, Entry<T>> found = new HashMap<>();
    private final Map<String, P> byName = new HashMap<>();
    private final List<P> others = new ArrayList<>();

    Services(Class<T> service, String kind, Maker<T, P> maker, Consumer<String> faults) {
        this.service = service;
        this.kind = kind;
        this.maker = maker;
        this.faults = faults;
    }

    String file() {
        return "META-INF/services/" + service.getName();
    }

    void load(String jar, ClassLoader loader) {
        Iterator<ServiceLoader.Provider<T>> providers =
                ServiceLoader.load(service, loader).stream().iterator();
        if (!providers.hasNext()) {
            fault(jar, "names no class in " + file());
        }
        while (providers.hasNext()) {
            add(jar, loader, providers.next());
        }
    }

    private void add(String jar, ClassLoader loader, ServiceLoader.Provider<T> provider) {
        Class<? extends T> type = provider.type();
        PluginName name = type.getAnnotation(PluginName.class);
        if (name == null) {
            fault(jar, type.getName() + " has no @PluginName, by which fleets refer to it");
            return;
        }
        if (!Settings.isName(name.value())) {
            fault(
                    jar,
                    "the @PluginName of " + type.getName()
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
        P other = byName.get(name.value());
        if (other != null) {
            fault(
                    jar,
                    other.jar().equals(jar)
                            ? "two of its " + kind + "s have the name " + name.value()
                            : "its " + kind + " has the name " + name.value() + ", and that of " + other.jar()
                                    + " too");
            return;
        }
        found.put(name.value(), new Entry<>(jar, loader, provider));
        byName.put(name.value(), maker.make(jar, loader, provider));
        LOG.debug("The {} {} comes from {}", kind, name.value(), jar);
    }

    /** Returns a method of the SPI that the class does not have, because it was compiled against another version. */
    private Optional<Method> missing(Class<?> type) {
        return Stream.of(service, Configurable.class)
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

    /** Returns the plug-ins by name. */
    public Map<String, P> byName() {
        return Map.copyOf(byName);
    }

    /**
     * Returns the plug-ins and the given objects, by name.
     *
     * @param supplied other objects, such as CDI beans; none may have the name of a plug-in
     * @param builtIn the registry's own names, which neither may have
     */
    public Map<String, T> with(Map<String, T> supplied, Set<String> builtIn) {
        Map<String, T> all = new HashMap<>(supplied);
        byName.forEach((name, plugin) -> {
            if (all.putIfAbsent(name, service.cast(plugin)) != null) {
                fault(plugin.jar(), "a CDI bean has the name " + name + " too");
            }
        });
        for (String name : builtIn) {
            if (all.containsKey(name)) {
                faults.accept(jar(name).map(jar -> "plug-in " + jar).orElse("a CDI bean") + ": its " + kind
                        + " has the name of the built-in " + kind + " " + name);
            }
        }
        return all;
    }

    /**
     * Returns another object of the plug-in with this name, for other settings, or empty if there is no such plug-in.
     * Closed with the others.
     */
    public Optional<P> another(String plugin) {
        return Optional.ofNullable(found.get(plugin)).map(first -> {
            P further = maker.make(first.jar(), first.loader(), first.provider());
            others.add(further);
            return further;
        });
    }

    /** Returns the jar that the plug-in of this name comes from, or empty. */
    public Optional<String> jar(String name) {
        return Optional.ofNullable(byName.get(name)).map(Plugin::jar);
    }

    /** Returns every object that was made. */
    Stream<P> all() {
        return Stream.concat(byName.values().stream(), others.stream());
    }
}
