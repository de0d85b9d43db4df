// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.ledger;

import io.muster.suite.fixture.Processes;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A file system of its own that can be filled: a tmpfs, which only root can mount. */
final class SmallDisk implements AutoCloseable {

    private static final String SIZE = "700m";

    private final Path directory;

    private SmallDisk(Path directory) {
        this.directory = directory;
    }

    /** Mounts one; empty if this process may not. */
    static Optional<SmallDisk> mount(Path directory) {
        try {
            Path point = Files.createDirectories(directory.resolve("disk"));
            return run(directory, "mount", "-t", "tmpfs", "-o", "size=" + SIZE, "tmpfs", point.toString())
                    ? Optional.of(new SmallDisk(point))
                    : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean run(Path directory, String... command) {
        return Processes.run(directory, Map.of(), List.of(command)).status() == 0;
    }

    Path directory() {
        return directory;
    }

    /** Writes until there is no space left. */
    void fill() {
        byte[] block = new byte[64 * 1024];
        try (OutputStream filler = Files.newOutputStream(filler())) {
            while (true) {
                filler.write(block);
            }
        } catch (IOException e) {
            // It is full.
        }
    }

    void empty() {
        try {
            Files.deleteIfExists(filler());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path filler() {
        return directory.resolve("filler");
    }

    @Override
    public void close() {
        run(directory.getParent(), "umount", "-l", directory.toString());
    }
}
