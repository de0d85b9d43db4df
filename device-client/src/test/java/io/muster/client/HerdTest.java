// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.client.Herd.Overload;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A hundred thousand devices get their power back in one second; the registry can serve a thousand requests per second.
 */
@Timeout(60)
class HerdTest {

    private static final int DEVICES = 100_000;
    private static final int CAPACITY = 1_000;

    private static Herd.Report herd(Overload overload, Duration initialSpread) {
        return new Herd(DEVICES, CAPACITY, overload, initialSpread, new SplittableRandom(3)).run();
    }

    @Test
    void registryThatSaysWhenItHasRoomHasAllOfThemBackInOneAndAHalfTimesTheLeast() {
        Herd.Report report = herd(Overload.RETRY_AFTER_IN_TURN, Duration.ZERO);

        assertThat(report.allBack()).isLessThan(1.5 * report.ideal());
        assertThat(report.peakAfterAMinute()).isLessThan(1.2);
        assertThat(report.requestsPerSuccess()).isLessThan(2.1);
    }

    @Test
    void registryThatIsFourTimesSlowerThanItPresumedHasThemBackInTimeToo() {
        Herd.Report report =
                new Herd(DEVICES, 250, Overload.RETRY_AFTER_IN_TURN, Duration.ZERO, new SplittableRandom(3)).run();

        assertThat(report.allBack()).isLessThan(1.5 * report.ideal());
        assertThat(report.requestsPerSuccess()).isLessThan(3);
    }

    @ParameterizedTest
    @EnumSource
    void spreadAsLongAsTheRegistryNeedsMakesOneRequestOfEachWhateverItDoes(Overload overload) {
        Herd.Report report = herd(overload, Duration.ofMinutes(2));

        assertThat(report.allBack()).isLessThan(1.25 * report.ideal());
        assertThat(report.peakAfterAMinute()).isLessThan(1.2);
        assertThat(report.requestsPerSuccess()).isLessThan(1.01);
    }

    @ParameterizedTest
    @EnumSource(
            value = Overload.class,
            names = {"BUSY", "RETRY_AFTER_ONE"})
    void registryThatSaysNothingOfUseIsNotOverrunAfterTheFirstMinute(Overload overload) {
        Herd.Report report = herd(overload, Duration.ZERO);

        assertThat(report.peakAfterAMinute()).isLessThan(1.2);
        assertThat(report.allBack()).isLessThan(4 * report.ideal());
        assertThat(report.median()).isLessThan(0.6 * report.ideal());
    }

    @Test
    void registryThatDoesNotAnswerAtAllHasThemBackInFourTimesTheLeast() {
        assertThat(herd(Overload.SILENCE, Duration.ZERO).allBack()).isLessThan(400);
    }

    @Test
    void withoutJitterTheSameTakesFiftyTimesAsLong() {
        Herd.Report without = new Herd(DEVICES / 10, CAPACITY / 10, Overload.BUSY, Duration.ZERO, () -> -1L).run();

        assertThat(without.allBack()).isGreaterThan(50 * without.ideal());
        assertThat(without.peakAfterAMinute()).isGreaterThan(5);
    }
}
