package io.muster.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.jsonwebtoken.JwtException;
import io.muster.jose.StrictJws;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The vectors of the Wycheproof project, which lie beside the checkout. CI must find them. */
class WycheproofTest {

    private static JsonNode vectors(String file) throws IOException {
        Path found = Stream.iterate(Path.of("").toAbsolutePath(), dir -> dir != null, Path::getParent)
                .map(dir -> dir.resolve("shared/vectors/wycheproof").resolve(file))
                .filter(Files::exists)
                .findFirst()
                .orElse(null);
        if (found == null && "true".equals(System.getenv("CI"))) {
            throw new AssertionError("CI must have the Wycheproof vectors in ../shared/vectors");
        }
        assumeTrue(found != null, "the Wycheproof vectors are not beside this checkout");
        return new JsonMapper().readTree(found.toFile());
    }

    /**
     * The public key of a JWK, whatever its algorithm; empty for symmetric keys, which a locator of public keys cannot give, and
     * for keys that are not for verifying. The registry reads no JWK; its own keys are bound to one algorithm and one use.
     */
    private static Optional<PublicKey> key(JsonNode jwk) {
        boolean verifies = jwk.path("use").asText("sig").equals("sig")
                && (!jwk.has("key_ops") || jwk.path("key_ops").toString().contains("\"verify\""));
        boolean consistent = !jwk.path("kty").asText().equals("EC")
                || jwk.path("alg").asText("ES256").equals("ES256");
        if (!verifies || !consistent) {
            return Optional.empty();
        }
        try {
            if (jwk.path("kty").asText().equals("EC")
                    && jwk.path("crv").asText().equals("P-256")) {
                AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
                parameters.init(new ECGenParameterSpec("secp256r1"));
                return Optional.of(KeyFactory.getInstance("EC")
                        .generatePublic(new ECPublicKeySpec(
                                new ECPoint(number(jwk, "x"), number(jwk, "y")),
                                parameters.getParameterSpec(ECParameterSpec.class))));
            }
            if (jwk.path("kty").asText().equals("RSA")) {
                return Optional.of(KeyFactory.getInstance("RSA")
                        .generatePublic(new RSAPublicKeySpec(number(jwk, "n"), number(jwk, "e"))));
            }
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            return Optional.empty();
        }
        return Optional.empty();
    }

    private static BigInteger number(JsonNode jwk, String member) {
        return new BigInteger(1, Base64.getUrlDecoder().decode(jwk.path(member).asText()));
    }

    private static boolean accepts(Optional<PublicKey> key, String jws) {
        if (!StrictJws.isWellFormed(jws)) {
            return false;
        }
        try {
            StrictJws.parser(kid -> key).build().parseSignedContent(jws);
            return true;
        } catch (JwtException | IllegalArgumentException e) {
            return false;
        }
    }

    @Test
    void everyInvalidSignatureIsRefusedAndEveryValidEs256Accepted() throws IOException {
        List<String> wrong = new ArrayList<>();
        int accepted = 0;
        int all = 0;
        for (JsonNode group : vectors("json_web_signature_test.json").path("testGroups")) {
            JsonNode jwk = group.has("public") ? group.path("public") : group.path("private");
            Optional<PublicKey> key = key(jwk);
            for (JsonNode test : group.path("tests")) {
                all++;
                boolean supported = jwk.path("alg").asText().equals("ES256");
                boolean expected = supported && test.path("result").asText().equals("valid");
                boolean actual = accepts(key, test.path("jws").asText());
                accepted += actual ? 1 : 0;
                if (actual != expected) {
                    wrong.add(test.path("tcId") + " " + test.path("comment"));
                }
            }
        }

        assertThat(wrong).isEmpty();
        assertThat(all).isEqualTo(401);
        assertThat(accepted).isEqualTo(2);
    }

    // The registry reads no JWK yet; what these vectors can show is that no signature by a doubtful key is accepted.
    @Test
    void noSignatureByAnInvalidKeySetIsAccepted() throws IOException {
        List<String> wrong = new ArrayList<>();
        int invalid = 0;
        for (JsonNode group : vectors("json_web_key_test.json").path("testGroups")) {
            JsonNode keys = group.has("public") ? group.path("public") : group.path("private");
            for (JsonNode test : group.path("tests")) {
                if (!test.path("result").asText().equals("invalid")) {
                    continue;
                }
                invalid++;
                for (JsonNode jwk : keys.path("keys")) {
                    if (!jwk.path("alg").asText().equals("ES256")
                            && accepts(key(jwk), test.path("jws").asText())) {
                        wrong.add(test.path("tcId") + " " + test.path("comment"));
                    }
                }
            }
        }

        assertThat(wrong).isEmpty();
        assertThat(invalid).isEqualTo(21);
    }
}
