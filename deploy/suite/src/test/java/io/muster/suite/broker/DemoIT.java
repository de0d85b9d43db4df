// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.Required;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.Within;
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
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code deploy/demo/run}, as a newcomer starts it. */
@Aside
@Order(5)
@Tag("extended")
class DemoIT {

    private static final Path DEMO = Path.of(System.getProperty("basedir", ""), "../demo")
            .toAbsolutePath()
            .normalize();

    /** Marks the environment of all processes that are started, and of their descendants. */
    private final String mark = UUID.randomUUID().toString();

    @TempDir
    Path directory;

    @BeforeAll
    static void rabbitMqIsInstalled() {
        Required.there(RabbitMqServer.isInstalled(), "RabbitMQ is not installed");
    }

    @Test
    void goesAsToldAndLeavesNothing() throws IOException {
        // Half the work of a start.
        Map<String, String> environment =
                Map.of("DEMO_IT", mark, "JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
        Processes.Ended ended = Processes.run(directory, environment, List.of("bash", DEMO + "/run", "--no-build"));

        assertThat(ended.status()).as(ended.all()).isZero();
        assertThat(ended.out())
                .contains(
                        "the line broke",
                        "does not register a second time",
                        "PUMP-99",
                        "refused with 400",
                        "counts 100 states of 20 devices",
                        "heard: stop",
                        "nothing foreign",
                        "disconnected",
                        "CONNACK 4");
        assertThat(left()).isEmpty();
    }

    @Test
    void saysWhyItGivesUp() throws IOException {
        Processes.Ended ended = Processes.run(
                directory, Map.of("DEMO_IT", mark, "DEMO_PATIENCE", "0"), List.of("bash", DEMO + "/run", "--no-build"));

        assertThat(ended.status()).as(ended.all()).isEqualTo(1);
        assertThat(ended.err()).contains("RabbitMQ did not start: it is still starting after", "The logs are in");
        Path logs = Path.of(ended.err().replaceFirst("(?s).*The logs are in (\\S+).*", "$1"));
        assertThat(logs.resolve("registry.log")).exists();
        Processes.run(directory, Map.of(), List.of("rm", "-r", logs.toString()));
        assertThat(left()).isEmpty();
    }

    @Test
    void leavesNothingWhenInterrupted() throws IOException, InterruptedException {
        Path out = directory.resolve("out");
        // A background job ignores SIGINT, and a shell cannot trap a signal that was ignored when it started.
        ProcessBuilder builder = new ProcessBuilder(
                        "env", "--default-signal=INT", "bash", DEMO + "/run", "--no-build", "--stay")
                .redirectErrorStream(true)
                .redirectOutput(out.toFile());
        builder.environment().put("DEMO_IT", mark);
        Process demo = builder.start();
        try {
            Within.within(Duration.ofSeconds(30), "RabbitMQ is starting", () -> left().stream()
                    .anyMatch(command -> command.contains("beam")));
            Processes.run(directory, Map.of(), List.of("kill", "-INT", String.valueOf(demo.pid())));

            // Each of the three process groups has a quarter of a minute before it is killed.
            assertThat(demo.waitFor(120, TimeUnit.SECONDS)).isTrue();
        } finally {
            demo.destroy();
        }
        assertThat(demo.exitValue())
                .as(Files.readString(out, StandardCharsets.UTF_8))
                .isEqualTo(130);
        assertThat(left()).isEmpty();
    }

    /** Returns the processes and directories that are left of the demo. */
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
