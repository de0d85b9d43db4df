// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.config.ConfigurationException;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.Configurable;
import io.muster.spi.RegistrationRefused;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Plug-ins are compiled here as their authors compile them, and dropped into a directory. */
class PluginsTest {

    private static final Candidate CANDIDATE = Candidates.withSerial("SN-0001");
    private static final String GENUINE = "public Verdict verify(Candidate candidate) { return Verdict.genuine(); }";

    private final List<String> faults = new ArrayList<>();

    @TempDir
    Path directory;

    private PluginJar plugin() {
        return new PluginJar();
    }

    private Plugins load() {
        return Plugins.load(Optional.of(directory), faults::add);
    }

    /** Returns the answer of a verifier whose method has this body, as the reason of a refusal. */
    private String answer(PluginJar plugin, String body) {
        plugin.verifier("acme", "public Verdict verify(Candidate candidate) { " + body + " }")
                .write(directory.resolve("acme.jar"));
        try (Plugins plugins = load()) {
            assertThat(faults).isEmpty();
            return ((Verdict.Refused) plugins.verifiers().byName().get("acme").verify(CANDIDATE)).reason();
        }
    }

    private void assertFault(PluginJar plugin, String... parts) {
        plugin.write(directory.resolve("acme.jar"));
        try (Plugins plugins = load()) {
            assertThat(plugins.verifiers().byName()).isEmpty();
        }
        assertThat(faults).hasSize(1);
        assertThat(faults.get(0)).startsWith("plug-in acme.jar: ").contains(parts);
    }

    @Test
    void verifierOfEachJarAnswersUnderItsName() {
        plugin().verifier("acme", GENUINE).write(directory.resolve("acme.jar"));
        plugin().verifier("other", "public Verdict verify(Candidate candidate) { return Verdict.unknown(); }")
                .write(directory.resolve("other.jar"));

        try (Plugins plugins = load()) {
            assertThat(faults).isEmpty();
            assertThat(plugins.verifiers().byName()).containsOnlyKeys("acme", "other");
            assertThat(plugins.verifiers().byName().get("acme").verify(CANDIDATE))
                    .isEqualTo(Verdict.genuine());
            assertThat(plugins.verifiers().byName().get("other").verify(CANDIDATE))
                    .isEqualTo(Verdict.unknown());
            assertThat(plugins.verifiers().jar("acme")).contains("acme.jar");
        }
    }

    @Test
    void noDirectoryIsNoPlugins() {
        assertThat(Plugins.load(Optional.empty(), faults::add).verifiers().byName())
                .isEmpty();
        assertThat(faults).isEmpty();
    }

    @Test
    void whatIsNoJarIsLeftAlone() throws IOException {
        Files.writeString(directory.resolve("README"), "jars go here");

        assertThat(load().verifiers().byName()).isEmpty();
        assertThat(faults).isEmpty();
    }

    // the classes that a plug-in sees

    @Test
    void pluginSeesNoLibraryOfTheRegistryAndNoneOfTheServer() {
        String names = "com.fasterxml.jackson.databind.ObjectMapper org.slf4j.Logger io.muster.config.Settings"
                + " org.junit.jupiter.api.Test io.muster.plugin.Plugins";
        assertThat(names.split(" "))
                .allSatisfy(name -> assertThat(Class.forName(name)).isNotNull());

        String seen = answer(
                plugin(),
                """
                StringBuilder seen = new StringBuilder();
                for (String name : "%s io.muster.spi.DeviceId io.muster.api.Problem java.sql.Driver".split(" ")) {
                    try {
                        seen.append(Class.forName(name).getSimpleName()).append(' ');
                    } catch (ClassNotFoundException e) {
                        continue;
                    }
                }
                return Verdict.refused(seen.toString());
                """
                        .formatted(names));

        assertThat(seen).isEqualTo("DeviceId Problem Driver ");
    }

