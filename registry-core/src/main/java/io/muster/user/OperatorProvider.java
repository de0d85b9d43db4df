// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.config.Settings;
import io.muster.config.Sources;
import io.muster.jose.InvalidTokenException;
import io.muster.jose.StrictJws;
import io.muster.log.RareLog;
import io.muster.once.UsedOnce;
import io.muster.persistence.MasterKey;
import io.muster.spi.VerificationUnavailableException;
import jakarta.inject.Inject;
import java.net.URI;
import java.time.Clock;
import java.util.Optional;
import java.util.function.Function;

/**
 * The company's OpenID provider, at which operators have accounts: {@code muster.operators.oidc.*}. It is read and
 * asked like those of users, and is none of them. Without these settings there is none. Thread-safe.
 */
@Part
public final class OperatorProvider implements AutoCloseable {

    /** The path to which the provider sends browsers back. It is registered there. */
    public static final String BACK = "/api/v1/console/signed-in";

    private static final RareLog LOG = RareLog.of(OperatorProvider.class);
    private static final String NAME = "operators";
    private static final String PURPOSE = "operator sign-in";
    /** A person's issuer and subject have to fit into a record beside the name. */
    private static final int LONGEST_ISSUER = 100;

    private final Settings settings;
    private final Optional<IdentityProvider> provider;
    private final MusterConfig config;
    private final Clock clock;

    /** Reads the settings. Faults go to the settings, whose check reports them. */
    @Inject
    OperatorProvider(MusterConfig config, Sources sources, IdentityProviders users, @Ours Clock clock) {
        this.config = config;
        this.clock = clock;
        this.settings = config.settings().below(NAME).below("oidc");
        boolean isSet = settings.isSet("issuer")
                || sources.names().stream().anyMatch(name -> name.startsWith("muster." + NAME + ".oidc."));
        this.provider = isSet ? Optional.of(new IdentityProvider(NAME, settings, clock)) : Optional.empty();
        provider.ifPresent(own -> check(own, users));
    }

    private void check(IdentityProvider own, IdentityProviders users) {
        if (own.issuer().length() > LONGEST_ISSUER) {
            settings.fault("issuer", "has more than " + LONGEST_ISSUER + " characters");
        }
        for (String name : users.names()) {
            IdentityProvider other = users.find(name).orElseThrow();
            boolean same = other.issuer().equals(own.issuer());
            if (same && other.isFor(own)) {
                settings.fault(
                        "audience",
                        "must be another than audience and client-id of muster.users." + name
                                + ", which has the same issuer: its tokens are the users'");
            }
            if (name.matches("https?")) {
                config.settings()
                        .fault(
                                "users",
                                name + " is a name with which a user would look like an operator in the record");
            }
        }
        if (own.clientId().isPresent() && !SignInProviders.isSecure(config)) {
            LOG.warn(
                    "insecure",
                    "No operator can sign in at {}: browsers keep its cookies over https only; set muster.issuer to"
                            + " the address that they use",
                    config.address("/console"));
        }
    }

    /** Returns the settings of the provider, which also say what groups may do; empty if there is no provider. */
    public Optional<Settings> settings() {
        return provider.map(own -> settings);
    }

    /** Tells whether operators can sign in there with a browser. */
    public boolean hasSignIn() {
        return provider.flatMap(IdentityProvider::clientId).isPresent();
    }

    /** Tells whether what was read when somebody signed in was told by this provider. */
    public boolean knows(User person) {
        return provider.filter(own -> own.issuer().equals(person.issuer())).isPresent();
    }

    /**
     * Returns the person of an access token, and when the token ends.
     *
     * @return empty if the token says that it is of another issuer, or there is no provider
     * @throws InvalidTokenException if it is of this issuer and bad in any way; the message repeats nothing of it
     * @throws VerificationUnavailableException if the provider's keys cannot be had now
     */
    public Optional<IdentityProvider.Access> access(String token) {
        return provider.filter(own -> StrictJws.unverifiedClaim(token, "iss")
                        .filter(own.issuer()::equals)
                        .isPresent())
                .map(own -> own.access(token));
    }

    /**
     * Returns the sign-in.
     *
     * @param sessions begins a session; empty for a person without any rights
     */
    public SignIn signIn(MasterKey master, UsedOnce used, Function<User, Optional<String>> sessions) {
        return new SignIn(
                name -> name.equals(NAME) ? provider.flatMap(SignInProviders::adapted) : Optional.empty(),
                URI.create(config.address(BACK)),
                PURPOSE,
                master,
                used,
                sessions,
                clock);
    }

    /** Returns its name for {@link SignIn#begin}. */
    public static String name() {
        return NAME;
    }

    /** Ends its threads. */
    @Override
    public void close() {
        provider.ifPresent(IdentityProvider::close);
    }
}
