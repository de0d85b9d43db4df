// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.user;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.PageFiles;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The files of the claim page on every server, as a browser asks for them. */
@Tag("portable")
class ClaimPageFilesIT {

    private final RegistryUnderTest registry = SharedWorld.embedded();

    private Reply file(String path) {
        Reply reply = registry.get(path);
        assertThat(reply.status()).as(path + " " + reply).isEqualTo(200);
        return reply;
    }

    @Test
    void pageAndAllItsFilesAreHereWithTheirTypesAndNothingComesFromElsewhere() {
        PageFiles files = PageFiles.of(registry, "claim");

        assertThat(files.all())
                .contains(
                        "claim/app.js",
                        "claim/claim.css",
                        "claim/colour.css",
                        "claim/icon.svg",
                        "claim/vendor/htm/standalone.module.js",
                        "claim/vendor/qr/decode.js",
                        "claim/vendor/qr/index.js")
                .allMatch(path -> path.startsWith("claim/"));
        // The page preloads each module that it needs at once, so that a phone does not find them one after the other.
        assertThat(files.linked())
                .containsAll(files.all().stream()
                        .filter(path -> path.endsWith(".js") && !path.contains("/vendor/qr/"))
                        .toList());
    }

    @Test
    void pageMayDoOnlyWhatItNeeds() {
        Reply page = file("claim");

        assertThat(page.type()).isEqualTo("text/html");
        assertThat(page.header("Content-Security-Policy").orElseThrow().split("; "))
                .containsExactlyInAnyOrder(
                        "default-src 'none'",
                        "script-src 'self'",
                        "style-src 'self'",
                        "img-src 'self'",
                        "connect-src 'self'",
                        "base-uri 'none'",
                        "form-action 'self'",
                        "frame-ancestors 'none'",
                        "require-trusted-types-for 'script'",
                        "trusted-types 'none'");
        assertThat(page.header("Permissions-Policy").orElseThrow()).contains("camera=(self)", "microphone=()");
        assertThat(page.header("Referrer-Policy")).contains("same-origin");
        assertThat(page.header("Cross-Origin-Opener-Policy")).contains("same-origin");
        assertThat(file("claim/icon.svg").header("Content-Security-Policy").orElseThrow())
                .contains("default-src 'none'", "sandbox");
        assertThat(page.text())
                .doesNotContain("{{", "<style", "style=", "onclick")
                .doesNotContainPattern("<script>");
    }

    @Test
    void browserAsksEachTimeAndGetsAFileOnlyIfItChanged() {
        for (String path : List.of("claim", "claim/app.js", "claim/colour.css", "claim/texts/de.json")) {
            Reply first = file(path);
            String tag = first.header("ETag").orElseThrow();
            Reply again = registry.get(path, "If-None-Match", tag);

            assertThat(tag).as(path).matches("\"[A-Za-z0-9_-]{16}\"");
            assertThat(first.header("Cache-Control")).as(path).contains("no-cache");
            assertThat(again.status()).as(path).isEqualTo(304);
            assertThat(again.body()).as(path).isEmpty();
            assertThat(registry.get(path, "If-None-Match", "\"other\"").status())
                    .isEqualTo(200);
        }
    }

    @Test
    void whatIsNoFileOfThePageIsNotThere() {
        for (String path : List.of(
                "claim/",
                "claim/index.html",
                "claim/app.JS",
                "claim/vendor",
                "claim/vendor/qr",
                "claim/vendor/README.md",
                "claim/nothing.js",
                "claim/.js",
                "claim/../META-INF/beans.xml",
                "claim/%2e%2e/%2e%2e/web.xml",
                "claim/..%2fweb.xml",
                "claim/texts/fr.json",
                "claim/logo",
                "claim/sign-in/nobody")) {
            Reply reply = registry.get(path);

            assertThat(reply.status()).as(path + " " + reply).isIn(301, 400, 404);
        }
    }

    @Test
    void addressWithASlashLeadsToThePage() {
        Reply reply = registry.get("claim/");

        assertThat(reply.status()).isEqualTo(301);
        assertThat(reply.header("Location").orElseThrow()).endsWith("/claim");
    }

    /** The names in braces, for which the page writes something else. */
    private static Set<String> places(String text) {
        return Pattern.compile("\\{\\w+}")
                .matcher(text)
                .results()
                .map(MatchResult::group)
                .collect(Collectors.toSet());
    }

    @Test
    void textsOfEveryLanguageSayTheSame() {
        JsonNode settings = file("claim/page.json").json();
        List<String> languages = new ArrayList<>();
        settings.path("languages").forEach(language -> languages.add(language.asText()));
        JsonNode english = file("claim/texts/en.json").json();

        assertThat(languages).containsExactly("de", "en");
        for (String language : languages) {
            JsonNode texts = file("claim/texts/" + language + ".json").json();
            assertThat(names(texts)).as(language).isEqualTo(names(english));
            for (String name : names(english)) {
                assertThat(places(texts.path(name).asText()))
                        .as(language + " " + name)
                        .isEqualTo(places(english.path(name).asText()));
            }
        }
        assertThat(settings.has("user")).isFalse();
        assertThat(file("claim/page.json").header("Cache-Control")).contains("no-store");
    }

    private static List<String> names(JsonNode texts) {
        List<String> names = new ArrayList<>();
        texts.fieldNames().forEachRemaining(names::add);
        return names;
    }

    @Test
    void signInThatNobodyBeganEndsAtThePageWithAReasonAndNowhereElse() {
        for (String query : List.of(
                "",
                "?code=a&state=b",
                "?error=access_denied",
                "?state=%80",
                "?code=a&code=b&state=c",
                "?code=a&state=b&redirect_uri=https://evil.example")) {
            Reply reply = registry.get("claim/signed-in" + query);

            assertThat(reply.status()).as(query + " " + reply).isEqualTo(303);
            assertThat(reply.header("Location").orElseThrow()).as(query).endsWith("/claim#!expired");
            assertThat(reply.header("Set-Cookie").orElseThrow())
                    .startsWith("__Host-muster-sign-in=;")
                    .contains("Max-Age=0");
            // Open Liberty adds a word of its own beside a cookie.
            assertThat(reply.header("Cache-Control").orElseThrow()).startsWith("no-store");
        }
    }

    @Test
    void onlyAPageOfTheRegistrySignsOut() {
        for (String[] headers : List.of(
                new String[0],
                new String[] {"Origin", "https://evil.example"},
                new String[] {"Origin", "null"},
                new String[] {"Sec-Fetch-Site", "cross-site"},
                new String[] {"Sec-Fetch-Site", "same-site"})) {
            Reply reply = registry.send("DELETE", "claim/session", null, headers);

            assertThat(reply.status())
                    .as(String.join(" ", headers) + " " + reply)
                    .isEqualTo(403);
        }
        Reply own = registry.send("DELETE", "claim/session", null, "Sec-Fetch-Site", "same-origin");
        assertThat(own.status()).as(own.toString()).isEqualTo(204);
        assertThat(own.header("Set-Cookie").orElseThrow())
                .startsWith("__Host-muster-user=;")
                .contains("Max-Age=0", "Secure", "HttpOnly", "Path=/", "SameSite=Lax");
    }
}
