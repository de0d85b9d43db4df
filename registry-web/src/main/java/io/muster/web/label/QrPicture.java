// SPDX-License-Identifier: Apache-2.0
package io.muster.web.label;

import io.nayuki.qrcodegen.QrCode;
import io.nayuki.qrcodegen.QrSegmentAdvanced;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * A QR code as a picture, with the quiet zone around it that scanners need. Contains what the code says, so it is as
 * secret as that. Immutable.
 */
public final class QrPicture {

    /** The width of the quiet zone, in modules (ISO/IEC 18004 section 5.3.8). */
    static final int QUIET = 4;

    private static final int PIXELS_PER_MODULE = 10;
    private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final int BITS = 8;

    private final QrCode code;

    private QrPicture(QrCode code) {
        this.code = code;
    }

    /**
     * Draws a text. A fifteenth of the picture may be lost or dirty.
     *
     * @throws IllegalArgumentException if it is longer than a QR code can be
     */
    public static QrPicture of(String text) {
        return new QrPicture(QrCode.encodeSegments(
                QrSegmentAdvanced.makeSegmentsOptimally(
                        text, QrCode.Ecc.MEDIUM, QrCode.MIN_VERSION, QrCode.MAX_VERSION),
                QrCode.Ecc.MEDIUM));
    }

    /** Returns width and height in modules, with the quiet zone. */
    int side() {
        return code.size + 2 * QUIET;
    }

    /** Returns the black modules as the data of an SVG path. Neighbours in a row are one rectangle. */
    String path() {
        StringBuilder path = new StringBuilder();
        for (int y = 0; y < code.size; y++) {
            int x = 0;
            while (x < code.size) {
                int end = x;
                while (end < code.size && code.getModule(end, y)) {
                    end++;
                }
                if (end > x) {
                    path.append('M')
                            .append(x + QUIET)
                            .append(' ')
                            .append(y + QUIET)
                            .append('h')
                            .append(end - x)
                            .append("v1H")
                            .append(x + QUIET)
                            .append('z');
                }
                x = end + 1;
            }
        }
        return path.toString();
    }

    /** Returns it as an SVG document, black on white. */
    public byte[] svg() {
        int side = side();
        return ("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + side + " " + side + "\" width=\""
                        + side * PIXELS_PER_MODULE + "\" height=\"" + side * PIXELS_PER_MODULE
                        + "\" shape-rendering=\"crispEdges\"><rect width=\"" + side + "\" height=\"" + side
                        + "\" fill=\"#fff\"/><path d=\"" + path() + "\"/></svg>\n")
                .getBytes(StandardCharsets.UTF_8);
    }

    /** Returns it as a PNG with one bit for each pixel. */
    public byte[] png() {
        int pixels = side() * PIXELS_PER_MODULE;
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        png.writeBytes(PNG);
        chunk(
                png,
                "IHDR",
                ByteBuffer.allocate(13)
                        .putInt(pixels)
                        .putInt(pixels)
                        // one bit, grey; the only compression and filter; not interlaced
                        .put(new byte[] {1, 0, 0, 0, 0})
                        .array());
        chunk(png, "IDAT", deflated(pixels(pixels)));
        chunk(png, "IEND", new byte[0]);
        return png.toByteArray();
    }

    /** The rows, each with a byte before it that says that it has no filter. A one is white. */
    private byte[] pixels(int pixels) {
        int stride = 1 + (pixels + BITS - 1) / BITS;
        byte[] rows = new byte[stride * pixels];
        for (int y = 0; y < pixels; y++) {
            for (int x = 0; x < pixels; x++) {
                if (!code.getModule(x / PIXELS_PER_MODULE - QUIET, y / PIXELS_PER_MODULE - QUIET)) {
                    rows[y * stride + 1 + x / BITS] |= (byte) (0x80 >>> (x % BITS));
                }
            }
        }
        return rows;
    }

    private static byte[] deflated(byte[] bytes) {
        Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION);
        try {
            deflater.setInput(bytes);
            deflater.finish();
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] part = new byte[4096];
            while (!deflater.finished()) {
                out.write(part, 0, deflater.deflate(part));
            }
            return out.toByteArray();
        } finally {
            deflater.end();
        }
    }

    private static void chunk(ByteArrayOutputStream png, String type, byte[] data) {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 sum = new CRC32();
        sum.update(name);
        sum.update(data);
        png.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
        png.writeBytes(name);
        png.writeBytes(data);
        png.writeBytes(ByteBuffer.allocate(4).putInt((int) sum.getValue()).array());
    }
}
