// SPDX-License-Identifier: Apache-2.0
package io.muster.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.muster.FuzzInput;
import io.muster.api.Problem.Fault;
import io.muster.api.ProblemType;
import io.muster.problem.RegistryException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

class FieldsFuzzTest {

    private static final Duration HOUR = Duration.ofHours(1);

    static Stream<byte[]> texts() {
        return FuzzInput.utf8(
                "{'text':'a','number':5,'flag':true,'time':'2026-06-01T12:00:00.123456Z','until':'2026-06-01T12:00:01Z',"
                        + "'duration':'PT15M','texts':['a','b'],'map':{'k':'v'},'object':{'text':'x'},'any':{'a':[null]}}",
                "{'text':1,'number':'5','flag':'true','time':'yesterday','duration':'PT2562047788015216H',"
                        + "'texts':['a','a',1],'map':{'':'v','k':1},'object':[],'any':'x'}",
                "{'time':'+1000000000-12-31T23:59:59.999999999Z','until':'-1000000000-01-01T00:00:00Z','number':1e400}",
                "{'number':99999999999999999999,'flag':null,'~/%#\\n\\u0000\\ud83d\\ude00':1,'object':{'~1':{}}}",
                "[1]",
                "{");
    }

    @MethodSource("texts")
    @FuzzTest
    void everyMemberReadsWithinItsBoundsOrHasAFaultThatMayBeShown(byte[] utf8) {
        Fields fields = Fields.of(utf8);
        Optional<Long> number = fields.number("number", 1, 100);
        Optional<Instant> time = fields.time("time");
        Optional<Instant> until = fields.time("until");
        Optional<Duration> duration = fields.duration("duration", Duration.ZERO, HOUR);
        Optional<List<String>> texts = fields.texts("texts", "a short text", text -> text.length() < 10);
        Optional<Map<String, String>> map =
                fields.map("map", "short", name -> name.length() < 10, "a text", Optional::of);
        fields.flag("flag");
        fields.text("text");
        fields.any("any");
        fields.object("object").ifPresent(object -> {
            object.text("text");
            object.end();
        });
        fields.order("time", time, "until", until);
        Throwable thrown = catchThrowable(fields::check);

        for (Fault fault : fields.faults()) {
            FuzzInput.assertMayBeLogged(fault.detail());
            assertThat(fault.pointer()).matches("#(/[ -~]*)*");
            assertThat(URI.create(fault.pointer()).getFragment()).isNotNull();
        }
        if (fields.faults().isEmpty()) {
            assertThat(thrown).isNull();
            assertThat(Json.parse(utf8).isObject()).isTrue();
        } else {
            assertThat(thrown).isInstanceOfSatisfying(RegistryException.class, e -> {
                assertThat(e.type()).isEqualTo(ProblemType.INVALID_REQUEST);
                assertThat(e.faults()).isEqualTo(fields.faults());
            });
        }
        number.ifPresent(value -> assertThat(value).isBetween(1L, 100L));
        time.ifPresent(value -> assertThat(value).isAfterOrEqualTo(Instant.EPOCH));
        duration.ifPresent(value -> assertThat(value).isBetween(Duration.ZERO, HOUR));
        texts.ifPresent(list -> assertThat(list).doesNotHaveDuplicates().allMatch(text -> text.length() < 10));
        map.ifPresent(members -> assertThat(members.keySet()).allMatch(name -> name.length() < 10));
    }
}
