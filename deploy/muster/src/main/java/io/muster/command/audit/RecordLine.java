// SPDX-License-Identifier: Apache-2.0
package io.muster.command.audit;

import io.muster.seal.SealedRecord;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The line of a record.
 *
 * @param id as the line says
 * @param leaf the hash that follows from the line
 * @param at null if the line has no time
 * @param erased whether the personal part is gone
 */
record RecordLine(long seal, int position, String id, byte[] leaf, Instant at, boolean late, boolean erased) {

    private static final HexFormat HEX = HexFormat.of();
    private static final Set<String> MEMBERS =
            Set.of("inSeal", "position", "late", "record", "personal", "salt", "personalDigest", "seal", "path");

    /** Reads a line; empty if it is not that of a record. */
    static Optional<RecordLine> of(Map<String, Object> line) {
        try {
            Map<String, String> members = texts(line.get("record"));
            boolean erased = !line.containsKey("personal");
            byte[] digest = erased
                    ? HEX.parseHex((String) line.get("personalDigest"))
                    : SealedRecord.digest(HEX.parseHex((String) line.get("salt")), texts(line.get("personal")));
            if (!MEMBERS.containsAll(line.keySet()) || (!erased && line.containsKey("personalDigest"))) {
                return Optional.empty();
            }
            return Optional.of(new RecordLine(
                    (Long) line.get("inSeal"),
                    Math.toIntExact((Long) line.get("position")),
                    members.get("id"),
                    new SealedRecord(members, digest).leaf(),
                    Instant.parse(members.get("at")),
                    Boolean.TRUE.equals(line.get("late")),
                    erased));
        } catch (ClassCastException
                | NullPointerException
                | IllegalArgumentException
                | ArithmeticException
                | DateTimeException e) {
            return Optional.empty();
        }
    }

    private static Map<String, String> texts(Object object) {
        Map<String, String> texts = new TreeMap<>();
        ((Map<?, ?>) object).forEach((name, value) -> texts.put((String) name, (String) value));
        return texts;
    }
}
