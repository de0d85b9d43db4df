// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.api.Problem.Fault;
import io.muster.json.Json;
import io.muster.problem.RegistryException;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeviceTemplateTest {

    private static final SerialNumber SERIAL = new SerialNumber("SN-{lot}-7a");
    private static final Verdict.Genuine NOTHING = new Verdict.Genuine(Optional.empty(), Map.of(), Map.of());

    private static FleetDocument document(String template) {
        return FleetDocument.parse(
                ("{'verifiers':['database'],'attributes':{'model':'string'},'configuration':{'fixed':'{x}'},"
                                + "'template':" + template + "}")
                        .replace('\'', '"')
                        .getBytes(StandardCharsets.UTF_8),
                "pumps",
                name -> Optional.empty(),
                name -> false,
                name -> Optional.empty(),
                name -> Optional.empty());
    }

    private static List<String> faults(String template) {
        RegistryException refused = catchThrowableOfType(RegistryException.class, () -> document(template));
        return refused.faults().stream()
                .map((Fault fault) -> fault.pointer() + " " + fault.detail())
                .toList();
    }

    private static Map<String, String> configuration(String text, Map<String, String> tags, Map<String, Object> known) {
        return document("{'configuration':{'x':'" + text + "'}}")
                .configurationOf(SERIAL, tags, known, LeftOut.UNSAID)
                .values();
    }

    @ParameterizedTest
    @CsvSource({
        "plain,plain",
        "{serial},SN-{lot}-7a",
        "{serial|upper},SN-{LOT}-7A",
        "{serial|last:2|upper}/{lot|lower},7A/b1",
        "{{serial}},{serial}",
        "{{{lot}}},{B1}",
        "{lot|first:1},B",
        "{lot|first:100},B1",
        "{attribute.model|or:none},none",
        "{attribute.model|or:a=b c|upper},A=B C",
    })
    void textsAreFilledIn(String text, String filled) {
        assertThat(configuration(text, Map.of("lot", "B1"), Map.of())).isEqualTo(Map.of("fixed", "{x}", "x", filled));
    }

    @Test
    void textWithoutAValueOrTooLongIsLeftOutAndThatIsSaid() {
        FleetDocument document = document("{'name':'{lot}','tags':{'long':'{attribute.model}','batch':'{lot}'},"
                + "'configuration':{'m':'{attribute.model}{attribute.model}'}}");
        List<String> leftOut = new ArrayList<>();
        LeftOut noting = (pointer, reason) -> leftOut.add(pointer + " " + reason);
        Map<String, Object> attributes = Map.of("model", "m".repeat(600));

        Verdict.Genuine made =
                document.complete(SERIAL, new Verdict.Genuine(Optional.empty(), Map.of("x", "y"), attributes), noting);
        Map<String, String> told =
                document.configurationOf(SERIAL, Map.of(), attributes, noting).values();

        assertThat(made).isEqualTo(new Verdict.Genuine(Optional.empty(), Map.of("x", "y"), attributes));
        assertThat(told).isEqualTo(Map.of("fixed", "{x}"));
        assertThat(leftOut)
                .containsExactlyInAnyOrder(
                        "#/template/tags/long the result must have at most 256 characters, no control characters and"
                                + " no half of a surrogate pair",
                        "#/template/tags/batch a placeholder has no value",
                        "#/template/name a placeholder has no value",
                        "#/template/configuration/m the result must have at most 1000 characters");
    }

    @Test
    void whatAVerifierKnowsCountsBeforeTheTemplate() {
        FleetDocument document = document(
                "{'name':'Pump {serial|last:2}','tags':{'batch':'{lot}','hall':'A'},"
                        + "'attributes':{'interval':{'type':'number','default':60},'beta':{'type':'boolean','default':false}}}");

        assertThat(document.complete(SERIAL, NOTHING, LeftOut.UNSAID))
                .isEqualTo(new Verdict.Genuine(
                        Optional.of("Pump 7a"), Map.of("hall", "A"), Map.of("interval", 60, "beta", false)));
        Verdict.Genuine known =
                new Verdict.Genuine(Optional.of("P"), Map.of("hall", "B", "lot", "L"), Map.of("interval", 5));
        assertThat(document.complete(SERIAL, known, LeftOut.UNSAID))
                .isEqualTo(new Verdict.Genuine(
                        Optional.of("P"),
                        Map.of("hall", "B", "lot", "L", "batch", "L"),
                        Map.of("interval", 5, "beta", false)));
    }

    @Test
    void everyFaultIsReportedWithItsPlace() {
        assertThat(faults("{'name':'{serial} }','tags':{'lot':'x','a b':'y','t':'{lot|up|first:0}{owner}'},"
                        + "'attributes':{'model':{'type':'string'},'n':{'type':'number','min':5,'max':1,'default':'x'},"
                        + "'s':{'type':'string','maxLength':3,'default':'long','min':1},'u':{},'v':{'type':'int'},"
                        + "'w':{'type':'string','report':'yes','unit':'V'}},"
                        + "'configuration':{'c':'{attribute.modle}','d':null,'e':5},'secrets':{}}"))
                .containsExactlyInAnyOrder(
                        "#/template/name at character 10: a brace alone; write {{ or }} to have one",
                        "#/template/tags/lot is a tag of the registry's own",
                        "#/template/tags/a%20b its name must be 1 to 64 letters, digits and _ . : -",
                        "#/template/tags/t at character 6: must be upper, lower, first:<count>, last:<count> or"
                                + " or:<text>",
                        "#/template/tags/t at character 9: must be upper, lower, first:<count>, last:<count> or"
                                + " or:<text>",
                        "#/template/tags/t at character 18: must be serial, lot or attribute.<name>",
                        "#/template/attributes/model is declared in #/attributes already",
                        "#/template/attributes/n/max must not be less than min",
                        "#/template/attributes/n/default must be a number, as the fleet declares",
                        "#/template/attributes/s/default must have at most 3 characters",
                        "#/template/attributes/s/min is for numbers only",
                        "#/template/attributes/u/type is required",
                        "#/template/attributes/v/type must be string, number, boolean",
                        "#/template/attributes/w/report must be true or false",
                        "#/template/attributes/w/unit is not known; known are type, default, report, min, max,"
                                + " maxLength",
                        "#/template/configuration/c at character 2: names an attribute that the document does not"
                                + " declare",
                        "#/template/configuration/d must not be null",
                        "#/template/configuration/e must be a string",
                        "#/template/secrets is not known; known are attributes, name, tags, configuration");
        assertThat(faults("{'configuration':{'fixed':'2'}}"))
                .containsExactly("#/configuration fixed is in #/template/configuration too");
        assertThat(faults("{'configuration':{'x':'" + "{lot}".repeat(11) + "'}}"))
                .containsExactly("#/template/configuration/x at character 51: more than 10 placeholders");
        assertThat(faults("{'configuration':{'x':'" + "x".repeat(1001) + "'}}"))
                .containsExactly(
                        "#/template/configuration/x at character 1001: the text has more than 1000 characters");
    }

    @Test
    void templateIsWrittenAsItWasRead() {
        FleetDocument document = document("{'name':'P {serial}','tags':{'t':'{lot}'},'attributes':{'fw':{"
                + "'type':'string','report':true,'maxLength':20},'n':{'type':'number','default':0.5,'min':0,'max':9}},"
                + "'configuration':{'c':'{attribute.fw|or:?}'}}");

        FleetDocument again = FleetDocument.stored(Json.text(document.toJson()), "pumps");

        assertThat(again).isEqualTo(document);
        assertThat(again.reported().keySet()).containsExactly("fw");
        assertThat(again.types().keySet()).containsExactlyInAnyOrder("model", "fw", "n");
        assertThat(document("{}").toJson()).doesNotContainKey("template");
        assertThatCode(() -> document("{'configuration':{'x':'" + "{{".repeat(500) + "'}}"))
                .doesNotThrowAnyException();
    }

    @Test
    void versionOfAConfigurationFollowsItsValues() {
        String one = new DeviceConfiguration(Map.of("a", "1", "b", "2")).version();

        assertThat(one)
                .matches("[0-9a-f]{16}")
                .isEqualTo(new DeviceConfiguration(Map.of("b", "2", "a", "1")).version());
        assertThat(new DeviceConfiguration(Map.of("a", "1", "b", "3")).version())
                .isNotEqualTo(one);
    }
}
