// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.CsvRecordHandler;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import io.muster.api.Problem;
import io.muster.cdi.Part;
import io.muster.fleet.Fleet;
import io.muster.fleet.FleetDocument;
import io.muster.json.Json;
import io.muster.ownership.ClaimCodes;
import io.muster.problem.RegistryException;
import io.muster.spi.WrittenText;
import io.muster.verification.list.ExpectedSerials;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Imports expected and blocked serials in bulk from CSV (RFC 4180, a header line, UTF-8) or JSON (an array of objects).
 * It is streamed: rows are stored in batches, each in a short transaction, while the rest is still arriving. A bad row
 * is reported and left out, and good rows stay. Importing the same file again changes nothing. Thread-safe.
 */
@Part
public final class SerialImport {

    /** How many characters a row may have, including the blanks before it. */
    public static final int MAX_ROW = 64 * 1024;

    private static final int BATCH = 1000;
    private static final int MAX_REJECTED = 100_000;
    private static final int MAX_LISTED = 10_000;
    private static final int MAX_REASONS = 1 << 20;
    private static final int MAX_REASON = 500;
    private static final int MAX_WARNINGS = 1000;
    private static final String STOPPED = "; reading stopped here";

    /**
     * The result of an import.
     *
     * @param id of its record
     * @param read rows read
     * @param accepted rows stored, whether new or known before
     * @param rejected rows left out
     * @param repeated how many of those have the serial of an earlier row
     * @param complete false if reading stopped before the end; the last error says why
     * @param errors bad rows, in their order
     * @param errorsOmitted how many bad rows are not among the errors, because there were too many to list
     * @param warnings stored rows that are probably mistakes, in their order
     * @param warningsOmitted how many are not among the warnings, because there were too many to list
     */
    public record Result(
            String id,
            long read,
            long accepted,
            long rejected,
            long repeated,
            boolean complete,
            List<RowError> errors,
            long errorsOmitted,
            List<RowError> warnings,
            long warningsOmitted) {}

    /**
     * A bad row, or a suspicious one.
     *
     * @param row in CSV as a spreadsheet counts, the header being row 1; in JSON the position in the array, beginning
     *     with 1
     * @param reason every fault of the row, shortened if there are very many
     */
    public record RowError(long row, String reason) {}

    private final ExpectedSerials serials;
    private final Imports imports;
    private final ClaimCodes codes;

    /** Stores serials in the list of expected serials, and records who did it. */
    @Inject
    public SerialImport(ExpectedSerials serials, Imports imports, ClaimCodes codes) {
        this.serials = serials;
        this.codes = codes;
        this.imports = imports;
    }

    /**
     * Imports CSV. The columns are {@code serial} (required), {@code name}, {@code lot}, {@code tags.<key>},
     * {@code attributes.<name>}, {@code state} ({@code expected} or {@code blocked}), {@code reason} and
     * {@code claimCode}. An empty field is absent.
     *
     * @throws RegistryException if the header is faulty; every fault of it is listed
     */
    public Result csv(Fleet fleet, InputStream body, String operator) {
        try (Run run = new Run(fleet, operator)) {
            return csv(run, body);
        }
    }

    private static Result csv(Run run, InputStream body) {
        ImportHeader header = null;
        long row = 0;
        try (CsvText text = new CsvText(new ImportText(WrittenText.withoutMark(body)));
                CsvReader<CsvRecord> reader = CsvReader.builder()
                        .fieldSeparator(text.separator())
                        // A spreadsheet counts blank lines as rows.
                        .skipEmptyLines(false)
                        // ImportRow names these faults, with the row.
                        .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
                        .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
                        .maxBufferSize(2 * MAX_ROW)
                        .build(
                                CsvRecordHandler.builder()
                                        .maxFieldSize(MAX_ROW)
                                        .maxRecordSize(MAX_ROW)
                                        .build(),
                                text)) {
            Iterator<CsvRecord> records = reader.iterator();
            while (header == null) {
                List<String> fields = records.hasNext() ? records.next().getFields() : null;
                row++;
                if (fields == null || !isBlank(fields)) {
                    header = ImportHeader.of(run.document(), fields == null ? List.of() : fields);
                    run.begin();
                }
            }
            while (!run.refuseMoreFrom(row + 1) && records.hasNext()) {
                List<String> fields = records.next().getFields();
                row++;
                if (!isBlank(fields)) {
                    run.take(row, ImportRow.csv(run.document(), header, fields));
                    if (fields.stream().anyMatch(SerialImport::hasLineBreak)
                            && !records.hasNext()
                            && text.isQuoteOpen()) {
                        // No value may contain a line break, so the row is bad in any case.
                        run.stopAfter(row, "a quote that is not closed");
                    }
                }
            }
        } catch (CsvParseException | UncheckedIOException | IOException e) {
            Optional<RegistryException> cap = cause(e, RegistryException.class);
            if (cap.isPresent()) {
                run.stopAtCap();
                throw cap.get();
            }
            if (header == null) {
                throw invalid("the header line: " + fault(e));
            }
            run.stop(row + 1, fault(e), isCutOff(e));
        } catch (RegistryException e) {
            run.stopAtCap();
            throw e;
        }
        return run.finish();
    }

