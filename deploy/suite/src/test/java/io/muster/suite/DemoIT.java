package io.muster.suite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code deploy/demo/run}, as a newcomer starts it. */
class DemoIT {

    private static final Path DEMO = Path.of(System.getProperty("basedir", ""), "../demo")
            .toAbsolutePath()
            .normalize();

    /** What is started has it in its environment, and so has all that is started by that. */
    private final String mark = UUID.randomUUID().toString();

    @TempDir
    Path directory;

    @BeforeAll
    static void rabbitMqIsInstalled() {
        assumeTrue(RabbitMqServer.isInstalled(), "RabbitMQ is not installed");
    }

    @Test
    void goesAsToldAndLeavesNothing() throws IOException {
        Processes.Ended ended =
                Processes.run(directory, Map.of("DEMO_IT", mark), List.of("bash", DEMO + "/run", "--no-build"));

        assertThat(ended.status()).as(ended.all()).isZero();
        assertThat(ended.out())
                .contains(
                        "counts 100 states of 20 devices", "heard: stop", "nothing foreign", "thrown off", "CONNACK 4");
        assertThat(left()).isEmpty();
    }

    @Test
    void leavesNothingWhenInterrupted() throws IOException, InterruptedException {
        Path out = directory.resolve("out");
        ProcessBuilder builder = new ProcessBuilder("bash", DEMO + "/run", "--no-build", "--stay")
                .redirectErrorStream(true)
                .redirectOutput(out.toFile());
        builder.environment().put("DEMO_IT", mark);
        Process demo = builder.start();
        try {
            Within.within(Duration.ofSeconds(30), "RabbitMQ is starting", () -> left().stream()
                    .anyMatch(command -> command.contains("beam")));
            Processes.run(directory, Map.of(), List.of("kill", "-INT", String.valueOf(demo.pid())));

            assertThat(demo.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            demo.destroy();
        }
        assertThat(demo.exitValue())
                .as(Files.readString(out, StandardCharsets.UTF_8))
                .isEqualTo(130);
        assertThat(left()).isEmpty();
    }

    /** The processes and the directories that are there of what was started. */
    private List<String> left() {
        try (Stream<Path> processes = Files.list(Path.of("/proc"));
                Stream<Path> directories = Files.list(DEMO.resolve("target"))) {
            return Stream.concat(
                            processes.filter(this::isMarked).map(process -> text(process.resolve("cmdline"))),
                            directories.map(Path::toString).filter(name -> name.contains("/run.")))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean isMarked(Path process) {
        return text(process.resolve("environ")).contains("DEMO_IT=" + mark);
    }

    private static String text(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException isNoneOrHasEnded) {
            return "";
        }
    }
}
