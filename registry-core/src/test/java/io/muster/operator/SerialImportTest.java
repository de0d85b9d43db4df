package io.muster.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.Registry;
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
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SerialImportTest {

    private static final byte[] NOT_UTF8 = {(byte) 0xc3, (byte) 0x28};

    private final Registry registry = TestRegistry.fresh().start();

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
    @ValueSource(strings = {"1e401", "1e-401", "1e999999999", "10e2147483647", "1e2147483648"})
    void numberOfTooGreatAnExponentIsRejected(String number) {
        SerialImport.Result result = json("[{\"serial\":\"SN-0001\",\"attributes\":{\"weight\":" + number + "}}]");

        assertThat(result.accepted()).isZero();
        assertThat(rows(result)).containsExactly(1L);
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
}
