// SPDX-License-Identifier: Apache-2.0
package io.muster.web.label;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/**
 * Writes sheets of labels as one HTML document to print. It runs no script and loads nothing, which it also tells the
 * browser, since the file that somebody saved has no header that does.
 */
public final class LabelSheets implements LabelWriter {

    private static final String STYLE = style();

    /** The policy of the document: its own style and nothing else. */
    public static final String POLICY =
            "default-src 'none'; style-src 'sha256-" + hash(STYLE) + "'; base-uri 'none'; form-action 'none'";

    private final Writer out;
    private final LabelSize size;
    private final String address;
    private int written;

    /**
     * Writes to this writer, and does not close it.
     *
     * @param issuer the address of the registry, for people who type the code
     */
    public LabelSheets(Writer out, LabelSize size, URI issuer) {
        this.out = out;
        this.size = size;
        this.address = Label.address(issuer).replaceFirst("^https?://", "");
    }

    @Override
    public void begin() throws IOException {
        out.write("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                + "<meta http-equiv=\"Content-Security-Policy\" content=\"" + POLICY + "\">\n"
                + "<meta name=\"referrer\" content=\"no-referrer\">\n"
                + "<title>Labels</title>\n<style>" + STYLE + "</style>\n</head>\n<body class=\"" + size.word()
                + "\">\n");
    }

    @Override
    public void label(Label label) throws IOException {
        if (written % size.perSheet() == 0) {
            out.write(written == 0 ? "<section>\n" : "</section>\n<section>\n");
        }
        written++;
        QrPicture picture = label.picture();
        int side = picture.side();
        out.write("<div><svg viewBox=\"0 0 " + side + " " + side + "\" role=\"img\" aria-label=\"QR code\"><path d=\""
                + picture.path() + "\"/></svg><p><b>" + escaped(label.code()) + "</b><i>" + escaped(address)
                + "</i><span>" + escaped(label.serial()) + "</span></p></div>\n");
    }

    @Override
    public void end() throws IOException {
        out.write((written == 0 ? "" : "</section>\n") + "</body>\n</html>\n");
        out.flush();
    }

    @Override
    public void breakOff() throws IOException {
        out.write((written == 0 ? "" : "</section>\n")
                + "<h1>These labels are incomplete. Do not print them, request them again.</h1>\n</body>\n</html>\n");
        out.flush();
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    private static String style() {
        try (InputStream in = LabelSheets.class.getResourceAsStream("labels.css")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String hash(String style) {
        try {
            return Base64.getEncoder()
                    .encodeToString(
                            MessageDigest.getInstance("SHA-256").digest(style.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