    @Test
    void resourcesOfTheRegistryDoNotLeakIn() {
        String service = "META-INF/services/java.sql.Driver";
        assertThat(getClass().getClassLoader().getResource(service)).isNotNull();

        String seen = answer(
                plugin().file("acme/own.txt", "own"),
                """
                ClassLoader loader = Acme.class.getClassLoader();
                return Verdict.refused(loader.getResource("%s") + " " + loader.getResource("db/migration/V1__registry.sql")
                        + " " + (loader.getResource("acme/own.txt") != null)
                        + " " + loader.getResource("META-INF/services/org.slf4j.spi.SLF4JServiceProvider"));
                """
                        .formatted(service));

        assertThat(seen).isEqualTo("null null true null");
    }

    @Test
    void librariesOfThePluginFindTheirPartsByTheThread() {
        PluginJar plugin = plugin().source("lib/Part.java", "package lib; public interface Part { String name(); }")
                .source(
                        "lib/OwnPart.java",
                        "package lib; public class OwnPart implements Part { public String name() { return \"own\"; } }")
                .file("META-INF/services/lib.Part", "lib.OwnPart");

        assertThat(answer(
                        plugin, "return Verdict.refused(ServiceLoader.load(lib.Part.class).findFirst().get().name());"))
                .isEqualTo("own");
    }

    @Test
    void threadIsGivenBackAsItWas() {
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        plugin().verifier(
                        "acme",
                        "SerialVerifier, Configurable",
                        """
                        private static boolean own() {
                            return Thread.currentThread().getContextClassLoader() == Acme.class.getClassLoader();
                        }
                        private final boolean made = own();
                        public void configure(Map<String, String> settings) { if (!own()) throw new IllegalStateException(); }
                        public Set<String> settingNames() { if (!own()) throw new IllegalStateException(); return Set.of(); }
                        public Verdict verify(Candidate candidate) {
                            if (candidate.serial().value().equals("THROW")) throw new IllegalStateException();
                            return Verdict.refused(made + " " + own());
                        }
                        """)
                .write(directory.resolve("acme.jar"));

        try (Plugins plugins = load()) {
            SerialVerifier verifier = plugins.verifiers().byName().get("acme");
            Configurable configurable = (Configurable) verifier;
            assertThat(configurable.settingNames()).isEmpty();
            configurable.configure(Map.of());

            assertThat(verifier.verify(CANDIDATE)).isEqualTo(Verdict.refused("true true"));
            assertThatThrownBy(() -> verifier.verify(Candidates.withSerial("THROW")))
                    .isInstanceOf(IllegalStateException.class);
        }
        assertThat(Thread.currentThread().getContextClassLoader()).isSameAs(before);
    }

    @Test
    void twoPluginsBringTheSameLibraryInTwoVersions() {
        for (String version : List.of("one", "two")) {
            plugin().source(
                            "lib/Version.java",
                            "package lib; public class Version { public static String is() { return \"" + version
                                    + "\"; } }")
                    .verifier(
                            version,
                            "public Verdict verify(Candidate candidate) { return Verdict.refused(lib.Version.is()); }")
                    .write(directory.resolve(version + ".jar"));
        }

        try (Plugins plugins = load()) {
            assertThat(plugins.verifiers().byName().get("one").verify(CANDIDATE))
                    .isEqualTo(Verdict.refused("one"));
            assertThat(plugins.verifiers().byName().get("two").verify(CANDIDATE))
                    .isEqualTo(Verdict.refused("two"));
        }
    }

    @Test
    void copyOfTheSpiInTheJarIsIgnored() {
        plugin().source(
                        "io/muster/spi/SerialVerifier.java",
                        "package io.muster.spi; public interface SerialVerifier { Verdict verify(Candidate candidate); }")
                .verifier("acme", GENUINE)
                .write(directory.resolve("acme.jar"));

        try (Plugins plugins = load()) {
            assertThat(faults).isEmpty();
            assertThat(plugins.verifiers().byName().get("acme").verify(CANDIDATE))
                    .isEqualTo(Verdict.genuine());
        }
    }

    // the faults of a jar

