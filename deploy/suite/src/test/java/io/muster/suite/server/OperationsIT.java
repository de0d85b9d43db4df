// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.basic;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.Required;
import io.muster.persistence.MariaDbServer;
import io.muster.suite.fixture.Page;
import io.muster.suite.fixture.Processes.Ended;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The commands of {@code docs/operations.md}, as they stand there, on two machines with one database, and on one with its own. */
@Tag("extended")
class OperationsIT {

    private static final Page PAGE = Page.of("operations.md");
    private static final String SINCE = "since=2026-11-30T01:58:00\n";

    /** How many blocks of commands each section has. All of them are run below. */
    private static final Map<String, Long> RUN_HERE = Map.ofEntries(
            Map.entry("Prepare", 2L),
            Map.entry("Back up", 3L),
            Map.entry("The embedded database", 2L),
            Map.entry("Restore", 4L),
            Map.entry("Replace the signing keys", 1L),
            Map.entry("Repeat what operators did", 2L),
            Map.entry("Revoke operators again", 1L),
            Map.entry("Let devices back in", 2L),
            Map.entry("Upgrade", 1L),
            Map.entry("Change the master key", 3L),
            Map.entry("If the master key is lost", 1L),
            Map.entry("If every operator token is lost", 2L));

    private static MariaDbServer mariaDb;
    private static Host one;
    private static Host two;

    @BeforeAll
    static void twoNodesRun() throws Exception {
        Required.programs("bash", "curl", "jq", "openssl", "mariadb", "mariadb-dump");
        mariaDb = SharedWorld.mariaDb();
        String url = mariaDb.jdbcUrl("muster");
        // As docs/deploying.md makes it.
        sql("CREATE USER registry@'127.0.0.1' IDENTIFIED BY 'a password'");
        sql("GRANT ALL ON muster.* TO registry@'127.0.0.1'");
        Map<String, String> properties = new TreeMap<>(Map.of(
                "muster.issuer", "http://operations.muster.test",
                "muster.database.url", url,
                "muster.database.user", "registry",
                "muster.database.password", "a password"));
        one = new Host("one", properties);
        two = new Host("two", properties);
        one.start();
        Files.copy(key(one), key(two));
        two.start();
        for (Host host : List.of(one, two)) {
            Files.writeString(
                    host.place("/etc/muster").resolve("client.cnf"),
                    PAGE.blocks("Prepare", "ini")
                            .get(0)
                            .replace("host = db.example.com", "host = 127.0.0.1\nport = " + mariaDb.port())
                            .replace("user = muster", "user = registry")
                            .replace("password = ...", "password = a password"));
        }
        one.run(PAGE.commands("Prepare").get(0));
    }

    @AfterAll
    static void end() {
        for (Host host : new Host[] {one, two}) {
            if (host != null) {
                host.close();
            }
        }
    }

    private static void sql(String statement) throws SQLException {
        try (Connection connection =
                        DriverManager.getConnection(mariaDb.jdbcUrl("muster"), mariaDb.user(), mariaDb.password());
                Statement sql = connection.createStatement()) {
            sql.execute(statement);
        }
    }

    private static Path key(Host host) {
        return host.dataDir().resolve("master-key");
    }

