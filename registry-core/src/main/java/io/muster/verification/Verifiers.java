package io.muster.verification;

import io.muster.config.MusterConfig;
import io.muster.config.Settings;
import io.muster.plugin.PluginVerifier;
import io.muster.plugin.Plugins;
import io.muster.plugin.Services;
import io.muster.spi.SerialVerifier;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.jwt.JwtVerifier;
import io.muster.verification.x509.X509Verifier;
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
 * Every verifier that fleets may name, made once and configured. A name means the plug-in of that name, or the built-in strategy
 * that {@code muster.verifier.<name>.type} says, which is the name itself where nothing is said. There are those that the
 * configuration names, every plug-in, and every built-in strategy by its own name; one of the last two that lacks a required
 * setting, and that nobody configured or named, is not there. Thread-safe.
 */
public final class Verifiers implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Verifiers.class);
    private static final int SHADOW_QUEUE = 100;

    private static final Map<String, Strategy> BUILT_IN = Map.of(
            "database",
            (name, settings, surroundings) ->
                    new DatabaseVerifier(() -> surroundings.stores().get().serials(), surroundings.clock()),
            "block-list",
            (name, settings, surroundings) -> blockList(settings, surroundings),
            "hmac",
            (name, settings, surroundings) ->
                    new HmacVerifier(settings, () -> surroundings.stores().get().enrolmentKeys(), surroundings.clock()),
            "http",
            (name, settings, surroundings) -> new HttpVerifier(name, settings, surroundings.clock()),
            "jwt",
            JwtVerifier::new,
            "pattern",
            (name, settings, surroundings) -> new PatternVerifier(settings),
            "x509",
            X509Verifier::new);

    /** Built-in strategies that tell a serial from another and prove nothing of who presents it. */
    private static final Set<String> IDENTIFYING = Set.of("database", "block-list", "pattern");

    /** Built-in strategies that refuse, or know nothing. */
    private static final Set<String> NEVER_GENUINE = Set.of("block-list", "pattern");

    private final Map<String, VerifierPolicy.Step> steps = new HashMap<>();
    private final Set<String> identifying = new HashSet<>();
    private final Set<String> neverGenuine = new HashSet<>();
    private final Map<String, String> missing = new HashMap<>();
    private final Map<String, String> jars = new TreeMap<>();
    private final Clock clock;
    private final Services<SerialVerifier, PluginVerifier> plugins;
    private final Map<String, ThreadPoolExecutor> shadows = new ConcurrentHashMap<>();

    /**
     * Makes them. Faults go to the settings, whose check reports them together with all others.
     *
     * @param supplied verifiers by name that are there already, such as CDI beans
     * @param plugins those of the plug-in directory; closed by whoever loaded them
     * @param keys every key of the configuration whose name is known, for the verifiers that it configures
     */
    public Verifiers(
            MusterConfig config,
            Map<String, SerialVerifier> supplied,
            Services<SerialVerifier, PluginVerifier> plugins,
            Strategy.Surroundings surroundings,
            Set<String> keys) {
        this.clock = surroundings.clock();
        Settings all = config.settings().below("verifier");
        this.plugins = plugins;
        Map<String, SerialVerifier> found = plugins.with(supplied, BUILT_IN.keySet());
        Set<String> named = named(config, keys);
        Set<String> names = new LinkedHashSet<>(named);
        names.addAll(found.keySet());
        names.addAll(BUILT_IN.keySet());
        for (String name : names) {
            make(name, all, found, surroundings, named.contains(name));
        }
    }

    private static SerialVerifier blockList(Settings settings, Strategy.Surroundings surroundings) {
        Optional<BlockFile> file = settings.path("file").map(BlockFile::new);
        file.flatMap(BlockFile::fault).ifPresent(fault -> settings.fault("file", fault));
        return new BlockListVerifier(() -> surroundings.stores().get().serials(), file);
    }

    /** Names that somebody wrote down: in the list of verifiers, in a fleet, or as part of a key. */
    private static Set<String> named(MusterConfig config, Set<String> keys) {
        Set<String> names = new LinkedHashSet<>(config.verifiers());
        config.fleets().values().forEach(fleet -> names.addAll(fleet.verifiers()));
        String prefix = "muster.verifier.";
        for (String key : new TreeSet<>(keys)) {
            int end = key.indexOf('.', prefix.length());
            if (key.startsWith(prefix) && end > 0 && Settings.isName(key.substring(prefix.length(), end))) {
                names.add(key.substring(prefix.length(), end));
            }
        }
        return names;
    }

    private void make(
            String name,
            Settings all,
            Map<String, SerialVerifier> found,
            Strategy.Surroundings surroundings,
            boolean named) {
        Settings.Trial trial = all.trial(name);
        Optional<SerialVerifier> verifier = verifier(name, trial.settings(), found, surroundings);
        boolean skip = trial.settings()
                        .choice("on-unavailable", MusterConfig.OnUnavailable.class, MusterConfig.OnUnavailable.FAIL)
                == MusterConfig.OnUnavailable.SKIP;
        boolean plugin = !BUILT_IN.containsKey(trial.settings().text("type", name));
        Optional<SerialVerifier> bounded =
                verifier.map(made -> plugin || made instanceof HttpVerifier || asksForKeys(made)
                        ? bounded(name, made, trial.settings())
                        : made);
        if (trial.faults().isEmpty() || named || trial.hasValues()) {
            trial.adopt();
            if (onlyIdentifies(trial.settings().text("type", name), trial.settings())) {
                identifying.add(name);
            }
            if (NEVER_GENUINE.contains(trial.settings().text("type", name))) {
                neverGenuine.add(name);
            }
            bounded.ifPresent(made -> steps.put(name, new VerifierPolicy.Step(name, made, skip)));
            plugins.jar(trial.settings().text("type", name)).ifPresent(jar -> jars.put(name, jar));
        } else {
            missing.put(name, String.join("; ", trial.faults()));
            bounded.ifPresent(Verifiers::close);
            if (found.containsKey(name)) {
                LOG.warn("Verifier {} is not configured and cannot be named by fleets: {}", name, missing.get(name));
            }
        }
    }

    private static boolean asksForKeys(SerialVerifier verifier) {
        return verifier instanceof JwtVerifier jwt && jwt.asksForKeys();
    }

    private static boolean onlyIdentifies(String type, Settings settings) {
        return IDENTIFYING.contains(type)
                // One token for every device proves nothing of the one that presents it.
                || type.equals("jwt") && settings.text("serial-claim", "sub").equals("none");
    }

    private static SerialVerifier bounded(String name, SerialVerifier verifier, Settings settings) {
        Duration most = Duration.ofMinutes(1);
        return new BoundedVerifier(
                name,
                verifier,
                settings.number("max-concurrent", 16, 1, 1000),
                // These have time limits of their own.
                verifier instanceof HttpVerifier || verifier instanceof JwtVerifier
                        ? most
                        : settings.duration("time-limit", Duration.ofSeconds(5), Duration.ofMillis(10), most));
    }

    private Optional<SerialVerifier> verifier(
            String name, Settings settings, Map<String, SerialVerifier> found, Strategy.Surroundings surroundings) {
        String type = settings.text("type", name);
        SerialVerifier plugin =
                type.equals(name) ? found.get(name) : plugins.another(type).orElse(null);
        if (plugin != null) {
            Plugins.configure(plugin, settings);
            return Optional.of(plugin);
        }
        Strategy strategy = BUILT_IN.get(type);
        if (strategy != null) {
            return Optional.of(strategy.make(name, settings, surroundings));
        }
        TreeSet<String> known = new TreeSet<>(found.keySet());
        known.addAll(BUILT_IN.keySet());
        settings.fault("type", "there is no verifier \"" + type + "\"; found are " + String.join(", ", known));
        return Optional.empty();
    }

    /** Tells the log which jars verifiers come from; not before it is known that there is no fault, which is said alone. */
    public void announce() {
        jars.forEach((name, jar) -> LOG.info("Verifier {} comes from {}", name, jar));
    }

    /**
     * Says what is wrong with a name.
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
     * Tells whether none of the verifiers proves anything of who presents a serial; where that depends on what an API or a plug-in
     * does, the answer is no.
     */
    public boolean onlyIdentify(VerifierPolicy.Rules rules) {
        return identifying.containsAll(rules.verifiers());
    }

    /** Tells whether the verifier of this name only refuses, or knows nothing. */
    public boolean neverGenuine(String name) {
        return neverGenuine.contains(name);
    }

    /**
     * Returns the policy of these rules. A verifier that is not there is one that cannot find out, so that nothing is decided
     * without it.
     */
    public VerifierPolicy policy(VerifierPolicy.Rules rules) {
        return new VerifierPolicy(
                steps(rules.verifiers(), rules),
                steps(rules.shadow(), rules),
                rules,
                this::shadow,
                clock,
                System::nanoTime);
    }

    /** One thread for each, so that a verifier on trial that hangs delays no other. */
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

    private List<VerifierPolicy.Step> steps(List<String> names, VerifierPolicy.Rules rules) {
        List<VerifierPolicy.Step> asked = new ArrayList<>();
        for (String name : names) {
            VerifierPolicy.Step step = steps.getOrDefault(name, absent(name));
            asked.add(new VerifierPolicy.Step(
                    name,
                    step.verifier(),
                    steps.containsKey(name)
                            && Optional.ofNullable(rules.onUnavailable().get(name))
                                    .map(meaning -> meaning == MusterConfig.OnUnavailable.SKIP)
                                    .orElse(step.skipWhenUnavailable())));
        }
        return asked;
    }

    private static VerifierPolicy.Step absent(String name) {
        return new VerifierPolicy.Step(
                name,
                candidate -> {
                    throw new VerificationUnavailableException("is not there on this node");
                },
                false);
    }

    private static void close(SerialVerifier verifier) {
        if (verifier instanceof BoundedVerifier bounded) {
            bounded.close();
            close(bounded.verifier());
        } else if (verifier instanceof HttpVerifier http) {
            http.close();
        } else if (verifier instanceof JwtVerifier jwt) {
            jwt.close();
        }
    }

    /** Returns, of the verifiers with these names, those of a built-in type, by name and in this order. */
    public <V extends SerialVerifier> Map<String, V> ofType(Class<V> type, List<String> names) {
        Map<String, V> found = new LinkedHashMap<>();
        for (String name : names) {
            VerifierPolicy.Step step = steps.get(name);
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
        steps.values().forEach(step -> close(step.verifier()));
    }
}
