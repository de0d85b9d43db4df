// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import io.muster.log.OneLine;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells which plug-in a thread works for. A plug-in may do two things that nobody can prevent: leave threads behind,
 * and end the process. Both are logged with the name of its jar.
 *
 * <p>This looks at threads on a thread of its own, because merely looking at a plug-in's own subclass of Thread may do
 * anything.
 */
final class PluginThreads {

    private static final Logger LOG = LoggerFactory.getLogger(PluginThreads.class);
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final int MOST_NAMES = 5;

    private PluginThreads() {}

    /**
     * Logs, for every plug-in that is closed, the threads that still work for it.
     *
     * @param ending whether the process ends
     */
    static void reportLeft(List<PluginLoader> loaders, boolean ending) {
        aside(() -> {
            Map<String, List<String>> left = new HashMap<>();
            for (Thread thread : all()) {
                loader(thread, loaders)
                        .ifPresent(loader -> left.computeIfAbsent(loader.getName(), jar -> new ArrayList<>())
                                .add(thread.getName()));
            }
            left.forEach((jar, names) -> say(
                    ending,
                    "Plug-in " + jar + " left " + names.size() + " threads behind when it was closed: "
                            + String.join(", ", names.subList(0, Math.min(MOST_NAMES, names.size())))
                            + (names.size() > MOST_NAMES ? ", ..." : "")));
        });
    }

    private static Optional<PluginLoader> loader(Thread thread, List<PluginLoader> loaders) {
        return thread == Thread.currentThread()
                ? Optional.empty()
                : loaders.stream()
                        .filter(loader -> thread.getContextClassLoader() == loader
                                || thread.getClass().getClassLoader() == loader)
                        .filter(loader -> !thread.getName().startsWith("muster-") || isIn(thread, loader))
                        .findFirst();
    }

    /** Tells whether a thread runs code of the plug-in; one of the registry's own threads may be idle. */
    private static boolean isIn(Thread thread, PluginLoader loader) {
        return Arrays.stream(thread.getStackTrace())
                .anyMatch(frame -> loader.getName().equals(frame.getClassLoaderName()));
    }

    /** Logs which plug-in ends the process, if one does. Run it when the process ends. */
    static void reportExit(Set<String> jars) {
        aside(() -> {
            for (Thread thread : all()) {
                StackTraceElement[] trace = thread.getStackTrace();
                boolean exits = Arrays.stream(trace)
                        .anyMatch(frame -> frame.getClassName().equals("java.lang.Runtime")
                                && frame.getMethodName().equals("exit"));
                Arrays.stream(trace)
                        .filter(frame -> exits && jars.contains(frame.getClassLoaderName()))
                        .findFirst()
                        .ifPresent(frame -> say(
                                true,
                                "Plug-in " + frame.getClassLoaderName() + " ends this process: System.exit at "
                                        + frame.getClassName() + "." + frame.getMethodName() + ", line "
                                        + frame.getLineNumber()));
            }
        });
    }

    private static void say(boolean ending, String message) {
        LOG.warn("{}", OneLine.of(message));
        if (ending) {
            // The log may be closed already: all shutdown hooks run at the same time.
            new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8)
                    .println(OneLine.of(message));
        }
    }

    private static void aside(Runnable look) {
        try {
            Thread thread = BoundedCalls.thread(look, "muster-plugin-threads", PluginThreads.class.getClassLoader());
            thread.setUncaughtExceptionHandler((failed, thrown) ->
                    LOG.warn("The threads of plug-ins could not be looked at: {}", OwnValues.className(thrown)));
            thread.start();
            thread.join(PATIENCE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns every thread of the JVM. Not {@link Thread#getAllStackTraces}, which looks into threads on the way. */
    private static List<Thread> all() {
        ThreadGroup root = Thread.currentThread().getThreadGroup();
        while (root.getParent() != null) {
            root = root.getParent();
        }
        Thread[] threads = new Thread[root.activeCount() * 2 + 100];
        return Arrays.asList(Arrays.copyOf(threads, root.enumerate(threads)));
    }
}
