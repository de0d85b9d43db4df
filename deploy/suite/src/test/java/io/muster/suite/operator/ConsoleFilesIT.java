// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.PageFiles;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The files of the console on every server, as a browser asks for them. */
@Tag("portable")
class ConsoleFilesIT {

    private final RegistryUnderTest registry = SharedWorld.embedded();

    private Reply file(String path) {
        Reply reply = registry.get(path);
        assertThat(reply.status()).as(path + " " + reply).isEqualTo(200);
        return reply;
    }

    @Test
    void pageLoadsItsFilesAtOnceAndFromHereAlone() {
        PageFiles files = PageFiles.of(registry, "ui");

        assertThat(files.all())
                .contains("ui/app.js", "ui/console.css", "ui/icon.svg", "claim/vendor/htm/standalone.module.js")
                .allMatch(path -> path.startsWith("ui/") || path.startsWith("claim/"));
        assertThat(files.linked()).as("what is preloaded").containsAll(files.all());
    }

    @Test
    void pageForbidsWhatItDoesNotNeed() {
        Reply page = file("ui");

        assertThat(page.header("Content-Security-Policy").orElseThrow())
                .contains(
                        "default-src 'none'",
                        "script-src 'self';",
                        "frame-ancestors 'none'",
                        "require-trusted-types-for 'script'; trusted-types 'none'")
                .doesNotContain("unsafe", "http", "*");
        assertThat(page.header("Cache-Control")).contains("no-cache");
        assertThat(page.text()).doesNotContain("<style", "style=", "onclick").doesNotContainPattern("<script>");
        assertThat(registry.get("ui", "If-None-Match", page.header("ETag").orElseThrow())
                        .status())
                .isEqualTo(304);
    }

    @Test
    void addressesLeadToTheConsoleAndNothingElseIsThere() {
        assertThat(registry.get("ui/").status()).isEqualTo(301);
        assertThat(registry.get("ui/").header("Location").orElseThrow()).endsWith("/ui");
        for (String path : List.of(
                "ui/index.html", "ui/app.JS", "ui/texts", "ui/texts/fr.json", "ui/..%2fclaim%2fapp.js", "ui/.js")) {
            Reply reply = registry.get(path);
            assertThat(reply.status()).as(path + " " + reply).isIn(400, 404);
        }
    }
}
