// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.client.FaithfulRegistry.Fate;
import io.muster.client.FaithfulRegistry.Rule;
import io.muster.client.cli.MusterDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The command is killed at random moments of a first start, a token and a rotation. Use {@code -Dkills=500} for the
 * published figure, and {@code -Dmuster-device.jar=...} for the delivered command.
 */
@Tag("extended")
@Timeout(1800)
class KillTest {

    private static final int KILLS = Integer.getInteger("kills", 40);

    /** Longer than any of the commands takes after its last request. */
    private static final long LONGEST_DELAY = TimeUnit.MILLISECONDS.toNanos(40);

    private static final List<String> VERBS = List.of("register", "token", "rotate");
    private static final List<KeyKind> KINDS = Arrays.asList(null, KeyKind.P256);

    @TempDir
    Path directory;

    /** A command that nothing disturbs, on this machine. */
    private record Undisturbed(int requests, long nanos) {}

    private final Random random = new Random(20261126);
    private final Map<String, Undisturbed> undisturbed = new HashMap<>();
    private int killedByRequest;
    private int ended;

    @Test
    void deviceThatWasKilledAtAnyMomentIsOneDeviceAndGetsAToken() throws Exception {
        for (String verb : VERBS) {
            for (KeyKind kind : KINDS) {
                undisturbed.put(verb + kind, undisturbed(verb, kind, directory.resolve(verb + kind + "/device.json")));
            }
        }
        for (int i = 0; i < KILLS; i++) {
            String verb = VERBS.get(random.nextInt(VERBS.size()));
            KeyKind kind = KINDS.get(random.nextInt(KINDS.size()));
            Path file = directory.resolve(i + "/device.json");
            String when = "kill " + i + ", " + verb + ", " + kind;
            try (FaithfulRegistry registry =
                    new FaithfulRegistry(random.nextBoolean() ? Rule.NEVER : Rule.UNTIL_CONFIRMED)) {
                if (!verb.equals("register")) {
                    device(registry, file, kind).register();
                }
                killed(registry, verb, kind, file);

                DeviceClient rebooted = device(registry, file, kind);
                rebooted.register();
                assertThat(rebooted.accessToken()).as(when).isNotEmpty();
                assertThat(registry.devices()).as(when).isEqualTo(1);
                rebooted.rotate();
                assertThat(registry.credentials("SN-0007")).as(when).isEqualTo(1);
            }
        }
        // Most must have been killed before they had finished; otherwise it would prove nothing.
        assertThat(ended)
                .as("of %d, of which %d by a request", KILLS, killedByRequest)
                .isLessThan(KILLS / 2);
    }

    private static DeviceClient device(FaithfulRegistry registry, Path file, KeyKind kind) {
        DeviceClient.Builder builder = DeviceClient.builder()
                .registry(registry.uri())
                .serial("SN-0007")
                .store(file)
                .giveUpAfter(Duration.ofMinutes(1))
                .waiting(new FakeTime());
        return (kind == null ? builder : builder.deviceKey(kind)).build();
    }

    private static Undisturbed undisturbed(String verb, KeyKind kind, Path file) throws Exception {
        try (FaithfulRegistry registry = new FaithfulRegistry(Rule.NEVER)) {
            if (!verb.equals("register")) {
                device(registry, file, kind).register();
            }
            registry.with((request, path) -> Fate.ANSWERED);
            long start = System.nanoTime();
            assertThat(start(registry, verb, kind, file).waitFor()).as(verb).isZero();
            return new Undisturbed(registry.requests(), System.nanoTime() - start);
        }
    }

    /**
     * Starts the command and kills it. It does so when the command makes one of its requests, some microseconds later,
     * or at any time before it would end.
     */
    private void killed(FaithfulRegistry registry, String verb, KeyKind kind, Path file) throws Exception {
        Undisturbed whole = undisturbed.get(verb + kind);
        int atRequest = random.nextInt(whole.requests() + 1); // 0: at none, by time alone
        long delay = random.nextInt(4) == 0 ? 0 : (long) (Math.pow(random.nextDouble(), 3) * LONGEST_DELAY);
        boolean replyIsLost = random.nextBoolean();
        AtomicBoolean reached = new AtomicBoolean();
        Thread killer = Thread.currentThread();
        registry.with((request, path) -> {
            if (request == atRequest) {
                reached.set(true);
                LockSupport.unpark(killer);
                return replyIsLost ? Fate.REPLY_LOST : Fate.ANSWERED;
            }
            return Fate.ANSWERED;
        });
        Process process = start(registry, verb, kind, file);
        if (atRequest == 0) {
            parkFor((long) (random.nextDouble() * whole.nanos()));
        } else {
            var unused = process.onExit().thenRun(() -> LockSupport.unpark(killer)); // if it makes fewer requests
            while (!reached.get() && process.isAlive()) {
                LockSupport.park();
            }
            parkFor(delay);
        }
        if (process.isAlive()) {
            process.destroyForcibly();
        }
        killedByRequest += reached.get() ? 1 : 0;
        ended += process.waitFor() == 0 ? 1 : 0;
        registry.with((request, path) -> Fate.ANSWERED);
    }

    private static void parkFor(long nanos) {
        long start = System.nanoTime();
        for (long left = nanos; left > 0; left = nanos - (System.nanoTime() - start)) {
            LockSupport.parkNanos(left);
        }
    }

    private static Process start(FaithfulRegistry registry, String verb, KeyKind kind, Path file) throws IOException {
        List<String> args = new ArrayList<>(List.of(verb, "--store", file.toString()));
        if (verb.equals("register")) {
            args.addAll(List.of("--registry", registry.uri().toString(), "--serial", "SN-0007"));
            if (kind != null) {
                args.add("--device-key");
            }
        }
        return new ProcessBuilder(Processes.command(MusterDevice.class, args.toArray(String[]::new)))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }
}
