// SPDX-License-Identifier: Apache-2.0
package io.muster.web.label;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LabelSheetsTest {

    private static final URI ISSUER = URI.create("https://registry.example");
    private static final Pattern SVG =
            Pattern.compile("<svg viewBox=\"0 0 (\\d+) \\1\"[^>]*><path d=\"([^\"]+)\"/></svg>");

    private static String sheets(LabelSize size, List<Label> labels) throws IOException {
        StringWriter out = new StringWriter();
        written(new LabelSheets(out, size, ISSUER), labels);
        return out.toString();
    }

    private static void written(LabelWriter writer, List<Label> labels) throws IOException {
        writer.begin();
        for (Label label : labels) {
            writer.label(label);
        }
        writer.end();
    }

    private static List<Label> labels(int number) {
        return IntStream.range(0, number)
                .mapToObj(i -> Label.of(ISSUER, "SN-" + i, "%05d-ABCDE-FGHJK-MNPQR-7".formatted(i)))
                .toList();
    }

    private static long count(String text, String part) {
        return Pattern.compile(part, Pattern.LITERAL).matcher(text).results().count();
    }

    @ParameterizedTest
    @CsvSource({"A, 1, 1", "A, 21, 1", "A, 22, 2", "A, 43, 3", "B, 48, 1", "B, 49, 2"})
    void asManyLabelsToASheetAsThereAreOnTheFilm(LabelSize size, int labels, int sheets) throws IOException {
        String html = sheets(size, labels(labels));

        assertThat(count(html, "<section>")).isEqualTo(sheets);
        assertThat(count(html, "</section>")).isEqualTo(sheets);
        assertThat(count(html, "<svg ")).isEqualTo(labels);
        assertThat(html).endsWith("</section>\n</body>\n</html>\n");
    }

    @ParameterizedTest
    @EnumSource(LabelSize.class)
    void eachPictureSaysTheAddressOfItsLabel(LabelSize size) throws Exception {
        List<Label> labels = labels(30);

        List<MatchResult> pictures = SVG.matcher(sheets(size, labels)).results().toList();

        assertThat(pictures).hasSameSizeAs(labels);
        for (int i = 0; i < labels.size(); i++) {
            MatchResult picture = pictures.get(i);
            assertThat(QrReader.read(QrReader.drawn(picture.group(2), Integer.parseInt(picture.group(1)))))
                    .isEqualTo(labels.get(i).url());
        }
    }

    @Test
    void labelHasCodeSerialAndAddressForPeople() throws IOException {
        String html = sheets(LabelSize.A, List.of(Label.of(ISSUER, "SN-0001", "7ZQ4K-02HVM-9TXBE-A5CDG-N")));

        assertThat(html)
                .contains("<b>7ZQ4K-02HVM-9TXBE-A5CDG-N</b>")
                .contains("<i>registry.example/claim</i>")
                .contains("<span>SN-0001</span>");
    }

    @Test
    void serialIsNeverMarkup() throws IOException {
        String html = sheets(LabelSize.B, List.of(Label.of(ISSUER, "</span><script>alert('1')</script>&\"", "7ZQ4K")));

        assertThat(html)
                .doesNotContain("<script")
                .contains("<span>&lt;/span&gt;&lt;script&gt;alert('1')&lt;/script&gt;&amp;&quot;</span>");
    }

    /** Scripts, styles in attributes, pictures, fonts and frames would all be blocked. */
    @Test
    void documentKeepsItsOwnPolicy() throws Exception {
        String html = sheets(LabelSize.A, labels(1));
        String style = html.substring(html.indexOf("<style>") + 7, html.indexOf("</style>"));
        String hash = Base64.getEncoder()
                .encodeToString(MessageDigest.getInstance("SHA-256").digest(style.getBytes(StandardCharsets.UTF_8)));

        assertThat(LabelSheets.POLICY).contains("default-src 'none'; style-src 'sha256-" + hash + "';");
        assertThat(html).contains("content=\"" + LabelSheets.POLICY + "\"");
        assertThat(html).doesNotContain("<script", " style=", " on", "href", "src=", "url(", "@import", "unsafe");
    }

    @Test
    void styleHasTheMillimetresOfBothFilms() throws IOException {
        String html = sheets(LabelSize.A, List.of());

        assertThat(html)
                .contains("@page { size: A4 portrait; margin: 0; }")
                .contains("repeat(3, 63.5mm); grid-auto-rows: 38.1mm")
                .contains("repeat(4, 45.7mm); grid-auto-rows: 21.2mm");
    }

    @Test
    void whatIsBrokenOffSaysSo() throws IOException {
        StringWriter list = new StringWriter();
        StringWriter sheets = new StringWriter();
        for (LabelWriter writer : List.of(new LabelList(list), new LabelSheets(sheets, LabelSize.A, ISSUER))) {
            writer.begin();
            writer.label(labels(1).get(0));
            writer.breakOff();
        }

        assertThat(list.toString()).endsWith("\r\nTHIS LIST IS INCOMPLETE,REQUEST IT AGAIN,\r\n");
        assertThat(sheets.toString()).contains("</section>\n<h1>These labels are incomplete.");
    }

    @Test
    void listIsCsvWithEverySerialAsItIs() throws IOException {
        StringWriter out = new StringWriter();

        written(
                new LabelList(out),
                List.of(
                        Label.of(ISSUER, "SN-0001", "7ZQ4K-02HVM-9TXBE-A5CDG-N"),
                        Label.of(ISSUER, "a,\"b\"", "7ZQ4K-02HVM-9TXBE-A5CDG-N")));

        assertThat(out.toString().lines().collect(Collectors.toList()))
                .containsExactly(
                        "serial,code,url",
                        "SN-0001,7ZQ4K-02HVM-9TXBE-A5CDG-N,https://registry.example/claim#7ZQ4K02HVM9TXBEA5CDGN",
                        "\"a,\"\"b\"\"\",7ZQ4K-02HVM-9TXBE-A5CDG-N,"
                                + "https://registry.example/claim#7ZQ4K02HVM9TXBEA5CDGN");
        assertThat(out.toString()).endsWith("\r\n");
    }
}
