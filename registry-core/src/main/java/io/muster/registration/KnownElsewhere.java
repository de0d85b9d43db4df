// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.cdi.Part;
import io.muster.fleet.Fleets;
import io.muster.persistence.Database;
import io.muster.persistence.Sql;
import io.muster.spi.SerialNumber;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Tells whether several fleets know a serial, as a device or as an expected serial. Looks each fleet up in the index of
 * fleet and serial. In a registry of one fleet it looks nothing up. Thread-safe.
 */
@Part
final class KnownElsewhere {

    private static final int AT_ONCE = 500;

    private final Database database;
    private final Fleets fleets;

    @Inject
    KnownElsewhere(Database database, Fleets fleets) {
        this.database = database;
        this.fleets = fleets;
    }

    boolean isKnownOutside(String fleet, SerialNumber serial) {
        List<String> others =
                fleets.names().stream().filter(name -> !name.equals(fleet)).toList();
        for (int from = 0; from < others.size(); from += AT_ONCE) {
            List<String> some = others.subList(from, Math.min(from + AT_ONCE, others.size()));
            if (database.jdbc(connection ->
                    isIn("device", connection, some, serial) || isIn("expected_serial", connection, some, serial))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isIn(String table, Connection connection, List<String> fleets, SerialNumber serial)
            throws SQLException {
        String places = "?" + ", ?".repeat(fleets.size() - 1);
        List<String> parameters = new ArrayList<>(fleets);
        parameters.add(serial.value());
        return Sql.of("SELECT 1 FROM " + table + " WHERE fleet IN (" + places + ") AND serial = ? LIMIT 1", parameters)
                .exists()
                .in(connection);
    }
}
