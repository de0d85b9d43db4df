// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static io.muster.suite.fixture.RegistryUnderTest.FORM;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.ProblemAssert;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A client that guesses is slowed down, and cannot lock out anybody by guessing. */
@Aside
class FailuresIT {

    @Test
    void afterAHundredFailuresFurtherOnesAreTooManyAndTheDeviceIsServedAllTheSame() {
        try (MusterServer server = MusterServer.start(SharedWorld.settings(
                SharedWorld.directory("failures"),
                Map.of("muster.limits.failures", "100", "muster.limits.window", "PT24H")))) {
            RegistryUnderTest registry = new RegistryUnderTest(server, server.operatorToken());
            Registered device = registry.newDevice();
            Registered neighbour = registry.newDevice();

            for (int i = 0; i < 50; i++) {
                assertThat(registry.token(device.key(), "wrong" + i).status()).isEqualTo(401);
                assertThat(renew(registry, device.key(), "wrong" + i).status()).isEqualTo(401);
            }
            for (int i = 0; i < 20; i++) {
                Reply reply = registry.token(device.key(), "wrong" + i);
                ProblemAssert.assertProblem(reply, 429, "too-many-requests");
                assertThat(Integer.parseInt(reply.header("Retry-After").orElseThrow()))
                        .isBetween(86_000, 88_000);
            }
            ProblemAssert.assertProblem(
                    registry.post(
                            "revoke", FORM, "token=x", "Authorization", RegistryUnderTest.basic(device.key(), "wrong")),
                    429,
                    "too-many-requests");

            ProblemAssert.assertProblem(renew(registry, device.key(), "wrong"), 429, "too-many-requests");

            assertThat(registry.token(device).status()).isEqualTo(200);
            assertThat(renew(registry, device.key(), device.secret()).status()).isEqualTo(200);
            assertThat(registry.token(neighbour).status()).isEqualTo(200);
            assertThat(registry.token(neighbour.key(), "wrong").status()).isEqualTo(401);
        }
    }

    private static Reply renew(RegistryUnderTest registry, String key, String secret) {
        return registry.post(
                "devices/me/credentials", JSON, "{}", "Authorization", RegistryUnderTest.basic(key, secret));
    }
}
