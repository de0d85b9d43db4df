// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.assertUnavailable;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.spi.TimeLimit;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A verifier that is another party's API: its failure is never a yes, never a no, and never takes long. */
@Tag("timing")
class VerifierIT {

    /** The verifiers' own limit is one second. */
    private static final Duration LIMIT = Duration.ofSeconds(2);

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();

    /** A serial at which the stub behaves in this way. */
    private static String serial(String behaviour) {
        return behaviour + RegistryUnderTest.unusedSerial();
    }

    private Reply timely(String fleet, String serial) {
        long started = System.nanoTime();
        Reply reply = registry.registerIn(fleet, serial);
        assertThat(Duration.ofNanos(System.nanoTime() - started)).as(serial).isLessThan(TimeLimit.of(LIMIT));
        return reply;
    }

    private boolean isDevice(String serial) {
        List<JsonNode> devices = registry.devicesOf(serial);
        return !devices.isEmpty();
    }

    @Test
    void genuineSerialRegisters() {
        String serial = serial("GOOD");

        assertThat(timely("erp", serial).status()).isEqualTo(200);
        assertThat(registry.devicesOf(serial).get(0).path("fleet").asText()).isEqualTo("erp");
    }

    @ParameterizedTest
    @ValueSource(strings = {"UNKN", "REFU", "FALS", "TEXT", "ONE-"})
    void whatIsNotGenuineIsRefused(String behaviour) {
        String serial = serial(behaviour);

        assertProblem(timely("erp", serial), 400, "registration-refused");
        assertThat(isDevice(serial)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SLOW", "DROP", "E500", "E401", "MOVE", "HTML", "VOID", "HALF", "TAIL", "TWIC", "NONE", "OTHR", "HUGE"
            })
    void whatIsNoAnswerIsUnavailableInTime(String behaviour) {
        String serial = serial(behaviour);

        assertUnavailable(timely("erp", serial), "verification-unavailable");
        assertThat(isDevice(serial)).isFalse();
    }

    @Test
    void verifierThatIsNotThereIsUnavailableAndTheNextOneIsNotAsked() {
        String serial = RegistryUnderTest.unusedSerial();
        registry.expect("dead", List.of(serial));

        assertUnavailable(timely("dead", serial), "verification-unavailable");
        assertThat(isDevice(serial)).isFalse();
    }

    @Test
    void verifierThatMayBeSkippedIs() {
        String serial = RegistryUnderTest.unusedSerial();
        registry.expect("lenient", List.of(serial));

        assertThat(timely("lenient", serial).status()).isEqualTo(200);
        assertProblem(timely("lenient", RegistryUnderTest.unusedSerial()), 400, "registration-refused");
    }

    @Test
    void oneOfSeveralVerifiersIsEnoughUnlessOneRefuses() {
        String onlyInTheList = serial("UNKN");
        String refused = serial("REFU");
        registry.expect("either", List.of(onlyInTheList, refused));

        assertThat(timely("either", serial("GOOD")).status()).isEqualTo(200);
        assertThat(timely("either", onlyInTheList).status()).isEqualTo(200);
        assertProblem(timely("either", refused), 400, "registration-refused");
        assertProblem(timely("either", serial("UNKN")), 400, "registration-refused");
    }

    @Test
    void twoThatAreRequiredMustBothSayGenuine() {
        String both = serial("GOOD");
        String onlyInTheList = serial("UNKN");
        String sick = serial("E500");
        registry.expect("both", List.of(both, onlyInTheList, sick));

        assertThat(timely("both", both).status()).isEqualTo(200);
        assertProblem(timely("both", onlyInTheList), 400, "registration-refused");
        assertProblem(timely("both", serial("GOOD")), 400, "registration-refused");
        assertUnavailable(timely("both", sick), "verification-unavailable");
        assertThat(isDevice(sick)).isFalse();
    }

    @Test
    void sickVerifierHoldsUpNobodyElse() {
        Thread slow = new Thread(() -> registry.registerIn("erp", serial("SLOW")));
        slow.start();

        assertThat(timely("erp", serial("GOOD")).status()).isEqualTo(200);
        assertThat(registry.register(registry.expectedSerial()).status()).isEqualTo(200);
        Within.within(Duration.ofSeconds(5), "the slow one ends", () -> !slow.isAlive());
    }
}
