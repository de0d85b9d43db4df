// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.pointers;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Operators have claim codes printed: for a lot, for a list, for one serial. */
@Tag("portable")
class LabelsIT {

    private static final Pattern CODE = Pattern.compile("([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]");
    private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G'};

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();
    private final String fleet = "f-" + RegistryUnderTest.unusedSerial().toLowerCase(Locale.ROOT);

    @BeforeEach
    void fleet() {
        put(fleet, "{'verifiers':['database'],'claims':{'users':['customers'],'by':['code']}}");
    }

    private void put(String name, String document) {
        Reply reply = registry.send(
                "PUT",
                "api/v1/fleets/" + name,
                document.replace('\'', '"').getBytes(StandardCharsets.UTF_8),
                with("Content-Type", JSON));
        assertThat(reply.status()).as(reply.toString()).isEqualTo(201);
    }

    private String[] with(String... headers) {
        List<String> all = new ArrayList<>(List.of(registry.asOperator()));
        all.addAll(List.of(headers));
        return all.toArray(String[]::new);
    }

    private Reply codes(String body, String accept) {
        return registry.post(
                "api/v1/fleets/" + fleet + "/claim-codes", JSON, body.replace('\'', '"'), with("Accept", accept));
    }

    private Reply code(String serial, String accept) {
        return registry.send(
                "POST",
                "api/v1/fleets/" + fleet + "/serials/" + serial + "/claim-code",
                new byte[0],
                with("Accept", accept));
    }

    private static List<String[]> rows(Reply csv) {
        return csv.text().lines().map(line -> line.split(",")).toList();
    }

