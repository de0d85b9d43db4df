// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.assertUnavailable;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.plugin.mongo.MongoServer;
import io.muster.plugin.redis.RedisServer;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * The jars that are delivered with the WAR, put into a directory, on every server: devices register, and a back end may
 * become unreachable.
 */
@Aside
@Tag("portable")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PluginIT {

    private static RedisServer redis;
    private static MongoServer mongo;
    private static MusterServer server;
    private static RegistryUnderTest registry;

    @BeforeAll
    static void start() throws IOException {
        redis = RedisServer.start();
        redis.command("HSET", "serial:RED-0001", "title", "Boiler 7", "state", "sold", "limit", "21.5");
        redis.command("HSET", "serial:RED-0002", "state", "sold", "stolen", "true");
        mongo = MongoServer.start();
        mongo.insert(
                "{\"serial\": \"MON-0001\", \"title\": \"Pump 1\", \"batch\": {\"lot\": \"2026-11\"}, \"limit\": 21.5}",
                "{\"serial\": \"MON-0002\", \"stolen\": true}");

        Path directory = SharedWorld.directory("plugins");
        Path plugins = Files.createDirectory(directory.resolve("plugins"));
        for (String jar : new String[] {
            "example/target/acme-verifier-1.0.jar",
            "example-issuer/target/psk-issuer-1.0.jar",
            "redis/target/muster-redis.jar",
            "mongo/target/muster-mongo.jar"
        }) {
            Path file = Path.of(System.getProperty("muster.plugins"), jar);
            Files.copy(file, plugins.resolve(file.getFileName()));
        }
        Files.writeString(directory.resolve("redis-password"), redis.password());
        Map<String, String> properties = new TreeMap<>();
        properties.put("muster.plugins-dir", plugins.toString());
        properties.put("muster.fleets", "redis, mongo");
        properties.put("muster.fleet.default.verifiers", "acme");
        properties.put("muster.fleet.redis.verifiers", "redis");
        properties.put("muster.fleet.mongo.verifiers", "mongo");
        properties.put("muster.verifier.redis.uri", redis.uri());
        properties.put(
                "muster.verifier.redis.password-file",
                directory.resolve("redis-password").toString());
        properties.put("muster.verifier.redis.form", "hash");
        properties.put("muster.verifier.redis.key", "serial:{serial}");
        properties.put("muster.verifier.redis.field", "state");
        properties.put("muster.verifier.redis.equals", "sold");
        properties.put("muster.verifier.redis.blocked-field", "stolen");
        properties.put("muster.verifier.redis.name-field", "title");
        properties.put("muster.verifier.redis.attributes", "limit:number");
        properties.put("muster.verifier.mongo.uri", mongo.uri());
        properties.put("muster.verifier.mongo.database", "factory");
        properties.put("muster.verifier.mongo.collection", "serials");
        properties.put("muster.verifier.mongo.blocked-field", "stolen");
        properties.put("muster.verifier.mongo.name-field", "title");
        properties.put("muster.verifier.mongo.tags", "lot=batch.lot");
        properties.put("muster.verifier.mongo.attributes", "limit");
        server = MusterServer.start(SharedWorld.settings(directory, properties));
        registry = new RegistryUnderTest(server, server.operatorToken());
    }

    @AfterAll
    static void stop() throws IOException {
        if (server != null) {
            String log = Files.readString(server.log(), StandardCharsets.ISO_8859_1);
            server.close();
            assertThat(log).doesNotContain(redis.password());
        }
        if (mongo != null) {
            mongo.close();
        }
        if (redis != null) {
            redis.close();
        }
    }

    private static void assertRefused(String fleet, String serial) {
        assertProblem(registry.registerIn(fleet, serial), 400, "registration-refused");
        assertThat(registry.devicesOf(serial)).isEmpty();
    }

    private static void assertWorks(Reply reply, String serial) {
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(registry.token(RegistryUnderTest.receipt(serial, reply)).status())
                .isEqualTo(200);
    }

    @Test
    @Order(1)
    void verifierOfTheGuideAdmitsItsDevices() {
        Reply reply = registry.register("ACME-1001");

        assertWorks(reply, "ACME-1001");
        assertThat(reply.json().at("/attributes/series").asInt()).isEqualTo(1);
        assertRefused("default", "ACME-0001");
        assertRefused("default", "SN-0001");
    }

    @Test
    @Order(1)
    void issuerOfTheGuideIssuesItsCredentials() {
        Reply fleet = registry.send(
                "PUT",
                "api/v1/fleets/psk",
                "{\"verifiers\": [\"acme\"], \"issuer\": \"example-psk\"}".getBytes(StandardCharsets.UTF_8),
                "Authorization",
                "Bearer " + registry.operatorToken(),
                "Content-Type",
                RegistryUnderTest.JSON);
        assertThat(fleet.status()).as(fleet.toString()).isBetween(200, 201);

        Reply reply = registry.registerIn("psk", "ACME-2001");

        assertWorks(reply, "ACME-2001");
        assertThat(reply.json().path("secret").asText()).matches("[0-9a-f]{64}");
        assertThat(reply.json().at("/extras/pskIdentity"))
                .isEqualTo(reply.json().path("key"));
        assertThat(reply.json().at("/extras/psk")).isEqualTo(reply.json().path("secret"));
    }

    @Test
    @Order(1)
    void redisAdmitsItsDevices() {
        Reply reply = registry.registerIn("redis", "RED-0001");

        assertWorks(reply, "RED-0001");
        assertThat(reply.json().path("name").asText()).isEqualTo("Boiler 7");
        assertThat(reply.json().at("/attributes/limit").asDouble()).isEqualTo(21.5);
        assertRefused("redis", "RED-0002");
        assertRefused("redis", "RED-0003");
        assertRefused("redis", "MON-0001");
    }

    @Test
    @Order(1)
    void mongoAdmitsItsDevices() {
        Reply reply = registry.registerIn("mongo", "MON-0001");

        assertWorks(reply, "MON-0001");
        assertThat(reply.json().path("name").asText()).isEqualTo("Pump 1");
        assertThat(reply.json().at("/tags/lot").asText()).isEqualTo("2026-11");
        assertThat(reply.json().at("/attributes/limit").asDouble()).isEqualTo(21.5);
        assertRefused("mongo", "MON-0002");
        assertRefused("mongo", "MON-0003");
        assertRefused("mongo", "{\\\"$ne\\\":null}");
    }

    @Test
    @Order(2)
    void redisThatWentAwayIsUnavailableUntilItIsBack() {
        redis.kill();

        assertUnavailable(registry.registerIn("redis", "RED-0004"), "verification-unavailable");

        redis.restart();
        redis.command("HSET", "serial:RED-0004", "state", "sold");

        assertThat(registry.registerIn("redis", "RED-0004").status()).isEqualTo(200);
    }

    @Test
    @Order(3)
    void mongoThatWentAwayIsUnavailable() {
        mongo.close();

        assertUnavailable(registry.registerIn("mongo", "MON-0004"), "verification-unavailable");
        assertThat(registry.register("ACME-1002").status()).isEqualTo(200);
    }
}
