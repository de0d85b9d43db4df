package io.muster.suite;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The guides show the projects that are built here; that their devices are admitted is tested by {@link PluginIT}. */
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
}
