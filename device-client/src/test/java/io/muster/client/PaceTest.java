// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.net.URI;
import java.net.http.HttpHeaders;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class PaceTest {

    private static final RandomGenerator LARGEST = () -> -1L;
    private static final RandomGenerator SMALLEST = () -> 0L;
    private static final Duration A_BIT = Duration.ofMillis(1);

    private final FakeTime time = new FakeTime();

    private Pace pace(RandomGenerator random) {
        return new Pace(time, random, Duration.ZERO);
    }

    @Test
    void firstAttemptIsAtOnce() {
        assertThat(pace(LARGEST).untilTurn()).isZero();
    }

    @Test
    void ceilingDoublesFrom1SecondTo5Minutes() {
        Pace pace = pace(LARGEST);

        List<Long> ceilings = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            pace.failed(Duration.ZERO);
            ceilings.add(Math.round(pace.untilTurn().toNanos() / 1e9));
        }

        assertThat(ceilings)
                .startsWith(1L, 2L, 4L, 8L, 16L, 32L, 64L, 128L, 256L, 300L, 300L)
                .endsWith(300L);
    }

    @Test
    void jitterIsFullAndEven() {
        List<Double> waits = new ArrayList<>();
        RandomGenerator random = new Random(7);
        for (int i = 0; i < 10_000; i++) {
            Pace pace = pace(random);
            pace.failed(Duration.ZERO);
            waits.add(pace.untilTurn().toNanos() / 1e9);
        }

        assertThat(waits).allMatch(wait -> wait >= 0 && wait <= 1);
        for (int i = 0; i < 10; i++) {
            int tenth = i;
            assertThat(waits.stream().filter(wait -> (int) (wait * 10) == tenth).count())
                    .isCloseTo(1000L, within(150L));
        }
    }

    @Test
    void answerResetsThePace() {
        Pace pace = pace(LARGEST);
        for (int i = 0; i < 10; i++) {
            pace.failed(Duration.ZERO);
        }

        pace.succeeded();
        assertThat(pace.untilTurn()).isZero();

        pace.failed(Duration.ZERO);
        assertThat(pace.untilTurn()).isCloseTo(Duration.ofSeconds(1), A_BIT);
    }

    @Test
    void waitOfTheRegistryIsAMinimum() {
        Pace pace = pace(SMALLEST);

        pace.failed(Duration.ofHours(30));

        assertThat(pace.untilTurn()).isEqualTo(Duration.ofHours(30));
    }

    @ParameterizedTest
    @CsvSource({"PT0S,PT1S", "PT1S,PT2S", "PT60S,PT90S", "PT10M,PT15M", "PT30H,PT30H5M"})
    void jitterOnTopOfItIsHalfOfItWithin1SecondAnd5Minutes(Duration said, Duration longest) {
        Pace pace = pace(LARGEST);

        pace.failed(said);

        assertThat(pace.untilTurn()).isCloseTo(longest, A_BIT);
    }

    @Test
    void turnComesAsTimePasses() {
        Pace pace = pace(SMALLEST);
        pace.failed(Duration.ofSeconds(10));

        time.pass(Duration.ofSeconds(4));
        assertThat(pace.untilTurn()).isEqualTo(Duration.ofSeconds(6));

        time.pass(Duration.ofSeconds(7));
        assertThat(pace.untilTurn()).isZero();
    }

    @Test
    void initialSpreadDelaysTheFirstAttempt() {
        assertThat(new Pace(time, LARGEST, Duration.ofMinutes(1)).untilTurn()).isCloseTo(Duration.ofMinutes(1), A_BIT);
    }

    @ParameterizedTest
    @CsvSource({
        "0, PT0S",
        "120, PT2M",
        " 7 , PT7S",
        "86400, PT24H",
        "'Mon, 23 Nov 2026 08:50:37 GMT', PT1M",
        "'Monday, 23-Nov-26 08:50:37 GMT', PT1M",
        "'Mon Nov 23 08:50:37 2026', PT1M",
        "'Mon, 23 Nov 2026 08:00:00 GMT', PT0S",
    })
    void bothFormsOfRetryAfterAreUnderstoodWhateverTheDevicesClockSays(String value, Duration wait) {
        String date = "Mon, 23 Nov 2026 08:49:37 GMT";

        assertThat(RetryAfter.in(headers("Retry-After", value, "Date", date))).contains(wait);
    }

    @Test
    void dateWithoutADateToMeasureItAgainstIsTheLongestBackoff() {
        assertThat(RetryAfter.in(headers("Retry-After", "Mon, 23 Nov 2026 08:50:37 GMT")))
                .contains(Duration.ofMinutes(5));
    }

    @ParameterizedTest
    @ValueSource(strings = {"99999999999", "9223372036854775807", "99999999999999999999999999"})
    void hugeRetryAfterIsForEverAndNotAnOverflow(String seconds) {
        Duration wait = RetryAfter.in(headers("Retry-After", seconds)).orElseThrow();
        Pace pace = pace(LARGEST);

        pace.failed(wait);

        assertThat(wait).isEqualTo(Pace.FOR_EVER);
        assertThat(pace.untilTurn()).isGreaterThanOrEqualTo(Pace.FOR_EVER);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "soon", "1.5", "٣", "2026-11-23T00:00:00Z"})
    void retryAfterInNoKnownFormIsNone(String value) {
        assertThat(RetryAfter.in(headers("Retry-After", value))).isEmpty();
    }

    @Test
    void clientObeysSecondsAndDates(@TempDir Path directory) throws Exception {
        try (BreakingServer registry = new BreakingServer(
                "HTTP/1.1 429 Slow\r\nRetry-After: 3600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                "HTTP/1.1 503 Sick\r\nRetry-After: Sun, 06 Nov 1994 08:51:37 GMT\r\n"
                        + "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                "HTTP/1.1 202 Wait\r\nRetry-After: 60\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 43\r\nConnection: close\r\n\r\n"
                        + "{\"deviceId\":\"d\",\"key\":\"k\",\"secret\":\"s\"}    ")) {

            device(registry.uri(), directory).random(SMALLEST).build().register();

            assertThat(time.sleeps())
                    .containsExactly(Duration.ofHours(1), Duration.ofMinutes(2), Duration.ofMinutes(1));
        }
    }

    @Test
    void callThatWouldHaveToWaitTooLongFailsAtOnceAndTheNextOneStillWaits(@TempDir Path directory) throws Exception {
        try (ScriptedRegistry registry =
                new ScriptedRegistry().thenStatus(429, "Retry-After", "3600").thenReceipt()) {
            DeviceClient client = device(registry.uri(), directory)
                    .random(SMALLEST)
                    .giveUpAfter(Duration.ofMinutes(2))
                    .build();

            assertThatThrownBy(client::register)
                    .isInstanceOfSatisfying(UnavailableException.class, e -> assertThat(e.retryAfter())
                            .isEqualTo(Duration.ofHours(1)))
                    .hasMessageContaining("429");
            assertThatThrownBy(client::register).isInstanceOf(UnavailableException.class);
            assertThat(registry.requests()).hasSize(1);
            assertThat(time.sleeps()).isEmpty();

            time.pass(Duration.ofMinutes(59));
            client.register();
            assertThat(time.sleeps()).containsExactly(Duration.ofMinutes(1));
        }
    }

    @Test
    void clientSpreadsItsFirstRequestOnly(@TempDir Path directory) throws Exception {
        try (ScriptedRegistry registry = new ScriptedRegistry().thenReceipt().thenToken("t", 900)) {
            DeviceClient client = device(registry.uri(), directory)
                    .random(LARGEST)
                    .initialSpread(Duration.ofSeconds(30))
                    .build();

            client.accessToken();

            assertThat(time.sleeps()).singleElement().satisfies(sleep -> assertThat(sleep)
                    .isCloseTo(Duration.ofSeconds(30), A_BIT));
        }
    }

    private DeviceClient.Builder device(URI registry, Path directory) {
        return DeviceClient.builder()
                .registry(registry)
                .serial("SN-0007")
                .store(directory.resolve("device.json"))
                .waiting(time);
    }

    private static HttpHeaders headers(String... pairs) {
        Map<String, List<String>> headers = new HashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            headers.put(pairs[i], List.of(pairs[i + 1]));
        }
        return HttpHeaders.of(headers, (name, value) -> true);
    }
}
