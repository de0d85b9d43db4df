// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.credential.AuthenticatedDevice;
import io.muster.device.DeviceState;
import io.muster.problem.RegistryException;
import io.muster.registration.RegistrationAttempt.OfferedKey;
import io.muster.spi.Candidate;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code docs/registration-cases.csv}, line by line: every device x request x rule, without and with an allowance. */
class RegistrationCasesTest {

    private static final Path TABLE = Path.of("../docs/registration-cases.csv");
    private static final List<String> RULES = List.of("until-confirmed", "with-proof", "always", "never");
    private static final String ORIGIN = "192.0.2.1";

    private static final TestClock CLOCK = new TestClock();
    private static final AtomicInteger SERIALS = new AtomicInteger();
    private static TestNode registry;

    /** One cell of the table, or one of its last column. */
    private record Case(String device, String request, String rule, boolean allowed, String expected) {}

    /** A device that exists before the request, and its credentials. */
    private static final class Before {
        private final String fleet;
        private final SerialNumber serial = new SerialNumber("SN-" + (100_000 + SERIALS.incrementAndGet()));
        private final KeyPair own = DeviceKeys.p256();
        private Optional<RegistrationReceipt> receipt = Optional.empty();
        private boolean byKey;

        private Before(String fleet) {
            this.fleet = fleet;
        }

        private Candidate candidate() {
            return Candidate.of(serial, fleet, ORIGIN);
        }

        private void register(boolean withKey) {
            byKey = withKey;
            receipt = Optional.of(receipt(registry.registrar()
                    .register(new RegistrationAttempt(
                            candidate(),
                            withKey ? Optional.of(offer(own, own, serial.value())) : Optional.empty(),
                            Optional.empty(),
                            Optional.empty()))));
        }

        private DeviceId id() {
            return new DeviceId(receipt.orElseThrow().deviceId());
        }

        private Optional<AuthenticatedDevice> authenticate() {
            return receipt.flatMap(has -> byKey
                    ? registry.authenticator().authenticate(has.key(), key -> true)
                    : registry.authenticator().authenticate(has.key(), has.secret()));
        }
    }

    @BeforeAll
    static void start() {
        TestRegistry test = TestRegistry.fresh()
                .with(CLOCK)
                .with("muster.limits.refusals", "1000000")
                .with("muster.fleets", String.join(",", RULES))
                .with(
                        "all",
                        candidate ->
                                candidate.evidence().containsKey("undecided") ? Verdict.pending() : Verdict.genuine());
        for (String rule : RULES) {
            test.with("muster.fleet." + rule + ".register-again", rule)
                    .with("muster.fleet." + rule + ".verifiers", "all");
        }
        registry = test.start();
    }

    @AfterAll
    static void stop() {
        registry.close();
    }

