// SPDX-License-Identifier: Apache-2.0
package io.muster.issuer.secret;

import io.muster.cdi.Part;
import io.muster.credential.Secrets;
import io.muster.persistence.Ids;
import io.muster.spi.Credential;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.RegisteredDevice;
import jakarta.inject.Inject;
import jakarta.inject.Named;

/** Issues an access key, which is an identifier, and a secret of 256 random bits. */
@Part
@Named("secret")
public final class SecretIssuer implements CredentialIssuer {

    private final Ids ids;

    /** Takes keys from the ids, so that they are stored in sequence. */
    @Inject
    public SecretIssuer(Ids ids) {
        this.ids = ids;
    }

    @Override
    public Credential issue(RegisteredDevice device) {
        return new Credential.Secret(ids.nextKey(), Secrets.next());
    }
}
