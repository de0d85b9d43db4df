// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.command.Input.Place;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The table of commands against the documents of the API. */
class OrdersTest {

    private static final Path ROOT = Path.of("../..");
    private static final Map<?, ?> DOCUMENT = document();

    private static Map<?, ?> document() {
        Path file = ROOT.resolve("registry-web/src/main/resources/openapi/openapi.yaml");
        try (InputStream in = Files.newInputStream(file)) {
            return (Map<?, ?>) new Load(LoadSettings.builder().build()).loadFromInputStream(in);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void everyCommandIsARequestOfOperators() throws IOException {
        Set<String> requests = Files.readAllLines(ROOT.resolve("docs/operator-rights.csv")).stream()
                .map(line -> line.split(",")[0])
                .collect(Collectors.toSet());

        assertThat(Orders.all()).extracting(Order::request).isSubsetOf(requests);
        assertThat(Orders.all()).extracting(order -> order.words).doesNotHaveDuplicates();
    }

    @Test
    void everyOptionIsInTheOpenApiDocument() {
        for (Order order : Orders.all()) {
            Map<?, ?> operation = map(map(DOCUMENT.get("paths")).get(order.path));
            operation = map(operation.get(order.method.toLowerCase(Locale.ROOT)));
            Set<String> known = new TreeSet<>();
            for (Object parameter : operation.get("parameters") instanceof List<?> list ? list : List.of()) {
                known.add(String.valueOf(resolved(parameter).get("name")));
            }
            Map<?, ?> body = map(resolved(operation.get("requestBody")).get("content"));
            body.values()
                    .forEach(media -> map(resolved(map(media).get("schema")).get("properties"))
                            .keySet()
                            .forEach(name -> known.add(String.valueOf(name))));

            assertThat(order.inputs.stream()
                            .filter(input -> input.place() != Place.PATH)
                            .map(Input::member))
                    .as(order.words)
                    .isSubsetOf(known);
            assertThat(known.contains("limit")).as(order.words).isEqualTo(order.paged && order.kind == Order.Kind.LIST);
        }
    }

    private static Map<?, ?> map(Object node) {
        return node instanceof Map<?, ?> map ? map : Map.of();
    }

    private static Map<?, ?> resolved(Object node) {
        Map<?, ?> map = map(node);
        if (map.get("$ref") instanceof String reference) {
            Object found = DOCUMENT;
            for (String step : reference.substring(2).split("/")) {
                found = map(found).get(step);
            }
            return resolved(found);
        }
        return map;
    }
}
