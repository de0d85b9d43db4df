package io.muster.verification;

import io.muster.config.MusterConfig;
import io.muster.config.Settings;
import io.muster.spi.Configurable;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Every verifier that a fleet's policy names, made once and configured. A name means the plug-in of that name, or the built-in
 * strategy that {@code muster.verifier.<name>.type} says, which is the name itself where nothing is said.
 */
public final class Verifiers implements AutoCloseable {

    private static final String DATABASE = "database";
    private static final String HTTP = "http";

    private final Map<String, VerifierPolicy.Step> steps = new HashMap<>();
    private final Plugins plugins;

    /**
     * Makes what the fleets name. Faults go to the settings, whose check reports them together with all others.
     *
     * @param supplied verifiers by name that are there already, such as CDI beans
     */
    public Verifiers(MusterConfig config, ExpectedSerials serials, Map<String, SerialVerifier> supplied, Clock clock) {
        Settings all = config.settings().below("verifier");
        this.plugins =
                Plugins.load(config.pluginsDir(), fault -> config.settings().fault(fault));
        Map<String, SerialVerifier> found = new HashMap<>(supplied);
        plugins.verifiers().forEach((name, verifier) -> {
            if (found.putIfAbsent(name, verifier) != null) {
                config.settings().fault("two verifiers have the name " + name);
            }
        });
        for (String builtIn : List.of(DATABASE, HTTP)) {
            if (found.containsKey(builtIn)) {
                config.settings().fault("a plug-in has the name of the built-in verifier " + builtIn);
            }
        }
        config.fleets().values().stream()
                .flatMap(fleet -> fleet.verifiers().stream())
                .distinct()
                .forEach(name -> steps.put(name, step(name, all.below(name), serials, found, clock)));
    }

    private static VerifierPolicy.Step step(
            String name, Settings settings, ExpectedSerials serials, Map<String, SerialVerifier> found, Clock clock) {
        boolean skip =
                settings.choice("on-unavailable", MusterConfig.OnUnavailable.class, MusterConfig.OnUnavailable.FAIL)
                        == MusterConfig.OnUnavailable.SKIP;
        return new VerifierPolicy.Step(name, verifier(name, settings, serials, found, clock), skip);
    }

    private static SerialVerifier verifier(
            String name, Settings settings, ExpectedSerials serials, Map<String, SerialVerifier> found, Clock clock) {
        SerialVerifier plugin = found.get(name);
        if (plugin != null) {
            if (plugin instanceof Configurable configurable) {
                try {
                    configurable.configure(settings.of(configurable.settingNames()));
                } catch (IllegalArgumentException e) {
                    settings.fault("*", e.getMessage());
                }
            }
            return plugin;
        }
        String type = settings.text("type", name);
        if (type.equals(DATABASE)) {
            return new DatabaseVerifier(serials);
        }
        if (type.equals(HTTP)) {
            return new HttpVerifier(name, settings, clock);
        }
        TreeSet<String> known = new TreeSet<>(found.keySet());
        known.add(DATABASE);
        known.add(HTTP);
        settings.fault("type", "there is no verifier \"" + type + "\"; found are " + String.join(", ", known));
        // Never asked, because the start fails; refuses if it were.
        return candidate -> Verdict.refused("there is no such verifier");
    }

    /** Returns a fleet's policy. */
    public VerifierPolicy policy(MusterConfig.Fleet fleet) {
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
