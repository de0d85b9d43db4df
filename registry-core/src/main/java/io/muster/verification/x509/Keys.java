// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.SignatureAlgorithm;
import io.muster.jose.Ed25519;
import java.io.IOException;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.List;
import java.util.Set;

/**
 * Decides which keys and signatures are strong enough, and with which algorithms a key proves its possession. The JDK's
 * own list of disabled algorithms still permits RSA of 1024 bits and SHA-1.
 */
final class Keys {

    private static final int RSA_LEAST = 2048;
    private static final int RSA_MOST = 8192;
    private static final int RSA_EXPONENT_MOST = 64;

    private static final ECParameterSpec P256 = curve("secp256r1");
    private static final ECParameterSpec P384 = curve("secp384r1");
    private static final ECParameterSpec P521 = curve("secp521r1");

    private static final String RSASSA_PSS = "1.2.840.113549.1.1.10";

    /** RSA PKCS #1 v1.5 and ECDSA with SHA-256, SHA-384 and SHA-512, Ed25519 and Ed448. */
    private static final Set<String> STRONG = Set.of(
            "1.2.840.113549.1.1.11",
            "1.2.840.113549.1.1.12",
            "1.2.840.113549.1.1.13",
            "1.2.840.10045.4.3.2",
            "1.2.840.10045.4.3.3",
            "1.2.840.10045.4.3.4",
            "1.3.101.112",
            "1.3.101.113");

    private static final Set<String> STRONG_DIGESTS = Set.of("SHA-256", "SHA-384", "SHA-512");

    private Keys() {}

    private static ECParameterSpec curve(String name) {
        try {
            AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
            parameters.init(new ECGenParameterSpec(name));
            return parameters.getParameterSpec(ECParameterSpec.class);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has " + name, e);
        }
    }

    /** Tells whether a key is RSA of 2048 to 8192 bits, on P-256, P-384 or P-521, or of EdDSA. */
    static boolean isStrong(PublicKey key) {
        if (key instanceof RSAPublicKey rsa) {
            int bits = rsa.getModulus().bitLength();
            // A long exponent makes checking as slow as signing.
            return bits >= RSA_LEAST
                    && bits <= RSA_MOST
                    && rsa.getPublicExponent().bitLength() <= RSA_EXPONENT_MOST
                    && rsa.getPublicExponent().bitLength() > 1
                    && rsa.getPublicExponent().testBit(0);
        }
        if (key instanceof ECPublicKey ec) {
            return isOn(ec, P256) || isOn(ec, P384) || isOn(ec, P521);
        }
        return key instanceof EdECPublicKey;
    }

    private static boolean isOn(ECPublicKey key, ECParameterSpec curve) {
        ECParameterSpec given = key.getParams();
        return given.getCurve().equals(curve.getCurve())
                && given.getGenerator().equals(curve.getGenerator())
                && given.getOrder().equals(curve.getOrder());
    }

    /** Tells whether a certificate is signed with one of the algorithms above. */
    static boolean isStronglySigned(X509Certificate certificate) {
        return isStrongSignature(certificate.getSigAlgOID(), certificate.getSigAlgParams());
    }

    /**
     * Tells whether a signature of a certificate or a revocation list is by a strong algorithm.
     *
     * @param parameters DER, or null for none
     */
    static boolean isStrongSignature(String oid, byte[] parameters) {
        return STRONG.contains(oid) || (oid.equals(RSASSA_PSS) && isStrongPss(parameters));
    }

    private static boolean isStrongPss(byte[] parameters) {
        if (parameters == null) {
            // SHA-1 is the default.
            return false;
        }
        try {
            AlgorithmParameters pss = AlgorithmParameters.getInstance("RSASSA-PSS");
            pss.init(parameters);
            return STRONG_DIGESTS.contains(
                    pss.getParameterSpec(PSSParameterSpec.class).getDigestAlgorithm());
        } catch (GeneralSecurityException | IOException e) {
            return false;
        }
    }

    /** Returns the algorithms by which a key may sign a proof; empty for a key that cannot. */
    static List<SignatureAlgorithm> proofAlgorithms(PublicKey key) {
        if (key instanceof RSAPublicKey rsa) {
            // A key only for PSS names that as its algorithm.
            return rsa.getAlgorithm().equals("RSA") ? List.of(Jwts.SIG.RS256, Jwts.SIG.PS256) : List.of(Jwts.SIG.PS256);
        }
        if (key instanceof ECPublicKey ec && isOn(ec, P256)) {
            return List.of(Jwts.SIG.ES256);
        }
        if (key instanceof ECPublicKey ec && isOn(ec, P384)) {
            return List.of(Jwts.SIG.ES384);
        }
        if (key instanceof EdECPublicKey ed) {
            return ed.getParams().getName().equals(Ed25519.NAMED.getId())
                    ? List.of(Jwts.SIG.EdDSA, Ed25519.NAMED)
                    : List.of(Jwts.SIG.EdDSA);
        }
        return List.of();
    }
}
