// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.audit.AuditEvent;
import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.operator.SerialImport;
import io.muster.ownership.Claims.Claimed;
import io.muster.persistence.Database;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidates;
import io.muster.spi.DeviceId;
import io.muster.spi.DeviceOwnerChanged;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import io.muster.user.User;
import io.muster.verification.list.Lot;
import io.muster.verification.list.Lots;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The promises about owners on every database. */
interface ClaimsContract {

    User ALICE = user("alice", "fitters", "cooks");
    User BOB = user("bob", "fitters");
    User EVE = user("eve");
    String HERE = "192.0.2.1";
    String EVERYTHING = "{'verifiers':['yes'],'claims':{'users':['customers'],'by':['code','serial','tag'],'tag':'mac',"
            + "'to':['user','group'],'tags':['room','floor']}}";

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private static User user(String subject, String... groups) {
        return new User("customers", "https://id.example", subject, Optional.of("Name of " + subject), Set.of(groups));
    }

    private TestRegistry test() {
        return fresh().withUsers("customers", "https://id.example")
                .withUsers("partners", "https://other.example")
                .with("yes", candidate -> Verdict.genuine());
    }

    private static void document(TestNode node, String name, String json) {
        node.fleets().put(name, json.replace('\'', '"').getBytes(StandardCharsets.UTF_8), there -> true, "test");
    }

    private static TestNode start(TestRegistry test, String json) {
        TestNode node = test.start();
        document(node, "default", json);
        return node;
    }

    private static ClaimCode code(TestNode node, String serial, ClaimCodes.Kind kind) {
        return node.part(Database.class)
                .transaction(em -> node.part(ClaimCodes.class).make(em, "default", serial, kind))
                .code();
    }

    private static ClaimCode code(TestNode node, String serial) {
        return code(node, serial, ClaimCodes.Kind.MADE);
    }

    private static Claim byCode(User user, ClaimCode code) {
        return new Claim(user, new Claim.ByCode(code), Optional.empty(), Optional.empty(), HERE);
    }

    private static Claim bySerial(User user, String serial) {
        return new Claim(user, new Claim.BySerial("default", serial), Optional.empty(), Optional.empty(), HERE);
    }

    private static Claimed claim(TestNode node, Claim claim) {
        return node.part(Claims.class).claim(claim, node.part(EvenClaims.class).watch());
    }

    private static String register(TestNode node, String serial) {
        return node.registrar().register(Candidates.withSerial(serial)).deviceId();
    }

    private static Map<String, String> tags(TestNode node, String deviceId) {
        Device device = node.devices().find(new DeviceId(deviceId)).orElseThrow();
        Map<String, String> tags = new HashMap<>(node.devices().tags(device));
        tags.remove("serial");
        return tags;
    }

    private static ProblemType problem(Runnable action) {
        try {
            action.run();
        } catch (RegistryException e) {
            return e.type();
        }
        throw new AssertionError("nothing was refused");
    }

    private static void assertRefused(TestNode node, Claim claim) {
        assertThat(problem(() -> claim(node, claim))).isEqualTo(ProblemType.CLAIM_REFUSED);
    }

    private static List<AuditEvent> audit(TestNode node, String type) {
        node.audit().flush();
        return node.audit().list(Optional.empty(), 1000).stream()
                .filter(event -> event.type().equals(type))
                .toList();
    }

    private static SerialImport.Result list(TestNode node, String csv) {
        return node.serialImport()
                .csv(
                        node.fleets().find("default").orElseThrow(),
                        new ByteArrayInputStream(csv.getBytes(StandardCharsets.UTF_8)),
                        "test");
    }

    @Test
    default void userClaimsARegisteredDeviceByItsCodeAndEverybodySeesIt() {
        TestRegistry test = test();
        try (TestNode node = start(test, EVERYTHING)) {
            String id = register(node, "SN-0001");
            ClaimCode code = code(node, "SN-0001");

            Claimed claimed = claim(node, byCode(ALICE, code));

            OwnedDevice device = claimed.device();
            assertThat(claimed.again()).isFalse();
            assertThat(device.deviceId()).contains(new DeviceId(id));
            assertThat(device.serial()).isEqualTo("SN-0001");
            assertThat(device.name()).isEqualTo("SN-0001");
            assertThat(device.state()).isEqualTo("active");
            assertThat(device.owner().text()).isEqualTo("customers:alice");
            assertThat(device.owner().user().name()).contains("Name of alice");
            assertThat(device.owner().group()).isEmpty();
            assertThat(device.claimedAt()).isEqualTo(TestRegistry.NOW);
            assertThat(device.can()).isEqualTo(new OwnedDevice.Can(true, true, true, List.of("room", "floor")));
            assertThat(tags(node, id)).isEqualTo(Map.of("owner", "customers:alice"));
            assertThat(node.devices()
                            .list(
                                    new DeviceStore.Filter(
                                            Set.of("default"),
                                            Optional.empty(),
                                            Optional.of(Map.entry("owner", "customers:alice")),
                                            Optional.empty()),
                                    Optional.empty(),
                                    10)
                            .devices())
                    .hasSize(1);
            assertThat(test.events())
                    .contains(new DeviceOwnerChanged(
                            TestRegistry.NOW,
                            "default",
                            new SerialNumber("SN-0001"),
                            Optional.of(new DeviceId(id)),
                            Optional.empty(),
                            Optional.of("customers:alice"),
                            Optional.empty(),
                            "customers:alice"));
            assertThat(audit(node, "device-claimed")).singleElement().satisfies(event -> {
                assertThat(event.who()).isEqualTo("customers:alice");
                assertThat(event.deviceId()).isEqualTo(id);
                assertThat(event.detail())
                        .isEqualTo("by a code from 192.0.2.1; before: nobody; after: customers:alice");
            });
        }
    }

