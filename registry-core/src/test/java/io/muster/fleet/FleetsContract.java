package io.muster.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.Registry;
import io.muster.TestRegistry;
import io.muster.api.Problem.Fault;
import io.muster.api.ProblemType;
import io.muster.config.ConfigurationException;
import io.muster.problem.RegistryException;
import io.muster.registration.Registrar;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialNumber;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import java.nio.charset.StandardCharsets;
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
import org.junit.jupiter.api.Test;

/** What fleets promise on every database. */
public interface FleetsContract {

    /** Says genuine to everybody. */
    SerialVerifier YES = candidate -> Verdict.genuine();
    /** Says no to everybody. */
    SerialVerifier NO = candidate -> Verdict.refused("no");

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private static Fleet put(Registry registry, String name, String json) {
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
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("five seconds are over").isLessThan(deadline);
        }
    }

    @Test
    default void configurationIsWrittenOnceAndTheDatabaseHoldsFromThenOn() {
        TestRegistry test = fresh().with("yes", YES).with("no", NO).with("muster.fleet.default.verifiers", "no");
        try (Registry registry = test.start()) {
            assertThat(registry.fleets().find("default").orElseThrow().version())
                    .isEqualTo(1);
            put(registry, "default", "{\"verifiers\":[\"yes\"]}");
        }
        try (Registry registry = test.start()) {
            Fleet fleet = registry.fleets().find("default").orElseThrow();
            assertThat(fleet.version()).isEqualTo(2);
            assertThat(fleet.document().rules().verifiers()).containsExactly("yes");
            assertThat(registry.registrar().register(in("default", "SN-0001")).deviceId())
                    .isNotBlank();
        }
    }

    @Test
    default void fleetThatIsPutRegistersAtOnceAndOnAnotherNodeWithinTwoSeconds() {
        TestRegistry test = fresh().with("yes", YES).with("no", NO);
        try (Registry one = test.start();
                Registry two = test.start()) {
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

    @Test
    default void versionThatWasReadIsReplacedOnceHoweverManyTry() throws Exception {
        TestRegistry test = fresh().with("yes", YES);
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try (Registry one = test.start();
                Registry two = test.start()) {
            put(one, "pumps", "{\"verifiers\":[\"yes\"]}");
            List<Callable<Boolean>> writers = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                Registry node = i % 2 == 0 ? one : two;
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
        try (Registry registry = test.start()) {
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
        try (Registry registry = test.start()) {
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
        try (Registry registry = test.start()) {
            put(registry, "default", "{\"verifiers\":[\"yes\"],\"shadow\":[\"trial\"]}");
        }

        assertThatThrownBy(() -> test.without("trial").start())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("fleet default names the verifier trial, which is not there");
    }

    @Test
    default void whatDevicesAreToldIsStoredAsItIsWritten() {
        try (Registry registry = fresh().with("yes", YES).start()) {
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
        try (Registry registry = test.start()) {
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

    @Test
    default void routeBelongsToOneFleet() {
        TestRegistry test = fresh().with("yes", YES);
        try (Registry one = test.start();
                Registry two = test.start()) {
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
        try (Registry registry = fresh().with("yes", YES).start()) {
            put(registry, "default", "{\"verifiers\":[\"yes\"],\"wire\":{\"serialTag\":\"manufacturerId\"}}");

            assertThat(registry.registrar().register(in("default", "SN-0001")).tags())
                    .isEqualTo(Map.of("serial", "SN-0001", "manufacturerId", "SN-0001"));
        }
    }

    @Test
    default void disagreementOfAShadowIsAnEvent() {
        try (Registry registry = fresh().with("yes", YES).with("no", NO).start()) {
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
        try (Registry registry = test.start()) {
            put(registry, "default", "{\"verifiers\":[\"yes\"],\"shadow\":[\"no\"],\"registerAgain\":\"never\"}");

            Registrar.Explanation before = registry.registrar().explain(in("default", "SN-0001"));

            assertThat(before.verification().decision()).isEqualTo("genuine");
            assertThat(before.registration().outcome()).isEqualTo("new");
            assertThat(test.events()).isEmpty();
            registry.audit().flush();
            assertThat(registry.audit().list(Optional.empty(), 10))
                    .noneMatch(event ->
                            event.type().startsWith("refused") || event.type().startsWith("shadow"));

            String id = registry.registrar().register(in("default", "SN-0001")).deviceId();
            Registrar.Explanation after = registry.registrar().explain(in("default", "SN-0001"));

            assertThat(after.registration().outcome()).isEqualTo("refused");
            assertThat(after.registration().reason()).contains("never");
            assertThat(after.registration().deviceId()).contains(id);
        }
    }

    @Test
    default void writingAFleetIsAnEvent() {
        try (Registry registry = fresh().with("yes", YES).start()) {
            put(registry, "pumps", "{\"verifiers\":[\"yes\"]}");

            assertThat(registry.audit().list(Optional.empty(), 10))
                    .anyMatch(event -> event.type().equals("fleet-written")
                            && event.fleet().equals("pumps")
                            && event.who().equals("test"));
        }
    }

    @Test
    default void documentThatAdmitsNobodyIsRefusedAndOneThatAuthenticatesNobodyIsWarnedOf() {
        TestRegistry test = fresh().with("yes", YES)
                .with("muster.verifier.form.type", "pattern")
                .with("muster.verifier.form.pattern", "SN-.*");
        try (Registry registry = test.start()) {
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
                    .containsExactly("Whoever knows an unused serial of fleet pumps is that device: its verifiers "
                            + "identify and authenticate nobody");
            assertThat(registry.fleets().warnings(put(registry, "pumps", "{\"verifiers\":[\"yes\",\"form\"]}")))
                    .isEmpty();
        }
    }

    @Test
    default void fleetOfTheConfigurationThatAdmitsNobodyIsWarnedOf() {
        try (Registry registry =
                fresh().with("muster.fleet.default.verifiers", "block-list").start()) {
            assertThat(registry.fleets().warnings(registry.fleets().get("default")))
                    .containsExactly(
                            "Nobody can register in fleet default: fewer than 1 of its verifiers ever say genuine");
        }
    }
}
