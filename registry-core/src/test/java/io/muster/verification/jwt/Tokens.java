// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.jwt;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.util.Base64URL;
import io.muster.TestRegistry;
import io.muster.json.Json;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Tokens as others make them: with Nimbus, or with the JDK if Nimbus lacks the algorithm, never with the library that
 * checks them.
 */
public final class Tokens {

    public static final String ISSUER = "https://factory.example";
    public static final String SERIAL = "SN-0001";
    public static final String SECRET = "a shared secret of a fleet: forty bytes ok";
    public static final long NOW = TestRegistry.NOW.getEpochSecond();

    private static final JsonMapper MAPPER = new JsonMapper();

    public static final KeyPair EC = pair("EC");
    public static final KeyPair RSA = pair("RSA");
    public static final KeyPair ED = pair("Ed25519");

    private Tokens() {}

    private static KeyPair pair(String algorithm) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
            if (algorithm.equals("EC")) {
                generator.initialize(new ECGenParameterSpec("secp256r1"));
            } else if (algorithm.equals("RSA")) {
                generator.initialize(2048);
            }
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** The initial claims of every test: for {@link #SERIAL}, made now, good for an hour. */
    public static Map<String, Object> claims() {
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("iss", ISSUER);
        claims.put("sub", SERIAL);
        claims.put("iat", NOW);
        claims.put("exp", NOW + 3600);
        claims.put("jti", "id-1");
        return claims;
    }

    public static Map<String, Object> with(Map<String, Object> map, String member, Object value) {
        Map<String, Object> other = new LinkedHashMap<>(map);
        other.put(member, value);
        return other;
    }

    public static Map<String, Object> without(Map<String, Object> map, String member) {
        Map<String, Object> other = new LinkedHashMap<>(map);
        other.remove(member);
        return other;
    }

    public static Map<String, Object> header(String algorithm, String kid) {
        Map<String, Object> header = new LinkedHashMap<>();
        header.put("alg", algorithm);
        header.put("typ", "JWT");
        if (kid != null) {
            header.put("kid", kid);
        }
        return header;
    }

    public static String hs256(Map<String, Object> claims) {
        return sign("HS256", header("HS256", null), claims);
    }

    public static String es256(Map<String, Object> claims) {
        return sign("ES256", header("ES256", "ec"), claims);
    }

    /** Signs with the key of an algorithm, whatever the header says. */
    public static String sign(String algorithm, Map<String, Object> header, Map<String, Object> claims) {
        return sign(algorithm, text(json(header)), json(claims));
    }

    public static String sign(String algorithm, String header, byte[] payload) {
        String input = encode(header.getBytes(StandardCharsets.UTF_8)) + "." + encode(payload);
        return input + "." + encode(signature(algorithm, input.getBytes(StandardCharsets.US_ASCII)));
    }

    /** Like the JDK's maps, with null members, which the registry's own JSON leaves out. */
    private static byte[] json(Map<String, Object> map) {
        try {
            return MAPPER.writeValueAsBytes(map);
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    private static String text(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }

    public static byte[] signature(String algorithm, byte[] input) {
        try {
            return switch (algorithm) {
                case "HS256" -> nimbus(new MACSigner(SECRET), JWSAlgorithm.HS256, input);
                case "ES256" -> nimbus(new ECDSASigner((ECPrivateKey) EC.getPrivate()), JWSAlgorithm.ES256, input);
                case "RS256" -> nimbus(new RSASSASigner(RSA.getPrivate()), JWSAlgorithm.RS256, input);
                case "PS256" -> nimbus(new RSASSASigner(RSA.getPrivate()), JWSAlgorithm.PS256, input);
                case "EdDSA" -> ed25519(input);
                default -> throw new AssertionError(algorithm);
            };
        } catch (GeneralSecurityException | JOSEException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] nimbus(JWSSigner signer, JWSAlgorithm algorithm, byte[] input) throws JOSEException {
        return signer.sign(new JWSHeader(algorithm), input).decode();
    }

    private static byte[] ed25519(byte[] input) throws GeneralSecurityException {
        Signature signature = Signature.getInstance("Ed25519");
        signature.initSign(ED.getPrivate());
        signature.update(input);
        return signature.sign();
    }

    /** Returns a token signed with HMAC by bytes that are no secret, such as a public key. */
    public static String hs256By(byte[] key, Map<String, Object> header, Map<String, Object> claims) {
        String input = encode(Json.bytes(header)) + "." + encode(Json.bytes(claims));
        try {
            return input + "."
                    + Base64URL.encode(nimbus(
                            new MACSigner(Arrays.copyOf(key, Math.max(32, key.length))),
                            JWSAlgorithm.HS256,
                            input.getBytes(StandardCharsets.US_ASCII)));
        } catch (JOSEException e) {
            throw new AssertionError(e);
        }
    }

    public static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    public static Map<String, Object> jwk(PublicKey key, String kid) {
        Map<String, Object> jwk = new LinkedHashMap<>();
        jwk.put("kid", kid);
        if (key instanceof ECPublicKey ec) {
            jwk.put("kty", "EC");
            jwk.put("crv", "P-256");
            jwk.put("x", encode(unsigned(ec.getW().getAffineX(), 32)));
            jwk.put("y", encode(unsigned(ec.getW().getAffineY(), 32)));
        } else if (key instanceof RSAPublicKey rsa) {
            jwk.put("kty", "RSA");
            jwk.put("n", encode(unsigned(rsa.getModulus(), rsa.getModulus().bitLength() / 8)));
            jwk.put("e", "AQAB");
        } else if (key instanceof EdECPublicKey ed) {
            byte[] x = unsigned(ed.getPoint().getY(), 32);
            if (ed.getPoint().isXOdd()) {
                x[0] |= (byte) 0x80;
            }
            for (int i = 0; i < 16; i++) {
                byte swapped = x[i];
                x[i] = x[31 - i];
                x[31 - i] = swapped;
            }
            jwk.put("kty", "OKP");
            jwk.put("crv", "Ed25519");
            jwk.put("x", encode(x));
        }
        return jwk;
    }

    private static byte[] unsigned(BigInteger number, int length) {
        byte[] signed = number.toByteArray();
        byte[] bytes = new byte[length];
        int n = Math.min(signed.length, length);
        System.arraycopy(signed, signed.length - n, bytes, length - n, n);
        return bytes;
    }

    /** The set of all three public keys: {@code ec}, {@code rsa} and {@code ed}. */
    public static String jwks() {
        return text(Json.bytes(Map.of(
                "keys", List.of(jwk(EC.getPublic(), "ec"), jwk(RSA.getPublic(), "rsa"), jwk(ED.getPublic(), "ed")))));
    }
}
