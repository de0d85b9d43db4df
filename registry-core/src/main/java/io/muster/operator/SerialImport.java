package io.muster.operator;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import io.muster.api.Problem;
import io.muster.audit.Audit;
import io.muster.config.MusterConfig;
import io.muster.device.Device;
import io.muster.device.DeviceTag;
import io.muster.fleet.Fleet;
import io.muster.json.Json;
import io.muster.persistence.Database;
import io.muster.problem.RegistryException;
import io.muster.spi.SerialNumber;
import io.muster.verification.ExpectedSerial;
import io.muster.verification.ExpectedSerials;
import io.muster.verification.VerifierPolicy;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PushbackInputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Loads expected serials in bulk from CSV (RFC 4180, a header line, UTF-8) or JSON (an array of objects), streamed: what is read
 * is stored in batches, each in a short transaction, while the rest is still arriving. A bad row is reported and left out, good
 * rows stay, and the same file again changes nothing. Thread-safe.
 */
public final class SerialImport {

    private static final int BATCH = 1000;
    private static final int MAX_ERRORS = 100_000;
    private static final int MAX_COLUMNS = 200;
    private static final int MAX_DIGITS = 100;
    private static final String TAGS = "tags.";
    private static final String ATTRIBUTES = "attributes.";
    private static final String SERIAL = "serial";
    private static final String NAME = "name";

    /**
     * What came of an import.
     *
     * @param read rows read
     * @param accepted rows stored, whether new or known before
     * @param rejected rows left out
     * @param complete false if reading stopped before the end; the last error says why
     * @param errors every bad row; with 100,000 of them reading stops
     */
    public record Result(long read, long accepted, long rejected, boolean complete, List<RowError> errors) {}

    /**
     * A bad row.
     *
     * @param row in CSV as a spreadsheet counts, the header being row 1; in JSON the position in the array, beginning with 1
     * @param reason every fault of the row
     */
    public record RowError(long row, String reason) {}

    private final ExpectedSerials serials;
    private final Database database;
    private final Audit audit;

    /** Stores in the list of expected serials and records who did it. */
    public SerialImport(ExpectedSerials serials, Database database, Audit audit) {
        this.serials = serials;
        this.database = database;
        this.audit = audit;
    }