    static Stream<Case> cases() {
        List<Case> cases = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(TABLE)) {
                if (line.startsWith("#") || line.startsWith("the device,")) {
                    continue;
                }
                String[] cells = line.split(",");
                for (int rule = 0; rule < RULES.size(); rule++) {
                    String cell = cells[2 + rule];
                    cases.add(new Case(cells[0], cells[1], RULES.get(rule), false, cell));
                    cases.add(new Case(
                            cells[0], cells[1], RULES.get(rule), true, cell.equals("refused") ? cells[6] : cell));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void lineOfTheTableHolds(Case one) {
        Before before = before(one.device(), one.rule());
        Optional<OfferedKey> offered = offered(one.request(), before);
        Optional<CredentialProof> presented = presented(one.request(), before).map(CredentialProof::of);
        if (one.allowed()) {
            registry.allowances()
                    .create(
                            one.rule(),
                            List.of(before.serial),
                            CLOCK.instant(),
                            CLOCK.instant().plus(Duration.ofHours(1)),
                            "test",
                            "test");
        }

        if (one.expected().equals("pending")) {
            assertPendingAndUnchanged(before);
            return;
        }
        Optional<RegistrationReceipt> reply =
                attempt(new RegistrationAttempt(before.candidate(), offered, Optional.empty(), presented));

        assertThat(reply.map(RegistrationReceipt::key).isPresent())
                .isEqualTo(!one.expected().equals("refused"));
        before.receipt.ifPresent(
                had -> reply.ifPresent(has -> assertThat(has.deviceId()).isEqualTo(had.deviceId())));
        reply.ifPresent(has -> assertThat(has.secret() == null).isEqualTo(offered.isPresent()));
        check(one.expected(), before, reply, offered.isPresent());
    }

    private static void assertPendingAndUnchanged(Before before) {
        boolean worked = before.authenticate().isPresent();
        Candidate undecided = new Candidate(
                before.serial, before.fleet, Optional.empty(), Map.of("undecided", true), List.of(), ORIGIN);

        assertThat(registry.registrar().register(RegistrationAttempt.of(undecided)))
                .isInstanceOf(RegistrationReply.Pending.class);

        assertThat(before.authenticate().isPresent()).isEqualTo(worked);
        assertThat(registry.registrar()
                        .explain(before.candidate())
                        .registration()
                        .deviceId())
                .isEqualTo(before.receipt.map(RegistrationReceipt::deviceId));
    }

    private static void check(String expected, Before before, Optional<RegistrationReceipt> reply, boolean withKey) {
        boolean worked = before.authenticate().isPresent();
        switch (expected) {
            case "new" -> assertThat(before.receipt).isEmpty();
            case "refused" -> assertThat(reply).isEmpty();
            case "same" ->
                assertThat(reply.orElseThrow().key())
                        .isEqualTo(before.receipt.orElseThrow().key());
            // The unused credential is void.
            case "again" -> assertThat(worked).isFalse();
            case "further" -> {
                assertThat(use(reply.orElseThrow(), withKey)).isPresent();
                assertThat(before.authenticate().isPresent()).isEqualTo(worked);
            }
            case "replaces" -> {
                // The old one works until the new one is used, and for the overlap after that.
                assertThat(worked).isTrue();
                assertThat(use(reply.orElseThrow(), withKey)).isPresent();
                assertThat(before.authenticate()).isPresent();
                CLOCK.pass(Duration.ofMinutes(10));
                assertThat(before.authenticate()).isEmpty();
                assertThat(use(reply.orElseThrow(), withKey)).isPresent();
            }
            case "replaces all" -> {
                assertThat(use(reply.orElseThrow(), withKey)).isPresent();
                assertThat(before.authenticate()).isEmpty();
            }
            default -> throw new AssertionError("no such outcome: " + expected);
        }
        if (!expected.equals("refused")) {
            assertThat(use(reply.orElseThrow(), withKey || expected.equals("same")))
                    .isPresent();
        }
    }

    private static Optional<AuthenticatedDevice> use(RegistrationReceipt receipt, boolean withKey) {
        return withKey
                ? registry.authenticator().authenticate(receipt.key(), key -> true)
                : registry.authenticator().authenticate(receipt.key(), receipt.secret());
    }

    private static Before before(String device, String rule) {
        Before before = new Before(rule);
        switch (device) {
            case "none" -> assertThat(before.receipt).isEmpty();
            case "unused secret" -> before.register(false);
            case "unused key" -> before.register(true);
            case "lapsed" -> {
                before.register(false);
                CLOCK.pass(Duration.ofDays(31));
            }
            case "used secret" -> {
                before.register(false);
                assertThat(before.authenticate()).isPresent();
            }
            case "used key" -> {
                before.register(true);
                assertThat(before.authenticate()).isPresent();
            }
            case "revoked key" -> {
                before.register(true);
                assertThat(before.authenticate()).isPresent();
                registry.revocations().revoke(before.id(), Optional.empty(), "test", "test");
            }
            case "disabled" -> {
                before.register(true);
                assertThat(before.authenticate()).isPresent();
                registry.devices().change(before.id(), DeviceState.DISABLED, "test");
            }
            case "retired" -> {
                before.register(true);
                assertThat(before.authenticate()).isPresent();
                registry.devices().change(before.id(), DeviceState.RETIRED, "test");
            }
            default -> throw new AssertionError("no such device: " + device);
        }
        return before;
    }

    private static Optional<OfferedKey> offered(String request, Before before) {
        String serial = before.serial.value();
        // Made now, by a clock that tests have moved.
        return switch (request) {
            case "its key" -> Optional.of(offer(before.own, before.own, serial));
            case "another key" -> {
                KeyPair another = DeviceKeys.ed25519();
                yield Optional.of(offer(another, another, serial));
            }
            case "a wrong proof" -> Optional.of(offer(before.own, DeviceKeys.p256(), serial));
            default -> Optional.empty();
        };
    }

    private static OfferedKey offer(KeyPair pair, KeyPair signer, String serial) {
        return DeviceKeys.offer(
                pair,
                signer.getPrivate(),
                serial,
                claims -> claims.put("iat", CLOCK.instant().getEpochSecond()));
    }

    private static Optional<AuthenticatedDevice> presented(String request, Before before) {
        return switch (request) {
            case "its credential" -> before.authenticate();
            case "a foreign credential" -> {
                Before other = new Before(before.fleet);
                other.register(false);
                yield other.authenticate();
            }
            default -> Optional.empty();
        };
    }

    private static Optional<RegistrationReceipt> attempt(RegistrationAttempt attempt) {
        try {
            return Optional.of(receipt(registry.registrar().register(attempt)));
        } catch (RegistryException e) {
            assertThat(e.type()).isEqualTo(ProblemType.REGISTRATION_REFUSED);
            return Optional.empty();
        }
    }

    private static RegistrationReceipt receipt(RegistrationReply reply) {
        return ((RegistrationReply.Plain) reply).receipt();
    }
}
