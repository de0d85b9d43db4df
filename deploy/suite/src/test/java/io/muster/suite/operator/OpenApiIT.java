// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The document and its page, on every server in the place of what the server has there itself. */
class OpenApiIT {

    private final RegistryUnderTest registry = SharedWorld.embedded();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "*/*                                           | application/yaml",
                "application/yaml                              | application/yaml",
                "application/vnd.oai.openapi                   | application/vnd.oai.openapi",
                "application/json                              | application/json",
                "application/vnd.oai.openapi+json, */*;q=0.1   | application/vnd.oai.openapi+json",
            })
    void acceptChoosesYamlOrJson(String accept, String type) {
        Reply reply = registry.get("openapi", "Accept", accept);

        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.type()).isEqualTo(type);
        assertThat(reply.header("Vary")).contains("Accept");
        assertThat(reply.text()).contains("openapi").contains("registerInFleet");
    }

    @Test
    void onlyAddressInItIsTheIssuers() {
        JsonNode document = registry.get("openapi/openapi.json").json();
        String issuer = registry.get(".well-known/oauth-authorization-server")
                .json()
                .path("issuer")
                .asText();

        assertThat(document.path("openapi").asText()).startsWith("3.1");
        assertThat(document.path("servers").findValuesAsText("url")).containsExactly(issuer.replaceAll("/+$", ""));
    }

    @Test
    void knownDocumentIsNotSentAgain() {
        Reply first = registry.get("openapi");
        Reply again =
                registry.get("openapi", "If-None-Match", first.header("ETag").orElseThrow());

        assertThat(again.status()).isEqualTo(304);
        assertThat(again.body()).isEmpty();
    }

    @Test
    void otherTypesAreRefused() {
        assertThat(registry.get("openapi", "Accept", "image/png").status()).isEqualTo(406);
        assertThat(registry.get("openapi/index.html").status()).isEqualTo(404);
        assertThat(registry.get("openapi/other.js").status()).isEqualTo(404);
    }

    @Test
    void browserIsLedToThePage() {
        Reply reply = registry.get("openapi", "Accept", "text/html,application/xhtml+xml,*/*;q=0.8");

        assertThat(reply.status()).isEqualTo(303);
        assertThat(reply.header("Location").orElseThrow()).endsWith("/openapi/");
    }

    @Test
    void pageLoadsTheRegistrysOwnFilesAlone() {
        Reply page = registry.get("openapi/");

        assertThat(page.status()).as(page.toString()).isEqualTo(200);
        assertThat(page.type()).isEqualTo("text/html");
        assertThat(page.header("Content-Security-Policy").orElseThrow())
                .contains("default-src 'none'")
                .contains("require-trusted-types-for 'script'")
                .doesNotContain("unsafe");
        assertThat(page.text()).doesNotContain("http:").doesNotContain("https:");
        assertThat(registry.get("openapi/page.js").type()).isEqualTo("text/javascript");
        assertThat(registry.get("openapi/page.css").type()).isEqualTo("text/css");
    }
}
