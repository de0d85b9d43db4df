// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import java.io.IOException;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class OperatorRequestsTest {

    private static final java.nio.file.Path CLASSES = java.nio.file.Path.of("target/classes/io/muster/web/operator");
    private static final java.nio.file.Path VISITED =
            java.nio.file.Path.of("../deploy/suite/src/test/resources/operator-requests.txt");

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

        assertThat(Files.readAllLines(VISITED)).containsExactlyElementsOf(requests);
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
