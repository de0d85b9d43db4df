// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.assertUnavailable;
import static io.muster.suite.fixture.ProblemAssert.pointers;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static io.muster.suite.fixture.RegistryUnderTest.unusedSerial;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import io.muster.suite.fixture.IdentityProviderProcess;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Devices that register with the token of a user, whose accounts an OpenID provider keeps. */
class UserIT {

    private static final String AUDIENCE = "muster";

    private static final IdentityProviderProcess provider = SharedWorld.provider();
    private static final RegistryUnderTest registry = SharedWorld.onMariaDb();

    @BeforeAll
    static void makeTheFleets() {
        put("users-both", "{'verifiers':['database','user'],'required':2}");
        put("users-any", "{'verifiers':['user']}");
        put("users-mine", "{'verifiers':['customers-only']}");
    }

    private static String token(String issuer, String sub) {
        return provider.accessToken(issuer, sub, AUDIENCE, Map.of("name", "Somebody", "groups", List.of("staff")));
    }

    private static Reply register(String fleet, String serial, String token) {
        return registry.post(
                "fleets/" + fleet + "/register",
                JSON,
                "{\"serial\":\"" + serial + "\",\"evidence\":{\"user\":\"" + token + "\"}}");
    }

    private static void assertOwner(String serial, String owner) {
        List<JsonNode> devices = registry.devicesOf(serial);
        assertThat(devices).hasSize(1);
        assertThat(devices.get(0).path("tags").path("owner").asText()).isEqualTo(owner);
    }

    private static void put(String fleet, String document) {
        List<String> headers = new java.util.ArrayList<>(List.of(registry.asOperator()));
        headers.addAll(List.of("Content-Type", JSON));
        Reply reply = registry.send(
                "PUT",
                "api/v1/fleets/" + fleet,
                document.replace('\'', '"').getBytes(StandardCharsets.UTF_8),
                headers.toArray(String[]::new));
        assertThat(reply.status()).as(reply.toString()).isIn(200, 201);
    }

    @Test
    void deviceOfTheListRegistersWithItsUserAndBelongsToThatUser() {
        String serial = unusedSerial();
        registry.expect("users-both", List.of(serial));

        assertProblem(registry.registerIn("users-both", serial), 400, "registration-refused");
        assertProblem(register("users-both", unusedSerial(), token("customers", "alice")), 400, "registration-refused");
        Reply reply = register("users-both", serial, token("customers", "alice"));

        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertOwner(serial, "customers:alice");
    }

    @Test
    void userAloneRegistersWhateverTheUserBrings() {
        String serial = unusedSerial();

        assertThat(register("users-any", serial, token("partners", "alice")).status())
                .isEqualTo(200);

        assertOwner(serial, "partners:alice");
    }

    @Test
    void registeringAgainDoesNotChangeTheOwner() {
        String serial = unusedSerial();
        assertThat(register("users-any", serial, token("customers", "alice")).status())
                .isEqualTo(200);

        register("users-any", serial, token("customers", "bob"));

        assertOwner(serial, "customers:alice");
    }

    @Test
    void verifierMayAcceptSomeProvidersOnly() {
        String serial = unusedSerial();

        assertProblem(register("users-mine", serial, token("partners", "alice")), 400, "registration-refused");
        assertThat(register("users-mine", serial, token("customers", "alice")).status())
                .isEqualTo(200);
    }

    @Test
    void fleetMayTakeTheTokenFromTheHeader() {
        put(
                "users-header",
                "{'verifiers':['user'],'wire':{'path':'/devices-of-users','request':{'serial':'/id','bearer':true},"
                        + "'refusedStatus':401}}");
        for (String path : List.of("fleets/users-header/register", "devices-of-users")) {
            String serial = unusedSerial();
            String body = "{\"id\":\"" + serial + "\"}";

            Reply refused = registry.post(path, JSON, body);
            assertProblem(refused, 401, "registration-refused");
            assertThat(refused.headers().toString()).contains("Bearer realm=\"muster\"");
            assertProblem(registry.post(path, JSON, body, bearer("opaque")), 401, "registration-refused");
            assertThat(registry.post(path, JSON, body, bearer(token("customers", "alice")))
                            .status())
                    .isEqualTo(200);

            assertOwner(serial, "customers:alice");
        }
    }

