// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.impl.driver.Driver;
import io.muster.suite.fixture.SharedWorld;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The modules of the console without a browser, with the node that Playwright brings. The test file lists their promises. */
@Tag("extended")
class ConsoleModulesIT {

    private static final Path ROOT = Path.of(System.getProperty("basedir", ""))
            .toAbsolutePath()
            .resolve("../..")
            .normalize();

    @Test
    void modulesKeepTheirPromises() throws IOException, InterruptedException {
        Path directory = SharedWorld.directory("console-modules");
        Path web = ROOT.resolve("registry-web");
        for (String name : List.of("console", "claim")) {
            copy(web.resolve("target/classes").resolve(name), directory.resolve(name));
        }
        copy(web.resolve("src/test/js"), directory);
        Files.copy(ROOT.resolve("docs/operator-rights.csv"), directory.resolve("operator-rights.csv"));
        Files.writeString(directory.resolve("package.json"), "{\"type\":\"module\"}");

        String node = Driver.ensureDriverInstalled(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"), false)
                .createProcessBuilder()
                .command()
                .get(0);
        Process run = new ProcessBuilder(node, "--test", "modules.test.js")
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        String said = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(run.waitFor()).as(said).isZero();
        assertThat(said).containsPattern("pass \\d{2}");
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.copy(file, target);
            }
        }
    }
}
