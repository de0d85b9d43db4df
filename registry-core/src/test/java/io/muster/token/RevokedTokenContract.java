// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.spi.Candidates;
import io.muster.spi.TimeLimit;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The promises about the revocation of a single access token on every database, over several nodes. */
interface RevokedTokenContract {

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private static String token(TestNode registry, RegistrationReceipt receipt) {
        return registry.tokenIssuer()
                .issue(registry.authenticator()
                        .authenticate(receipt.key(), receipt.secret())
                        .orElseThrow());
    }

    private static void revoke(TestNode registry, String token) {
        registry.revokedTokens().revoke(registry.tokenVerifier().verify(token).orElseThrow());
    }

    /** Looks again and again, and fails after two seconds. */
    private static void assertInactiveSoon(TestNode registry, String token) throws Exception {
        ScheduledExecutorService looking = Executors.newSingleThreadScheduledExecutor();
        try {
            CompletableFuture<Void> gone = new CompletableFuture<>();
            var unused = looking.scheduleWithFixedDelay(
                    () -> {
                        if (registry.tokenVerifier().verify(token).isEmpty()) {
                            gone.complete(null);
                        }
                    },
                    0,
                    10,
                    TimeUnit.MILLISECONDS);
            gone.get(TimeLimit.of(Duration.ofSeconds(2)).toMillis(), TimeUnit.MILLISECONDS);
        } finally {
            looking.shutdownNow();
        }
    }

    @Tag("timing")
    @Test
    default void revokedTokenIsInactiveHereAtOnceAndThereWithinTwoSeconds() throws Exception {
        TestRegistry test = Fixture.admitting(fresh());
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            RegistrationReceipt receipt = one.registrar().register(Candidates.withSerial("SN-0001"));
            RegistrationReceipt other = one.registrar().register(Candidates.withSerial("SN-0002"));
            String revoked = token(one, receipt);
            String kept = token(one, receipt);
            String others = token(one, other);
            for (String token : Set.of(revoked, kept, others)) {
                assertThat(two.tokenVerifier().verify(token)).isPresent();
            }

            revoke(one, revoked);

            assertThat(one.tokenVerifier().verify(revoked)).isEmpty();
            assertInactiveSoon(two, revoked);
            for (TestNode node : Set.of(one, two)) {
                assertThat(node.tokenVerifier().verify(kept)).isPresent();
                assertThat(node.tokenVerifier().verify(others)).isPresent();
                assertThat(node.tokenVerifier().verify(token(one, receipt))).isPresent();
            }
        }
        try (TestNode again = test.start()) {
            RegistrationReceipt receipt = again.registrar().register(Candidates.withSerial("SN-0003"));
            String token = token(again, receipt);
            revoke(again, token);
            assertThat(again.tokenVerifier().verify(token)).isEmpty();
        }
    }

    @Test
    default void tokenMayBeRevokedByManyAtOnce() {
        TestRegistry test = Fixture.admitting(fresh());
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            String token = token(one, one.registrar().register(Candidates.withSerial("SN-0001")));
            VerifiedToken verified = one.tokenVerifier().verify(token).orElseThrow();

            IntStream.range(0, 24)
                    .parallel()
                    .forEach(i -> (i % 2 == 0 ? one : two).revokedTokens().revoke(verified));

            assertThat(one.tokenVerifier().verify(token)).isEmpty();
            assertThat(two.tokenVerifier().verify(token)).isEmpty();
        }
    }
}
