package io.muster.suite;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Programs for Node.js with packages, exactly those of their lock file, from the registry that npm is set to. */
final class NodePackages {

    private NodePackages() {}

    /**
     * Copies a program and installs what it needs.
     *
     * @param program its name, beside {@code package.json} and {@code package-lock.json}
     * @return false if there is no node, no npm, or no registry of packages to be reached
     */
    static boolean install(Path from, String program, Path to) throws IOException, InterruptedException {
        Files.createDirectories(to);
        for (String file : List.of("package.json", "package-lock.json", program)) {
            Files.write(to.resolve(file), Files.readAllBytes(from.resolve(file)));
        }
        try {
            return run(to, List.of("node", "--version")).status() == 0
                    && run(to, List.of("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0"))
                                    .status()
                            == 0;
        } catch (IOException e) {
            return false;
        }
    }

    /** How a program ended, and what it said. */
    record Ended(int status, String output) {}

    /** Starts a program; what it says is in the file {@code output} of the directory. */
    static Process start(Path directory, List<String> command) throws IOException {
        return new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("output").toFile())
                .start();
    }

    /** Waits for the end of a program that was started, two minutes at most. */
    static Ended ended(Path directory, Process process) throws IOException, InterruptedException {
        if (!process.waitFor(2, TimeUnit.MINUTES)) {
            process.destroyForcibly();
        }
        return new Ended(process.waitFor(), Files.readString(directory.resolve("output"), StandardCharsets.UTF_8));
    }

    static Ended run(Path directory, List<String> command) throws IOException, InterruptedException {
        return ended(directory, start(directory, command));
    }
}