    /**
     * Imports CSV. The columns are {@code serial} (required), {@code name}, {@code lot}, {@code tags.<key>} and {@code
     * attributes.<name>}; an empty field is absent.
     *
     * @throws RegistryException if the header is faulty; every fault of it is listed
     */
    public Result csv(Fleet fleet, InputStream body, String operator) {
        Run run = new Run(fleet);
        long row = 0;
        try (CsvReader<CsvRecord> reader = CsvReader.builder()
                .skipEmptyLines(true)
                .maxBufferSize(1 << 20)
                .ofCsvRecord(new InputStreamReader(withoutMark(body), decoder()))) {
            Iterator<CsvRecord> records = reader.iterator();
            List<String> header = records.hasNext() ? records.next().getFields() : List.of();
            checkHeader(header);
            row = 1;
            while (!run.isFull() && records.hasNext()) {
                row++;
                List<String> fields = records.next().getFields();
                run.csvRow(row, header, fields);
                if (!records.hasNext() && fields.stream().anyMatch(SerialImport::hasLineBreak)) {
                    run.stop(row, "a quoted field is not closed");
                }
            }
        } catch (CsvParseException e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (cause instanceof RegistryException no) {
                    // The cap of the body, in the reader's own wrapping.
                    throw no;
                }
            }
            run.stop(
                    row + 1,
                    "not CSV: " + (isNotUtf8(e) ? "the text is not UTF-8" : "a field is too long or not closed"));
        } catch (UncheckedIOException | IOException e) {
            run.stop(row + 1, isNotUtf8(e) ? "the text is not UTF-8" : "the body ended before it was complete");
        }
        return finish(run, fleet, operator);
    }

    /**
     * Imports JSON: an array of objects with {@code serial} (required), {@code name}, {@code lot}, {@code tags} (an object of
     * strings) and {@code attributes} (an object of strings, numbers and booleans).
     *
     * @throws RegistryException if the text is not an array
     */
    public Result json(Fleet fleet, InputStream body, String operator) {
        Run run = new Run(fleet);
        long row = 0;
        try (JsonParser parser = Json.stream(body)) {
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                throw RegistryException.invalid(List.of(new Problem.Fault("#", "must be an array of objects")));
            }
            while (!run.isFull() && parser.nextToken() != JsonToken.END_ARRAY) {
                row++;
                run.jsonRow(row, parser.readValueAsTree());
            }
            if (!run.isFull() && parser.nextToken() != null) {
                run.stop(row + 1, "text after the array");
            }
        } catch (NumberFormatException e) {
            run.stop(row, "a number with too large an exponent");
        } catch (JsonProcessingException e) {
            if (row == 0) {
                throw RegistryException.invalid(
                        List.of(new Problem.Fault("#", Json.malformed(e).getMessage())));
            }
            run.stop(row, Json.malformed(e).getMessage());
        } catch (IOException e) {
            run.stop(row + 1, isNotUtf8(e) ? "the text is not UTF-8" : "the body ended before it was complete");
        }
        return finish(run, fleet, operator);
    }

    private static boolean hasLineBreak(String field) {
        return field.indexOf('\n') >= 0 || field.indexOf('\r') >= 0;
    }

    private Result finish(Run run, Fleet fleet, String operator) {
        run.store();
        Result result = run.result();
        database.transaction(em -> {
            audit.record(
                    em,
                    Audit.Type.SERIALS_IMPORTED,
                    fleet.name(),
                    null,
                    null,
                    operator,
                    result.accepted() + " accepted, " + result.rejected() + " rejected");
            return null;
        });
        return result;
    }

    private static CharsetDecoder decoder() {
        return StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
    }

    // Spreadsheets begin a UTF-8 file with a byte order mark.
    private static InputStream withoutMark(InputStream body) throws IOException {
        PushbackInputStream in = new PushbackInputStream(body, 3);
        byte[] start = in.readNBytes(3);
        boolean mark =
                start.length == 3 && start[0] == (byte) 0xef && start[1] == (byte) 0xbb && start[2] == (byte) 0xbf;
        if (!mark) {
            in.unread(start);
        }
        return in;
    }

    private static boolean isNotUtf8(Throwable thrown) {
        for (Throwable t = thrown; t != null; t = t.getCause()) {
            if (t instanceof CharacterCodingException) {
                return true;
            }
        }
        return false;
    }

    private static void checkHeader(List<String> header) {
        List<Problem.Fault> faults = new ArrayList<>();
        if (header.size() > MAX_COLUMNS) {
            throw RegistryException.invalid(
                    List.of(new Problem.Fault("#", "the header line has more than " + MAX_COLUMNS + " columns")));
        }
        if (!header.contains(SERIAL)) {
            faults.add(new Problem.Fault("#", "the header line must name the column serial"));
        }
        Set<String> seen = new LinkedHashSet<>();
        for (String column : header) {
            if (!seen.add(column)) {
                faults.add(new Problem.Fault("#", "the header line names \"" + shown(column) + "\" twice"));
            } else if (!isColumn(column)) {
                faults.add(
                        new Problem.Fault(
                                "#",
                                "\"" + shown(column)
                                        + "\" is not a column; columns are serial, name, lot, tags.<key> and attributes.<name>"));
            }
        }
        if (!faults.isEmpty()) {
            throw RegistryException.invalid(faults);
        }
    }

    private static String shown(String text) {
        String printable = text.replaceAll("[^\\x20-\\x7e]", "?");
        return printable.length() <= 64 ? printable : printable.substring(0, 64) + "...";
    }

    private static boolean isColumn(String column) {
        return column.equals(SERIAL)
                || column.equals(NAME)
                || column.equals(ExpectedSerial.LOT)
                || column.startsWith(TAGS) && isMemberName(column.substring(TAGS.length()))
                || column.startsWith(ATTRIBUTES) && isMemberName(column.substring(ATTRIBUTES.length()));
    }

    private static boolean isMemberName(String name) {
        return name.matches("[A-Za-z0-9_.:-]{1," + DeviceTag.MAX_NAME + "}");
    }

    /** One import, used by one thread. */
    private final class Run {

        private final Fleet fleet;
        private final List<ExpectedSerial> batch = new ArrayList<>();
        private final List<RowError> errors = new ArrayList<>();
        private long read;
        private long accepted;
        private boolean complete = true;

        Run(Fleet fleet) {
            this.fleet = fleet;
        }

        boolean isFull() {
            if (complete && errors.size() >= MAX_ERRORS) {
                complete = false;
            }
            return !complete;
        }

        void csvRow(long row, List<String> header, List<String> fields) {
            Row parsed = new Row();
            if (fields.size() != header.size()) {
                parsed.faults.add("has " + fields.size() + " fields, the header has " + header.size());
            } else {
                for (int i = 0; i < fields.size(); i++) {
                    String field = fields.get(i);
                    if (!field.isEmpty()) {
                        parsed.csvField(header.get(i), field);
                    }
                }
            }
            take(row, parsed);
        }

        void jsonRow(long row, JsonNode node) {
            Row parsed = new Row();
            if (!node.isObject()) {
                parsed.faults.add("must be an object");
            } else {
                node.properties().forEach(member -> parsed.jsonMember(member.getKey(), member.getValue()));
            }
            take(row, parsed);
        }

        private void take(long row, Row parsed) {
            read++;
            Optional<ExpectedSerial> serial = parsed.serial();
            if (serial.isEmpty()) {
                errors.add(new RowError(row, String.join("; ", parsed.faults)));
                return;
            }
            batch.add(serial.get());
            if (batch.size() == BATCH) {
                store();
            }
        }

        void stop(long row, String reason) {
            complete = false;
            read++;
            errors.add(new RowError(row, reason + "; reading stopped here"));
        }

        void store() {
            if (!batch.isEmpty()) {
                serials.put(fleet.name(), batch);
                accepted += batch.size();
                batch.clear();
            }
        }

        Result result() {
            return new Result(read, accepted, errors.size(), complete, List.copyOf(errors));
        }

        /** One row with its faults. */
        private final class Row {

            private final List<String> faults = new ArrayList<>();
            private final Map<String, String> tags = new HashMap<>();
            private final Map<String, Object> attributes = new HashMap<>();
            private String serial;
            private String name;
            private String lot;

            void csvField(String column, String field) {
                if (column.startsWith(TAGS)) {
                    tag(column.substring(TAGS.length()), field);
                } else if (column.startsWith(ATTRIBUTES)) {
                    attribute(
                            column.substring(ATTRIBUTES.length()), typed(column.substring(ATTRIBUTES.length()), field));
                } else {
                    text(column, field);
                }
            }

            void jsonMember(String member, JsonNode value) {
                if (value.isNull()) {
                    return;
                }
                switch (member) {
                    case "tags", "attributes" -> {
                        if (!value.isObject()) {
                            faults.add(member + " must be an object");
                            return;
                        }
                        value.properties().forEach(each -> jsonValue(member, each.getKey(), each.getValue()));
                    }
                    case SERIAL, NAME, ExpectedSerial.LOT -> {
                        if (value.isTextual()) {
                            text(member, value.textValue());
                        } else {
                            faults.add(member + " must be a string");
                        }
                    }
                    default ->
                        faults.add("\"" + shown(member)
                                + "\" is not a member; members are serial, name, lot, tags and attributes");
                }
            }

            private void jsonValue(String member, String key, JsonNode value) {
                if (!isMemberName(key)) {
                    faults.add(member + ": \"" + shown(key) + "\" is not a name");
                } else if (member.equals("tags")) {
                    if (value.isTextual()) {
                        tag(key, value.textValue());
                    } else {
                        faults.add(TAGS + key + " must be a string");
                    }
                } else if (value.isTextual()) {
                    attribute(key, value.textValue());
                } else if (value.isBoolean()) {
                    attribute(key, value.booleanValue());
                } else if (value.isNumber()) {
                    attribute(key, value.decimalValue());
                } else {
                    faults.add(ATTRIBUTES + key + " must be a string, a number or a boolean");
                }
            }

            private void text(String column, String field) {
                if (column.equals(SERIAL)) {
                    serial = field;
                } else if (column.equals(NAME)) {
                    name = bounded(column, field, Device.MAX_NAME);
                } else {
                    lot = bounded(column, field, DeviceTag.MAX_NAME);
                }
            }

            private String bounded(String column, String field, int atMost) {
                if (field.length() > atMost || field.chars().anyMatch(Character::isISOControl)) {
                    faults.add(column + " must have at most " + atMost + " characters and no control characters");
                }
                return field;
            }

            private void tag(String key, String text) {
                if (key.equals(DeviceTag.SERIAL)) {
                    faults.add("tags.serial is the serial itself and cannot be set");
                }
                tags.put(key, bounded(TAGS + key, text, DeviceTag.MAX_TEXT));
            }

            private Object typed(String key, String field) {
                MusterConfig.AttributeType type = fleet.document().attributes().get(key);
                if (type == MusterConfig.AttributeType.NUMBER && field.length() <= MAX_DIGITS) {
                    try {
                        return new BigDecimal(field);
                    } catch (NumberFormatException e) {
                        return field;
                    }
                }
                if (type == MusterConfig.AttributeType.BOOLEAN && (field.equals("true") || field.equals("false"))) {
                    return field.equals("true");
                }
                return field;
            }

            private void attribute(String key, Object value) {
                MusterConfig.AttributeType type = fleet.document().attributes().get(key);
                if (type != null && !fits(type, value)) {
                    faults.add(ATTRIBUTES + key + " must be a " + type.name().toLowerCase(Locale.ROOT));
                }
                if (value instanceof BigDecimal number && (number.precision() > 40 || Math.abs(number.scale()) > 400)) {
                    faults.add(ATTRIBUTES + key + " is too long a number");
                }
                attributes.put(key, value instanceof String text ? bounded(ATTRIBUTES + key, text, 1000) : value);
            }

            private static boolean fits(MusterConfig.AttributeType type, Object value) {
                return switch (type) {
                    case STRING -> value instanceof String;
                    case NUMBER -> value instanceof Number;
                    case BOOLEAN -> value instanceof Boolean;
                };
            }

            Optional<ExpectedSerial> serial() {
                if (tags.size() > VerifierPolicy.MAX_TAGS || attributes.size() > VerifierPolicy.MAX_ATTRIBUTES) {
                    faults.add("at most " + VerifierPolicy.MAX_TAGS + " tags and " + VerifierPolicy.MAX_ATTRIBUTES
                            + " attributes");
                }
                if (serial == null) {
                    faults.add("serial is missing");
                } else if (!SerialNumber.isValid(serial)) {
                    faults.add("serial must be " + SerialNumber.SYNTAX);
                }
                return faults.isEmpty()
                        ? Optional.of(new ExpectedSerial(
                                serial, Optional.ofNullable(name), Optional.ofNullable(lot), tags, attributes))
                        : Optional.empty();
            }
        }
    }
}
