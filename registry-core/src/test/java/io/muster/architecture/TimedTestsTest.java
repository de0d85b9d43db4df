// SPDX-License-Identifier: Apache-2.0
package io.muster.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Tests of all modules that measure time, by their source. */
class TimedTestsTest {

    private static final Path REPOSITORY = Path.of(System.getProperty("basedir", ""))
            .toAbsolutePath()
            .resolve("..")
            .normalize();

    private static final String TAG = "@Tag(\"timing\")";
    private static final Pattern LIMIT_OF_ITS_OWN =
            Pattern.compile("nanoTime\\(\\) - [^;]{0,200}\\.(?:isLessThan|isBetween)\\((?![^;]*TimeLimit)[^;]*;");

    /** Names and texts of all test sources. */
    private static Map<String, String> sources() throws IOException {
        Map<String, String> sources = new TreeMap<>();
        for (Path tests : testDirectories()) {
            try (Stream<Path> files = Files.walk(tests)) {
                files.filter(file -> file.toString().endsWith(".java"))
                        .forEach(file -> sources.put(REPOSITORY.relativize(file).toString(), text(file)));
            }
        }
        assertThat(sources).hasSizeGreaterThan(200);
        return sources;
    }

    private static List<Path> testDirectories() throws IOException {
        List<Path> directories = new ArrayList<>();
        for (String parent : List.of("", "deploy", "deploy/plugins")) {
            try (Stream<Path> modules = Files.list(REPOSITORY.resolve(parent))) {
                modules.map(module -> module.resolve("src/test/java"))
                        .filter(Files::isDirectory)
                        .forEach(directories::add);
            }
        }
        return directories;
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void testWithALimitOfTimeHasTheTag() throws IOException {
        assertThat(namesOf(text -> text.contains("import io.muster.spi.TimeLimit;") && !text.contains(TAG)))
                .isEmpty();
    }

    @Test
    void elapsedTimeIsComparedWithTimeLimitsAlone() throws IOException {
        assertThat(namesOf(text -> LIMIT_OF_ITS_OWN.matcher(text).find())).isEmpty();
    }

    /** Returns the names of the sources whose text is so, without this one and what tests share. */
    private static List<String> namesOf(Predicate<String> condition) throws IOException {
        return sources().entrySet().stream()
                .filter(source -> !source.getKey().contains("/fixture/")
                        && !source.getKey().endsWith("/TimedTestsTest.java"))
                .filter(source -> condition.test(source.getValue()))
                .map(Map.Entry::getKey)
                .toList();
    }
}
