// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.Problem.Fault;
import io.muster.api.ProblemType;
import io.muster.audit.AuditEvent;
import io.muster.config.ConfigurationException;
import io.muster.operator.SerialImport;
import io.muster.problem.RegistryException;
import io.muster.registration.Registrar;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialNumber;
import io.muster.spi.SerialVerifier;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import io.muster.verification.SerialForm;
import io.muster.verification.list.SerialList;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The promises about fleets on every database. */
public interface FleetsContract {

    /** Says genuine to everybody. */
    SerialVerifier YES = candidate -> Verdict.genuine();
    /** Says no to everybody. */
    SerialVerifier NO = candidate -> Verdict.refused("no");

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private static Fleet put(TestNode registry, String name, String json) {
        return registry.fleets().put(name, json.getBytes(StandardCharsets.UTF_8), there -> true, "test");
    }

    private static Candidate in(String fleet, String serial) {
        return Candidate.of(new SerialNumber(serial), fleet, Candidates.ORIGIN);
    }

    private static ProblemType problem(Runnable action) {
        try {
            action.run();
        } catch (RegistryException e) {
            return e.type();
        }
        throw new AssertionError("nothing was refused");
    }

    private static void soon(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeLimit.of(Duration.ofSeconds(5)).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("the time is over").isLessThan(deadline);
        }
    }

    @Test
    default void configurationIsWrittenOnceAndTheDatabaseHoldsFromThenOn() {
        TestRegistry test = fresh().with("yes", YES).with("no", NO).with("muster.fleet.default.verifiers", "no");
        try (TestNode registry = test.start()) {
            assertThat(registry.fleets().find("default").orElseThrow().version())
                    .isEqualTo(1);
            put(registry, "default", "{\"verifiers\":[\"yes\"]}");
        }
        try (TestNode registry = test.start()) {
            Fleet fleet = registry.fleets().find("default").orElseThrow();
            assertThat(fleet.version()).isEqualTo(2);
            assertThat(fleet.document().rules().verifiers()).containsExactly("yes");
            assertThat(registry.registrar().register(in("default", "SN-0001")).deviceId())
                    .isNotBlank();
        }
    }

    @Tag("timing")
    @Test
    default void fleetThatIsPutRegistersAtOnceAndOnAnotherNodeWithinTwoSeconds() {
        TestRegistry test = fresh().with("yes", YES).with("no", NO);
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            assertThat(problem(() -> two.registrar().register(in("pumps", "SN-0001"))))
                    .isEqualTo(ProblemType.NOT_FOUND);

            put(one, "pumps", "{\"verifiers\":[\"yes\"],\"configuration\":{\"interval\":\"PT1M\"}}");

            assertThat(one.registrar().register(in("pumps", "SN-0001")).configuration())
                    .isEqualTo(Map.of("interval", "PT1M"));
            soon(() -> two.fleets().find("pumps").isPresent());
            assertThat(two.registrar().register(in("pumps", "SN-0002")).fleet()).isEqualTo("pumps");

            put(one, "pumps", "{\"verifiers\":[\"no\"]}");

            assertThat(problem(() -> one.registrar().register(in("pumps", "SN-0003"))))
                    .isEqualTo(ProblemType.REGISTRATION_REFUSED);
            soon(() -> two.fleets().find("pumps").orElseThrow().version() == 2);
            assertThat(problem(() -> two.registrar().register(in("pumps", "SN-0004"))))
                    .isEqualTo(ProblemType.REGISTRATION_REFUSED);
        }
    }

    @Tag("timing")
    @Test
    default void versionThatWasReadIsReplacedOnceHoweverManyTry() throws Exception {
        TestRegistry test = fresh().with("yes", YES);
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            put(one, "pumps", "{\"verifiers\":[\"yes\"]}");
            List<Callable<Boolean>> writers = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                TestNode node = i % 2 == 0 ? one : two;
                byte[] document = ("{\"verifiers\":[\"yes\"],\"configuration\":{\"n\":\"" + i + "\"}}")
                        .getBytes(StandardCharsets.UTF_8);
                writers.add(() -> {
                    try {
                        node.fleets().put("pumps", document, there -> there == 1, "test");
                        return true;
                    } catch (RegistryException e) {
                        assertThat(e.type()).isEqualTo(ProblemType.PRECONDITION_FAILED);
                        return false;
                    }
                });
            }

            int written = 0;
            for (Future<Boolean> writer : threads.invokeAll(writers)) {
                written += writer.get() ? 1 : 0;
            }

            assertThat(written).isEqualTo(1);
            soon(() -> two.fleets().find("pumps").orElseThrow().version() == 2);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    default void fleetThatMustBeNewIsMadeOnceHoweverManyTry() throws Exception {
        TestRegistry test = fresh().with("yes", YES);
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try (TestNode registry = test.start()) {
            List<Callable<Boolean>> writers = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                writers.add(() -> {
                    try {
                        registry.fleets()
                                .put(
                                        "pumps",
                                        "{\"verifiers\":[\"yes\"]}".getBytes(StandardCharsets.UTF_8),
                                        there -> there == 0,
                                        "test");
                        return true;
                    } catch (RegistryException e) {
                        assertThat(e.type()).isEqualTo(ProblemType.PRECONDITION_FAILED);
                        return false;
                    }
                });
            }

            int made = 0;
            for (Future<Boolean> writer : threads.invokeAll(writers)) {
                made += writer.get() ? 1 : 0;
            }

            assertThat(made).isEqualTo(1);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    default void verifierThatIsNotThereIsRefusedInADocumentAndAtTheStart() {
        TestRegistry test = fresh().with("yes", YES);
        try (TestNode registry = test.start()) {
            assertThatThrownBy(
                            () -> put(registry, "default", "{\"verifiers\":[\"yes\",\"acme\"],\"shadow\":[\"http\"]}"))
                    .isInstanceOfSatisfying(
                            RegistryException.class, e -> assertThat(e.faults()).hasSize(2));
            put(registry, "default", "{\"verifiers\":[\"yes\"]}");
        }

        assertThatThrownBy(() -> test.without("yes").start())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("fleet default names the verifier yes, which is not there");
    }

    @Test
    default void shadowThatIsGoneIsRefusedAtTheStartToo() {
        TestRegistry test = fresh().with("yes", YES).with("trial", NO);
        try (TestNode registry = test.start()) {
            put(registry, "default", "{\"verifiers\":[\"yes\"],\"shadow\":[\"trial\"]}");
        }

        assertThatThrownBy(() -> test.without("trial").start())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("fleet default names the verifier trial, which is not there");
    }

    @Test
    default void whatDevicesAreToldIsStoredAsItIsWritten() {
        try (TestNode registry = fresh().with("yes", YES).start()) {
            put(
                    registry,
                    "default",
                    "{\"verifiers\":[\"yes\"],\"configuration\":{\"a \ud83d\ude00\":\"x\\n\ud83d\ude00\"}}");

            assertThat(registry.registrar().register(in("default", "SN-0001")).configuration())
                    .isEqualTo(Map.of("a \ud83d\ude00", "x\n\ud83d\ude00"));
        }
    }

    @Test
    default void shadowThatHangsDelaysNoOther() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch hanging = new CountDownLatch(1);
        CountDownLatch compared = new CountDownLatch(3);
        TestRegistry test = fresh().with("yes", YES)
                .with("stuck", candidate -> {
                    hanging.countDown();
                    try {
                        release.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return Verdict.genuine();
                })
                .with("trial", candidate -> {
                    compared.countDown();
                    return Verdict.genuine();
                })
                .with("muster.verifier.stuck.time-limit", "PT1M");
        try (TestNode registry = test.start()) {
            put(registry, "stuck", "{\"verifiers\":[\"yes\"],\"shadow\":[\"stuck\"],\"timeBudget\":\"PT1M\"}");
            put(registry, "default", "{\"verifiers\":[\"yes\"],\"shadow\":[\"trial\"]}");
            for (int i = 0; i < 200; i++) {
                registry.registrar().register(in("stuck", "SN-" + (1000 + i)));
            }
            assertThat(hanging.await(30, TimeUnit.SECONDS)).isTrue();

            for (int i = 0; i < 3; i++) {
                registry.registrar().register(in("default", "SN-" + (1000 + i)));
            }

            assertThat(compared.await(30, TimeUnit.SECONDS))
                    .as("the other shadow is asked")
                    .isTrue();
        } finally {
            release.countDown();
        }
    }

    @Tag("timing")
    @Test
    default void routeBelongsToOneFleet() {
        TestRegistry test = fresh().with("yes", YES);
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            put(one, "pumps", "{\"verifiers\":[\"yes\"],\"wire\":{\"path\":\"/v2/hello\"}}");

            assertThat(one.fleets().route("/v2/hello")).contains("pumps");
            assertThat(one.fleets().route("/v2/hello/")).isEmpty();
            soon(() -> two.fleets().route("/v2/hello").isPresent());
            assertThat(problem(() -> put(two, "meters", "{\"verifiers\":[\"yes\"],\"wire\":{\"path\":\"/v2/hello\"}}")))
                    .isEqualTo(ProblemType.INVALID_REQUEST);
            assertThat(one.fleets().find("meters")).isEmpty();

            put(one, "pumps", "{\"verifiers\":[\"yes\"]}");
            assertThat(one.fleets().route("/v2/hello")).isEmpty();
            put(one, "meters", "{\"verifiers\":[\"yes\"],\"wire\":{\"path\":\"/v2/hello\"}}");
            assertThat(one.fleets().route("/v2/hello")).contains("meters");
        }
    }

    @Test
    default void fleetOfTheConfigurationCannotTakeTheRouteOfAnother() {
        TestRegistry test = fresh().with("yes", YES).with("muster.fleet.default.wire", "register-device");
        test.start().close();

        assertThatThrownBy(() -> test.with("muster.fleets", "three")
                        .with("muster.fleet.three.verifiers", "yes")
                        .with("muster.fleet.three.wire", "register-device")
                        .start())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(
                        "muster.fleet.three.wire: /api/register-device is the route of the fleet default");
    }

    @Test
    default void serialIsKeptUnderTheTagOfTheFleet() {
        try (TestNode registry = fresh().with("yes", YES).start()) {
            put(registry, "default", "{\"verifiers\":[\"yes\"],\"wire\":{\"serialTag\":\"manufacturerId\"}}");

            assertThat(registry.registrar().register(in("default", "SN-0001")).tags())
                    .isEqualTo(Map.of("serial", "SN-0001", "manufacturerId", "SN-0001"));
        }
    }

    @Tag("timing")
    @Test
    default void disagreementOfAShadowIsAnEvent() {
        try (TestNode registry = fresh().with("yes", YES).with("no", NO).start()) {
            put(registry, "default", "{\"verifiers\":[\"yes\"],\"shadow\":[\"no\"]}");

            registry.registrar().register(in("default", "SN-0001"));

            soon(() -> {
                registry.audit().flush();
                return registry.audit().list(Optional.empty(), 10).stream()
                        .anyMatch(event -> event.type().equals("shadow-disagreed")
                                && event.serial().equals("SN-0001")
                                && event.detail().equals("no says refused (no), decided was genuine"));
            });
        }
    }

    @Test
    default void explanationSaysWhatWouldHappenAndChangesNothing() {
        TestRegistry test = fresh().with("yes", YES).with("no", NO);
        try (TestNode registry = test.start()) {
            put(registry, "default", "{\"verifiers\":[\"yes\"],\"shadow\":[\"no\"],\"registerAgain\":\"never\"}");

            Registrar.Preview before = registry.registrar().explain(in("default", "SN-0001"));

            assertThat(before.verification().decision()).isEqualTo("genuine");
            assertThat(before.registration().outcome()).isEqualTo("new");
            assertThat(test.events()).isEmpty();
            registry.audit().flush();
            assertThat(registry.audit().list(Optional.empty(), 10))
                    .noneMatch(event ->
                            event.type().startsWith("refused") || event.type().startsWith("shadow"));

            String id = registry.registrar().register(in("default", "SN-0001")).deviceId();
            Registrar.Preview after = registry.registrar().explain(in("default", "SN-0001"));

            assertThat(after.registration().outcome()).isEqualTo("refused");
            assertThat(after.registration().reason()).contains("never");
            assertThat(after.registration().deviceId()).contains(id);
        }
    }

    @Test
    default void writingAFleetIsAnEvent() {
        try (TestNode registry = fresh().with("yes", YES).start()) {
            put(registry, "pumps", "{\"verifiers\":[\"yes\"]}");

            assertThat(registry.audit().list(Optional.empty(), 10))
                    .anyMatch(event -> event.type().equals("fleet-written")
                            && event.fleet().equals("pumps")
                            && event.who().equals("test"));

            put(
                    registry,
                    "pumps",
                    "{\"verifiers\":[\"yes\"],\"issuer\":\"secret\",\"configuration\":{\"password\":\"hush\"}}");

            assertThat(registry.audit().list(Optional.empty(), 10))
                    .extracting(AuditEvent::detail)
                    .contains("version 2; another configuration; issuer before: \"standard\", after: \"secret\"");
        }
    }

    @Test
    default void documentThatAdmitsNobodyIsRefusedAndOneThatAuthenticatesNobodyIsWarnedOf() {
        TestRegistry test = fresh().with("yes", YES)
                .with("muster.verifier.form.type", "pattern")
                .with("muster.verifier.form.pattern", "SN-.*");
        try (TestNode registry = test.start()) {
            for (String document : List.of(
                    "{\"verifiers\":[\"block-list\",\"form\"]}",
                    "{\"verifiers\":[\"block-list\",\"yes\"],\"required\":2}")) {
                assertThatThrownBy(() -> put(registry, "pumps", document))
                        .isInstanceOfSatisfying(RegistryException.class, e -> assertThat(e.faults())
                                .extracting(Fault::pointer)
                                .containsExactly("#/verifiers"));
            }
            assertThat(registry.fleets().find("pumps")).isEmpty();

            assertThat(registry.fleets().warnings(put(registry, "pumps", "{\"verifiers\":[\"database\"]}")))
                    .containsExactly(
                            "Anyone who knows an unused serial of fleet pumps can register as that device: its verifiers "
                                    + "identify devices and authenticate none");
            assertThat(registry.fleets().warnings(put(registry, "pumps", "{\"verifiers\":[\"yes\",\"form\"]}")))
                    .isEmpty();
        }
    }

    @Test
    default void fleetOfTheConfigurationThatAdmitsNobodyIsWarnedOf() {
        try (TestNode registry =
                fresh().with("muster.fleet.default.verifiers", "block-list").start()) {
            assertThat(registry.fleets().warnings(registry.fleets().get("default")))
                    .containsExactly(
                            "Nobody can register in fleet default: fewer than 1 of its verifiers ever say genuine");
        }
    }

    private static SerialImport.Result imported(TestNode registry, String fleet, String csv) {
        return registry.serialImport()
                .csv(
                        registry.fleets().get(fleet),
                        new ByteArrayInputStream(csv.getBytes(StandardCharsets.UTF_8)),
                        "test");
    }

    private static String conflict(TestNode registry, String fleet, String json) {
        try {
            put(registry, fleet, json);
        } catch (RegistryException e) {
            assertThat(e.type()).isEqualTo(ProblemType.CONFLICT);
            return e.detail().orElseThrow();
        }
        throw new AssertionError("nothing was refused");
    }

    @Test
    default void listedSerialIsInTheFormOfTheFleet() {
        try (TestNode registry = fresh().start()) {
            put(registry, "macs", "{\"verifiers\":[\"block-list\",\"database\"],\"serials\":[\"trim\",\"mac\"]}");

            assertThat(imported(
                                    registry,
                                    "macs",
                                    "serial,state\n"
                                            + "00:11:22:aa:bb:cc,\n"
                                            + " 00-11-22-AA-BB-CD ,\n"
                                            + "0011.22aa.bbce,blocked\n"
                                            + " x ,\n")
                            .errors())
                    .singleElement()
                    .satisfies(error -> assertThat(error.reason()).contains("after the fleet's rules trim, mac"));
            assertThat(registry.serialList()
                            .list(
                                    "macs",
                                    new SerialList.Filter(Optional.empty(), Optional.empty()),
                                    Optional.empty(),
                                    9)
                            .entries())
                    .extracting(entry -> entry.serial().serial() + " " + entry.state())
                    .containsExactly("001122AABBCC EXPECTED", "001122AABBCD EXPECTED", "001122AABBCE BLOCKED");
        }
    }

    @Test
    default void rulesThatWouldMakeTwoSerialsOneAreRefusedWithThese() {
        try (TestNode registry = fresh().with("yes", YES).start()) {
            put(registry, "pumps", "{\"verifiers\":[\"yes\"]}");
            registry.registrar().register(in("pumps", "SN-0001"));
            registry.registrar().register(in("pumps", "sn-0001"));
            registry.registrar().register(in("pumps", "sn-0002"));
            imported(registry, "pumps", "serial\nsn-0003\nSN-0003\nsn-0004\n");
            String upper = "{\"verifiers\":[\"yes\"],\"serials\":[\"upper\"]}";

            assertThat(conflict(registry, "pumps", upper))
                    .isEqualTo("serials of this fleet are not spelled as the new rules spell them: device sn-0001"
                            + " would be SN-0001, which is there already; device sn-0002 would be SN-0002;"
                            + " listed serial sn-0003 would be SN-0003, which is there already; listed serial"
                            + " sn-0004 would be SN-0004");
            assertThat(registry.fleets().get("pumps").document().serials()).isEqualTo(SerialForm.EXACT);
            registry.registrar().register(in("pumps", "sN-0002"));
            assertThat(conflict(registry, "pumps", upper))
                    .contains(
                            "device sN-0002 would be SN-0002; device sn-0001 would be SN-0001, which is there already;"
                                    + " device sn-0002 would be SN-0002, as sN-0002");
            for (int i = 1; i < 5; i++) {
                registry.registrar().register(in("pumps", "sn-100" + i));
            }
            assertThat(conflict(registry, "pumps", upper).split(";")).hasSize(5);
        }
    }

    @Test
    default void rulesChangeFreelyWhereEverySerialIsSpelledSo() {
        try (TestNode registry = fresh().with("yes", YES).start()) {
            put(registry, "pumps", "{\"verifiers\":[\"yes\"]}");
            registry.registrar().register(in("pumps", "SN-0001"));
            imported(registry, "pumps", "serial\nSN-0002\n");

            put(registry, "pumps", "{\"verifiers\":[\"yes\"],\"serials\":[\"upper\"]}");
            imported(registry, "pumps", "serial\nsn-0003\n");
            assertThat(registry.serialList().find("pumps", "SN-0003")).isPresent();
            put(registry, "pumps", "{\"verifiers\":[\"yes\"],\"serials\":[\"trim\",\"upper\"]}");
            assertThat(conflict(
                            registry,
                            "pumps",
                            "{\"verifiers\":[\"yes\"],\"serials\":[\"pattern:SN-([0-9]{3})[0-9]\"]}"))
                    .contains("device SN-0001 would be none");
            put(registry, "pumps", "{\"verifiers\":[\"yes\"]}");
            put(registry, "pumps", "{\"verifiers\":[\"yes\"],\"wire\":{\"request\":{\"anyText\":true}}}");
            registry.registrar().register(in("pumps", "7"));
            assertThat(conflict(registry, "pumps", "{\"verifiers\":[\"yes\"]}")).contains("device 7 would be none");
        }
    }

    @Test
    default void serialsAreReadInPortionsWhenTheRulesChange() {
        TestRegistry test = fresh().with("yes", YES);
        try (TestNode registry = test.start()) {
            put(registry, "pumps", "{\"verifiers\":[\"yes\"]}");
            StringBuilder csv = new StringBuilder("serial\n");
            for (int i = 0; i < 20_000; i++) {
                csv.append(String.format("SN-%05d%n", i));
            }
            imported(registry, "pumps", csv.append("sn-99999\n").toString().replace("\r", ""));

            assertThat(conflict(registry, "pumps", "{\"verifiers\":[\"yes\"],\"serials\":[\"upper\"]}"))
                    .endsWith(": listed serial sn-99999 would be SN-99999");
            assertThat(test.execute("DELETE FROM expected_serial WHERE serial = 'sn-99999'"))
                    .isEqualTo(1);
            put(registry, "pumps", "{\"verifiers\":[\"yes\"],\"serials\":[\"upper\"]}");
        }
    }

    @Tag("timing")
    @Test
    default void refusalNamesTheListedSerialThatIsOnlySpelledOtherwise() {
        try (TestNode registry = fresh().start()) {
            imported(registry, "default", "serial,state\nsn-0001,\n00:11:22:aa:bb:cc,\nsn-0002,\nSN-0002,blocked\n");

            for (String serial : List.of("SN0001", "001122AABBCC", "SN-9999", "SN-0002")) {
                assertThat(problem(() -> registry.registrar().register(in("default", serial))))
                        .isEqualTo(ProblemType.REGISTRATION_REFUSED);
            }
            List<String> refusals = new ArrayList<>();
            soon(() -> {
                registry.audit().flush();
                refusals.clear();
                registry.audit().list(Optional.empty(), 10).stream()
                        .filter(event -> event.type().equals("refused"))
                        .forEach(event -> refusals.add(event.serial() + ": " + event.detail()));
                return refusals.size() == 4;
            });

            assertThat(refusals)
                    .containsExactlyInAnyOrder(
                            "SN-0002: database: the serial is blocked",
                            "SN-9999: no verifier calls it genuine",
                            "001122AABBCC: no verifier calls it genuine; spelled otherwise, it is listed:"
                                    + " 00:11:22:aa:bb:cc",
                            "SN0001: no verifier calls it genuine; spelled otherwise, it is listed: sn-0001");
        }
    }

    @Test
    default void deviceIsCalledByThePatternUnlessAVerifierNamesIt() {
        try (TestNode registry = fresh().with("yes", YES).start()) {
            put(registry, "pumps", "{\"verifiers\":[\"database\",\"yes\"],\"deviceName\":\"Pump {serial}\"}");
            imported(registry, "pumps", "serial,name\nSN-0001,Big one\n");

            assertThat(registry.registrar().register(in("pumps", "SN-0001")).name())
                    .isEqualTo("Big one");
            assertThat(registry.registrar().register(in("pumps", "SN-0002")).name())
                    .isEqualTo("Pump SN-0002");
            assertThat(registry.registrar().register(in("pumps", "SN-0002")).name())
                    .isEqualTo("Pump SN-0002");
        }
    }
}
