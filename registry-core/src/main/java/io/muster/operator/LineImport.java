// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import io.muster.api.Problem;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.operator.SerialImport.RowError;
import io.muster.problem.RegistryException;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * An import of expected serials line by line. No value has a line break, so each line is a row, and a bad one costs
 * nothing but itself. To go on after others have begun, give it all lines from the first one, of which it skips those
 * that were stored. Used by one thread.
 */
public final class LineImport implements AutoCloseable {

    private static final Pattern SEPARATOR_LINE = Pattern.compile("\"?sep=.\"?\\s*", Pattern.CASE_INSENSITIVE);
    private static final int MAX_REASON = 500;
    private static final int BYTES_OF_CHARACTER = 3;

    /** How long a line may be. */
    public static final int MAX_LINE = SerialImport.MAX_ROW * BYTES_OF_CHARACTER;

    /**
     * A row that was taken.
     *
     * @param serial its serial; empty if it could not be read
     * @param fault why it is not stored; empty if it is
     * @param line the row as it was given, so that it can be corrected
     */
    public record Row(long number, Optional<String> serial, Optional<String> fault, byte[] line) {}

    /** Writes in the transaction that stores rows. */
    public interface Beside {

        /** Writes before anything else. */
        void before(Connection connection) throws SQLException;

        /** Writes afterwards, with the outcome of each row, in their order. */
        void write(Connection connection, List<Row> rows) throws SQLException;
    }

    private final ImportRows rows;
    /** Empty for JSON. */
    private final Optional<ImportHeader> header;

    private final char separator;
    private final long headerRow;
    private final String headerText;
    private final List<Row> taken = new ArrayList<>();
    private long bytes;

