// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import io.muster.audit.Audit;
import io.muster.cdi.Part;
import io.muster.ownership.ClaimCodes.Kind;
import io.muster.persistence.Database;
import jakarta.inject.Inject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes the claim codes that operators have printed. Only their hashes are stored. Thread-safe. */
@Part
public final class LabelCodes {

    /** How many codes are made in one transaction at most. */
    public static final int AT_ONCE = 100;

    private final Database database;
    private final ClaimCodes codes;
    private final Audit audit;

    /** Stores the hashes in the database. */
    @Inject
    public LabelCodes(Database database, ClaimCodes codes, Audit audit) {
        this.database = database;
        this.codes = codes;
        this.audit = audit;
    }

    /**
     * Records that an operator has codes made, before the first of them.
     *
     * @param serial the only serial, or null for several
     * @param what the serials, for people
     */
    public void ordered(String fleet, String serial, String what, String operator) {
        database.transaction(em -> {
            audit.record(em, Audit.Type.CLAIM_CODES_MADE, fleet, serial, null, operator, what);
            return null;
        });
    }

    /**
     * Makes a code for each serial. They are stored when this returns. Unused codes that were made for these serials
     * before are void.
     *
     * @param serials at most {@value #AT_ONCE}
     * @return the codes by serial, in the order of the serials; each serial once
     */
    public Map<String, ClaimCode> make(String fleet, List<String> serials) {
        return database.transaction(em -> {
            Map<String, ClaimCode> made = new LinkedHashMap<>();
            for (String serial : serials) {
                if (!made.containsKey(serial)) {
                    made.put(serial, codes.make(em, fleet, serial, Kind.MADE).code());
                }
            }
            return made;
        });
    }
}
