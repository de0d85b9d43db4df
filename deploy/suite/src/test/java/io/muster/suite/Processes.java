package io.muster.suite;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs a command to its end. */
final class Processes {

    private static final long PATIENCE_SECONDS = 120;

    private Processes() {}

    /** How it ended, and what it said. */
    record Ended(int status, String out, String err) {

        String all() {
            return out + err;
        }
    }

    /** Runs {@code java} with these arguments, in a directory, without any {@code MUSTER_} variable but the given ones. */
    static Ended java(Path directory, Map<String, String> environment, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.addAll(arguments);
        return run(directory, environment, command);
    }

    /** Runs a command, in a directory, without any {@code MUSTER_} variable but the given ones. */
    static Ended run(Path directory, Map<String, String> environment, List<String> command) {
        try {
            Path out = Files.createTempFile(directory, "process", ".out");
            Path err = Files.createTempFile(directory, "process", ".err");
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile());
            builder.environment().keySet().removeIf(name -> name.startsWith("MUSTER_") || name.startsWith("JAVA_"));
            builder.environment().putAll(environment);
            Process process = builder.start();
            try {
                if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    throw new AssertionError("still runs after " + PATIENCE_SECONDS + " s: " + Files.readString(out)
                            + Files.readString(err));
                }
            } finally {
                process.destroyForcibly();
            }
            return new Ended(
                    process.exitValue(),
                    Files.readString(out, StandardCharsets.UTF_8),
                    Files.readString(err, StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
