// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import static io.muster.token.Fixture.ISSUER;
import static io.muster.token.Fixture.NOW;
import static io.muster.token.Fixture.assertion;
import static io.muster.token.Fixture.changed;
import static io.muster.token.Fixture.header;
import static io.muster.token.Fixture.map;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.credential.AuthenticatedDevice;
import io.muster.device.DeviceState;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidates;
import io.muster.spi.DeviceId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** The promises about assertions of devices on every database, over several nodes. */
interface ClientAssertionContract {

    int RACERS = 24;

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private static Optional<AuthenticatedDevice> authenticate(TestNode registry, String assertion) {
        return registry.clientAssertions().authenticate(assertion);
    }

    @Test
    default void deviceAuthenticatesWithWhatItsKeySigned() {
        try (TestNode registry = Fixture.admitting(fresh()).start()) {
            for (DeviceKey own : List.of(DeviceKey.ec(), DeviceKey.ed25519())) {
                String key = Fixture.register(registry, "SN-" + own.algorithm(), own);
                Map<String, Object> claims = assertion(key, "a");

                assertThat(authenticate(registry, own.sign(header(own, "JWT"), claims)))
                        .map(AuthenticatedDevice::key)
                        .contains(key);
                assertThat(authenticate(
                                registry, own.sign(header(own, "client-authentication+jwt"), changed(claims, c -> {
                                    c.put("jti", "b");
                                    c.put("aud", ISSUER + "/token");
                                }))))
                        .isPresent();
                assertThat(authenticate(
                                registry, own.sign(map("alg", own.algorithm(), "kid", "any"), changed(claims, c -> {
                                    c.put("jti", "c");
                                    c.put("exp", NOW + 360);
                                    c.remove("iat");
                                }))))
                        .isPresent();
                assertThat(authenticate(registry, own.sign(header(own, "JWT"), changed(claims, c -> {
                            c.put("jti", "d");
                            c.put("exp", NOW - 59);
                        }))))
                        .isPresent();
            }
        }
    }

    @Test
    default void issuerMayBeNamedWithASlashAndWithoutWhicheverItHas() {
        for (String issuer : List.of(ISSUER, ISSUER + "/")) {
            try (TestNode registry =
                    Fixture.admitting(fresh()).with("muster.issuer", issuer).start()) {
                DeviceKey own = DeviceKey.ec();
                String key = Fixture.register(registry, "SN-0001", own);
                int id = 0;
                for (Object audience : List.of(ISSUER, ISSUER + "/", ISSUER + "/token", List.of(ISSUER + "/token"))) {
                    Map<String, Object> claims = assertion(key, "id" + id++);
                    claims.put("aud", audience);

                    assertThat(authenticate(registry, own.sign(header(own, "JWT"), claims)))
                            .as(audience + " for " + issuer)
                            .isPresent();
                }
            }
        }
    }

    @Test
    default void timesMayHaveAFractionWhichIsCutOff() {
        try (TestNode registry = Fixture.admitting(fresh()).start()) {
            DeviceKey own = DeviceKey.ec();
            for (double iat : new double[] {NOW - 300, NOW + 300.9}) {
                Fixture.register(registry, "SN-0001", own, proofOf(own, iat));
            }
            assertThatThrownBy(() -> Fixture.register(registry, "SN-0002", own, proofOf(own, NOW - 300.1)))
                    .isInstanceOf(RegistryException.class);
            String key = Fixture.register(registry, "SN-0001", own);
            Map<String, Object> claims = changed(assertion(key, "a"), c -> {
                c.put("exp", NOW + 360.9);
                c.put("iat", NOW + 60.9);
                c.put("nbf", NOW - 0.25);
            });

            assertThat(authenticate(
                            registry, own.sign(header(own, "JWT"), changed(claims, c -> c.put("exp", NOW - 59.1)))))
                    .isEmpty();
            assertThat(authenticate(registry, own.sign(header(own, "JWT"), claims)))
                    .isPresent();
        }
    }

