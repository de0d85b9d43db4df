// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.device.OwnerMark;
import io.muster.json.Fields;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopicsTest {

    private static final DeviceId DEVICE = new DeviceId("0123456789abcdef0123456789abcdef");

    private static final OwnerMark OWNER = new OwnerMark("fedcba9876543210fedcba9876543210");

    private static Topics.OfDevice of(String serial, String... subscribe) {
        return new Topics(List.of(), List.of(subscribe))
                .of(DEVICE, "pumps", new SerialNumber(serial), Optional.of(OWNER));
    }

    private static Fields fields(String member, String pattern) {
        Fields fields = Fields.of(("{\"" + member + "\":[\"" + pattern + "\"]}").getBytes(StandardCharsets.UTF_8));
        Topics.read(fields);
        return fields;
    }

    @Test
    void whatStandsForTheDevicesOwnIsReplaced() {
        assertThat(of("SN-0001", "a/{deviceId}/{fleet}/{serial}/{owner}/b", "all")
                        .subscribe())
                .containsExactly("a/" + DEVICE.value() + "/pumps/SN-0001/" + OWNER.value() + "/b", "all");
    }

    @Test
    void deviceWithoutOwnerHasNoTopicsOfOne() {
        Topics topics = new Topics(List.of("{owner}/{deviceId}", "x/{deviceId}"), List.of("o-{owner}", "all"));

        assertThat(topics.of(DEVICE, "pumps", new SerialNumber("SN-0001"), Optional.empty()))
                .isEqualTo(new Topics.OfDevice(Set.of("x/" + DEVICE.value()), Set.of("all")));
        assertThat(topics.haveOwner()).isTrue();
        assertThat(Topics.STANDARD.haveOwner()).isFalse();
    }

    @Test
    void spaceInATokenIsThatOfADeviceWithOwner() {
        Topics with = new Topics(List.of("{owner}/{deviceId}"), List.of());
        Topics without = new Topics(List.of("/{deviceId}"), List.of());

        assertThat(with.spaceInClaims("pumps")).isEqualTo(without.spaceInClaims("pumps") + 32);
    }

    @Test
    void ofEveryDeviceAtOnceOnlyWhereTheIdIsALevel() {
        assertThat(new Topics(List.of("{fleet}/{deviceId}/state"), List.of("all"))
                        .ofEvery("%c", "pumps")
                        .orElseThrow())
                .isEqualTo(new Topics.OfDevice(Set.of("pumps/%c/state"), Set.of("all")));
        assertThat(new Topics(List.of("d-{deviceId}/state"), List.of()).ofEvery("%c", "pumps"))
                .isEmpty();
        assertThat(new Topics(List.of(), List.of("{deviceId}/{serial}")).ofEvery("%c", "pumps"))
                .isEmpty();
        assertThat(new Topics(List.of(), List.of("{owner}/news")).ofEvery("%c", "pumps"))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SN/1",
                "SN+1",
                "SN#1",
                "#####",
                "SN.1",
                "SN*1",
                "$SYS",
                "{deviceId}",
                "0123456789abcdef0123456789abcdee"
            })
    void serialThatMeansSomethingInATopicIsInNone(String serial) {
        assertThat(of(serial, "x/{serial}", "x/{deviceId}").subscribe()).containsExactly("x/" + DEVICE.value());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "/", "a/", "/a", "a//b", "a/+/b", "a/#", "$SYS/x", "a.b", "a*", "a b", "{device}", "a}", "ä"
            })
    void patternsThatAreNone(String pattern) {
        assertThat(fields("subscribe", pattern).faults()).hasSize(1);
    }

    @Test
    void everyTopicToPublishToIsTheDevicesOwn() {
        assertThat(fields("publish", "all/{fleet}").faults().get(0).detail()).contains("speak as another");
        assertThat(fields("publish", "{owner}").faults().get(0).detail()).contains("speak as another");
        assertThat(fields("publish", "all/{serial}").faults()).isEmpty();
        assertThat(fields("publish", "{owner}/{deviceId}").faults()).isEmpty();
        assertThat(fields("subscribe", "{owner}").faults()).isEmpty();
        assertThat(fields("subscribe", "all/{fleet}").faults()).isEmpty();
    }
}
