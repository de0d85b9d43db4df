// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.user;

import io.muster.config.Settings;
import io.muster.jose.InvalidTokenException;
import io.muster.spi.Candidate;
import io.muster.spi.Verdict;
import io.muster.user.IdentityProviders;
import io.muster.user.User;
import io.muster.verification.Proof;
import io.muster.verification.Prover;
import io.muster.verification.Strategy;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Calls a device genuine if it offers the access token of a user, who then owns it. It says nothing about the serial:
 * {@code docs/verifiers/user.md} says with which other verifiers it belongs. Thread-safe.
 */
public final class UserVerifier implements Prover {

    private final String name;
    private final String evidence;
    private final Set<String> providers;
    private final IdentityProviders users;

    /** Reads every setting and reports faults; see {@link Strategy#make}. */
    UserVerifier(String name, Settings settings, IdentityProviders users) {
        this.name = name;
        this.users = users;
        this.evidence = settings.text("evidence", "user");
        List<String> accepted = settings.names("providers", List.of());
        for (String provider : accepted) {
            users.fault(provider).ifPresent(fault -> settings.fault("providers", "\"" + provider + "\" " + fault));
        }
        if (users.names().isEmpty() && accepted.isEmpty()) {
            settings.fault("providers", "muster.users names no identity provider");
        }
        this.providers = Set.copyOf(accepted.isEmpty() ? users.names() : accepted);
    }

    @Override
    public Proof prove(Candidate candidate) {
        Object offered = candidate.evidence().get(evidence);
        if (offered == null) {
            return Proof.of(Verdict.unknown());
        }
        try {
            if (!(offered instanceof String token)) {
                throw new InvalidTokenException("it is not a text");
            }
            User owner = users.user(token, providers);
            return new Proof(new Verdict.Genuine(Optional.empty(), Map.of(), Map.of()), List.of(), Optional.of(owner));
        } catch (InvalidTokenException e) {
            return Proof.of(Verdict.refused("the user's token is not accepted: " + e.getMessage()));
        }
    }

    @Override
    public String toString() {
        return "UserVerifier[" + name + "]";
    }
}
