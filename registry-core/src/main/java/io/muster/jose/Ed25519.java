// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.KeyPairBuilder;
import io.jsonwebtoken.security.SecureRequest;
import io.jsonwebtoken.security.SignatureAlgorithm;
import io.jsonwebtoken.security.VerifySecureDigestRequest;
import java.io.InputStream;
import java.security.PrivateKey;
import java.security.PublicKey;

/**
 * EdDSA under the name that includes the curve (RFC 9864). jjwt knows only the older name, which does not (RFC 8037).
 * The signatures are the same.
 */
public final class Ed25519 implements SignatureAlgorithm {

    /** For keys of Ed25519, to which the caller pins it. */
    public static final SignatureAlgorithm NAMED = new Ed25519();

    private Ed25519() {}

    @Override
    public String getId() {
        return "Ed25519";
    }

    @Override
    public byte[] digest(SecureRequest<InputStream, PrivateKey> request) {
        return Jwts.SIG.EdDSA.digest(request);
    }

    @Override
    public boolean verify(VerifySecureDigestRequest<PublicKey> request) {
        return Jwts.SIG.EdDSA.verify(request);
    }

    @Override
    public KeyPairBuilder keyPair() {
        return Jwts.SIG.EdDSA.keyPair();
    }
}
