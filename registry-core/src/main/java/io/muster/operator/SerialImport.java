package io.muster.operator;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.CsvRecordHandler;
import io.muster.api.Problem;
import io.muster.audit.Audit;
import io.muster.fleet.Fleet;
import io.muster.json.Json;
import io.muster.persistence.Database;
import io.muster.problem.RegistryException;
import io.muster.verification.BlockedSerial;
import io.muster.verification.ExpectedSerial;
import io.muster.verification.ExpectedSerials;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Loads expected and blocked serials in bulk from CSV (RFC 4180, a header line, UTF-8) or JSON (an array of objects), streamed: what
 * is read is stored in batches, each in a short transaction, while the rest is still arriving. A bad row is reported and left out,
 * good rows stay, and the same file again changes nothing. Thread-safe.
 */
public final class SerialImport {

    /** How many characters a row may have, with the blanks before it. */
    public static final int MAX_ROW = 64 * 1024;

    private static final int BATCH = 1000;
    private static final int MAX_REJECTED = 100_000;
    private static final int MAX_LISTED = 10_000;
    private static final int MAX_REASONS = 1 << 20;
    private static final int MAX_REASON = 500;
    private static final int MAX_COLUMNS = 200;
    private static final String STOPPED = "; reading stopped here";

    /**
     * What came of an import.
     *
     * @param read rows read
     * @param accepted rows stored, whether new or known before
     * @param rejected rows left out
     * @param complete false if reading stopped before the end; the last error says why
     * @param errors bad rows, in their order
     * @param errorsOmitted how many bad rows are not among the errors, because there were too many to list
     */
    public record Result(
            long read, long accepted, long rejected, boolean complete, List<RowError> errors, long errorsOmitted) {}

    /**
     * A bad row.
     *
     * @param row in CSV as a spreadsheet counts, the header being row 1; in JSON the position in the array, beginning with 1
     * @param reason every fault of the row, shortened if there are very many
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
     * Imports CSV. The columns are {@code serial} (required), {@code name}, {@code lot}, {@code tags.<key>}, {@code
     * attributes.<name>}, {@code state} ({@code expected} or {@code blocked}) and {@code reason}; an empty field is absent.
     *
     * @throws RegistryException if the header is faulty; every fault of it is listed
     */
    public Result csv(Fleet fleet, InputStream body, String operator) {
        Run run = new Run(fleet, operator);
        List<String> header = null;
        long row = 0;
        try (CsvReader<CsvRecord> reader = CsvReader.builder()
                // Blank lines are rows to a spreadsheet.
                .skipEmptyLines(false)
                .maxBufferSize(2 * MAX_ROW)
                .build(
                        CsvRecordHandler.builder()
                                .maxFieldSize(MAX_ROW)
                                .maxRecordSize(MAX_ROW)
                                .build(),
                        new ImportText(withoutMark(body)))) {
            Iterator<CsvRecord> records = reader.iterator();
            while (header == null) {
                List<String> fields = records.hasNext() ? records.next().getFields() : List.of();
                row++;
                if (!isBlank(fields)) {
                    checkHeader(fields);
                    header = fields;
                }
            }
            while (!run.isFull(row + 1) && records.hasNext()) {
                List<String> fields = records.next().getFields();
                row++;
                if (!isBlank(fields)) {
                    run.take(row, ImportRow.csv(fleet.document(), header, fields));
                    if (fields.stream().anyMatch(SerialImport::hasLineBreak) && !records.hasNext()) {
                        // Nothing may have a line break in it, so that the row is bad in any case.
                        run.stopAfter(row, "a line break in quotes, which are perhaps not closed");
                    }
                }
            }
        } catch (CsvParseException | UncheckedIOException | IOException e) {
            Optional<RegistryException> cap = cause(e, RegistryException.class);
            if (cap.isPresent()) {
                if (header != null) {
                    run.finish();
                }
                throw cap.get();
            }
            if (header == null) {
                throw invalid("the header line: " + fault(e));
            }
            run.stop(row + 1, fault(e));
        }
        return run.finish();
    }

