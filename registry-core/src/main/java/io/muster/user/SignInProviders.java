// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.jose.InvalidTokenException;
import io.muster.log.RareLog;
import io.muster.spi.VerificationUnavailableException;
import jakarta.inject.Inject;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The identity providers at which users can sign in at the claim page: those with a client id. Thread-safe. */
@Part
public final class SignInProviders {

    private static final RareLog LOG = RareLog.of(SignInProviders.class);

    /** Hosts to which browsers count a connection without TLS as secure. */
    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

    private final IdentityProviders providers;

    @Inject
    SignInProviders(IdentityProviders providers, MusterConfig config) {
        this.providers = providers;
        if (!names().isEmpty() && !isSecure(config)) {
            LOG.warn(
                    "insecure",
                    "Nobody can sign in at {}: browsers keep its cookies over https only; set muster.issuer to the"
                            + " address that they use",
                    config.address("/claim"));
        }
    }

    /** Tells whether browsers keep cookies of the registry that are for secure connections only. */
    static boolean isSecure(MusterConfig config) {
        return config.issuer().getScheme().equals("https")
                || LOOPBACK.contains(config.issuer().getHost());
    }

    /** Returns their names, in the order of the configuration. */
    public List<String> names() {
        return providers.names().stream().filter(name -> find(name).isPresent()).toList();
    }

    /** Tells whether the provider of a user is still one of the configuration. */
    public boolean know(User user) {
        return providers
                .find(user.provider())
                .filter(provider -> provider.issuer().equals(user.issuer()))
                .isPresent();
    }

    /** Returns the provider of this name, if users can sign in there. */
    Optional<SignInProvider> find(String name) {
        return providers.find(name).flatMap(SignInProviders::adapted);
    }

    /** Returns the provider for a sign-in. Empty if it is not configured, or has no sign-in. */
    static Optional<SignInProvider> adapted(IdentityProvider provider) {
        return Optional.of(provider).filter(one -> one.clientId().isPresent()).map(Adapted::new);
    }

    private record Adapted(IdentityProvider provider) implements SignInProvider {

        @Override
        public String issuer() {
            return provider.issuer();
        }

        @Override
        public String clientId() {
            return provider.clientId().orElseThrow();
        }

        @Override
        public String scopes() {
            return provider.scopes();
        }

        @Override
        public URI authorization() throws SignInException {
            try {
                return provider.endpoints().authorization();
            } catch (VerificationUnavailableException e) {
                throw SignInException.unavailable(e.getMessage());
            }
        }

        @Override
        public User user(String code, String verifier, URI redirect, String nonce) throws SignInException {
            try {
                return provider.signIn(code, verifier, redirect, nonce);
            } catch (InvalidTokenException e) {
                throw SignInException.refused(e.getMessage());
            } catch (VerificationUnavailableException e) {
                throw SignInException.unavailable(e.getMessage());
            }
        }
    }
}
