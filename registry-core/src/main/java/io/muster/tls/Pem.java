// SPDX-License-Identifier: Apache-2.0
package io.muster.tls;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One block of a PEM file (RFC 7468). It may be a private key, so nothing but its label is ever shown. */
final class Pem {

    private static final Pattern BEGIN = Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,40})-----");

    private final String label;
    private final String text;

    private Pem(String label, String text) {
        this.label = label;
        this.text = text;
    }

    /**
     * Returns the blocks of a file in their order; the text between them is comment.
     *
     * @throws IOException if it cannot be read, or has more than a mebibyte
     */
    static List<Pem> read(Path file) throws IOException {
        String all = new String(Certificates.bytes(file), StandardCharsets.ISO_8859_1);
        List<Pem> blocks = new ArrayList<>();
        Matcher begin = BEGIN.matcher(all);
        for (int from = 0; begin.find(from); ) {
            String label = begin.group(1);
            int end = all.indexOf("-----END " + label + "-----", begin.end());
            blocks.add(new Pem(label, end < 0 ? "" : all.substring(begin.end(), end)));
            from = end < 0 ? begin.end() : end;
        }
        return blocks;
    }

    String label() {
        return label;
    }

    /** Tells whether it is encrypted, by its label or by a header in OpenSSL's old format. */
    boolean isEncrypted() {
        return label.startsWith("ENCRYPTED ") || text.contains("ENCRYPTED");
    }

    /** Returns the decoded bytes, or empty if it is damaged. */
    Optional<byte[]> bytes() {
        try {
            return Optional.of(Base64.getDecoder().decode(text.replaceAll("\\s", "")))
                    .filter(decoded -> decoded.length > 0);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
