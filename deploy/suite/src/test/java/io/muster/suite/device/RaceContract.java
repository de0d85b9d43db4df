// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.body;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.RawHttp;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** One serial is one device, however many requests come at once and however it is spelt. */
interface RaceContract {

    int CLIENTS = 64;

    RegistryUnderTest registry();

    @Test
    default void sixtyFourRegistrationsAtOnceMakeOneDeviceWithOneGoodCredential() throws Exception {
        String serial = registry().expectedSerial();
        byte[] request = RawHttp.request("POST", "/register", JSON, body(serial).getBytes(StandardCharsets.UTF_8));

        List<Reply> replies = releasedTogether(request);

        assertThat(replies).hasSize(CLIENTS).allMatch(reply -> reply.status() == 200);
        List<Registered> registered = replies.stream()
                .map(reply -> RegistryUnderTest.receipt(serial, reply))
                .toList();
        Set<String> ids = registered.stream().map(Registered::deviceId).collect(Collectors.toSet());
        assertThat(ids).hasSize(1);
        assertThat(registered.stream().map(Registered::key).distinct()).hasSize(CLIENTS);
        assertThat(registry().devicesOf(serial)).hasSize(1);
        // Each one voided the one before it.
        assertThat(registered.stream().filter(device -> registry().token(device).status() == 200))
                .hasSize(1);
    }

    /** Sends all but the last byte on every connection before the first one sends it. */
    private List<Reply> releasedTogether(byte[] request) throws Exception {
        byte[] allButTheLast = Arrays.copyOf(request, request.length - 1);
        byte[] last = {request[request.length - 1]};
        List<RawHttp> connections = new ArrayList<>();
        ExecutorService readers = Executors.newFixedThreadPool(CLIENTS);
        try {
            for (int i = 0; i < CLIENTS; i++) {
                RawHttp connection = new RawHttp(registry().base());
                connections.add(connection);
                connection.write(allButTheLast);
            }
            for (RawHttp connection : connections) {
                connection.write(last);
            }
            List<Future<Reply>> reading = new ArrayList<>();
            for (RawHttp connection : connections) {
                reading.add(readers.submit(() -> connection.reply(false)));
            }
            List<Reply> replies = new ArrayList<>();
            for (Future<Reply> reply : reading) {
                replies.add(reply.get());
            }
            return replies;
        } finally {
            readers.shutdownNow();
            for (RawHttp connection : connections) {
                connection.close();
            }
        }
    }

    @Test
    default void otherSpellingsOfASerialAreNeverThatDevice() {
        String serial = RegistryUnderTest.unusedSerial() + "-abc1";
        registry().expect(serial);
        Registered device = registry().registered(serial);

        for (String other : List.of(
                serial.replace("SN", "sn"),
                serial.replace("abc1", "ABC1"),
                serial + " ",
                " " + serial,
                serial + "\\u0000",
                serial + "\\u00a0",
                serial.replace("abc", "\u00c4bc"),
                serial.replace("abc", "a\u0308bc"),
                serial.replace("abc", "\uff41bc"),
                serial.replace("abc", "\u0430bc"),
                serial + "\\u200b")) {
            Reply reply = registry().register(other);
            assertThat(reply.status()).as(other + ": " + reply).isBetween(400, 403);
        }
        assertThat(registry().devicesOf(serial)).hasSize(1);
        // The first credential was voided by none of them.
        assertThat(registry().token(device).status()).isEqualTo(200);
    }

    @Test
    default void twoSpellingsThatAreBothExpectedAreTwoDevices() {
        String upper = RegistryUnderTest.unusedSerial() + "-ABC1";
        String lower = upper.replace("ABC1", "abc1");
        registry().expect(upper, lower);

        Registered one = registry().registered(upper);
        Registered two = registry().registered(lower);

        assertThat(one.deviceId()).isNotEqualTo(two.deviceId());
        assertThat(registry().token(one).status()).isEqualTo(200);
        assertThat(registry().token(two).status()).isEqualTo(200);
        assertThat(registry().devicesOf(upper)).hasSize(1);
        assertThat(registry().devicesOf(lower)).hasSize(1);
    }
}
