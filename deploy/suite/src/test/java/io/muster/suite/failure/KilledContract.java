// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.Within;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Acknowledged registrations survive {@code kill -9} under load. */
interface KilledContract {

    int CYCLES = 3;
    int ENOUGH = 150;

    /** A registry that may be killed. */
    RegistryUnderTest registry();

    @Test
    default void everyAcknowledgedRegistrationSurvivesTheKillingOfTheRegistry() {
        for (int cycle = 0; cycle < CYCLES; cycle++) {
            assertSurvives(registry(), () -> registry().server().kill(), () -> registry()
                    .server()
                    .restart());
        }
    }

    /** Kills under load. Then every device that got a 200 gets a token, and no serial has two devices. */
    static void assertSurvives(RegistryUnderTest registry, Runnable kill, Runnable revive) {
        List<String> serials = RegistryUnderTest.unusedSerials(4000);
        registry.expect("default", serials);
        Queue<String> toRegister = new ConcurrentLinkedQueue<>(serials);
        Map<String, Registered> acknowledged = new ConcurrentHashMap<>();
        Queue<String> other = new ConcurrentLinkedQueue<>();
        AtomicBoolean killed = new AtomicBoolean();

        int threads = 8;
        ExecutorService load = Executors.newFixedThreadPool(threads);
        for (int i = 0; i < threads; i++) {
            load.execute(() -> {
                while (!killed.get()) {
                    String serial = toRegister.poll();
                    if (serial == null) {
                        return;
                    }
                    try {
                        Reply reply = registry.register(serial);
                        if (reply.status() == 200) {
                            acknowledged.put(serial, RegistryUnderTest.receipt(serial, reply));
                        } else {
                            other.add(reply.toString());
                        }
                    } catch (UncheckedIOException connectionBroke) {
                        // nothing was acknowledged
                    }
                }
            });
        }
        Within.within(Duration.ofSeconds(60), "a load", () -> acknowledged.size() >= ENOUGH);
        assertThat(other).isEmpty();
        assertThat(toRegister).as("what is left to register when it is killed").isNotEmpty();
        kill.run();
        killed.set(true);
        load.shutdown();
        try {
            assertThat(load.awaitTermination(90, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        revive.run();

        assertThat(acknowledged.values())
                .allSatisfy(device -> assertThat(registry.token(device).status())
                        .as(device.serial())
                        .isEqualTo(200));
        Map<String, List<String>> devices = devicesBySerial(registry);
        assertThat(devices)
                .allSatisfy((serial, ids) -> assertThat(ids).as(serial).hasSize(1));
        assertThat(devices.keySet()).containsAll(acknowledged.keySet());
        assertThat(acknowledged.values())
                .allSatisfy(device -> assertThat(devices.get(device.serial())).containsExactly(device.deviceId()));
        // A device whose reply was lost registers again, and remains the device that it was, if it was one.
        Collection<String> lost = new ArrayList<>(serials.subList(0, serials.size() - toRegister.size()));
        lost.removeAll(acknowledged.keySet());
        assertThat(lost).allSatisfy(serial -> {
            Registered healed = registry.registered(serial);
            assertThat(registry.token(healed).status()).isEqualTo(200);
            assertThat(devices.getOrDefault(serial, List.of(healed.deviceId()))).containsExactly(healed.deviceId());
        });
    }

    private static Map<String, List<String>> devicesBySerial(RegistryUnderTest registry) {
        Map<String, List<String>> devices = new HashMap<>();
        String cursor = "";
        do {
            JsonNode page = registry.listDevices("?limit=1000" + cursor).json();
            for (JsonNode device : page.path("devices")) {
                devices.computeIfAbsent(device.path("serial").asText(), serial -> new ArrayList<>())
                        .add(device.path("deviceId").asText());
            }
            cursor = page.has("next") ? "&cursor=" + page.path("next").asText() : "";
        } while (!cursor.isEmpty());
        return devices;
    }
}
