package io.muster.web;

import io.muster.Registry;
import io.muster.config.Sources;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.SerialVerifier;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Event;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Inject;
import jakarta.inject.Named;
import java.time.Clock;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.ConfigProvider;
import org.eclipse.microprofile.config.spi.ConfigSource;

/** Starts the registry with the configuration of the process and the verifiers and credential issuers that are CDI beans, and hands it to the resources. */
@ApplicationScoped
public class Wiring {

    @Inject
    @Any
    Instance<SerialVerifier> verifiers;

    @Inject
    @Any
    Instance<CredentialIssuer> issuers;

    @Inject
    Event<Object> events;

    private volatile Registry registry;

    /**
     * Starts the registry.
     *
     * @throws RuntimeException if it cannot start; the message is for the operator
     */
    void start() {
        registry = Registry.start(
                Sources.of(System.getProperties(), System.getenv(), serverSources()),
                byName("verifier", verifiers),
                byName("credential issuer", issuers),
                Clock.systemUTC(),
                events::fire);
    }

    private static <T> Map<String, T> byName(String kind, Instance<T> beans) {
        Map<String, T> byName = new HashMap<>();
        for (Instance.Handle<T> handle : beans.handles()) {
            Named named = handle.getBean().getQualifiers().stream()
                    .filter(Named.class::isInstance)
                    .map(Named.class::cast)
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("The " + kind + " "
                            + handle.getBean().getBeanClass().getName()
                            + " needs @Named, its name in the configuration"));
            byName.put(named.value(), handle.get());
        }
        return byName;
    }

    void stop() {
        Registry running = registry;
        registry = null;
        if (running != null) {
            running.close();
        }
    }

    private static Sources serverSources() {
        try {
            return MicroProfile.sources();
        } catch (LinkageError | IllegalStateException e) {
            // This server has no MicroProfile Config; the registry's own sources follow the same rules.
            return Sources.none();
        }
    }

    /** Apart, so that only a server that has MicroProfile Config ever loads it. */
    private static final class MicroProfile {

        static Sources sources() {
            Config config = ConfigProvider.getConfig(Wiring.class.getClassLoader());
            Set<String> names = new HashSet<>();
            for (ConfigSource source : config.getConfigSources()) {
                // Those of 300 and above are the environment and the system properties, which are read directly.
                if (source.getOrdinal() < 300) {
                    names.addAll(source.getPropertyNames());
                }
            }
            return new Sources(key -> config.getOptionalValue(key, String.class), names);
        }
    }

    /** Returns the running registry. */
    @Produces
    public Registry registry() {
        Registry running = registry;
        if (running == null) {
            throw new IllegalStateException("The registry is not running");
        }
        return running;
    }
}