    @Test
    default void claimingOnesOwnDeviceAgainIsNothingNewAndAnybodyElseWithTheCodeIsTold() {
        TestRegistry test = test();
        try (TestNode node = start(test, EVERYTHING)) {
            register(node, "SN-0001");
            ClaimCode code = code(node, "SN-0001");
            Claimed first = claim(node, byCode(ALICE, code));
            int events = test.events().size();

            Claimed again = claim(node, byCode(ALICE, code));
            Claimed bySerial = claim(node, bySerial(ALICE, "SN-0001"));

            assertThat(again).isEqualTo(new Claimed(first.device(), true));
            assertThat(bySerial).isEqualTo(again);
            assertThat(test.events()).hasSize(events);
            assertThat(problem(() -> claim(node, byCode(EVE, code)))).isEqualTo(ProblemType.ALREADY_CLAIMED);
            assertThat(problem(() -> claim(node, byCode(EVE, code(node, "SN-0001")))))
                    .isEqualTo(ProblemType.ALREADY_CLAIMED);
            assertRefused(node, bySerial(EVE, "SN-0001"));
            assertThat(node.part(Claims.class).find(ALICE, first.device().claimId()))
                    .isEqualTo(first.device());
        }
    }

    @Test
    default void deviceOfAGroupBelongsToWhoeverIsInTheGroup() {
        try (TestNode node = start(test(), EVERYTHING)) {
            String id = register(node, "SN-0001");
            Claim toGroup = new Claim(
                    ALICE,
                    new Claim.BySerial("default", "SN-0001"),
                    Optional.of("fitters"),
                    Optional.of("Pump 1"),
                    HERE);
            claim(node, toGroup);

            Claims claims = node.part(Claims.class);
            assertThat(tags(node, id)).isEqualTo(Map.of("owner", "customers:alice", "group", "fitters"));
            assertThat(claims.find(BOB, id).name()).isEqualTo("Pump 1");
            assertThat(claims.list(BOB, Optional.empty(), 10).devices()).hasSize(1);
            assertThat(claims.list(ALICE, Optional.empty(), 10).devices()).hasSize(1);
            assertThat(claim(node, toGroup).again()).isTrue();
            assertThat(problem(() -> claim(node, bySerial(BOB, "SN-0001")))).isEqualTo(ProblemType.ALREADY_CLAIMED);
            User left = user("alice", "cooks");
            assertThat(problem(() -> claims.find(left, id))).isEqualTo(ProblemType.NOT_FOUND);
            assertThat(claims.list(left, Optional.empty(), 10).devices()).isEmpty();
            User elsewhere = new User(
                    "partners", "https://other.example", "alice", Optional.empty(), Set.of("fitters", "cooks"));
            assertThat(problem(() -> claims.find(elsewhere, id))).isEqualTo(ProblemType.NOT_FOUND);
            assertThat(claims.list(elsewhere, Optional.empty(), 10).devices()).isEmpty();
        }
    }

    @Test
    default void groupThatTheUserIsNotInIsRefusedBeforeAnythingIsLookedUp() {
        try (TestNode node = start(test(), EVERYTHING)) {
            for (ClaimCode code : List.of(code(node, "SN-0001"), ClaimCode.make())) {
                assertThat(problem(() -> claim(
                                node,
                                new Claim(
                                        EVE, new Claim.ByCode(code), Optional.of("fitters"), Optional.empty(), HERE))))
                        .isEqualTo(ProblemType.NOT_IN_GROUP);
            }
        }
    }

    @Test
    default void serialIsClaimedBeforeItsDeviceRegistersAndTheDeviceThenHasAnOwner() {
        try (TestNode node = start(test(), EVERYTHING)) {
            Claimed claimed = claim(
                    node,
                    new Claim(
                            ALICE,
                            new Claim.ByCode(code(node, "SN-0001")),
                            Optional.of("cooks"),
                            Optional.of("Oven"),
                            HERE));
            assertThat(claimed.device().state()).isEqualTo("expected");
            assertThat(claimed.device().deviceId()).isEmpty();

            var receipt = node.registrar().register(Candidates.withSerial("SN-0001"));

            assertThat(receipt.tags()).isEqualTo(Map.of("serial", "SN-0001"));
            assertThat(tags(node, receipt.deviceId())).isEqualTo(Map.of("owner", "customers:alice", "group", "cooks"));
            OwnedDevice device = node.part(Claims.class).find(ALICE, receipt.deviceId());
            assertThat(device.claimId()).isEqualTo(claimed.device().claimId());
            assertThat(device.state()).isEqualTo("active");
            assertThat(device.name()).isEqualTo("Oven");
            var again = node.registrar().register(Candidates.withSerial("SN-0001"));
            assertThat(again.tags()).isEqualTo(Map.of("serial", "SN-0001"));
            assertThat(tags(node, again.deviceId())).isEqualTo(Map.of("owner", "customers:alice", "group", "cooks"));
        }
    }

    @Test
    default void serialWithoutADeviceIsClaimedBySerialOnlyIfItIsExpected() {
        try (TestNode node = start(test(), EVERYTHING)) {
            list(node, "serial,state\nSN-0001,expected\nSN-0002,blocked\n");

            assertThat(claim(node, bySerial(ALICE, "SN-0001")).device().state()).isEqualTo("expected");
            assertRefused(node, bySerial(ALICE, "SN-0002"));
            assertRefused(node, byCode(ALICE, code(node, "SN-0002")));
            assertRefused(node, bySerial(ALICE, "SN-0003"));
        }
    }

