// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.muster.FuzzInput;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.fleet.Fleet;
import io.muster.problem.RegistryException;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.provider.MethodSource;

class SerialImportFuzzTest {

    private static TestNode registry;
    private static Fleet fleet;

    @BeforeAll
    static void start() {
        registry = TestRegistry.fresh()
                .with("muster.fleet.default.attributes", "weight:number")
                .start();
        fleet = registry.fleets().find("default").orElseThrow();
    }

    @AfterAll
    static void close() {
        registry.close();
    }

    private interface Import {
        SerialImport.Result of(InputStream body);
    }

    static Stream<byte[]> files() {
        return FuzzInput.utf8(
                "serial,name,lot,tags.site,attributes.weight,state,reason\nSN-0001,Pump,,Ulm,1.5,,\nSN-0002,,,,,blocked,stolen\n",
                "\ufeffserial\r\n\r\n'SN-0001'\r\n'SN-''2'\r\n'not closed\r\nSN-0004\r\n",
                "serial,serial,x\n",
                "sep=;\r\nSerial ; NAME;;\r\n3.56938E+14;a;;\r\n3.56938E+14;'b\n';\r\n;;;\r\n",
                "serial,attributes.weight\nSN-0001,1e999999999\nSN-0005,10e2147483647\nSN-0002,NaN\nSN-0003,-1E-400\nSN-0004,a,b\n",
                "[{'serial':'SN-0001','name':'Pump','tags':{'site':'Ulm'},'attributes':{'weight':1.5,'ok':true}},"
                        + "{'serial':'SN-0002','state':'blocked','reason':'stolen'},1,{'serial':7,'x':null,'tags':[]}]",
                "[{'serial':'SN-0001','serial':'SN-0002'}]",
                "[{'serial':'SN-0001','attributes':{'weight':1e999999999}},{'serial':'SN-0002'}] x",
                "[{'serial':'SN-0001','attributes':{'x':10e2147483647}}]",
                "[{'serial':'SN-0001'},{'serial':'SN-0002'",
                "[[[[[[[[");
    }

    @MethodSource("files")
    @FuzzTest
    void everyRowIsStoredOrRejectedWithAReasonAndTheSameFileAgainIsTheSame(byte[] file) {
        check(file, body -> registry.serialImport().csv(fleet, body, "test"));
        check(file, body -> registry.serialImport().json(fleet, body, "test"));
    }

    private static void check(byte[] file, Import importing) {
        SerialImport.Result result;
        try {
            result = importing.of(new ByteArrayInputStream(file));
        } catch (RegistryException e) {
            assertThat(e.type()).isEqualTo(ProblemType.INVALID_REQUEST);
            assertThat(e.faults()).isNotEmpty().allSatisfy(fault -> FuzzInput.assertMayBeLogged(fault.detail()));
            return;
        }

        assertThat(result.accepted() + result.rejected()).isEqualTo(result.read());
        assertThat(result.errors().size() + result.errorsOmitted()).isEqualTo(result.rejected());
        assertThat(result.errors())
                .isSortedAccordingTo(Comparator.comparingLong(SerialImport.RowError::row))
                .allSatisfy(error -> FuzzInput.assertMayBeLogged(error.reason()));
        if (!result.complete()) {
            assertThat(result.errors().get(result.errors().size() - 1).reason()).endsWith("; reading stopped here");
        }
        assertThat(importing.of(new ByteArrayInputStream(file)))
                .usingRecursiveComparison()
                .ignoringFields("id")
                .isEqualTo(result);
        assertThat(result.warnings()).allSatisfy(warning -> FuzzInput.assertMayBeLogged(warning.reason()));
    }
}
