// SPDX-License-Identifier: Apache-2.0
package io.muster.issuer;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import io.muster.cdi.Part;
import io.muster.cdi.RegistryScoped;
import io.muster.config.MusterConfig;
import io.muster.config.Settings;
import io.muster.jose.PublicJwk;
import io.muster.log.RareLog;
import io.muster.plugin.BoundedCalls;
import io.muster.plugin.BoundedCalls.NoResultException;
import io.muster.plugin.NamedBeans;
import io.muster.plugin.OwnValues;
import io.muster.plugin.PluginIssuer;
import io.muster.plugin.Plugins;
import io.muster.plugin.Services;
import io.muster.problem.RegistryException;
import io.muster.spi.Credential;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.RegisteredDevice;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Issues credentials. It has the issuers by the name under which fleets ask for them: the registry's own, and those of
 * others, which are called in {@link BoundedCalls}. Thread-safe.
 */
@Part
public final class Issuers implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Issuers.class);
    private static final RareLog RARE = RareLog.of(Issuers.class);

    // An issuer computes within a transaction, and calls no other system.
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private static final Duration RETRY_AFTER = Duration.ofSeconds(5);
    private static final int AT_ONCE = 16;

    /** A secret, or the public key that a device offers. */
    public static final String STANDARD = "standard";

    /** A secret; no device may offer a key. */
    public static final String SECRET = "secret";

    /** The public key that every device must offer. */
    public static final String PUBLIC_KEY = "public-key";

    private final Map<String, CredentialIssuer> builtIn = new HashMap<>();
    private final Map<String, CredentialIssuer> byName = new HashMap<>();
    private final Map<String, BoundedCalls> calls = new HashMap<>();
    private final Map<String, String> missing = new HashMap<>();
    private final Services<CredentialIssuer, PluginIssuer> plugins;

    /**
     * Adds the issuers of plug-ins and users to the registry's own, and gives each its settings, whose check reports
     * their faults. An issuer that lacks a required setting is left out if nobody configured it.
     *
     * @param issuers the registry's own, which are parts, and those of users, which are not
     * @param beans has the issuers of users
     * @param plugins has the issuers of the plug-in directory; closed by the code that loaded them
     */
    @Inject
    Issuers(MusterConfig config, @Any Instance<CredentialIssuer> issuers, NamedBeans beans, Plugins plugins) {
        this.plugins = plugins.issuers();
        for (Instance.Handle<CredentialIssuer> issuer : issuers.handles()) {
            if (issuer.getBean().getScope() == RegistryScoped.class) {
                builtIn.put(issuer.getBean().getName(), issuer.get());
            }
        }
        Settings settings = config.settings().below("issuer");
        this.plugins.with(beans.issuers(), builtIn.keySet()).forEach((name, issuer) -> {
            Settings.Trial trial = settings.trial(name);
            Plugins.configure(issuer, trial.settings());
            if (trial.faults().isEmpty() || trial.hasValues()) {
                trial.adopt();
                byName.put(name, issuer);
                calls.put(
                        name,
                        new BoundedCalls(
                                "muster-issuer-" + name,
                                AT_ONCE,
                                issuer.getClass().getClassLoader()));
            } else {
                missing.put(name, String.join("; ", trial.faults()));
                LOG.warn("Issuer {} is not configured and cannot be named by fleets: {}", name, missing.get(name));
            }
        });
        byName.putAll(builtIn);
    }

    /**
     * Logs the jars that issuers come from. Call it only when the configuration is known to have no fault; faults are
     * reported alone.
     */
    public void announce() {
        new TreeSet<>(byName.keySet()).forEach(name -> plugins.jar(name)
                .ifPresent(jar -> LOG.info("Credential issuer {} comes from {}", name, jar)));
    }

    /**
     * Tells what is wrong with a name.
     *
     * @return empty if an issuer has this name
     */
    public Optional<String> fault(String name) {
        if (byName.containsKey(name)) {
            return Optional.empty();
        }
        return Optional.of(
                missing.containsKey(name)
                        ? "is not configured: " + missing.get(name)
                        : "is not there; there are " + String.join(", ", new TreeSet<>(byName.keySet())));
    }

    /**
     * Issues a credential, and rejects one that breaks the issuer's promise.
     *
     * @param name the fleet's issuer
     * @throws RegistryException {@code INVALID_REQUEST} if the device offered a key and the issuer made a secret
     * @throws RegistryException {@code SERVICE_UNAVAILABLE} if it does not answer in time
     * @throws IllegalStateException if there is no issuer of this name, it failed, or it issued a credential that it
     *     must not
     */
    public Credential issue(String name, RegisteredDevice device) {
        CredentialIssuer issuer = byName.get(name);
        if (issuer == null) {
            throw new IllegalStateException("the credential issuer " + name + " is not there on this node");
        }
        Credential credential = issued(name, issuer, device);
        if (credential == null) {
            throw new IllegalStateException("the credential issuer " + name + " issued nothing");
        }
        if (credential instanceof Credential.PublicKey own
                && (own.jwk().isEmpty()
                        || !Optional.of(PublicJwk.of(own.jwk()))
                                .equals(device.publicKey().map(PublicJwk::of)))) {
            throw new IllegalStateException(
                    "the credential issuer " + name + " issued a public key that the device did not offer");
        }
        if (credential instanceof Credential.Secret && device.publicKey().isPresent()) {
            // A device that keeps its own key was promised that there is no secret.
            throw RegistryException.invalid(
                    List.of(new Problem.Fault("#/publicKey", "this fleet's issuer makes secrets only")));
        }
        return credential;
    }

    private Credential issued(String name, CredentialIssuer issuer, RegisteredDevice device) {
        BoundedCalls bounded = calls.get(name);
        if (bounded == null) {
            return issuer.issue(device);
        }
        try {
            return bounded.call(() -> own(issuer.issue(device), device), PATIENCE);
        } catch (NoResultException e) {
            if (!e.failed()) {
                RARE.error(name, "The credential issuer {} cannot be used: {}", name, e.getMessage());
                throw RegistryException.later(
                        ProblemType.SERVICE_UNAVAILABLE,
                        "the credential issuer " + name + ": " + e.getMessage(),
                        RETRY_AFTER);
            }
            // Drop the cause: its message may contain a secret, and it may look like a fault of the database.
            IllegalStateException failed =
                    new IllegalStateException("the credential issuer " + name + " failed with " + e.getMessage());
            failed.setStackTrace(e.getStackTrace());
            throw failed;
        }
    }

    /** Copies the issued credential into the registry's own values, on a thread of the issuer's. */
    private static Credential own(Credential issued, RegisteredDevice device) {
        if (issued instanceof Credential.Secret secret) {
            return new Credential.Secret(secret.key(), secret.secret(), extras(secret));
        }
        if (issued instanceof Credential.PublicKey own) {
            Map<String, Object> offered = device.publicKey().orElse(Map.of());
            boolean same =
                    device.publicKey().isPresent() && PublicJwk.of(own.jwk()).equals(PublicJwk.of(offered));
            return new Credential.PublicKey(own.key(), same ? offered : Map.of(), extras(own));
        }
        return null;
    }

    private static Map<String, String> extras(Credential credential) {
        return OwnValues.texts("extras", credential.extras(), Credential.MOST_EXTRAS);
    }

    /** Ends the threads on which issuers of others are called. */
    @Override
    public void close() {
        calls.values().forEach(BoundedCalls::close);
    }
}
