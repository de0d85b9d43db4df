// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.cdi.Part;
import io.muster.device.Device;
import io.muster.persistence.Database;
import io.muster.spi.DeviceId;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds devices of a fleet by a filter, or by what a person typed. Thread-safe. */
@Part
public final class DeviceSearch {

    /** How many rows a page reads at most, besides its own. */
    public static final int MAX_READ = 10_000;

    private final Database database;

    /** Searches the database. */
    @Inject
    public DeviceSearch(Database database) {
        this.database = database;
    }

    /**
     * A search.
     *
     * @param typed the text that a person typed; empty for any device
     * @param sort empty for the order of the index by which the devices are found
     */
    public record Wanted(String fleet, Expression filter, Optional<Typed> typed, Optional<Sort> sort) {

        List<Range> ranges() {
            return typed.map(Range::of).orElseGet(() -> Range.of(filter));
        }

        /** Returns the order of what is found. */
        public Sort order() {
            return sort.orElseGet(() -> Sort.natural(ranges()));
        }

        /** Tells whether a text is the next of a page of this search. */
        public boolean isNext(String cursor) {
            return Entry.of(cursor, order().key()).isPresent();
        }
    }

    /**
     * Some devices.
     *
     * @param tags all tags of each, {@code serial} among them
     * @param next where the next page begins; empty if there is none
     * @param complete false if the page ended because it had read {@value #MAX_READ} rows: there may be devices that it
     *     does not have
     */
    public record Page(
            List<Device> devices, Map<DeviceId, Map<String, String>> tags, Optional<String> next, boolean complete) {}

    /**
     * Returns a page of what is found.
     *
     * @param after the next of the page before; empty for the first page
     * @param atMost how many devices
     */
    public Page list(Wanted wanted, Optional<String> after, int atMost) {
        Optional<Entry> from =
                after.map(cursor -> Entry.of(cursor, wanted.order().key()).orElseThrow());
        return database.forOperators()
                .jdbc(connection -> new DevicePage(new DeviceReader(connection, wanted), wanted, from, atMost).read());
    }
}
