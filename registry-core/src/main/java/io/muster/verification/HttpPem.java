package io.muster.verification;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One block of a PEM file (RFC 7468). It may be a private key, so nothing of it is ever shown but its label. */
final class HttpPem {

    private static final int LONGEST_FILE = 1024 * 1024;
    private static final Pattern BEGIN = Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,40})-----");

    private final String label;
    private final String text;

    private HttpPem(String label, String text) {
        this.label = label;
        this.text = text;
    }

    /**
     * Returns the blocks of a file in their order; what stands between them is comment.
     *
     * @throws IOException if it cannot be read, or has more than a mebibyte
     */
    static List<HttpPem> read(Path file) throws IOException {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(LONGEST_FILE + 1);
        }
        if (bytes.length > LONGEST_FILE) {
            throw new IOException("too long");
        }
        String all = new String(bytes, StandardCharsets.ISO_8859_1);
        List<HttpPem> blocks = new ArrayList<>();
        Matcher begin = BEGIN.matcher(all);
        for (int from = 0; begin.find(from); ) {
            String label = begin.group(1);
            int end = all.indexOf("-----END " + label + "-----", begin.end());
            blocks.add(new HttpPem(label, end < 0 ? "" : all.substring(begin.end(), end)));
            from = end < 0 ? begin.end() : end;
        }
        return blocks;
    }

    String label() {
        return label;
    }

    /** Tells whether it is encrypted, by its label or by a header as OpenSSL used to write it. */
    boolean isEncrypted() {
        return label.startsWith("ENCRYPTED ") || text.contains("ENCRYPTED");
    }

    /** Returns what is encoded, or empty if it is damaged. */
    Optional<byte[]> bytes() {
        try {
            return Optional.of(Base64.getDecoder().decode(text.replaceAll("\\s", "")))
                    .filter(decoded -> decoded.length > 0);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