    @Test
    default void refusedClaimsLeaveNothingBehind() {
        TestRegistry test = test();
        try (TestNode node = start(test, EVERYTHING)) {
            assertRefused(node, bySerial(EVE, "SN-0001"));
            assertRefused(node, bySerial(EVE, "\u0001"));
            assertRefused(node, byCode(EVE, ClaimCode.make()));
            assertRefused(
                    node,
                    new Claim(EVE, new Claim.ByTag("default", "mac", "00"), Optional.empty(), Optional.empty(), HERE));
            assertRefused(
                    node,
                    new Claim(EVE, new Claim.BySerial("nowhere", "SN-1"), Optional.empty(), Optional.empty(), HERE));

            assertThat(test.number("SELECT COUNT(*) FROM owned_serial")).isZero();
            assertThat(audit(node, "claim-refused")).hasSize(5).allSatisfy(event -> assertThat(event.who())
                    .isEqualTo("customers:eve"));
        }
    }

    @Test
    default void fleetSaysWhoMayClaimByWhatAndToWhom() {
        try (TestNode node = start(test(), "{'verifiers':['yes']}")) {
            register(node, "SN-0001");
            ClaimCode code = code(node, "SN-0001");
            assertRefused(node, byCode(ALICE, code));

            document(node, "default", "{'verifiers':['yes'],'claims':{'users':['partners'],'by':['code','serial']}}");
            assertRefused(node, byCode(ALICE, code));
            assertRefused(node, bySerial(ALICE, "SN-0001"));

            document(node, "default", "{'verifiers':['yes'],'claims':{'users':['customers'],'by':['serial']}}");
            assertRefused(node, byCode(ALICE, code));

            document(
                    node,
                    "default",
                    "{'verifiers':['yes'],'claims':{'users':['customers'],'by':['code'],'to':['group']}}");
            assertRefused(node, byCode(ALICE, code));
            assertRefused(node, bySerial(ALICE, "SN-0001"));

            document(node, "default", "{'verifiers':['yes'],'claims':{'users':['customers'],'by':['code']}}");
            assertRefused(node, new Claim(ALICE, new Claim.ByCode(code), Optional.of("cooks"), Optional.empty(), HERE));
            assertRefused(node, bySerial(ALICE, "SN-0001"));
            assertThat(claim(node, byCode(ALICE, code)).again()).isFalse();
        }
    }

    @Test
    default void deviceIsClaimedByTheOneTagThatTheFleetNames() {
        TestRegistry test = test().with(
                        "yes",
                        candidate -> new Verdict.Genuine(
                                Optional.empty(),
                                Map.of("mac", candidate.serial().value().substring(0, 4), "colour", "red"),
                                Map.of()));
        try (TestNode node = start(test, EVERYTHING)) {
            String id = register(node, "AAAA-1");
            register(node, "BBBB-1");
            register(node, "BBBB-2");

            assertRefused(node, byTag("colour", "red"));
            assertRefused(node, byTag("mac", "BBBB"));
            assertThat(claim(node, byTag("mac", "AAAA")).device().deviceId()).contains(new DeviceId(id));

            document(
                    node,
                    "default",
                    "{'verifiers':['yes'],'serials':['trim','upper'],'wire':{'serialTag':'number'},"
                            + "'claims':{'users':['customers'],'by':['tag'],'tag':'number'}}");
            list(node, "serial\nCCCC-1\n");
            assertThat(claim(node, byTag("number", " cccc-1 ")).device().serial())
                    .isEqualTo("CCCC-1");
        }
    }

    private static Claim byTag(String name, String text) {
        return new Claim(ALICE, new Claim.ByTag("default", name, text), Optional.empty(), Optional.empty(), HERE);
    }

    @Test
    default void retiredDeviceIsNotClaimedAndADisabledOneIs() {
        try (TestNode node = start(test(), EVERYTHING)) {
            String retired = register(node, "SN-0001");
            String disabled = register(node, "SN-0002");
            node.devices().change(new DeviceId(retired), DeviceState.RETIRED, "test");
            node.devices().change(new DeviceId(disabled), DeviceState.DISABLED, "test");

            assertRefused(node, byCode(ALICE, code(node, "SN-0001")));
            assertRefused(node, bySerial(ALICE, "SN-0001"));
            assertThat(claim(node, bySerial(ALICE, "SN-0002")).device().state()).isEqualTo("disabled");
        }
    }

    @Test
    default void serialThatIsRemovedFromTheListIsNotClaimedByItsCode() {
        try (TestNode node = start(test(), EVERYTHING)) {
            list(node, "serial\nSN-0001\nSN-0002\n");
            ClaimCode code = code(node, "SN-0001");
            ClaimCode released = code(node, "SN-0002");
            OwnedDevice owned = claim(node, byCode(ALICE, released)).device();
            node.part(Claims.class).release(ALICE, owned.claimId());

            node.serialList().remove("default", List.of("SN-0001", "SN-0002"), "test");

            assertRefused(node, byCode(ALICE, code));
            assertRefused(node, byCode(ALICE, released));
            assertRefused(node, bySerial(ALICE, "SN-0001"));
        }
    }

