// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.config.Settings;
import io.muster.config.Sources;
import io.muster.jose.InvalidTokenException;
import io.muster.jose.StrictJws;
import io.muster.spi.VerificationUnavailableException;
import jakarta.inject.Inject;
import java.time.Clock;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The identity providers of users that the configuration names in {@code muster.users}. Without any, it does nothing
 * and costs nothing. Thread-safe.
 */
@Part
public final class IdentityProviders implements AutoCloseable {

    private static final String USERS = "users";

    private final Map<String, IdentityProvider> byName = new LinkedHashMap<>();
    private final Map<String, IdentityProvider> byIssuer = new HashMap<>();

    /** Reads the settings of each provider. Faults go to the settings, whose check reports them. */
    @Inject
    IdentityProviders(MusterConfig config, Sources sources, @Ours Clock clock) {
        this(config.users(), config.settings(), sources.names(), clock);
    }

    /**
     * Reads the settings of each provider.
     *
     * @param names of {@code muster.users}
     * @param settings those below {@code muster.}
     * @param keys of the configuration
     */
    IdentityProviders(List<String> names, Settings settings, Set<String> keys, Clock clock) {
        Settings all = settings.below(USERS);
        for (String name : names) {
            IdentityProvider provider = new IdentityProvider(name, all.below(name), clock);
            byName.put(name, provider);
            IdentityProvider other = byIssuer.putIfAbsent(provider.issuer(), provider);
            if (other != null && !provider.issuer().isEmpty()) {
                all.below(name).fault("issuer", "is the same as muster.users." + other.name() + ".issuer");
            }
        }
        unlisted(keys).forEach(name -> {
            settings.fault(USERS, "does not list " + name + ", which has settings");
            new IdentityProvider(name, all.below(name), clock).close();
        });
    }

    /** Returns the names that have settings but are not listed. */
    private Set<String> unlisted(Set<String> keys) {
        String prefix = "muster." + USERS + ".";
        Set<String> unlisted = new TreeSet<>();
        for (String key : keys) {
            int end = key.indexOf('.', prefix.length());
            if (key.startsWith(prefix) && end > 0 && Settings.isName(key.substring(prefix.length(), end))) {
                unlisted.add(key.substring(prefix.length(), end));
            }
        }
        unlisted.removeAll(byName.keySet());
        return unlisted;
    }

    /** Returns the names of all providers, in the order of the configuration. */
    public List<String> names() {
        return List.copyOf(byName.keySet());
    }

    /** Returns the provider of this name. */
    public Optional<IdentityProvider> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /** Returns why a name is no provider's, for those who wrote it; empty if it is one's. */
    public Optional<String> fault(String name) {
        if (byName.containsKey(name)) {
            return Optional.empty();
        }
        return Optional.of(
                byName.isEmpty()
                        ? "is no identity provider; muster.users names none"
                        : "is no identity provider; there are " + String.join(", ", new TreeSet<>(byName.keySet())));
    }

    /**
     * Returns the user of an access token. The token's issuer selects the provider.
     *
     * @param providers the names of the providers that are accepted
     * @throws InvalidTokenException if the token is bad in any way; the message repeats nothing of it
     * @throws VerificationUnavailableException if the provider's keys cannot be had now, which says nothing about the
     *     token
     */
    public User user(String token, Set<String> providers) {
        IdentityProvider provider = StrictJws.unverifiedClaim(token, "iss")
                .map(byIssuer::get)
                .filter(found -> providers.contains(found.name()))
                .orElseThrow(
                        () -> new InvalidTokenException("it is not a signed token of an issuer that is accepted here"));
        return provider.accessToken(token);
    }

    /** Ends the threads of all providers. */
    @Override
    public void close() {
        byName.values().forEach(IdentityProvider::close);
    }
}
