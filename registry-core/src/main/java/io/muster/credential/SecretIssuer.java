package io.muster.credential;

import io.muster.persistence.Ids;
import io.muster.spi.Credential;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.RegisteredDevice;

/** Issues an access key, which is an identifier, and a secret of 256 random bits. */
public final class SecretIssuer implements CredentialIssuer {

    private final Ids ids;

    /** Takes keys from the ids, so that they are stored in sequence. */
    public SecretIssuer(Ids ids) {
        this.ids = ids;
    }

    @Override
    public Credential issue(RegisteredDevice device) {
        return new Credential.Secret(ids.nextKey(), Secrets.next());
    }
}
