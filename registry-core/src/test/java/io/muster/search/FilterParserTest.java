// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.search.Expression.And;
import io.muster.search.Expression.Comparison;
import io.muster.search.Expression.Not;
import io.muster.search.Expression.Or;
import io.muster.verification.SerialForm;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FilterParserTest {

    private static final Schema DEVICES = new DeviceFields(SerialForm.EXACT);

    private static Expression parse(String text) throws FilterException {
        return FilterParser.parse(text.replace('\'', '"'), DEVICES);
    }

    private static List<String> faults(String text) {
        try {
            throw new AssertionError("parsed: " + parse(text));
        } catch (FilterException e) {
            return e.faults();
        }
    }

    private static Comparison comparison(String field, Relation relation, Object value) {
        return new Comparison(DEVICES.find(field).orElseThrow(), relation, value);
    }

    @ParameterizedTest
    @ValueSource(strings = {"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "EQ", "Sw"})
    void everyOperatorComparesATextInAnyCase(String operator) throws FilterException {
        assertThat(parse("name " + operator + " 'Pump \\'7\\''"))
                .isEqualTo(comparison("name", Relation.of(operator).orElseThrow(), "Pump \"7\""));
    }

    @Test
    void andBindsTighterThanOr() throws FilterException {
        Comparison a = comparison("name", Relation.EQ, "a");
        Comparison b = comparison("lot", Relation.PR, null);
        Comparison c = comparison("serial", Relation.SW, "c");
        Comparison d = comparison("tags.d", Relation.EQ, "d");

        assertThat(parse("name eq 'a' or lot pr and serial sw 'c'"))
                .isEqualTo(new Or(List.of(a, new And(List.of(b, c)))));
        assertThat(parse("(name eq 'a' or lot pr) and serial sw 'c'"))
                .isEqualTo(new And(List.of(new Or(List.of(a, b)), c)));
        assertThat(parse("name eq 'a' and lot pr and serial sw 'c' or tags.d eq 'd'"))
                .isEqualTo(new Or(List.of(new And(List.of(a, b, c)), d)));
        assertThat(parse("not (name eq 'a') and lot pr")).isEqualTo(new And(List.of(new Not(a), b)));
        assertThat(parse("not (name eq 'a' or not (lot pr))")).isEqualTo(new Not(new Or(List.of(a, new Not(b)))));
    }

    @Test
    void valuesHaveTheTypeOfTheirAttribute() throws FilterException {
        assertThat(parse("createdAt ge '2026-06-01T14:00:00+02:00'"))
                .isEqualTo(comparison("createdAt", Relation.GE, Instant.parse("2026-06-01T12:00:00Z")));
        assertThat(parse("attributes.limit gt 21")).isEqualTo(comparison("attributes.limit", Relation.GT, 21));
        assertThat(parse("attributes.on eq true")).isEqualTo(comparison("attributes.on", Relation.EQ, true));
        assertThat(parse("STATE eq 'active'")).isEqualTo(comparison("state", Relation.EQ, "active"));
        assertThat(parse("tags.serial eq 'S'")).isEqualTo(comparison("serial", Relation.EQ, "S"));
        assertThat(parse("tags.a.b-c_1 eq 'S'")).isEqualTo(comparison("tags.a.b-c_1", Relation.EQ, "S"));
    }

    @Test
    void serialIsReadAsTheFleetSpellsItWhereItIsWhole() throws FilterException {
        Schema upper = new DeviceFields(SerialForm.of(List.of("upper"), false));

        assertThat(FilterParser.parse("serial eq \"sn-1\"", upper))
                .isEqualTo(comparison("serial", Relation.EQ, "SN-1"));
        assertThat(FilterParser.parse("serial sw \"sn-1\"", upper))
                .isEqualTo(comparison("serial", Relation.SW, "sn-1"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "name | character 5: the filter ends too early",
                "name eq | character 8: the filter ends too early",
                "name is 'a' | character 6: an operator is expected here: eq, ne, co, sw, ew, pr, gt, ge, lt or le",
                "name eq abc | character 9: a value is expected here: a text in double quotes, a number, true or false",
                "name eq 'a' lot pr | character 13: this is not expected here",
                "(name eq 'a' | character 13: the filter ends too early",
                "name eq 'a' or | character 15: the filter ends too early",
                "name eq 'a') | character 12: this parenthesis was never opened",
                "not name pr | character 5: after not, an opening parenthesis is expected here",
                "lot pr and name! pr | character 16: this is not expected here",
            })
    void whatDoesNotParseIsNamedWithItsPlace(String text, String fault) {
        assertThat(faults(text)).containsExactly(fault);
    }

    @Test
    void everyComparisonThatIsWrongIsNamedWithItsPlace() {
        assertThat(faults("colour eq 'red' and (state sw 'a' or not (state eq 'odd')) and createdAt gt 5"
                        + " and createdAt co '2026' and lot eq null and lot eq 3 and deviceId eq 'xyz'"
                        + " and attributes.on gt true and attributes.on co 1 and serial pr"))
                .containsExactly(
                        "character 1: unknown attribute; known are " + DEVICES.names(),
                        "character 22: state takes eq, ne and pr",
                        "character 43: state is one of \"pending\", \"active\", \"disabled\", \"retired\"",
                        "character 64: createdAt is a time such as \"2026-11-23T09:05:30Z\"",
                        "character 83: createdAt takes eq, ne, gt, ge, lt, le and pr",
                        "character 107: lot cannot be compared with null; use pr",
                        "character 123: lot is a text; put the value in double quotes",
                        "character 136: deviceId is 32 lower-case hex digits",
                        "character 158: attributes.on cannot be greater or less than true or false",
                        "character 184: attributes.on needs a text for co");
    }

    @Test
    void faultBeforeAnOrHasItsOwnPlace() {
        assertThat(faults("name eq 'a' and x pr and name eq 'b' and y pr or z pr"))
                .extracting(fault -> fault.substring(0, fault.indexOf(':')))
                .containsExactly("character 17", "character 42", "character 50");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tags[name eq 'a']",
                "emails[type eq 'work' and value pr]",
                "urn:x:y:name eq 'a'",
                "name eq {}",
                "name eq ['a']",
                "()",
                "  ",
                "name eq '\ud800'",
                "tags. eq 'a'",
                "attributes.a:b eq 'a'"
            })
    void whatTheGrammarHasAndNoListNeedsIsAFault(String text) {
        assertThatThrownBy(() -> parse(text)).isInstanceOf(FilterException.class);
    }

    @Test
    void filterIsBounded() throws FilterException {
        String twenty = String.join(" and ", Collections.nCopies(20, "lot pr"));
        String mixed =
                String.join(" or ", Collections.nCopies(4, "lot pr and name pr and lot pr and name pr and lot pr"));
        assertThat(parse(twenty)).isEqualTo(new And(List.of(comparison("lot", Relation.PR, null))));
        assertThat(parse(mixed).fields()).containsExactly("lot", "name");
        assertThat(parse("(".repeat(10) + "lot pr" + ")".repeat(10))).isNotNull();
        assertThat(parse("lot eq '" + "(".repeat(1900) + "'")).isNotNull();

        assertThat(faults(twenty + " or lot pr")).containsExactly("character 220: has more than 20 comparisons");
        assertThat(faults("(".repeat(11) + "lot pr" + ")".repeat(11)))
                .containsExactly("has parentheses more than 10 deep");
        assertThat(faults("lot eq '" + "a".repeat(2000) + "'")).containsExactly("has more than 2000 characters");
    }
}
