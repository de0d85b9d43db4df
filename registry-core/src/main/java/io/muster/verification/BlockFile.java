package io.muster.verification;

import io.muster.spi.SerialNumber;
import io.muster.spi.VerificationUnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Optional;
import java.util.Set;

/**
 * A file with one serial in each line, read again when it changes. What follows a {@code #} at the beginning of a line or after a
 * blank is a comment. Thread-safe.
 */
final class BlockFile {

    private static final int MAX_SIZE = 16 << 20;

    private final Path path;
    private volatile Content content;

    /**
     * What was read, and of which file.
     *
     * @param key tells a file from the one that replaced it
     * @param fault why it cannot be used; then there are no serials
     */
    private record Content(FileTime modified, long size, Object key, Set<String> serials, Optional<String> fault) {

        boolean isOf(BasicFileAttributes file) {
            return modified.equals(file.lastModifiedTime())
                    && size == file.size()
                    && String.valueOf(key).equals(String.valueOf(file.fileKey()));
        }
    }

    BlockFile(Path path) {
        this.path = path;
    }

    /**
     * Tells whether the file names the serial now.
     *
     * @throws VerificationUnavailableException if it cannot be read, or a line is no serial: what was meant to be blocked cannot
     *     be known then
     */
    boolean contains(String serial) {
        Content now;
        try {
            now = current();
        } catch (IOException e) {
            throw new VerificationUnavailableException("the file of blocked serials " + unreadable(e));
        }
        if (now.fault().isPresent()) {
            throw new VerificationUnavailableException(
                    "the file of blocked serials: " + now.fault().get());
        }
        return now.serials().contains(serial);
    }

    /** Returns why it cannot be used now, or empty if it can. */
    Optional<String> fault() {
        try {
            return current().fault();
        } catch (IOException e) {
            return Optional.of(path + " " + unreadable(e));
        }
    }

    private static String unreadable(IOException e) {
        return "cannot be read (" + e.getClass().getSimpleName() + ")";
    }

    private Content current() throws IOException {
        Content known = content;
        return known != null && known.isOf(attributes()) ? known : read();
    }

    private BasicFileAttributes attributes() throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class);
    }

    private synchronized Content read() throws IOException {
        // Looked at before it is read: the next question then sees a change that came in between.
        BasicFileAttributes file = attributes();
        Content known = content;
        if (known != null && known.isOf(file)) {
            return known;
        }
        Set<String> serials = new HashSet<>();
        Optional<String> fault = file.isRegularFile() ? parse(serials) : Optional.of("is not a file");
        content = new Content(
                file.lastModifiedTime(),
                file.size(),
                file.fileKey(),
                fault.isPresent() ? Set.of() : Set.copyOf(serials),
                fault);
        return content;
    }

    private Optional<String> parse(Set<String> serials) throws IOException {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(path)) {
            bytes = in.readNBytes(MAX_SIZE + 1);
        }
        if (bytes.length > MAX_SIZE) {
            return Optional.of("is longer than " + MAX_SIZE + " bytes");
        }
        if (bytes.length == 0) {
            // Who writes into the file instead of replacing it truncates it first, and would unblock everybody by that.
            return Optional.of("is empty; a list that blocks nobody has a comment");
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        Iterator<String> lines =
                (text.startsWith("\ufeff") ? text.substring(1) : text).lines().iterator();
        for (int number = 1; lines.hasNext(); number++) {
            String serial = withoutComment(lines.next());
            if (!serial.isEmpty() && !SerialNumber.isValid(serial)) {
                return Optional.of("line " + number + " must be a serial, " + SerialNumber.SYNTAX
                        + ", or a comment that begins with #");
            }
            if (!serial.isEmpty()) {
                serials.add(serial);
            }
        }
        return Optional.empty();
    }

    private static String withoutComment(String line) {
        for (int i = line.indexOf('#'); i >= 0; i = line.indexOf('#', i + 1)) {
            // A serial may have a # in it, and no blank.
            if (i == 0 || Character.isWhitespace(line.charAt(i - 1))) {
                return line.substring(0, i).strip();
            }
        }
        return line.strip();
    }
}
