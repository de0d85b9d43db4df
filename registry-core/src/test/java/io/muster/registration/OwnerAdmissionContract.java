// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.ownership.Owner;
import io.muster.ownership.Ownership;
import io.muster.spi.Candidates;
import io.muster.spi.DeviceId;
import io.muster.spi.DeviceOwnerChanged;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import io.muster.user.User;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The promises about registrations that come with the token of a user, on every database. */
interface OwnerAdmissionContract {

    String REASON = "the serial belongs to another user than the one whose token it came with";
    Verdict.Genuine GENUINE = (Verdict.Genuine) Verdict.genuine();
    User ALICE = user("alice");
    User BOB = user("bob");

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private static User user(String subject) {
        return new User("customers", "https://id.example", subject, Optional.empty(), Set.of("fitters"));
    }

    private TestRegistry test() {
        return fresh().withUsers("customers", "https://id.example")
                .withUsers("partners", "https://other.example")
                .with("yes", candidate -> Verdict.genuine())
                .with("muster.fleet.default.verifiers", "yes")
                .with("muster.fleet.default.register-again", "always");
    }

    private static Enrolment.Outcome enrol(TestNode node, User user) {
        return enrol(node, GENUINE, Optional.of(user));
    }

    private static Enrolment.Outcome enrol(TestNode node, Verdict.Genuine genuine, Optional<User> user) {
        return node.part(Enrolment.class)
                .enrol(
                        RegistrationAttempt.of(Candidates.withSerial("SN-0001")),
                        node.fleets().get("default"),
                        genuine,
                        List.of(),
                        user);
    }

    private static String id(Enrolment.Outcome outcome) {
        return ((Enrolment.Enrolled) outcome).device().id().value();
    }

    private static Map<String, String> tags(TestNode node, String id) {
        Map<String, String> tags = new HashMap<>(
                node.devices().tags(node.devices().find(new DeviceId(id)).orElseThrow()));
        tags.remove("serial");
        return tags;
    }

    private static void assign(TestNode node, Owner owner) {
        node.part(Ownership.class).assign(node.fleets().get("default"), "SN-0001", owner, "test");
    }

    @Test
    default void deviceThatComesWithItsUserBelongsToThatUserAtOnce() {
        TestRegistry test = test();
        try (TestNode node = test.start()) {
            String id = id(enrol(node, ALICE));

            assertThat(tags(node, id)).isEqualTo(Map.of("owner", "customers:alice"));
            assertThat(node.part(Ownership.class)
                            .find("default", "SN-0001")
                            .orElseThrow()
                            .owner()
                            .text())
                    .isEqualTo("customers:alice");
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
            assertThat(node.audit().list(Optional.empty(), 10)).anySatisfy(event -> {
                assertThat(event.type()).isEqualTo("device-claimed");
                assertThat(event.detail()).isEqualTo("with the registration; before: nobody; after: customers:alice");
            });
        }
    }

    @Test
    default void registeringAgainNeverChangesTheOwner() {
        try (TestNode node = test().start()) {
            String id = id(enrol(node, ALICE));

            assertThat(id(enrol(node, ALICE))).isEqualTo(id);
            assertThat(id(enrol(node, GENUINE, Optional.empty()))).isEqualTo(id);
            assertThat(enrol(node, BOB)).isEqualTo(new Enrolment.Refused(REASON, true));
            assertThat(tags(node, id)).isEqualTo(Map.of("owner", "customers:alice"));
        }
    }

    @Test
    default void deviceThatIsNobodysStaysSoWhoeverRegistersItAgain() {
        try (TestNode node = test().start()) {
            String id = id(enrol(node, GENUINE, Optional.empty()));

            assertThat(id(enrol(node, ALICE))).isEqualTo(id);
            assertThat(tags(node, id)).isEmpty();
        }
    }

    @Test
    default void serialThatSomebodyElseOwnsIsRefusedAndLeavesNothing() {
        TestRegistry test = test();
        try (TestNode node = test.start()) {
            assign(node, Owner.of(ALICE));

            assertThat(enrol(node, BOB)).isEqualTo(new Enrolment.Refused(REASON, false));
            assertThat(test.number("SELECT COUNT(*) FROM device")).isZero();
            assertThat(test.number("SELECT COUNT(*) FROM credential")).isZero();
            assertThat(tags(node, id(enrol(node, ALICE)))).isEqualTo(Map.of("owner", "customers:alice"));
        }
    }

    @Test
    default void claimantWhoLeftTheGroupCannotRegisterItsDeviceAgain() {
        try (TestNode node = test().start()) {
            assign(node, new Owner(ALICE, Optional.of("fitters")));
            enrol(node, BOB);

            User gone = new User(ALICE.provider(), ALICE.issuer(), ALICE.subject(), Optional.empty(), Set.of());

            assertThat(enrol(node, gone)).isEqualTo(new Enrolment.Refused(REASON, true));
        }
    }

    @Test
    default void everyMemberOfTheGroupMayRegisterADeviceOfTheGroup() {
        try (TestNode node = test().start()) {
            assign(node, new Owner(ALICE, Optional.of("fitters")));

            String id = id(enrol(node, BOB));

            assertThat(tags(node, id)).isEqualTo(Map.of("owner", "customers:alice", "group", "fitters"));
            assertThat(id(enrol(node, BOB))).isEqualTo(id);
        }
    }

    @Test
    default void verifiersDoNotSayWhoseADeviceIs() {
        Verdict.Genuine claims = new Verdict.Genuine(
                Optional.empty(), Map.of("owner", "customers:eve", "group", "g", "colour", "red"), Map.of());
        try (TestNode node = test().start()) {
            assertThat(tags(node, id(enrol(node, claims, Optional.of(ALICE)))))
                    .isEqualTo(Map.of("owner", "customers:alice", "colour", "red"));
        }
        try (TestNode node = test().start()) {
            assertThat(tags(node, id(enrol(node, claims, Optional.empty())))).isEqualTo(Map.of("colour", "red"));
        }
    }

    @Test
    default void fleetWithoutClaimsHasNoRowsOfOwners() {
        TestRegistry test = test();
        try (TestNode node = test.start()) {
            id(enrol(node, GENUINE, Optional.empty()));
            assertThat(test.number("SELECT COUNT(*) FROM owned_serial")).isZero();

            node.fleets()
                    .put(
                            "default",
                            "{\"verifiers\":[\"yes\"],\"claims\":{\"users\":[\"customers\"],\"by\":[\"code\"]}}"
                                    .getBytes(StandardCharsets.UTF_8),
                            there -> true,
                            "test");
            node.registrar().register(Candidates.withSerial("SN-0002"));
            assertThat(test.number("SELECT COUNT(*) FROM owned_serial")).isEqualTo(1);
        }
    }
}
