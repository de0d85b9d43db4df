// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestRegistry;
import io.muster.device.Device;
import io.muster.json.Json;
import io.muster.search.SearchWorld.Known;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The promises of pages of a search, on every database. */
interface SearchContract {

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private static Known device(String id, String serial, String name) {
        return new Known(
                id + "0".repeat(32 - id.length()),
                "default",
                serial,
                Optional.ofNullable(name),
                "active",
                Instant.EPOCH,
                Map.of("lot", "L"),
                Map.of());
    }

    @ParameterizedTest
    @ValueSource(strings = {"createdAt", "-createdAt", "serial", "-serial", "name", "-name", ""})
    default void pagesAreStableWhileDevicesAreAdded(String sort) {
        try (SearchWorld world = new SearchWorld(fresh())) {
            for (String filter : List.of("", "lot pr", "serial sw \"SN-\"", "name ge \"P\"", "lot eq \"red\"")) {
                DeviceSearch.Wanted wanted = SearchWorld.wanted(filter, "", sort);
                List<String> before = world.ids(wanted, 1000);
                List<String> seen = new ArrayList<>();
                Optional<String> next = Optional.empty();
                int number = 0;
                do {
                    DeviceSearch.Page page = world.page(wanted, next, 20);
                    page.devices().stream().map(Device::id).forEach(id -> seen.add(id.value()));
                    next = page.next();
                    if (number < 5) {
                        String unique = filter.hashCode() + "." + number;
                        world.add(List.of(
                                device("00" + number + Integer.toHexString(filter.hashCode()), "AA" + unique, null),
                                device(
                                        "ff" + number + Integer.toHexString(filter.hashCode()),
                                        "SN-" + unique,
                                        "Pump")));
                        number++;
                    }
                } while (next.isPresent());

                assertThat(seen).as(filter).doesNotHaveDuplicates();
                assertThat(seen.stream().filter(before::contains).toList())
                        .as(filter)
                        .isEqualTo(before);
            }
        }
    }

    @Test
    default void orderFollowsTheIndexThatFindsTheDevices() {
        assertThat(SearchWorld.wanted("serial sw \"SN\"", "", "").order()).isEqualTo(new Sort(Sort.Key.SERIAL, false));
        assertThat(SearchWorld.wanted("name sw \"P\" and lot pr", "", "").order())
                .isEqualTo(new Sort(Sort.Key.NAME, false));
        assertThat(SearchWorld.wanted("name sw \"P\" and lot eq \"L\"", "", "").order())
                .isEqualTo(new Sort(Sort.Key.REGISTERED, false));
        assertThat(SearchWorld.wanted("name sw \"P\"", "", "-createdAt").order())
                .isEqualTo(new Sort(Sort.Key.REGISTERED, true));
    }

    @Test
    default void cursorIsOfOneOrder() {
        DeviceSearch.Wanted byName = SearchWorld.wanted("", "", "name");

        assertThat(byName.isNext("n.UAphCg")).isTrue();
        assertThat(byName.isNext("n.UA")).isFalse();
        assertThat(byName.isNext("s.UAphCg")).isFalse();
        assertThat(byName.isNext("n.!")).isFalse();
        assertThat(byName.isNext("0".repeat(32))).isFalse();
        assertThat(SearchWorld.wanted("", "", "").isNext("0".repeat(32))).isTrue();
        assertThat(SearchWorld.wanted("", "", "serial").isNext("s.UA")).isTrue();
    }

    @Test
    default void pageHasAllTagsAndAttributes() {
        try (SearchWorld world = new SearchWorld(fresh())) {
            DeviceSearch.Page page = world.page(SearchWorld.wanted("lot eq \"red\"", "", ""), Optional.empty(), 1000);

            assertThat(page.devices()).isNotEmpty();
            for (Known known : world.devices()) {
                page.devices().stream()
                        .filter(device -> device.id().value().equals(known.id()))
                        .forEach(device -> {
                            assertThat(page.tags().get(device.id()))
                                    .containsAllEntriesOf(known.tags())
                                    .containsEntry("serial", known.serial());
                            assertThat(Json.text(device.attributes())).isEqualTo(Json.text(known.attributes()));
                        });
            }
        }
    }
}
