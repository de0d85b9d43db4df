// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.io.Serial;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The file in which a device keeps its identity, secret or key included. Thread-safe, and safe for several processes.
 *
 * <p>The file is created readable by its owner only: mode 0600 from the first byte on, a missing directory 0700. It is
 * replaced in one step: written beside, forced to the disk, renamed, and the directory forced too. So after a crash
 * there is the old content or the new, never half of one. Beside it there may be {@code <file>.lock}, which is empty
 * and stays for ever, and {@code <file>.pending} while a credential is requested. A crash may leave {@code <file>.tmp},
 * which nobody reads. On a file system without POSIX permissions the directory's own rules protect the files.
 *
 * <p>A file that cannot be read is never overwritten. It causes an {@link UnusableException} until you decide to
 * {@link #forget()} it.
 */
public final class CredentialStore {

    private static final Logger LOG = System.getLogger(CredentialStore.class.getName());
    private static final int LARGEST_FILE = 1024 * 1024;
    private static final Duration LOCK_POLL = Duration.ofMillis(100);

    /**
     * The stores that this process has locked. A file lock belongs to the whole process, and closing any channel of the
     * lock file releases it. So a second thread must not even open the file.
     */
    private static final Set<Path> LOCKED_HERE = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final Disk disk;

    private CredentialStore(Path file, Disk disk) {
        this.file = file;
        this.disk = disk;
    }

    /**
     * Names a store; touches nothing.
     *
     * @param file need not exist, nor its directory; taken from the working directory if it is relative
     * @return a store that may be empty
     */
    public static CredentialStore at(Path file) {
        return at(file, Disk.REAL);
    }

    static CredentialStore at(Path file, Disk disk) {
        return new CredentialStore(file.toAbsolutePath(), disk);
    }

    /**
     * Returns the stored identity, or empty if there is none. If others may read the file, this repairs its permissions
     * and logs a warning.
     *
     * @return never null
     * @throws UnusableException if there is a file and it holds no whole identity, or cannot be read
     */
    public Optional<DeviceIdentity> load() throws UnusableException {
        return loadAll().map(StoreContent::identity);
    }

    /** Does the same as {@link #load()}, and returns everything else in the file too. */
    Optional<StoreContent> loadAll() throws UnusableException {
        Optional<byte[]> content = read(file);
        if (content.isEmpty()) {
            return Optional.empty();
        }
        closeToOthers();
        if (content.get().length == 0) {
            throw unusable("it is empty");
        }
        try {
            return Optional.of(StoreContent.read(Json.readObject(content.get())));
        } catch (IOException | IllegalArgumentException e) {
            throw unusable(e.getMessage());
        }
    }

    /** Returns the content, or empty if there is no such file. */
    private Optional<byte[]> read(Path path) throws UnusableException {
        try {
            if (!Files.isRegularFile(path) && Files.exists(path)) {
                throw unusable("it is not a file");
            }
            if (Files.size(path) > LARGEST_FILE) {
                throw unusable("it is larger than " + LARGEST_FILE + " bytes");
            }
            return Optional.of(Files.readAllBytes(path));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (UnusableException e) {
            throw e;
        } catch (IOException e) {
            throw new UnusableException(about("it cannot be read: " + e), e);
        }
    }

    /**
     * Returns the request that has no reply yet, or empty if there is none. A file that cannot be read counts as none:
     * it holds no credential, and a new request is as good.
     */
    Optional<CredentialRequest> request() {
        try {
            Optional<byte[]> content = read(requestFile());
            return content.isEmpty()
                    ? Optional.empty()
                    : Optional.of(CredentialRequest.read(Json.readObject(content.get())));
        } catch (IOException | IllegalArgumentException e) {
            LOG.log(Level.WARNING, "{0} holds no whole attempt; a new one begins", requestFile());
            return Optional.empty();
        }
    }

    /** Replaces the request, if there is one. The caller holds the {@link #lock}. */
    void save(CredentialRequest request) throws IOException {
        write(requestFile(), request.write());
    }

    /** Forgets the request: its reply has arrived, or it is no longer of use. The caller holds the {@link #lock}. */
    void deleteRequest() throws IOException {
        disk.delete(requestFile());
    }

    /** Returns whether there is a request, whole or not. */
    boolean hasRequest() {
        return Files.exists(requestFile());
    }

    /**
     * Deletes the stored identity for good, and an attempt to get one. The registry does not give the same secret
     * twice, and may refuse to register a device again that was on line before. A {@link DeviceClient} that has loaded
     * the identity keeps using it.
     *
     * @return false if there was none
     * @throws IOException if there is one and it cannot be deleted
     */
    public boolean forget() throws IOException {
        disk.delete(beside(".tmp"));
        disk.delete(requestFile());
        return disk.delete(file);
    }

    /** Replaces the stored content, if any. The caller holds the {@link #lock}. */
    void save(StoreContent content) throws IOException {
        write(file, content.write());
    }

    private void write(Path path, Map<String, Object> json) throws IOException {
        disk.delete(beside(".tmp"));
        disk.create(beside(".tmp"), Json.write(json));
        disk.replace(path, beside(".tmp"));
    }

    /** Work while a store is locked. */
    @FunctionalInterface
    interface Work<T, X extends Exception> {
        T done() throws IOException, InterruptedException, X;
    }

    /**
     * Does the work with the {@link #lock}, and then releases it.
     *
     * @return the result of the work, or empty if the lock was not available within the limit
     */
    <T, X extends Exception> Optional<T> locked(Waiting waiting, Duration limit, Work<T, X> work)
            throws IOException, InterruptedException, X {
        Optional<Lock> lock = lock(waiting, limit);
        return lock.isEmpty() ? Optional.empty() : Optional.of(lock.get().during(work));
    }

    /**
     * Waits until no other thread or process has this store locked. Creates a missing directory, so that a store that
     * cannot be written fails before the registry is asked.
     *
     * @return empty if that took longer than the limit
     */
    Optional<Lock> lock(Waiting waiting, Duration limit) throws IOException, InterruptedException {
        createDirectory();
        Path lockFile = beside(".lock");
        Path name = lockFile.getParent().toRealPath().resolve(lockFile.getFileName());
        long start = waiting.nanoTime();
        while (true) {
            if (LOCKED_HERE.add(name)) {
                Lock lock = new Lock(name);
                try {
                    lock.channel = Disk.open(lockFile, StandardOpenOption.CREATE);
                    if (tryLock(lock.channel)) {
                        return Optional.of(lock);
                    }
                } catch (IOException | RuntimeException e) {
                    lock.close();
                    throw e;
                }
                lock.close();
            }
            if (waiting.nanoTime() - start >= limit.toNanos()) {
                return Optional.empty();
            }
            waiting.sleep(LOCK_POLL);
        }
    }

    private static boolean tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false; // held by this class under another class loader
        }
    }

    private void createDirectory() throws IOException {
        Path directory = file.getParent();
        if (!Files.isDirectory(directory)) {
            Files.createDirectories(directory, Disk.ownerOnly(directory, "rwx------"));
        }
    }

    private void closeToOthers() {
        if (!Disk.isPosix(file)) {
            return;
        }
        try {
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
            Set<PosixFilePermission> owner = PosixFilePermissions.fromString("rw-------");
            if (!owner.containsAll(permissions)) {
                LOG.log(Level.WARNING, "{0} was open to others than its owner; closing it", file);
                Files.setPosixFilePermissions(file, owner);
            }
        } catch (IOException e) {
            // Read-only media, or somebody else's file. Working matters more than correct permissions here.
            LOG.log(Level.WARNING, "{0} may be open to others than its owner: {1}", file, e.toString());
        }
    }

    private Path requestFile() {
        return beside(".pending");
    }

    private Path beside(String suffix) {
        return file.resolveSibling(file.getFileName() + suffix);
    }

    private String about(String fault) {
        return file + " cannot be used: " + fault + ". It is left as it is; repair it, or delete it to register again.";
    }

    /** Returns a complaint about this store's content. */
    UnusableException unusable(String fault) {
        return new UnusableException(about(fault));
    }

    /** Names the file. */
    @Override
    public String toString() {
        return "CredentialStore[" + file + "]";
    }

    /** The right to save; closing it releases the lock. */
    static final class Lock implements AutoCloseable {

        private final Path name;
        private FileChannel channel;

        private Lock(Path name) {
            this.name = name;
        }

        /** Does the work, and releases the lock. */
        <T, X extends Exception> T during(Work<T, X> work) throws IOException, InterruptedException, X {
            Lock held = this;
            try (held) {
                return work.done();
            }
        }

        @Override
        public void close() throws IOException {
            try {
                if (channel != null) {
                    channel.close();
                }
            } finally {
                LOCKED_HERE.remove(name);
            }
        }
    }

    /**
     * There is a stored identity, but it cannot be used: it is damaged, unreadable, or another device's. The file was
     * not touched. The message names file and fault and quotes nothing of the content.
     */
    public static final class UnusableException extends IOException {

        @Serial
        private static final long serialVersionUID = 1;

        UnusableException(String message) {
            super(message);
        }

        UnusableException(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