    /**
     * Begins an import line by line, which can begin again at any line.
     *
     * @param ndjson whether each line is a JSON object; otherwise the lines are CSV
     * @param text the beginning of the text, with the header line of CSV
     * @throws RegistryException if the header is faulty; every fault of it is listed
     */
    public LineImport lines(Fleet fleet, boolean ndjson, byte[] text) {
        return new LineImport(new ImportRows(fleet, serials, codes), ndjson, text);
    }

    /**
     * Imports JSON: an array of objects with {@code serial} (required), {@code name}, {@code lot}, {@code tags} (an
     * object of strings), {@code attributes} (an object of strings, numbers and booleans), {@code state},
     * {@code reason} and {@code claimCode}.
     *
     * @throws RegistryException if the text is not an array
     */
    public Result json(Fleet fleet, InputStream body, String operator) {
        try (Run run = new Run(fleet, operator)) {
            return json(run, body);
        }
    }

    private static Result json(Run run, InputStream body) {
        // The row that is being read.
        long row = 1;
        try (ImportText text = new ImportText(WrittenText.withoutMark(body));
                JsonParser parser = Json.stream(text)) {
            text.limit(MAX_ROW);
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                throw invalid("must be an array of objects");
            }
            run.begin();
            while (!run.refuseMoreFrom(row)) {
                text.limit(parser.currentLocation().getCharOffset() + MAX_ROW);
                if (parser.nextToken() == JsonToken.END_ARRAY) {
                    break;
                }
                run.take(row, ImportRow.json(run.document(), parser.readValueAsTree()));
                row++;
            }
            if (run.isComplete() && parser.nextToken() != null) {
                run.stop(row, "text after the array", false);
            }
        } catch (IOException | NumberFormatException e) {
            if (!run.hasBegun()) {
                throw invalid(fault(e));
            }
            run.stop(row, fault(e), isCutOff(e));
        } catch (RegistryException e) {
            run.stopAtCap();
            throw e;
        }
        return run.finish();
    }

    private static RegistryException invalid(String fault) {
        return RegistryException.invalid(List.of(new Problem.Fault("#", fault)));
    }

    /** Tells whether a line is blank or has only separators. Spreadsheets leave such lines below a list. */
    static boolean isBlank(List<String> fields) {
        return fields.stream().allMatch(String::isBlank);
    }

    private static boolean hasLineBreak(String field) {
        return field.indexOf('\n') >= 0 || field.indexOf('\r') >= 0;
    }

    /** Describes the fault of a reader or parser, and repeats nothing of the text. */
    private static String fault(Exception e) {
        if (cause(e, WrittenText.Utf16Exception.class).isPresent()) {
            return "the text is UTF-16; save it as UTF-8";
        }
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

    /** Tells whether the body ended before it was complete, rather than had a fault in it. */
    private static boolean isCutOff(Exception e) {
        return cause(e, IOException.class).isPresent()
                && cause(e, CharacterCodingException.class).isEmpty()
                && cause(e, ImportText.LimitException.class).isEmpty()
                && cause(e, JsonProcessingException.class).isEmpty();
    }

    /** One import, used by one thread. */
    private final class Run implements AutoCloseable {

        private final Fleet fleet;
        private final String operator;
        private final ImportRows rows;
        private final List<RowError> errors = new ArrayList<>();
        private final List<RowError> warnings = new ArrayList<>();
        private final SpreadsheetTraces traces = new SpreadsheetTraces();
        private Optional<String> id = Optional.empty();
        private Imports.State state = Imports.State.COMPLETE;
        private boolean ended;
        private int reasons;
        private long read;
        private long accepted;
        private long blocks;
        private long rejected;
        private long omitted;
        private long warningsOmitted;

        Run(Fleet fleet, String operator) {
            this.fleet = fleet;
            this.operator = operator;
            this.rows = new ImportRows(fleet, serials, codes);
        }

        FleetDocument document() {
            return fleet.document();
        }

        /** Records the import, now that it is known to be one. */
        void begin() {
            id = Optional.of(imports.begin(fleet.name(), operator));
        }

        boolean hasBegun() {
            return id.isPresent();
        }

        boolean isComplete() {
            return state == Imports.State.COMPLETE;
        }

        /** Stops before this row if too many were bad, and tells whether reading has stopped. */
        boolean refuseMoreFrom(long next) {
            if (isComplete() && rejected >= MAX_REJECTED) {
                state = Imports.State.STOPPED;
                errors.add(new RowError(next, MAX_REJECTED + " rows before are bad" + STOPPED));
            }
            return !isComplete();
        }

        void take(long row, ImportRow parsed) {
            read++;
            List<String> faults = rows.faults(row, parsed);
            if (!faults.isEmpty()) {
                reject(row, faults);
                return;
            }
            traces.of(row, parsed.serial()).ifPresent(trace -> warn(new RowError(row, trace)));
            rows.add(row, parsed);
            if (rows.size() == BATCH) {
                store();
            }
        }

        private void warn(RowError warning) {
            if (warnings.size() < MAX_WARNINGS) {
                warnings.add(warning);
            } else {
                warningsOmitted++;
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

        /**
         * Stops at a row that cannot be read.
         *
         * @param cutOff whether the body ended there
         */
        void stop(long row, String reason, boolean cutOff) {
            state = cutOff ? Imports.State.CUT_OFF : Imports.State.STOPPED;
            read++;
            rejected++;
            errors.add(new RowError(row, reason + STOPPED));
        }

        /** Stops after a bad row that seems to have swallowed the following ones. */
        void stopAfter(long row, String reason) {
            state = Imports.State.STOPPED;
            if (!errors.removeIf(error -> error.row() == row)) {
                omitted--;
            }
            errors.add(new RowError(row, reason + STOPPED));
        }

        /** Stops at the cap of the body. The rows read before it are stored and recorded. */
        void stopAtCap() {
            if (hasBegun()) {
                state = Imports.State.STOPPED;
                finish();
            }
        }

        void store() {
            if (rows.size() == 0) {
                return;
            }
            int stored = rows.size();
            blocks += rows.blocks();
            List<RowError> leftOut = rows.store((connection, without) -> imports.progress(
                    connection,
                    id.orElseThrow(),
                    new Imports.Counts(read, accepted + stored - without.size(), rejected + without.size())));
            accepted += stored - leftOut.size();
            leftOut.forEach(unlisted -> reject(unlisted.row(), List.of(unlisted.reason())));
        }

        Result finish() {
            store();
            String record = id.orElseThrow();
            imports.end(
                    record,
                    fleet.name(),
                    operator,
                    state,
                    new Imports.Counts(read, accepted, rejected),
                    accepted + " accepted, " + (blocks > 0 ? blocks + " of them blocked, " : "") + rejected
                            + " rejected" + (isComplete() ? "" : ", " + state.word()) + "; import " + record);
            ended = true;
            traces.atEnd().forEach(this::warn);
            rows.comparedUntil()
                    .ifPresent(row -> warn(new RowError(
                            row + 1,
                            "this row and those after it were compared only with rows up to " + row
                                    + " for serials that are there twice")));
            // Rows for which their lot has no room were found after later rows.
            errors.sort(Comparator.comparingLong(RowError::row));
            warnings.sort(Comparator.comparingLong(RowError::row));
            return new Result(
                    record,
                    read,
                    accepted,
                    rejected,
                    rows.repeated(),
                    isComplete(),
                    List.copyOf(errors),
                    omitted,
                    List.copyOf(warnings),
                    warningsOmitted);
        }

        @Override
        public void close() {
            rows.close();
            if (!ended) {
                id.ifPresent(imports::giveUp);
            }
        }
    }
}
