// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;

/**
 * The directory where one running instance unpacks the server, about 100 MB. It is in the data directory and not in the
 * system's temporary one, where others can write and cleaners delete files. It is locked while its process lives. So
 * the next start finds, and removes, the directories of killed processes.
 */
final class Workspace {

    /** A directory younger than this may belong to a process that has created it but not locked it yet. */
    private static final Duration SETTLED = Duration.ofMinutes(1);

    private final Path directory;

    /** Held until the process ends, in whatever way. */
    @SuppressWarnings("unused")
    private final FileLock lock;

    private Workspace(Path directory, FileLock lock) {
        this.directory = directory;
        this.lock = lock;
    }

    /** Makes a directory for this process below {@code parent}, and removes those of dead processes. */
    static Workspace in(Path parent) throws IOException {
        Files.createDirectories(parent);
        removeLeftovers(parent);
        Path directory = Files.createTempDirectory(parent, "");
        return new Workspace(directory, lockFile(directory).lock());
    }

    File directory() {
        return directory.toFile();
    }

    /** Copies a file out of the jar. */
    File unpack(String resource, String name) throws IOException {
        Path file = directory.resolve(name);
        try (InputStream in = Workspace.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IOException(resource + " is not in this jar");
            }
            Files.copy(in, file);
        }
        return file.toFile();
    }

    /** Removes the directory. Files that cannot be removed stay for the next start. */
    void remove() {
        removeTree(directory);
    }

    private static void removeLeftovers(Path parent) throws IOException {
        Instant settled = Instant.now().minus(SETTLED);
        try (DirectoryStream<Path> found = Files.newDirectoryStream(parent)) {
            for (Path directory : found) {
                if (Files.getLastModifiedTime(directory).toInstant().isBefore(settled)) {
                    removeUnlessLocked(directory);
                }
            }
        }
    }

    private static void removeUnlessLocked(Path directory) {
        try (FileChannel channel = lockFile(directory);
                FileLock lock = channel.tryLock()) {
            if (lock != null) {
                removeTree(directory);
            }
        } catch (IOException e) {
            // not ours to remove
        }
    }

    private static FileChannel lockFile(Path directory) throws IOException {
        return FileChannel.open(directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }

    private static void removeTree(Path directory) {
        try {
            Files.walkFileTree(directory, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path visited, IOException fault) throws IOException {
                    Files.deleteIfExists(visited);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            // left for the next start
        }
    }
}
