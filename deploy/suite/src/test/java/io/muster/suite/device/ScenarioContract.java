// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import static io.muster.suite.fixture.RegistryUnderTest.FORM;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import io.muster.client.DeviceClient;
import io.muster.client.DeviceIdentity;
import io.muster.client.RefusedException;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The main job, end to end: a device registers, authenticates, and is verified by a stranger. */
interface ScenarioContract {

    RegistryUnderTest registry();

    private DeviceClient client(String serial, Path store) {
        return DeviceClient.builder()
                .registry(registry().base())
                .serial(serial)
                .store(store)
                .giveUpAfter(Duration.ofSeconds(20))
                .build();
    }

    /** Verifies as anybody can who has a token and the address of the registry. */
    private JWTClaimsSet verifiedByAStranger(String token) throws Exception {
        JsonNode metadata =
                registry().get(".well-known/oauth-authorization-server").json();
        Reply keys = registry().get(".well-known/jwks.json");
        assertThat(keys.type()).isEqualTo("application/jwk-set+json");
        DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
        processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt")));
        processor.setJWSKeySelector(
                new JWSVerificationKeySelector<>(JWSAlgorithm.ES256, new ImmutableJWKSet<>(JWKSet.parse(keys.text()))));
        processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(
                metadata.path("issuer").asText(),
                new JWTClaimsSet.Builder()
                        .issuer(metadata.path("issuer").asText())
                        .build(),
                Set.of("sub", "iat", "exp", "jti", "client_id", "fleet")));
        return processor.process(token, null);
    }

    @Test
    default void deviceOfTheListRegistersAuthenticatesAndIsVerifiedByAStranger(@TempDir Path directory)
            throws Exception {
        String serial = RegistryUnderTest.unusedSerial();
        Reply loaded = registry()
                .load("serial,name,lot,tags.colour,attributes.temperature\n" + serial + ",Pump 7,L1,blue,21.5\n");
        assertThat(loaded.status()).as(loaded.toString()).isEqualTo(200);

        DeviceClient client = client(serial, directory.resolve("device.json"));
        DeviceIdentity identity = client.register();
        String token = client.accessToken();

        assertThat(identity.deviceId()).matches("[0-9a-f]{12}7[0-9a-f]{19}");
        assertThat(identity.key()).matches("[A-Za-z0-9]+");
        assertThat(identity.secret()).matches("[A-Za-z0-9_-]{43}");
        assertThat(identity.name()).isEqualTo("Pump 7");
        assertThat(identity.tags()).containsEntry("serial", serial).containsEntry("colour", "blue");
        JWTClaimsSet claims = verifiedByAStranger(token);
        assertThat(claims.getSubject()).isEqualTo(identity.deviceId());
        assertThat(claims.getStringClaim("client_id")).isEqualTo(identity.key());
        assertThat(claims.getStringClaim("fleet")).isEqualTo("default");
        assertThat(claims.getAudience()).hasSize(1);
        assertThat(Duration.between(
                        claims.getIssueTime().toInstant(),
                        claims.getExpirationTime().toInstant()))
                .isEqualTo(Duration.ofMinutes(15));
    }

    @Test
    default void secondStartOfTheDeviceDoesNotRegister(@TempDir Path directory) throws Exception {
        String serial = registry().expectedSerial();
        Path store = directory.resolve("device.json");
        DeviceIdentity first = client(serial, store).register();

        DeviceIdentity second = client(serial, store).register();

        assertThat(second.key()).isEqualTo(first.key());
        assertThat(second.secret()).isEqualTo(first.secret());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(store)))
                .isEqualTo("rw-------");
        // Had it registered again, this credential would be void.
        assertThat(registry().token(first.key(), first.secret()).status()).isEqualTo(200);
    }

    @Test
    default void disabledDeviceIsRefusedUntilItIsEnabled(@TempDir Path directory) throws Exception {
        String serial = registry().expectedSerial();
        Path store = directory.resolve("device.json");
        DeviceIdentity identity = client(serial, store).register();
        String token = client(serial, store).accessToken();
        assertThat(registry().isActive(token)).isTrue();

        assertThat(registry()
                        .change(identity.deviceId(), "disable")
                        .json()
                        .path("state")
                        .asText())
                .isEqualTo("disabled");

        assertThat(registry().introspect(token).text()).isEqualTo("{\"active\":false}");
        assertThat(registry().ownRecord(token).status()).isEqualTo(401);
        assertThatThrownBy(() -> client(serial, store).accessToken())
                .isInstanceOfSatisfying(RefusedException.class, refused -> {
                    assertThat(refused.status()).isEqualTo(401);
                    assertThat(refused.type()).isEqualTo("invalid_client");
                });

        assertThat(registry()
                        .change(identity.deviceId(), "enable")
                        .json()
                        .path("state")
                        .asText())
                .isEqualTo("active");

        assertThat(registry().isActive(token)).isTrue();
        assertThat(client(serial, store).accessToken()).isNotEmpty();
    }

    @Test
    default void receiptHasExactlyTheNamesThatAFirmwareKnows() {
        Reply reply = registry().register(registry().expectedSerial());

        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.type()).isEqualTo("application/json");
        assertThat(reply.header("Cache-Control")).hasValue("no-store");
        assertThat(reply.json().path("deviceId").isTextual()).isTrue();
        assertThat(reply.json().path("key").isTextual()).isTrue();
        assertThat(reply.json().path("secret").isTextual()).isTrue();
    }

    @Test
    default void serialMayRegisterAgainUntilItsCredentialWasUsed() {
        Registered lost = registry().newDevice();

        Registered kept = registry().registered(lost.serial());

        assertThat(kept.deviceId()).isEqualTo(lost.deviceId());
        assertThat(registry().token(lost).status()).isEqualTo(401);
        assertThat(registry().token(kept).status()).isEqualTo(200);
        Reply repeat = registry().register(lost.serial());
        assertThat(repeat.json().path("type").asText()).isEqualTo("urn:muster:problem:registration-refused");
        assertThat(registry().token(kept).status()).isEqualTo(200);
    }

    @Test
    default void introspectionTellsAResourceServerWhoItIs() {
        Registered device = registry().newDevice();
        String token = registry().accessToken(device);

        Reply reply = registry().introspect(token);

        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.type()).isEqualTo("application/json");
        assertThat(reply.header("Cache-Control")).hasValue("no-store");
        JsonNode answer = reply.json();
        assertThat(answer.path("active").booleanValue()).isTrue();
        assertThat(answer.path("sub").asText()).isEqualTo(device.deviceId());
        assertThat(answer.path("client_id").asText()).isEqualTo(device.key());
        assertThat(answer.path("exp").asLong() - answer.path("iat").asLong()).isEqualTo(900);
        Reply withHint = registry()
                .post(
                        "introspect",
                        FORM,
                        "token_type_hint=access_token&token=" + token,
                        registry().asOperator());
        assertThat(withHint.json()).isEqualTo(answer);
    }

    @Test
    default void introspectionTakesAnOperatorAsALibraryOfOAuthSendsIt() {
        String token = registry().accessToken(registry().newDevice());
        Reply made = registry()
                .post(
                        "api/v1/operators",
                        JSON,
                        "{\"name\": \"telemetry " + RegistryUnderTest.unusedSerial()
                                + "\", \"rights\": [\"introspect\"]}",
                        registry().asOperator());
        assertThat(made.status()).as(made.toString()).isBetween(200, 201);
        String name = made.json().path("name").asText();
        String secret = made.json().path("token").asText();
        String form = "token=" + token;
        String post = form + "&client_id=" + RegistryUnderTest.encoded(name) + "&client_secret=";

        for (Reply reply : List.of(
                registry().post("introspect", FORM, form, "Authorization", RegistryUnderTest.basic(name, secret)),
                registry().post("introspect", FORM, post + secret))) {
            assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
            assertThat(reply.json().path("active").booleanValue()).isTrue();
        }
        Registered device = registry().newDevice();
        for (Reply reply : List.of(
                registry().post("introspect", FORM, form, "Authorization", RegistryUnderTest.basic("other", secret)),
                registry().post("introspect", FORM, form, "Authorization", RegistryUnderTest.basic(name, "x" + secret)),
                registry().post("introspect", FORM, post + "x" + secret),
                registry()
                        .post(
                                "introspect",
                                FORM,
                                form,
                                "Authorization",
                                RegistryUnderTest.basic(device.key(), device.secret())))) {
            assertThat(reply.status()).as(reply.toString()).isEqualTo(401);
            assertThat(reply.json().path("error").asText()).isEqualTo("invalid_client");
            assertThat(reply.header("WWW-Authenticate").orElseThrow()).startsWith("Basic ");
        }
        assertThat(registry().post("introspect", FORM, form).status()).isEqualTo(401);
    }

    @Test
    default void metadataIsAtTheAddressOfOpenIdDiscoveryToo() {
        JsonNode oauth =
                registry().get(".well-known/oauth-authorization-server").json();
        JsonNode openId = registry().get(".well-known/openid-configuration").json();

        oauth.fieldNames()
                .forEachRemaining(name -> assertThat(openId.path(name)).as(name).isEqualTo(oauth.path(name)));
        assertThat(openId.path("subject_types_supported").toString()).isEqualTo("[\"public\"]");
        assertThat(openId.path("id_token_signing_alg_values_supported").toString())
                .isEqualTo("[]");
        assertThat(openId.has("authorization_endpoint")).isFalse();
        assertThat(oauth.path("introspection_endpoint_auth_methods_supported").toString())
                .isEqualTo("[\"Bearer\",\"client_secret_basic\",\"client_secret_post\"]");
    }

    @Test
    default void deviceReadsItsOwnRecord() {
        Registered device = registry().newDevice();

        Reply reply = registry().ownRecord(registry().accessToken(device));

        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.header("Cache-Control")).hasValue("no-store");
        assertThat(reply.json().path("deviceId").asText()).isEqualTo(device.deviceId());
        assertThat(reply.json().path("serial").asText()).isEqualTo(device.serial());
        assertThat(reply.json().path("state").asText()).isEqualTo("active");
        assertThat(reply.json().at("/credentials/0/key").asText()).isEqualTo(device.key());
        assertThat(reply.text()).doesNotContain(device.secret());
    }

    @Test
    default void operatorTokenIsReadableByItsOwnerOnly() throws Exception {
        Path file = registry().server().dataDir().resolve("operator-token");

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        String log = Files.readString(registry().server().log());
        assertThat(log).contains(file.toString()).doesNotContain(registry().operatorToken());
    }
}
