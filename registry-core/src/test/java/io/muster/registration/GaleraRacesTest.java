// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.credential.AuthenticatedDevice;
import io.muster.credential.CredentialState;
import io.muster.credential.StoredCredential;
import io.muster.device.DeviceState;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.persistence.GaleraCluster;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Races between three registry nodes, each of which has a database node of its own. */
@Tag("extended")
class GaleraRacesTest {

    private static final int TRIALS = Integer.getInteger("galera.trials", 150);

    private static GaleraCluster cluster;
    private static final List<TestNode> NODES = new ArrayList<>();
    private static final ExecutorService THREADS = Executors.newCachedThreadPool();

    @BeforeAll
    static void start() {
        GaleraCluster.required();
        cluster = GaleraCluster.start();
        TestRegistry registry = TestRegistry.onGalera(cluster, "races")
                .with(Clock.systemUTC())
                .with("muster.limits.refusals", "1000000")
                .with("muster.database.pool-size", "10")
                .with("all", candidate -> Verdict.genuine())
                .with("muster.fleet.default.verifiers", "all");
        for (int i = 0; i < 3; i++) {
            NODES.add(registry.start());
        }
        document("default", "'registerAgain':'until-confirmed'");
    }

    @AfterAll
    static void stop() {
        THREADS.shutdownNow();
        NODES.forEach(TestNode::close);
        if (cluster != null) {
            cluster.close();
        }
    }

    private static void document(String fleet, String members) {
        NODES.get(0).fleets().put(fleet, json("{'verifiers':['all']," + members + "}"), version -> true, "test");
    }

    private static byte[] json(String text) {
        return text.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }

    private static RegistrationReceipt register(TestNode node, String serial) {
        return ((RegistrationReply.Plain) node.registrar()
                        .register(
                                RegistrationAttempt.of(Candidate.of(new SerialNumber(serial), "default", "192.0.2.1"))))
                .receipt();
    }

    private static boolean works(TestNode node, RegistrationReceipt receipt) {
        return node.authenticator()
                .authenticate(receipt.key(), receipt.secret())
                .isPresent();
    }

    /** Waits until the node knows the credential. */
    private static CredentialProof proof(TestNode node, RegistrationReceipt receipt) {
        while (true) {
            Optional<AuthenticatedDevice> device = node.authenticator().authenticate(receipt.key(), receipt.secret());
            if (device.isPresent()) {
                return CredentialProof.of(device.get());
            }
        }
    }

    /** Starts all at the same moment, and returns what each returned or threw. */
    private static List<Object> atOnce(List<Callable<Object>> work) throws Exception {
        CyclicBarrier begin = new CyclicBarrier(work.size());
        List<Future<Object>> futures = new ArrayList<>();
        for (Callable<Object> one : work) {
            futures.add(THREADS.submit(() -> {
                begin.await();
                try {
                    return one.call();
                } catch (RuntimeException e) {
                    return e;
                }
            }));
        }
        List<Object> results = new ArrayList<>();
        for (Future<Object> future : futures) {
            results.add(future.get());
        }
        return results;
    }

    /** Checks that nobody was told that the database is unavailable: each of them lost or won. */
    private static void assertDecided(List<Object> results) {
        assertThat(results)
                .noneMatch(result -> result instanceof RuntimeException && !(result instanceof RegistryException))
                .noneMatch(DatabaseUnavailableException.class::isInstance);
    }

    private static List<StoredCredential> good(String deviceId) {
        return NODES.get(0).authenticator().credentials(new DeviceId(deviceId)).stream()
                .filter(credential -> credential.state() != CredentialState.REVOKED)
                .toList();
    }

    @Test
    void tokenIsToBeHadEverywhereRightAfterTheRegistration() {
        int refused = 0;
        for (int i = 0; i < 2 * TRIALS; i++) {
            RegistrationReceipt receipt = register(NODES.get(i % 3), "RIGHT-AFTER-" + i);
            refused += works(NODES.get((i + 1) % 3), receipt) ? 0 : 1;
            refused += works(NODES.get((i + 2) % 3), receipt) ? 0 : 1;
        }

        assertThat(refused).isZero();
    }

