// SPDX-License-Identifier: Apache-2.0
package io.muster.web.label;

import com.google.zxing.BinaryBitmap;
import com.google.zxing.ReaderException;
import com.google.zxing.client.j2se.BufferedImageLuminanceSource;
import com.google.zxing.common.HybridBinarizer;
import com.google.zxing.qrcode.QRCodeReader;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads QR codes as a phone does: from pictures, by a library that did not draw them. */
final class QrReader {

    private static final Pattern RUN = Pattern.compile("M(\\d+) (\\d+)h(\\d+)v1H(\\d+)z");

    private QrReader() {}

    static String read(BufferedImage picture) throws ReaderException {
        return new QRCodeReader()
                .decode(new BinaryBitmap(new HybridBinarizer(new BufferedImageLuminanceSource(picture))))
                .getText();
    }

    /** Draws the data of a path, of which it knows rectangles alone. */
    static BufferedImage drawn(String path, int side) {
        int scale = 4;
        BufferedImage picture = new BufferedImage(side * scale, side * scale, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = picture.createGraphics();
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, side * scale, side * scale);
        graphics.setColor(Color.BLACK);
        Matcher runs = RUN.matcher(path);
        int end = 0;
        while (runs.find()) {
            if (runs.start() != end || !runs.group(1).equals(runs.group(4))) {
                throw new AssertionError("not a rectangle: " + path.substring(end));
            }
            MatchResult run = runs.toMatchResult();
            graphics.fillRect(number(run, 1) * scale, number(run, 2) * scale, number(run, 3) * scale, scale);
            end = runs.end();
        }
        if (end != path.length()) {
            throw new AssertionError("not a rectangle: " + path.substring(end));
        }
        return picture;
    }

    private static int number(MatchResult run, int group) {
        return Integer.parseInt(run.group(group));
    }
}
