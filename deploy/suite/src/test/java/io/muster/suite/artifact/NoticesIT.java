// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.artifact;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;

/** Other people's work that is in a file is named in its META-INF/THIRD-PARTY.txt, and the texts of its licences are there too. */
class NoticesIT {

    private static final Pattern VERSION = Pattern.compile("-\\d[^/]*\\.jar$");

    /** Where the second column of a table begins and ends. */
    private static final int LICENCE = 34;

    private static final int COPYRIGHT = 58;

    private static Path property(String name) {
        return Path.of(System.getProperty(name));
    }

    private static List<String> entries(Path file) throws IOException {
        try (ZipFile zip = new ZipFile(file.toFile())) {
            return zip.stream()
                    .filter(entry -> !entry.isDirectory())
                    .map(ZipEntry::getName)
                    .toList();
        }
    }

    private static String text(Path file, String entry) throws IOException {
        try (ZipFile zip = new ZipFile(file.toFile())) {
            ZipEntry found = zip.getEntry(entry);
            assertThat(found).as(entry + " in " + file).isNotNull();
            try (InputStream in = zip.getInputStream(found)) {
                return new String(in.readAllBytes(), StandardCharsets.UTF_8);
            }
        }
    }

    /** The table of a notice: each name of its first column with the licences of the second. */
    private static Map<String, Set<String>> table(String notice) {
        List<String> lines = notice.lines().toList();
        int begin = 0;
        while (!lines.get(begin).startsWith("----")) {
            begin++;
        }
        Map<String, Set<String>> table = new LinkedHashMap<>();
        String name = null;
        for (String line : lines.subList(begin + 1, lines.size())) {
            if (line.isBlank()) {
                return table;
            }
            if (line.charAt(0) != ' ') {
                name = line.split(" ")[0];
                table.put(name, new LinkedHashSet<>());
            }
            // A long name has its licence in the next line, and a long licence has the line to itself.
            if (line.length() > LICENCE && line.charAt(LICENCE - 1) == ' ') {
                boolean wide = line.length() > COPYRIGHT && line.charAt(COPYRIGHT - 1) != ' ';
                String licences = line.substring(LICENCE, wide ? line.length() : Math.min(line.length(), COPYRIGHT));
                for (String licence : licences.split(", | or ")) {
                    if (!licence.isBlank()) {
                        table.get(name).add(licence.strip());
                    }
                }
            }
        }
        return table;
    }

    private static void carriesLicences(Path file, Map<String, Set<String>> table) throws IOException {
        List<String> entries = entries(file);
        table.forEach((name, licences) -> {
            assertThat(licences).as("licences of " + name).isNotEmpty();
            for (String licence : licences) {
                assertThat(entries)
                        .as(licence + " of " + name)
                        .contains(
                                licence.equals("Apache-2.0")
                                        ? "META-INF/LICENSE"
                                        : "META-INF/licenses/" + licence + ".txt");
            }
        });
        assertThat(text(file, "META-INF/LICENSE")).contains("Apache License");
        assertThat(text(file, "META-INF/NOTICE")).startsWith("Muster\n");
    }

    @Test
    void warNamesEachOfItsLibrariesAndNoOther() throws IOException {
        Path war = property("muster.war");
        Map<String, Set<String>> table = table(text(war, "META-INF/THIRD-PARTY.txt"));

        Set<String> libraries = entries(war).stream()
                .filter(entry -> entry.startsWith("WEB-INF/lib/"))
                .map(entry -> VERSION.matcher(entry.substring("WEB-INF/lib/".length()))
                        .replaceFirst(""))
                .filter(library -> !library.startsWith("registry-"))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(table.keySet()).containsExactlyInAnyOrderElementsOf(libraries);
        carriesLicences(war, table);
    }