    LineImport(ImportRows rows, boolean ndjson, byte[] text) {
        this.rows = rows;
        if (ndjson) {
            this.header = Optional.empty();
            this.separator = ',';
            this.headerRow = 0;
            this.headerText = "";
            return;
        }
        List<String> lines =
                new String(text, StandardCharsets.UTF_8).lines().limit(100).toList();
        int first = next(lines, 0);
        int named =
                first < lines.size() && SEPARATOR_LINE.matcher(lines.get(first)).matches()
                        ? next(lines, first + 1)
                        : first;
        this.headerText = named < lines.size() ? lines.get(named) : "";
        this.headerRow = named + 1L;
        try (CsvText csv = new CsvText(new StringReader(
                String.join("\n", lines.subList(Math.min(first, lines.size()), Math.min(named + 1, lines.size())))))) {
            this.separator = csv.separator();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.header = Optional.of(ImportHeader.of(
                rows.document(),
                fields(headerText)
                        .orElseThrow(() -> RegistryException.invalid(
                                List.of(new Problem.Fault("#", "the header line: a quote that is not closed"))))));
    }

    private static int next(List<String> lines, int from) {
        int place = from;
        while (place < lines.size() && lines.get(place).isBlank()) {
            place++;
        }
        return place;
    }

    /** Returns how a file with failed rows begins. */
    public byte[] head() {
        if (header.isEmpty()) {
            return new byte[0];
        }
        return utf8(ImportRow.FAULT + separator
                + without(headerText, fields(headerText).orElseThrow()) + "\r\n");
    }

    /** Returns a failed row as a line of such a file, with the fault. */
    public byte[] again(Row row) {
        String fault = row.fault().orElseThrow();
        String line = new String(row.line(), StandardCharsets.UTF_8);
        if (header.isEmpty()) {
            return utf8(object(fault, row.line()).map(Json::text).orElse(line) + "\n");
        }
        Optional<List<String>> fields = fields(line);
        return utf8(quoted(fault) + separator + (fields.isPresent() ? without(line, fields.get()) : line) + "\r\n");
    }

    /** Returns a line without the fault that it got when it failed before. */
    private String without(String line, List<String> fields) {
        int at = header.orElseThrow().columns().indexOf(ImportRow.FAULT);
        if (at < 0 || at >= fields.size()) {
            return line;
        }
        List<String> others = new ArrayList<>(fields);
        others.remove(at);
        return others.stream().map(this::quoted).collect(Collectors.joining(String.valueOf(separator)));
    }

    /** Returns an object with its fault; empty if it is none, and cannot have a member. */
    private static Optional<JsonNode> object(String fault, byte[] line) {
        try {
            JsonNode node = Json.parse(line);
            Map<String, JsonNode> members = new LinkedHashMap<>();
            members.put(ImportRow.FAULT, TextNode.valueOf(fault));
            node.properties().forEach(member -> members.putIfAbsent(member.getKey(), member.getValue()));
            return node.isObject() ? Optional.of(Json.object(members)) : Optional.empty();
        } catch (MalformedJsonException e) {
            return Optional.empty();
        }
    }

    private String quoted(String field) {
        return field.indexOf(separator) < 0 && field.indexOf('"') < 0
                ? field
                : "\"" + field.replace("\"", "\"\"") + "\"";
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Takes a line. A blank one, or one before the rows, is nothing.
     *
     * @param number of the line, from 1
     * @param known whether it was stored before
     */
    public void take(long number, byte[] line, boolean known) {
        if (number <= headerRow || isBlank(line)) {
            return;
        }
        Optional<ImportRow> parsed = Optional.empty();
        List<String> faults;
        try {
            parsed = parsed(line);
            faults = parsed.isPresent() ? rows.faults(number, parsed.get()) : null;
        } catch (CharacterCodingException e) {
            faults = List.of("the text is not UTF-8");
        } catch (BadLineException e) {
            faults = List.of(e.getMessage());
        }
        if (known || faults == null) {
            return;
        }
        bytes += line.length;
        Optional<String> serial = parsed.map(ImportRow::serial).filter(text -> text.length() <= 128);
        if (faults.isEmpty()) {
            rows.add(number, parsed.orElseThrow());
            taken.add(new Row(number, serial, Optional.empty(), line));
        } else {
            taken.add(new Row(number, serial, Optional.of(shortened(String.join("; ", faults))), line));
        }
    }

    private static String shortened(String reason) {
        return reason.length() > MAX_REASON ? reason.substring(0, MAX_REASON) + "..." : reason;
    }

    private static boolean isBlank(byte[] line) {
        for (byte b : line) {
            if (b != ' ' && b != '\t') {
                return false;
            }
        }
        return true;
    }

    /** A line that is no row. */
    private static final class BadLineException extends Exception {

        private static final long serialVersionUID = 1;

        BadLineException(String message) {
            super(message, null, false, false);
        }
    }

    /** Returns the row; empty if the line has only separators, as spreadsheets leave below a list. */
    private Optional<ImportRow> parsed(byte[] line) throws CharacterCodingException, BadLineException {
        if (line.length > MAX_LINE) {
            throw new BadLineException("longer than " + MAX_LINE + " bytes");
        }
        if (header.isEmpty()) {
            try {
                return Optional.of(ImportRow.json(rows.document(), Json.parse(line)));
            } catch (MalformedJsonException e) {
                throw new BadLineException(e.getMessage());
            }
        }
        String text = StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(line))
                .toString();
        List<String> fields = fields(text).orElseThrow(() -> new BadLineException("a quote that is not closed"));
        return SerialImport.isBlank(fields)
                ? Optional.empty()
                : Optional.of(ImportRow.csv(rows.document(), header.get(), fields));
    }

    /** Returns the fields of a line of CSV; empty if a quote is not closed. */
    private Optional<List<String>> fields(String line) {
        if (line.indexOf('"') < 0) {
            // Such a text is split without a pattern.
            return Optional.of(Arrays.asList(line.split(separator == '|' ? "\\|" : String.valueOf(separator), -1)));
        }
        try (CsvText text = new CsvText(new StringReader(line), separator);
                CsvReader<CsvRecord> reader = CsvReader.builder()
                        .fieldSeparator(separator)
                        .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
                        .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
                        .maxBufferSize(2 * SerialImport.MAX_ROW)
                        .ofCsvRecord(text)) {
            List<String> fields = reader.iterator().next().getFields();
            return text.isQuoteOpen() ? Optional.empty() : Optional.of(fields);
        } catch (CsvParseException | IOException e) {
            return Optional.empty();
        }
    }

    /** Returns how many rows were taken and not stored yet. */
    public int size() {
        return taken.size();
    }

    /** Returns how long these are together. */
    public long bytes() {
        return bytes;
    }

    /** Stores the rows that were taken, and forgets them. If it throws, nothing is stored. */
    public void store(Beside beside) {
        rows.store(new ImportRows.Beside() {
            @Override
            public void before(Connection connection) throws SQLException {
                beside.before(connection);
            }

            @Override
            public void write(Connection connection, List<RowError> leftOut) throws SQLException {
                beside.write(connection, results(leftOut));
            }
        });
        taken.clear();
        bytes = 0;
    }

    private List<Row> results(List<RowError> leftOut) {
        Map<Long, String> reasons = new HashMap<>();
        leftOut.forEach(error -> reasons.put(error.row(), error.reason()));
        return taken.stream()
                .map(row -> reasons.containsKey(row.number())
                        ? new Row(row.number(), row.serial(), Optional.of(reasons.get(row.number())), row.line())
                        : row)
                .toList();
    }

    /** Forgets the rows that were taken. */
    public void clear() {
        taken.clear();
        bytes = 0;
        rows.clear();
    }

    @Override
    public void close() {
        rows.close();
    }
}
