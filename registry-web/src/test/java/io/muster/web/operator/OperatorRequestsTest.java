// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.operator.Grant;
import io.muster.operator.Right;
import io.muster.operator.Role;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import java.io.IOException;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class OperatorRequestsTest {

    private static final java.nio.file.Path CLASSES = java.nio.file.Path.of("target/classes/io/muster/web/operator");
    /** The suite visits each request that it lists. */
    private static final java.nio.file.Path MATRIX = java.nio.file.Path.of("../docs/operator-rights.csv");

    private static List<Class<?>> resources() throws IOException, ClassNotFoundException {
        List<Class<?>> resources = new ArrayList<>();
        try (Stream<java.nio.file.Path> files = Files.list(CLASSES)) {
            for (java.nio.file.Path file : files.toList()) {
                String name = file.getFileName().toString().replace(".class", "");
                Class<?> type = Class.forName("io.muster.web.operator." + name);
                if (type.isAnnotationPresent(Path.class)) {
                    resources.add(type);
                }
            }
        }
        return resources;
    }

    private static Optional<String> httpMethod(Method method) {
        return Stream.of(method.getAnnotations())
                .map(Annotation::annotationType)
                .flatMap(type -> Stream.ofNullable(type.getAnnotation(HttpMethod.class)))
                .map(HttpMethod::value)
                .findFirst();
    }

    @Test
    void suiteVisitsEveryRequestOfTheOperatorApi() throws Exception {
        TreeSet<String> requests = new TreeSet<>();
        for (Class<?> resource : resources()) {
            for (Method method : resource.getDeclaredMethods()) {
                String below = Optional.ofNullable(method.getAnnotation(Path.class))
                        .map(Path::value)
                        .orElse("");
                httpMethod(method)
                        .ifPresent(verb -> requests.add(verb + " "
                                + resource.getAnnotation(Path.class).value()
                                + below.replaceAll(": [^}]*}", "}")));
            }
        }

        assertThat(matrix().stream().map(cells -> cells[0]).filter(request -> request.contains(" /api/")))
                .containsExactlyElementsOf(requests);
    }

    private static List<String[]> matrix() throws IOException {
        return Files.readAllLines(MATRIX).stream()
                .skip(1)
                .map(line -> line.split(","))
                .toList();
    }

    @Test
    void matrixOfRightsHasTheRolesAsTheyAre() throws IOException {
        for (String[] cells : matrix()) {
            for (Role role : Role.values()) {
                Set<Right> rights = new Grant(Optional.of(role), Set.of(), Optional.empty()).given();
                assertThat(cells[3 + List.of(Role.values()).indexOf(role)])
                        .as("%s for %s", cells[0], role)
                        .isEqualTo(
                                cells[1].equals("-")
                                                || rights.contains(
                                                        Right.of(cells[1]).orElseThrow())
                                        ? "yes"
                                        : "no");
            }
        }
    }

    @Test
    void onlyWhatReadsTakesQueryParameters() throws Exception {
        for (Class<?> resource : resources()) {
            for (Method method : resource.getDeclaredMethods()) {
                if (!QueryFeature.names(resource, method).isEmpty()) {
                    assertThat(httpMethod(method)).as(method.toString()).contains("GET");
                }
            }
        }
    }
}
