// SPDX-License-Identifier: Apache-2.0
package io.muster.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.approval.Approvals;
import io.muster.audit.AuditEvent;
import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.fleet.LeftOut;
import io.muster.ownership.Owner;
import io.muster.ownership.Ownership;
import io.muster.persistence.Ids;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidates;
import io.muster.spi.DeviceId;
import io.muster.spi.DeviceOwnerChanged;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import io.muster.user.User;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongPredicate;
import org.junit.jupiter.api.Test;

/** The promises about the life of a device, on every database. */
interface LifecycleContract {

    String SERIAL = "SN-0001";
    LongPredicate ANY = version -> true;
    DevicePatch NOTHING = new DevicePatch(Optional.empty(), Map.of(), Map.of());

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private TestRegistry test(TestClock clock) {
        return fresh().with(clock)
                .with(
                        "yes",
                        candidate -> candidate.serial().value().startsWith("NO")
                                ? Verdict.refused("no")
                                : new Verdict.Genuine(
                                        Optional.of("Pump"), Map.of("hall", "B", "lot", "L1"), Map.of("limit", 21)))
                .with("muster.fleet.default.verifiers", "yes")
                .with("muster.fleet.default.register-again", "never");
    }

    private static RegistrationReceipt registered(TestNode node) {
        return node.registrar().register(Candidates.withSerial(SERIAL));
    }

    private static Device device(TestNode node, DeviceId id) {
        return node.devices().find(id).orElseThrow();
    }

    private static Map<String, String> tags(TestNode node, DeviceId id) {
        Map<String, String> tags = new HashMap<>(node.devices().tags(device(node, id)));
        tags.remove("serial");
        return tags;
    }

    private static long version(TestNode node, DeviceId id) {
        return DeviceLifecycle.version(device(node, id), node.devices().tags(device(node, id)));
    }

    private static List<AuditEvent> recorded(TestNode node, String type) {
        return node.audit().list(Optional.empty(), 100).stream()
                .filter(event -> event.type().equals(type))
                .toList();
    }

    private static void refused(ProblemType type, Runnable request) {
        assertThatThrownBy(request::run).isInstanceOfSatisfying(RegistryException.class, e -> assertThat(e.type())
                .isEqualTo(type));
    }

    @Test
    default void nameTagsAndAttributesAreChangedAndTheRecordHasBeforeAndAfter() {
        try (TestNode node = test(new TestClock()).start()) {
            DeviceId id = new DeviceId(registered(node).deviceId());
            long before = version(node, id);

            Device changed = node.part(DeviceLifecycle.class)
                    .change(
                            id,
                            new DevicePatch(
                                    Optional.of(Optional.of("Pump 7")),
                                    Map.of("hall", Optional.empty(), "room", Optional.of("12")),
                                    Map.of("limit", Optional.of(22), "model", Optional.of("X"))),
                            version -> version == before,
                            "olga")
                    .orElseThrow();

            assertThat(changed.name()).isEqualTo("Pump 7");
            assertThat(device(node, id).name()).isEqualTo("Pump 7");
            assertThat(tags(node, id)).isEqualTo(Map.of("lot", "L1", "room", "12"));
            assertThat(device(node, id).attributes()).isEqualTo(Map.of("limit", 22, "model", "X"));
            assertThat(recorded(node, "device-changed")).singleElement().satisfies(event -> {
                assertThat(event.who()).isEqualTo("olga");
                assertThat(event.deviceId()).isEqualTo(id.value());
                assertThat(event.detail())
                        .isEqualTo("name before: \"Pump\", after: \"Pump 7\"; tags.hall before: \"B\", after: null;"
                                + " tags.room before: null, after: \"12\"; attributes.limit before: 21, after: 22;"
                                + " attributes.model before: null, after: \"X\"");
            });
            assertThat(version(node, id)).isNotEqualTo(before);
            refused(ProblemType.PRECONDITION_FAILED, () -> node.part(DeviceLifecycle.class)
                    .change(id, NOTHING, version -> version == before, "otto"));
        }
    }

