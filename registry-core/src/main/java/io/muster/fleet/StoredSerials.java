// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import io.muster.persistence.Database;
import io.muster.persistence.IndexRange;
import io.muster.persistence.Sql;
import io.muster.spi.SerialNumber;
import io.muster.verification.SerialForm;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The serials of a fleet that is about to spell them in another form. Reads them in portions, in the order of an index.
 * So even very many take little memory and no long transaction.
 */
final class StoredSerials {

    private static final int PORTION = 10_000;
    private static final int EXAMPLES = 5;
    private static final IndexRange BY_SERIAL = IndexRange.of("fleet", "serial");

    private final Database database;

    StoredSerials(Database database) {
        this.database = database;
    }

    /**
     * Returns examples of serials that nobody could name any more, because they are not in this form, each as a
     * sentence. Ends as soon as it has a few.
     *
     * @return empty if every serial of the fleet is in the form
     */
    List<String> notIn(SerialForm form, String fleet) {
        List<String> examples = new ArrayList<>();
        notIn(form, fleet, "device", "device", examples);
        notIn(form, fleet, "expected_serial", "listed serial", examples);
        return examples;
    }

    private void notIn(SerialForm form, String fleet, String table, String what, List<String> examples) {
        Map<String, String> first = new HashMap<>();
        String from = "";
        List<String> portion;
        do {
            portion = after(table, fleet, from);
            for (String serial : portion) {
                Optional<String> formed = form.of(serial).map(SerialNumber::value);
                if (!formed.equals(Optional.of(serial))) {
                    examples.add(what + " " + serial
                            + formed.map(other -> " would be " + other
                                            + (first.containsKey(other)
                                                    ? ", as " + first.get(other)
                                                    : taken(table, fleet, other)))
                                    .orElse(" would be none"));
                    formed.ifPresent(other -> first.putIfAbsent(other, serial));
                }
                if (examples.size() >= EXAMPLES) {
                    return;
                }
                from = serial;
            }
        } while (portion.size() == PORTION);
    }

    private String taken(String table, String fleet, String serial) {
        boolean taken = database.forOperators()
                .jdbc(Sql.of("SELECT 1 FROM " + table + " WHERE fleet = ? AND serial = ?", fleet, serial)
                        .exists());
        return taken ? ", which is there already" : "";
    }

    private List<String> after(String table, String fleet, String from) {
        return database.forOperators()
                .jdbc(Sql.of(
                                "SELECT serial FROM " + table + " WHERE " + BY_SERIAL.sql(),
                                BY_SERIAL.values(List.of(fleet), from, PORTION))
                        .list(row -> row.getString(1)));
    }
}
