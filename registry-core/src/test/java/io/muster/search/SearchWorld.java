// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.device.Device;
import io.muster.json.Json;
import io.muster.verification.SerialForm;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A registry with devices that a test knows too. */
final class SearchWorld implements AutoCloseable {

    static final List<String> NAMES = List.of("Pump", "Pump 1", "Pump_%", "P\u00f6mp", "\u20acuro", "\"it's\"", "SN-0");
    static final List<String> TEXTS = List.of("red", "reddish", "Red", "r%d", "\ud83d\ude00", "blue");
    static final List<Object> VALUES = List.of("red", "12", 12, 12.5, -3, true, false, "SN-0");
    static final long EARLIEST = 1_750_000_000_000L;

    /** A device as the test knows it. */
    record Known(
            String id,
            String fleet,
            String serial,
            Optional<String> name,
            String state,
            Instant createdAt,
            Map<String, String> tags,
            Map<String, Object> attributes) {

        String shown() {
            return name.orElse(serial);
        }
    }

    private final TestRegistry registry;
    private final TestNode node;
    private final List<Known> all = new ArrayList<>();
    private final Random random = new Random(18);

    SearchWorld(TestRegistry registry) {
        this.registry = registry;
        this.node = registry.start();
        List<Known> some = new ArrayList<>();
        for (int number = 0; number < 400; number++) {
            some.add(random(number, number % 8 == 0 ? "other" : "default"));
        }
        add(some);
    }

    private <T> T one(List<T> some) {
        return some.get(random.nextInt(some.size()));
    }

    private Known random(int number, String fleet) {
        Map<String, String> tags = new TreeMap<>();
        for (String key : List.of("lot", "owner", "group", "colour", "a.b")) {
            if (random.nextInt(3) > 0) {
                tags.put(key, one(TEXTS));
            }
        }
        Map<String, Object> attributes = new LinkedHashMap<>();
        for (String name : List.of("n", "m")) {
            if (random.nextInt(3) > 0) {
                attributes.put(name, one(VALUES));
            }
        }
        return new Known(
                "0197%07x".formatted(number) + "%021x".formatted(random.nextInt(1 << 20)),
                fleet,
                "SN-" + (random.nextBoolean() ? "" : "x") + "%04d".formatted(number * 37 % 1000),
                random.nextInt(3) == 0 ? Optional.empty() : Optional.of(one(NAMES)),
                one(List.of("active", "active", "active", "disabled", "retired", "pending")),
                Instant.ofEpochMilli(EARLIEST + random.nextInt(20) * 1000L + random.nextInt(2)),
                tags,
                attributes);
    }

    private static String quoted(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    /** Adds devices behind the back of every node. */
    void add(Collection<Known> some) {
        registry.execute("INSERT INTO device (id, fleet, serial, state, name, attributes, created_at) VALUES "
                + some.stream()
                        .map(one -> "(X'" + one.id() + "', " + quoted(one.fleet()) + ", " + quoted(one.serial()) + ", "
                                + quoted(one.state().substring(0, 1).toUpperCase(Locale.ROOT)) + ", "
                                + one.name().map(SearchWorld::quoted).orElse("NULL") + ", "
                                + (one.attributes().isEmpty() ? "NULL" : quoted(Json.text(one.attributes()))) + ", "
                                + one.createdAt().toEpochMilli() + ")")
                        .collect(Collectors.joining(", ")));
        String tags = some.stream()
                .flatMap(one -> one.tags().entrySet().stream()
                        .map(tag ->
                                "(X'" + one.id() + "', " + quoted(tag.getKey()) + ", " + quoted(tag.getValue()) + ")"))
                .collect(Collectors.joining(", "));
        if (!tags.isEmpty()) {
            registry.execute("INSERT INTO device_tag (device_id, name, text) VALUES " + tags);
        }
        all.addAll(some);
    }

    /** Returns the devices of the fleet that all tests search. */
    List<Known> devices() {
        return all.stream().filter(one -> one.fleet().equals("default")).toList();
    }

    /** Makes a search in the fleet that all tests search. */
    static DeviceSearch.Wanted wanted(String filter, String typed, String sort) {
        try {
            return new DeviceSearch.Wanted(
                    "default",
                    filter.isEmpty()
                            ? Expression.all()
                            : FilterParser.parse(filter, new DeviceFields(SerialForm.EXACT)),
                    typed.isEmpty() ? Optional.empty() : Typed.of(typed, SerialForm.EXACT),
                    sort.isEmpty()
                            ? Optional.empty()
                            : Optional.of(Sort.of(sort).orElseThrow()));
        } catch (FilterException e) {
            throw new AssertionError(filter, e);
        }
    }

    DeviceSearch.Page page(DeviceSearch.Wanted wanted, Optional<String> after, int limit) {
        return node.part(DeviceSearch.class).list(wanted, after, limit);
    }

    /** Returns the ids of all pages. */
    List<String> ids(DeviceSearch.Wanted wanted, int limit) {
        List<String> ids = new ArrayList<>();
        Optional<String> next = Optional.empty();
        do {
            DeviceSearch.Page page = page(wanted, next, limit);
            if (!page.complete() || page.devices().size() > limit) {
                throw new AssertionError("a page of " + page.devices().size() + ", complete: " + page.complete());
            }
            page.devices().stream().map(Device::id).forEach(id -> ids.add(id.value()));
            next = page.next();
            if (next.isPresent() && !wanted.isNext(next.get())) {
                throw new AssertionError("refused its own cursor " + next.get());
            }
        } while (next.isPresent());
        return ids;
    }

    @Override
    public void close() {
        node.close();
    }
}
