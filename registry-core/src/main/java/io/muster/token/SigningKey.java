package io.muster.token;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/** A pair of keys for ES256. Its id is the thumbprint of its public half (RFC 7638). */
record SigningKey(int generation, String kid, KeyPair pair) {

    static final String ALGORITHM = "ES256";
    private static final int COORDINATE = 32;

    static SigningKey generate(int generation) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return of(generation, generator.generateKeyPair());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has P-256", e);
        }
    }

    static SigningKey read(int generation, byte[] x509, byte[] pkcs8) {
        try {
            KeyFactory factory = KeyFactory.getInstance("EC");
            return of(
                    generation,
                    new KeyPair(
                            factory.generatePublic(new X509EncodedKeySpec(x509)),
                            factory.generatePrivate(new PKCS8EncodedKeySpec(pkcs8))));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a stored signing key is damaged", e);
        }
    }

    private static SigningKey of(int generation, KeyPair pair) throws GeneralSecurityException {
        Map<String, String> jwk = required(pair);
        // RFC 7638 section 3: the required members, in alphabetical order, without white space.
        String text = "{\"crv\":\"" + jwk.get("crv") + "\",\"kty\":\"" + jwk.get("kty") + "\",\"x\":\"" + jwk.get("x")
                + "\",\"y\":\"" + jwk.get("y") + "\"}";
        byte[] thumbprint = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.US_ASCII));
        return new SigningKey(generation, base64(thumbprint), pair);
    }

    private static Map<String, String> required(KeyPair pair) {
        ECPublicKey key = (ECPublicKey) pair.getPublic();
        Map<String, String> jwk = new LinkedHashMap<>();
        jwk.put("kty", "EC");
        jwk.put("crv", "P-256");
        jwk.put("x", coordinate(key.getW().getAffineX()));
        jwk.put("y", coordinate(key.getW().getAffineY()));
        return jwk;
    }

    /** The public half as a JWK (RFC 7517, RFC 7518 section 6.2.1). */
    Map<String, String> jwk() {
        Map<String, String> jwk = required(pair);
        jwk.put("kid", kid);
        jwk.put("use", "sig");
        jwk.put("alg", ALGORITHM);
        return jwk;
    }

    private static String coordinate(BigInteger number) {
        byte[] bytes = new byte[COORDINATE];
        byte[] signed = number.toByteArray();
        int length = Math.min(signed.length, COORDINATE);
        System.arraycopy(signed, signed.length - length, bytes, COORDINATE - length, length);
        return base64(bytes);
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** Names the key, never the key itself. */
    @Override
    public String toString() {
        return "SigningKey[" + kid + "]";
    }
}
