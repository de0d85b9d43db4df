// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The serials that an import had already, and their rows. It needs 12 bytes for each place of a table that is at most
 * three quarters full. It keeps only a hash of 64 bits. Among a million serials, two are confused in one of 40 million
 * imports; the row is then reported as a bad one. All imports of a node together use an eighth of its memory at most.
 * An import that gets no more continues with what it has. Used by one thread.
 */
final class SeenSerials implements AutoCloseable {

    /** The serial is new. */
    static final long NEW = 0;

    /** The serial may be new: the memory does not suffice to remember all of them. */
    static final long UNKNOWN = -1;

    private static final int SMALLEST = 1 << 10;
    private static final int LARGEST = 1 << 24;
    private static final int BYTES = Long.BYTES + Integer.BYTES;
    private static final AtomicLong FREE = new AtomicLong(Runtime.getRuntime().maxMemory() / 8);

    private final AtomicLong free;
    private long[] hashes;
    private int[] rows;
    private int size;

    SeenSerials() {
        this(FREE);
    }

    /** Takes its memory from this many bytes. */
    SeenSerials(AtomicLong free) {
        this.free = free;
        // The first table is so small that it is never refused.
        free.addAndGet(-(long) SMALLEST * BYTES);
        this.hashes = new long[SMALLEST];
        this.rows = new int[SMALLEST];
    }

    /**
     * Notes a serial.
     *
     * @param kind separates serials that may each occur once
     * @return the row that had it before, {@link #NEW} or {@link #UNKNOWN}
     */
    long add(String serial, char kind, long row) {
        long hash = hash(serial, kind);
        int place = place(hash);
        if (hashes[place] == hash) {
            return rows[place];
        }
        if ((size + 1L) * 4 > hashes.length * 3L) {
            if (!grow()) {
                return UNKNOWN;
            }
            place = place(hash);
        }
        hashes[place] = hash;
        rows[place] = (int) Math.min(row, Integer.MAX_VALUE);
        size++;
        return NEW;
    }

    /** Returns the place of the hash, or the place where it belongs. */
    private int place(long hash) {
        int mask = hashes.length - 1;
        int place = (int) hash & mask;
        while (hashes[place] != 0 && hashes[place] != hash) {
            place = place + 1 & mask;
        }
        return place;
    }

    private boolean grow() {
        long more = (long) hashes.length * BYTES;
        // For a moment the new table exists beside the old one.
        if (hashes.length == LARGEST || free.addAndGet(-2 * more) < 0) {
            if (hashes.length != LARGEST) {
                free.addAndGet(2 * more);
            }
            return false;
        }
        long[] oldHashes = hashes;
        int[] oldRows = rows;
        hashes = new long[oldHashes.length * 2];
        rows = new int[oldRows.length * 2];
        for (int i = 0; i < oldHashes.length; i++) {
            if (oldHashes[i] != 0) {
                int place = place(oldHashes[i]);
                hashes[place] = oldHashes[i];
                rows[place] = oldRows[i];
            }
        }
        free.addAndGet(more);
        return true;
    }

    /**
     * FNV-1a with the finish of MurmurHash3, which spreads it over all bits. Never zero, which marks an empty place.
     */
    private static long hash(String serial, char kind) {
        long hash = 0xcbf29ce484222325L;
        hash = (hash ^ kind) * 0x100000001b3L;
        for (int i = 0; i < serial.length(); i++) {
            hash = (hash ^ serial.charAt(i)) * 0x100000001b3L;
        }
        hash = (hash ^ hash >>> 33) * 0xff51afd7ed558ccdL;
        hash = (hash ^ hash >>> 33) * 0xc4ceb9fe1a85ec53L;
        hash ^= hash >>> 33;
        return hash == 0 ? 1 : hash;
    }

    @Override
    public void close() {
        free.addAndGet((long) hashes.length * BYTES);
        hashes = new long[0];
        rows = new int[0];
    }
}
