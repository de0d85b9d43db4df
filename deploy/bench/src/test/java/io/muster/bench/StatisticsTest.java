// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class StatisticsTest {

    @Test
    void percentileIsTheNearestRank() {
        long[] hundred = LongStream.rangeClosed(1, 100).toArray();

        assertThat(Statistics.percentile(hundred, 50)).isEqualTo(50);
        assertThat(Statistics.percentile(hundred, 99)).isEqualTo(99);
        assertThat(Statistics.percentile(hundred, 99.5)).isEqualTo(100);
        assertThat(Statistics.percentile(hundred, 100)).isEqualTo(100);
        assertThat(Statistics.percentile(hundred, 0.001)).isEqualTo(1);
    }

    @Test
    void percentileOfFewValuesIsOneOfThem() {
        assertThat(Statistics.percentile(new long[] {7}, 99)).isEqualTo(7);
        assertThat(Statistics.percentile(new long[] {7, 9}, 50)).isEqualTo(7);
        assertThat(Statistics.percentile(new long[] {7, 9}, 51)).isEqualTo(9);
        assertThat(Statistics.percentile(new long[0], 99)).isZero();
    }

    @Test
    void percentileOutsideOfTheScaleIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Statistics.percentile(new long[] {1}, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> Statistics.percentile(new long[] {1}, 100.1));
    }

    @Test
    void ratesAndRatiosOfNothingAreZero() {
        assertThat(Statistics.perSecond(500, 250_000_000)).isEqualTo(2000);
        assertThat(Statistics.perSecond(500, 0)).isZero();
        assertThat(Statistics.ratio(80, 100)).isEqualTo(0.8);
        assertThat(Statistics.ratio(80, 0)).isZero();
    }

    @Test
    void medianIsTheMiddle() {
        assertThat(Statistics.median(List.of(3.0, 1.0, 2.0))).isEqualTo(2);
        assertThat(Statistics.median(List.of(4.0, 1.0, 2.0, 3.0))).isEqualTo(2.5);
        assertThat(Statistics.median(List.of())).isZero();
    }

    @Test
    void partsAreSortedTogether() {
        assertThat(Statistics.sorted(List.of(new long[] {5, 1}, new long[0], new long[] {3})))
                .containsExactly(1, 3, 5);
    }
}
