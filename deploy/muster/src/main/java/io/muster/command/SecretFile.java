// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Files that only their owner can read. They are made so before anything is written to them. */
final class SecretFile {

    private SecretFile() {}

    private static FileAttribute<?>[] ownersOnly(String permissions) {
        return FileSystems.getDefault().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }

    /** Makes an empty file. */
    static void reserve(Path file) throws Failure {
        try {
            Files.createFile(file, ownersOnly("rw-------"));
        } catch (FileAlreadyExistsException e) {
            throw new Failure(Exit.USAGE, file + " is there already. Name another file.");
        } catch (IOException e) {
            throw new Failure(Exit.USAGE, "Cannot write " + e.getMessage());
        }
    }

    /** Replaces a file and makes its directory. Another process sees the file as it was, or as it is then. */
    static void replace(Path file, String text) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent(), ownersOnly("rwx------"));
        Path temporary = Files.createTempFile(file.toAbsolutePath().getParent(), ".new", "", ownersOnly("rw-------"));
        try {
            Files.writeString(temporary, text, StandardCharsets.UTF_8);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /** Writes to a file that was reserved. */
    static OutputStream open(Path file) throws IOException {
        return Files.newOutputStream(file, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
    }

    static boolean isPrivate(Path file) throws IOException {
        if (ownersOnly("rw-------").length == 0) {
            return true;
        }
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        return PosixFilePermissions.fromString("rwx------").containsAll(permissions);
    }
}
