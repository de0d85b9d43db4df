// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.crypto.MACVerifier;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.problem.RegistryException;
import io.muster.spi.SerialNumber;
import io.muster.verification.jwt.JwtFixture;
import io.muster.verification.jwt.RegistrationTokenSigner;
import io.muster.verification.jwt.Tokens;
import java.net.URI;
import java.time.Duration;
import java.util.Date;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RegistrationTokensTest {

    private static final RegistrationTokens.Wish NOTHING =
            new RegistrationTokens.Wish(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    private static RegistrationTokens.Wish wish(String verifier, String serial, String url, Duration expiresIn) {
        return new RegistrationTokens.Wish(
                Optional.ofNullable(verifier),
                Optional.ofNullable(serial).map(SerialNumber::new),
                Optional.ofNullable(url).map(URI::create),
                Optional.ofNullable(expiresIn));
    }

    private static TestRegistry with(Map<String, String> settings) {
        TestRegistry test = TestRegistry.fresh()
                .with("muster.fleet.default.verifiers", "jwt")
                .with("muster.verifier.jwt.issuer", Tokens.ISSUER)
                .with("muster.verifier.jwt.secret", Tokens.SECRET);
        settings.forEach(test::with);
        return test;
    }

    private static RegistrationTokenSigner.Signed create(TestNode registry, RegistrationTokens.Wish wish) {
        return registry.registrationTokens()
                .create(registry.fleets().find("default").orElseThrow(), wish, "Ada");
    }

    private static JWTClaimsSet claims(String token) throws Exception {
        SignedJWT jwt = SignedJWT.parse(token);
        assertThat(jwt.verify(new MACVerifier(Tokens.SECRET))).isTrue();
        assertThat(jwt.getHeader().getType().getType()).isEqualTo("JWT");
        return jwt.getJWTClaimsSet();
    }

    private static void admits(TestNode registry, String serial, String token) {
        assertThat(registry.registrar()
                        .register(JwtFixture.offering(serial, token))
                        .deviceId())
                .isNotBlank();
    }

    @Test
    void tokenOfADeviceAdmitsThatDevice() throws Exception {
        try (TestNode registry = with(Map.of()).start()) {
            RegistrationTokenSigner.Signed signed =
                    create(registry, wish("jwt", "SN-0001", "https://registry.example/register", Duration.ofHours(2)));

            JWTClaimsSet claims = claims(signed.token());
            assertThat(claims.getIssuer()).isEqualTo(Tokens.ISSUER);
            assertThat(claims.getSubject()).isEqualTo("SN-0001");
            assertThat(claims.getStringClaim("url")).isEqualTo("https://registry.example/register");
            assertThat(claims.getIssueTime()).isEqualTo(Date.from(TestRegistry.NOW));
            assertThat(claims.getExpirationTime()).isEqualTo(Date.from(TestRegistry.NOW.plusSeconds(7200)));
            assertThat(signed.expiresAt()).contains(TestRegistry.NOW.plusSeconds(7200));
            assertThat(claims.getJWTID()).hasSize(22);
            assertThat(claims.getAudience()).isEmpty();
            admits(registry, "SN-0001", signed.token());
            assertThatThrownBy(() -> registry.registrar().register(JwtFixture.offering("SN-0002", signed.token())))
                    .isInstanceOf(RegistryException.class);
        }
    }

    @Test
    void tokenOfAFleetHasNoEndUnlessAsked() throws Exception {
        try (TestNode registry =
                with(Map.of("muster.verifier.jwt.serial-claim", "none")).start()) {
            RegistrationTokenSigner.Signed signed = create(registry, NOTHING);

            assertThat(claims(signed.token()).getExpirationTime()).isNull();
            assertThat(claims(signed.token()).getSubject()).isNull();
            assertThat(signed.expiresAt()).isEmpty();
            admits(registry, "SN-0001", signed.token());
            admits(registry, "SN-0002", signed.token());
            assertThat(create(registry, wish(null, null, null, Duration.ofDays(3)))
                            .expiresAt())
                    .contains(TestRegistry.NOW.plus(Duration.ofDays(3)));
        }
    }

    @Test
    void tokenKeepsEveryRuleOfItsVerifier() throws Exception {
        try (TestNode registry = with(Map.of(
                        "muster.verifier.jwt.audience", "fleet-a",
                        "muster.verifier.jwt.serial-claim", "sn",
                        "muster.verifier.jwt.max-age", "PT6H",
                        "muster.verifier.jwt.one-time", "yes"))
                .start()) {
            RegistrationTokenSigner.Signed signed = create(registry, wish(null, "SN-0001", null, null));

            assertThat(claims(signed.token()).getAudience()).containsExactly("fleet-a");
            assertThat(claims(signed.token()).getStringClaim("sn")).isEqualTo("SN-0001");
            assertThat(signed.expiresAt()).contains(TestRegistry.NOW.plus(Duration.ofHours(6)));
            admits(registry, "SN-0001", signed.token());
            assertThatThrownBy(() -> create(registry, wish(null, "SN-0001", null, Duration.ofHours(7))))
                    .isInstanceOfSatisfying(
                            RegistryException.class,
                            no -> assertThat(no.faults()).singleElement().satisfies(fault -> {
                                assertThat(fault.pointer()).isEqualTo("#/expiresIn");
                                assertThat(fault.detail()).contains("PT6H");
                            }));
        }
    }

    @Test
    void tokenThatMustExpireLivesADay() {
        try (TestNode registry = with(Map.of()).start()) {
            assertThat(create(registry, wish(null, "SN-0001", null, null)).expiresAt())
                    .contains(TestRegistry.NOW.plus(Duration.ofDays(1)));
        }
    }

    @Test
    void serialIsGivenExactlyWhereTheVerifierLooksAtOne() {
        try (TestNode device = with(Map.of()).start();
                TestNode fleet =
                        with(Map.of("muster.verifier.jwt.serial-claim", "none")).start()) {
            assertThatThrownBy(() -> create(device, NOTHING)).hasMessageContaining("#/serial is required");
            assertThatThrownBy(() -> create(fleet, wish(null, "SN-0001", null, null)))
                    .hasMessageContaining("#/serial must be left out");
        }
    }

    @Test
    void fleetWithoutASecretToSignWithIsAConflict() {
        TestRegistry keys = TestRegistry.fresh()
                .with("muster.fleet.default.verifiers", "database,jwt")
                .with("muster.verifier.jwt.issuer", Tokens.ISSUER)
                .with(
                        "muster.verifier.jwt.keys-file",
                        JwtFixture.file(Tokens.jwks()).toString());
        try (TestNode registry = keys.start();
                TestNode none = TestRegistry.fresh().start()) {
            for (TestNode each : new TestNode[] {registry, none}) {
                assertThatThrownBy(() -> create(each, NOTHING)).isInstanceOfSatisfying(RegistryException.class, no -> {
                    assertThat(no.type()).isEqualTo(ProblemType.CONFLICT);
                    assertThat(no.detail().orElseThrow()).contains("no verifier of this fleet");
                });
            }
        }
    }

    @Test
    void verifierIsNamedWhereSeveralCanSign() throws Exception {
        Map<String, String> second = Map.of(
                "muster.fleet.default.verifiers", "jwt,line-b",
                "muster.verifier.line-b.type", "jwt",
                "muster.verifier.line-b.issuer", "line b",
                "muster.verifier.line-b.secret", Tokens.SECRET + "b");
        try (TestNode registry = with(second).start()) {
            assertThatThrownBy(() -> create(registry, wish(null, "SN-0001", null, null)))
                    .hasMessageContaining("#/verifier is required")
                    .hasMessageContaining("jwt, line-b");
            assertThatThrownBy(() -> create(registry, wish("database", "SN-0001", null, null)))
                    .hasMessageContaining("#/verifier must be one that can sign");
            assertThat(claims(create(registry, wish("jwt", "SN-0001", null, null))
                                    .token())
                            .getIssuer())
                    .isEqualTo(Tokens.ISSUER);
            assertThat(create(registry, wish("line-b", "SN-0001", null, null)).token())
                    .isNotBlank();
        }
    }

    @Test
    void everyTokenIsRecordedAndNoneIsKept() {
        try (TestNode registry = with(Map.of()).start()) {
            RegistrationTokenSigner.Signed signed = create(registry, wish(null, "SN-0001", null, null));

            // The clock stands still, so the order of events is chance.
            assertThat(registry.audit().list(Optional.empty(), 10))
                    .filteredOn(event -> event.type().startsWith("registration-token"))
                    .singleElement()
                    .satisfies(event -> {
                        assertThat(event.type()).isEqualTo("registration-token-created");
                        assertThat(event.fleet()).isEqualTo("default");
                        assertThat(event.serial()).isEqualTo("SN-0001");
                        assertThat(event.who()).isEqualTo("Ada");
                        assertThat(event.detail())
                                .startsWith("jwt, jti ")
                                .endsWith("until 2026-06-02T12:00:00Z")
                                .doesNotContain(signed.token());
                    });
        }
    }
}