    @Test
    void headerAndBodyCannotBothHaveTheToken() {
        put("users-twice", "{'verifiers':['user'],'wire':{'request':{'bearer':true}}}");

        Reply reply = registry.post(
                "fleets/users-twice/register",
                JSON,
                "{\"serial\":\"" + unusedSerial() + "\",\"evidence\":{\"user\":\"x\"}}",
                bearer(token("customers", "alice")));

        assertProblem(reply, 400, "invalid-request");
        assertThat(pointers(reply)).containsExactly("#/evidence/user");
    }

    @Test
    void headerIsNoEvidenceUnlessTheFleetSaysSo() {
        assertProblem(
                registry.post(
                        "fleets/users-any/register",
                        JSON,
                        RegistryUnderTest.body(unusedSerial()),
                        bearer(token("customers", "alice"))),
                400,
                "registration-refused");
    }

    @Test
    void tokensThatMustNotPassAreRefused() throws Exception {
        Map<String, Object> none = Map.of();
        long hour = 3600;
        List<String> bad = List.of(
                provider.accessToken("strangers", "alice", AUDIENCE, none),
                provider.accessToken("customers", "alice", "others", none),
                provider.token("customers", "JWT", "alice", AUDIENCE, none, hour),
                provider.token("customers", "at+jwt", "alice", AUDIENCE, none, -120),
                provider.accessToken(
                        "customers",
                        "alice",
                        AUDIENCE,
                        Map.of("iss", provider.issuer("partners").toString())),
                provider.accessToken("customers", "a".repeat(256), AUDIENCE, none),
                byThePublicKey(),
                token("customers", "alice") + "x",
                "opaque");

        for (String token : bad) {
            String serial = unusedSerial();
            assertProblem(register("users-any", serial, token), 400, "registration-refused");
            assertThat(registry.devicesOf(serial)).isEmpty();
        }
    }

    /** Signs with the published key, as if it were a secret. */
    private static String byThePublicKey() throws IOException, ParseException, JOSEException {
        JWKSet published = JWKSet.load(
                java.net.URI.create(provider.issuer("customers") + "/jwks").toURL());
        byte[] key = published
                .getKeys()
                .get(0)
                .toRSAKey()
                .toPublicJWK()
                .toJSONString()
                .getBytes(StandardCharsets.UTF_8);
        SignedJWT token = new SignedJWT(
                new JWSHeader.Builder(JWSAlgorithm.HS256)
                        .keyID("customers")
                        .type(new com.nimbusds.jose.JOSEObjectType("at+jwt"))
                        .build(),
                new JWTClaimsSet.Builder()
                        .issuer(provider.issuer("customers").toString())
                        .audience(AUDIENCE)
                        .subject("alice")
                        .expirationTime(Date.from(Instant.now().plusSeconds(600)))
                        .build());
        token.sign(new MACSigner(Arrays.copyOf(key, Math.max(32, key.length))));
        return token.serialize();
    }

    @Test
    void explanationNamesTheVerdictAndNoToken() {
        String token = token("customers", "alice");

        Reply reply = registry.post(
                "api/v1/fleets/users-any/explain",
                JSON,
                "{\"serial\":\"" + unusedSerial() + "\",\"evidence\":{\"user\":\"" + token + "\"}}",
                registry.asOperator());

        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.text()).contains("genuine").doesNotContain(token, token.substring(0, 40));
    }

    @Test
    void providerThatIsDownMakesTheAnswer503() {
        String token;
        try (IdentityProviderProcess gone = IdentityProviderProcess.at(SharedWorld.portOfTheProviderThatIsGone())) {
            token = gone.accessToken("gone", "alice", AUDIENCE, Map.of());
        }
        assertUnavailable(register("users-any", unusedSerial(), token), "verification-unavailable");
        // Others are not held up, and it is asked again.
        assertThat(register("users-any", unusedSerial(), token("customers", "alice"))
                        .status())
                .isEqualTo(200);
    }
}
