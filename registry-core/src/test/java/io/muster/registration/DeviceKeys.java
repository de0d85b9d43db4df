// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWEObject;
import com.nimbusds.jose.crypto.ECDHDecrypter;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.Jwks;
import io.muster.TestRegistry;
import io.muster.jose.JwtJson;
import io.muster.jose.PublicJwk;
import io.muster.json.Json;
import io.muster.registration.RegistrationAttempt.OfferedKey;
import io.muster.registration.RegistrationAttempt.Seal;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.interfaces.ECPrivateKey;
import java.text.ParseException;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/** Keys of devices, their signatures, and texts that only they can read; with jjwt, as a device in Java might. */
final class DeviceKeys {

    static final String ISSUER = "https://registry.example";

    private DeviceKeys() {}

    static KeyPair p256() {
        return Jwts.SIG.ES256.keyPair().build();
    }

    static KeyPair ed25519() {
        return Jwks.CRV.Ed25519.keyPair().build();
    }

    static PublicJwk jwk(PublicKey key) {
        // Both end with the key itself: x and y, or x alone.
        byte[] der = key.getEncoded();
        return PublicJwk.of(
                key.getAlgorithm().equals("EC")
                        ? Map.of(
                                "kty",
                                "EC",
                                "crv",
                                "P-256",
                                "x",
                                base64url(Arrays.copyOfRange(der, der.length - 64, der.length - 32)),
                                "y",
                                base64url(Arrays.copyOfRange(der, der.length - 32, der.length)))
                        : Map.of(
                                "kty",
                                "OKP",
                                "crv",
                                "Ed25519",
                                "x",
                                base64url(Arrays.copyOfRange(der, der.length - 32, der.length))));
    }

    private static String base64url(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** Offers the key with a proof that is good for the serial at the fixed time. */
    static OfferedKey offer(KeyPair pair, String serial) {
        return offer(pair, pair.getPrivate(), serial, claims -> {});
    }

    static OfferedKey offer(KeyPair pair, PrivateKey signer, String serial, Consumer<Map<String, Object>> change) {
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("serial", serial);
        claims.put("aud", ISSUER);
        claims.put("iat", TestRegistry.NOW.getEpochSecond());
        change.accept(claims);
        return new OfferedKey(jwk(pair.getPublic()), sign("muster-proof+jwt", signer, claims));
    }

    static String sign(String type, PrivateKey signer, Map<String, Object> claims) {
        return Jwts.builder()
                .json(new JwtJson())
                .header()
                .type(type)
                .and()
                .content(Json.bytes(claims))
                .signWith(signer)
                .compact();
    }

    static Seal seal(String requestId, KeyPair reader) {
        return new Seal(requestId, jwk(reader.getPublic()));
    }

    /** Opens a sealed reply. */
    static Map<String, Object> open(String jwe, KeyPair reader) {
        JWEObject sealed;
        try {
            sealed = JWEObject.parse(jwe);
            sealed.decrypt(new ECDHDecrypter((ECPrivateKey) reader.getPrivate()));
        } catch (ParseException | JOSEException e) {
            throw new AssertionError(e);
        }
        return Json.parseObject(sealed.getPayload().toString().getBytes(StandardCharsets.UTF_8));
    }
}
