// SPDX-License-Identifier: Apache-2.0
package io.muster.once;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestRegistry;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The tests of proofs check the other rules for nonces. */
class NoncesTest {

    private static final URI ISSUER = URI.create("https://registry.example");

    private static Nonces node(Duration ahead) {
        return new Nonces(List.of(new byte[32]), ISSUER, Clock.fixed(TestRegistry.NOW.plus(ahead), ZoneOffset.UTC));
    }

    private final Nonces here = node(Duration.ZERO);

    @Test
    void nonceIsShortPlainTextAndGoodForFiveMinutes() {
        Nonces.Nonce nonce = here.issue();

        assertThat(nonce.nonce()).matches("[A-Za-z0-9_-]{76}");
        assertThat(nonce.expiresAt()).isEqualTo(TestRegistry.NOW.plusSeconds(300));
    }

    @Test
    void noTwoAreTheSameAndNoTwoSpendTheSame() {
        Set<String> nonces = new HashSet<>();
        Set<String> ids = new HashSet<>();
        for (int i = 0; i < 1000; i++) {
            String nonce = here.issue().nonce();
            nonces.add(nonce);
            ids.add(java.util.Arrays.toString(here.accept(nonce).orElseThrow().id()));
        }
        assertThat(nonces).hasSize(1000);
        assertThat(ids).hasSize(1000);
    }

    @Test
    void acceptingTwiceSpendsTheSame() {
        String nonce = here.issue().nonce();

        assertThat(here.accept(nonce).orElseThrow().id())
                .isEqualTo(
                        node(Duration.ofSeconds(30)).accept(nonce).orElseThrow().id());
    }

    @Test
    void nodeWhoseClockIsABitBehindAcceptsIt() {
        String nonce = here.issue().nonce();

        assertThat(node(Duration.ofMinutes(-1)).accept(nonce)).isPresent();
        assertThat(node(Duration.ofSeconds(-61)).accept(nonce)).isEmpty();
        assertThat(node(Duration.ofSeconds(299)).accept(nonce)).isPresent();
        assertThat(node(Duration.ofMinutes(5)).accept(nonce)).isEmpty();
    }
}
