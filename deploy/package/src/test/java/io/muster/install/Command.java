// SPDX-License-Identifier: Apache-2.0
package io.muster.install;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A command that has ended. */
record Command(List<String> words, int status, String output) {

    private static final long PATIENCE_SECONDS = 300;

    /** Runs a command to its end, with these variables and no others but the path. */
    static Command run(Map<String, String> environment, List<String> words) {
        try {
            Path output = Files.createTempFile("command", ".out");
            try {
                ProcessBuilder builder = new ProcessBuilder(words)
                        .redirectErrorStream(true)
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectOutput(output.toFile());
                builder.environment().clear();
                builder.environment().put("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
                builder.environment().put("LC_ALL", "C.UTF-8");
                builder.environment().putAll(environment);
                Process process = builder.start();
                if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                    throw new AssertionError(
                            words + " still runs after " + PATIENCE_SECONDS + " s: " + Files.readString(output));
                }
                return new Command(words, process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
            } finally {
                Files.deleteIfExists(output);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    static Command run(String... words) {
        return run(Map.of(), List.of(words));
    }

    /** The output of a command that must succeed. */
    String out() {
        if (status != 0) {
            throw new AssertionError(words + " ended with " + status + ": " + output);
        }
        return output.strip();
    }
}
