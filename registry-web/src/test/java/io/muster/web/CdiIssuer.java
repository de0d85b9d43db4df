// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.spi.Credential;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.RegisteredDevice;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.Map;

/** A credential issuer as a CDI bean. */
@Named("issuer-from-cdi")
@ApplicationScoped
public class CdiIssuer implements CredentialIssuer {

    @Override
    public Credential issue(RegisteredDevice device) {
        return new Credential.Secret(
                device.id().value(), device.id().value() + device.id().value(), Map.of("found", "CDI"));
    }
}
