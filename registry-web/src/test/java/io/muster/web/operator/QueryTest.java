// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.api.Problem.Fault;
import io.muster.problem.RegistryException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class QueryTest {

    private static final List<String> KNOWN = List.of("serial", "limit", "cursor");

    private static List<String> faults(String query, List<String> known) {
        RegistryException refused = catchThrowableOfType(
                RegistryException.class, () -> Query.parse(query, known).check());
        assertThat(refused).as(query).isNotNull();
        return refused.faults().stream().map(Fault::detail).toList();
    }

    @Test
    void everyFaultIsNamedAtOnce() {
        assertThat(faults("limi=1&serial=a&serial=b&cursor=&dryRun=true", KNOWN))
                .containsExactly(
                        "\"limi\" is not a query parameter of this request; did you mean limit; known are serial, limit, cursor",
                        "serial is given twice",
                        "cursor is empty; leave it out",
                        "\"dryRun\" is not a query parameter of this request; known are serial, limit, cursor");
    }

    @Test
    void requestThatTakesNoneSaysSo() {
        assertThat(faults("dryRun", List.of()))
                .containsExactly("\"dryRun\" is not a query parameter of this request, which takes none");
    }

    @Test
    void namesAreShownWithoutWhatIsNoHarmlessAscii() {
        assertThat(faults("%1b%5b31m=1", List.of()))
                .containsExactly("\"?[31m\" is not a query parameter of this request, which takes none");
        assertThat(faults("x".repeat(7000), KNOWN).get(0)).hasSizeLessThan(200);
    }

    @Test
    void queryThatCannotBeDecodedIsAFault() {
        for (String query : List.of("limit=%zz", "limit=%ff", "limit=\u00e4", "%")) {
            assertThat(faults(query, KNOWN))
                    .as(query)
                    .singleElement()
                    .asString()
                    .startsWith("the query is malformed");
        }
    }

    @Test
    void emptyQueryIsNone() {
        for (String query : new String[] {null, "", "&", "&&"}) {
            assertThatCode(() -> Query.parse(query, List.of()).check()).doesNotThrowAnyException();
        }
    }

    @Test
    void valuesAreDecoded() {
        Query query = Query.parse("serial=SN%2F1+a", KNOWN);

        assertThat(query.<String>get("serial", "any", Optional::of)).contains("SN/1 a");
        assertThatCode(query::check).doesNotThrowAnyException();
    }
}
