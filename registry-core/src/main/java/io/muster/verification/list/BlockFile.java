// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import io.muster.spi.SerialNumber;
import io.muster.spi.VerificationUnavailableException;
import io.muster.spi.WrittenText;
import io.muster.verification.SerialForm;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * A file with one serial in each line, read again when it changes. Text from a {@code #} at the beginning of a line or
 * after a blank is a comment. Thread-safe.
 */
final class BlockFile {

    private static final int MAX_SIZE = 16 << 20;
    private static final int MOST_FORMS = 8;

    private final Path path;
    private volatile Content content;

    /**
     * The content, and the file that it was read from.
     *
     * @param key tells a file from the one that replaced it
     * @param inForm the serials in the forms of the fleets that asked so far
     * @param fault why it cannot be used; then there are no serials
     */
    private record Content(
            FileTime modified,
            long size,
            Object key,
            Set<String> serials,
            Map<SerialForm, Set<String>> inForm,
            Optional<String> fault) {

        /** A line that is no serial in this form cannot register either. */
        boolean contains(String serial, SerialForm form) {
            if (form.equals(SerialForm.EXACT)) {
                return serials.contains(serial);
            }
            if (inForm.size() > MOST_FORMS) {
                inForm.clear();
            }
            return inForm.computeIfAbsent(form, this::in).contains(serial);
        }

        private Set<String> in(SerialForm form) {
            return serials.stream()
                    .flatMap(serial -> form.of(serial).stream())
                    .map(SerialNumber::value)
                    .collect(Collectors.toUnmodifiableSet());
        }

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
     * Tells whether the file names the serial now, in any spelling.
     *
     * @param form how the fleet spells serials; this one is in that form
     * @throws VerificationUnavailableException if the file cannot be read, or a line is no serial: it is then unknown
     *     which serials were to be blocked
     */
    boolean contains(String serial, SerialForm form) {
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
        return now.contains(serial, form);
    }

    /** Returns why the file cannot be used now, or empty if it can. */
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
        // Look at the file before reading it, so that the next question notices a change made meanwhile.
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
                new ConcurrentHashMap<>(),
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
            // A program that writes into the file instead of replacing it truncates it first. That must not unblock
            // every serial.
            return Optional.of("is empty; a list that blocks nobody has a comment");
        }
        Iterator<String> lines;
        try {
            // Comments may be in any encoding that contains ASCII.
            lines = new String(WrittenText.withoutMark(bytes), StandardCharsets.UTF_8)
                    .lines()
                    .iterator();
        } catch (WrittenText.Utf16Exception e) {
            return Optional.of(WrittenText.reason(e));
        }
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
            // A serial may contain a #, but no blank.
            if (i == 0 || Character.isWhitespace(line.charAt(i - 1))) {
                return line.substring(0, i).strip();
            }
        }
        return line.strip();
    }
}
