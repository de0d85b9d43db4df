package io.muster.problem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class LimitsTest {

    private static final int REFUSALS = 100;
    private final Limits limits =
            new Limits(REFUSALS, Duration.ofMinutes(1), Clock.fixed(TestRegistry.NOW, ZoneOffset.UTC));

    @Test
    void strangerIsTurnedAwayAfterSoManyRefusalsAndItsNeighbourIsNot() {
        for (int i = 0; i < REFUSALS; i++) {
            limits.check("127.0.0.1 as a");
            limits.refused("127.0.0.1 as a");
        }

        assertThatThrownBy(() -> limits.check("127.0.0.1 as a")).isInstanceOfSatisfying(RegistryException.class, e -> {
            assertThat(e.type()).isEqualTo(ProblemType.TOO_MANY_REQUESTS);
            assertThat(e.retryAfter()).hasValue(Duration.ofMillis(600));
        });
        assertThatCode(() -> limits.check("127.0.0.1 as b")).doesNotThrowAnyException();
        assertThatCode(() -> limits.check("127.0.0.2 as a")).doesNotThrowAnyException();
    }

    @Test
    void nameIsRememberedInPartIfItIsLong() {
        String name = "x".repeat(200);
        for (int i = 0; i < REFUSALS; i++) {
            limits.refused(name + i);
        }

        assertThatThrownBy(() -> limits.check(name + "y")).isInstanceOf(RegistryException.class);
    }
}
