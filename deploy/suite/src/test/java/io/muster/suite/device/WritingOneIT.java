// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.plugin.PluginJar;
import io.muster.spi.Candidate;
import io.muster.spi.Configurable;
import io.muster.spi.SerialNumber;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

/** The guides show the projects that are built here; {@link PluginIT} tests that their devices are admitted. */
class WritingOneIT {

    @Test
    void guideOfIssuersHasTheExampleAsItIs() throws IOException {
        Path plugins = Path.of(System.getProperty("muster.plugins"));

        assertThat(Files.readString(plugins.resolve("../../docs/issuers.md")))
                .contains("```java\n"
                        + Files.readString(plugins.resolve("example-issuer/src/main/java/com/example/PskIssuer.java"))
                        + "```");
    }

    @Test
    void guideHasEveryFileOfTheExampleAsItIs() throws IOException {
        Path example = Path.of(System.getProperty("muster.plugins"), "example");
        String page = Files.readString(example.resolve("../../../docs/verifiers/writing-one.md"));
        List<Path> files;
        try (Stream<Path> paths = Files.walk(example)) {
            files = paths.filter(Files::isRegularFile)
                    .map(example::relativize)
                    .filter(file -> !file.startsWith("target"))
                    .toList();
        }

        assertThat(files).hasSize(4);
        for (Path file : files) {
            String shown = page.substring(page.indexOf("`" + file + "`\n\n```") + 1);
            String content = shown.substring(shown.indexOf("```"));
            assertThat(content.substring(content.indexOf('\n') + 1, content.indexOf("```\n", 3)))
                    .as(file.toString())
                    .isEqualTo(Files.readString(example.resolve(file)));
        }
    }

    /** The text of the first block of this language after this heading. */
    private static String block(String heading, String language) throws IOException {
        String page =
                Files.readString(Path.of(System.getProperty("muster.plugins"), "../../docs/verifiers/writing-one.md"));
        String from = page.substring(page.indexOf(heading));
        String begin = "```" + language + "\n";
        String content = from.substring(from.indexOf(begin) + begin.length());
        return content.substring(0, content.indexOf("```"));
    }

    @Test
    void verifierWithSettingsOfTheGuideIsAPlugin(@TempDir Path directory) throws Exception {
        Path jar = directory.resolve("acme.jar");
        new PluginJar()
                // The example itself may be on the class path.
                .source(
                        "guide/AcmeVerifier.java",
                        block("## Settings", "java").replace("package com.example;", "package guide;"))
                .service("guide.AcmeVerifier")
                .write(jar);

        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {jar.toUri().toURL()}, getClass().getClassLoader())) {
            SerialVerifier acme = (SerialVerifier)
                    loader.loadClass("guide.AcmeVerifier").getConstructor().newInstance();
            Configurable configurable = (Configurable) acme;
            assertThat(configurable.settingNames()).containsExactly("prefix");
            configurable.configure(Map.of("prefix", "ACME-"));
            assertThat(acme.verify(Candidate.of(new SerialNumber("ACME-1001"), "default", "192.0.2.1")))
                    .isEqualTo(Verdict.genuine());
        }
    }

    @Test
    void snippetForShadeIsAPluginOfMaven() throws Exception {
        String snippet = block("## What a plug-in sees", "xml");

        Document plugin = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(snippet.getBytes(StandardCharsets.UTF_8)));

        assertThat(plugin.getDocumentElement().getTagName()).isEqualTo("plugin");
    }
}