    @Test
    default void serialThatBelongsToSomebodyIsNotRemovedFromTheList() {
        try (TestNode node = start(test(), EVERYTHING)) {
            list(node, "serial\nSN-0001\nSN-0002\n");
            OwnedDevice owned = claim(node, bySerial(ALICE, "SN-0002")).device();

            assertThat(problem(() -> node.serialList().remove("default", List.of("SN-0001", "SN-0002"), "test")))
                    .isEqualTo(ProblemType.CONFLICT);

            assertThat(node.serialList().find("default", "SN-0001")).isPresent();
            assertThat(node.part(Claims.class).find(ALICE, owned.claimId()).serial())
                    .isEqualTo("SN-0002");
            node.part(Claims.class).release(ALICE, owned.claimId());
            assertThat(node.serialList().remove("default", List.of("SN-0001", "SN-0002"), "test"))
                    .isEqualTo(2);
        }
    }

    @Test
    default void codeIsVoidWhenItExpiresAndWhenANewerOneIsMade() {
        TestClock clock = new TestClock();
        TestRegistry test = test().with(clock);
        try (TestNode node = start(test, EVERYTHING)) {
            register(node, "SN-0001");
            ClaimCode old = code(node, "SN-0001", ClaimCodes.Kind.DISPLAY);
            ClaimCode shown = code(node, "SN-0001", ClaimCodes.Kind.DISPLAY);
            ClaimCode printed = code(node, "SN-0001");
            assertRefused(node, byCode(ALICE, old));

            clock.pass(Duration.ofMinutes(10));

            assertRefused(node, byCode(ALICE, shown));
            assertThat(claim(node, byCode(ALICE, printed)).again()).isFalse();
        }
    }

    @Test
    default void usedCodeOfADisplayStillSaysWhoseTheDeviceIsAfterItWouldHaveExpired() {
        TestClock clock = new TestClock();
        try (TestNode node = start(test().with(clock), EVERYTHING)) {
            register(node, "SN-0001");
            ClaimCode shown = code(node, "SN-0001", ClaimCodes.Kind.DISPLAY);
            claim(node, byCode(ALICE, shown));

            clock.pass(Duration.ofDays(1));

            assertThat(claim(node, byCode(ALICE, shown)).again()).isTrue();
            assertThat(problem(() -> claim(node, byCode(EVE, shown)))).isEqualTo(ProblemType.ALREADY_CLAIMED);
        }
    }

    @Test
    default void releasedDeviceIsNobodysAndWhatItsOwnerKnowsIsWorthless() {
        TestRegistry test = test();
        try (TestNode node = start(test, EVERYTHING)) {
            String id = register(node, "SN-0001");
            Claims claims = node.part(Claims.class);
            ClaimCode used = code(node, "SN-0001");
            claim(node, byCode(ALICE, used));
            claims.change(ALICE, id, Optional.of(Optional.of("Mine")), Map.of("room", Optional.of("attic")));
            ClaimCode next = claims.transfer(ALICE, id).code();
            ClaimCode fresh = code(node, "SN-0001");

            claims.release(ALICE, id);

            assertThat(tags(node, id)).isEmpty();
            assertThat(problem(() -> claims.find(ALICE, id))).isEqualTo(ProblemType.NOT_FOUND);
            assertThat(claims.list(ALICE, Optional.empty(), 10).devices()).isEmpty();
            assertRefused(node, byCode(ALICE, used));
            assertRefused(node, byCode(BOB, used));
            assertRefused(node, byCode(BOB, next));
            assertThat(problem(() -> claims.release(ALICE, id))).isEqualTo(ProblemType.NOT_FOUND);
            Claimed bobs = claim(node, byCode(BOB, fresh));
            assertThat(bobs.again()).isFalse();
            assertThat(bobs.device().name()).isEqualTo("SN-0001");
            assertThat(bobs.device().tags()).isEmpty();
            assertThat(audit(node, "device-released")).singleElement().satisfies(event -> assertThat(event.detail())
                    .isEqualTo("by its owner; before: customers:alice; after: nobody"));
        }
    }

    @Test
    default void codeThatTheOwnerPresentsOnceMoreIsWorthlessAfterTheRelease() {
        try (TestNode node = start(test(), EVERYTHING)) {
            String id = register(node, "SN-0001");
            claim(node, bySerial(ALICE, "SN-0001"));
            ClaimCode known = code(node, "SN-0001");
            assertThat(claim(node, byCode(ALICE, known)).again()).isTrue();
            ClaimCode unknown = code(node, "SN-0001");

            node.part(Claims.class).release(ALICE, id);

            assertRefused(node, byCode(BOB, known));
            assertThat(claim(node, byCode(BOB, unknown)).again()).isFalse();
        }
    }

    @Test
    default void changeOfTheOwnerEndsConnectionsOnlyIfTheFleetWantsThat() {
        String broker = "muster.mqtt.broker.b.";
        TestRegistry test = test().with("muster.mqtt.brokers", "b")
                .with(broker + "kind", "emqx")
                .with(broker + "secret", "a-secret-of-the-listener-long-enough")
                .with(broker + "management-url", "http://127.0.0.1:1")
                .with(broker + "management-user", "muster")
                .with(broker + "management-password", "secret");
        try (TestNode node = start(test, EVERYTHING)) {
            register(node, "SN-0001");
            claim(node, bySerial(ALICE, "SN-0001"));
            assertThat(test.number("SELECT COUNT(*) FROM disconnection")).isZero();

            document(
                    node,
                    "default",
                    "{'verifiers':['yes'],'claims':{'users':['customers'],'by':['serial'],'disconnect':true}}");
            register(node, "SN-0002");
            claim(node, bySerial(ALICE, "SN-0002"));
            assertThat(test.number("SELECT COUNT(*) FROM disconnection")).isEqualTo(1);
        }
    }

