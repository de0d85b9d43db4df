// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.config.MusterConfig;
import io.muster.json.Json;
import io.muster.token.SigningKeysContract.Client;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwt.NumericDate;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.keys.resolvers.JwksVerificationKeyResolver;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Resource servers that cache the published keys for as long as permitted, and never fetch them earlier, miss no
 * rotation.
 */
@Tag("extended")
class KeyRotationTest {

    private static final String ISSUER = "https://registry.example";
    private static final int ROTATIONS = 20;
    private static final Duration STEP = Duration.ofMinutes(1);

    /** A resource server that keeps the key set for its max-age. */
    private abstract static class ResourceServer {

        private final Clock clock;
        private Instant fetchedAt = Instant.EPOCH;

        ResourceServer(Clock clock) {
            this.clock = clock;
        }

        void fetchIfStale(TestNode from) throws Exception {
            if (!clock.instant().isBefore(fetchedAt.plus(MusterConfig.SigningKeys.MAX_AGE))) {
                fetch(Json.text(from.signingKeys().publicKeys()));
                fetchedAt = clock.instant();
            }
        }

        Clock clock() {
            return clock;
        }

        abstract void fetch(String keys) throws Exception;

        abstract void verify(String token) throws Exception;
    }

    private static final class OnNimbus extends ResourceServer {

        private final DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();

        OnNimbus(Clock clock) {
            super(clock);
            processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt")));
            DefaultJWTClaimsVerifier<SecurityContext> claims =
                    new DefaultJWTClaimsVerifier<>(
                            ISSUER, new JWTClaimsSet.Builder().issuer(ISSUER).build(), Set.of("sub", "exp")) {
                        @Override
                        protected Date currentTime() {
                            return Date.from(clock.instant());
                        }
                    };
            claims.setMaxClockSkew(0);
            processor.setJWTClaimsSetVerifier(claims);
        }

        @Override
        void fetch(String keys) throws Exception {
            processor.setJWSKeySelector(
                    new JWSVerificationKeySelector<>(JWSAlgorithm.ES256, new ImmutableJWKSet<>(JWKSet.parse(keys))));
        }

        @Override
        void verify(String token) throws Exception {
            processor.process(token, null);
        }
    }

    private static final class OnJose4j extends ResourceServer {

        private JwksVerificationKeyResolver keys;

        OnJose4j(Clock clock) {
            super(clock);
        }

        @Override
        void fetch(String text) throws Exception {
            keys = new JwksVerificationKeyResolver(new JsonWebKeySet(text).getJsonWebKeys());
        }

        @Override
        void verify(String token) throws Exception {
            new JwtConsumerBuilder()
                    .setVerificationKeyResolver(keys)
                    .setExpectedAudience(ISSUER)
                    .setExpectedIssuer(ISSUER)
                    .setExpectedType(true, "at+jwt")
                    .setRequireExpirationTime()
                    .setEvaluationTime(NumericDate.fromMilliseconds(clock().millis()))
                    .build()
                    .process(token);
        }
    }

    /** A token, and when it expires. */
    private record Living(String token, Instant until) {}

    @Test
    void noLivingTokenFailsAtAnyResourceServerOrNodeOverTwentyRotations() throws Exception {
        VirtualClock clock = new VirtualClock(TestRegistry.NOW);
        TestRegistry test = SigningKeysContract.fast(TestRegistry.fresh());
        TestNode fast = test.with(clock.ahead(Duration.ofSeconds(30))).start();
        TestNode slow = test.with(clock.behind(Duration.ofSeconds(30))).start();
        // One that is due in each minute, with the clocks of both nodes.
        List<ResourceServer> servers = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            Clock own = clock.ahead(Duration.ofSeconds(15L * (i - 2)));
            servers.add(i % 2 == 0 ? new OnNimbus(own) : new OnJose4j(own));
        }
        List<String> failures = new ArrayList<>();
        Set<String> signers = new HashSet<>();
        int verified = 0;
        try {
            Client client = Client.register(fast);
            List<Living> living = new ArrayList<>();
            for (int step = 0; signers.size() <= ROTATIONS; step++) {
                assertThat(step).as("minutes").isLessThan(2 * ROTATIONS * 10);
                // Clients of the slow node learn of a key last. Those that ask just before it is made keep the old set
                // longest.
                servers.get(step % 5).fetchIfStale(slow);
                if (step < 5) {
                    for (ResourceServer server : servers.subList(step + 1, 5)) {
                        server.fetch(Json.text(slow.signingKeys().publicKeys()));
                    }
                }
                for (TestNode node : List.of(fast, slow)) {
                    node.signingKeys().tend();
                    living.add(new Living(client.token(node), clock.instant().plus(SigningKeysContract.LIFETIME)));
                    signers.add(node.signingKeys().current().kid());
                }
                // All try the new tokens. The server with the newest keys and the one with the oldest try the older
                // tokens.
                List<ResourceServer> extremes = List.of(servers.get(step % 5), servers.get((step + 1) % 5));
                int older = living.size() - 4;
                for (Living one : living) {
                    for (ResourceServer server : older-- > 0 ? extremes : servers) {
                        if (server.clock().instant().isBefore(one.until().minusSeconds(30))) {
                            verified++;
                            try {
                                server.verify(one.token());
                            } catch (Exception e) {
                                failures.add("minute " + step + ": " + e.getMessage());
                            }
                        }
                    }
                }
                for (TestNode node : List.of(fast, slow)) {
                    Living oldest = living.get(0);
                    Living newest = living.get(living.size() - 1);
                    for (Living one : List.of(oldest, newest)) {
                        if (node.tokenVerifier().verify(one.token()).isEmpty()
                                && clock.instant().isBefore(one.until().minusSeconds(60))) {
                            failures.add("minute " + step + ": a node");
                        }
                    }
                }
                if (step % 50 == 49) {
                    fast.close();
                    fast = test.with(clock.ahead(Duration.ofSeconds(30))).start();
                }
                clock.pass(STEP);
                living.removeIf(one -> !clock.instant().isBefore(one.until()));
            }
        } finally {
            fast.close();
            slow.close();
        }
        assertThat(failures).isEmpty();
        assertThat(verified).isGreaterThan(10_000);
    }
}
