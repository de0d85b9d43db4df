package io.muster.verification;

import io.muster.config.MusterConfig;
import io.muster.config.Settings;
import io.muster.spi.Configurable;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;

/**
 * Every verifier that a fleet's policy names, made once and configured. A name means the plug-in of that name, or the built-in
 * strategy that {@code muster.verifier.<name>.type} says, which is the name itself where nothing is said.
 */
public final class Verifiers implements AutoCloseable {

    private static final Map<String, Strategy> BUILT_IN = Map.of(
            "database",
            (name, settings, surroundings) ->
                    new DatabaseVerifier(() -> surroundings.stores().get().serials()),
            "http",
            (name, settings, surroundings) -> new HttpVerifier(name, settings, surroundings.clock()));

    private final Map<String, VerifierPolicy.Step> steps = new HashMap<>();
    private final Plugins plugins;

    /**
     * Makes what the fleets name. Faults go to the settings, whose check reports them together with all others.
     *
     * @param supplied verifiers by name that are there already, such as CDI beans
     */
    public Verifiers(MusterConfig config, Map<String, SerialVerifier> supplied, Strategy.Surroundings surroundings) {
        Settings all = config.settings().below("verifier");
        this.plugins =
                Plugins.load(config.pluginsDir(), fault -> config.settings().fault(fault));
        Map<String, SerialVerifier> found = new HashMap<>(supplied);
        plugins.verifiers().forEach((name, verifier) -> {
            if (found.putIfAbsent(name, verifier) != null) {
                config.settings()
                        .fault("plug-in " + plugins.jar(name).orElseThrow() + ": a CDI bean has the name " + name
                                + " too");
            }
        });
        for (String builtIn : BUILT_IN.keySet()) {
            if (found.containsKey(builtIn)) {
                config.settings()
                        .fault(plugins.jar(builtIn).map(jar -> "plug-in " + jar).orElse("a CDI bean")
                                + ": its verifier has the name of the built-in verifier " + builtIn);
            }
        }
        config.fleets().values().stream()
                .flatMap(fleet -> fleet.verifiers().stream())
                .distinct()
                .forEach(name -> steps.put(name, step(name, all.below(name), found, surroundings)));
    }

    private VerifierPolicy.Step step(
            String name, Settings settings, Map<String, SerialVerifier> found, Strategy.Surroundings surroundings) {
        boolean skip =
                settings.choice("on-unavailable", MusterConfig.OnUnavailable.class, MusterConfig.OnUnavailable.FAIL)
                        == MusterConfig.OnUnavailable.SKIP;
        return new VerifierPolicy.Step(name, verifier(name, settings, found, surroundings), skip);
    }

    private SerialVerifier verifier(
            String name, Settings settings, Map<String, SerialVerifier> found, Strategy.Surroundings surroundings) {
        String type = settings.text("type", name);
        SerialVerifier plugin =
                type.equals(name) ? found.get(name) : plugins.another(type).orElse(null);
        if (plugin != null) {
            if (plugin instanceof Configurable configurable) {
                try {
                    configurable.configure(settings.of(configurable.settingNames(), configurable.secretNames()));
                } catch (IllegalArgumentException e) {
                    settings.fault("*", e.getMessage());
                }
            }
            return plugin;
        }
        Strategy strategy = BUILT_IN.get(type);
        if (strategy != null) {
            return strategy.make(name, settings, surroundings);
        }
        TreeSet<String> known = new TreeSet<>(found.keySet());
        known.addAll(BUILT_IN.keySet());
        settings.fault("type", "there is no verifier \"" + type + "\"; found are " + String.join(", ", known));
        // Never asked, because the start fails; refuses if it were.
        return candidate -> Verdict.refused("there is no such verifier");
    }

    /** Returns a fleet's policy. */
    public VerifierPolicy policy(MusterConfig.Fleet fleet) {
        plugins.announce(fleet);
        return new VerifierPolicy(fleet.verifiers().stream().map(steps::get).toList(), fleet.required());
    }

    @Override
    public void close() {
        for (VerifierPolicy.Step step : steps.values()) {
            if (step.verifier() instanceof HttpVerifier http) {
                http.close();
            }
        }
        plugins.close();
    }
}