    @Test
    default void changeThatChangesNothingLeavesNoRecordAndNameCanBeTakenAway() {
        try (TestNode node = test(new TestClock()).start()) {
            DeviceId id = new DeviceId(registered(node).deviceId());
            DeviceLifecycle lifecycle = node.part(DeviceLifecycle.class);

            lifecycle.change(
                    id,
                    new DevicePatch(Optional.of(Optional.of("Pump")), Map.of("hall", Optional.of("B")), Map.of()),
                    ANY,
                    "olga");
            assertThat(recorded(node, "device-changed")).isEmpty();

            lifecycle.change(id, new DevicePatch(Optional.of(Optional.empty()), Map.of(), Map.of()), ANY, "olga");
            assertThat(device(node, id).name()).isEqualTo(SERIAL);
            assertThat(lifecycle.change(new DeviceId("0".repeat(32)), NOTHING, ANY, "olga"))
                    .isEmpty();
        }
    }

    @Test
    default void deviceWithMoreTagsThanCanBeStoredStaysAsItIs() {
        try (TestNode node = test(new TestClock()).start()) {
            DeviceId id = new DeviceId(registered(node).deviceId());
            Map<String, Optional<String>> many = new HashMap<>();
            for (int i = 0; i < 100; i++) {
                many.put("t" + i, Optional.of("x"));
            }

            refused(ProblemType.INVALID_REQUEST, () -> node.part(DeviceLifecycle.class)
                    .change(id, new DevicePatch(Optional.empty(), many, Map.of()), ANY, "olga"));
            assertThat(tags(node, id)).isEqualTo(Map.of("lot", "L1", "hall", "B"));
        }
    }

