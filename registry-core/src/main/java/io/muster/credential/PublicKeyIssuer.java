package io.muster.credential;

import io.muster.persistence.Ids;
import io.muster.spi.Credential;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.RegisteredDevice;
import java.util.Map;

/** Issues an access key for the public key that a device offers; there is no secret, and nothing to lose on the way. */
public final class PublicKeyIssuer implements CredentialIssuer {

    private final Ids ids;

    /** Takes keys from the ids, so that they are stored in sequence. */
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
