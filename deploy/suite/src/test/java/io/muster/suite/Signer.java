package io.muster.suite;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Date;
import java.util.Map;
import java.util.UUID;

/** A key of a device's own, and what the device signs with it. */
record Signer(ECKey key) {

    static final String JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    static Signer make() {
        try {
            return new Signer(new ECKeyGenerator(Curve.P_256).generate());
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    String jwk() {
        return key.toPublicJWK().toJSONString();
    }

    String thumbprint() {
        try {
            return key.computeThumbprint().toString();
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The body of a registration with this key. */
    String registration(String issuer, String serial) {
        String proof = sign("muster-proof+jwt", Map.of("serial", serial, "aud", issuer, "iat", now()));
        return "{\"serial\":\"%s\",\"publicKey\":%s,\"proof\":\"%s\"}".formatted(serial, jwk(), proof);
    }

    /** An assertion (RFC 7523) that is good for a minute. */
    String assertion(String issuer, String client) {
        return sign(
                "JWT",
                Map.of("iss", client, "sub", client, "aud", issuer, "exp", now() + 60, "jti", unused(), "iat", now()));
    }

    /** The form of a request that authenticates with an assertion. */
    static String form(String assertion) {
        return "client_assertion_type=" + RegistryUnderTest.encoded(JWT_BEARER) + "&client_assertion=" + assertion;
    }

    /** A proof of possession (RFC 9449) without a token. */
    String proof(String method, String address) {
        return proof(method, address, Map.of());
    }

    /** A proof of possession for a token. */
    String proof(String method, String address, String token) {
        return proof(method, address, Map.of("ath", hash(token)));
    }

    String proof(String method, String address, Map<String, Object> more) {
        JWTClaimsSet.Builder claims = new JWTClaimsSet.Builder()
                .claim("htm", method)
                .claim("htu", address)
                .claim("jti", unused())
                .claim("iat", now());
        more.forEach(claims::claim);
        return sign(
                new JWSHeader.Builder(JWSAlgorithm.ES256)
                        .type(new JOSEObjectType("dpop+jwt"))
                        .jwk(key.toPublicJWK())
                        .build(),
                claims.build());
    }

    static String hash(String token) {
        try {
            return Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString(
                            MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    String sign(String type, Map<String, Object> claims) {
        JWTClaimsSet.Builder set = new JWTClaimsSet.Builder();
        claims.forEach(set::claim);
        return sign(
                new JWSHeader.Builder(JWSAlgorithm.ES256)
                        .type(new JOSEObjectType(type))
                        .build(),
                set.build());
    }

    private String sign(JWSHeader header, JWTClaimsSet claims) {
        try {
            SignedJWT jwt = new SignedJWT(header, claims);
            jwt.sign(new ECDSASigner(key));
            return jwt.serialize();
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    private static long now() {
        return new Date().getTime() / 1000;
    }

    private static String unused() {
        return UUID.randomUUID().toString();
    }
}
