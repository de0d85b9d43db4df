package io.muster.credential;

import io.muster.api.Problem;
import io.muster.config.Settings;
import io.muster.jose.PublicJwk;
import io.muster.persistence.Ids;
import io.muster.plugin.PluginIssuer;
import io.muster.plugin.Plugins;
import io.muster.plugin.Services;
import io.muster.problem.RegistryException;
import io.muster.spi.Credential;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.RegisteredDevice;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What issues credentials, by the name under which fleets ask for it: the registry's own, and those of plug-ins. Immutable. */
public final class Issuers {

    private static final Logger LOG = LoggerFactory.getLogger(Issuers.class);

    /** A secret, or the public key that a device offers. */
    public static final String STANDARD = "standard";

    /** A secret; no device may offer a key. */
    public static final String SECRET = "secret";

    /** The public key that every device has to offer. */
    public static final String PUBLIC_KEY = "public-key";

    private final Map<String, CredentialIssuer> byName = new HashMap<>();
    private final Map<String, String> missing = new HashMap<>();
    private final Services<CredentialIssuer, PluginIssuer> plugins;

    /**
     * Adds those of plug-ins to the registry's own, and gives each its settings, whose check reports what is wrong with them. One that
     * lacks a required setting, and that nobody configured, is not there.
     *
     * @param supplied issuers by name that are there already, such as CDI beans
     * @param plugins those of the plug-in directory; closed by whoever loaded them
     * @param settings those of all issuers, below their names
     */
    public Issuers(
            Ids ids,
            Map<String, CredentialIssuer> supplied,
            Services<CredentialIssuer, PluginIssuer> plugins,
            Settings settings) {
        this.plugins = plugins;
        plugins.with(supplied, builtIn()).forEach((name, issuer) -> {
            Settings.Trial trial = settings.trial(name);
            Plugins.configure(issuer, trial.settings());
            if (trial.faults().isEmpty() || trial.hasValues()) {
                trial.adopt();
                byName.put(name, issuer);
            } else {
                missing.put(name, String.join("; ", trial.faults()));
                LOG.warn("Issuer {} is not configured and cannot be named by fleets: {}", name, missing.get(name));
            }
        });
        CredentialIssuer secrets = new SecretIssuer(ids);
        CredentialIssuer keys = new PublicKeyIssuer(ids);
        byName.put(SECRET, secrets);
        byName.put(PUBLIC_KEY, keys);
        byName.put(STANDARD, device -> (device.publicKey().isPresent() ? keys : secrets).issue(device));
    }

    /** Tells the log which jars issuers come from; not before it is known that there is no fault, which is said alone. */
    public void announce() {
        new TreeSet<>(byName.keySet()).forEach(name -> plugins.jar(name)
                .ifPresent(jar -> LOG.info("Credential issuer {} comes from {}", name, jar)));
    }

    /** Returns the registry's own names, which no plug-in may have. */
    public static Set<String> builtIn() {
        return Set.of(STANDARD, SECRET, PUBLIC_KEY);
    }

    /**
     * Says what is wrong with a name.
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
     * Issues a credential, and lets nothing through that breaks the issuer's promise.
     *
     * @param name the fleet's issuer
     * @throws RegistryException {@code INVALID_REQUEST} if the device offered a key and the issuer made a secret
     * @throws IllegalStateException if there is no issuer of this name, it failed, or it issued what it must not
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
                && !Optional.of(PublicJwk.of(own.jwk()))
                        .equals(device.publicKey().map(PublicJwk::of))) {
            throw new IllegalStateException(
                    "the credential issuer " + name + " issued a public key that the device did not offer");
        }
        if (credential instanceof Credential.Secret && device.publicKey().isPresent()) {
            // Who keeps its own key was promised that there is no secret.
            throw RegistryException.invalid(
                    List.of(new Problem.Fault("#/publicKey", "this fleet's issuer makes secrets only")));
        }
        return credential;
    }

    private static Credential issued(String name, CredentialIssuer issuer, RegisteredDevice device) {
        try {
            return issuer.issue(device);
        } catch (RuntimeException | LinkageError | ServiceConfigurationError e) {
            // Its message may hold what was to be kept secret, and its cause may look like a fault of the database.
            IllegalStateException failed = new IllegalStateException("the credential issuer " + name + " failed with "
                    + e.getClass().getName());
            failed.setStackTrace(e.getStackTrace());
            throw failed;
        }
    }
}
