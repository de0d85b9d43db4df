// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.jsonwebtoken.JwtException;
import io.jsonwebtoken.Jwts;
import io.muster.jose.VerificationKey.Algorithm;
import java.io.IOException;
import java.io.InputStream;
import java.security.PublicKey;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The vectors of the Wycheproof project. */
class WycheproofTest {

    /** The valid vectors that the algorithm of the registry's own access tokens accepts: ES256. */
    private static final Set<Integer> VALID_BY_ES256_ALONE = Set.of(18, 378);

    private static JsonNode vectors(String file) throws IOException {
        try (InputStream vectors = WycheproofTest.class.getResourceAsStream("/wycheproof/" + file)) {
            return new JsonMapper().readTree(vectors);
        }
    }

    private static JsonNode publicHalf(JsonNode group) {
        return group.has("public") ? group.path("public") : group.path("private");
    }

    /** Accepts as a verifier does that gets its keys from a file: none of them may have a fault. */
    private static boolean accepts(JsonNode keys, String jws) {
        JwkSet.Result read = JwkSet.read(keys);
        if (!read.faults().isEmpty() || !read.unusable().isEmpty()) {
            return false;
        }
        try {
            StrictJws.UnverifiedHeader header = StrictJws.header(jws);
            Optional<VerificationKey> key =
                    Algorithm.of(header.algorithm()).flatMap(alg -> read.keys().find(alg, header.keyId()));
            key.ifPresent(found -> StrictJws.parser(found).build().parseSignedContent(jws));
            return key.isPresent();
        } catch (InvalidTokenException | JwtException | IllegalArgumentException e) {
            return false;
        }
    }

    private static boolean acceptsByEs256Alone(Optional<PublicKey> key, String jws) {
        if (!StrictJws.isWellFormed(jws)) {
            return false;
        }
        try {
            StrictJws.parser(List.of(Jwts.SIG.ES256), header -> key)
                    .provider(Es256.PROVIDER)
                    .build()
                    .parseSignedContent(jws);
            return true;
        } catch (JwtException | IllegalArgumentException e) {
            return false;
        }
    }

    @Test
    void noInvalidSignatureIsAcceptedAndEveryValidOneOfASupportedAlgorithm() throws IOException {
        Set<Integer> invalid = new TreeSet<>();
        Set<Integer> accepted = new TreeSet<>();
        Set<Integer> validOfSupported = new TreeSet<>();
        int all = 0;
        for (JsonNode group : vectors("json_web_signature_test.json").path("testGroups")) {
            JsonNode jwk = publicHalf(group);
            Set<String> validTexts = new HashSet<>();
            for (JsonNode test : group.path("tests")) {
                all++;
                int id = test.path("tcId").asInt();
                boolean valid = test.path("result").asText().equals("valid");
                String jws = test.path("jws").asText();
                if (!valid && validTexts.contains(jws)) {
                    // The file does not contain the padding that should be wrong: both are the text of a valid one.
                    assertThat(id).isIn(367, 370);
                } else if (!valid) {
                    invalid.add(id);
                } else if (Algorithm.of(jwk.path("alg").asText()).isPresent()) {
                    validOfSupported.add(id);
                    validTexts.add(jws);
                }
                if (accepts(jwk, jws)) {
                    accepted.add(id);
                }
            }
        }

        assertThat(all).isEqualTo(401);
        accepted.removeAll(Set.of(367, 370));
        assertThat(accepted).doesNotContainAnyElementsOf(invalid);
        // These are called valid but refused here: an empty payload, and characters that are not base64url.
        assertThat(validOfSupported).containsAll(accepted);
        validOfSupported.removeAll(accepted);
        assertThat(validOfSupported).containsExactlyInAnyOrder(259, 372, 373);
    }

    @Test
    void ownTokensAreAcceptedByEs256Alone() throws IOException {
        Set<Integer> accepted = new TreeSet<>();
        for (JsonNode group : vectors("json_web_signature_test.json").path("testGroups")) {
            for (VerificationKey key : JwkSet.read(publicHalf(group)).keys().all()) {
                if (key.key() instanceof PublicKey publicKey) {
                    for (JsonNode test : group.path("tests")) {
                        if (acceptsByEs256Alone(
                                Optional.of(publicKey), test.path("jws").asText())) {
                            accepted.add(test.path("tcId").asInt());
                        }
                    }
                }
            }
        }

        assertThat(accepted).isEqualTo(VALID_BY_ES256_ALONE);
    }

    @Test
    void everyInvalidKeySetIsRefusedAndEveryValidOneOfASupportedAlgorithmWorks() throws IOException {
        Set<Integer> refused = new TreeSet<>();
        Set<Integer> accepted = new TreeSet<>();
        for (JsonNode group : vectors("json_web_key_test.json").path("testGroups")) {
            for (JsonNode test : group.path("tests")) {
                boolean accepts = accepts(publicHalf(group), test.path("jws").asText());
                (accepts ? accepted : refused).add(test.path("tcId").asInt());
            }
        }

        assertThat(accepted).containsExactlyInAnyOrder(2, 5, 13);
        assertThat(refused).hasSize(23).contains(14, 15); // valid, and of algorithms that are not supported
    }

    @Test
    void keySetWithPrivateHalvesIsRefusedAsAWhole() throws IOException {
        int privateSets = 0;
        for (JsonNode group : vectors("json_web_key_test.json").path("testGroups")) {
            if (group.has("public")) {
                privateSets++;
                assertThat(JwkSet.read(group.path("private")).faults())
                        .singleElement()
                        .asString()
                        .contains("private");
            }
        }

        assertThat(privateSets).isGreaterThan(10);
    }
}
