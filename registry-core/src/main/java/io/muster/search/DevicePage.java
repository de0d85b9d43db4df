// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.device.Device;
import io.muster.persistence.Ids;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads one page of a search, in one of two ways. Both have the same order and the same cursors, so each page may be
 * read in the way that suits it.
 *
 * <ul>
 *   <li>It collects all that the ranges of the filter hold, if that is little, and sorts it.
 *   <li>It walks through an index that has the order of the list, and leaves out what does not match.
 * </ul>
 */
final class DevicePage {

    /** How many devices are collected at most. */
    private static final int MOST_COLLECTED = 2000;

    private static final int STEP = 1000;

    private final DeviceReader reader;
    private final DeviceSearch.Wanted wanted;
    private final Optional<Entry> after;
    private final int atMost;
    private final Sort sort;
    private final Comparator<Entry> order;

    DevicePage(DeviceReader reader, DeviceSearch.Wanted wanted, Optional<Entry> after, int atMost) {
        this.reader = reader;
        this.wanted = wanted;
        this.after = after;
        this.atMost = atMost;
        this.sort = wanted.order();
        this.order = Entry.comparing(sort);
    }

    DeviceSearch.Page read() throws SQLException {
        List<Range> ranges = wanted.ranges();
        if (ranges.size() == 1 && ranges.get(0).order().equals(Optional.of(sort.key()))) {
            return walk(Optional.of(ranges.get(0)));
        }
        if (!ranges.isEmpty()) {
            Collected collected = collect(ranges);
            // There is no index in whose order everything is that a person may have typed.
            if (collected.complete() || wanted.typed().isPresent()) {
                return sorted(collected);
            }
        }
        return walk(Optional.empty());
    }

    private record Collected(List<byte[]> ids, boolean complete) {}

    private Collected collect(List<Range> ranges) throws SQLException {
        List<Scan> scans = ranges.stream()
                .flatMap(range -> Scans.of(wanted.fleet(), Optional.of(range), sort, Optional.empty()).stream())
                .toList();
        boolean typed = wanted.typed().isPresent();
        // A walk may follow, and has the other half of the rows. After a text that was typed, none does.
        int most = Math.min(MOST_COLLECTED, reader.affordable(1) / (typed ? 1 : 2) - scans.size());
        int read = 0;
        boolean complete = true;
        Map<String, byte[]> ids = new LinkedHashMap<>();
        for (int number = 0; number < scans.size(); number++) {
            // The same share for each kind of what was typed, and the rest for the next.
            int share = typed ? (most - read) / (scans.size() - number) : most - read;
            List<Entry> some = reader.entries(scans.get(number), false, share + 1);
            some.stream().limit(share).forEach(entry -> ids.put(Ids.hex(entry.id()), entry.id()));
            read += Math.min(share, some.size());
            complete &= some.size() <= share;
            if (!complete && !typed) {
                break;
            }
        }
        return new Collected(List.copyOf(ids.values()), complete);
    }

    private DeviceSearch.Page sorted(Collected collected) throws SQLException {
        List<Device> all = reader.matching(collected.ids()).stream()
                .filter(device -> after.map(last -> order.compare(Entry.of(device), last) > 0)
                        .orElse(true))
                .sorted(Comparator.comparing(Entry::of, order))
                .toList();
        List<Device> some = all.size() > atMost ? all.subList(0, atMost) : all;
        Optional<Entry> next = all.size() > atMost ? Optional.of(Entry.of(some.get(atMost - 1))) : Optional.empty();
        return page(some, next, collected.complete());
    }

    private DeviceSearch.Page walk(Optional<Range> part) throws SQLException {
        List<Device> found = new ArrayList<>();
        Optional<Entry> last = after;
        int step = atMost;
        while (true) {
            List<Scan> scans = Scans.of(wanted.fleet(), part, sort, last);
            int affordable = reader.affordable(scans.size());
            if (affordable < 1) {
                return page(found, last, false);
            }
            step = Math.min(step, affordable);
            List<Entry> some = next(scans, step);
            List<Device> matching = reader.matching(some.stream().map(Entry::id).toList());
            matching.stream().sorted(Comparator.comparing(Entry::of, order)).forEach(found::add);
            if (found.size() >= atMost) {
                List<Device> full = found.subList(0, atMost);
                return page(full, Optional.of(Entry.of(full.get(atMost - 1))), true);
            }
            if (some.size() < step) {
                return page(found, Optional.empty(), true);
            }
            last = Optional.of(some.get(some.size() - 1));
            // The requested number is often enough. If it is not, few of the devices match.
            step = Math.min(Math.max(atMost, STEP), 2 * step);
        }
    }

    /** Reads the next entries of several scans, each in the order of the list. */
    private List<Entry> next(List<Scan> scans, int step) throws SQLException {
        List<Entry> all = new ArrayList<>();
        for (Scan scan : scans) {
            all.addAll(reader.entries(scan, sort.descending(), step));
        }
        if (scans.size() > 1) {
            all.sort(order);
        }
        return all.size() > step ? all.subList(0, step) : all;
    }

    private DeviceSearch.Page page(List<Device> devices, Optional<Entry> next, boolean complete) throws SQLException {
        return new DeviceSearch.Page(
                List.copyOf(devices), reader.tags(devices), next.map(entry -> entry.cursor(sort.key())), complete);
    }
}
