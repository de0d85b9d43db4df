// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.policy;

import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.config.Nearest;
import io.muster.config.Settings;
import io.muster.config.Sources;
import io.muster.plugin.NamedBeans;
import io.muster.plugin.PluginVerifier;
import io.muster.plugin.Plugins;
import io.muster.plugin.Services;
import io.muster.spi.SerialVerifier;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.SerialForm;
import io.muster.verification.Strategy;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Every verifier that fleets may name, made once and configured. A name stands for the plug-in of that name, or for the
 * built-in strategy that {@code muster.verifier.<name>.type} names, by default the name itself. There are verifiers for
 * the names in the configuration, for every plug-in, and for every built-in strategy by its own name. A plug-in or
 * built-in strategy that lacks a required setting is left out if nobody configured or named it. Thread-safe.
 */
@Part
public final class Verifiers implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Verifiers.class);
    private static final int SHADOW_QUEUE = 100;

    private final Map<String, Step> steps = new HashMap<>();
    private final Set<String> identifying = new HashSet<>();
    private final Map<String, String> missing = new HashMap<>();
    private final Map<String, String> jars = new TreeMap<>();
    private final Map<String, List<String>> namedIn = new HashMap<>();
    private final Clock clock;
    private final Services<SerialVerifier, PluginVerifier> plugins;
    private final Map<String, Strategy> builtIn = new HashMap<>();
    private final Map<String, SuppliedStrategy> supplied = new HashMap<>();
    private final List<AutoCloseable> toClose = new ArrayList<>();
    private final VerifierMeters meters;
    private final Map<String, ThreadPoolExecutor> shadows = new ConcurrentHashMap<>();

    /**
     * Makes the verifiers. Faults go to the settings, whose check reports them together with all others.
     *
     * @param sources have the keys of the configuration
     * @param beans has the verifiers that users wrote as beans
     * @param strategies the built-in types, which are beans with names
     * @param plugins has the verifiers of the plug-in directory; closed by the code that loaded them
     */
    @Inject
    Verifiers(
            MusterConfig config,
            Sources sources,
            NamedBeans beans,
            @Any Instance<Strategy> strategies,
            Plugins plugins,
            VerifierMeters meters,
            @Ours Clock clock) {
        this(config, beans.verifiers(), named(strategies), plugins.verifiers(), sources.names(), meters, clock);
    }

    private Verifiers(
            MusterConfig config,
            Map<String, SerialVerifier> beans,
            Map<String, Strategy> builtIn,
            Services<SerialVerifier, PluginVerifier> plugins,
            Set<String> keys,
            VerifierMeters meters,
            Clock clock) {
        this.meters = meters;
        this.clock = clock;
        this.plugins = plugins;
        this.builtIn.putAll(builtIn);
        plugins.with(beans, builtIn.keySet())
                .forEach((name, verifier) -> supplied.put(name, new SuppliedStrategy(name, verifier, plugins)));
        Settings all = config.settings().below("verifier");
        Set<String> named = named(config, keys);
        Set<String> names = new LinkedHashSet<>(named);
        names.addAll(supplied.keySet());
        names.addAll(builtIn.keySet());
        for (String name : names) {
            make(name, all, named.contains(name));
        }
    }

    private static Map<String, Strategy> named(Instance<Strategy> strategies) {
        Map<String, Strategy> named = new HashMap<>();
        for (Instance.Handle<Strategy> strategy : strategies.handles()) {
            named.put(strategy.getBean().getName(), strategy.get());
        }
        return named;
    }

    /** Returns the names that somebody wrote down: in the list of verifiers, in a fleet, or as part of a key. */
    private Set<String> named(MusterConfig config, Set<String> keys) {
        Set<String> names = new LinkedHashSet<>(config.verifiers());
        config.fleets().values().forEach(fleet -> names.addAll(fleet.verifiers()));
        config.verifiers().forEach(name -> notes(name, "muster.verifiers"));
        config.fleets().forEach((fleet, document) -> document.verifiers()
                .forEach(name -> notes(name, "muster.fleet." + fleet + ".verifiers")));
        String prefix = "muster.verifier.";
        for (String key : new TreeSet<>(keys)) {
            int end = key.indexOf('.', prefix.length());
            if (key.startsWith(prefix) && end > 0 && Settings.isName(key.substring(prefix.length(), end))) {
                names.add(key.substring(prefix.length(), end));
                // A name that has settings of its own is meant to have another type. So the missing type is the fault.
                namedIn.remove(key.substring(prefix.length(), end));
            }
        }
        return names;
    }

    private void notes(String name, String key) {
        namedIn.computeIfAbsent(name, unknown -> new ArrayList<>()).add(key);
    }

    private void make(String name, Settings all, boolean named) {
        Settings.Trial trial = all.trial(name);
        String type = trial.settings().text("type", name);
        Optional<Strategy> strategy = strategy(type, name);
        Optional<SerialVerifier> verifier = strategy.map(found -> found.make(name, trial.settings()));
        if (strategy.isEmpty()) {
            absent(type, name, trial.settings());
        }
        boolean skip = trial.settings()
                        .choice("on-unavailable", MusterConfig.OnUnavailable.class, MusterConfig.OnUnavailable.FAIL)
                == MusterConfig.OnUnavailable.SKIP;
        Optional<SerialVerifier> bounded = verifier.map(made -> bounded(name, strategy.get(), made, trial.settings()));
        if (trial.faults().isEmpty() || named || trial.hasValues()) {
            trial.adopt();
            bounded.ifPresent(made -> {
                if (strategy.get().grade(trial.settings()) == Strategy.Grade.IDENTIFIES) {
                    identifying.add(name);
                }
                steps.put(
                        name,
                        new Step(
                                name,
                                made,
                                skip,
                                strategy.get().canBeGenuine(),
                                strategy.get().looksAtFormOnly()));
            });
            plugins.jar(type).ifPresent(jar -> jars.put(name, jar));
        } else {
            missing.put(name, String.join("; ", trial.faults()));
            if (supplied.containsKey(name)) {
                LOG.warn("Verifier {} is not configured and cannot be named by fleets: {}", name, missing.get(name));
            }
        }
    }

    private Optional<Strategy> strategy(String type, String name) {
        SuppliedStrategy others = supplied.get(type);
        return others != null && (type.equals(name) || others.makesOthers())
                ? Optional.of(others)
                : Optional.ofNullable(builtIn.get(type));
    }

    /**
     * Returns the verifier as the strategy made it, or bounded to as many questions at once as its settings say.
     * Verifiers of others also get a time limit.
     */
    private SerialVerifier bounded(String name, Strategy strategy, SerialVerifier made, Settings settings) {
        boolean isOurs = !(strategy instanceof SuppliedStrategy);
        if (isOurs && made instanceof AutoCloseable closeable) {
            toClose.add(closeable);
        }
        if (!strategy.asksOthers(made)) {
            return made;
        }
        Duration most = Duration.ofMinutes(1);
        BoundedVerifier bounded = new BoundedVerifier(
                name,
                made,
                settings.number("max-concurrent", 16, 1, 1000),
                isOurs ? most : settings.duration("time-limit", Duration.ofSeconds(5), Duration.ofMillis(10), most));
        toClose.add(0, bounded);
        return bounded;
    }

    private void absent(String type, String name, Settings settings) {
        TreeSet<String> known = new TreeSet<>(supplied.keySet());
        known.addAll(builtIn.keySet());
        String sentence = "there is no verifier \"" + type + "\"; found are " + String.join(", ", known)
                + Nearest.question(type, known);
        List<String> lists = type.equals(name) ? namedIn.getOrDefault(name, List.of()) : List.of();
        if (lists.isEmpty()) {
            settings.fault("type", sentence);
        }
        lists.forEach(key -> settings.fault(key + ": " + sentence));
    }

    /**
     * Logs the jars that verifiers come from. Call it only when the configuration is known to have no fault; faults are
     * reported alone.
     */
    public void announce() {
        jars.forEach((name, jar) -> LOG.info("Verifier {} comes from {}", name, jar));
    }

    /**
     * Tells what is wrong with a name.
     *
     * @return empty if a verifier has this name; else why none has, for operators
     */
    public Optional<String> fault(String name) {
        if (steps.containsKey(name)) {
            return Optional.empty();
        }
        return Optional.of(
                missing.containsKey(name)
                        ? "is not configured: " + missing.get(name)
                        : "is not there; there are "
                                + String.join(
                                        ", ", steps.keySet().stream().sorted().toList()));
    }

    /**
     * Tells whether the verifiers only identify: none proves that the device is the serial's owner. Where that depends
     * on an API or a plug-in, the answer is no.
     */
    public boolean onlyIdentify(Rules rules) {
        return identifying.containsAll(rules.verifiers());
    }

    /** Tells whether the verifier of this name can never answer genuine. */
    public boolean neverGenuine(String name) {
        Step step = steps.get(name);
        return step != null && !step.canBeGenuine();
    }

    /**
     * Returns the policy of these rules, for a fleet that spells serials in this form. A missing verifier counts as one
     * that cannot find out, so that nothing is decided without it.
     */
    public VerifierPolicy policy(Rules rules, SerialForm serials) {
        return new VerifierPolicy(
                steps(rules.verifiers(), rules),
                steps(rules.shadow(), rules),
                rules,
                serials,
                this::shadow,
                clock,
                System::nanoTime,
                meters::answered);
    }

    /** Returns one thread for each name, so that a shadow that hangs delays no other. */
    private Executor shadow(String name) {
        return shadows.computeIfAbsent(name, verifier -> {
            ThreadPoolExecutor thread =
                    new ThreadPoolExecutor(1, 1, 1, TimeUnit.MINUTES, new ArrayBlockingQueue<>(SHADOW_QUEUE), task -> {
                        Thread made = new Thread(task, "muster-shadow-" + verifier);
                        made.setDaemon(true);
                        return made;
                    });
            thread.allowCoreThreadTimeOut(true);
            return thread;
        });
    }

    private List<Step> steps(List<String> names, Rules rules) {
        List<Step> asked = new ArrayList<>();
        for (String name : names) {
            Step step = steps.getOrDefault(name, absent(name));
            asked.add(new Step(
                    name,
                    step.verifier(),
                    steps.containsKey(name)
                            && Optional.ofNullable(rules.onUnavailable().get(name))
                                    .map(meaning -> meaning == MusterConfig.OnUnavailable.SKIP)
                                    .orElse(step.skipWhenUnavailable()),
                    step.canBeGenuine(),
                    step.looksAtFormOnly()));
        }
        return asked;
    }

    private static Step absent(String name) {
        return new Step(
                name,
                candidate -> {
                    throw new VerificationUnavailableException("is not there on this node");
                },
                false);
    }

    /** Returns those of the named verifiers that are of a built-in type, by name and in this order. */
    public <V extends SerialVerifier> Map<String, V> ofType(Class<V> type, List<String> names) {
        Map<String, V> found = new LinkedHashMap<>();
        for (String name : names) {
            Step step = steps.get(name);
            if (step == null) {
                continue;
            }
            SerialVerifier made =
                    step.verifier() instanceof BoundedVerifier bounded ? bounded.verifier() : step.verifier();
            if (type.isInstance(made)) {
                found.put(name, type.cast(made));
            }
        }
        return found;
    }

    @Override
    public void close() {
        shadows.values().forEach(ThreadPoolExecutor::shutdownNow);
        toClose.forEach(Verifiers::close);
    }

    private static void close(AutoCloseable verifier) {
        try {
            verifier.close();
        } catch (Exception e) {
            LOG.debug("A verifier did not close", e);
        }
    }
}
