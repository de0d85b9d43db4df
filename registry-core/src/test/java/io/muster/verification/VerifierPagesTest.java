// SPDX-License-Identifier: Apache-2.0
package io.muster.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.cdi.Parts;
import io.muster.config.MusterConfig;
import io.muster.config.Sources;
import io.muster.persistence.Database;
import io.muster.plugin.NamedBeans;
import io.muster.plugin.Plugins;
import io.muster.spi.Candidate;
import io.muster.spi.Configurable;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.start.Surroundings;
import io.muster.verification.http.HttpPki;
import io.muster.verification.jwt.Tokens;
import io.muster.verification.policy.Verifiers;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The pages of the verifiers are right: each example of a configuration starts, and each page has a grade. */
class VerifierPagesTest {

    private static final Path PAGES = Path.of("../docs/verifiers");
    private static final Pattern PROPERTIES = Pattern.compile("```properties\n(.*?)```", Pattern.DOTALL);
    private static final Pattern ENVIRONMENT = Pattern.compile("\\b(MUSTER_(?:FLEET|VERIFIER)_[A-Z0-9_]+)=(\\S+)");
    private static final Pattern BLOCK = Pattern.compile("```(?:sh)?\n(.*?)```", Pattern.DOTALL);

    @TempDir
    Path directory;

    private HttpPki authority;

    @BeforeEach
    void makeAnAuthority() throws Exception {
        authority = new HttpPki(directory.resolve("pki")).authority("ca");
    }

    /** An example as it is printed; alternatives that the page separates by "or" are two. */
    record Example(String page, Map<String, String> settings) {

        @Override
        public String toString() {
            return page + " " + settings.keySet();
        }
    }

    private static List<Path> pages() throws IOException {
        try (Stream<Path> files = Files.list(PAGES)) {
            return files.filter(file -> file.toString().endsWith(".md"))
                    .sorted()
                    .toList();
        }
    }

    static List<Example> examples() throws IOException {
        List<Example> examples = new ArrayList<>();
        for (Path page : pages()) {
            String text = Files.readString(page);
            String name = page.getFileName().toString();
            for (Matcher block = PROPERTIES.matcher(text); block.find(); ) {
                Map<String, String> settings = new HashMap<>();
                Properties read = new Properties();
                read.load(new StringReader(block.group(1)));
                read.stringPropertyNames().forEach(key -> settings.put(key, read.getProperty(key)));
                alternatives(settings).forEach(each -> examples.add(new Example(name, each)));
            }
            for (Matcher block = BLOCK.matcher(text); block.find(); ) {
                Map<String, String> settings = new HashMap<>();
                for (Matcher variable = ENVIRONMENT.matcher(block.group(1)); variable.find(); ) {
                    settings.put(variable.group(1), variable.group(2));
                }
                if (!settings.isEmpty() && !name.equals("writing-one.md")) {
                    examples.add(new Example(name, settings));
                }
            }
        }
        return examples;
    }

