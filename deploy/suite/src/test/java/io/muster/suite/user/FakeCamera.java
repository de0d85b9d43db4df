// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.user;

import io.nayuki.qrcodegen.QrCode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A film for Chromium's fake camera (YUV4MPEG2), in which somebody holds a label before it. Chromium reads it when a page starts the camera. */
final class FakeCamera {

    private static final int WIDTH = 640;
    private static final int HEIGHT = 480;
    private static final int LABEL = 300;
    private static final int FRAMES = 5;
    private static final byte DESK = (byte) 120;
    private static final byte PAPER = (byte) 225;
    private static final byte INK = 30;
    private static final byte GREY = (byte) 128;

    private final Path file;

    FakeCamera(Path directory) {
        file = directory.resolve("camera.y4m");
        seesNothing();
    }

    Path file() {
        return file;
    }

    /** There is only the desk. */
    void seesNothing() {
        write(desk());
    }

    /** There is a label with this text as a QR code. */
    void sees(String text) {
        QrCode code = QrCode.encodeText(text, QrCode.Ecc.MEDIUM);
        int module = LABEL / (code.size + 8);
        int label = module * (code.size + 8);
        int left = (WIDTH - label) / 2;
        int top = (HEIGHT - label) / 2;
        byte[] picture = desk();
        for (int y = 0; y < label; y++) {
            for (int x = 0; x < label; x++) {
                boolean dark = code.getModule(x / module - 4, y / module - 4);
                picture[(top + y) * WIDTH + left + x] = dark ? INK : PAPER;
            }
        }
        write(picture);
    }

    private static byte[] desk() {
        byte[] picture = new byte[WIDTH * HEIGHT];
        Arrays.fill(picture, DESK);
        return picture;
    }

    private void write(byte[] picture) {
        byte[] colours = new byte[WIDTH * HEIGHT / 2];
        Arrays.fill(colours, GREY);
        ByteArrayOutputStream film = new ByteArrayOutputStream();
        film.writeBytes(
                ("YUV4MPEG2 W" + WIDTH + " H" + HEIGHT + " F10:1 Ip A1:1 C420\n").getBytes(StandardCharsets.US_ASCII));
        for (int i = 0; i < FRAMES; i++) {
            film.writeBytes("FRAME\n".getBytes(StandardCharsets.US_ASCII));
            film.writeBytes(picture);
            film.writeBytes(colours);
        }
        try {
            Files.write(file, film.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