    /** The registry of a host, asked by the operator whose header the commands use. */
    private static RegistryUnderTest registry(Host host) {
        try {
            String header = Files.readString(one.place("/root").resolve("operator-header"));
            return new RegistryUnderTest(
                    host, header.replace("Authorization: Bearer ", "").strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Reply operator(RegistryUnderTest registry, String path, String body) {
        Reply reply = registry.post("api/v1/" + path, JSON, body, registry.asOperator());
        assertThat(reply.status()).as(path + reply).isBetween(200, 204);
        return reply;
    }

    private static Ended run(Host host, String heading, int block) {
        return host.run(PAGE.commands(heading).get(block));
    }

    private static void isReady(Host host) {
        run(host, "Prepare", 1);
    }

    @Test
    void everyBlockOfThePageIsRunHere() {
        assertThat(PAGE.countOfCommands()).containsExactlyInAnyOrderEntriesOf(RUN_HERE);
    }

    @Test
    void restoreBringsEverythingBackAndTheEventsTellWhatToRevokeAgain() throws Exception {
        RegistryUnderTest registry = registry(one);
        Registered stays = registry.newDevice();
        Registered disabled = registry.newDevice();
        Registered retired = registry.newDevice();
        Registered revoked = registry.newDevice();
        Registered replaced = registry.newDevice();
        List.of(stays, disabled, retired, revoked, replaced).forEach(registry::accessToken);
        String blocked = registry.expectedSerial();
        String late = registry.expectedSerial();
        String factoryKey = operator(registry, "fleets/default/enrolment-keys", "{}")
                .json()
                .path("id")
                .asText();
        String allowance = operator(
                        registry,
                        "fleets/default/allowances",
                        "{\"serials\": [\"" + stays.serial() + "\"], \"reason\": \"a test\"}")
                .json()
                .at("/allowances/0/id")
                .asText();
        Reply leaving = operator(registry, "operators", "{\"name\": \"leaving\", \"rights\": [\"devices:read\"]}");
        String leavingToken = leaving.json().path("token").asText();
        String since = "since="
                + Instant.now().truncatedTo(ChronoUnit.SECONDS).toString().replace("Z", "\n");

        run(one, "Back up", 0);
        run(one, "Back up", 1);

        String stolen = registry.accessToken(stays);
        registry.change(disabled.deviceId(), "disable");
        registry.change(retired.deviceId(), "retire");
        operator(registry, "devices/" + revoked.deviceId() + "/revoke", "{\"reason\": \"stolen\"}");
        operator(registry, "fleets/default/serials/block", "{\"serials\": [\"" + blocked + "\"]}");
        operator(registry, "fleets/default/enrolment-keys/" + factoryKey + "/revoke", "");
        assertThat(delete(registry, "fleets/default/allowances/" + allowance)).isEqualTo(204);
        assertThat(delete(registry, "operators/" + leaving.json().path("id").asText()))
                .isEqualTo(204);
        Registered renewed = RegistryUnderTest.receipt(
                replaced.serial(),
                registry.post(
                        "devices/me/credentials",
                        JSON,
                        "{}",
                        "Authorization",
                        basic(replaced.key(), replaced.secret())));
        registry.accessToken(renewed);
        Registered young = registry.registered(late);
        run(one, "Back up", 2);

        Files.delete(key(one));
        run(one, "Restore", 0);
        run(two, "Restore", 0);
        sql("DROP TABLE device");
        run(one, "Restore", 1);
        run(one, "Restore", 2);
        run(one, "Restore", 3);

        assertThat(registry.isActive(stolen)).isTrue();
        for (Registered device : List.of(stays, disabled, retired, revoked, replaced)) {
            assertThat(registry.token(device).status()).isEqualTo(200);
        }
        assertThat(state(registry, "fleets/default/serials/" + blocked)).isEqualTo("expected");
        assertThat(state(registry, "fleets/default/enrolment-keys/" + factoryKey))
                .isEqualTo("active");
        assertThat(registry.get("api/v1/devices", bearer(leavingToken)).status())
                .isEqualTo(200);

        run(one, "Replace the signing keys", 0);
        assertThat(registry.isActive(stolen)).isFalse();

        one.run(PAGE.commands("Repeat what operators did").get(0).replace(SINCE, since));
        Ended repeated = run(one, "Repeat what operators did", 1);

        assertThat(repeated.out().lines().toList())
                .as(repeated.all())
                .hasSize(6)
                .allMatch(line -> line.startsWith("20"));
        assertThat(registry.token(disabled).status()).isEqualTo(401);
        assertThat(registry.token(revoked).status()).isEqualTo(401);
        assertThat(state(registry, "devices/" + disabled.deviceId())).isEqualTo("disabled");
        assertThat(state(registry, "devices/" + retired.deviceId())).isEqualTo("retired");
        assertThat(state(registry, "fleets/default/serials/" + blocked)).isEqualTo("blocked");
        assertThat(state(registry, "fleets/default/enrolment-keys/" + factoryKey))
                .isEqualTo("revoked");
        assertThat(registry.get("api/v1/fleets/default/allowances?serial=" + stays.serial(), registry.asOperator())
                        .json()
                        .at("/allowances/0/state")
                        .asText())
                .isEqualTo("revoked");

        one.run(PAGE.commands("Revoke operators again").get(0).replace(SINCE, since));
        assertThat(registry.get("api/v1/devices", bearer(leavingToken)).status())
                .isEqualTo(401);

        assertThat(registry.token(renewed).status()).isEqualTo(401);
        assertThat(registry.token(young).status()).isEqualTo(401);
        assertThat(registry.registered(late).deviceId()).isNotEqualTo(young.deviceId());
        assertThat(registry.register(renewed.serial()).status()).isEqualTo(400);
        String commands = PAGE.commands("Let devices back in").get(0);
        Within.within(Duration.ofSeconds(10), "the event of " + renewed.serial(), () -> one.run(commands)
                .out()
                .contains("default\t" + renewed.serial() + "\t127.0.0.1"));
        one.run(PAGE.commands("Let devices back in").get(1).replace("SN-0001", renewed.serial()));
        registry.accessToken(registry.registered(renewed.serial()));
        assertThat(registry.token(replaced).status()).isEqualTo(401);

        two.start();
        registry(two).accessToken(stays);
    }

    private static int delete(RegistryUnderTest registry, String path) {
        return registry.send("DELETE", "api/v1/" + path, null, registry.asOperator())
                .status();
    }

    private static String state(RegistryUnderTest registry, String path) {
        return registry.get("api/v1/" + path, registry.asOperator())
                .json()
                .path("state")
                .asText();
    }

    @Test
    void embeddedDatabaseComesBackWithItsKey() {
        try (Host alone = new Host("alone", Map.of())) {
            alone.start();
            RegistryUnderTest registry = new RegistryUnderTest(alone, alone.operatorToken());
            Registered device = registry.newDevice();
            registry.accessToken(device);

            run(alone, "The embedded database", 0);
            isReady(alone);
            String token = registry.accessToken(device);
            Registered young = registry.newDevice();
            run(alone, "The embedded database", 1);
            isReady(alone);

            assertThat(registry.isActive(token)).isTrue();
            assertThat(registry.token(device).status()).isEqualTo(200);
            assertThat(registry.token(young).status()).isEqualTo(401);
            assertThat(registry.devicesOf(young.serial())).isEmpty();
        }
    }

    @Test
    void upgradeOfSeveralNodesLeavesNoDeviceWithoutAnAnswer() throws Exception {
        Registered device = registry(one).newDevice();
        for (Host host : List.of(one, two)) {
            Files.copy(Recipe.named("muster.jar"), host.place("/opt/muster").resolve("muster.jar.new"));
        }
        // As an earlier version left the tables.
        one.stop();
        two.stop();
        sql("DROP TABLE change_node");
        sql("ALTER TABLE change_log DROP INDEX change_log_number, DROP COLUMN node, DROP COLUMN number");
        for (String table : List.of("owned_serial", "claim_code", "user_session")) {
            sql("DROP TABLE " + table);
        }
        sql("ALTER TABLE disconnection DROP COLUMN anew");
        sql("DELETE FROM muster_schema WHERE CAST(version AS UNSIGNED) >= 13");

        Ended upgraded = run(one, "Upgrade", 0);

        assertThat(upgraded.out()).startsWith("Muster ");
        assertThat(Files.readString(one.log())).contains("up to date, from version 10: 13 changes by node, 14 owners");
        AtomicBoolean over = new AtomicBoolean();
        AtomicReference<Throwable> fault = new AtomicReference<>();
        AtomicInteger tokens = new AtomicInteger();
        Thread patient = new Thread(() -> {
            while (!over.get()) {
                try {
                    assertThat(tokenOfEither(device).status()).isEqualTo(200);
                    tokens.incrementAndGet();
                } catch (RuntimeException | AssertionError e) {
                    fault.compareAndSet(null, e);
                }
            }
        });
        patient.start();
        run(two, "Upgrade", 0);
        Files.copy(Recipe.named("muster.jar"), one.place("/opt/muster").resolve("muster.jar.new"));
        run(one, "Upgrade", 0);
        over.set(true);
        patient.join();

        assertThat(fault.get()).isNull();
        assertThat(tokens.get()).isPositive();
        assertThat(one.place("/opt/muster").resolve("muster.jar.new")).doesNotExist();
    }

    /** As behind a proxy, and as a device that is told to come again: from the other node if this one cannot. */
    private static Reply tokenOfEither(Registered device) {
        try {
            Reply reply = registry(one).token(device);
            return reply.status() == 503 ? registry(two).token(device) : reply;
        } catch (UncheckedIOException away) {
            return registry(two).token(device);
        }
    }

    @Test
    void masterKeyIsChangedNodeByNodeAndNothingIsLost() throws Exception {
        RegistryUnderTest registry = registry(one);
        Registered device = registry.newDevice();
        String token = registry.accessToken(device);
        String old = Files.readString(key(one)).strip();
        List<String> blocks = PAGE.commands("Change the master key");

        one.run(blocks.get(0));
        for (int round = 1; round <= 3; round++) {
            String name = "master-key-" + round;
            Files.copy(one.place("/root").resolve(name), two.place("/root").resolve(name));
            for (Host host : List.of(one, two)) {
                host.run(blocks.get(1).replace("round=1\n", "round=" + round + "\n"));
                assertThat(registry(one).isActive(token)).as(name).isTrue();
                assertThat(registry(two).isActive(registry(one).accessToken(device)))
                        .as(name)
                        .isTrue();
            }
        }
        one.run(blocks.get(2));

        assertThat(Files.readString(two.log())).contains("Encrypted under the first key of muster.master-key-file: ");
        assertThat(Files.readString(key(one))).isEqualTo(Files.readString(key(two)));
        assertThat(Files.readString(key(one))).doesNotContain(old).hasLineCount(1);
        assertThat(one.place("/root").resolve("master-key-1")).doesNotExist();
        assertThat(Files.readString(one.log())).doesNotContain(old);
    }

    @Test
    void registryThatLostItsMasterKeyKeepsItsDevices() throws Exception {
        RegistryUnderTest registry = registry(one);
        Registered device = registry.newDevice();
        String token = registry.accessToken(device);
        operator(registry, "fleets/default/enrolment-keys", "{\"id\": \"lost\"}");
        two.stop();

        run(one, "If the master key is lost", 0);
        Files.copy(key(one), key(two), StandardCopyOption.REPLACE_EXISTING);
        two.start();

        assertThat(registry.isActive(token)).isFalse();
        assertThat(registry(two).isActive(registry.accessToken(device))).isTrue();
        operator(registry, "fleets/default/enrolment-keys", "{\"id\": \"lost\"}");
    }

    @Test
    void newOperatorIsMadeWhereEveryTokenIsLost() throws Exception {
        RegistryUnderTest before = registry(one);
        String program = operator(before, "operators", "{\"name\": \"program\", \"rights\": [\"introspect\"]}")
                .json()
                .path("token")
                .asText();
        List<String> blocks = PAGE.commands("If every operator token is lost");

        one.run(blocks.get(0));

        assertThat(registry(one).operatorToken()).isNotEqualTo(before.operatorToken());
        one.run(blocks.get(1));
        assertThat(before.get("api/v1/operators", before.asOperator()).status()).isEqualTo(401);
        assertThat(before.get("api/v1/operators", bearer(program)).status()).isEqualTo(401);
        assertThat(registry(one)
                        .get("api/v1/operators", registry(one).asOperator())
                        .json()
                        .path("operators"))
                .filteredOn(each -> each.path("active").asBoolean())
                .extracting(each -> each.path("name").asText())
                .containsExactly("alice");
        assertThat(one.dataDir().resolve("operator-token-alice")).doesNotExist();
    }
}
