// SPDX-License-Identifier: Apache-2.0
package io.muster.web.label;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QrPictureTest {

    private static final String CODE = "7ZQ4K-02HVM-9TXBE-A5CDG-N";
    private static final Label LABEL = Label.of(URI.create("https://registry.example"), "SN-0001", CODE);

    @Test
    void addressHasTheCodeInItsFragmentAlone() {
        assertThat(LABEL.url()).isEqualTo("https://registry.example/claim#7ZQ4K02HVM9TXBEA5CDGN");
        assertThat(Label.of(URI.create("https://registry.example/devices/"), "SN-0001", CODE)
                        .url())
                .isEqualTo("https://registry.example/devices/claim#7ZQ4K02HVM9TXBEA5CDGN");
        assertThat(LABEL.toString()).doesNotContain("7ZQ4K");
    }

    @Test
    void pngIsReadAsTheAddress() throws Exception {
        BufferedImage png =
                ImageIO.read(new ByteArrayInputStream(LABEL.picture().png()));

        assertThat(png.getColorModel().getPixelSize()).isEqualTo(1);
        assertThat(png.getWidth())
                .isEqualTo(png.getHeight())
                .isEqualTo(LABEL.picture().side() * 10);
        assertThat(QrReader.read(png)).isEqualTo(LABEL.url());
        assertThat(LABEL.picture().png()).hasSizeLessThan(2_000);
    }

    @Test
    void svgIsReadAsTheAddress() throws Exception {
        byte[] svg = LABEL.picture().svg();
        assertThat(DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(new ByteArrayInputStream(svg))
                        .getElementsByTagName("path")
                        .getLength())
                .isEqualTo(1);
        Matcher path = Pattern.compile("<path d=\"([^\"]+)\"/>").matcher(new String(svg, StandardCharsets.UTF_8));
        assertThat(path.find()).isTrue();

        assertThat(QrReader.read(QrReader.drawn(path.group(1), LABEL.picture().side())))
                .isEqualTo(LABEL.url());
    }

    /** The scanner finds nothing that touches the edge. */
    @Test
    void borderIsWhite() throws Exception {
        BufferedImage png =
                ImageIO.read(new ByteArrayInputStream(LABEL.picture().png()));

        for (int i = 0; i < png.getWidth(); i++) {
            for (int near = 0; near < QrPicture.QUIET * 10; near++) {
                assertThat(png.getRGB(i, near) & 0xffffff).isEqualTo(0xffffff);
                assertThat(png.getRGB(near, i) & 0xffffff).isEqualTo(0xffffff);
                assertThat(png.getRGB(i, png.getHeight() - 1 - near) & 0xffffff).isEqualTo(0xffffff);
                assertThat(png.getRGB(png.getWidth() - 1 - near, i) & 0xffffff).isEqualTo(0xffffff);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 8, 25, 60, 100, 300, 1000, 2000})
    void everySizeIsRead(int length) throws Exception {
        String text = "https://".concat("a".repeat(length));
        QrPicture picture = QrPicture.of(text);

        assertThat(QrReader.read(ImageIO.read(new ByteArrayInputStream(picture.png()))))
                .isEqualTo(text);
        assertThat(QrReader.read(QrReader.drawn(picture.path(), picture.side())))
                .isEqualTo(text);
    }

    @Test
    void labelOfAUsualAddressIsAtMostThirtyThreeModulesWide() {
        assertThat(LABEL.picture().side() - 2 * QrPicture.QUIET).isLessThanOrEqualTo(33);
    }
}
