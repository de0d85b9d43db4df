// SPDX-License-Identifier: Apache-2.0
package io.muster.command.audit;

import java.time.Instant;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** A seal whose records are being read: the list of hashes that came with it, and which of its records were seen. */
final class OpenSeal {

    private static final HexFormat HEX = HexFormat.of();

    /**
     * A place in the seal, as the export says.
     *
     * @param id null if nothing is said
     * @param hash null if nothing is said
     */
    record Leaf(String id, String hash) {}

    private final long number;
    private final Optional<Instant> from;
    private final List<Leaf> leaves;
    private final Consumer<Fault> faults;
    private final Map<String, Integer> byHash = new HashMap<>();
    private final Map<String, Integer> byId = new HashMap<>();
    private final BitSet seen = new BitSet();
    /** Lines that are of no record of this seal, by the position that they claim: each may be a changed one. */
    private final Map<Integer, String> strangers = new HashMap<>();

    private int next;

    OpenSeal(long number, Optional<Instant> from, List<Leaf> leaves, Consumer<Fault> faults) {
        this.number = number;
        this.from = from;
        this.leaves = leaves;
        this.faults = faults;
        for (int i = 0; i < leaves.size(); i++) {
            if (leaves.get(i).id() != null) {
                byHash.put(leaves.get(i).hash(), i);
                byId.put(leaves.get(i).id(), i);
            }
        }
    }

    /** Compares a record with the list. */
    void take(RecordLine line) {
        if (line.seal() != number) {
            report(line.position(), line.id(), "inserted: it says that it is of seal " + line.seal());
            return;
        }
        Integer place = byHash.get(HEX.formatHex(line.leaf()));
        if (place == null) {
            takeUnknown(line);
        } else if (seen.get(place)) {
            report(line.position(), line.id(), "inserted: it is there twice");
        } else {
            boolean moved = place != line.position() || place < next;
            see(place);
            if (moved) {
                report(place, line.id(), "reordered: it stands elsewhere, with position " + line.position());
            } else if (from.isPresent() && line.late() != line.at().isBefore(from.get())) {
                report(place, line.id(), "changed: \"late\" is wrong");
            }
        }
    }

    private void takeUnknown(RecordLine line) {
        Integer place = byId.get(line.id());
        if (place != null && !seen.get(place)) {
            see(place);
            report(place, line.id(), "changed");
        } else {
            stranger(line.position(), line.id());
        }
    }

    private void see(int place) {
        seen.set(place);
        next = Math.max(next, place + 1);
    }

    /** Notes a line that cannot be read, which may be the next record. */
    void unreadable(long line) {
        int place = next;
        while (strangers.containsKey(place)) {
            place++;
        }
        stranger(place, "in line " + line + ", which cannot be read");
    }

    private void stranger(int position, String what) {
        if (position < 0 || position >= leaves.size() || strangers.putIfAbsent(position, what) != null) {
            report(position, what, "inserted");
        }
    }

    /** Reports what is missing. */
    void close() {
        for (int place = seen.nextClearBit(0); place < leaves.size(); place = seen.nextClearBit(place + 1)) {
            String id = leaves.get(place).id();
            boolean changed = strangers.remove(place) != null;
            report(place, id == null ? "unknown" : id, changed ? "changed" : "removed");
        }
        strangers.forEach((position, what) -> report(position, what, "inserted"));
    }

    private void report(int position, String id, String what) {
        faults.accept(Fault.ofRecord(number, position, id, what));
    }
}
