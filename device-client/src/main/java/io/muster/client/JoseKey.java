// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECFieldFp;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** A key pair that this device made, and its public half as a JWK (RFC 7517, RFC 8037). Immutable and thread-safe. */
final class JoseKey {

    private static final int COORDINATE = 32;

    /** The bytes that precede the 32 bytes of an Ed25519 key in its X.509 form (RFC 8410). */
    private static final byte[] ED25519_PREFIX = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00
    };

    private final KeyKind kind;
    private final PrivateKey privateKey;
    private final Map<String, String> jwk;

    private JoseKey(KeyKind kind, PrivateKey privateKey, Map<String, String> jwk) {
        this.kind = kind;
        this.privateKey = privateKey;
        this.jwk = jwk;
    }

    /** Makes a new one. */
    static JoseKey generate(KeyKind kind) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(kind == KeyKind.P256 ? "EC" : "Ed25519");
            if (kind == KeyKind.P256) {
                generator.initialize(new ECGenParameterSpec("secp256r1"));
            }
            KeyPair pair = generator.generateKeyPair();
            return new JoseKey(kind, pair.getPrivate(), jwk(pair.getPublic()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK makes no keys of the kind " + kind, e);
        }
    }

    KeyKind kind() {
        return kind;
    }

    PrivateKey privateKey() {
        return privateKey;
    }

    /** Returns the public half. */
    Map<String, String> jwk() {
        return jwk;
    }

    /** Signs, and adds the key's {@code alg} to the header. */
    String sign(Map<String, ?> header, Map<String, ?> claims) throws IOException {
        Map<String, Object> whole = new LinkedHashMap<>();
        whole.put("alg", kind == KeyKind.P256 ? "ES256" : "EdDSA");
        whole.putAll(header);
        return Jws.compact(whole, claims, privateKey, signature(kind));
    }

    /** Returns both halves: {@code privateKey}, PKCS #8 in base64url, and {@code publicKey}, a JWK. */
    Map<String, Object> write() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("privateKey", Base64Url.encode(privateKey.getEncoded()));
        json.put("publicKey", jwk);
        return json;
    }

    /**
     * Reads the output of {@link #write}.
     *
     * @throws IllegalArgumentException if it is not a pair of one of the known kinds; quotes nothing of it
     */
    static JoseKey read(Object json) {
        if (json instanceof Map<?, ?> members
                && members.get("privateKey") instanceof String text
                && members.get("publicKey") instanceof Map<?, ?> jwk) {
            try {
                KeyKind kind = "EC".equals(jwk.get("kty")) ? KeyKind.P256 : KeyKind.ED25519;
                PublicKey publicKey = kind == KeyKind.P256 ? p256(jwk) : ed25519(jwk);
                PrivateKey privateKey = KeyFactory.getInstance(kind == KeyKind.P256 ? "EC" : "Ed25519")
                        .generatePrivate(new PKCS8EncodedKeySpec(Base64Url.decode(text)));
                if (isPair(kind, privateKey, publicKey)) {
                    return new JoseKey(kind, privateKey, jwk(publicKey));
                }
            } catch (GeneralSecurityException | IllegalArgumentException e) {
                // Neither show nor chain the exception: it may quote the key.
            }
        }
        throw new IllegalArgumentException("no pair of \"privateKey\" and \"publicKey\" in it");
    }

    /**
     * Reads a public key on P-256.
     *
     * @throws IllegalArgumentException if it is not one, or not a point of the curve; quotes nothing of it
     */
    static ECPublicKey p256(Map<?, ?> jwk) throws GeneralSecurityException {
        if (!"EC".equals(jwk.get("kty"))
                || !"P-256".equals(jwk.get("crv"))
                || !(jwk.get("x") instanceof String x)
                || !(jwk.get("y") instanceof String y)) {
            throw new IllegalArgumentException("not a public key on P-256");
        }
        AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
        parameters.init(new ECGenParameterSpec("secp256r1"));
        ECParameterSpec curve = parameters.getParameterSpec(ECParameterSpec.class);
        ECPoint point = new ECPoint(coordinate(x), coordinate(y));
        if (!isOn(curve, point)) {
            throw new IllegalArgumentException("not a point of P-256"); // or an agreement tells of the private key
        }
        return (ECPublicKey) KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(point, curve));
    }

    private static boolean isOn(ECParameterSpec curve, ECPoint point) {
        BigInteger p = ((ECFieldFp) curve.getCurve().getField()).getP();
        BigInteger x = point.getAffineX();
        BigInteger y = point.getAffineY();
        BigInteger right = x.pow(3)
                .add(curve.getCurve().getA().multiply(x))
                .add(curve.getCurve().getB());
        return x.compareTo(p) < 0
                && y.compareTo(p) < 0
                && y.pow(2).subtract(right).mod(p).signum() == 0;
    }

    private static BigInteger coordinate(String text) {
        byte[] bytes = Base64Url.decode(text);
        if (bytes.length != COORDINATE) {
            throw new IllegalArgumentException("a coordinate of P-256 has " + COORDINATE + " bytes");
        }
        return new BigInteger(1, bytes);
    }

    private static PublicKey ed25519(Map<?, ?> jwk) throws GeneralSecurityException {
        if (!"OKP".equals(jwk.get("kty")) || !"Ed25519".equals(jwk.get("crv")) || !(jwk.get("x") instanceof String x)) {
            throw new IllegalArgumentException("not a public key on Ed25519");
        }
        byte[] raw = Base64Url.decode(x);
        byte[] encoded = Arrays.copyOf(ED25519_PREFIX, ED25519_PREFIX.length + raw.length);
        System.arraycopy(raw, 0, encoded, ED25519_PREFIX.length, raw.length);
        return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
    }

    private static Map<String, String> jwk(PublicKey key) {
        Map<String, String> jwk = new TreeMap<>();
        if (key instanceof ECPublicKey ec) {
            jwk.put("kty", "EC");
            jwk.put("crv", "P-256");
            jwk.put("x", coordinate(ec.getW().getAffineX()));
            jwk.put("y", coordinate(ec.getW().getAffineY()));
        } else {
            byte[] encoded = key.getEncoded();
            jwk.put("kty", "OKP");
            jwk.put("crv", "Ed25519");
            jwk.put("x", Base64Url.encode(Arrays.copyOfRange(encoded, ED25519_PREFIX.length, encoded.length)));
        }
        return jwk;
    }

    private static String coordinate(BigInteger number) {
        byte[] bytes = number.toByteArray(); // shorter for a small number, longer by a sign for a large one
        byte[] padded = new byte[COORDINATE];
        int length = Math.min(bytes.length, COORDINATE);
        System.arraycopy(bytes, bytes.length - length, padded, COORDINATE - length, length);
        return Base64Url.encode(padded);
    }

    private static boolean isPair(KeyKind kind, PrivateKey privateKey, PublicKey publicKey)
            throws GeneralSecurityException {
        byte[] text = {1};
        Signature signature = Signature.getInstance(signature(kind));
        signature.initSign(privateKey);
        signature.update(text);
        byte[] signed = signature.sign();
        signature.initVerify(publicKey);
        signature.update(text);
        return signature.verify(signed);
    }

    private static String signature(KeyKind kind) {
        return kind == KeyKind.P256 ? "SHA256withECDSAinP1363Format" : "Ed25519";
    }

    /** Equal if the public halves are. */
    @Override
    public boolean equals(Object other) {
        return other instanceof JoseKey key && key.jwk.equals(jwk);
    }

    @Override
    public int hashCode() {
        return jwk.hashCode();
    }

    /** Names the kind. */
    @Override
    public String toString() {
        return "JoseKey[" + kind + "]";
    }
}
