// SPDX-License-Identifier: Apache-2.0
package io.muster.command.audit;

import java.util.Optional;

/**
 * Something that is not as it was sealed.
 *
 * @param seal its number
 * @param position of a record in the seal, from zero on; empty if it is about the seal
 * @param id of the record; empty if it is about the seal
 */
public record Fault(long seal, Optional<Integer> position, Optional<String> id, String what) {

    static Fault ofRecord(long seal, int position, String id, String what) {
        return new Fault(seal, Optional.of(position), Optional.of(String.valueOf(id)), what);
    }

    static Fault ofSeal(long seal, String what) {
        return new Fault(seal, Optional.empty(), Optional.empty(), what);
    }

    /** Says it in a line, with nothing that a terminal would obey. */
    @Override
    public String toString() {
        String where = position.map(place -> ", position " + place).orElse("")
                + id.map(name -> ", record " + name).orElse("");
        return ("seal " + seal + where + ": " + what).replaceAll("\\p{Cntrl}", "?");
    }
}