    @Test
    default void deletedDeviceIsATombstoneOfWhichNothingPersonalIsLeft() {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock).withUsers("customers", "https://id.example");
        try (TestNode node = test.start()) {
            RegistrationReceipt receipt = registered(node);
            DeviceId id = new DeviceId(receipt.deviceId());
            assertThat(node.authenticator().authenticate(receipt.key(), receipt.secret()))
                    .isPresent();
            User alice = new User("customers", "https://id.example", "alice", Optional.of("Alice"), Set.of());
            node.part(Ownership.class).assign(node.fleets().get("default"), SERIAL, Owner.of(alice), "olga");
            test.execute("INSERT INTO claim_code (hash, fleet, serial, kind, created_at) VALUES ('" + "h".repeat(32)
                    + "', 'default', 'SN-0001', 'F', 1)");
            test.execute("INSERT INTO expected_serial (fleet, serial, state, name, lot, tags) VALUES"
                    + " ('default', 'SN-0001', 'E', 'Alice', 'L1', '{}')");
            node.part(Approvals.class)
                    .approve(
                            "default",
                            List.of(new Approvals.Expected(new SerialNumber(SERIAL), Optional.empty())),
                            new Approvals.Verdict(true, Optional.empty(), Optional.empty()),
                            "olga");

            assertThat(node.part(DeviceLifecycle.class).delete(id, ANY, "olga")).isTrue();

            Device tombstone = device(node, id);
            assertThat(tombstone.state()).isEqualTo(DeviceState.RETIRED);
            assertThat(tombstone.name()).isEqualTo(SERIAL);
            assertThat(tombstone.attributes()).isEmpty();
            assertThat(tags(node, id)).isEmpty();
            assertThat(node.part(Ownership.class).find("default", SERIAL)).isEmpty();
            for (String gone : List.of(
                    "claim_code WHERE serial = 'SN-0001'",
                    "approval WHERE serial = 'SN-0001'",
                    "expected_serial WHERE name IS NOT NULL",
                    "owned_serial WHERE subject IS NOT NULL OR user_name IS NOT NULL OR user_key IS NOT NULL",
                    "credential WHERE origin <> '' OR last_used_at IS NOT NULL OR state <> 'R'")) {
                assertThat(test.number("SELECT COUNT(*) FROM " + gone)).as(gone).isZero();
            }
            assertThat(node.authenticator().authenticate(receipt.key(), receipt.secret()))
                    .isEmpty();
            refused(ProblemType.REGISTRATION_REFUSED, () -> registered(node));
            assertThat(recorded(node, "device-deleted")).singleElement().satisfies(event -> {
                assertThat(event.who()).isEqualTo("olga");
                assertThat(event.detail()).isNull();
            });
            assertThat(test.events())
                    .filteredOn(DeviceOwnerChanged.class::isInstance)
                    .last()
                    .satisfies(event ->
                            assertThat(((DeviceOwnerChanged) event).after()).isEmpty());
            assertThat(node.part(DeviceLifecycle.class).delete(new DeviceId("0".repeat(32)), ANY, "olga"))
                    .isFalse();
        }
    }

    @Test
    default void deviceThatChangedSinceItWasReadIsNotDeleted() {
        try (TestNode node = test(new TestClock()).start()) {
            DeviceId id = new DeviceId(registered(node).deviceId());
            long before = version(node, id);
            node.devices().change(id, DeviceState.DISABLED, "otto");

            refused(ProblemType.PRECONDITION_FAILED, () -> node.part(DeviceLifecycle.class)
                    .delete(id, version -> version == before, "olga"));
            assertThat(device(node, id).state()).isEqualTo(DeviceState.DISABLED);
        }
    }

    @Test
    default void timelineGoesFromTheFirstRefusalToTheLastUse() {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock);
        try (TestNode node = test.start()) {
            test.execute("INSERT INTO audit_event (id, type, fleet, serial, who) VALUES "
                    + event("0" + Ids.hex(new byte[16]).substring(1), "refused", "default", SERIAL) + ","
                    + event("1" + "0".repeat(31), "refused", "other", SERIAL) + ","
                    + event("2" + "0".repeat(31), "refused", "default", "SN-0002"));
            RegistrationReceipt receipt = registered(node);
            DeviceId id = new DeviceId(receipt.deviceId());
            clock.pass(Duration.ofMinutes(1));
            node.authenticator().authenticate(receipt.key(), receipt.secret());
            clock.pass(Duration.ofMinutes(1));
            node.devices().change(id, DeviceState.DISABLED, "olga");

            List<Timeline.Entry> all = node.part(Timeline.class).list(device(node, id), Optional.empty(), 100);

            assertThat(all)
                    .extracting(Timeline.Entry::type)
                    .containsExactly("device-disabled", "credential-confirmed", "registered", "refused");
            assertThat(all.get(1).key()).contains(receipt.key());
            assertThat(all.get(2).who()).contains(Candidates.ORIGIN);
            assertThat(all.get(2).at()).isEqualTo(TestRegistry.NOW);
            List<Timeline.Entry> paged = new ArrayList<>();
            Optional<String> before = Optional.empty();
            do {
                List<Timeline.Entry> page = node.part(Timeline.class).list(device(node, id), before, 1);
                paged.addAll(page);
                before = page.stream().map(Timeline.Entry::id).findFirst();
            } while (before.isPresent());
            assertThat(paged).isEqualTo(all);
        }
    }

    private static String event(String id, String type, String fleet, String serial) {
        return "(" + (id.isEmpty() ? "" : "X'" + id + "'") + ", '" + type + "', '" + fleet + "', '" + serial
                + "', 'w')";
    }

    @Test
    default void archivedFleetRegistersNobodyAndItsDevicesKeepWorking() {
        try (TestNode node = test(new TestClock()).start()) {
            RegistrationReceipt receipt = registered(node);
            node.fleets()
                    .put(
                            "default",
                            "{\"verifiers\":[\"yes\"],\"registerAgain\":\"always\",\"archived\":true}"
                                    .getBytes(java.nio.charset.StandardCharsets.UTF_8),
                            ANY,
                            "olga");

            refused(ProblemType.REGISTRATION_REFUSED, () -> registered(node));
            refused(ProblemType.REGISTRATION_REFUSED, () -> node.registrar()
                    .register(Candidates.withSerial("SN-0002")));
            assertThat(node.registrar()
                            .explain(Candidates.withSerial("SN-0002"))
                            .registration()
                            .reason())
                    .isEqualTo("the fleet is archived");
            assertThat(node.authenticator().authenticate(receipt.key(), receipt.secret()))
                    .isPresent();
        }
    }

    private static void put(TestNode node, String members) {
        node.fleets()
                .put(
                        "default",
                        ("{'verifiers':['yes'],'registerAgain':'never'," + members + "}")
                                .replace('\'', '"')
                                .getBytes(StandardCharsets.UTF_8),
                        version -> true,
                        "olga");
    }

    @Test
    default void templateIsAppliedAtAdmissionAndItsConfigurationWhenAsked() {
        try (TestNode node = test(new TestClock()).start()) {
            put(
                    node,
                    "'template':{'tags':{'batch':'{lot|lower}','hall':'Z'},"
                            + "'attributes':{'firmware':{'type':'string','report':true},'gain':{'type':'number','default':2}},"
                            + "'configuration':{'topic':'{lot}/{serial}','firmware':'{attribute.firmware|or:first}'}}");

            RegistrationReceipt receipt = registered(node);

            DeviceId id = new DeviceId(receipt.deviceId());
            assertThat(tags(node, id)).isEqualTo(Map.of("lot", "L1", "hall", "B", "batch", "l1"));
            assertThat(device(node, id).attributes()).isEqualTo(Map.of("limit", 21, "gain", 2));
            assertThat(receipt.attributes()).isEqualTo(Map.of("limit", 21, "gain", 2));
            assertThat(receipt.configuration()).isEqualTo(Map.of("topic", "L1/SN-0001", "firmware", "first"));

            put(node, "'template':{'configuration':{'topic':'v2/{serial}'}}");
            assertThat(node.fleets()
                            .get("default")
                            .document()
                            .configurationOf(
                                    new SerialNumber(SERIAL),
                                    tags(node, id),
                                    device(node, id).attributes(),
                                    LeftOut.UNSAID)
                            .values())
                    .isEqualTo(Map.of("topic", "v2/SN-0001"));
            assertThat(device(node, id).attributes()).containsEntry("gain", 2);
            assertThat(recorded(node, "fleet-written"))
                    .allSatisfy(event -> assertThat(event.detail()).doesNotContain("v2/"));
        }
    }

    @Test
    default void reportsChangeTheDeviceAndLeaveOneEventAnHour() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock).start()) {
            DeviceId id = new DeviceId(registered(node).deviceId());
            DeviceReports reports = node.part(DeviceReports.class);

            reports.report(id, Map.of("limit", Optional.of(21)), ANY, "192.0.2.1");
            assertThat(recorded(node, "device-reported")).isEmpty();
            for (int i = 1; i <= 10; i++) {
                reports.report(id, Map.of("limit", Optional.of(21 + i)), ANY, "192.0.2.1");
            }

            assertThat(device(node, id).attributes()).isEqualTo(Map.of("limit", 31));
            assertThat(recorded(node, "device-reported")).singleElement().satisfies(event -> {
                assertThat(event.who()).isEqualTo("192.0.2.1");
                assertThat(event.deviceId()).isEqualTo(id.value());
                assertThat(event.detail()).isEqualTo("attributes.limit before: 21, after: 22");
            });
            clock.pass(Duration.ofMinutes(61));
            reports.report(id, Map.of("limit", Optional.empty()), ANY, "192.0.2.1");
            assertThat(device(node, id).attributes()).isEmpty();
            assertThat(recorded(node, "device-reported")).hasSize(2);
            assertThat(reports.report(new DeviceId("0".repeat(32)), Map.of(), ANY, "192.0.2.1"))
                    .isEmpty();
        }
    }

    @Test
    default void reportOnAnotherVersionOrTooManyAreRefused() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock).start()) {
            DeviceId id = new DeviceId(registered(node).deviceId());
            DeviceReports reports = node.part(DeviceReports.class);
            long before = version(node, id);
            LongPredicate same = version -> version == before;

            reports.report(id, Map.of("limit", Optional.of(5)), same, "192.0.2.1");
            refused(
                    ProblemType.PRECONDITION_FAILED,
                    () -> reports.report(id, Map.of("limit", Optional.of(6)), same, "192.0.2.1"));
            refused(
                    ProblemType.PRECONDITION_FAILED,
                    () -> reports.report(id, Map.of("limit", Optional.of(5)), same, "192.0.2.1"));
            for (int i = 3; i < DeviceReports.MOST_AN_HOUR; i++) {
                reports.report(id, Map.of("limit", Optional.of(5)), ANY, "192.0.2.1");
            }
            refused(
                    ProblemType.TOO_MANY_REQUESTS,
                    () -> reports.report(id, Map.of("limit", Optional.of(7)), ANY, "192.0.2.1"));
            assertThat(device(node, id).attributes()).isEqualTo(Map.of("limit", 5));

            clock.pass(Duration.ofMinutes(62));
            reports.report(id, Map.of("limit", Optional.of(7)), ANY, "192.0.2.1");
            assertThat(device(node, id).attributes()).isEqualTo(Map.of("limit", 7));
        }
    }
}