    @Test
    void warNamesWhatTheClaimPageHasOfOthers() throws IOException {
        Path war = property("muster.war");
        String directory = "WEB-INF/classes/claim/vendor/";
        String section = text(war, "META-INF/THIRD-PARTY.txt").split("Claim page \\(.*\\)\n", 2)[1];

        Set<String> vendored = entries(war).stream()
                .filter(entry -> entry.startsWith(directory) && !entry.endsWith(".md"))
                .map(entry -> entry.substring(directory.length()).split("/")[0])
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(vendored).isNotEmpty().allSatisfy(name -> assertThat(section).contains("  " + name + ": "));
        assertThat(vendored).allSatisfy(name -> assertThat(entries(war))
                .anyMatch(entry -> entry.startsWith(directory + name + "/LICENSE")));
    }

    @Test
    void musterJarNamesAllThatIsNotMuster() throws IOException {
        Path jar = property("muster.jar");
        Map<String, Set<String>> table = table(text(jar, "META-INF/THIRD-PARTY.txt"));
        List<String> others = entries(jar).stream()
                .filter(entry -> !entry.startsWith("META-INF/") && !entry.startsWith("io/muster/"))
                .toList();

        assertThat(others).allMatch(entry -> table.keySet().stream().anyMatch(entry::startsWith));
        assertThat(table.keySet()).allMatch(name -> others.stream().anyMatch(entry -> entry.startsWith(name)));
        carriesLicences(jar, table);
        assertThat(entries(jar)).contains("META-INF/licenses/AWS-LC.txt");
    }

    /**
     * @param jar whose classes are Muster's and of these packages
     * @param packages with the name that the notice has for each
     */
    private static void names(Path jar, Map<String, String> packages) throws IOException {
        String notice = text(jar, "META-INF/THIRD-PARTY.txt");
        List<String> classes = entries(jar).stream()
                .filter(entry -> entry.endsWith(".class"))
                .map(entry -> entry.replaceFirst("^META-INF/versions/\\d+/", ""))
                .filter(entry -> !entry.startsWith("io/muster/"))
                .toList();

        assertThat(classes).as(jar.toString()).allMatch(entry -> packages.keySet().stream()
                .anyMatch(entry::startsWith));
        assertThat(packages.keySet()).as(jar.toString()).allMatch(name -> classes.stream()
                .anyMatch(entry -> entry.startsWith(name)));
        assertThat(notice).contains(packages.values());
        // The files that the notice refers to.
        assertThat(entries(jar))
                .containsAll(Pattern.compile("META-INF/[\\w-]+")
                        .matcher(notice)
                        .results()
                        .map(MatchResult::group)
                        .toList())
                .contains("META-INF/LICENSE");
        assertThat(text(jar, "META-INF/NOTICE")).startsWith("Muster\n");
    }

    @Test
    void commandsNameWhatTheyCarry() throws IOException {
        for (String jar : List.of("muster-device.jar", "muster-command.jar")) {
            names(property(jar), Map.of("com/fasterxml/jackson/core/", "Jackson", "picocli/", "picocli"));
        }
    }

    @Test
    void pluginsNameWhatTheyCarry() throws IOException {
        Path plugins = property("muster.plugins");

        names(
                plugins.resolve("redis/target/muster-redis.jar"),
                Map.of(
                        "com/google/gson/",
                        "Gson",
                        "org/apache/commons/pool2/",
                        "Apache Commons Pool",
                        "org/json/",
                        "JSON-java",
                        "org/slf4j/",
                        "slf4j-api, slf4j-jdk14",
                        "redis/clients/authentication/",
                        "redis-authx-core",
                        "redis/clients/jedis/",
                        "Jedis"));
        names(
                plugins.resolve("mongo/target/muster-mongo.jar"),
                Map.of("com/mongodb/", "mongodb-driver-sync", "org/bson/", "bson-record-codec"));
        names(
                plugins.resolve("hivemq-extension/target/muster-hivemq-extension.jar"),
                Map.of("com/fasterxml/jackson/", "Jackson"));
    }

    /** Its version comes from the build. */
    @Test
    void extensionOfHiveMqKnowsItsVersion() throws IOException {
        Path zip = property("muster.plugins").resolve("hivemq-extension/target/muster-hivemq-extension.zip");

        assertThat(text(zip, "muster/hivemq-extension.xml"))
                .containsPattern("<version>\\d+\\.\\d+\\.\\d+[^<$]*</version>");
    }
}
