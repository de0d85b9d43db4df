package io.muster.credential;

import io.muster.jose.PublicJwk;
import io.muster.persistence.Ids;
import io.muster.spi.Credential;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.RegisteredDevice;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What issues credentials, by the name under which fleets ask for it: the registry's own, and those of plug-ins. Immutable. */
public final class Issuers {

    /** A secret, or the public key that a device offers. */
    public static final String STANDARD = "standard";

    /** A secret; no device may offer a key. */
    public static final String SECRET = "secret";

    /** The public key that every device has to offer. */
    public static final String PUBLIC_KEY = "public-key";

    private final Map<String, CredentialIssuer> byName = new HashMap<>();

    /** Adds those of plug-ins to the registry's own. */
    public Issuers(Ids ids, Map<String, CredentialIssuer> plugins) {
        CredentialIssuer secrets = new SecretIssuer(ids);
        CredentialIssuer keys = new PublicKeyIssuer(ids);
        byName.putAll(plugins);
        byName.put(SECRET, secrets);
        byName.put(PUBLIC_KEY, keys);
        byName.put(STANDARD, device -> (device.publicKey().isPresent() ? keys : secrets).issue(device));
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
        return byName.containsKey(name)
                ? Optional.empty()
                : Optional.of("is not there; there are " + String.join(", ", new TreeSet<>(byName.keySet())));
    }

    /**
     * Issues a credential, and lets nothing through that breaks the issuer's promise.
     *
     * @param name the fleet's issuer
     * @throws IllegalStateException if there is no issuer of this name, or it issued what it must not
     */
    public Credential issue(String name, RegisteredDevice device) {
        CredentialIssuer issuer = byName.get(name);
        if (issuer == null) {
            throw new IllegalStateException("the credential issuer " + name + " is not there on this node");
        }
        Credential credential = issuer.issue(device);
        if (credential == null) {
            throw new IllegalStateException("the credential issuer " + name + " issued nothing");
        }
        if (credential instanceof Credential.PublicKey own
                && !Optional.of(PublicJwk.of(own.jwk()))
                        .equals(device.publicKey().map(PublicJwk::of))) {
            throw new IllegalStateException(
                    "the credential issuer " + name + " issued a public key that the device did not offer");
        }
        return credential;
    }
}
