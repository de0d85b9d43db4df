// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.persistence.Database;
import io.muster.persistence.Sql;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The codes that claim serials. Only their hashes are stored. A code is used once; it then stays, so that its user
 * gets the same answer again. One that has expired unused is deleted with other things that have
 * ({@code registration.Spending}). Thread-safe.
 */
@Part
public final class ClaimCodes {

    /** How long a code for a display is good. */
    public static final Duration DISPLAY = Duration.ofMinutes(10);

    /** How long a code for the next owner is good. */
    public static final Duration TRANSFER = Duration.ofDays(1);

    private static final int AT_ONCE = 100;
    private static final HexFormat HEX = HexFormat.of();

    private static final String FIND = "SELECT fleet, serial, kind, expires_at, used_at FROM claim_code WHERE hash = ?";

    // The row of another serial stays as it is.
    private static final String PUT = "INSERT INTO claim_code (hash, fleet, serial, kind, created_at)"
            + " VALUES (?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE kind = kind";

    /** Where a code comes from. Stored as a letter. */
    public enum Kind {
        /** Imported with the serial: a factory printed it. */
        FACTORY('F'),
        /** Made for a label. */
        MADE('M'),
        /** Requested by the device, for its display. */
        DISPLAY('D'),
        /** Made by an owner for the next one. */
        TRANSFER('T'),
        /** Imported, used, and worthless since its device was released. It stays, so that no import makes it good again. */
        VOID('V');

        private final String letter;

        Kind(char letter) {
            this.letter = String.valueOf(letter);
        }

