// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import java.io.IOException;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;

/** Serials that a database expects and nobody has registered yet. Thread-safe, except for {@link #ensure}. */
final class Stock {

    /** Makes a database expect serials. */
    @FunctionalInterface
    interface Loader {
        void load(List<String> serials) throws IOException, SQLException;
    }

    private static final long CHUNK = 20_000;

    private final Loader loader;
    private final AtomicLong next = new AtomicLong();
    private volatile long loaded;

    Stock(Loader loader) {
        this.loader = loader;
    }

    /** Ensures that this many can be taken. Returns whether that took loading. One thread calls it. */
    @SuppressWarnings("NonAtomicVolatileUpdate")
    boolean ensure(long count) throws IOException, SQLException {
        long wanted = next.get() + count;
        boolean loading = loaded < wanted;
        while (loaded < wanted) {
            loader.load(LongStream.range(loaded, loaded + CHUNK)
                    .mapToObj(Stock::serial)
                    .toList());
            loaded += CHUNK;
        }
        return loading;
    }

    /** Returns one that nobody had before. */
    String take() {
        long number = next.getAndIncrement();
        if (number >= loaded) {
            throw new WrongAnswerException("the driver ran out of serials");
        }
        return serial(number);
    }

    /**
     * Returns a serial that is different for each number, and in no order, like those of devices that come out of
     * boxes.
     */
    private static String serial(long number) {
        return String.format("SN-%016X", number * 0x9E3779B97F4A7C15L);
    }
}