    @Test
    default void deviceIsHandedOverByACodeThatIsGoodOnceForADay() {
        TestClock clock = new TestClock();
        TestRegistry test = test().with(clock);
        try (TestNode node = start(test, EVERYTHING)) {
            String id = register(node, "SN-0001");
            Claims claims = node.part(Claims.class);
            ClaimCode printed = code(node, "SN-0001");
            claim(node, byCode(ALICE, printed));
            claims.change(ALICE, id, Optional.of(Optional.of("Mine")), Map.of("room", Optional.of("attic")));
            ClaimCode before = claims.transfer(ALICE, id).code();
            ClaimCodes.Made made = claims.transfer(ALICE, id);
            assertThat(made.expiresAt()).contains(TestRegistry.NOW.plus(Duration.ofDays(1)));
            assertThat(claims.find(ALICE, id).name()).isEqualTo("Mine");
            assertRefused(node, byCode(BOB, before));
            assertThat(audit(node, "owned-device-changed")).singleElement().satisfies(event -> {
                assertThat(event.who()).isEqualTo("customers:alice");
                assertThat(event.detail()).isEqualTo("name none to \"Mine\"; tag room none to \"attic\"");
            });
            assertThat(audit(node, "transfer-code-made")).hasSize(2);

            Claimed claimed = claim(node, byCode(BOB, made.code()));

            assertThat(claimed.again()).isFalse();
            assertThat(claimed.device().name()).isEqualTo("SN-0001");
            assertThat(tags(node, id)).isEqualTo(Map.of("owner", "customers:bob"));
            assertThat(problem(() -> claims.find(ALICE, id))).isEqualTo(ProblemType.NOT_FOUND);
            assertThat(claim(node, byCode(BOB, made.code())).again()).isTrue();
            assertThat(problem(() -> claim(node, byCode(ALICE, made.code())))).isEqualTo(ProblemType.ALREADY_CLAIMED);
            assertThat(problem(() -> claim(node, byCode(ALICE, printed)))).isEqualTo(ProblemType.ALREADY_CLAIMED);
            assertThat(problem(() -> claim(node, byCode(EVE, made.code())))).isEqualTo(ProblemType.ALREADY_CLAIMED);
            assertThat(audit(node, "device-transferred")).singleElement().satisfies(event -> {
                assertThat(event.who()).isEqualTo("customers:bob");
                assertThat(event.detail()).contains("before: customers:alice; after: customers:bob");
            });

            ClaimCode late = claims.transfer(BOB, id).code();
            clock.pass(Duration.ofDays(1));
            assertRefused(node, byCode(EVE, late));
        }
    }

    @Test
    default void fleetMayForbidReleaseAndTransfer() {
        try (TestNode node = start(
                test(),
                "{'verifiers':['yes'],'claims':{'users':['customers'],'by':['serial'],'release':false,"
                        + "'transfer':false}}")) {
            String id = register(node, "SN-0001");
            assertThat(claim(node, bySerial(ALICE, "SN-0001")).device().can())
                    .isEqualTo(new OwnedDevice.Can(true, false, false, List.of()));

            Claims claims = node.part(Claims.class);
            assertThat(problem(() -> claims.release(ALICE, id))).isEqualTo(ProblemType.FORBIDDEN);
            assertThat(problem(() -> claims.transfer(ALICE, id))).isEqualTo(ProblemType.FORBIDDEN);
            assertThat(problem(() -> claims.change(ALICE, id, Optional.empty(), Map.of("room", Optional.of("attic")))))
                    .isEqualTo(ProblemType.FORBIDDEN);
            assertThat(problem(() -> claims.release(EVE, id))).isEqualTo(ProblemType.NOT_FOUND);
            assertThat(problem(() -> claims.transfer(EVE, id))).isEqualTo(ProblemType.NOT_FOUND);
            assertThat(problem(() -> claims.change(EVE, id, Optional.of(Optional.empty()), Map.of())))
                    .isEqualTo(ProblemType.NOT_FOUND);
        }
    }

    @Test
    default void ownerNamesADeviceAndTagsIt() {
        try (TestNode node = start(test(), EVERYTHING)) {
            String id = register(node, "SN-0001");
            Claims claims = node.part(Claims.class);
            claim(node, bySerial(ALICE, "SN-0001"));

            OwnedDevice changed = claims.change(
                    ALICE,
                    id,
                    Optional.of(Optional.of("Kitchen")),
                    Map.of("room", Optional.of("kitchen"), "floor", Optional.of("2")));
            assertThat(changed.name()).isEqualTo("Kitchen");
            assertThat(changed.tags()).isEqualTo(Map.of("room", "kitchen", "floor", "2"));

            changed = claims.change(ALICE, id, Optional.empty(), Map.of("room", Optional.empty()));
            assertThat(changed.name()).isEqualTo("Kitchen");
            assertThat(changed.tags()).isEqualTo(Map.of("floor", "2"));

            changed = claims.change(ALICE, id, Optional.of(Optional.empty()), Map.of());
            assertThat(changed.name()).isEqualTo("SN-0001");
            assertThat(tags(node, id)).isEqualTo(Map.of("owner", "customers:alice", "floor", "2"));
        }
    }