        static Kind ofLetter(String letter) {
            return Arrays.stream(values())
                    .filter(kind -> kind.letter.equals(letter))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("no kind of claim code " + letter));
        }
    }

    /**
     * A code that was made now.
     *
     * @param expiresAt empty if it is good until it is used
     */
    public record Made(ClaimCode code, Optional<Instant> expiresAt) {}

    /** A code as it is stored. */
    record Stored(String fleet, String serial, Kind kind, Optional<Instant> expiresAt, Optional<Instant> usedAt) {

        /** Tells whether it could still be used, or was. */
        boolean isKnown(Instant now) {
            return kind != Kind.VOID
                    && (usedAt.isPresent() || expiresAt.map(now::isBefore).orElse(true));
        }

        boolean isUsed() {
            return usedAt.isPresent();
        }
    }

    private final Database database;
    private final Clock clock;

    @Inject
    ClaimCodes(Database database, @Ours Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    /** Returns the code as it is stored; empty if there is none. */
    Optional<Stored> find(ClaimCode code) {
        return database.found(() -> database.jdbc(Sql.of(FIND, code.hash()).first(ClaimCodes::stored)));
    }

    private static Stored stored(ResultSet row) throws SQLException {
        return new Stored(
                row.getString(1),
                row.getString(2),
                Kind.ofLetter(row.getString(3)),
                Sql.time(row, 4),
                Sql.time(row, 5));
    }

    /** Returns the code within a transaction that has locked the row of its serial. */
    static Optional<Stored> find(EntityManager em, ClaimCode code) {
        List<?> rows = em.createNativeQuery(FIND).setParameter(1, code.hash()).getResultList();
        if (rows.isEmpty()) {
            return Optional.empty();
        }
        Object[] row = (Object[]) rows.get(0);
        return Optional.of(new Stored(
                (String) row[0], (String) row[1], Kind.ofLetter(String.valueOf(row[2])), time(row[3]), time(row[4])));
    }

    private static Optional<Instant> time(Object millis) {
        return Optional.ofNullable((Number) millis).map(number -> Instant.ofEpochMilli(number.longValue()));
    }

    /**
     * Marks a code as used. It then stays for as long as its user owns the device.
     *
     * @return false if it was made void meanwhile
     */
    static boolean use(EntityManager em, ClaimCode code, Instant now) {
        return em.createNativeQuery("UPDATE claim_code SET used_at = ?, expires_at = NULL WHERE hash = ?")
                        .setParameter(1, now.toEpochMilli())
                        .setParameter(2, code.hash())
                        .executeUpdate()
                == 1;
    }

    /** Makes the codes worthless that the owner of a released serial may know: those used, and those for the next owner. */
    static void release(EntityManager em, String fleet, String serial) {
        for (String change : List.of(
                "UPDATE claim_code SET kind = 'V' WHERE fleet = ? AND serial = ? AND used_at IS NOT NULL AND kind = 'F'",
                "DELETE FROM claim_code WHERE fleet = ? AND serial = ?"
                        + " AND (kind = 'T' OR (used_at IS NOT NULL AND kind <> 'V'))")) {
            em.createNativeQuery(change)
                    .setParameter(1, fleet)
                    .setParameter(2, serial)
                    .executeUpdate();
        }
    }

    /** Deletes all codes of a serial, within a transaction that has locked its row. */
    static void erase(EntityManager em, String fleet, String serial) {
        em.createNativeQuery("DELETE FROM claim_code WHERE fleet = ? AND serial = ?")
                .setParameter(1, fleet)
                .setParameter(2, serial)
                .executeUpdate();
    }

    /**
     * Makes a code for a serial within a transaction that has locked the row of the serial, or needs no lock. Unused ones
     * of the same kind are void from then on.
     *
     * @param kind of those that the registry makes
     */
    public Made make(EntityManager em, String fleet, String serial, Kind kind) {
        Instant now = clock.instant();
        // By their keys: a search that finds nothing would lock a gap, into which others insert.
        for (Object hash : em.createNativeQuery(
                        "SELECT hash FROM claim_code WHERE fleet = ? AND serial = ? AND kind = ? AND used_at IS NULL")
                .setParameter(1, fleet)
                .setParameter(2, serial)
                .setParameter(3, kind.letter)
                .getResultList()) {
            em.createNativeQuery("DELETE FROM claim_code WHERE hash = ? AND used_at IS NULL")
                    .setParameter(1, hash)
                    .executeUpdate();
        }
        Optional<Instant> expiresAt =
                switch (kind) {
                    case DISPLAY -> Optional.of(now.plus(DISPLAY));
                    case TRANSFER -> Optional.of(now.plus(TRANSFER));
                    case MADE, FACTORY, VOID -> Optional.empty();
                };
        ClaimCode code = kind == Kind.DISPLAY ? ClaimCode.makeShort() : ClaimCode.make();
        em.createNativeQuery("INSERT INTO claim_code (hash, fleet, serial, kind, created_at, expires_at)"
                        + " VALUES (?, ?, ?, ?, ?, ?)")
                .setParameter(1, code.hash())
                .setParameter(2, fleet)
                .setParameter(3, serial)
                .setParameter(4, kind.letter)
                .setParameter(5, now.toEpochMilli())
                .setParameter(6, expiresAt.map(Instant::toEpochMilli).orElse(null))
                .executeUpdate();
        return new Made(code, expiresAt);
    }

    /**
     * The codes of an import that were stored.
     *
     * @param taken the serials whose code another serial has
     * @param at when the others were stored
     */
    public record Imported(List<String> taken, Instant at) {}

    /**
     * Stores imported codes, beside those that were imported for the same serials before. Doing it again
     * changes nothing.
     *
     * @param codes by serial
     */
    public Imported put(Connection connection, String fleet, Map<String, ClaimCode> codes) throws SQLException {
        Instant now = clock.instant();
        // Everybody stores them in the same order, so that two imports do not wait for each other.
        Map<String, Map.Entry<String, ClaimCode>> byHash = new TreeMap<>();
        List<String> taken = new ArrayList<>();
        codes.forEach((serial, code) -> {
            if (byHash.putIfAbsent(HEX.formatHex(code.hash()), Map.entry(serial, code)) != null) {
                taken.add(serial);
            }
        });
        Sql.batch(PUT, byHash.values(), entry ->
                        new Object[] {entry.getValue().hash(), fleet, entry.getKey(), Kind.FACTORY.letter, now})
                .in(connection);
        Map<String, String> holders = holders(connection, List.copyOf(byHash.keySet()));
        byHash.forEach((hash, entry) -> {
            if (!holders.get(hash).equals(fleet + '\n' + entry.getKey())) {
                taken.add(entry.getKey());
            }
        });
        return new Imported(List.copyOf(taken), now);
    }

    /**
     * Voids the unused codes that were imported for serials before.
     *
     * @param codes by serial; the codes that stay
     */
    public void replace(Connection connection, String fleet, Map<String, ClaimCode> codes) throws SQLException {
        Sql.batch(
                        "DELETE FROM claim_code WHERE fleet = ? AND serial = ? AND kind = 'F' AND used_at IS NULL"
                                + " AND hash <> ?",
                        codes.entrySet().stream()
                                .sorted(Map.Entry.comparingByKey())
                                .toList(),
                        entry -> new Object[] {
                            fleet, entry.getKey(), entry.getValue().hash()
                        })
                .in(connection);
    }

    private static Map<String, String> holders(Connection connection, List<String> hashes) throws SQLException {
        Map<String, String> holders = new HashMap<>();
        for (int from = 0; from < hashes.size(); from += AT_ONCE) {
            List<String> some = hashes.subList(from, Math.min(from + AT_ONCE, hashes.size()));
            Sql.of(
                            "SELECT hash, fleet, serial FROM claim_code WHERE hash IN ("
                                    + String.join(",", Collections.nCopies(some.size(), "?")) + ")",
                            some.stream().map(HEX::parseHex).toList())
                    .forEach(row ->
                            holders.put(HEX.formatHex(row.getBytes(1)), row.getString(2) + '\n' + row.getString(3)))
                    .in(connection);
        }
        return holders;
    }

    /** Takes back a code that an import has just stored for a serial that was then left out. */
    public void takeBack(Connection connection, String fleet, String serial, ClaimCode code, Imported imported)
            throws SQLException {
        Sql.of(
                        "DELETE FROM claim_code WHERE hash = ? AND fleet = ? AND serial = ? AND created_at = ?"
                                + " AND used_at IS NULL",
                        code.hash(),
                        fleet,
                        serial,
                        imported.at())
                .update()
                .in(connection);
    }
}
