// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import io.muster.cdi.Part;
import io.muster.persistence.Database;
import io.muster.persistence.Sql;
import io.muster.verification.SerialForm;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/**
 * For operators: finds listed serials that differ from an unlisted one only in spelling, that is in case, separators or
 * blanks. Looks up a few dozen spellings in an index, and never more. Thread-safe.
 */
@Part
public final class Spellings {

    private static final int MOST_FOUND = 5;

    private final Database database;

    /** Looks in the list in the database. */
    @Inject
    public Spellings(Database database) {
        this.database = database;
    }

    /**
     * Returns the listed serials that this text may have meant.
     *
     * @param text any text
     * @return a few; empty if the text itself is in the list, or no listed serial is spelled like it
     */
    public List<String> listed(String fleet, String text) {
        List<String> spellings = new ArrayList<>(SerialForm.spellings(text));
        if (spellings.isEmpty()) {
            return List.of();
        }
        spellings.add(text);
        // Looks up each spelling by itself: given a list, H2 reads all rows of the table.
        String select = String.join(
                " UNION ALL ",
                Collections.nCopies(
                        spellings.size(), "SELECT serial FROM expected_serial WHERE fleet = ? AND serial = ?"));
        List<String> parameters = spellings.stream()
                .flatMap(spelling -> Stream.of(fleet, spelling))
                .toList();
        List<String> found = database.jdbc(Sql.of(select, parameters).list(row -> row.getString(1)));
        return found.contains(text)
                ? List.of()
                : found.stream().sorted().limit(MOST_FOUND).toList();
    }
}
