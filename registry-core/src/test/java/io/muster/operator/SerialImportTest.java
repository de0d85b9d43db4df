// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.json.Json;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidates;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("InputStreamSlowMultibyteRead") // slow on purpose: byte by byte
class SerialImportTest {

    private static final byte[] NOT_UTF8 = {(byte) 0xc3, (byte) 0x28};

    private final TestNode registry = TestRegistry.fresh().start();

    @AfterEach
    void close() {
        registry.close();
    }

    private SerialImport.Result csv(InputStream body) {
        return registry.serialImport().csv(registry.fleets().find("default").orElseThrow(), body, "test");
    }

    private SerialImport.Result csv(String text) {
        return csv(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }

    private SerialImport.Result json(InputStream body) {
        return registry.serialImport().json(registry.fleets().find("default").orElseThrow(), body, "test");
    }

    private SerialImport.Result json(String text) {
        return json(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static InputStream bytes(Object... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Object part : parts) {
            all.writeBytes(
                    part instanceof byte[] raw ? raw : String.valueOf(part).getBytes(StandardCharsets.UTF_8));
        }
        return new ByteArrayInputStream(all.toByteArray());
    }

    private static List<Long> rows(SerialImport.Result result) {
        return result.errors().stream().map(SerialImport.RowError::row).toList();
    }

    private void assertExpected(String serial) {
        assertThat(registry.registrar().register(Candidates.withSerial(serial)).deviceId())
                .isNotBlank();
    }

    private static String serials(int from, int to) {
        return IntStream.rangeClosed(from, to).mapToObj(i -> "SN-" + i + "\n").collect(Collectors.joining());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 1500, 20_000})
    void rowsBeforeTextThatIsNotUtf8AreKeptAndTheRowIsNamed(int good) {
        SerialImport.Result result =
                csv(bytes("serial\n", serials(10_001, 10_000 + good), "SN-x", NOT_UTF8, "\n", serials(50_001, 50_010)));

        assertThat(result.accepted()).isEqualTo(good);
        assertThat(result.complete()).isFalse();
        assertThat(result.errors()).hasSize(1);
        assertThat(rows(result)).containsExactly(good + 2L);
        assertThat(result.errors().get(0).reason()).contains("UTF-8");
        assertExpected("SN-" + (10_000 + good));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1e309", "-1e400", "1e401", "1e-401", "1e999999999", "10e2147483647", "1e2147483648"})
    void numberOfTooGreatAnExponentIsRejected(String number) {
        SerialImport.Result result = json("[{\"serial\":\"SN-0001\",\"attributes\":{\"weight\":" + number + "}}]");

        assertThat(result.accepted()).isZero();
        assertThat(rows(result)).containsExactly(1L);
    }

    @Test
    void lotIsOneOfTheTagsThatADeviceMayHave() {
        String tags = IntStream.range(0, 100)
                .mapToObj(i -> "\"t" + i + "\":\"x\"")
                .collect(Collectors.joining(",", "{", "}"));

        SerialImport.Result result = json("[{\"serial\":\"SN-0001\",\"tags\":" + tags
                + "},{\"serial\":\"SN-0002\",\"lot\":\"L1\",\"tags\":" + tags + "}]");

        assertThat(rows(result)).containsExactly(2L);
        assertThat(result.errors().get(0).reason()).contains("tags has more than 100 members");
        assertThat(registry.registrar()
                        .register(Candidates.withSerial("SN-0001"))
                        .name())
                .isEqualTo("SN-0001");
    }

    @Test
    void textThatEndsWithinACharacterIsNotUtf8() {
        SerialImport.Result result = csv(bytes("serial,name\nSN-0001,a\nSN-0002,b", new byte[] {(byte) 0xc3}));

        assertThat(result.accepted()).isEqualTo(1);
        assertThat(result.complete()).isFalse();
        assertThat(rows(result)).containsExactly(3L);
    }

    @Test
    void charactersOfSeveralBytesMayBeTornAcrossReads() {
        String name = "P\u00fcmpe \u2603 \ud83d\ude80";
        byte[] all = ("serial,name\nSN-0001," + name + "\n").getBytes(StandardCharsets.UTF_8);

        SerialImport.Result result = csv(new ByteArrayInputStream(all) {
            @Override
            public synchronized int read(byte[] buffer, int offset, int length) {
                return super.read(buffer, offset, Math.min(1, length));
            }
        });

        assertThat(result.complete()).isTrue();
        assertThat(registry.registrar()
                        .register(Candidates.withSerial("SN-0001"))
                        .name())
                .isEqualTo(name);
    }

    @Test
    void jsonRowsBeforeTextThatIsNotUtf8AreKeptAndTheRowIsNamed() {
        SerialImport.Result result = json(bytes(
                "[{\"serial\":\"SN-0001\"},\n{\"serial\":\"SN-0002\"},{\"serial\":\"",
                NOT_UTF8,
                "\"},{\"serial\":\"SN-0004\"}]"));

        assertThat(result.accepted()).isEqualTo(2);
        assertThat(rows(result)).containsExactly(3L);
        assertThat(result.errors().get(0).reason()).contains("UTF-8");
        assertExpected("SN-0002");
    }

    @Test
    void bodyThatBreaksOffKeepsTheRowsBefore() {
        byte[] start = "serial\nSN-0001\nSN-0002\nSN-00".getBytes(StandardCharsets.UTF_8);

        SerialImport.Result result = csv(new InputStream() {
            private int at;

            @Override
            public int read() throws IOException {
                if (at == start.length) {
                    throw new IOException("gone");
                }
                return start[at++] & 0xff;
            }
        });

        assertThat(result.accepted()).isEqualTo(2);
        assertThat(result.complete()).isFalse();
        assertThat(rows(result)).containsExactly(4L);
        assertThat(result.errors().get(0).reason()).contains("ended before it was complete");
    }

    @Test
    void blankLinesCountAsASpreadsheetCountsThem() {
        SerialImport.Result result = csv("\nserial,name\n\nSN-0001,a\n\r\n\nbad serial,b\nSN-0002,c\n\n");

        assertThat(rows(result)).containsExactly(7L);
        assertThat(result.read()).isEqualTo(3);
        assertThat(result.accepted()).isEqualTo(2);
        assertThat(result.complete()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"%s x", "%s, x]", "%s,", "%s", "%s,{\"ser", "%s] x", "%s,,", "%s,{\"serial\":\"SN-3\" 1}]"})
    void syntaxErrorOfJsonIsInTheRowAfterTheLastGoodOne(String form) {
        SerialImport.Result result = json("[" + form.formatted("{\"serial\":\"SN-0001\"},{\"serial\":\"SN-0002\"}"));

        assertThat(result.accepted()).isEqualTo(2);
        assertThat(result.complete()).isFalse();
        assertThat(rows(result)).containsExactly(3L);
    }

    @Test
    void faultyHeaderIsInvalidAndStoresNothing() {
        for (InputStream body : List.of(
                bytes("ser", NOT_UTF8, "ial\nSN-0001\n"),
                bytes("serial,n", new byte[] {(byte) 0xff}, "\nSN-0001\n"),
                bytes("serial,\"na\"me\"\nSN-0001,a\n"),
                bytes("serial,\"", "x".repeat(3_000_000)),
                bytes("\n\n"),
                bytes(""))) {
            assertThatThrownBy(() -> csv(body)).isInstanceOfSatisfying(RegistryException.class, e -> {
                assertThat(e.type()).isEqualTo(ProblemType.INVALID_REQUEST);
                assertThat(e.faults()).isNotEmpty();
            });
        }
        for (InputStream body : List.of(bytes(NOT_UTF8), bytes("x"), bytes(""), bytes("{}"), bytes("5 ["))) {
            assertThatThrownBy(() -> json(body))
                    .isInstanceOfSatisfying(
                            RegistryException.class, e -> assertThat(e.type()).isEqualTo(ProblemType.INVALID_REQUEST));
        }
    }

    @Test
    void reportOfErrorsIsBounded() {
        String header =
                "serial" + IntStream.range(0, 190).mapToObj(i -> ",tags.t" + i).collect(Collectors.joining());
        String bad = "x" + ",\t".repeat(190) + "\n";

        SerialImport.Result result = csv(header + "\n" + bad.repeat(5_000) + "SN-0001" + ",".repeat(190) + "\n");

        assertThat(result.rejected()).isEqualTo(5_000);
        assertThat(result.accepted()).isEqualTo(1);
        assertThat(result.complete()).isTrue();
        assertThat(Json.bytes(result).length).isLessThan(3 << 20);
    }

    @Test
    void importOfBadRowsOnlyStopsAndTheLastErrorSaysWhy() {
        SerialImport.Result result = csv("serial\n" + "x\n".repeat(150_000));

        assertThat(result.rejected()).isEqualTo(100_000);
        assertThat(result.complete()).isFalse();
        assertThat(result.errors().get(result.errors().size() - 1).reason()).contains("reading stopped here");
        assertThat(Json.bytes(result).length).isLessThan(3 << 20);
    }

    @Test
    void hugeRowIsNotHeld() {
        String huge = "{\"serial\":\"SN-0002\",\"tags\":{\"a\":\"" + "x".repeat(70_000) + "\"}}";

        SerialImport.Result result = json("[{\"serial\":\"SN-0001\"}," + huge + ",{\"serial\":\"SN-0003\"}]");

        assertThat(result.accepted()).isEqualTo(1);
        assertThat(result.complete()).isFalse();
        assertThat(rows(result)).containsExactly(2L);
        assertThat(result.errors().get(0).reason()).contains("65536");
    }

    @Test
    void hugeRowOfManySmallMembersIsNotHeld() {
        InputStream endless = new InputStream() {
            private final byte[] start = "[{\"serial\":\"SN-0001\"},{\"tags\":{".getBytes(StandardCharsets.UTF_8);
            private long at;

            @Override
            public int read() {
                if (at > 50_000_000) {
                    throw new AssertionError("it reads on and on");
                }
                int n = at < start.length ? start[(int) at] : "\"abcdefg\":1,".charAt((int) (at % 12));
                at++;
                return n;
            }
        };

        SerialImport.Result result = json(endless);

        assertThat(result.accepted()).isEqualTo(1);
        assertThat(rows(result)).containsExactly(2L);
    }

    @Test
    void rowsOfOrdinaryLengthAreOrdinaryHoweverManyThereAre() {
        String padded = "  \n" + "{\"serial\":\"SN-%d\",\"attributes\":{\"a\":\"" + "x".repeat(900) + "\"}}";
        String json =
                IntStream.range(10_000, 10_500).mapToObj(padded::formatted).collect(Collectors.joining(","));

        SerialImport.Result result = json("[" + json + "]");

        assertThat(result.accepted()).isEqualTo(500);
        assertThat(result.complete()).isTrue();
    }

    @Test
    void nestingWithoutEndIsAnErrorOfItsRow() {
        SerialImport.Result result = json("[{\"serial\":\"SN-0001\"}," + "[".repeat(100_000));

        assertThat(result.accepted()).isEqualTo(1);
        assertThat(rows(result)).containsExactly(2L);
    }

    @Test
    void quoteThatIsNotClosedIsOneError() {
        SerialImport.Result result = csv("serial,name\nSN-0001,a\nSN-0002,\"x\nSN-0003,b\n");

        assertThat(result.read()).isEqualTo(2);
        assertThat(result.accepted()).isEqualTo(1);
        assertThat(result.rejected()).isEqualTo(1);
        assertThat(result.complete()).isFalse();
        assertThat(rows(result)).containsExactly(3L);
        assertThat(result.errors().get(0).reason()).contains("not closed");
    }

    @Test
    void whatCannotBeStoredIsAnErrorOfItsRow() {
        SerialImport.Result result = json("[{\"serial\":\"SN-0001\",\"name\":\" \"},"
                + "{\"serial\":\"SN-0002\",\"tags\":{\"a\":\"\\ud83d\"}},"
                + "{\"serial\":\"SN-0003\",\"attributes\":{\"a\":\"\\u0000\"}},"
                + "{\"serial\":\"SN-0004\",\"attributes\":{\"a\":1e999999999}},"
                + "{\"serial\":\"SN-0005\",\"lot\":\"\\ude00\"}]");

        assertThat(result.accepted()).isZero();
        assertThat(rows(result)).containsExactly(1L, 2L, 3L, 4L, 5L);
    }

    private static List<Long> warned(SerialImport.Result result) {
        return result.warnings().stream().map(SerialImport.RowError::row).toList();
    }

    @Test
    void serialThatARowBeforeHasIsABadRow() {
        SerialImport.Result result = csv("serial,name\nSN-0001,a\nSN-0002,b\nSN-0001,c\nSN-0001,d\n");

        assertThat(result.accepted()).isEqualTo(2);
        assertThat(result.rejected()).isEqualTo(2);
        assertThat(result.repeated()).isEqualTo(2);
        assertThat(rows(result)).containsExactly(4L, 5L);
        assertThat(result.errors().get(0).reason()).isEqualTo("repeats the serial of row 2");
        assertThat(registry.registrar()
                        .register(Candidates.withSerial("SN-0001"))
                        .name())
                .isEqualTo("a");
        assertThat(json("[{\"serial\":\"SN-0003\"},{\"serial\":\"SN-0003\"}]").repeated())
                .isEqualTo(1);
    }

    @Test
    void serialThatIsThereTwiceIsFoundAcrossBatchesAndTheSameFileAgainIsTheSame() {
        String file = "serial\n" + serials(10_001, 14_000) + "SN-10001\n" + serials(20_001, 24_000) + "SN-14000\n";

        for (int time = 0; time < 2; time++) {
            SerialImport.Result result = csv(file);

            assertThat(result.accepted()).isEqualTo(8_000);
            assertThat(rows(result)).containsExactly(4_002L, 8_003L);
            assertThat(result.errors().get(1).reason()).endsWith("row 4001");
        }
    }

    @Test
    void serialMayBeListedAndBlockedInOneFile() {
        SerialImport.Result result =
                csv("serial,name,state\nSN-0001,a,\nSN-0001,,blocked\nSN-0001,,blocked\nSN-0001,b,\n");

        assertThat(result.accepted()).isEqualTo(2);
        assertThat(rows(result)).containsExactly(4L, 5L);
    }

    @Test
    void serialsThatTheFleetsPatternRefusesAreBadRows() {
        try (TestNode macs = TestRegistry.fresh()
                .with("muster.verifier.form.type", "pattern")
                .with("muster.verifier.form.check", "mac")
                .with("muster.fleet.default.verifiers", "form,database")
                .start()) {
            String file =
                    "serial,state\n3.56938E+14,\n\"=\"\"00005E005301\"\"\",\nN/A-0000,\n00005E005301,\nXX-0000,blocked\n";
            SerialImport.Result result =
                    macs.serialImport().csv(macs.fleets().find("default").orElseThrow(), bytes(file), "test");

            assertThat(result.accepted()).isEqualTo(2);
            assertThat(rows(result)).containsExactly(2L, 3L, 4L);
            assertThat(result.errors().get(0).reason()).isEqualTo("the serial is not a MAC address (verifier form)");
            macs.fleets().put("late", bytesOf("{'verifiers':['database','form']}"), there -> true, "test");
            macs.fleets()
                    .put(
                            "both",
                            bytesOf("{'verifiers':['database','form','hmac'],'required':2}"),
                            there -> true,
                            "test");
            // The list admits there before the pattern is asked.
            assertThat(accepted(macs, "late", file)).isEqualTo(5);
            assertThat(accepted(macs, "both", file)).isEqualTo(2);
        }
    }

    private static byte[] bytesOf(String json) {
        return json.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }

    private static long accepted(TestNode registry, String fleet, String file) {
        return registry.serialImport()
                .csv(registry.fleets().find(fleet).orElseThrow(), bytes(file), "test")
                .accepted();
    }

    @Test
    void serialsThatLookLikeASpreadsheetsAreWarnedOf() {
        List<String> suspicious = List.of(
                "3.56938E+14",
                "3,57E+14",
                "\"=\"\"00005E005301\"\"\"",
                "'0012345",
                "#N/A",
                "#REF!",
                "########",
                "null",
                "TRUE",
                "01.12.2026",
                "2026-12-01",
                "1/12/2026",
                "1-Dec",
                "Dec-26",
                "12-Dec-26");

        SerialImport.Result result = csv("serial;name\n" + String.join(";a\n", suspicious) + ";a\n");

        assertThat(result.errors()).isEmpty();
        assertThat(warned(result)).hasSize(suspicious.size()).doesNotHaveDuplicates();
    }

    @Test
    void ordinarySerialsAreNotWarnedOf() {
        SerialImport.Result result = csv(
                "serial\nSN-0001\n12E45678\n1E2345\n00:00:5E:00:53:01\n2026-11\na-b.c\n5E3000\n10-20-30-40\nDecember-1\n");

        assertThat(result.accepted()).isEqualTo(9);
        assertThat(result.warnings()).isEmpty();
    }

    @Test
    void numbersThatLostZerosOrDigitsAreWarnedOfOnce() {
        SerialImport.Result zeros = csv("serial\n" + "350000000001\n350000000002\n350000000003\n350000000004\n"
                + "350000000005\n50000000006\n350000000007\n350000000008\n350000000009\n");
        assertThat(warned(zeros)).containsExactly(7L);
        assertThat(zeros.warnings().get(0).reason()).startsWith("1 numbers have fewer than 12 digits");

        assertThat(csv("serial\n9998\n9999\n10000\n10001\n10002\n10003\n10004\n10005\n10006\n10007\n10008\n")
                        .warnings())
                .isEmpty();
        assertThat(csv("serial\n035000000001\n350000000002\n350000000003\n350000000004\n35000000005\n")
                        .warnings())
                .isEmpty();

        SerialImport.Result rounded =
                csv("serial\n1234567890123450\n1234567890123460\n1234567890123470\n1234567890123480\n");
        assertThat(warned(rounded)).containsExactly(2L);
        assertThat(rounded.warnings().get(0).reason()).contains("rounded");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "serial;name\nSN-0001;Pump, big\n",
                "serial\tname\nSN-0001\tPump, big\n",
                "sep=;\r\nserial;name\r\nSN-0001;Pump, big\r\n",
                "\"SEP=;\"\nserial;name\nSN-0001;Pump, big\n",
                "sep=|\nserial|name\nSN-0001|Pump, big",
                "\ufeffsep=\t\nserial\tname\nSN-0001\tPump, big",
                "sep=,\nserial,name\nSN-0001,\"Pump, big\"\n",
                "\r\n\r\nserial;name\nSN-0001;Pump, big\n",
                " Serial , NAME \nSN-0001,\"Pump, big\"\n",
                "SERIAL,\"Name\"\nSN-0001,\"Pump, big\"\n",
                "serial,name,\nSN-0001,\"Pump, big\",\n",
                "serial,name,,,\nSN-0001,\"Pump, big\", ,,\n",
                "serial,name\nSN-0001,\"Pump, big\",,\n",
                "serial,name\n,\nSN-0001,\"Pump, big\"\n,\n , \n,,,\n"
            })
    void whatSpreadsheetsWriteIsRead(String file) {
        SerialImport.Result result = csv(file);

        assertThat(result.errors()).isEmpty();
        assertThat(result.complete()).isTrue();
        assertThat(result.read()).isEqualTo(1);
        assertThat(registry.registrar()
                        .register(Candidates.withSerial("SN-0001"))
                        .name())
                .isEqualTo("Pump, big");
    }

    @Test
    void lineThatNamesTheSeparatorIsNoRow() {
        assertThat(rows(csv("sep=;\nserial;name\nSN-0001;a\nx;b\n"))).containsExactly(3L);
        assertThatThrownBy(() -> csv("sep=x\nserialxname\n"))
                .isInstanceOfSatisfying(
                        RegistryException.class,
                        e -> assertThat(e.faults().get(0).detail()).startsWith("sep="));
    }

    @Test
    void columnWithoutANameIsNamedByItsPlace() {
        assertThatThrownBy(() -> csv("serial,,name\nSN-0001,,a\n"))
                .isInstanceOfSatisfying(
                        RegistryException.class,
                        e -> assertThat(e.faults().get(0).detail()).isEqualTo("column 2 has no name"));
        SerialImport.Result result = csv("serial,name,\nSN-0001,a,x\n");
        assertThat(rows(result)).containsExactly(2L);
        assertThat(result.errors().get(0).reason()).isEqualTo("has 3 fields, the header has 2 with a name");
    }

    @Test
    void booleansAndNamesOfAttributesMayBeInAnyCase() {
        try (TestNode typed = TestRegistry.fresh()
                .with("muster.fleet.default.attributes", "on:boolean")
                .start()) {
            SerialImport.Result result = typed.serialImport()
                    .csv(
                            typed.fleets().find("default").orElseThrow(),
                            bytes(
                                    "Serial,ATTRIBUTES.ON,Tags.Site\nSN-0001,TRUE,u\nSN-0002,False,\nSN-0003,true,\nSN-0004,wahr,\n"),
                            "test");

            assertThat(result.accepted()).isEqualTo(3);
            assertThat(rows(result)).containsExactly(5L);
            assertThat(typed.serialList()
                            .find("default", "SN-0001")
                            .orElseThrow()
                            .serial()
                            .attributes())
                    .isEqualTo(Map.of("on", true));
            assertThat(typed.serialList()
                            .find("default", "SN-0001")
                            .orElseThrow()
                            .serial()
                            .tags())
                    .isEqualTo(Map.of("Site", "u"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"Pump\r\nhall\"\r\n", "\"Pump\nhall\"", "\"a \"\"b\"\"\n\"\"\"\n", "\"a\n\"\n,\n"})
    void lineBreakInTheLastRowIsAFaultOfItsRowAlone(String name) {
        SerialImport.Result result = csv("serial,name\nSN-0001,5\" pipe\nSN-0002," + name);

        assertThat(result.complete()).isTrue();
        assertThat(rows(result)).containsExactly(3L);
        assertThat(result.errors().get(0).reason()).startsWith("name ");
    }

    @Test
    void utf16IsNamed() {
        byte[] utf16 = "\ufeffserial\nSN-0001\n".getBytes(StandardCharsets.UTF_16LE);

        assertThatThrownBy(() -> csv(new ByteArrayInputStream(utf16)))
                .isInstanceOfSatisfying(
                        RegistryException.class,
                        e -> assertThat(e.faults().get(0).detail()).contains("UTF-16; save it as UTF-8"));
        assertThatThrownBy(() -> json(new ByteArrayInputStream(utf16)))
                .isInstanceOfSatisfying(
                        RegistryException.class,
                        e -> assertThat(e.faults().get(0).detail()).contains("UTF-16; save it as UTF-8"));
    }

    @Test
    void jsonMayBeginWithAByteOrderMark() {
        assertThat(json("\ufeff[{\"serial\":\"SN-0001\"}]").accepted()).isEqualTo(1);
    }

    private Imports.Entry record(SerialImport.Result result) {
        return registry.imports().find("default", result.id()).orElseThrow();
    }

    @Test
    void importsAreOnRecordWithWhatBecameOfThem() {
        SerialImport.Result complete = csv("serial\nSN-0001\nx\n");
        SerialImport.Result stopped = csv(bytes("serial\nSN-0002\n", NOT_UTF8));
        SerialImport.Result cutOff = csv(new InputStream() {
            private final byte[] start = "serial\nSN-0003\nSN".getBytes(StandardCharsets.UTF_8);
            private int at;

            @Override
            public int read() throws IOException {
                if (at == start.length) {
                    throw new IOException("gone");
                }
                return start[at++] & 0xff;
            }
        });

        assertThat(record(complete).state()).isEqualTo(Imports.State.COMPLETE);
        assertThat(record(complete).counts()).isEqualTo(new Imports.Counts(2, 1, 1));
        assertThat(record(complete).operator()).isEqualTo("test");
        assertThat(record(complete).endedAt()).isPresent();
        assertThat(record(stopped).state()).isEqualTo(Imports.State.STOPPED);
        assertThat(record(cutOff).state()).isEqualTo(Imports.State.CUT_OFF);
        assertThat(registry.imports().list("default", Optional.empty(), 10)).hasSize(3);
        assertThat(registry.imports().list("other", Optional.empty(), 10)).isEmpty();
        assertThat(registry.audit().list(Optional.empty(), 10).stream()
                        .map(event -> event.type() + " " + event.detail()))
                .contains(
                        "serials-import-started import " + cutOff.id(),
                        "serials-imported 1 accepted, 1 rejected, cut-off; import " + cutOff.id(),
                        "serials-imported 1 accepted, 1 rejected; import " + complete.id());
    }

    @Test
    void importIsOnRecordWhileItIsReadAndCountsWhatIsStored() {
        byte[] start = ("serial\n" + serials(10_001, 11_500)).getBytes(StandardCharsets.UTF_8);
        List<Imports.Entry> seen = new ArrayList<>();

        csv(new InputStream() {
            private int at;

            @Override
            public int read() {
                if (at == start.length) {
                    seen.addAll(registry.imports().list("default", Optional.empty(), 10));
                    return -1;
                }
                return start[at++] & 0xff;
            }
        });

        assertThat(seen).isNotEmpty();
        assertThat(seen.get(0).state()).isEqualTo(Imports.State.RUNNING);
        assertThat(seen.get(0).endedAt()).isEmpty();
    }

    @Test
    void importWhoseNodeDiedIsInterruptedAndSaysSoOnce() {
        AtomicReference<Instant> now = new AtomicReference<>(TestRegistry.NOW);
        Clock clock = new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return now.get();
            }
        };
        TestRegistry node = TestRegistry.fresh().with(clock);
        try (TestNode one = node.start();
                TestNode other = node.start()) {
            String id = one.imports().begin("default", "anna");

            now.set(TestRegistry.NOW.plusSeconds(119));
            other.imports().tend();
            assertThat(other.imports().find("default", id).orElseThrow().state())
                    .isEqualTo(Imports.State.RUNNING);
            one.imports().tend();
            now.set(TestRegistry.NOW.plusSeconds(200));
            other.imports().tend();
            assertThat(other.imports().find("default", id).orElseThrow().state())
                    .isEqualTo(Imports.State.RUNNING);

            now.set(TestRegistry.NOW.plusSeconds(240));
            other.imports().tend();
            other.imports().tend();

            assertThat(other.imports().find("default", id).orElseThrow().state())
                    .isEqualTo(Imports.State.INTERRUPTED);
            assertThat(other.audit().list(Optional.empty(), 10).stream()
                            .filter(event -> event.type().equals("serials-import-interrupted")))
                    .hasSize(1);
        }
    }

    @Test
    void memoryForSerialsIsBoundedAndGivenBack() {
        AtomicLong free = new AtomicLong(200_000);
        try (SeenSerials seen = new SeenSerials(free)) {
            long unknown = 0;
            for (int i = 0; i < 20_000; i++) {
                unknown += seen.add("SN-" + i, 'E', i + 1) == SeenSerials.UNKNOWN ? 1 : 0;
            }

            assertThat(unknown).isBetween(1L, 19_999L);
            assertThat(seen.add("SN-0", 'E', 20_001)).isEqualTo(1);
            assertThat(seen.add("SN-0", 'B', 20_001)).isEqualTo(SeenSerials.UNKNOWN);
            assertThat(free.get()).isNotNegative();
        }
        assertThat(free.get()).isEqualTo(200_000);
    }

    @Test
    void aMillionSerialsAreToldFromEachOther() {
        try (SeenSerials seen = new SeenSerials(new AtomicLong(1L << 30))) {
            long taken = 0;
            for (int i = 1; i <= 1_000_000; i++) {
                taken += seen.add("35693800" + i, 'E', i);
            }
            assertThat(taken).isZero();
            assertThat(seen.add("35693800777777", 'E', 1_000_001)).isEqualTo(777_777);
        }
    }
}