    @Test
    void directoryThatIsNotThereIsNamed() {
        Plugins.load(Optional.of(directory.resolve("nowhere")), faults::add);

        assertThat(faults).hasSize(1);
        assertThat(faults.get(0)).contains("muster.plugins-dir", "nowhere");
    }

    @Test
    void fileThatIsNoZipIsNamed() throws IOException {
        Files.writeString(directory.resolve("acme.jar"), "not a jar");

        assertThat(load().verifiers().byName()).isEmpty();
        assertThat(faults).hasSize(1);
        assertThat(faults.get(0)).startsWith("plug-in acme.jar: cannot be read as a jar");
    }

    @Test
    void directoryWithTheNameOfAJarIsNamed() throws IOException {
        Files.createDirectory(directory.resolve("acme.jar"));

        assertThat(load().verifiers().byName()).isEmpty();
        assertThat(faults).hasSize(1);
        assertThat(faults.get(0)).startsWith("plug-in acme.jar: cannot be read as a jar");
    }

    @Test
    void jarWithoutServiceFileSaysSo() {
        assertFault(
                plugin().source("acme/Acme.java", "package acme; public class Acme {}"),
                "META-INF/services/io.muster.spi.SerialVerifier");
    }

    @Test
    void emptyServiceFileSaysSo() {
        assertFault(plugin().service("# nobody\n"), "names no class");
    }

    @Test
    void serviceThatIsNotInTheJarIsNamed() {
        assertFault(plugin().service("acme.Missing"), "acme.Missing", "not found");
    }

    @Test
    void classThatIsNoVerifierIsNamed() {
        assertFault(
                plugin().source("acme/Acme.java", "package acme; public class Acme {}")
                        .service("acme.Acme"),
                "acme.Acme",
                "not a subtype");
    }

    @Test
    void classWithoutPublicConstructorIsNamed() {
        assertFault(plugin().verifier("acme", "private Acme() {} " + GENUINE), "acme.Acme", "constructor");
        faults.clear();
        assertFault(plugin().verifier("acme", "public Acme(int size) {} " + GENUINE), "acme.Acme", "constructor");
    }

    @Test
    void constructorThatThrowsIsNamedWithWhatItThrows() {
        assertFault(
                plugin().verifier(
                                "acme",
                                "public Acme() { throw new IllegalStateException(\"no licence\"); } " + GENUINE),
                "acme.Acme",
                "IllegalStateException",
                "no licence");
    }

    @Test
    void classThatNeedsAClassThatIsNotThereSaysWhich() {
        assertFault(
                plugin().source("lib/Base.java", "package lib; public class Base {}")
                        .source(
                                "acme/Acme.java",
                                "package acme; import io.muster.spi.*; @PluginName(\"acme\") public class Acme"
                                        + " extends lib.Base implements SerialVerifier { " + GENUINE + " }")
                        .service("acme.Acme")
                        .without("lib/"),
                "lib.Base",
                "not in the jar");
    }

    @Test
    void classThatIsMissingAtFirstUseIsUnavailable() {
        plugin().source("lib/Client.java", "package lib; public class Client { public static void ask() {} }")
                .verifier(
                        "acme",
                        "public Verdict verify(Candidate candidate) { lib.Client.ask(); return Verdict.genuine(); }")
                .without("lib/")
                .write(directory.resolve("acme.jar"));

        try (Plugins plugins = load()) {
            assertThat(faults).isEmpty();
            for (int question = 0; question < 2; question++) {
                assertThatThrownBy(
                                () -> plugins.verifiers().byName().get("acme").verify(CANDIDATE))
                        .isInstanceOf(VerificationUnavailableException.class)
                        .hasMessageContainingAll("acme.jar", "lib.Client");
            }
        }
    }

    @Test
    void classForANewerJavaSaysSo() {
        assertFault(plugin().verifier("acme", GENUINE).ofClassFileVersion(99), "newer Java", "class file version 99");
    }

