// SPDX-License-Identifier: Apache-2.0
package io.muster.issuer.standard;

import io.muster.cdi.Part;
import io.muster.issuer.publickey.PublicKeyIssuer;
import io.muster.issuer.secret.SecretIssuer;
import io.muster.spi.Credential;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.RegisteredDevice;
import jakarta.inject.Inject;
import jakarta.inject.Named;

/** Issues an access key for the public key of a device that offers one, and a secret to every other device. */
@Part
@Named("standard")
final class StandardIssuer implements CredentialIssuer {

    private final SecretIssuer secrets;
    private final PublicKeyIssuer keys;

    @Inject
    StandardIssuer(SecretIssuer secrets, PublicKeyIssuer keys) {
        this.secrets = secrets;
        this.keys = keys;
    }

    @Override
    public Credential issue(RegisteredDevice device) {
        return (device.publicKey().isPresent() ? keys : secrets).issue(device);
    }
}
