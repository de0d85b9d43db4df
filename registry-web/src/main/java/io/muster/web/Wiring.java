// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.cdi.RegistryScoped;
import io.muster.config.Sources;
import io.muster.plugin.NamedBeans;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.SerialVerifier;
import io.muster.start.Node;
import io.muster.start.Surroundings;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.enterprise.inject.spi.BeanManager;
import jakarta.inject.Inject;
import jakarta.inject.Named;
import java.time.Clock;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.ConfigProvider;
import org.eclipse.microprofile.config.spi.ConfigSource;

/**
 * Starts the registry with the configuration of the process, and with the verifiers and credential issuers that users
 * wrote as CDI beans.
 */
@ApplicationScoped
public class Wiring {

    @Inject
    @Any
    Instance<SerialVerifier> verifiers;

    @Inject
    @Any
    Instance<CredentialIssuer> issuers;

    @Inject
    @Any
    Instance<Object> beans;

    @Inject
    BeanManager manager;

    private volatile Node node;

    /**
     * Starts the registry.
     *
     * @return the running registry
     * @throws RuntimeException if it cannot start; the message is for the operator
     */
    Node start() {
        node = Node.start(
                manager,
                beans,
                new Surroundings(
                        Sources.of(System.getProperties(), System.getenv(), serverSources()),
                        new NamedBeans(byName("verifier", verifiers), byName("credential issuer", issuers)),
                        Clock.systemUTC(),
                        Optional.empty()));
        return node;
    }

    private static <T> Map<String, T> byName(String kind, Instance<T> beans) {
        Map<String, T> byName = new HashMap<>();
        for (Instance.Handle<T> handle : beans.handles()) {
            if (handle.getBean().getScope() == RegistryScoped.class) {
                // It belongs to the registry, which finds it by itself.
                continue;
            }
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
        Node running = node;
        node = null;
        if (running != null) {
            running.close();
        }
    }

    private static Sources serverSources() {
        try {
            return MicroProfile.sources();
        } catch (LinkageError | IllegalStateException e) {
            // This server has no MicroProfile Config. The registry's own sources follow the same rules.
            return Sources.none();
        }
    }

    /** A class of its own, so that only a server with MicroProfile Config loads it. */
    private static final class MicroProfile {

        static Sources sources() {
            Config config = ConfigProvider.getConfig(Wiring.class.getClassLoader());
            Set<String> names = new HashSet<>();
            for (ConfigSource source : config.getConfigSources()) {
                // Ordinals from 300 on are the environment and the system properties, which are read directly.
                if (source.getOrdinal() < 300) {
                    names.addAll(source.getPropertyNames());
                }
            }
            return new Sources(key -> config.getOptionalValue(key, String.class), names);
        }
    }
}
