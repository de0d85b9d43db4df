// SPDX-License-Identifier: Apache-2.0
package io.muster.issuer.publickey;

import io.muster.cdi.Part;
import io.muster.persistence.Ids;
import io.muster.spi.Credential;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.RegisteredDevice;
import jakarta.inject.Inject;
import jakarta.inject.Named;
import java.util.Map;

/**
 * Issues an access key for the public key that a device offers. There is no secret, and nothing that could be stolen on
 * the way.
 */
@Part
@Named("public-key")
public final class PublicKeyIssuer implements CredentialIssuer {

    private final Ids ids;

    /** Takes keys from the ids, so that they are stored in sequence. */
    @Inject
    public PublicKeyIssuer(Ids ids) {
        this.ids = ids;
    }

    @Override
    public Credential issue(RegisteredDevice device) {
        return new Credential.PublicKey(
                ids.nextKey(),
                device.publicKey().orElseThrow(() -> new IllegalArgumentException("the device offers no public key")),
                Map.of());
    }
}
