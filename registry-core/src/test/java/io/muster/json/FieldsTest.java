// SPDX-License-Identifier: Apache-2.0
package io.muster.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.api.Problem.Fault;
import io.muster.problem.RegistryException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FieldsTest {

    private static Fields of(String json) {
        return Fields.of(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    private static List<String> pointers(Fields fields) {
        return fields.faults().stream().map(Fault::pointer).toList();
    }

    /** Reads the member {@code x} of every kind there is. */
    private static final Map<String, Function<Fields, Optional<?>>> READERS = Map.of(
            "text", fields -> fields.text("x"),
            "meaning", fields -> fields.meaning("x", "anything", Optional::of),
            "number", fields -> fields.number("x", 1, 10),
            "flag", fields -> fields.flag("x"),
            "time", fields -> fields.time("x"),
            "duration", fields -> fields.duration("x", Duration.ofSeconds(1), Duration.ofDays(1)),
            "texts", fields -> fields.texts("x", "short", text -> text.length() < 5),
            "map", fields -> fields.map("x", "short", name -> name.length() < 5, "anything", Optional::of),
            "object", fields -> fields.object("x"),
            "any", fields -> fields.any("x"));

    @Test
    void absentAndNullMembersAreAbsentAndNoFault() {
        READERS.forEach((kind, read) -> {
            for (String json : List.of("{}", "{'x':null}")) {
                Fields fields = of(json);
                assertThat(read.apply(fields)).as(kind).isEmpty();
                assertThatCode(fields::check).as(kind).doesNotThrowAnyException();
            }
        });
    }

    @Test
    void memberOfAnotherKindIsAFaultAndAbsent() {
        Map<String, String> values =
                Map.of("text", "'t'", "number", "5", "flag", "true", "array", "[]", "object", "{}");
        Map<String, String> taken = Map.of("number", "number", "flag", "flag", "texts", "array");
        READERS.forEach((kind, read) -> values.forEach((given, json) -> {
            boolean takes = given.equals(
                    switch (kind) {
                        case "text", "meaning" -> "text";
                        case "map", "object", "any" -> "object";
                        default -> taken.get(kind);
                    });
            Fields fields = of("{'x':" + json + "}");

            Optional<?> found = read.apply(fields);

            assertThat(pointers(fields)).as(kind + " of " + json).isEqualTo(takes ? List.of() : List.of("#/x"));
            assertThat(found.isPresent()).as(kind + " of " + json).isEqualTo(takes);
        }));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    -3                              | true
                    7                               | true
                    0                               | true
                    -4                              | false
                    8                               | false
                    1.0                             | false
                    1e0                             | false
                    9223372036854775808             | false
                    18446744073709551617            | false
                    99999999999999999999999999999   | false
                    """)
    void numberIsWholeAndWithinItsBounds(String json, boolean good) {
        Fields fields = of("{'x':" + json + "}");

        assertThat(fields.number("x", -3, 7)).isEqualTo(good ? Optional.of(Long.valueOf(json)) : Optional.empty());
        assertThat(pointers(fields)).isEqualTo(good ? List.of() : List.of("#/x"));
    }

    @Test
    void numberMayBeAnyLong() {
        Fields fields = of("{'x':-9223372036854775808,'y':9223372036854775807}");

        assertThat(fields.number("x", Long.MIN_VALUE, Long.MAX_VALUE)).contains(Long.MIN_VALUE);
        assertThat(fields.number("y", Long.MIN_VALUE, Long.MAX_VALUE)).contains(Long.MAX_VALUE);
        fields.check();
    }

    @ParameterizedTest
    @CsvSource({
        "1970-01-01T00:00:00Z, 1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z, 9999-12-31T23:59:59.999Z",
        "2026-06-01T12:00:00.1239Z, 2026-06-01T12:00:00.123Z",
        "2026-06-01T12:00:00+02:00, 2026-06-01T10:00:00Z",
        "1969-12-31T23:59:59.999Z,",
        "9999-12-31T23:59:59.9991Z,",
        "+10000-01-01T00:00:00Z,",
        "+1000000000-12-31T23:59:59Z,",
        "-1000000000-01-01T00:00:00Z,",
        "2026-06-01T12:00:00,",
        "2026-06-01,",
        "2026-02-30T00:00:00Z,",
        "soon,"
    })
    void timeHasAZoneIsWithinWhatTheDatabaseKeepsAndToTheMillisecond(String text, Instant time) {
        Fields fields = of("{'x':'" + text + "'}");

        assertThat(fields.time("x")).isEqualTo(Optional.ofNullable(time));
        assertThat(pointers(fields)).isEqualTo(time != null ? List.of() : List.of("#/x"));
    }

    @Test
    void laterTimeIsTheFaultyOneUnlessItIsLater() {
        Optional<Instant> one = Optional.of(Instant.EPOCH);
        Optional<Instant> two = Optional.of(Instant.EPOCH.plusMillis(1));
        Fields fields = of("{}");

        fields.order("from", one, "until", two);
        fields.order("from", Optional.empty(), "until", two);
        fields.order("from", two, "until", Optional.empty());
        assertThat(fields.faults()).isEmpty();
        fields.order("from", one, "until", one);
        fields.order("begin", two, "end", one);
        assertThat(pointers(fields)).containsExactly("#/until", "#/end");
    }

    @ParameterizedTest
    @CsvSource({
        "PT1S, true",
        "PT24H, true",
        "P1D, true",
        "PT0.999S, false",
        "PT24H0.001S, false",
        "-PT1S, false",
        "1 day, false",
        "P1M, false",
        "PT99999999999999999999H, false",
        "P99999999999D, false",
        "P106751991167300D, false"
    })
    void durationIsWithinItsBounds(String text, boolean good) {
        Fields fields = of("{'x':'" + text + "'}");

        assertThat(fields.duration("x", Duration.ofSeconds(1), Duration.ofDays(1)))
                .isEqualTo(good ? Optional.of(Duration.parse(text)) : Optional.empty());
        assertThat(pointers(fields)).isEqualTo(good ? List.of() : List.of("#/x"));
    }

    @Test
    void textSatisfiesItsConditionAndMeaningNothingIsAFault() {
        Fields fields = of("{'a':'','b':'12345','c':'x'}");

        assertThat(fields.text("a")).contains("");
        assertThat(fields.text("b", "short", text -> text.length() < 5)).isEmpty();
        assertThat(fields.meaning("c", "a number", text -> Optional.<Integer>empty()))
                .isEmpty();
        assertThat(fields.faults())
                .containsExactly(new Fault("#/b", "must be short"), new Fault("#/c", "must be a number"));
    }

    @Test
    void faultyElementsAreLeftOutAndNamedByTheirPlace() {
        Fields fields = of("{'x':['a','b','a',1,null,'toolong',['a'],'c']}");

        assertThat(fields.texts("x", "short", text -> text.length() < 5)).contains(List.of("a", "b", "c"));
        assertThat(pointers(fields)).containsExactly("#/x/2", "#/x/3", "#/x/4", "#/x/5", "#/x/6");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"[] | false", "['1'] | true", "['1','1'] | true", "['1','2','3'] | false"})
    void arrayOfMeaningsHasItsSizeAndMayRepeat(String json, boolean good) {
        Fields fields = of("{'x':" + json + "}");

        Optional<List<Integer>> found = fields.meanings(
                "x",
                "an array of 1 or 2",
                size -> size == 1 || size == 2,
                "a digit",
                text -> Optional.of(Integer.valueOf(text)));

        assertThat(found.isPresent()).isEqualTo(good);
        assertThat(fields.faults())
                .isEqualTo(good ? List.of() : List.of(new Fault("#/x", "must be an array of 1 or 2")));
    }

    @Test
    void mapHasTheGoodMembersAndNamesTheOthers() {
        Fields fields = of("{'x':{'a':'1','toolong':'1','b':1,'c':'','d':null}}");

        assertThat(fields.map("x", "short", name -> name.length() < 5, "something", text -> Optional.of(text)
                        .filter(value -> !value.isEmpty())))
                .contains(Map.of("a", "1"));
        assertThat(pointers(fields)).containsExactlyInAnyOrder("#/x/toolong", "#/x/b", "#/x/c");
    }

    @Test
    void anyObjectComesWithoutItsNulls() {
        Fields fields = of("{'x':{'a':1,'b':null,'c':{'d':null}}}");

        assertThat(fields.any("x")).get().extracting(Map::keySet).isEqualTo(Set.of("a", "c"));
        fields.check();
    }

    @Test
    void faultsOfNestedObjectsAreNotedWithThoseOfTheWhole() {
        Fields fields = of("{'a':{'b':{'c':1,'more':2}},'d':[]}");
        Fields inner = fields.object("a").orElseThrow().object("b").orElseThrow();

        inner.text("c");
        inner.end();
        assertThat(fields.object("d")).isEmpty();

        assertThat(pointers(fields)).containsExactly("#/a/b/c", "#/a/b/more", "#/d");
    }

    @Test
    void whatNobodyReadIsNotKnown() {
        Fields fields = of("{'b':1,'x':1,'a':1,'y':null}");
        fields.number("b", 0, 1);
        fields.number("a", 0, 1);
        fields.number("absent", 0, 1);

        fields.end();

        assertThat(fields.faults())
                .containsExactly(
                        new Fault("#/x", "is not known; known are b, a, absent"),
                        new Fault("#/y", "is not known; known are b, a, absent"));
    }

    @Test
    void whereNothingIsReadNothingIsKnown() {
        Fields fields = of("{'x':1}");

        fields.end();

        assertThat(fields.faults()).containsExactly(new Fault("#/x", "is not known"));
    }

    @Test
    void requiredMembersAreThereAndNotNull() {
        Fields fields = of("{'a':1,'b':null,'faulty':1}");
        fields.text("faulty");

        fields.require("a", "b", "c", "faulty");

        assertThat(pointers(fields)).containsExactly("#/faulty", "#/b", "#/c");
    }

    @Test
    void nullCanBeRefusedWhereItIsNotAbsence() {
        Fields fields = of("{'a':null,'b':'text','unknown':null,'required':null}");
        fields.require("required");
        fields.text("a");
        fields.text("b");
        fields.text("absent");

        fields.refuseNulls();

        assertThat(pointers(fields)).containsExactly("#/required", "#/a");
    }

    @Test
    void checkThrowsEveryFaultAtOnceAndNothingWhereThereIsNone() {
        Fields fields = of("{'a':1,'b':1}");
        fields.text("a");

        assertThat(catchThrowableOfType(RegistryException.class, fields::check).faults())
                .extracting(Fault::pointer)
                .containsExactly("#/a", "#/b");
        assertThatCode(of("{}")::check).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "x",
                "{",
                "{}{}",
                "{'a':1,'a':2}",
                "{'a':{'b':1,'b':2}}",
                "{'a':1e99999999999}",
                "\ufeff{}",
                "[]",
                "[{}]",
                "null",
                "'{}'",
                "1",
                "true"
            })
    void textThatIsNoObjectHasThatOneFaultAndNoMembers(String json) {
        Fields fields = of(json);

        READERS.values().forEach(read -> assertThat(read.apply(fields)).isEmpty());
        fields.require("x");
        fields.fault("x", "is bad");
        fields.refuseNulls();

        assertThat(fields.names()).isEmpty();
        assertThat(catchThrowableOfType(RegistryException.class, fields::check).faults())
                .extracting(Fault::pointer)
                .containsExactly("#");
    }

    @Test
    void textThatIsNotUtf8HasThatOneFault() {
        Fields fields = Fields.of(new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'});

        fields.end();

        assertThat(pointers(fields)).containsExactly("#");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a/b        | #/a~1b",
                "a~b        | #/a~0b",
                "~1         | #/~01",
                "a b        | #/a%20b",
                "a%20b      | #/a%2520b",
                "a#b        | #/a%23b",
                "é          | #/%C3%A9",
                "\\u0000    | #/%00",
                "a\\nb      | #/a%0Ab",
                "a\\\"b     | #/a%22b",
                "\\ud83d\\ude00 | #/%F0%9F%98%80",
                "a:b@c?d    | #/a:b@c?d"
            })
    void pointerIsOneOfRfc6901InAFragment(String name, String pointer) {
        Fields fields = Fields.of(("{\"" + name + "\":1}").getBytes(StandardCharsets.UTF_8));

        fields.end();

        assertThat(pointers(fields)).containsExactly(pointer);
    }

    @Test
    void nestedPointerEscapesEveryName() {
        Fields fields = of("{'a/b':{'c~d':['x',1]}}");

        fields.object("a/b").orElseThrow().texts("c~d", "text", text -> true);

        assertThat(pointers(fields)).containsExactly("#/a~1b/c~0d/1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\ud800", "\\udc00x", "a\\udbff"})
    void nameThatIsHalfACharacterCanStillBeAnsweredAsJson(String name) {
        Fields fields = Fields.of(("{\"" + name + "\":1}").getBytes(StandardCharsets.UTF_8));

        fields.end();

        assertThat(fields.faults()).hasSize(1);
        assertThat(Json.parse(Json.bytes(fields.faults())).size()).isOne();
    }

    @Test
    void ofManyFaultsAHundredAreNamedAndTheRestIsCounted() {
        StringBuilder json = new StringBuilder("{'x':1");
        for (int i = 0; i < 5000; i++) {
            json.append(",'y").append(i).append("':1");
        }
        Fields fields = of(json.append('}').toString());

        List<Fault> faults =
                catchThrowableOfType(RegistryException.class, fields::check).faults();

        assertThat(faults).hasSize(101).last().isEqualTo(new Fault("#", "and 4901 faults more"));
    }
}
