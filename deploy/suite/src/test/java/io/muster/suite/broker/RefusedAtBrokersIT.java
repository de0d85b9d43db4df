// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import static io.muster.suite.fixture.ProblemAssert.assertUnavailable;
import static io.muster.suite.fixture.Within.pass;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.spi.TimeLimit;
import io.muster.suite.fixture.BrokerQuestions;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The answers of two nodes to brokers of every kind about a device that is no longer good, or never was. */
@Tag("timing")
class RefusedAtBrokersIT {

    private static final Duration STALE = Duration.ofSeconds(2);

    private final RegistryUnderTest here = SharedWorld.onMariaDb();
    private final RegistryUnderTest there = SharedWorld.secondNode();

    @Test
    void deviceThatIsDisabledHereIsRefusedHereAtOnceAndThereWithinTwoSeconds() {
        Registered device = here.newDevice();
        // Now both remember it as good.
        assertThat(BrokerQuestions.notAllowed(here, device)).isEmpty();
        assertThat(BrokerQuestions.notAllowed(there, device)).isEmpty();

        assertThat(here.change(device.deviceId(), "disable").status()).isEqualTo(200);

        assertThat(BrokerQuestions.notRefused(here, device)).isEmpty();
        Duration late = within(STALE, "refused there", () -> BrokerQuestions.notRefused(there, device)
                .isEmpty());
        System.out.printf("refused on the other node after %d ms%n", late.toMillis());
    }

    @Test
    void devicesThatWereRevokedHereAreNeverLetInThereAfterTwoSeconds() throws Exception {
        List<String> serials = RegistryUnderTest.unusedSerials(20);
        here.expect("default", serials);
        List<Registered> devices = serials.stream().map(here::registered).toList();
        assertThat(devices)
                .allMatch(device -> BrokerQuestions.notAllowed(there, device).isEmpty());
        for (Registered device : devices) {
            assertThat(here.change(device.deviceId(), "revoke").status()).isEqualTo(200);
            assertThat(BrokerQuestions.isLetIn(here, device, 0)).isFalse();
        }

        pass(STALE);
        if (!TimeLimit.isChecked()) {
            within(STALE, "the last is refused there", () -> devices.stream()
                    .allMatch(
                            device -> BrokerQuestions.notRefused(there, device).isEmpty()));
        }
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<Boolean>> logins = new ArrayList<>();
            for (int i = 0; i < 1_000; i++) {
                Registered device = devices.get(i % devices.size());
                int turn = i / devices.size();
                logins.add(threads.submit(() -> BrokerQuestions.isLetIn(there, device, turn)));
            }
            int letIn = 0;
            for (Future<Boolean> login : logins) {
                letIn += login.get() ? 1 : 0;
            }
            assertThat(letIn).as("of 1,000 logins").isZero();
        } finally {
            threads.shutdownNow();
        }
    }

    /** The verifier of the fleet {@code dead} is unreachable. No device registers with it, so none can log in. */
    @Test
    void deviceWhoseVerifierIsSickHasNothingToLogInWith() {
        String serial = RegistryUnderTest.unusedSerial();
        Reply refused = here.registerIn("dead", serial);

        assertUnavailable(refused, "verification-unavailable");
        assertThat(refused.text()).doesNotContain("\"key\"", "\"secret\"");
        String id = "0".repeat(32);
        assertThat(BrokerQuestions.notRefused(here, new Registered(serial, id, serial, serial)))
                .isEmpty();
    }
}
