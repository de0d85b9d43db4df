// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.user;

import static io.muster.suite.fixture.RegistryUnderTest.CSV;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.IdentityProviderProcess;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Many users claim one device at two nodes at the same time. */
@Aside
@Tag("extended")
class ClaimsOnTwoNodesIT {

    private static final int USERS = 64;
    private static final int ROUNDS = 5;

    private static IdentityProviderProcess provider;
    private static final List<MusterServer> SERVERS = new ArrayList<>();
    private static List<RegistryUnderTest> nodes;
    private static List<String[]> users;

    @BeforeAll
    static void start() {
        provider = IdentityProviderProcess.start();
        Path directory = SharedWorld.directory("claims-node-1");
        Map<String, String> properties = SharedWorld.database(directory, SharedWorld.mariaDb(), "claims_on_two_nodes");
        String prefix = "muster.users.customers.";
        properties.put("muster.users", "customers");
        properties.put(prefix + "issuer", provider.issuer("customers").toString());
        properties.put(prefix + "audience", "muster");
        properties.put(prefix + "allow-http", "true");
        properties.put(prefix + "allow-private", "true");
        properties.put(prefix + "timeout", "PT20S");
        properties.put("muster.limits.claims", "1000000");
        MusterServer first = MusterServer.start(SharedWorld.settings(directory, properties));
        SERVERS.add(first);
        RegistryUnderTest one = new RegistryUnderTest(first, first.operatorToken());
        Map<String, String> others = new TreeMap<>(properties);
        others.put("muster.issuer", one.base().toString().replaceAll("/$", ""));
        others.put(
                "muster.master-key-file", first.dataDir().resolve("master-key").toString());
        MusterServer second = MusterServer.start(SharedWorld.settings(SharedWorld.directory("claims-node-2"), others));
        SERVERS.add(second);
        nodes = List.of(one, new RegistryUnderTest(second, first.operatorToken()));
        Reply fleet = one.send(
                "PUT",
                "api/v1/fleets/default",
                "{\"verifiers\":[\"database\"],\"claims\":{\"users\":[\"customers\"],\"by\":[\"code\",\"serial\"]}}"
                        .getBytes(StandardCharsets.UTF_8),
                "Authorization",
                "Bearer " + first.operatorToken(),
                "Content-Type",
                JSON);
        assertThat(fleet.status()).as(fleet.toString()).isEqualTo(200);
        users = new ArrayList<>();
        for (int i = 0; i < USERS; i++) {
            users.add(bearer(provider.accessToken("customers", "user-" + i, "muster", Map.of())));
        }
    }

    @AfterAll
    static void stop() {
        SERVERS.forEach(MusterServer::close);
        provider.close();
    }

    @Test
    void oneOfManyUsersIsTheOwnerAndAllOthersAreToldSo() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            String serial = RegistryUnderTest.unusedSerial();
            String code = "Race-" + serial.replaceAll("[^0-9a-zA-Z]", "");
            Reply listed = nodes.get(0)
                    .load(
                            "default",
                            CSV,
                            ("serial,claimCode\n" + serial + "," + code + "\n").getBytes(StandardCharsets.UTF_8));
            assertThat(listed.json().path("accepted").asInt())
                    .as(listed.toString())
                    .isEqualTo(1);

            List<Reply> replies = atOnce(user -> claim(user, "{\"code\":\"" + code + "\"}"));

            assertThat(replies).filteredOn(reply -> reply.status() == 201).hasSize(1);
            assertThat(replies).filteredOn(reply -> reply.status() == 409).hasSize(USERS - 1);
            assertOwner(serial, replies);
        }
    }

    @Test
    void deviceThatRegistersInTheMiddleOfTheRaceShowsTheWinner() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            String serial = nodes.get(0).expectedSerial();
            ExecutorService device = Executors.newSingleThreadExecutor();
            try {
                RegistryUnderTest at = nodes.get(round % 2);
                Future<Registered> registers = device.submit(() -> at.registered(serial));
                List<Reply> replies =
                        atOnce(user -> claim(user, "{\"fleet\":\"default\",\"serial\":\"" + serial + "\"}"));
                registers.get();

                assertThat(replies).filteredOn(reply -> reply.status() == 201).hasSize(1);
                assertThat(replies).filteredOn(reply -> reply.status() == 404).hasSize(USERS - 1);
                assertOwner(serial, replies);
                String winner = winner(replies);
                for (RegistryUnderTest node : nodes) {
                    JsonNode shown = node.devicesOf(serial).get(0);
                    assertThat(shown.path("tags").path("owner").asText()).isEqualTo(winner);
                }
            } finally {
                device.shutdownNow();
            }
        }
    }

    private static String winner(List<Reply> replies) {
        return replies.stream()
                .filter(reply -> reply.status() == 201)
                .findFirst()
                .orElseThrow()
                .json()
                .path("owner")
                .asText();
    }

    private static void assertOwner(String serial, List<Reply> replies) {
        for (RegistryUnderTest node : nodes) {
            Reply owner = node.get("api/v1/fleets/default/serials/" + serial + "/owner", node.asOperator());
            assertThat("customers:" + owner.json().path("subject").asText()).isEqualTo(winner(replies));
        }
    }

    private static Reply claim(int user, String body) {
        return nodes.get(user % 2).post("claims", JSON, body, users.get(user));
    }

    private interface Try {
        Reply by(int user);
    }

    private static List<Reply> atOnce(Try claim) throws Exception {
        CyclicBarrier line = new CyclicBarrier(USERS);
        ExecutorService threads = Executors.newFixedThreadPool(USERS);
        try {
            List<Callable<Reply>> race = new ArrayList<>();
            for (int i = 0; i < USERS; i++) {
                int user = i;
                race.add(() -> {
                    line.await();
                    return claim.by(user);
                });
            }
            List<Reply> replies = new ArrayList<>();
            for (Future<Reply> one : threads.invokeAll(race)) {
                replies.add(one.get());
            }
            return replies;
        } finally {
            threads.shutdownNow();
        }
    }
}