    private static String proofOf(DeviceKey own, double iat) {
        return own.sign(header(own, "muster-proof+jwt"), map("serial", "SN-0001", "aud", ISSUER, "iat", iat));
    }

    @Test
    default void ed25519MaySignUnderEitherOfItsNames() {
        try (TestNode registry = Fixture.admitting(fresh()).start()) {
            DeviceKey own = DeviceKey.ed25519();
            Map<String, Object> proof = map("serial", "SN-0001", "aud", ISSUER, "iat", NOW);
            String key = Fixture.register(
                    registry, "SN-0001", own, own.sign(map("alg", "Ed25519", "typ", "muster-proof+jwt"), proof));
            for (String name : List.of("Ed25519", "EdDSA")) {
                assertThat(authenticate(registry, own.sign(map("alg", name), assertion(key, name))))
                        .as(name)
                        .isPresent();
            }
            for (String name : List.of("Ed448", "ed25519", "ES256")) {
                assertThat(authenticate(registry, own.sign(map("alg", name), assertion(key, name))))
                        .as(name)
                        .isEmpty();
            }
            DeviceKey ec = DeviceKey.ec();
            String other = Fixture.register(registry, "SN-0002", ec);
            assertThat(authenticate(registry, ec.sign(map("alg", "Ed25519"), assertion(other, "a"))))
                    .isEmpty();
        }
    }

    @Test
    default void everythingElseIsRefusedAndSpendsNothing() {
        TestRegistry test = Fixture.admitting(fresh());
        try (TestNode registry = test.start()) {
            DeviceKey own = DeviceKey.ec();
            DeviceKey foreign = DeviceKey.ec();
            String key = Fixture.register(registry, "SN-0001", own);
            String other = Fixture.register(registry, "SN-0002", foreign);
            RegistrationReceipt secret = registry.registrar().register(Candidates.withSerial("SN-0003"));
            Map<String, Object> good = assertion(key, "a");
            Map<String, Object> header = header(own, "JWT");

            Map<String, String> mutants = new LinkedHashMap<>();
            mutants.put("another key", foreign.sign(header, good));
            mutants.put(
                    "another key, brought along",
                    foreign.sign(changed(header, h -> h.put("jwk", foreign.jwk())), good));
            mutants.put("another device", own.sign(header, assertion(other, "a")));
            mutants.put("a credential with a secret", own.sign(header, assertion(secret.key(), "a")));
            mutants.put("nobody", own.sign(header, assertion("0000000000000000000000", "a")));
            mutants.put("alg of another kind of key", own.sign(changed(header, h -> h.put("alg", "EdDSA")), good));
            mutants.put("alg none", own.sign(changed(header, h -> h.put("alg", "none")), good));
            mutants.put("alg HS256", own.sign(changed(header, h -> h.put("alg", "HS256")), good));
            for (String type : List.of("at+jwt", "dpop+jwt", "muster-proof+jwt", "jwt", "", "application/jwt")) {
                mutants.put("typ " + type, own.sign(changed(header, h -> h.put("typ", type)), good));
            }
            mutants.put("typ that is a number", own.sign(changed(header, h -> h.put("typ", 1)), good));
            mutants.put("crit", own.sign(changed(header, h -> h.put("crit", List.of("exp"))), good));
            mutants.put("zip", own.sign(changed(header, h -> h.put("zip", "DEF")), good));
            for (String name : List.of("iss", "sub", "aud", "exp", "jti")) {
                mutants.put("no " + name, own.sign(header, changed(good, c -> c.remove(name))));
                mutants.put(name + " empty", own.sign(header, changed(good, c -> c.put(name, ""))));
                mutants.put(name + " null", own.sign(header, changed(good, c -> c.put(name, null))));
                if (!name.equals("aud")) {
                    mutants.put(
                            name + " a list",
                            own.sign(header, changed(good, c -> c.put(name, List.of(good.get(name))))));
                }
            }
            mutants.put("iss of another", own.sign(header, changed(good, c -> c.put("iss", other))));
            mutants.put("sub that is the device's id", own.sign(header, changed(good, c -> c.put("sub", "admin"))));
            for (Object audience : List.of(
                    List.of(ISSUER, "https://other.example"),
                    List.of(ISSUER, ISSUER),
                    List.of(),
                    List.of(List.of(ISSUER)),
                    "https://other.example",
                    ISSUER + ".example",
                    ISSUER + "//",
                    ISSUER + "/register",
                    ISSUER + "/token/",
                    ISSUER.toUpperCase(java.util.Locale.ROOT),
                    5)) {
                mutants.put("aud " + audience, own.sign(header, changed(good, c -> c.put("aud", audience))));
            }
            for (Object end : List.of(
                    NOW - 60, NOW + 361, NOW + 86_400, 0, -1, Long.MAX_VALUE, 1e300, "" + (NOW + 60), NOW - 59.5)) {
                mutants.put("exp " + end, own.sign(header, changed(good, c -> c.put("exp", end))));
            }
            for (String name : List.of("iat", "nbf")) {
                for (Object at : List.of(NOW + 61, "now", Long.MAX_VALUE)) {
                    mutants.put(name + " " + at, own.sign(header, changed(good, c -> c.put(name, at))));
                }
            }
            mutants.put("a jti of 129", own.sign(header, changed(good, c -> c.put("jti", "j".repeat(129)))));
            mutants.put("a nonce that is none", own.sign(header, changed(good, c -> c.put("nonce", "n"))));
            mutants.put("a nonce that is null", own.sign(header, changed(good, c -> c.put("nonce", null))));
            mutants.put("a registration proof", Fixture.proof("SN-0001", own));
            mutants.put("junk", "junk");
            mutants.put("nothing", "");
            mutants.put("9 KiB", own.sign(header, changed(good, c -> c.put("x", "x".repeat(9 * 1024)))));

            mutants.forEach((what, mutant) ->
                    assertThat(authenticate(registry, mutant)).as(what).isEmpty());
            // Its jti is free: none of those that had it was good.
            assertThat(authenticate(registry, own.sign(header, good))).isPresent();
        }
    }

