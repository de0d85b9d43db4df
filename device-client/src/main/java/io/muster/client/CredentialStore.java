package io.muster.client;

import java.io.IOException;
import java.io.Serial;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The file in which a device keeps its identity, the secret included. Thread-safe, and safe for several processes.
 *
 * <p>The file is created readable by its owner only (mode 0600, from the first byte on; a missing directory 0700) and replaced
 * in one step: written beside, forced to the disk, renamed, the directory forced too. After a crash there is the old content or
 * the new, never half of one. Beside it lie {@code <file>.lock}, which stays for ever and is empty, and after a crash perhaps
 * {@code <file>.tmp}, which nobody reads. On a file system without POSIX permissions the directory's own rules protect the
 * file.
 *
 * <p>What cannot be read is never overwritten: {@link UnusableException}, until somebody decides to {@link #forget()}.
 */
public final class CredentialStore {

    private static final Logger LOG = System.getLogger(CredentialStore.class.getName());
    private static final int FORMAT = 1;
    private static final int LARGEST_FILE = 1024 * 1024;
    private static final Duration LOCK_POLL = Duration.ofMillis(100);

    /**
     * The stores that this process has locked. A file lock belongs to the whole process, and closing any channel of the lock
     * file gives it up; so a second thread must not even open the file.
     */
    private static final Set<Path> LOCKED_HERE = ConcurrentHashMap.newKeySet();

    private final Path file;

    private CredentialStore(Path file) {
        this.file = file;
    }

    /**
     * Names a store; touches nothing.
     *
     * @param file need not exist, nor its directory; taken from the working directory if it is relative
     * @return a store that may be empty
     */
    public static CredentialStore at(Path file) {
        return new CredentialStore(file.toAbsolutePath());
    }

    /**
     * Returns the stored identity, or empty if there is none. If others may read the file, that is repaired, and logged as a
     * warning.
     *
     * @return never null
     * @throws UnusableException if there is a file and it holds no whole identity, or cannot be read
     */
    public Optional<DeviceIdentity> load() throws UnusableException {
        byte[] content;
        try {
            if (!Files.isRegularFile(file) && Files.exists(file)) {
                throw new UnusableException("it is not a file");
            }
            if (Files.size(file) > LARGEST_FILE) {
                throw new UnusableException("it is larger than " + LARGEST_FILE + " bytes");
            }
            content = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (UnusableException e) {
            throw new UnusableException(about(e.getMessage()));
        } catch (IOException e) {
            throw new UnusableException(about("it cannot be read: " + e), e);
        }
        closeToOthers();
        if (content.length == 0) {
            throw new UnusableException(about("it is empty"));
        }
        try {
            Map<String, Object> json = Json.readObject(content);
            if (!(json.get("format") instanceof Number format) || format.doubleValue() != FORMAT) {
                throw new IllegalArgumentException("its format is not " + FORMAT + ", the one this version knows");
            }
            URI registry = Json.text(json, "registry")
                    .flatMap(CredentialStore::address)
                    .orElseThrow(() -> new IllegalArgumentException("no address \"registry\" in it"));
            String serial = Json.text(json, "serial")
                    .orElseThrow(() -> new IllegalArgumentException("no string \"serial\" in it"));
            return Optional.of(DeviceIdentity.read(json, registry, serial));
        } catch (IOException | IllegalArgumentException e) {
            throw new UnusableException(about(e.getMessage()));
        }
    }

    /**
     * Deletes the stored identity, for good: the registry does not give the same secret twice, and may refuse to register a
     * device again that was on line before. A {@link DeviceClient} that has loaded the identity keeps using it.
     *
     * @return false if there was none
     * @throws IOException if there is one and it cannot be deleted
     */
    public boolean forget() throws IOException {
        Files.deleteIfExists(temporary());
        boolean existed = Files.deleteIfExists(file);
        forceDirectory();
        return existed;
    }

    private static Optional<URI> address(String text) {
        try {
            return Optional.of(new URI(text));
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }

    /** Replaces what is stored, if anything. The caller holds the {@link #lock}. */
    void save(DeviceIdentity identity) throws IOException {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", FORMAT);
        json.put("registry", identity.registry().toString());
        json.put("serial", identity.serial());
        json.putAll(identity.write());
        ByteBuffer content = ByteBuffer.wrap(Json.write(json));

        Files.deleteIfExists(temporary());
        try (FileChannel channel = open(temporary(), StandardOpenOption.CREATE_NEW)) {
            while (content.hasRemaining()) {
                channel.write(content);
            }
            channel.force(true);
        }
        Files.move(temporary(), file, StandardCopyOption.ATOMIC_MOVE);
        forceDirectory();
    }

    /**
     * Waits until no other thread or process has this store locked. Creates the directory if there is none, so that a store
     * that cannot be written fails before the registry is asked.
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
                    lock.channel = open(lockFile, StandardOpenOption.CREATE);
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
            Files.createDirectories(directory, ownerOnly("rwx------"));
        }
    }

    private FileChannel open(Path path, OpenOption how) throws IOException {
        return FileChannel.open(path, Set.of(how, StandardOpenOption.WRITE), ownerOnly("rw-------"));
    }

    private FileAttribute<?>[] ownerOnly(String permissions) {
        return isPosix()
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }

    private void closeToOthers() {
        if (!isPosix()) {
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
            // Read-only media, or somebody else's file. A device that works is worth more than one that is right.
            LOG.log(Level.WARNING, "{0} may be open to others than its owner: {1}", file, e.toString());
        }
    }

    private boolean isPosix() {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private void forceDirectory() throws IOException {
        if (!isPosix() || !Files.isDirectory(file.getParent())) {
            return; // elsewhere a directory cannot be opened, let alone forced
        }
        try (FileChannel directory = FileChannel.open(file.getParent(), StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    private Path temporary() {
        return beside(".tmp");
    }

    private Path beside(String suffix) {
        return file.resolveSibling(file.getFileName() + suffix);
    }

    private String about(String fault) {
        return file + " cannot be used: " + fault + ". It is left as it is; repair it, or delete it to register again.";
    }

    /** Complains about this store's content. */
    UnusableException unusable(String fault) {
        return new UnusableException(about(fault));
    }

    /** Names the file. */
    @Override
    public String toString() {
        return "CredentialStore[" + file + "]";
    }

    /** The right to save; given up by closing. */
    static final class Lock implements AutoCloseable {

        private final Path name;
        private FileChannel channel;

        private Lock(Path name) {
            this.name = name;
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
     * There is a stored identity, but none that can be used: damaged, unreadable, or another device's. The file was not
     * touched. The message names file and fault and quotes nothing of the content.
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