    @Test
    void brokenClassFileSaysSo() {
        assertFault(plugin().service("acme.Acme").file("acme/Acme.class", "no class"), "ClassFormatError", "acme/Acme");
    }

    @Test
    void verifierWithoutAnnotationIsNamed() {
        assertFault(
                plugin().source(
                                "acme/Acme.java",
                                "package acme; import io.muster.spi.*; public class Acme implements SerialVerifier { "
                                        + GENUINE + " }")
                        .service("acme.Acme"),
                "acme.Acme",
                "@PluginName");
    }

    @Test
    void nameThatIsNoneIsAFault() {
        for (String name : List.of("", "Acme", "acme.eu", "a".repeat(65), "1acme")) {
            faults.clear();
            assertFault(plugin().verifier(name, GENUINE), "acme.Acme", "lower-case letters");
        }
    }

    @Test
    void nameThatTwoJarsHaveNamesBoth() {
        plugin().verifier("acme", GENUINE).write(directory.resolve("acme-1.0.jar"));
        plugin().verifier("acme", GENUINE).write(directory.resolve("acme-1.1.jar"));

        load();

        assertThat(faults).hasSize(1);
        assertThat(faults.get(0)).startsWith("plug-in acme-1.1.jar: ").contains("acme-1.0.jar");
    }

    @Test
    void verifierOfAnotherSpiIsSeenAtTheStart() {
        assertFault(
                plugin().source(
                                "io/muster/spi/SerialVerifier.java",
                                "package io.muster.spi; public interface SerialVerifier { Verdict verify(String serial); }")
                        .verifier("acme", "public Verdict verify(String serial) { return Verdict.genuine(); }")
                        .without("io/"),
                "acme.Acme",
                "verify",
                "another version");
    }

    @Test
    void typeOfANewerSpiIsSeenAtTheStart() {
        assertFault(
                plugin().source("io/muster/spi/Evidence.java", "package io.muster.spi; public class Evidence {}")
                        .verifier("acme", GENUINE + " public Evidence evidence() { return null; }")
                        .without("io/"),
                "io.muster.spi.Evidence",
                "another version");
    }

    @Test
    void typeOfANewerSpiIsNotTakenFromACopyInTheJar() {
        assertFault(
                plugin().source("io/muster/spi/Evidence.java", "package io.muster.spi; public class Evidence {}")
                        .verifier("acme", GENUINE + " public Evidence evidence() { return null; }"),
                "io.muster.spi.Evidence",
                "another version");
    }

    @Test
    void methodOfANewerSpiIsUnavailableAtFirstUse() {
        plugin().source(
                        "io/muster/spi/SerialNumber.java",
                        "package io.muster.spi; public class SerialNumber { public String folded() { return null; } }")
                .source(
                        "io/muster/spi/Candidate.java",
                        "package io.muster.spi; public class Candidate { public SerialNumber serial() { return null; } }")
                .verifier(
                        "acme",
                        "public Verdict verify(Candidate candidate) { return Verdict.refused(candidate.serial().folded()); }")
                .without("io/")
                .write(directory.resolve("acme.jar"));

        try (Plugins plugins = load()) {
            assertThat(faults).isEmpty();
            assertThatThrownBy(() -> plugins.verifiers().byName().get("acme").verify(CANDIDATE))
                    .isInstanceOf(VerificationUnavailableException.class)
                    .hasMessageContainingAll("acme.jar", "NoSuchMethodError", "folded");
        }
    }

    @Test
    void everyBrokenJarIsAFaultAndTheGoodOneIsStillFound() throws IOException {
        Files.writeString(directory.resolve("a.jar"), "not a jar");
        plugin().service("acme.Missing").write(directory.resolve("b.jar"));
        plugin().verifier("acme", GENUINE).write(directory.resolve("c.jar"));
        plugin().verifier("Acme", GENUINE).write(directory.resolve("d.jar"));

        try (Plugins plugins = load()) {
            assertThat(plugins.verifiers().byName()).containsOnlyKeys("acme");
        }
        assertThat(faults)
                .extracting(fault -> fault.substring(0, 13))
                .containsExactly("plug-in a.jar", "plug-in b.jar", "plug-in d.jar");
    }

