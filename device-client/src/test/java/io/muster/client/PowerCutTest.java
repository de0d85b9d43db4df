// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.client.FaithfulRegistry.Fate;
import io.muster.client.FaithfulRegistry.Rule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whenever the power fails, the device stays the same one device, and has a credential that works. */
@Timeout(120)
class PowerCutTest {

    private static final int ALL_POINTS = 1000;

    @TempDir
    Path directory;

    static Stream<Arguments> devices() {
        return Stream.of(
                Arguments.of(Rule.NEVER, null),
                Arguments.of(Rule.NEVER, KeyKind.P256),
                Arguments.of(Rule.UNTIL_CONFIRMED, KeyKind.ED25519));
    }

    private static DeviceClient device(FaithfulRegistry registry, Path file, Disk disk, KeyKind kind) {
        DeviceClient.Builder builder = DeviceClient.builder()
                .registry(registry.uri())
                .serial("SN-0007")
                .store(CredentialStore.at(file, disk))
                .giveUpAfter(Duration.ofSeconds(1))
                .waiting(new FakeTime())
                .random(() -> -1L);
        return (kind == null ? builder : builder.deviceKey(kind)).build();
    }

    /** First start and two rotations; the first goes from wherever the store is. */
    private static void live(DeviceClient device) throws IOException, RefusedException, InterruptedException {
        device.register();
        device.accessToken();
        device.rotate();
        device.rotate();
    }

    @ParameterizedTest
    @MethodSource("devices")
    void powerCutAtAnyStepOfTheDisk(Rule rule, KeyKind kind) throws Exception {
        int cuts = 0;
        boolean whole = false;
        for (int points = 0; !whole; points++) {
            assertThat(points).isLessThan(ALL_POINTS);
            Path file = directory.resolve(points + "/device.json");
            try (FaithfulRegistry registry = new FaithfulRegistry(rule)) {
                try {
                    live(device(registry, file, new FailingDisk(points), kind));
                    whole = true;
                } catch (FailingDisk.PowerCut e) {
                    cuts++;
                }
                assertThatItWorks(registry, file, kind, "cut at point " + points);
            }
        }
        assertThat(cuts).isBetween(30, 60); // every step was one
    }

    @ParameterizedTest
    @MethodSource("devices")
    void powerCutAfterAnyRequestThatWasLostOrWhoseReplyWas(Rule rule, KeyKind kind) throws Exception {
        for (Fate fate : Set.of(Fate.REQUEST_LOST, Fate.REPLY_LOST, Fate.BUSY)) {
            int all = ALL_POINTS;
            for (int number = 1; number <= all; number++) {
                int cut = number;
                Path file = directory.resolve(fate + "" + number + "/device.json");
                try (FaithfulRegistry registry = new FaithfulRegistry(rule)) {
                    // From then on there is no network, so that the client gives up with its present state.
                    registry.with((request, path) ->
                            request < cut ? Fate.ANSWERED : request == cut ? fate : Fate.REQUEST_LOST);
                    try {
                        live(device(registry, file, Disk.REAL, kind));
                        all = number;
                    } catch (UnavailableException e) {
                        // as meant
                    }
                    registry.with((request, path) -> Fate.ANSWERED);
                    assertThatItWorks(registry, file, kind, fate + " at request " + number);
                }
            }
            assertThat(all).isBetween(6, 40);
        }
    }

    @ParameterizedTest
    @MethodSource("devices")
    void networkThatLosesThreeOfFourRequestsCostsNothingButTime(Rule rule, KeyKind kind) throws Exception {
        Path file = directory.resolve("device.json");
        try (FaithfulRegistry registry = new FaithfulRegistry(rule)) {
            Random random = new Random(7);
            List<Fate> fates = List.of(Fate.values());
            registry.with((request, path) -> fates.get(random.nextInt(fates.size())));
            FakeTime time = new FakeTime();
            DeviceClient.Builder builder = DeviceClient.builder()
                    .registry(registry.uri())
                    .serial("SN-0007")
                    .store(file)
                    .waiting(time);
            live((kind == null ? builder : builder.deviceKey(kind)).build());

            assertThatItWorks(registry.with((request, path) -> Fate.ANSWERED), file, kind, "after it");
        }
    }

    private static void assertThatItWorks(FaithfulRegistry registry, Path file, KeyKind kind, String when)
            throws Exception {
        Set<String> before = files(file);
        DeviceClient rebooted = device(registry, file, Disk.REAL, kind);
        rebooted.register();
        assertThat(rebooted.accessToken()).as(when).isNotEmpty();
        assertThat(registry.devices()).as(when).isEqualTo(1);

        rebooted.rotate();
        assertThat(rebooted.accessToken()).as(when).isNotEmpty();
        assertThat(registry.credentials("SN-0007")).as(when).isEqualTo(1);
        assertThat(files(file)).as(when + ", with " + before).containsExactly("device.json", "device.json.lock");
    }

    private static Set<String> files(Path file) throws IOException {
        if (!Files.exists(file.getParent())) {
            return Set.of();
        }
        try (Stream<Path> files = Files.list(file.getParent())) {
            return files.map(path -> path.getFileName().toString()).collect(Collectors.toCollection(TreeSet::new));
        }
    }
}
