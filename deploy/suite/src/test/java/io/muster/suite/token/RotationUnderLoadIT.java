// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.token;

import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.Resource;
import com.nimbusds.jwt.JWTParser;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import io.muster.persistence.MariaDbServer;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jose4j.http.Response;
import org.jose4j.jwk.HttpsJwks;
import org.jose4j.jwt.consumer.JwtConsumer;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.keys.resolvers.HttpsJwksVerificationKeyResolver;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Keys change on two nodes while resource servers check tokens. These keep the published keys for as long as permitted,
 * with their libraries' own caches. The settings permit no rotation within minutes, so this one is a hundred times as
 * fast. The caches' five minutes are three seconds. When these and the nodes' two are over, the start of the next key
 * is moved to now in the database.
 */
@Tag("timing")
@Tag("extended")
class RotationUnderLoadIT {

    private static final String ISSUER = "http://shared.muster.test";
    private static final int FASTER = 100;
    private static final Duration MAX_AGE = Duration.ofSeconds(300 / FASTER);
    private static final Duration NODES = Duration.ofSeconds(2);
    private static final int ROTATIONS = Integer.getInteger("muster.rotation.times");
    private static final Duration EVERY = Duration.ofSeconds(Integer.getInteger("muster.rotation.seconds"));
    private static final int LEAST_PER_SECOND = 20;

    private final RegistryUnderTest here = SharedWorld.onMariaDb();
    private final RegistryUnderTest there = SharedWorld.secondNode();

    /** Tokens with at least some seconds to live; those of the second node live for ten seconds. */
    private final List<Living> tokens = new CopyOnWriteArrayList<>();

    private final AtomicBoolean over = new AtomicBoolean();
    private final AtomicInteger verified = new AtomicInteger();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();

    private record Living(String token, long until) {
        boolean lives() {
            return System.nanoTime() < until;
        }
    }

    @FunctionalInterface
    private interface ResourceServer {
        void verify(String token) throws Exception;
    }

    /** Gets the keys from a node and takes the time of each question. */
    private static final class Keys {

        private final RegistryUnderTest from;
        private final List<Long> asked = new CopyOnWriteArrayList<>();

        Keys(RegistryUnderTest from) {
            this.from = from;
        }

        URI address() {
            return from.base().resolve(".well-known/jwks.json");
        }

        Reply get() {
            asked.add(System.nanoTime());
            Reply reply = from.get(".well-known/jwks.json");
            assertThat(reply.header("Cache-Control").orElseThrow()).contains("max-age=300");
            return reply;
        }

        /** A library that fetches keys again for an unknown one would hide a key that was published too late. */
        void assertWereKept() {
            for (int i = 1; i < asked.size(); i++) {
                assertThat(Duration.ofNanos(asked.get(i) - asked.get(i - 1)))
                        .as("time between two questions for the keys")
                        .isGreaterThanOrEqualTo(MAX_AGE.multipliedBy(9).dividedBy(10));
            }
        }
    }

