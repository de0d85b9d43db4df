// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * The steps by which a store changes; the power may fail between any two of them. Tests have an implementation where it
 * does.
 */
interface Disk {

    /** The real one. */
    Disk REAL = new Disk() {
        @Override
        public void create(Path file, byte[] content) throws IOException {
            try (FileChannel channel = open(file, StandardOpenOption.CREATE_NEW)) {
                ByteBuffer rest = ByteBuffer.wrap(content);
                while (rest.hasRemaining()) {
                    channel.write(rest);
                }
                channel.force(true);
            }
        }

        @Override
        public void replace(Path file, Path by) throws IOException {
            Files.move(by, file, StandardCopyOption.ATOMIC_MOVE);
            forceDirectory(file);
        }

        @Override
        public boolean delete(Path file) throws IOException {
            boolean existed = Files.deleteIfExists(file);
            if (existed) {
                forceDirectory(file);
            }
            return existed;
        }
    };

    /** Makes a file that only its owner can read, from the first byte on; it is on the disk when this returns. */
    void create(Path file, byte[] content) throws IOException;

    /** Replaces one file by another, in one step that is on the disk when this returns. */
    void replace(Path file, Path by) throws IOException;

    /** Returns false if there was none. */
    boolean delete(Path file) throws IOException;

    /** Opens a file for writing, and creates it with mode 0600 if it is missing. */
    static FileChannel open(Path file, OpenOption how) throws IOException {
        return FileChannel.open(file, Set.of(how, StandardOpenOption.WRITE), ownerOnly(file, "rw-------"));
    }

    /**
     * Returns the permissions; none where there are no POSIX permissions, and the directory's rules must protect the
     * file.
     */
    static FileAttribute<?>[] ownerOnly(Path path, String permissions) {
        return isPosix(path)
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }

    static boolean isPosix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private static void forceDirectory(Path file) throws IOException {
        if (!isPosix(file) || !Files.isDirectory(file.getParent())) {
            return; // elsewhere a directory cannot be opened, let alone forced
        }
        try (FileChannel directory = FileChannel.open(file.getParent(), StandardOpenOption.READ)) {
            directory.force(true);
        }
    }
}
