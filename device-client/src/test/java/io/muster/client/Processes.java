// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Other processes, for tests that need more than one. */
final class Processes {

    private Processes() {}

    static Process start(Class<?> main, String... args) throws IOException {
        return start(command(main, args));
    }

    static List<String> command(Class<?> main, String... args) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-Djava.util.logging.config.file=" + Path.of("src/test/resources/logging.properties"),
                "-cp",
                System.getProperty("muster-device.jar", System.getProperty("java.class.path")),
                main.getName()));
        command.addAll(List.of(args));
        return command;
    }

    static Process start(List<String> command) throws IOException {
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    static String output(Process process) throws IOException, InterruptedException {
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor(20, TimeUnit.SECONDS);
        return output.strip();
    }

    /** Registers and prints the device id. */
    static final class Register {

        private Register() {}

        public static void main(String[] args) throws Exception {
            DeviceClient client = DeviceClient.builder()
                    .registry(URI.create(args[0]))
                    .serial("SN-0007")
                    .store(Path.of(args[1]))
                    .build();
            System.out.println(client.register().deviceId());
        }
    }

    /** Prints whether the lock of a store was available. */
    static final class TryLock {

        private TryLock() {}

        public static void main(String[] args) throws Exception {
            boolean had = CredentialStore.at(Path.of(args[0]))
                    .lock(Waiting.REAL, Duration.ZERO)
                    .isPresent();
            System.out.println(had ? "had" : "held by another");
        }
    }

    /** Saves one identity after the other until it is killed; prints a line after each. */
    static final class Save {

        private Save() {}

        public static void main(String[] args) throws Exception {
            CredentialStore store = CredentialStore.at(Path.of(args[0]));
            for (int i = 0; ; i++) {
                store.save(StoreContent.of(identity(i)));
                System.out.println(i);
            }
        }

        static DeviceIdentity identity(int number) {
            return new DeviceIdentity(
                    URI.create("https://registry.example"),
                    "SN-0007",
                    "device" + number,
                    "key" + number,
                    "secret" + number,
                    null,
                    null,
                    Map.of(),
                    Map.of("padding", "x".repeat(number % 5000)),
                    Map.of(),
                    null,
                    Map.of());
        }
    }
}