    @Test
    default void operatorsAssignAndRelease() {
        TestRegistry test = test();
        try (TestNode node = start(test, EVERYTHING)) {
            String id = register(node, "SN-0001");
            Ownership ownership = node.part(Ownership.class);
            Claims claims = node.part(Claims.class);
            ClaimCode printed = code(node, "SN-0001");
            claim(node, byCode(ALICE, printed));
            ClaimCode next = claims.transfer(ALICE, id).code();

            ownership.assign(
                    node.fleets().get("default"), "SN-0001", new Owner(BOB, Optional.of("fitters")), "operator");

            assertThat(tags(node, id)).isEqualTo(Map.of("owner", "customers:bob", "group", "fitters"));
            assertThat(ownership
                            .find("default", "SN-0001")
                            .orElseThrow()
                            .owner()
                            .group())
                    .contains("fitters");
            assertRefused(node, byCode(EVE, next));
            assertThat(audit(node, "owner-assigned")).singleElement().satisfies(event -> {
                assertThat(event.who()).isEqualTo("operator");
                assertThat(event.detail())
                        .isEqualTo("by an operator; before: customers:alice; after: customers:bob in group fitters");
            });

            ownership.release(node.fleets().get("default"), "SN-0001", "operator");

            assertThat(ownership.find("default", "SN-0001")).isEmpty();
            assertThat(tags(node, id)).isEmpty();
            assertThat(problem(() -> ownership.release(node.fleets().get("default"), "SN-0001", "operator")))
                    .isEqualTo(ProblemType.NOT_FOUND);
            assertThat(test.events().stream()
                            .filter(DeviceOwnerChanged.class::isInstance)
                            .count())
                    .isEqualTo(3);
        }
    }

