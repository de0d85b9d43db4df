// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.device.DeviceStore;
import io.muster.json.Json;
import io.muster.operator.RegistrationTokens;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.Verdict;
import io.muster.verification.jwt.JwtFixture;
import io.muster.verification.jwt.Tokens;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** The promises about tokens for one admission on every database, over several nodes. */
interface OneTimeTokenContract {

    int RACERS = 24;

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private TestRegistry with(String oneTime, String serialClaim) {
        return fresh().with("muster.fleet.default.verifiers", "jwt")
                .with("muster.verifier.jwt.issuer", Tokens.ISSUER)
                .with("muster.verifier.jwt.secret", Tokens.SECRET)
                .with("muster.verifier.jwt.one-time", oneTime)
                .with("muster.verifier.jwt.serial-claim", serialClaim);
    }

    private static String token(String jti) {
        return Tokens.hs256(Tokens.with(Tokens.claims(), "jti", jti));
    }

    private static boolean admitted(TestNode registry, Candidate candidate) {
        try {
            registry.registrar().register(candidate);
            return true;
        } catch (RegistryException e) {
            assertThat(e.type()).isEqualTo(ProblemType.REGISTRATION_REFUSED);
            return false;
        }
    }

    private static int devices(TestNode registry) {
        return registry.devices()
                .list(
                        new DeviceStore.Filter(
                                registry.fleets().names(), Optional.empty(), Optional.empty(), Optional.empty()),
                        Optional.empty(),
                        1000)
                .devices()
                .size();
    }

    @Test
    default void oneTokenOf24SerialsAtOnceOnTwoNodesMakesOneDevice() throws Exception {
        TestRegistry test = with("yes", "none");
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            CyclicBarrier line = new CyclicBarrier(RACERS);
            ExecutorService threads = Executors.newFixedThreadPool(RACERS);
            int admitted = 0;
            try {
                List<Callable<Boolean>> race = new ArrayList<>();
                for (int i = 0; i < RACERS; i++) {
                    TestNode node = i % 2 == 0 ? one : two;
                    Candidate candidate = JwtFixture.offering("SN-" + (1000 + i), token("shared"));
                    race.add(() -> {
                        line.await();
                        return admitted(node, candidate);
                    });
                }
                for (Future<Boolean> result : threads.invokeAll(race)) {
                    admitted += result.get() ? 1 : 0;
                }
            } finally {
                threads.shutdownNow();
            }

            assertThat(admitted).isEqualTo(1);
            assertThat(devices(one)).isEqualTo(1);
            assertThat(admitted(two, JwtFixture.offering("SN-9999", token("shared"))))
                    .isFalse();
            assertThat(admitted(two, JwtFixture.offering("SN-9999", token("another"))))
                    .isTrue();
        }
    }

    @Test
    default void usedTokenIsRefusedOnEveryNodeEvenFromItsOwnSerial() {
        TestRegistry test = with("yes", "sub");
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            assertThat(admitted(one, JwtFixture.offering(token("a")))).isTrue();

            assertThat(admitted(one, JwtFixture.offering(token("a")))).isFalse();
            assertThat(admitted(two, JwtFixture.offering(token("a")))).isFalse();
            assertThat(admitted(two, JwtFixture.offering(token("b")))).isTrue();
            assertThat(devices(one)).isEqualTo(1);
            one.audit().flush();
            assertThat(one.audit().list(Optional.empty(), 10))
                    .anyMatch(event ->
                            event.type().startsWith("refused") && event.detail().contains("was used before"));
        }
    }

    @Test
    default void untilConfirmedLetsTheSerialThatUsedItRepeatAndNoOther() {
        TestRegistry test = with("until-confirmed", "none");
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            assertThat(admitted(one, JwtFixture.offering("SN-0001", token("a"))))
                    .isTrue();
            assertThat(admitted(two, JwtFixture.offering("SN-0002", token("a"))))
                    .isFalse();
            var kept = two.registrar().register(JwtFixture.offering("SN-0001", token("a")));
            assertThat(two.authenticator().authenticate(kept.key(), kept.secret()))
                    .isPresent();

            assertThat(admitted(one, JwtFixture.offering("SN-0001", token("a"))))
                    .isFalse();
            assertThat(devices(one)).isEqualTo(1);
        }
    }

    @Test
    default void tokenIsNotUsedUpByARegistrationThatFails() {
        try (TestNode registry = with("yes", "sub").start()) {
            assertThat(admitted(registry, JwtFixture.offering("SN-0002", token("a"))))
                    .isFalse();

            assertThat(admitted(registry, JwtFixture.offering(token("a")))).isTrue();
        }
    }

    @Test
    default void tokenThatAnOperatorMadeAdmitsOnce() {
        TestRegistry test = with("yes", "none");
        try (TestNode registry = test.start()) {
            String token = registry.registrationTokens()
                    .create(
                            registry.fleets().find("default").orElseThrow(),
                            new RegistrationTokens.Wish(
                                    Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty()),
                            "test")
                    .token();

            assertThat(admitted(registry, JwtFixture.offering("SN-0001", token)))
                    .isTrue();
            assertThat(admitted(registry, JwtFixture.offering("SN-0002", token)))
                    .isFalse();
        }
    }

    @Test
    default void accessTokenIsNoEvidenceAndEvidenceNoAccessToken() {
        TestRegistry plain =
                fresh().with("muster.fleet.default.verifiers", "yes").with("yes", candidate -> Verdict.genuine());
        try (TestNode registry = plain.start()) {
            var receipt = registry.registrar().register(Candidates.withSerial("SN-0001"));
            String access = registry.tokenIssuer()
                    .issue(registry.authenticator()
                            .authenticate(receipt.key(), receipt.secret())
                            .orElseThrow());
            String keys = JwtFixture.file(Json.text(registry.signingKeys().publicKeys()))
                    .toString();
            Map<String, String> trusting = Map.of(
                    "issuer", "https://registry.example",
                    "keys-file", keys,
                    "serial-claim", "none",
                    "audience", "https://registry.example");

            // Even a verifier that trusts the registry's own keys, issuer and audience.
            assertThat(JwtFixture.verifier(JwtFixture.CLOCK, trusting).verify(JwtFixture.offering("SN-0002", access)))
                    .isInstanceOfSatisfying(Verdict.Refused.class, refused -> assertThat(refused.reason())
                            .contains("typ"));
            assertThat(registry.tokenVerifier().verify(access)).isPresent();
            assertThat(registry.tokenVerifier().verify(Tokens.hs256(Tokens.claims())))
                    .isEmpty();
            assertThat(registry.tokenVerifier().verify(Tokens.es256(Tokens.claims())))
                    .isEmpty();
        }
    }
}
