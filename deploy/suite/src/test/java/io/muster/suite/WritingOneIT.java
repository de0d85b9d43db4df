package io.muster.suite;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The guide shows the project that is built here, whole; that its device is admitted is tested by {@link PluginIT}. */
class WritingOneIT {

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
