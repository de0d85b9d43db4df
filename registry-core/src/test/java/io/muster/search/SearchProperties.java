// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.search.SearchFilters.Case;
import io.muster.search.SearchWorld.Known;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** A search finds the devices that its filter means, in the requested order, whatever the size of the page. */
abstract class SearchProperties {

    abstract SearchWorld world();

    @Provide
    Arbitrary<Case> filters() {
        return SearchFilters.all();
    }

    @Provide
    Arbitrary<String> sorts() {
        return Arbitraries.of("createdAt", "-createdAt", "serial", "-serial", "name", "-name");
    }

    @Provide
    Arbitrary<Integer> limits() {
        return Arbitraries.of(13, 60, 500);
    }

    @Provide
    Arbitrary<String> typed() {
        return Arbitraries.of(
                "SN-0", "SN-x01", "Pump", "P\u00f6", "re", "r%", "%", "_", "\ud83d\ude00", "01970000", "no");
    }

    @Property(tries = 250, seed = "18", edgeCases = EdgeCasesMode.NONE)
    void filterFindsWhatItMeans(
            @ForAll("filters") Case filter, @ForAll("sorts") String sort, @ForAll("limits") int limit) {
        List<String> expected = world().devices().stream()
                .filter(filter.meaning())
                .sorted(SearchFilters.order(sort))
                .map(Known::id)
                .toList();

        assertThat(world().ids(SearchWorld.wanted(filter.text(), "", sort), limit))
                .as(filter.text())
                .isEqualTo(expected);
    }

    @Property(tries = 60, seed = "18", edgeCases = EdgeCasesMode.NONE)
    void filterWithoutASortFindsTheSame(@ForAll("filters") Case filter, @ForAll("limits") int limit) {
        assertThat(world().ids(SearchWorld.wanted(filter.text(), "", ""), limit))
                .as(filter.text())
                .doesNotHaveDuplicates()
                .containsExactlyInAnyOrderElementsOf(world().devices().stream()
                        .filter(filter.meaning())
                        .map(Known::id)
                        .toList());
    }

    @Property(tries = 60, seed = "18", edgeCases = EdgeCasesMode.NONE)
    void whatIsTypedFindsWhatBeginsWithIt(
            @ForAll("typed") String typed,
            @ForAll("filters") Case filter,
            @ForAll("sorts") String sort,
            @ForAll("limits") int limit) {
        List<String> expected = world().devices().stream()
                .filter(one -> one.serial().startsWith(typed)
                        || one.name().filter(name -> name.startsWith(typed)).isPresent()
                        || one.tags().values().stream().anyMatch(text -> text.startsWith(typed))
                        || (typed.length() >= 8 && one.id().startsWith(typed)))
                .filter(filter.meaning())
                .sorted(SearchFilters.order(sort))
                .map(Known::id)
                .toList();

        assertThat(world().ids(SearchWorld.wanted(filter.text(), typed, sort), limit))
                .isEqualTo(expected);
        assertThat(world().page(SearchWorld.wanted("", typed, ""), Optional.empty(), 1000)
                        .complete())
                .isTrue();
    }
}