    @Test
    default void listIsPagedThroughTheUsersDevicesAndThenThoseOfTheGroups() {
        try (TestNode node = start(test(), EVERYTHING)) {
            List<String> expected = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                String serial = "SN-00" + (10 + i);
                register(node, serial);
                Optional<String> group = i % 3 == 0 ? Optional.empty() : Optional.of(i % 3 == 1 ? "fitters" : "cooks");
                claim(node, new Claim(ALICE, new Claim.BySerial("default", serial), group, Optional.empty(), HERE));
                expected.add(serial);
            }
            Claims claims = node.part(Claims.class);
            for (int size : List.of(1, 2, 3, 4, 5, 12, 13)) {
                List<String> found = new ArrayList<>();
                Optional<String> next = Optional.empty();
                do {
                    OwnedDevices.Page page = claims.list(ALICE, next, size);
                    page.devices().forEach(device -> found.add(device.serial()));
                    next = page.next();
                    assertThat(next.filter(cursor -> !OwnedDevices.isCursor(cursor)))
                            .isEmpty();
                } while (next.isPresent());
                assertThat(found).containsExactlyInAnyOrderElementsOf(expected);
                assertThat(found.subList(0, 4)).containsExactlyInAnyOrder("SN-0010", "SN-0013", "SN-0016", "SN-0019");
            }
            assertThat(claims.list(BOB, Optional.empty(), 100).devices()).hasSize(4);
            assertThat(claims.list(EVE, Optional.empty(), 100).devices()).isEmpty();
        }
    }

    @Test
    default void thousandGuessesAllLookAlikeAndTheOwnerClaimsMeanwhile() {
        TestRegistry test = test().with("muster.limits.claims", "2000");
        try (TestNode node = start(test, EVERYTHING)) {
            register(node, "SN-0001");
            ClaimCode code = code(node, "SN-0001", ClaimCodes.Kind.DISPLAY);
            Set<String> bodies = new HashSet<>();
            for (int i = 0; i < 1000; i++) {
                Claim guess = i % 2 == 0 ? byCode(EVE, ClaimCode.makeShort()) : bySerial(EVE, "SN-" + (2000 + i));
                RegistryException refused = catchThrowableOfType(RegistryException.class, () -> claim(node, guess));
                bodies.add(refused.type() + " " + refused.detail() + refused.faults() + refused.retryAfter());
            }

            assertThat(bodies).hasSize(1);
            assertThat(claim(node, byCode(ALICE, code)).again()).isFalse();
        }
    }

    @Test
    default void whoIsRefusedTooOftenMustWaitAndOthersNeedNot() {
        TestClock clock = new TestClock();
        TestRegistry test = test().with(clock).with("muster.limits.claims", "5");
        try (TestNode node = start(test, EVERYTHING)) {
            register(node, "SN-0001");
            ClaimCode code = code(node, "SN-0001");
            for (int i = 0; i < 5; i++) {
                assertRefused(node, byCode(EVE, ClaimCode.make()));
            }

            Claim elsewhere = new Claim(EVE, new Claim.ByCode(code), Optional.empty(), Optional.empty(), "192.0.2.99");
            assertThat(problem(() -> claim(node, elsewhere))).isEqualTo(ProblemType.TOO_MANY_REQUESTS);
            assertThat(problem(() -> claim(node, byCode(BOB, code)))).isEqualTo(ProblemType.TOO_MANY_REQUESTS);
            Claim other = new Claim(BOB, new Claim.ByCode(code), Optional.empty(), Optional.empty(), "192.0.2.99");
            assertThat(claim(node, other).again()).isFalse();
            clock.pass(Duration.ofHours(2));
            assertThat(problem(() -> claim(node, elsewhere))).isEqualTo(ProblemType.ALREADY_CLAIMED);
        }
    }

    @Test
    default void serialThatIsAskedForTooOftenIsNotAskedForAnyMoreByWhomeverItMayBe() {
        TestRegistry test = test().with("muster.limits.claims", "5");
        try (TestNode node = start(test, EVERYTHING)) {
            for (int i = 0; i < 5; i++) {
                assertRefused(
                        node,
                        new Claim(
                                user("u" + i),
                                new Claim.BySerial("default", "SN-0001"),
                                Optional.empty(),
                                Optional.empty(),
                                "192.0.2." + i));
            }

            assertThat(problem(() -> claim(
                            node,
                            new Claim(
                                    BOB,
                                    new Claim.BySerial("default", "SN-0001"),
                                    Optional.empty(),
                                    Optional.empty(),
                                    "192.0.2.77"))))
                    .isEqualTo(ProblemType.TOO_MANY_REQUESTS);
        }
    }

    private static <T> List<T> atOnce(List<Callable<T>> work) throws Exception {
        CyclicBarrier line = new CyclicBarrier(work.size());
        ExecutorService threads = Executors.newFixedThreadPool(work.size());
        try {
            List<Callable<T>> race = new ArrayList<>();
            work.forEach(one -> race.add(() -> {
                line.await();
                return one.call();
            }));
            List<T> results = new ArrayList<>();
            for (Future<T> result : threads.invokeAll(race)) {
                results.add(result.get());
            }
            return results;
        } finally {
            threads.shutdownNow();
        }
    }

    private static String outcome(Callable<?> action) throws Exception {
        try {
            Object result = action.call();
            return result instanceof Claimed claimed && claimed.again() ? "again" : "done";
        } catch (RegistryException e) {
            return e.type().slug();
        }
    }

    @Test
    default void raceOfSixtyFourClaimantsOnTwoNodesHasOneWinner() throws Exception {
        TestRegistry test = test();
        try (TestNode one = start(test, EVERYTHING);
                TestNode two = test.start()) {
            String id = register(one, "SN-0001");
            ClaimCode code = code(one, "SN-0001");

            List<String> outcomes = atOnce(IntStream.range(0, 64)
                    .<Callable<String>>mapToObj(
                            i -> () -> outcome(() -> claim(i % 2 == 0 ? one : two, byCode(user("u" + i), code))))
                    .toList());

            assertThat(outcomes).containsOnly("done", "already-claimed").containsOnlyOnce("done");
            assertThat(tags(two, id)).containsExactly(Map.entry("owner", "customers:u" + outcomes.indexOf("done")));
            assertThat(audit(one, "device-claimed")).hasSize(1);
        }
    }

    @Test
    default void claimThatMeetsTheRegistrationOnAnotherNodeEndsWithAnOwner() throws Exception {
        TestRegistry test = test();
        try (TestNode one = start(test, EVERYTHING);
                TestNode two = test.start()) {
            for (int i = 0; i < 40; i++) {
                String serial = "SN-" + (1000 + i);
                ClaimCode code = code(one, serial);

                List<String> ids = atOnce(List.of(() -> register(one, serial), () -> {
                    claim(two, byCode(ALICE, code));
                    return "";
                }));

                assertThat(tags(one, ids.get(0))).as(serial).isEqualTo(Map.of("owner", "customers:alice"));
            }
        }
    }

    @Test
    default void releaseThatMeetsAClaimLeavesAWholeState() throws Exception {
        TestRegistry test = test();
        try (TestNode one = start(test, EVERYTHING);
                TestNode two = test.start()) {
            for (int i = 0; i < 20; i++) {
                String serial = "SN-" + (1000 + i);
                String id = register(one, serial);
                claim(one, bySerial(ALICE, serial));
                ClaimCode next = one.part(Claims.class).transfer(ALICE, id).code();

                List<String> outcomes = atOnce(List.of(
                        () -> outcome(() -> {
                            one.part(Claims.class).release(ALICE, id);
                            return "";
                        }),
                        () -> outcome(() -> claim(two, byCode(BOB, next)))));

                boolean handedOver = outcomes.get(1).equals("done");
                assertThat(outcomes)
                        .isEqualTo(handedOver ? List.of("not-found", "done") : List.of("done", "claim-refused"));
                assertThat(tags(one, id)).isEqualTo(handedOver ? Map.of("owner", "customers:bob") : Map.of());
                assertThat(one.part(Ownership.class).find("default", serial).isPresent())
                        .isEqualTo(handedOver);
            }
        }
    }

    @Test
    default void ownerIsUnknownToOthersWhateverIdTheyTry() {
        try (TestNode node = start(test(), EVERYTHING)) {
            String id = register(node, "SN-0001");
            String claim = claim(node, bySerial(ALICE, "SN-0001")).device().claimId();
            Claims claims = node.part(Claims.class);

            for (String some : List.of(id, claim, "0".repeat(32), "x", "")) {
                assertThatThrownBy(() -> claims.find(EVE, some))
                        .isInstanceOfSatisfying(RegistryException.class, refused -> {
                            assertThat(refused.type()).isEqualTo(ProblemType.NOT_FOUND);
                            assertThat(refused.detail()).isEmpty();
                        });
            }
        }
    }

    @Test
    default void codesComeWithAnImport() {
        TestRegistry test = test();
        try (TestNode node = start(test, EVERYTHING)) {
            String file = "Serial,ClaimCode\nSN-0001,OL1-xyz\nSN-0002,\nSN-0003,11111 11111 11111 11111 X\n";

            assertThat(list(node, file).errors()).isEmpty();
            assertThat(list(node, file).errors()).isEmpty();

            assertThat(test.number("SELECT COUNT(*) FROM claim_code")).isEqualTo(2);
            assertThat(claim(node, byCode(ALICE, ClaimCode.of("011 XYZ").orElseThrow()))
                            .device()
                            .serial())
                    .isEqualTo("SN-0001");
            assertThat(claim(
                                    node,
                                    byCode(
                                            BOB,
                                            ClaimCode.of("IIIIILLLLL1111111111x")
                                                    .orElseThrow()))
                            .device()
                            .serial())
                    .isEqualTo("SN-0003");
            assertThat(node.serialImport()
                            .json(
                                    node.fleets().get("default"),
                                    new ByteArrayInputStream("[{\"serial\":\"SN-0004\",\"claimCode\":\"QRST\"}]"
                                            .getBytes(StandardCharsets.UTF_8)),
                                    "test")
                            .errors())
                    .isEmpty();
            assertThat(claim(node, byCode(BOB, ClaimCode.of("qrst").orElseThrow()))
                            .device()
                            .serial())
                    .isEqualTo("SN-0004");
        }
    }

    @Test
    default void rowWithABadCodeIsNamedAndLeftOutAndItsCodeIsNotRepeated() {
        TestRegistry test = test();
        try (TestNode node = start(test, EVERYTHING)) {
            list(node, "serial,claimCode\nSN-0001,TAKEN1\n");
            node.lots()
                    .put("default", new Lot("L1", Optional.of(1), Optional.empty(), Optional.empty(), false), "test");

            SerialImport.Result result = list(
                    node,
                    "serial,claimCode,lot,state,tags.owner\nSN-0002,taken-1,,,\nSN-0003,111111111111111111112,,,\n"
                            + "SN-0004,abc,,,\nSN-0005,twice,,,\nSN-0006,TWICE,,,\nSN-0007,first,L1,,\n"
                            + "SN-0008,second,L1,,\nSN-0009,blocks,,blocked,\nSN-0010,owned,,,me\n");

            assertThat(result.errors())
                    .containsExactly(
                            new SerialImport.RowError(2, "another serial has this claimCode"),
                            new SerialImport.RowError(
                                    3,
                                    "claimCode " + ClaimCode.MISTYPED
                                            + "; codes of 9 and of 21 symbols end in a check symbol"),
                            new SerialImport.RowError(4, "claimCode must be " + ClaimCode.SYNTAX),
                            new SerialImport.RowError(6, "another serial has this claimCode"),
                            new SerialImport.RowError(8, "lot L1 expects 1 serials and has them"),
                            new SerialImport.RowError(9, "a row that blocks has a reason and nothing else"),
                            new SerialImport.RowError(
                                    10, "tags.owner says whom a device belongs to and cannot be set"));
            assertThat(result.accepted()).isEqualTo(2);
            assertThat(test.number("SELECT COUNT(*) FROM claim_code")).isEqualTo(3);
            assertThat(test.number("SELECT COUNT(*) FROM expected_serial")).isEqualTo(3);
        }
    }

    @Test
    default void importReplacesAnUnusedCodeAndNeverRevivesOneThatWasUsed() {
        try (TestNode node = start(test(), EVERYTHING)) {
            list(node, "serial,claimCode\nSN-0001,wrong1\n");
            list(node, "serial,claimCode\nSN-0001,right1\n");
            assertRefused(node, byCode(ALICE, ClaimCode.of("wrong1").orElseThrow()));
            ClaimCode printed = ClaimCode.of("right1").orElseThrow();
            String id = claim(node, byCode(ALICE, printed)).device().claimId();
            node.part(Claims.class).release(ALICE, id);

            assertThat(list(node, "serial,claimCode\nSN-0001,right1\n").errors())
                    .isEmpty();

            assertRefused(node, byCode(ALICE, printed));
            assertRefused(node, byCode(BOB, printed));
        }
    }

    @Test
    default void rowForWhichTheLotHasNoRoomLeavesTheCodeOnTheLabelGood() {
        try (TestNode node = start(test(), EVERYTHING)) {
            node.part(Lots.class)
                    .put(
                            "default",
                            new Lot("L-full", Optional.of(1), Optional.empty(), Optional.empty(), false),
                            "test");
            list(node, "serial,lot,claimCode\nSN-0001,L-1,printed1\nSN-0002,L-full,printed2\n");

            assertThat(list(node, "serial,lot,claimCode\nSN-0001,L-full,printed3\n")
                            .errors())
                    .hasSize(1);

            assertRefused(node, byCode(ALICE, ClaimCode.of("printed3").orElseThrow()));
            assertThat(claim(node, byCode(ALICE, ClaimCode.of("printed1").orElseThrow()))
                            .device()
                            .serial())
                    .isEqualTo("SN-0001");
        }
    }

    @Test
    default void guessesAtTheSameTimeCannotExceedTheLimit() throws Exception {
        TestRegistry test = test().with("muster.limits.claims", "5");
        try (TestNode node = start(test, EVERYTHING)) {
            List<Callable<ProblemType>> guesses = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                guesses.add(() -> problem(() -> claim(node, bySerial(ALICE, "SN-0001"))));
            }

            List<ProblemType> answers = atOnce(guesses);

            assertThat(answers).filteredOn(ProblemType.CLAIM_REFUSED::equals).hasSize(5);
            assertThat(answers)
                    .filteredOn(ProblemType.TOO_MANY_REQUESTS::equals)
                    .hasSize(35);
            assertThat(audit(node, "claim-refused")).hasSize(5);
        }
    }

    @Test
    default void claimThatSucceedsDoesNotCount() {
        TestRegistry test = test().with("muster.limits.claims", "2");
        try (TestNode node = start(test, EVERYTHING)) {
            for (int i = 0; i < 5; i++) {
                register(node, "SN-000" + i);
                ClaimCode code = code(node, "SN-000" + i);
                assertThat(claim(node, byCode(ALICE, code)).again()).isFalse();
                assertThat(claim(node, byCode(ALICE, code)).again()).isTrue();
            }
        }
    }
}