    private static void isForOneReaderAlone(Reply reply) {
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.header("Cache-Control")).hasValue("no-store");
        assertThat(reply.header("Referrer-Policy")).hasValue("no-referrer");
    }

    @Test
    void listForALabelPrinterHasACodeOfItsOwnForEverySerial() {
        Reply csv = codes("{'serials':['SN-0002','SN-0001','SN-0002']}", "text/csv");

        isForOneReaderAlone(csv);
        assertThat(csv.header("Content-Type").orElseThrow().toLowerCase(Locale.ROOT))
                .isEqualTo("text/csv;charset=utf-8");
        assertThat(csv.header("Content-Disposition")).hasValue("attachment; filename=\"claim-codes.csv\"");
        assertThat(rows(csv)).extracting(row -> row[0]).containsExactly("serial", "SN-0002", "SN-0001");
        assertThat(rows(csv).get(0)).containsExactly("serial", "code", "url");
        for (String[] row : rows(csv).subList(1, 3)) {
            assertThat(row[1]).matches(CODE);
            assertThat(row[2]).matches("https?://.+/claim#" + row[1].replace("-", ""));
        }
        assertThat(rows(csv).get(1)[1]).isNotEqualTo(rows(csv).get(2)[1]);
    }

    @Test
    void lotIsPrintedWithoutItsBlockedSerials() {
        StringBuilder csv = new StringBuilder("serial,lot\n");
        IntStream.range(0, 250).forEach(i -> csv.append("SN-%04d,L-1%n".formatted(i)));
        csv.append("SN-9999,L-2\n");
        registry.load(fleet, "text/csv", csv.toString().getBytes(StandardCharsets.UTF_8));
        assertThat(registry.post("api/v1/fleets/" + fleet + "/serials/SN-0123/block", JSON, "{}", registry.asOperator())
                        .status())
                .isEqualTo(200);

        Reply list = codes("{'lot':'L-1'}", "*/*");
        Reply sheets = codes("{'lot':'L-1','label':'b'}", "text/html");

        assertThat(rows(list)).hasSize(250);
        assertThat(rows(list).stream().map(row -> row[1]).distinct()).hasSize(250);
        assertThat(list.text()).contains("SN-0249,").doesNotContain("SN-0123", "SN-9999");
        isForOneReaderAlone(sheets);
        assertThat(sheets.text()).endsWith("</html>\n").contains("<span>SN-0249</span>");
        assertThat(Pattern.compile("<svg ").matcher(sheets.text()).results()).hasSize(249);
        assertThat(Pattern.compile("<section>").matcher(sheets.text()).results())
                .hasSize(6);
    }

    @Test
    void sheetRunsNothingAndLoadsNothing() {
        Reply sheet = codes("{'serials':['<script>alert(1)</script>']}", "text/html");

        assertThat(sheet.header("Content-Security-Policy").orElseThrow())
                .startsWith("default-src 'none'; style-src 'sha256-")
                .doesNotContain("unsafe");
        assertThat(sheet.text())
                .contains("<span>&lt;script&gt;alert(1)&lt;/script&gt;</span>")
                .doesNotContain("<script");
    }

    @Test
    void oneCodeComesAsJsonOrAsAPicture() {
        Reply json = code("SN-0001", "application/json");
        isForOneReaderAlone(json);
        assertThat(json.json().path("serial").asText()).isEqualTo("SN-0001");
        assertThat(json.json().path("code").asText()).matches(CODE);
        assertThat(json.json().path("url").asText()).contains("/claim#");

        Reply png = code("SN-0001", "image/png");
        isForOneReaderAlone(png);
        assertThat(png.type()).isEqualTo("image/png");
        assertThat(Arrays.copyOf(png.body(), 4)).isEqualTo(PNG);

        Reply svg = code("SN-0001", "image/svg+xml, image/png;q=0.5");
        isForOneReaderAlone(svg);
        assertThat(svg.type()).isEqualTo("image/svg+xml");
        assertThat(svg.text()).startsWith("<svg xmlns");
    }

    @Test
    void codesAreRecordedButNotShownAgain() {
        String serial = RegistryUnderTest.unusedSerial();
        String made = code(serial, "application/json").json().path("code").asText();

        Reply events = registry.get("api/v1/events?limit=100", registry.asOperator());

        List<JsonNode> own = new ArrayList<>();
        events.json().path("events").forEach(event -> {
            if (event.path("serial").asText().equals(serial)) {
                own.add(event);
            }
        });
        assertThat(own).singleElement().satisfies(event -> {
            assertThat(event.path("type").asText()).isEqualTo("claim-codes-made");
            assertThat(event.path("fleet").asText()).isEqualTo(fleet);
        });
        assertThat(events.text()).doesNotContain(made, made.replace("-", ""));
    }

    @Test
    void faultsAreReportedAtOnce() {
        assertThat(pointers(codes("{'lots':'L-1'}", "text/csv"))).containsExactlyInAnyOrder("#/lots", "#/lot");
        assertThat(pointers(codes("{}", "text/csv"))).containsExactly("#/lot");
        assertThat(pointers(codes("{'lot':'L-1','serials':['SN-0001']}", "text/csv")))
                .containsExactly("#/lot");
        assertThat(pointers(codes("{'serials':[]}", "text/csv"))).containsExactly("#/serials");
        assertThat(pointers(codes("{'serials':['SN-0001','S N']}", "text/csv"))).containsExactly("#/serials/1");
        assertThat(pointers(codes("{'serials':['SN-0001'],'label':'c','colour':'red'}", "text/html")))
                .containsExactlyInAnyOrder("#/label", "#/colour");
        assertProblem(codes("{'lot':'L-none'}", "text/csv"), 404, "not-found");
        assertProblem(codes("{'serials':['SN-0001']}", "application/pdf"), 406, "not-acceptable");
        assertProblem(code("SN-0001", "image/gif"), 406, "not-acceptable");
        assertProblem(code("S", "image/png"), 404, "not-found");
    }

    @Test
    void fleetWhoseDevicesAreNotClaimedByCodeHasNone() {
        String other = fleet + "-2";
        put(other, "{'verifiers':['database'],'claims':{'users':['customers'],'by':['serial']}}");
        Reply reply = registry.post(
                "api/v1/fleets/" + other + "/claim-codes", JSON, "{\"serials\":[\"SN-0001\"]}", registry.asOperator());

        assertProblem(reply, 409, "conflict");
        assertThat(reply.json().path("detail").asText()).contains("claims");
        assertProblem(
                registry.post("api/v1/fleets/default/serials/SN-0001/claim-code", JSON, "{}", registry.asOperator()),
                409,
                "conflict");
    }

    @Test
    void onlyOperatorsWithTheRightHaveCodesMade() {
        assertProblem(
                registry.post("api/v1/fleets/" + fleet + "/claim-codes", JSON, "{\"serials\":[\"SN-0001\"]}"),
                401,
                "unauthorized");
        assertProblem(
                registry.post("api/v1/fleets/" + fleet + "/serials/SN-0001/claim-code", JSON, "{}"),
                401,
                "unauthorized");
        Reply viewer = registry.post(
                "api/v1/operators",
                JSON,
                "{\"name\":\"v-" + fleet + "\",\"rights\":[\"serials:read\"]}",
                registry.asOperator());
        assertThat(viewer.status()).as(viewer.toString()).isEqualTo(201);
        assertProblem(
                registry.post(
                        "api/v1/fleets/" + fleet + "/serials/SN-0001/claim-code",
                        JSON,
                        "{}",
                        RegistryUnderTest.bearer(viewer.json().path("token").asText())),
                403,
                "forbidden");
    }
}
