// SPDX-License-Identifier: Apache-2.0
package io.muster.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import com.marcnuri.helm.TemplateCommand;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The chart, rendered by Helm itself and read by the types of the Kubernetes API. */
class ChartTest {

    private static final Path CHART = Repository.file("deploy/helm/muster");
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

    /** Refuses what a type of the Kubernetes API does not have; the types themselves collect it. */
    private static final ObjectMapper STRICT = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .setAnnotationIntrospector(new JacksonAnnotationIntrospector() {
                private static final long serialVersionUID = 1;

                @Override
                public Boolean hasAnySetter(Annotated member) {
                    return false;
                }
            });

    private static final Map<String, Class<?>> KINDS = Map.of(
            "v1/ConfigMap", ConfigMap.class,
            "v1/Service", Service.class,
            "apps/v1/Deployment", Deployment.class,
            "networking.k8s.io/v1/Ingress", Ingress.class,
            "networking.k8s.io/v1/NetworkPolicy", NetworkPolicy.class,
            "policy/v1/PodDisruptionBudget", PodDisruptionBudget.class);

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"values.yaml", "everything-values.yaml"})
    void helmFindsNothingToSay(String values) throws IOException {
        Path chart = copyWith(values);
        LintResult result = new Helm(chart).lint().strict().call();
        assertThat(result.getMessages())
                .filteredOn(message -> !message.contains("icon is recommended"))
                .isEmpty();
        assertThat(result.isFailed()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"values.yaml", "everything-values.yaml"})
    void kubernetesKnowsEveryFieldThatIsRendered(String values) throws IOException {
        for (JsonNode object : rendered(values).values()) {
            String kind = object.path("apiVersion").asText() + "/"
                    + object.path("kind").asText();
            assertThat(KINDS).containsKey(kind);
            assertThat(STRICT.treeToValue(object, KINDS.get(kind))).isNotNull();
        }
    }

    @Test
    void theLeastThatIsSetMakesEverythingButAnIngress() throws IOException {
        assertThat(rendered("values.yaml").keySet())
                .containsExactly("ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service");
        assertThat(rendered("everything-values.yaml").keySet()).contains("Ingress");
    }

    @Test
    void twoReplicasAreUpdatedWithoutAGap() throws IOException {
        JsonNode spec = rendered("values.yaml").get("Deployment").path("spec");
        assertThat(spec.path("replicas").asInt()).isEqualTo(2);
        assertThat(spec.at("/strategy/rollingUpdate/maxUnavailable").asText()).isEqualTo("0");
        JsonNode budget = rendered("values.yaml").get("PodDisruptionBudget").path("spec");
        assertThat(budget.path("minAvailable").asInt()).isEqualTo(1);
        assertThat(budget.at("/selector/matchLabels")).isEqualTo(spec.at("/selector/matchLabels"));
    }

    @Test
    void podsFitThePodSecurityStandardRestricted() throws IOException {
        JsonNode pod = rendered("everything-values.yaml").get("Deployment").at("/spec/template/spec");
        assertThat(pod.at("/securityContext/runAsNonRoot").asBoolean()).isTrue();
        assertThat(pod.at("/securityContext/runAsUser").asInt()).isPositive();
        assertThat(pod.at("/securityContext/seccompProfile/type").asText()).isEqualTo("RuntimeDefault");
        assertThat(pod.path("automountServiceAccountToken").asBoolean(true)).isFalse();
        JsonNode container = pod.at("/containers/0/securityContext");
        assertThat(container.path("allowPrivilegeEscalation").asBoolean(true)).isFalse();
        assertThat(container.path("readOnlyRootFilesystem").asBoolean()).isTrue();
        assertThat(container.at("/capabilities/drop/0").asText()).isEqualTo("ALL");
        assertThat(container.at("/capabilities/add").isMissingNode()).isTrue();
        assertThat(pod.at("/volumes").findValuesAsText("hostPath")).isEmpty();
        assertThat(pod.path("hostNetwork").asBoolean()).isFalse();
    }

    @Test
    void thePodRunsAsTheUserOfTheImage() throws IOException {
        JsonNode security = rendered("values.yaml").get("Deployment").at("/spec/template/spec/securityContext");
        assertThat(Files.readString(Repository.file("deploy/container/Containerfile")))
                .contains("USER " + security.path("runAsUser").asInt() + ":"
                        + security.path("runAsGroup").asInt());
    }

    @Test
    void probesAskTheRegistryItself() throws IOException {
        JsonNode container = rendered("values.yaml").get("Deployment").at("/spec/template/spec/containers/0");
        assertThat(container.at("/startupProbe/httpGet/path").asText()).isEqualTo("/health/live");
        assertThat(container.at("/livenessProbe/httpGet/path").asText()).isEqualTo("/health/live");
        assertThat(container.at("/readinessProbe/httpGet/path").asText()).isEqualTo("/health/ready");
        long start = container.at("/startupProbe/periodSeconds").asLong()
                * container.at("/startupProbe/failureThreshold").asLong();
        assertThat(start).isEqualTo(60 * 60);
    }

    @Test
    void secretsAreMountedAndNeverRendered() throws IOException {
        Map<String, JsonNode> objects = rendered("everything-values.yaml");
        assertThat(objects).doesNotContainKey("Secret");
        JsonNode pod = objects.get("Deployment").at("/spec/template/spec");
        Map<String, String> mounted = new TreeMap<>();
        for (JsonNode mount : pod.at("/containers/0/volumeMounts")) {
            for (JsonNode volume : pod.path("volumes")) {
                if (volume.path("name").equals(mount.path("name")) && volume.has("secret")) {
                    assertThat(volume.at("/secret/defaultMode").asInt()).isEqualTo(0440);
                    mounted.put(
                            mount.path("mountPath").asText(),
                            volume.at("/secret/secretName").asText());
                }
            }
        }
        assertThat(mounted)
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "/etc/muster/database", "muster-database",
                        "/etc/muster/master-key", "muster-master-key",
                        "/etc/muster/secrets/emqx", "emqx"));
        Properties properties = properties(objects);
        assertThat(properties.getProperty("muster.database.password-file"))
                .isEqualTo("/etc/muster/database/" + item(pod, "muster-database", "secret"));
        assertThat(properties.getProperty("muster.master-key-file"))
                .isEqualTo("/etc/muster/master-key/" + item(pod, "muster-master-key", "key"));
    }

    @Test
    void everyLineOfTheConfigurationIsAKeyOfMuster() throws IOException {
        String known = Files.readString(Repository.file("docs/configuration.md"));
        Properties properties = properties(rendered("everything-values.yaml"));
        assertThat(properties).containsEntry("muster.issuer", "https://devices.example.com");
        assertThat(properties).containsEntry("muster.mqtt.broker.emqx.kind", "emqx");
        for (String key : properties.stringPropertyNames()) {
            assertThat(known).contains("`" + key.replace("broker.emqx.", "broker.<broker>.") + "`");
        }
    }

    @Test
    void theImageIsThatOfTheVersionUnlessADigestSaysOtherwise() throws IOException {
        String path = "/spec/template/spec/containers/0/image";
        assertThat(rendered("values.yaml").get("Deployment").at(path).asText()).isEqualTo("muster:" + appVersion());
        assertThat(rendered("everything-values.yaml").get("Deployment").at(path).asText())
                .startsWith("images/muster@sha256:0123");
    }

    @Test
    void theChartIsOfTheVersionThatIsBuilt() throws IOException {
        assertThat(appVersion()).isEqualTo(System.getProperty("muster.version").replace("-SNAPSHOT", ""));
    }

    @Test
    void nobodyButTheListedPeersConnects() throws IOException {
        JsonNode policy =
                rendered("everything-values.yaml").get("NetworkPolicy").path("spec");
        assertThat(policy.at("/ingress")).hasSize(1);
        assertThat(policy.at("/ingress/0/from/0/namespaceSelector/matchLabels/kubernetes.io~1metadata.name")
                        .asText())
                .isEqualTo("ingress");
        assertThat(policy.path("egress").findValuesAsText("port")).containsExactly("53", "53", "3307", "8081");
        String none = template("values.yaml").set("networkPolicy.from", "null").call();
        assertThat(objects(none).get("NetworkPolicy").at("/spec/ingress")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "issuer | ftp://devices.example.com",
                "replicas | 0",
                "replica | 3",
                "image.digest | sha256:12",
                "database.url | jdbc:h2:mem:x",
                "database.password | x",
                "masterKey.existingSecret | ''",
                "trustedProxies | 'a\nmuster.issuer=x'",
                "ingress.enabled | true",
                "ingress.host | -"
            })
    void aValueThatDoesNotFitIsRefused(String name, String value) {
        TemplateCommand command = template("values.yaml").set(name, value);
        if (name.equals("ingress.host")) {
            command.set("ingress.enabled", "true");
        }
        assertThatThrownBy(command::call).hasMessageContaining("schema");
    }

    @Test
    void nothingIsRenderedBeforeTheSecretsAreNamed() {
        assertThatThrownBy(new Helm(CHART).template().withKubeVersion("1.25.0")::call)
                .hasMessageContaining("issuer")
                .hasMessageContaining("existingSecret");
    }

    private TemplateCommand template(String values) {
        return new Helm(CHART)
                .template()
                .withKubeVersion("1.25.0")
                .withName("muster")
                .withNamespace("devices")
                .withValuesFile(CHART.resolve("ci").resolve(values));
    }

    /** The objects by their kinds; there is one of each. */
    private Map<String, JsonNode> rendered(String values) throws IOException {
        return objects(template(values).call());
    }

    private static Map<String, JsonNode> objects(String text) throws IOException {
        Map<String, JsonNode> objects = new TreeMap<>();
        List<JsonNode> all = new ArrayList<>(
                YAML.readerFor(JsonNode.class).<JsonNode>readValues(text).readAll());
        all.removeIf(object -> !object.isObject());
        for (JsonNode object : all) {
            assertThat(objects.put(object.path("kind").asText(), object)).isNull();
        }
        return objects;
    }

    private static Properties properties(Map<String, JsonNode> objects) throws IOException {
        Properties properties = new Properties();
        properties.load(new StringReader(
                objects.get("ConfigMap").at("/data/muster.properties").asText()));
        return properties;
    }

    /** The file that a key of a secret becomes. */
    private static String item(JsonNode pod, String secret, String key) {
        for (JsonNode volume : pod.path("volumes")) {
            JsonNode item = volume.at("/secret/items/0");
            if (volume.at("/secret/secretName").asText().equals(secret)
                    && item.path("key").asText().equals(key)) {
                return item.path("path").asText();
            }
        }
        throw new AssertionError("no key " + key + " of " + secret);
    }

    private static String appVersion() throws IOException {
        return YAML.readTree(CHART.resolve("Chart.yaml").toFile())
                .path("appVersion")
                .asText();
    }

    /** A copy of the chart whose defaults are these values, because Helm takes none for what it checks. */
    private Path copyWith(String values) throws IOException {
        Path chart = directory.resolve("muster");
        try (Stream<Path> files = Files.walk(CHART)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Path copy = chart.resolve(CHART.relativize(file));
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(file, copy);
                }
            }
        }
        JsonNode defaults = YAML.readTree(CHART.resolve("values.yaml").toFile());
        JsonNode merged = YAML.readerForUpdating(defaults)
                .readValue(CHART.resolve("ci").resolve(values).toFile());
        YAML.writeValue(chart.resolve("values.yaml").toFile(), merged);
        return chart;
    }
}
