// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.user;

import io.muster.cdi.Part;
import io.muster.config.Settings;
import io.muster.spi.SerialVerifier;
import io.muster.user.IdentityProviders;
import io.muster.verification.Strategy;
import jakarta.inject.Inject;
import jakarta.inject.Named;

/** The verifier {@code user}: the token of a user. */
@Part
@Named("user")
final class UserStrategy implements Strategy {

    private final IdentityProviders users;

    @Inject
    UserStrategy(IdentityProviders users) {
        this.users = users;
    }

    @Override
    public SerialVerifier make(String name, Settings settings) {
        return new UserVerifier(name, settings, users);
    }

    @Override
    public Grade grade(Settings settings) {
        // It proves who the user is, and nothing about the device.
        return Grade.IDENTIFIES;
    }

    @Override
    public boolean asksOthers(SerialVerifier made) {
        return true;
    }
}