    @Test
    default void assertionIsGoodOnceOnEveryNodeAndAfterARestart() {
        TestRegistry test = Fixture.admitting(fresh());
        DeviceKey own = DeviceKey.ec();
        String assertion;
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            String key = Fixture.register(one, "SN-0001", own);
            assertion = assertion(own, key, "a");
            assertThat(authenticate(one, assertion)).isPresent();

            assertThat(authenticate(one, assertion)).isEmpty();
            assertThat(authenticate(two, assertion)).isEmpty();
            // Signed again it is another text and the same assertion.
            assertThat(authenticate(two, assertion(own, key, "a"))).isEmpty();
            assertThat(authenticate(two, assertion(own, key, "b"))).isPresent();

            DeviceKey other = DeviceKey.ec();
            String otherKey = Fixture.register(one, "SN-0002", other);
            assertThat(authenticate(two, assertion(other, otherKey, "a"))).isPresent();
        }
        try (TestNode again = test.start()) {
            assertThat(authenticate(again, assertion)).isEmpty();
        }
    }

    @Test
    default void oneAssertion24TimesAtOnceOnTwoNodesIsGoodOnce() throws Exception {
        TestRegistry test = Fixture.admitting(fresh());
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            DeviceKey own = DeviceKey.ec();
            String key = Fixture.register(one, "SN-0001", own);
            assertThat(authenticate(one, assertion(own, key, "first"))).isPresent();
            String nonce = one.nonces().issue().nonce();
            for (String assertion : List.of(
                    assertion(own, key, "raced"),
                    own.sign(header(own, "JWT"), map("iss", key, "sub", key, "aud", ISSUER, "nonce", nonce)))) {
                CyclicBarrier line = new CyclicBarrier(RACERS);
                ExecutorService threads = Executors.newFixedThreadPool(RACERS);
                int authenticated = 0;
                try {
                    List<Callable<Boolean>> race = new ArrayList<>();
                    for (int i = 0; i < RACERS; i++) {
                        TestNode node = i % 2 == 0 ? one : two;
                        race.add(() -> {
                            line.await();
                            return authenticate(node, assertion).isPresent();
                        });
                    }
                    for (Future<Boolean> result : threads.invokeAll(race)) {
                        authenticated += result.get() ? 1 : 0;
                    }
                } finally {
                    threads.shutdownNow();
                }

                assertThat(authenticated).isEqualTo(1);
            }
        }
    }

    @Test
    default void deviceWithoutAClockSignsANonceInstead() {
        TestRegistry test = Fixture.admitting(fresh());
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            DeviceKey own = DeviceKey.ed25519();
            String key = Fixture.register(one, "SN-0001", own);
            Map<String, Object> claims = map("iss", key, "sub", key, "aud", ISSUER);
            claims.put("nonce", one.nonces().issue().nonce());
            // As a device writes them that thinks it is 1970.
            claims.put("iat", 7);
            claims.put("exp", 67);
            String assertion = own.sign(header(own, "JWT"), claims);

            assertThat(authenticate(two, assertion)).isPresent();
            assertThat(authenticate(one, assertion)).isEmpty();
            claims.put("jti", "another");
            assertThat(authenticate(one, own.sign(header(own, "JWT"), claims))).isEmpty();
            claims.put("nonce", two.nonces().issue().nonce());
            claims.put("aud", "https://other.example");
            assertThat(authenticate(one, own.sign(header(own, "JWT"), claims))).isEmpty();
            claims.put("aud", ISSUER);
            assertThat(authenticate(one, own.sign(header(own, "JWT"), claims))).isPresent();
        }
    }

    @Test
    default void deviceThatIsDisabledIsRefusedAndKeepsItsAssertion() {
        try (TestNode registry = Fixture.admitting(fresh()).start()) {
            DeviceKey own = DeviceKey.ec();
            String key = Fixture.register(registry, "SN-0001", own);
            DeviceId device = authenticate(registry, assertion(own, key, "a"))
                    .orElseThrow()
                    .deviceId();
            registry.devices().change(device, DeviceState.DISABLED, "test");

            assertThat(authenticate(registry, assertion(own, key, "b"))).isEmpty();

            registry.devices().change(device, DeviceState.ACTIVE, "test");
            assertThat(authenticate(registry, assertion(own, key, "b"))).isPresent();
        }
    }

    @Test
    default void noKindOfTokenIsTakenForAnother() {
        try (TestNode registry = Fixture.admitting(fresh()).start()) {
            DeviceKey own = DeviceKey.ec();
            String key = Fixture.register(registry, "SN-0001", own);
            String assertion = assertion(own, key, "a");
            String access = registry.tokenIssuer()
                    .issue(authenticate(registry, assertion(own, key, "b")).orElseThrow());

            assertThat(registry.tokenVerifier().verify(access)).isPresent();
            assertThat(authenticate(registry, access)).isEmpty();
            assertThat(registry.tokenVerifier().verify(assertion)).isEmpty();
            assertThat(registry.tokenVerifier().verify(Fixture.proof("SN-0001", own)))
                    .isEmpty();
            Map<String, Object> both = assertion(key, "c");
            both.put("serial", "SN-0009");
            DeviceKey fresh = DeviceKey.ec();
            assertThatThrownBy(
                            () -> Fixture.register(registry, "SN-0009", fresh, fresh.sign(header(fresh, "JWT"), both)))
                    .isInstanceOf(RegistryException.class);
            assertThat(authenticate(registry, own.sign(header(own, "muster-proof+jwt"), both)))
                    .isEmpty();
        }
    }
}
