// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import io.muster.api.Problem;
import io.muster.fleet.FleetDocument;
import io.muster.problem.RegistryException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The columns of a CSV import. Their names may be in any case and have blanks around them. Columns without a name may
 * follow the last one that has a name.
 *
 * @param columns the names as {@link ImportRow} knows them
 */
record ImportHeader(List<String> columns) {

    private static final int MAX_COLUMNS = 200;

    /**
     * Reads the header line.
     *
     * @throws RegistryException if it is faulty; every fault is listed
     */
    static ImportHeader of(FleetDocument fleet, List<String> fields) {
        if (fields.size() > MAX_COLUMNS) {
            throw invalid(List.of("the header line has more than " + MAX_COLUMNS + " columns"));
        }
        List<String> columns = new ArrayList<>(
                fields.stream().map(field -> column(fleet, field)).toList());
        while (!columns.isEmpty() && columns.get(columns.size() - 1).isEmpty()) {
            columns.remove(columns.size() - 1);
        }
        List<String> faults = new ArrayList<>();
        if (!columns.contains(ImportRow.SERIAL)) {
            faults.add("the header line must name the column serial");
        }
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < columns.size(); i++) {
            String column = columns.get(i);
            if (column.isEmpty()) {
                faults.add("column " + (i + 1) + " has no name");
            } else if (!seen.add(column)) {
                faults.add("the header line names \"" + ImportRow.shown(column) + "\" twice");
            } else if (!ImportRow.isColumn(column)) {
                faults.add("\"" + ImportRow.shown(column)
                        + "\" is not a column; columns are serial, name, lot, tags.<key>,"
                        + " attributes.<name>, state, reason and claimCode");
            }
        }
        if (!faults.isEmpty()) {
            throw invalid(faults);
        }
        return new ImportHeader(List.copyOf(columns));
    }

    private static RegistryException invalid(List<String> faults) {
        return RegistryException.invalid(
                faults.stream().map(fault -> new Problem.Fault("#", fault)).toList());
    }

    private static String column(FleetDocument fleet, String field) {
        String name = field.strip();
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.startsWith(ImportRow.TAGS)) {
            return ImportRow.TAGS + name.substring(ImportRow.TAGS.length()).strip();
        }
        if (lower.startsWith(ImportRow.ATTRIBUTES)) {
            return ImportRow.ATTRIBUTES
                    + attribute(
                            fleet, name.substring(ImportRow.ATTRIBUTES.length()).strip());
        }
        if (lower.equals(ImportRow.CLAIM_CODE.toLowerCase(Locale.ROOT))) {
            return ImportRow.CLAIM_CODE;
        }
        return ImportRow.isColumn(lower) ? lower : name;
    }

    /**
     * Returns the name of an attribute: the declared name that equals it in any case, if there is only one, else the
     * name as it is written.
     */
    private static String attribute(FleetDocument fleet, String name) {
        Set<String> declared = fleet.types().keySet();
        List<String> meant = declared.stream().filter(name::equalsIgnoreCase).toList();
        return declared.contains(name) || meant.size() != 1 ? name : meant.get(0);
    }
}