    private static ResourceServer onNimbus(Keys keys) throws Exception {
        DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
        processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt")));
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(
                JWSAlgorithm.ES256,
                JWKSourceBuilder.create(
                                keys.address().toURL(),
                                url -> new Resource(keys.get().text(), RegistryUnderTest.JSON))
                        .cache(MAX_AGE.toMillis(), MAX_AGE.toMillis())
                        .refreshAheadCache(false)
                        .rateLimited(false)
                        .build()));
        return token -> processor.process(token, null);
    }

    private static ResourceServer onJose4j(Keys keys) {
        HttpsJwks jwks = new HttpsJwks(keys.address().toString());
        jwks.setSimpleHttpGet(address -> new Response(
                200,
                "OK",
                Map.of("Cache-Control", List.of("max-age=" + MAX_AGE.toSeconds())),
                keys.get().text()));
        JwtConsumer consumer = new JwtConsumerBuilder()
                .setVerificationKeyResolver(new HttpsJwksVerificationKeyResolver(jwks))
                .setExpectedAudience(ISSUER)
                .setExpectedIssuer(ISSUER)
                .setExpectedType(true, "at+jwt")
                .setRequireExpirationTime()
                .build();
        return consumer::process;
    }

    private static ResourceServer introspecting(RegistryUnderTest node) {
        return token -> {
            if (!node.isActive(token)) {
                throw new IllegalStateException("not active");
            }
        };
    }

    private void verifySteadily(String name, ResourceServer server, int perSecond) {
        long next = System.nanoTime();
        while (!over.get()) {
            Living one = tokens.get(ThreadLocalRandom.current().nextInt(tokens.size()));
            if (one.lives()) {
                try {
                    server.verify(one.token());
                } catch (Exception | AssertionError e) {
                    failures.add(name + ": " + e);
                }
                verified.incrementAndGet();
            }
            next += Duration.ofSeconds(1).dividedBy(perSecond).toNanos();
            LockSupport.parkNanos(next - System.nanoTime());
        }
    }

    private void issue(Registered device) {
        long now = System.nanoTime();
        tokens.add(new Living(
                here.accessToken(device), now + Duration.ofMinutes(14).toNanos()));
        tokens.add(new Living(
                there.accessToken(device), now + Duration.ofSeconds(7).toNanos()));
    }

    private static String kid(String token) throws Exception {
        return ((com.nimbusds.jose.JWSHeader) JWTParser.parse(token).getHeader()).getKeyID();
    }

    private Reply rotate(boolean emergency) {
        Reply reply = here.post(
                "api/v1/signing-keys/rotate",
                RegistryUnderTest.JSON,
                "{\"emergency\":" + emergency + ",\"reason\":\"a test\"}",
                here.asOperator());
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply;
    }

    /** Both nodes sign with the published key from now on. */
    private static void nextKeySignsNow() throws SQLException {
        MariaDbServer database = SharedWorld.mariaDb();
        try (Connection connection =
                        DriverManager.getConnection(database.jdbcUrl("shared"), database.user(), database.password());
                Statement statement = connection.createStatement()) {
            long now = System.currentTimeMillis();
            assertThat(statement.executeUpdate(
                            "UPDATE signing_key SET not_before = " + now + " WHERE not_before > " + now))
                    .isEqualTo(1);
            statement.executeUpdate("INSERT INTO change_log (subject) VALUES ('signing-keys')");
        }
    }

    private void pass(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    @Test
    void noLivingTokenFailsWhileKeysChangeAndNoneOfAReplacedKeyIsGoodAfterFiveSeconds() throws Exception {
        assertThat(EVERY).as("muster.rotation.seconds").isGreaterThanOrEqualTo(MAX_AGE.plus(NODES));
        Registered device = here.newDevice();
        issue(device);
        Keys forNimbus = new Keys(here);
        Keys forJose4j = new Keys(there);
        ResourceServer nimbus = onNimbus(forNimbus);
        ResourceServer jose4j = onJose4j(forJose4j);
        List<String> signers = new ArrayList<>(List.of(kid(here.accessToken(device))));
        ExecutorService threads = Executors.newFixedThreadPool(4);
        long began = System.nanoTime();
        try {
            List<Future<?>> load = List.of(
                    threads.submit(() -> verifySteadily("nimbus", nimbus, 120)),
                    threads.submit(() -> verifySteadily("jose4j", jose4j, 120)),
                    threads.submit(() -> verifySteadily("here", introspecting(here), 25)),
                    threads.submit(() -> verifySteadily("there", introspecting(there), 25)));
            for (int i = 0; i < ROTATIONS; i++) {
                rotate(false);
                pass(EVERY);
                issue(device);
                nextKeySignsNow();
                within(NODES, "a new key signs on both nodes", () -> {
                    issue(device);
                    return !signs(here, device, signers) && !signs(there, device, signers);
                });
                issue(device);
                signers.add(kid(here.accessToken(device)));
            }
            over.set(true);
            for (Future<?> each : load) {
                each.get();
            }
        } finally {
            over.set(true);
            threads.shutdownNow();
        }
        double seconds = Duration.ofNanos(System.nanoTime() - began).toMillis() / 1000.0;

        System.out.printf(
                "%d rotations in %.0f s, %.0f verifications a second, %d failed%n",
                ROTATIONS, seconds, verified.get() / seconds, failures.size());
        assertThat(failures).isEmpty();
        assertThat(signers).doesNotHaveDuplicates().hasSize(ROTATIONS + 1);
        assertThat(verified.get() / seconds).isGreaterThanOrEqualTo(LEAST_PER_SECOND);
        forNimbus.assertWereKept();
        forJose4j.assertWereKept();

        rotate(true);
        pass(Duration.ofSeconds(5));
        assertThat(tokens).noneMatch(one -> here.isActive(one.token()) || there.isActive(one.token()));
        String fresh = there.accessToken(device);
        assertThat(here.isActive(fresh)).isTrue();
        jose4j.verify(fresh);
        nimbus.verify(fresh);
    }

    private static boolean signs(RegistryUnderTest node, Registered device, List<String> earlier) {
        try {
            return earlier.contains(kid(node.accessToken(device)));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