    /**
     * Imports JSON: an array of objects with {@code serial} (required), {@code name}, {@code lot}, {@code tags} (an object of
     * strings), {@code attributes} (an object of strings, numbers and booleans), {@code state} and {@code reason}.
     *
     * @throws RegistryException if the text is not an array
     */
    public Result json(Fleet fleet, InputStream body, String operator) {
        Run run = new Run(fleet, operator);
        ImportText text = new ImportText(body);
        boolean begun = false;
        // The one that is read.
        long row = 1;
        try (JsonParser parser = Json.stream(text)) {
            text.limit(MAX_ROW);
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                throw invalid("must be an array of objects");
            }
            begun = true;
            while (!run.isFull(row)) {
                text.limit(parser.currentLocation().getCharOffset() + MAX_ROW);
                if (parser.nextToken() == JsonToken.END_ARRAY) {
                    break;
                }
                run.take(row, ImportRow.json(fleet.document(), parser.readValueAsTree()));
                row++;
            }
            if (run.complete && parser.nextToken() != null) {
                run.stop(row, "text after the array");
            }
        } catch (IOException | NumberFormatException e) {
            if (!begun) {
                throw invalid(fault(e));
            }
            run.stop(row, fault(e));
        } catch (RegistryException e) {
            if (begun) {
                // The cap of the body: what was read before it is stored, and on record.
                run.finish();
            }
            throw e;
        }
        return run.finish();
    }

    private static RegistryException invalid(String fault) {
        return RegistryException.invalid(List.of(new Problem.Fault("#", fault)));
    }

    private static boolean isBlank(List<String> fields) {
        return fields.size() == 1 && fields.get(0).isEmpty();
    }

    private static boolean hasLineBreak(String field) {
        return field.indexOf('\n') >= 0 || field.indexOf('\r') >= 0;
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

    /** Puts what a reader or parser threw into words that repeat nothing of the text. */
    private static String fault(Exception e) {
        if (cause(e, CharacterCodingException.class).isPresent()) {
            return "the text is not UTF-8";
        }
        if (cause(e, ImportText.LimitException.class).isPresent()) {
            return "longer than " + MAX_ROW + " characters";
        }
        if (e instanceof NumberFormatException) {
            return "a number with too large an exponent";
        }
        if (e instanceof JsonProcessingException malformed) {
            return Json.malformed(malformed).getMessage();
        }
        return cause(e, IOException.class).isPresent()
                ? "the body ended before it was complete"
                : "longer than " + MAX_ROW + " characters, or a quote is not closed";
    }

    private static <T extends Throwable> Optional<T> cause(Throwable thrown, Class<T> type) {
        for (Throwable t = thrown; t != null; t = t.getCause()) {
            if (type.isInstance(t)) {
                return Optional.of(type.cast(t));
            }
        }
        return Optional.empty();
    }

    private static void checkHeader(List<String> header) {
        List<Problem.Fault> faults = new ArrayList<>();
        if (header.size() > MAX_COLUMNS) {
            throw invalid("the header line has more than " + MAX_COLUMNS + " columns");
        }
        if (!header.contains("serial")) {
            faults.add(new Problem.Fault("#", "the header line must name the column serial"));
        }
        Set<String> seen = new LinkedHashSet<>();
        for (String column : header) {
            String shown = ImportRow.shown(column);
            if (!seen.add(column)) {
                faults.add(new Problem.Fault("#", "the header line names \"" + shown + "\" twice"));
            } else if (!ImportRow.isColumn(column)) {
                faults.add(new Problem.Fault(
                        "#",
                        "\"" + shown + "\" is not a column; columns are serial, name, lot, tags.<key>,"
                                + " attributes.<name>, state and reason"));
            }
        }
        if (!faults.isEmpty()) {
            throw RegistryException.invalid(faults);
        }
    }

    /** One import, used by one thread. */
    private final class Run {

        private final Fleet fleet;
        private final String operator;
        private final List<ExpectedSerial> expected = new ArrayList<>();
        private final List<Long> rows = new ArrayList<>();
        private final List<BlockedSerial> blocked = new ArrayList<>();
        private final List<RowError> errors = new ArrayList<>();
        private int reasons;
        private long read;
        private long accepted;
        private long blocks;
        private long rejected;
        private long omitted;
        private boolean complete = true;

        Run(Fleet fleet, String operator) {
            this.fleet = fleet;
            this.operator = operator;
        }

        /** Tells whether reading has stopped, which it does before this row if too many were bad. */
        boolean isFull(long next) {
            if (complete && rejected >= MAX_REJECTED) {
                complete = false;
                errors.add(new RowError(next, MAX_REJECTED + " rows before are bad" + STOPPED));
            }
            return !complete;
        }

        void take(long row, ImportRow parsed) {
            read++;
            if (!parsed.faults().isEmpty()) {
                reject(row, parsed.faults());
                return;
            }
            parsed.blocked().ifPresentOrElse(blocked::add, () -> {
                expected.add(parsed.expected());
                rows.add(row);
            });
            if (expected.size() + blocked.size() == BATCH) {
                store();
            }
        }

        private void reject(long row, List<String> faults) {
            rejected++;
            String reason = String.join("; ", faults);
            if (reason.length() > MAX_REASON) {
                reason = reason.substring(0, MAX_REASON) + "...";
            }
            if (errors.size() < MAX_LISTED && reasons + reason.length() <= MAX_REASONS) {
                reasons += reason.length();
                errors.add(new RowError(row, reason));
            } else {
                omitted++;
            }
        }

        /** Ends the reading at a row that cannot be read. */
        void stop(long row, String reason) {
            complete = false;
            read++;
            rejected++;
            errors.add(new RowError(row, reason + STOPPED));
        }

        /** Ends the reading after a bad row that seems to have swallowed what follows it. */
        void stopAfter(long row, String reason) {
            complete = false;
            if (!errors.removeIf(error -> error.row() == row)) {
                omitted--;
            }
            errors.add(new RowError(row, reason + STOPPED));
        }

        void store() {
            if (expected.isEmpty() && blocked.isEmpty()) {
                return;
            }
            Map<Integer, String> leftOut = serials.put(fleet.name(), expected, blocked);
            accepted += expected.size() + blocked.size() - leftOut.size();
            blocks += blocked.size();
            new TreeMap<>(leftOut).forEach((place, reason) -> reject(rows.get(place), List.of(reason)));
            expected.clear();
            rows.clear();
            blocked.clear();
        }

        Result finish() {
            store();
            database.transaction(em -> {
                audit.record(
                        em,
                        Audit.Type.SERIALS_IMPORTED,
                        fleet.name(),
                        null,
                        null,
                        operator,
                        accepted + " accepted, " + (blocks > 0 ? blocks + " of them blocked, " : "") + rejected
                                + " rejected");
                return null;
            });
            // Rows that their lot has no room for were found later than others after them.
            errors.sort(Comparator.comparingLong(RowError::row));
            return new Result(read, accepted, rejected, complete, List.copyOf(errors), omitted);
        }
    }
}