    private static List<Map<String, String>> alternatives(Map<String, String> settings) {
        if (!settings.containsKey("muster.verifier.jwt.keys-file")
                || !settings.containsKey("muster.verifier.jwt.jwks-url")) {
            return List.of(settings);
        }
        return Stream.of("muster.verifier.jwt.keys-file", "muster.verifier.jwt.jwks-url")
                .map(left -> {
                    Map<String, String> one = new HashMap<>(settings);
                    one.remove(left);
                    return one;
                })
                .toList();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void exampleOfAConfigurationHasNoFault(Example example) throws Exception {
        Properties properties = new Properties();
        Map<String, String> environment = new HashMap<>();
        Map<String, SerialVerifier> supplied = new HashMap<>(Map.of("mongo", new Any(), "redis", new Any()));
        for (Map.Entry<String, String> setting : example.settings().entrySet()) {
            if (setting.getKey().endsWith(".type") && supplied.containsKey(setting.getValue())) {
                // Another verifier of a plug-in's class comes from its jar; here its name stands for it.
                supplied.put(setting.getKey().split("\\.")[2], new Any());
            } else if (setting.getKey().startsWith("MUSTER_")) {
                environment.put(setting.getKey(), placed(setting.getKey(), setting.getValue()));
            } else {
                properties.setProperty(setting.getKey(), placed(setting.getKey(), setting.getValue()));
            }
        }
        properties.setProperty("muster.data-dir", directory.toString());
        Sources sources = Sources.of(properties, environment, Sources.none());
        Parts parts = new Parts();
        parts.surround(new Surroundings(
                sources,
                new NamedBeans(supplied, Map.of()),
                Clock.fixed(TestRegistry.NOW, ZoneOffset.UTC),
                Optional.empty()));

        // Nothing here needs a database.
        Verifiers verifiers = parts.in(TestNode.container().select(Verifiers.class)::get);
        MusterConfig config = parts.made(MusterConfig.class).orElseThrow();
        try (verifiers) {
            assertThatCode(() -> config.settings().check(sources.names())).doesNotThrowAnyException();
            config.fleets().values().forEach(fleet -> fleet.verifiers()
                    .forEach(name -> assertThat(verifiers.fault(name)).isEmpty()));
        }
        parts.ifMade(Plugins.class, Plugins::close);
        assertThat(parts.made(Database.class)).isEmpty();
    }

    /** Puts something of its kind where the example names a file of the operator's. */
    private String placed(String key, String value) throws Exception {
        String setting = key.toLowerCase(Locale.ROOT).replace('_', '-');
        if (setting.endsWith("plugins-dir")) {
            return directory.toString();
        }
        if (!setting.endsWith("-file") && !setting.endsWith(".file")) {
            return value;
        }
        Path file = directory.resolve(Path.of(value).getFileName());
        if (value.endsWith(".pem")) {
            Files.writeString(
                    file,
                    HttpPki.block("CERTIFICATE", authority.certificate("ca").getEncoded()));
        } else if (value.endsWith(".crl")) {
            authority.revocations("ca", file);
        } else if (value.endsWith(".json")) {
            Files.writeString(file, Tokens.jwks());
        } else if (value.endsWith(".txt")) {
            Files.writeString(file, "SN-0001\n");
        } else {
            Files.writeString(file, "0123456789abcdef0123456789abcdef0123456789ab");
        }
        return file.toString();
    }

    /** Stands for a plug-in, whose settings its own tests check. */
    private static final class Any implements SerialVerifier, Configurable {
        @Override
        public Verdict verify(Candidate candidate) {
            return Verdict.unknown();
        }

        @Override
        public Set<String> settingNames() {
            return Set.of(
                    "uri",
                    "user",
                    "database",
                    "collection",
                    "filter",
                    "field",
                    "equals",
                    "blocked-field",
                    "blocked",
                    "name-field",
                    "tags",
                    "attributes",
                    "form",
                    "key");
        }

        @Override
        public Set<String> secretNames() {
            return Set.of("password");
        }

        @Override
        public void configure(Map<String, String> settings) {
            // not this test's
        }
    }

    @Test
    void thereAreExamplesOfMostVerifiers() throws IOException {
        assertThat(examples())
                .extracting(Example::page)
                .contains("block-list.md", "http.md", "jwt.md", "mongo.md", "pattern.md", "redis.md", "x509.md");
    }

    @Test
    void eachPageOfAVerifierSaysWhatItProves() throws IOException {
        for (Path page : pages()) {
            if (page.endsWith("writing-one.md")) {
                continue;
            }
            String text = Files.readString(page);
            assertThat(text)
                    .as(page.toString())
                    .containsPattern(
                            "(?s)What it proves.{1,100}?(\\*identifies\\*|\\*authenticates\\*|neither \\*?identifies)");
        }
    }
}
