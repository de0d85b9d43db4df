// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.audit.AuditEvent;
import io.muster.device.Device;
import io.muster.persistence.Database;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidates;
import io.muster.spi.DeviceId;
import io.muster.spi.Verdict;
import io.muster.user.User;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Codes that are printed or displayed, on every database. */
interface PrintedCodesContract {

    User ALICE = user("alice");
    User BOB = user("bob");

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private static User user(String subject) {
        return new User("customers", "https://id.example", subject, Optional.empty(), Set.of());
    }

    private TestNode start(TestClock clock, String by) {
        TestNode node = fresh().with(clock)
                .withUsers("customers", "https://id.example")
                .with("yes", candidate -> Verdict.genuine())
                .start();
        node.fleets()
                .put(
                        "default",
                        ("{'verifiers':['yes'],'claims':{'users':['customers'],'by':['" + by + "']}}")
                                .replace('\'', '"')
                                .getBytes(StandardCharsets.UTF_8),
                        version -> true,
                        "somebody");
        return node;
    }

    private static Device device(TestNode node, String serial) {
        String id = node.registrar().register(Candidates.withSerial(serial)).deviceId();
        return node.devices().find(new DeviceId(id)).orElseThrow();
    }

    private static Optional<ProblemType> claim(TestNode node, User user, ClaimCode code) {
        Claim claim = new Claim(user, new Claim.ByCode(code), Optional.empty(), Optional.empty(), "192.0.2.1");
        try {
            node.part(Claims.class).claim(claim, node.part(EvenClaims.class).watch());
            return Optional.empty();
        } catch (RegistryException e) {
            return Optional.of(e.type());
        }
    }

    @Test
    default void eachSerialOfALabelGetsACodeOfItsOwnThatClaimsIt() {
        try (TestNode node = start(new TestClock(), "code")) {
            List<String> serials = IntStream.range(0, LabelCodes.AT_ONCE)
                    .mapToObj("SN-%04d"::formatted)
                    .toList();

            Map<String, ClaimCode> codes = node.part(LabelCodes.class).make("default", serials);

            assertThat(codes.keySet()).containsExactlyElementsOf(serials);
            assertThat(Set.copyOf(codes.values())).hasSameSizeAs(serials);
            assertThat(codes.values()).allMatch(ClaimCode::isLong);
            assertThat(claim(node, ALICE, codes.get("SN-0007"))).isEmpty();
            assertThat(node.part(Ownership.class).find("default", "SN-0007")).isPresent();
            assertThat(node.part(Ownership.class).find("default", "SN-0008")).isEmpty();
        }
    }

    @Test
    default void anotherLabelVoidsTheUnusedOneBefore() {
        try (TestNode node = start(new TestClock(), "code")) {
            LabelCodes labels = node.part(LabelCodes.class);
            ClaimCode first = labels.make("default", List.of("SN-0001")).get("SN-0001");
            ClaimCode second =
                    labels.make("default", List.of("SN-0001", "SN-0001")).get("SN-0001");

            assertThat(claim(node, ALICE, first)).contains(ProblemType.CLAIM_REFUSED);
            assertThat(claim(node, ALICE, second)).isEmpty();
            ClaimCode third = labels.make("default", List.of("SN-0001")).get("SN-0001");
            assertThat(claim(node, ALICE, second)).as("again").isEmpty();
            assertThat(claim(node, BOB, third)).contains(ProblemType.ALREADY_CLAIMED);
        }
    }

    @Test
    default void ordersAreOnRecordAndCodesAreNot() {
        try (TestNode node = start(new TestClock(), "code")) {
            node.part(LabelCodes.class).ordered("default", null, "lot L-1", "anna");
            ClaimCode code = node.part(LabelCodes.class)
                    .make("default", List.of("SN-0001"))
                    .get("SN-0001");

            List<AuditEvent> events = node.audit().list(Optional.empty(), 100).stream()
                    .filter(event -> event.type().equals("claim-codes-made"))
                    .toList();
            assertThat(events).singleElement().satisfies(event -> assertThat(event.detail())
                    .isEqualTo("lot L-1"));
            assertThat(code.toString()).doesNotContain(code.text().substring(0, 5));
            assertThat(node.part(Database.class)
                            .jdbc(Sql.of("SELECT hash FROM claim_code").list(row -> row.getBytes(1))))
                    .containsExactly(code.hash());
        }
    }

    @Test
    default void codeOfADisplayIsGoodOnceAndForTenMinutes() {
        TestClock clock = new TestClock();
        try (TestNode node = start(clock, "code")) {
            Device device = device(node, "SN-0001");
            DisplayCodes displays = node.part(DisplayCodes.class);
            ClaimCodes.Made first = displays.make(device);
            ClaimCodes.Made late = displays.make(device);
            assertThat(first.expiresAt()).contains(clock.instant().plus(Duration.ofMinutes(10)));
            assertThat(claim(node, ALICE, first.code())).contains(ProblemType.CLAIM_REFUSED);
            clock.pass(Duration.ofMinutes(10));
            assertThat(claim(node, ALICE, late.code())).contains(ProblemType.CLAIM_REFUSED);

            ClaimCode last = displays.make(device).code();
            clock.pass(Duration.ofMinutes(10).minusMillis(1));
            assertThat(claim(node, ALICE, last)).isEmpty();
            assertThat(claim(node, BOB, last)).contains(ProblemType.ALREADY_CLAIMED);
        }
    }

    @Test
    default void deviceThatIsOwnedGetsNoCode() {
        try (TestNode node = start(new TestClock(), "code")) {
            Device device = device(node, "SN-0001");
            DisplayCodes displays = node.part(DisplayCodes.class);
            claim(node, ALICE, displays.make(device).code());

            assertThat(refused(displays, device)).isEqualTo(ProblemType.CONFLICT);
            node.part(Ownership.class).release(node.fleets().get("default"), "SN-0001", "somebody");
            assertThat(claim(node, BOB, displays.make(device).code())).isEmpty();
        }
    }

    private static ProblemType refused(DisplayCodes displays, Device device) {
        return catchThrowableOfType(RegistryException.class, () -> displays.make(device))
                .type();
    }

    @Test
    default void fleetWithoutClaimsByCodeHasNone() {
        try (TestNode node = start(new TestClock(), "serial")) {
            assertThat(refused(node.part(DisplayCodes.class), device(node, "SN-0001")))
                    .isEqualTo(ProblemType.NOT_FOUND);
        }
    }

    @Test
    default void deviceThatAsksTooOftenIsToldToWait() {
        TestClock clock = new TestClock();
        try (TestNode node = start(clock, "code")) {
            Device greedy = device(node, "SN-0001");
            Device other = device(node, "SN-0002");
            DisplayCodes displays = node.part(DisplayCodes.class);
            IntStream.range(0, 20).forEach(i -> displays.make(greedy));

            assertThat(refused(displays, greedy)).isEqualTo(ProblemType.TOO_MANY_REQUESTS);
            assertThat(displays.make(other).code()).isNotNull();
            clock.pass(Duration.ofMinutes(11));
            assertThat(displays.make(greedy).code()).isNotNull();
        }
    }
}
