// SPDX-License-Identifier: Apache-2.0
package io.muster.issuer.secret;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestRegistry;
import io.muster.credential.Secrets;
import io.muster.persistence.Ids;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.CredentialIssuerContract;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SecretIssuerTest implements CredentialIssuerContract {

    private final CredentialIssuer issuer = new SecretIssuer(new Ids(Clock.fixed(TestRegistry.NOW, ZoneOffset.UTC)));

    @Override
    public CredentialIssuer issuer() {
        return issuer;
    }

    @Test
    void millionSecretsHave256BitsNoRepeatAndEvenBytes() {
        int secrets = 1_000_000;
        Set<String> seen = new HashSet<>(secrets * 2);
        long[] counts = new long[256];
        for (int i = 0; i < secrets; i++) {
            String secret = Secrets.next();
            assertThat(seen.add(secret)).isTrue();
            byte[] bytes = Base64.getUrlDecoder().decode(secret);
            assertThat(bytes.length).isEqualTo(32);
            for (byte b : bytes) {
                counts[b & 0xff]++;
            }
        }

        double expected = secrets * 32 / 256.0;
        double chiSquare = 0;
        for (long count : counts) {
            chiSquare += (count - expected) * (count - expected) / expected;
        }
        // 255 degrees of freedom: outside of this once in more than a million runs.
        assertThat(chiSquare).isBetween(150.0, 380.0);
    }

    @Test
    void keysAreLettersAndDigitsInTheOrderOfTheirTime() {
        String earlier = new Ids(Clock.fixed(TestRegistry.NOW, ZoneOffset.UTC)).nextKey();
        String later = new Ids(Clock.fixed(TestRegistry.NOW.plusMillis(1), ZoneOffset.UTC)).nextKey();

        assertThat(earlier).matches("[0-9A-Za-z]{22}");
        assertThat(later).isGreaterThan(earlier);
    }

    @Test
    void wholeSecretCounts() {
        String secret = Secrets.next();

        assertThat(Secrets.same(Secrets.hash(secret), Secrets.hash(secret))).isTrue();
        assertThat(Secrets.same(Secrets.hash(secret), Secrets.hash(secret + "x")))
                .isFalse();
        assertThat(Secrets.same(Secrets.hash("x".repeat(72) + "a"), Secrets.hash("x".repeat(72) + "b")))
                .isFalse();
    }
}