    // settings

    @Test
    void verifierWithoutSettingsTakesNone() {
        plugin().verifier("acme", GENUINE).write(directory.resolve("acme.jar"));

        try (Plugins plugins = load()) {
            Configurable configurable =
                    (Configurable) plugins.verifiers().byName().get("acme");
            configurable.configure(Map.of());

            assertThat(configurable.settingNames()).isEqualTo(Set.of());
            assertThat(configurable.secretNames()).isEqualTo(Set.of());
        }
    }

    @Test
    void whatAPluginThrowsAtItsSettingsIsAFaultThatNamesIt() {
        plugin().verifier(
                        "acme",
                        "SerialVerifier, Configurable",
                        "public Set<String> settingNames() { return null; }"
                                + "public void configure(Map<String, String> settings)"
                                + "{ throw new IllegalStateException(settings.get(\"password\")); }" + GENUINE)
                .write(directory.resolve("acme.jar"));

        try (Plugins plugins = load()) {
            Configurable configurable =
                    (Configurable) plugins.verifiers().byName().get("acme");

            assertThatThrownBy(configurable::settingNames)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("acme.jar");
            assertThatThrownBy(() -> configurable.configure(Map.of("password", "sesame")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("acme.jar", "IllegalStateException")
                    .hasMessageNotContaining("sesame");
        }
    }

    // the end

    @Test
    void verifierThatCanBeClosedIsClosedBeforeItsJar() throws IOException {
        Path closed = directory.resolve("closed");
        plugin().source("lib/Late.java", "package lib; public class Late {}")
                .verifier(
                        "acme",
                        "SerialVerifier, AutoCloseable",
                        "public void close() throws Exception { new lib.Late(); java.nio.file.Files.createFile(java.nio.file.Path.of(\""
                                + closed + "\")); }" + GENUINE)
                .write(directory.resolve("acme.jar"));
        plugin().verifier(
                        "other",
                        "SerialVerifier, AutoCloseable",
                        "public void close() { throw new IllegalStateException(); }" + GENUINE)
                .write(directory.resolve("other.jar"));

        load().close();

        assertThat(closed).exists();
    }

    // inside a registry

    private TestRegistry registry(String verifiers) {
        return TestRegistry.fresh()
                .with("muster.plugins-dir", directory.toString())
                .with("muster.fleet.default.verifiers", verifiers);
    }

    @Test
    void registryReadsTheSecretsOfAPlugin() throws IOException {
        plugin().verifier(
                        "acme",
                        "SerialVerifier, Configurable",
                        "private String told;"
                                + "public Set<String> settingNames() { return Set.of(\"url\"); }"
                                + "public Set<String> secretNames() { return Set.of(\"password\"); }"
                                + "public void configure(Map<String, String> settings) { told = new TreeMap<>(settings).toString(); }"
                                + "public Verdict verify(Candidate candidate) { return Verdict.genuine(Map.of(\"told\", told)); }")
                .write(directory.resolve("acme.jar"));
        Path password = Files.writeString(directory.resolve("password"), "sesame\n");
        TestRegistry with = registry("acme")
                .with("muster.verifier.acme.url", "http://acme")
                .with("muster.verifier.acme.password-file", password.toString());

        try (var registry = with.start()) {
            assertThat(registry.registrar().register(CANDIDATE).attributes())
                    .isEqualTo(Map.of("told", "{password=sesame, url=http://acme}"));
        }

        assertThatThrownBy(() -> with.with("muster.verifier.acme.password", "open")
                        .with("muster.verifier.acme.ulr", "http://acme")
                        .start())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContainingAll("muster.verifier.acme.password:", "muster.verifier.acme.ulr: unknown key")
                .hasMessageNotContaining("open");
    }

    @Test
    void onePluginIsSeveralVerifiersWithSettingsOfTheirOwn() {
        plugin().verifier(
                        "acme",
                        "SerialVerifier, Configurable",
                        "private String told;"
                                + "public Set<String> settingNames() { return Set.of(\"site\"); }"
                                + "public void configure(Map<String, String> settings) { told = settings.get(\"site\"); }"
                                + "public Verdict verify(Candidate candidate)"
                                + "{ return Verdict.genuine(Map.of(\"told-\" + told, told)); }")
                .write(directory.resolve("acme.jar"));

        try (var registry = registry("acme, north, south")
                .with("muster.fleet.default.required", "3")
                .with("muster.verifier.acme.site", "0")
                .with("muster.verifier.north.type", "acme")
                .with("muster.verifier.north.site", "1")
                .with("muster.verifier.south.type", "acme")
                .with("muster.verifier.south.site", "2")
                .start()) {
            assertThat(registry.registrar().register(CANDIDATE).attributes())
                    .isEqualTo(Map.of("told-0", "0", "told-1", "1", "told-2", "2"));
        }
    }

    @Test
    void nameOfNoVerifierIsAFaultOfTheKeyThatHasItWithTheNearestName() {
        assertThatThrownBy(() -> TestRegistry.fresh()
                        .with("muster.fleet.default.verifiers", "databse")
                        .with("muster.verifiers", "hmca")
                        .with("muster.verifier.erp.url", "https://erp.example/{serial}")
                        .start())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContainingAll(
                        "muster.fleet.default.verifiers: there is no verifier \"databse\"",
                        "did you mean database?",
                        "muster.verifiers: there is no verifier \"hmca\"",
                        "did you mean hmac?",
                        "muster.verifier.erp.type: there is no verifier \"erp\"")
                .hasMessageNotContaining("muster.verifier.databse");
    }

    @Test
    void everyFaultOfEveryPluginStopsTheStartAtOnce() throws IOException {
        Files.writeString(directory.resolve("a.jar"), "not a jar");
        plugin().verifier("http", GENUINE).write(directory.resolve("b.jar"));
        plugin().verifier("acme", GENUINE).write(directory.resolve("c.jar"));

        assertThatThrownBy(() -> registry("acme, nobody")
                        .with("acme", candidate -> Verdict.genuine())
                        .start())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContainingAll(
                        "plug-in a.jar: cannot be read",
                        "plug-in b.jar: its verifier has the name of the built-in verifier http",
                        "plug-in c.jar: a CDI bean has the name acme too",
                        "there is no verifier \"nobody\"");
    }

    // the harm that an answer may do to the code that looks at it

    private TestRegistry hostile() {
        HostilePlugin.jar().write(directory.resolve("hostile.jar"));
        return registry("hostile")
                .with("muster.verifier.hostile.time-limit", "PT0.5S")
                .with("muster.verifier.hostile.max-concurrent", "100");
    }

    private static ProblemType problem(TestNode registry, String serial) {
        try {
            registry.registrar().register(Candidates.withSerial(serial));
            return null;
        } catch (RegistryException e) {
            return e.type();
        }
    }

    @Test
    @Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void noAnswerOfAPluginRunsOnTheThreadOfARequest() {
        try (TestNode registry = hostile().start()) {
            for (String serial : HostilePlugin.UNAVAILABLE) {
                assertThat(problem(registry, serial)).as(serial).isEqualTo(ProblemType.VERIFICATION_UNAVAILABLE);
            }
            assertThat(problem(registry, "SN-0001")).isNull();
        }
    }

    @Test
    void numberOfAPluginsOwnClassIsWhatItsTextSays() {
        try (TestNode registry = hostile().start()) {
            assertThat(registry.registrar()
                            .register(Candidates.withSerial("NUMBER-ODD"))
                            .attributes())
                    .isEqualTo(Map.of("a", new BigDecimal("12.50")));
        }
    }

    @Test
    void reasonOfARefusalIsCut() {
        TestRegistry test = hostile();
        try (TestNode registry = test.start()) {
            assertThat(problem(registry, "REASON-LONG")).isEqualTo(ProblemType.REGISTRATION_REFUSED);
            assertThat(test.events())
                    .singleElement()
                    .isInstanceOfSatisfying(RegistrationRefused.class, refused -> assertThat(refused.reason())
                            .hasSizeLessThan(1100));
        }
    }

    @Test
    void pluginCannotPutAnythingIntoTheEvidenceForThoseAfterIt() {
        Map<String, Object> inner = new HashMap<>(Map.of("b", new ArrayList<>(List.of("x"))));
        Candidate candidate = Candidates.withEvidence("EVIDENCE", new HashMap<>(Map.of("a", inner)));
        try (TestNode registry = hostile().start()) {
            assertThatThrownBy(() -> registry.registrar().register(candidate))
                    .isInstanceOfSatisfying(RegistryException.class, no -> assertThat(no.type())
                            .isEqualTo(ProblemType.VERIFICATION_UNAVAILABLE));
        }
        assertThat(candidate.evidence()).isEqualTo(Map.of("a", Map.of("b", List.of("x"))));
    }

    // plug-ins that delay the start and the end

    @Test
    void failedInitialiserOfAClassIsNamedWithItsCause() {
        assertFault(
                plugin().source(
                                "lib/Limit.java",
                                "package lib; public class Limit { public static final int MOST = Integer.parseInt(\"many\"); }")
                        .verifier("acme", "private static final int MOST = lib.Limit.MOST; " + GENUINE),
                "acme.Acme",
                "ExceptionInInitializerError",
                "java.lang.NumberFormatException: For input string: \"many\"");
    }

    @Test
    void whateverIsThrownAtTheStartHidesNoOtherJar() {
        String throwing = "throw new Error() { public String getMessage() { throw new Error(\"again\"); }"
                + " public String toString() { return null; }"
                + " public synchronized Throwable getCause() { return this; } };";
        plugin().verifier("constructor", "public Acme() { " + throwing + " } " + GENUINE)
                .write(directory.resolve("a.jar"));
        plugin().verifier(
                        "names",
                        "SerialVerifier, Configurable",
                        "public Set<String> settingNames() { if (true) { " + throwing + " } return null; }"
                                + "public void configure(Map<String, String> settings) {}" + GENUINE)
                .write(directory.resolve("b.jar"));
        plugin().verifier(
                        "settings",
                        "SerialVerifier, Configurable",
                        "public Set<String> settingNames() { return (Set) Set.of(5); }"
                                + "public void configure(Map<String, String> settings) { " + throwing + " }" + GENUINE)
                .write(directory.resolve("c.jar"));
        plugin().verifier(
                        "configure",
                        "SerialVerifier, Configurable",
                        "public Set<String> settingNames() { return Set.of(); }"
                                + "public void configure(Map<String, String> settings) { " + throwing + " }" + GENUINE)
                .write(directory.resolve("d.jar"));

        assertThatThrownBy(() -> registry("names, settings, configure, nobody").start())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContainingAll(
                        "plug-in a.jar: ",
                        "plug-in b.jar failed",
                        "plug-in c.jar: ",
                        "plug-in d.jar failed",
                        "there is no verifier \"nobody\"");
    }

    @Test
    @Timeout(value = 1, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void verifierThatDoesNotCloseKeepsNobody() throws IOException {
        Path closed = directory.resolve("closed");
        plugin().verifier(
                        "acme",
                        "SerialVerifier, AutoCloseable",
                        "public void close() { while (true) { java.util.concurrent.locks.LockSupport.park(); } }"
                                + GENUINE)
                .write(directory.resolve("acme.jar"));
        plugin().verifier(
                        "other",
                        "SerialVerifier, AutoCloseable",
                        "public void close() throws Exception { java.nio.file.Files.createFile(java.nio.file.Path.of(\""
                                + closed + "\")); }" + GENUINE)
                .write(directory.resolve("other.jar"));

        load().close();

        assertThat(closed).exists();
    }
}