    @Test
    void noCredentialSurvivesTheRevocationOfAllThatMeetsARenewal() throws Exception {
        List<String> devices = new ArrayList<>();
        for (int i = 0; i < TRIALS; i++) {
            RegistrationReceipt receipt = register(NODES.get(0), "RENEWAL-" + i);
            devices.add(receipt.deviceId());
            TestNode one = NODES.get(i % 3);
            TestNode other = NODES.get((i + 1) % 3);
            CredentialProof proof = proof(other, receipt);
            DeviceId id = new DeviceId(receipt.deviceId());
            assertDecided(atOnce(
                    List.of(() -> one.revocations().revoke(id, Optional.empty(), "", "test"), () -> other.registrar()
                            .rotate(
                                    other.devices().find(id).orElseThrow(),
                                    proof,
                                    Optional.empty(),
                                    Optional.empty(),
                                    "192.0.2.1"))));
        }

        // The last changes may have to arrive here first.
        register(NODES.get(0), "RENEWAL-END");
        assertThat(devices.stream().filter(device -> !good(device).isEmpty())).isEmpty();
    }

    @Test
    void serialThatRegistersEverywhereHasOneWorkingCredential() throws Exception {
        int several = 0;
        for (int i = 0; i < TRIALS; i++) {
            String serial = "CONFIRMED-" + i;
            register(NODES.get(i % 3), serial);
            List<Callable<Object>> work = new ArrayList<>();
            for (TestNode node : NODES) {
                work.add(() -> {
                    RegistrationReceipt receipt = register(node, serial);
                    return works(node, receipt) ? receipt : Optional.empty();
                });
            }
            List<Object> results = atOnce(work);
            assertDecided(results);
            long working = results.stream()
                    .filter(RegistrationReceipt.class::isInstance)
                    .map(RegistrationReceipt.class::cast)
                    .map(RegistrationReceipt::key)
                    .distinct()
                    .filter(key -> NODES.get(0).authenticator().credentials(new DeviceId(deviceId(results))).stream()
                            .anyMatch(
                                    stored -> stored.key().equals(key) && stored.state() == CredentialState.CONFIRMED))
                    .count();
            several += working > 1 ? 1 : 0;
        }

        assertThat(several).isZero();
    }

    private static String deviceId(List<Object> results) {
        return results.stream()
                .filter(RegistrationReceipt.class::isInstance)
                .map(RegistrationReceipt.class::cast)
                .findFirst()
                .orElseThrow()
                .deviceId();
    }

    @Test
    void retirementThatMeetsARenewalEndsEverything() throws Exception {
        for (int i = 0; i < TRIALS / 3; i++) {
            RegistrationReceipt receipt = register(NODES.get(0), "RETIRED-" + i);
            TestNode one = NODES.get(i % 3);
            TestNode other = NODES.get((i + 1) % 3);
            DeviceId id = new DeviceId(receipt.deviceId());
            assertDecided(
                    atOnce(List.of(() -> one.devices().change(id, DeviceState.RETIRED, "test"), () -> other.devices()
                            .change(id, DeviceState.DISABLED, "test"))));
            DeviceState state = one.devices().find(id).orElseThrow().state();
            assertThat(state).isIn(DeviceState.RETIRED, DeviceState.DISABLED);
        }
    }

    @Test
    void oneOfSeveralFleetsGetsARoute() throws Exception {
        for (int i = 0; i < 15; i++) {
            int trial = i;
            List<Callable<Object>> work = new ArrayList<>();
            for (int node = 0; node < 3; node++) {
                int own = node;
                work.add(() -> NODES.get(own)
                        .fleets()
                        .put(
                                "f" + trial + own,
                                json("{'verifiers':['all'],'wire':{'path':'/route" + trial + "'}}"),
                                version -> true,
                                "test"));
            }
            List<Object> results = atOnce(work);
            assertDecided(results);
            assertThat(results.stream().filter(RegistryException.class::isInstance))
                    .hasSize(2);
        }
    }

    @Test
    void allowanceRacedByManyIsUsedOnceAndNobodyIsPutOff() throws Exception {
        document("default", "'registerAgain':'never'");
        try {
            for (int i = 0; i < 20; i++) {
                String serial = "ALLOWED-" + i;
                RegistrationReceipt first = register(NODES.get(0), serial);
                assertThat(works(NODES.get(0), first)).isTrue();
                NODES.get(0)
                        .allowances()
                        .create(
                                "default",
                                List.of(new SerialNumber(serial)),
                                NODES.get(0).clock().instant(),
                                NODES.get(0).clock().instant().plusSeconds(600),
                                "",
                                "test");
                List<Object> results = atOnce(IntStream.range(0, 12)
                        .<Callable<Object>>mapToObj(n -> () -> {
                            RegistrationReceipt receipt = register(NODES.get(n % 3), serial);
                            return works(NODES.get(n % 3), receipt) ? receipt : Optional.empty();
                        })
                        .toList());
                assertDecided(results);
                assertThat(results.stream().filter(RegistrationReceipt.class::isInstance))
                        .as("%s", results)
                        .hasSize(1);
            }
        } finally {
            document("default", "'registerAgain':'until-confirmed'");
        }
    }
}
