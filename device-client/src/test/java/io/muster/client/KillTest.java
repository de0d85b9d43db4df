package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.client.FaithfulRegistry.Fate;
import io.muster.client.FaithfulRegistry.Rule;
import io.muster.client.cli.MusterDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The command is killed at random moments of a first start, a token and a rotation. {@code -Dkills=500} for the figure that is
 * published, {@code -Dmuster-device.jar=...} for the command as it is shipped.
 */
@Timeout(1800)
class KillTest {

    private static final int KILLS = Integer.getInteger("kills", 40);

    /** Longer than any of the commands takes after its last request. */
    private static final long LONGEST_DELAY = TimeUnit.MILLISECONDS.toNanos(40);

    @TempDir
    Path directory;

    private final Random random = new Random(20261126);
    private int killedByRequest;
    private int ended;

    @Test
    void deviceThatWasKilledAtAnyMomentIsOneDeviceAndGetsAToken() throws Exception {
        for (int i = 0; i < KILLS; i++) {
            String verb = List.of("register", "token", "rotate").get(random.nextInt(3));
            KeyKind kind = random.nextBoolean() ? KeyKind.P256 : null;
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
        // Most must not have been killed after they were through, or it would prove nothing.
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

    /** Starts the command and kills it as it makes one of its requests, some microseconds later, or at any time after its start. */
    private void killed(FaithfulRegistry registry, String verb, KeyKind kind, Path file) throws Exception {
        int atRequest = random.nextInt(verb.equals("rotate") ? 6 : 3); // 0: at none, by time alone
        long delay = random.nextInt(4) == 0 ? 0 : (long) (random.nextDouble() * LONGEST_DELAY);
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
            parkFor(TimeUnit.MILLISECONDS.toNanos(random.nextInt(900)));
        } else {
            process.onExit().thenRun(() -> LockSupport.unpark(killer)); // if it makes fewer requests
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
