// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.net.URI;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The files of the console on every server, as a browser asks for them. */
@Tag("portable")
class ConsoleFilesIT {

    private static final Pattern LINKED = Pattern.compile("(?:src|href)=\"([^\"#]+)\"");
    private static final Pattern IMPORTED = Pattern.compile("from\\s*'(\\.[^']+)'");

    private final RegistryUnderTest registry = SharedWorld.embedded();

    private Reply file(String path) {
        Reply reply = registry.get(path);
        assertThat(reply.status()).as(path + " " + reply).isEqualTo(200);
        return reply;
    }

    private static List<String> found(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map((MatchResult result) -> result.group(1))
                .toList();
    }

    @Test
    void pageLoadsItsFilesAtOnceAndFromHereAlone() {
        List<String> linked = found(LINKED, file("ui").text());
        Deque<String> next = new ArrayDeque<>(linked);
        Set<String> files = new HashSet<>();
        while (!next.isEmpty()) {
            String path = next.remove();
            if (files.add(path) && path.endsWith(".js")) {
                found(IMPORTED, file(path).text()).stream()
                        .map(imported -> URI.create("/" + path)
                                .resolve(imported)
                                .getPath()
                                .substring(1))
                        .forEach(next::add);
            }
        }

        assertThat(files)
                .contains("ui/app.js", "ui/console.css", "ui/icon.svg", "claim/vendor/htm/standalone.module.js")
                .allMatch(path -> path.startsWith("ui/") || path.startsWith("claim/"));
        assertThat(linked).as("what is preloaded").containsAll(files);
        for (String path : files) {
            String type =
                    path.endsWith(".js") ? "text/javascript" : path.endsWith(".css") ? "text/css" : "image/svg+xml";
            assertThat(file(path).type()).as(path).isEqualTo(type);
            assertThat(file(path).header("X-Content-Type-Options")).as(path).contains("nosniff");
        }
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
