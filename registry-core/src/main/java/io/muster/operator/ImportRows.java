// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import io.muster.fleet.Fleet;
import io.muster.fleet.FleetDocument;
import io.muster.operator.SerialImport.RowError;
import io.muster.ownership.ClaimCode;
import io.muster.ownership.ClaimCodes;
import io.muster.spi.SerialNumber;
import io.muster.verification.list.BlockedSerial;
import io.muster.verification.list.ExpectedSerial;
import io.muster.verification.list.ExpectedSerials;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The rows of one import: checks each, compares it with those before, and stores some together. Used by one thread. */
final class ImportRows implements AutoCloseable {

    /** Writes in the transaction that stores rows. */
    interface Beside {

        /** Writes before anything else. */
        default void before(Connection connection) throws SQLException {}

        /**
         * Writes afterwards.
         *
         * @param leftOut the rows that are not stored
         */
        void write(Connection connection, List<RowError> leftOut) throws SQLException;
    }

    private final Fleet fleet;
    private final ExpectedSerials serials;
    private final ClaimCodes codes;
    private final SeenSerials seen = new SeenSerials();
    private final List<ExpectedSerial> expected = new ArrayList<>();
    private final List<Long> rows = new ArrayList<>();
    private final List<Optional<ClaimCode>> claimCodes = new ArrayList<>();
    private final List<BlockedSerial> blocked = new ArrayList<>();
    private long repeated;
    private Optional<Long> comparedUntil = Optional.empty();

    ImportRows(Fleet fleet, ExpectedSerials serials, ClaimCodes codes) {
        this.fleet = fleet;
        this.serials = serials;
        this.codes = codes;
    }

    FleetDocument document() {
        return fleet.document();
    }

    /** Returns how many rows had the serial of an earlier one. */
    long repeated() {
        return repeated;
    }

    /** Returns the last row that was compared with all before; empty if all were. */
    Optional<Long> comparedUntil() {
        return comparedUntil;
    }

    /** Returns every fault of a row, and remembers its serial if it has none. */
    List<String> faults(long row, ImportRow parsed) {
        if (!parsed.faults().isEmpty()) {
            return parsed.faults();
        }
        boolean isBlock = parsed.blocked().isPresent();
        Optional<String> refused = isBlock
                ? Optional.empty()
                : fleet.policy().refusalOfForm(fleet.name(), new SerialNumber(parsed.serial()));
        if (refused.isPresent()) {
            return List.of(refused.get());
        }
        long before = seen.add(parsed.serial(), isBlock ? 'B' : 'E', row);
        if (before > SeenSerials.NEW) {
            repeated++;
            return List.of("repeats the serial of row " + before);
        }
        if (before == SeenSerials.UNKNOWN && comparedUntil.isEmpty()) {
            comparedUntil = Optional.of(row - 1);
        }
        return List.of();
    }

    /** Adds a row without faults to those that are stored next. */
    void add(long row, ImportRow parsed) {
        parsed.blocked().ifPresentOrElse(blocked::add, () -> {
            expected.add(parsed.expected());
            rows.add(row);
            claimCodes.add(parsed.claimCode());
        });
    }

    /** Returns how many rows are stored next. */
    int size() {
        return expected.size() + blocked.size();
    }

    /** Returns how many of these block. */
    int blocks() {
        return blocked.size();
    }

    /**
     * Stores the rows that were added, in one transaction.
     *
     * @return those that are not stored after all, and why
     */
    List<RowError> store(Beside beside) {
        Map<String, ClaimCode> given = new LinkedHashMap<>();
        for (int i = 0; i < expected.size(); i++) {
            String serial = expected.get(i).serial();
            claimCodes.get(i).ifPresent(code -> given.put(serial, code));
        }
        List<RowError> leftOut = errors(serials.put(fleet.name(), expected, blocked, new ExpectedSerials.Beside() {

            private ClaimCodes.Imported imported;

            @Override
            public Map<Integer, String> before(Connection connection) throws SQLException {
                beside.before(connection);
                Map<Integer, String> taken = new HashMap<>();
                if (!given.isEmpty()) {
                    imported = codes.put(connection, fleet.name(), given);
                    for (int i = 0; i < expected.size(); i++) {
                        if (imported.taken().contains(expected.get(i).serial())) {
                            taken.put(i, "another serial has this claimCode");
                        }
                    }
                }
                return taken;
            }

            @Override
            public void write(Connection connection, List<ExpectedSerials.LeftOut> without) throws SQLException {
                Map<String, ClaimCode> kept = new LinkedHashMap<>(given);
                for (ExpectedSerials.LeftOut one : without) {
                    String serial = expected.get(one.place()).serial();
                    ClaimCode code = kept.remove(serial);
                    if (code != null) {
                        codes.takeBack(connection, fleet.name(), serial, code, imported);
                    }
                }
                // A row that is left out must not void the code on the label of its serial.
                codes.replace(connection, fleet.name(), kept);
                beside.write(connection, errors(without));
            }
        }));
        clear();
        return leftOut;
    }

    private List<RowError> errors(List<ExpectedSerials.LeftOut> leftOut) {
        return leftOut.stream()
                .map(one -> new RowError(rows.get(one.place()), one.reason()))
                .toList();
    }

    /** Forgets the rows that were added. */
    void clear() {
        expected.clear();
        rows.clear();
        claimCodes.clear();
        blocked.clear();
    }

    @Override
    public void close() {
        seen.close();
    }
}
