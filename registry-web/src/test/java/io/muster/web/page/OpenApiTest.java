// SPDX-License-Identifier: Apache-2.0
package io.muster.web.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.muster.api.ProblemType;
import io.muster.json.Json;
import io.muster.operator.Right;
import io.muster.web.operator.QueryNames;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** Compares {@code openapi.yaml} with the code, in both directions. */
class OpenApiTest {

    private static final JsonNode DOCUMENT = document();
    private static final Map<String, JavaMethod> OPERATIONS = operations();
    private static final Pattern TEMPLATE = Pattern.compile("\\{(\\w+)}");
    private static final String PROBLEM_TYPE = "/content/application~1problem+json/schema/properties/type";

    private static JsonNode document() {
        try (InputStream in = OpenApiTest.class.getResourceAsStream("/openapi/openapi.yaml")) {
            return Json.parse(Json.bytes(new Load(LoadSettings.builder().build()).loadFromInputStream(in)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The methods that answer requests, by verb and path. */
    private static Map<String, JavaMethod> operations() {
        Map<String, JavaMethod> operations = new TreeMap<>();
        for (JavaClass resource : new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("io.muster.web")) {
            if (resource.isAnnotatedWith(Path.class)) {
                for (JavaMethod method : resource.getMethods()) {
                    verb(method.reflect())
                            .ifPresent(verb -> operations.put(verb + " " + path(method.reflect()), method));
                }
            }
        }
        return operations;
    }

    private static Optional<String> verb(Method method) {
        return Stream.of(method.getAnnotations())
                .map(Annotation::annotationType)
                .flatMap(type -> Stream.ofNullable(type.getAnnotation(HttpMethod.class)))
                .map(HttpMethod::value)
                .findFirst();
    }

    private static String path(Method method) {
        String root = method.getDeclaringClass().getAnnotation(Path.class).value();
        String below = Optional.ofNullable(method.getAnnotation(Path.class))
                .map(Path::value)
                .orElse("");
        return withoutPatterns(("/" + root + "/" + below).replaceAll("/+", "/").replaceAll("/$", ""));
    }

    /** Returns {@code /x/{id}} for <code>/x/{id: [0-9]{2}}</code>. */
    private static String withoutPatterns(String path) {
        StringBuilder plain = new StringBuilder();
        int depth = 0;
        boolean inPattern = false;
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
            inPattern = depth > 0 && (inPattern || c == ':');
            if (!inPattern) {
                plain.append(c);
            }
        }
        return plain.toString();
    }

    /** The documented operations, by verb and path. */
    private static Map<String, JsonNode> documented() {
        Map<String, JsonNode> documented = new TreeMap<>();
        DOCUMENT.path("paths").properties().forEach(path -> path.getValue()
                .properties()
                .forEach(operation -> documented.put(
                        operation.getKey().toUpperCase(Locale.ROOT) + " " + path.getKey(), operation.getValue())));
        return documented;
    }

    private static JsonNode resolved(JsonNode node) {
        return node.has("$ref") ? DOCUMENT.at(node.path("$ref").asText().substring(1)) : node;
    }

    private static Set<String> parameters(JsonNode operation, String in) {
        Set<String> names = new TreeSet<>();
        for (JsonNode parameter : operation.path("parameters")) {
            if (resolved(parameter).path("in").asText().equals(in)) {
                names.add(resolved(parameter).path("name").asText());
            }
        }
        return names;
    }

    private static void walk(String at, JsonNode node, BiConsumer<String, JsonNode> visitor) {
        visitor.accept(at, node);
        node.properties().forEach(child -> walk(at + "/" + child.getKey(), child.getValue(), visitor));
        for (int i = 0; node.isArray() && i < node.size(); i++) {
            walk(at + "/" + i, node.get(i), visitor);
        }
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    @Test
    void hasTheOperationsOfTheCode() {
        Set<String> onlyInTheCode = new TreeSet<>(OPERATIONS.keySet());
        onlyInTheCode.removeAll(documented().keySet());
        Set<String> onlyInTheDocument = new TreeSet<>(documented().keySet());
        onlyInTheDocument.removeAll(OPERATIONS.keySet());

        assertThat(onlyInTheCode).as("only in the code").isEmpty();
        assertThat(onlyInTheDocument).as("only in the document").isEmpty();
    }

    @Test
    void hasTheParametersOfEachPath() {
        documented().forEach((name, operation) -> assertThat(parameters(operation, "path"))
                .as(name)
                .isEqualTo(TEMPLATE.matcher(name)
                        .results()
                        .map(found -> found.group(1))
                        .collect(Collectors.toSet())));
    }

    @Test
    void hasTheQueryParametersOfTheCode() {
        OPERATIONS.forEach((name, method) -> {
            JsonNode operation = documented().getOrDefault(name, MissingNode.getInstance());
            QueryNames names = method.reflect().getAnnotation(QueryNames.class);
            // Pages read what a browser brings from elsewhere.
            if (!method.getOwner().getPackageName().equals("io.muster.web.page")) {
                assertThat(parameters(operation, "query"))
                        .as(name)
                        .isEqualTo(names == null ? Set.of() : Set.of(names.value()));
            }
        });
    }

    @Test
    void hasTheRightThatTheCodeDemands() {
        OPERATIONS.forEach((name, method) -> {
            Set<String> rights = new TreeSet<>();
            rights(method, rights, new TreeSet<>());
            JsonNode operation = documented().getOrDefault(name, MissingNode.getInstance());
            Set<String> said = new TreeSet<>(texts(operation.path("x-rights-for-more")));
            if (operation.has("x-right")) {
                said.add(operation.path("x-right").asText());
            }

            assertThat(said).as(name).isEqualTo(rights);
        });
    }

    /** Collects the rights that a method names, and those that methods of the same class name that it calls. */
    private static void rights(JavaMethod method, Set<String> rights, Set<String> seen) {
        if (!seen.add(method.getFullName())) {
            return;
        }
        method.getFieldAccesses().stream()
                .filter(access -> access.getTargetOwner().isEquivalentTo(Right.class))
                .forEach(access ->
                        rights.add(Right.valueOf(access.getTarget().getName()).word()));
        method.getMethodCallsFromSelf().stream()
                .filter(call -> call.getTargetOwner().equals(method.getOwner()))
                .flatMap(call -> call.getTarget().resolveMember().stream())
                .forEach(callee -> rights(callee, rights, seen));
    }

    @Test
    void hasTheWordsOfTheCode() {
        JsonNode schemas = DOCUMENT.path("components").path("schemas");

        assertThat(texts(schemas.at("/Problem/properties/type/enum")))
                .containsExactlyElementsOf(
                        Stream.of(ProblemType.values()).map(ProblemType::uri).toList());
        assertThat(texts(schemas.at("/Right/enum")))
                .containsExactlyElementsOf(
                        Stream.of(Right.values()).map(Right::word).toList());
    }

    @Test
    void everyProblemIsUnderItsStatus() {
        Map<String, Integer> statuses =
                Stream.of(ProblemType.values()).collect(Collectors.toMap(ProblemType::uri, ProblemType::status));
        documented().forEach((name, operation) -> operation
                .path("responses")
                .properties()
                .forEach(response -> {
                    JsonNode type = resolved(response.getValue()).at(PROBLEM_TYPE);
                    List<String> types =
                            type.has("const") ? List.of(type.path("const").asText()) : texts(type.path("enum"));
                    // The status of a refusal is configured.
                    if (!types.contains(ProblemType.REGISTRATION_REFUSED.uri())) {
                        assertThat(types).as(name).allMatch(uri -> response.getKey()
                                .equals(String.valueOf(statuses.get(uri))));
                    }
                }));
    }

    /** Names of members are texts, or components of records, in the code. Traffic shows the other direction. */
    @Test
    void everyMemberIsInTheCode() throws IOException {
        Set<String> members = new TreeSet<>();
        walk("", DOCUMENT, (at, node) -> {
            if (at.endsWith("/properties")) {
                node.properties().forEach(member -> members.add(member.getKey()));
            }
        });
        String sources = sources();
        members.removeIf(name -> sources.contains("\"" + name + "\"")
                || Pattern.compile("[ >]" + Pattern.quote(name) + "[,)]")
                        .matcher(sources)
                        .find());
        // Brokers and libraries of OAuth send them, and the registry does not read them.
        members.removeAll(Set.of("ip", "token_type_hint"));

        assertThat(members).isEmpty();
    }

    private static String sources() throws IOException {
        StringBuilder sources = new StringBuilder();
        for (String module : List.of(".", "../registry-core", "../registry-api")) {
            try (Stream<java.nio.file.Path> files = Files.walk(java.nio.file.Path.of(module, "src/main/java"))) {
                for (java.nio.file.Path file :
                        files.filter(Files::isRegularFile).toList()) {
                    sources.append(Files.readString(file)).append('\n');
                }
            }
        }
        return sources.toString();
    }

    @Test
    void everyReferenceLeadsToAComponentAndEveryComponentIsUsed() {
        Set<String> used = new TreeSet<>();
        walk("", DOCUMENT, (at, node) -> {
            if (at.endsWith("/$ref")) {
                used.add(node.asText());
            }
        });
        Set<String> there = new TreeSet<>();
        for (String kind : List.of("parameters", "headers", "responses", "schemas")) {
            DOCUMENT.path("components")
                    .path(kind)
                    .properties()
                    .forEach(component -> there.add("#/components/" + kind + "/" + component.getKey()));
        }

        assertThat(used).containsExactlyElementsOf(there);
    }

    @Test
    void operationsHaveNamesOfTheirOwn() {
        assertThat(documented().values().stream()
                        .map(operation -> operation.path("operationId").asText())
                        .toList())
                .doesNotContain("")
                .doesNotHaveDuplicates();
    }

    @Test
    void isADocumentOfOpenApi31() throws IOException {
        SchemaRegistry registry = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
        try (InputStream in = OpenApiTest.class.getResourceAsStream("/openapi-3.1-schema.json")) {
            assertThat(registry.getSchema(in).validate(DOCUMENT.toString(), InputFormat.JSON))
                    .isEmpty();
        }
    }

    @Test
    void examplesAreRight() {
        SchemaRegistry registry = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
        List<String> seen = new ArrayList<>();
        BiConsumer<JsonNode, String> checker = (schema, example) -> {
            ObjectNode whole = schema.deepCopy();
            whole.set("components", DOCUMENT.path("components"));
            seen.add(example);

            assertThat(registry.getSchema(whole.toString()).validate(example, InputFormat.JSON))
                    .as(example)
                    .isEmpty();
        };
        walk("", DOCUMENT, (at, node) -> {
            if (node.has("schema") && node.has("example")) {
                checker.accept(node.path("schema"), node.path("example").toString());
            }
            if (at.matches("/components/schemas/\\w+")) {
                node.path("examples").forEach(example -> checker.accept(node, example.toString()));
            }
        });

        assertThat(seen).hasSizeGreaterThan(60);
    }

    /** Requests of operators and users refuse other members, and so does the document. */
    @Test
    void bodiesOfOperatorsAndUsersTakeNoOtherMembers() {
        documented().forEach((name, operation) -> {
            JsonNode schema = operation
                    .path("requestBody")
                    .path("content")
                    .path("application/json")
                    .path("schema");
            boolean rows = resolved(schema).path("type").asText().equals("array");
            if ((name.contains(" /api/v1/") || name.contains(" /claims")) && !schema.isMissingNode() && !rows) {
                assertThat(resolved(schema).path("additionalProperties").asBoolean(true)
                                && schema.path("unevaluatedProperties").asBoolean(true))
                        .as(name)
                        .isFalse();
            }
        });
    }
}
