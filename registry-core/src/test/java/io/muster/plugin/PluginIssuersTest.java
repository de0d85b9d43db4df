// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.Problem;
import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.config.ConfigurationException;
import io.muster.device.DeviceStore;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.Credential;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.Verdict;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Credential issuers of plug-ins, and others such as CDI beans, inside a registry. */
class PluginIssuersTest {

    private static final Candidate CANDIDATE = Candidates.withSerial("SN-0001");
    private static final String KEY = "k".repeat(22);
    private static final String SECRET = "s".repeat(64);
    private static final String ISSUE =
            "public Credential issue(RegisteredDevice device) { return new Credential.Secret(\"" + KEY + "\", \""
                    + SECRET + "\", Map.of(\"serial\", device.serial().value())); }";

    @TempDir
    Path directory;

    private PluginJar acme() {
        return new PluginJar().issuer("acme", "CredentialIssuer", ISSUE);
    }

    private TestRegistry registry() {
        return TestRegistry.fresh()
                .with("yes", candidate -> Verdict.genuine())
                .with("muster.fleet.default.verifiers", "yes")
                .with("muster.plugins-dir", directory.toString());
    }

    private static TestNode issuing(TestRegistry test, String issuer) {
        TestNode registry = test.start();
        registry.fleets()
                .put(
                        "default",
                        ("{\"verifiers\":[\"yes\"],\"issuer\":\"" + issuer + "\"}").getBytes(StandardCharsets.UTF_8),
                        there -> true,
                        "test");
        return registry;
    }

    private static void assertNobodyIsRegistered(TestNode registry) {
        assertThat(devices(registry)).isZero();
    }

    private static int devices(TestNode registry) {
        return registry.devices()
                .list(
                        new DeviceStore.Filter(Set.of("default"), Optional.empty(), Optional.empty(), Optional.empty()),
                        Optional.empty(),
                        10)
                .devices()
                .size();
    }

    private void assertFault(TestRegistry registry, String... parts) {
        assertThatThrownBy(registry::start)
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContainingAll(parts);
    }

    @Test
    void deviceGetsWhatTheIssuerOfItsFleetIssued() {
        acme().write(directory.resolve("acme.jar"));

        try (TestNode registry = issuing(registry(), "acme")) {
            RegistrationReceipt receipt = registry.registrar().register(CANDIDATE);

            assertThat(receipt.key()).isEqualTo(KEY);
            assertThat(receipt.secret()).isEqualTo(SECRET);
            assertThat(receipt.extras()).isEqualTo(Map.of("serial", "SN-0001"));
            assertThat(registry.authenticator().authenticate(KEY, SECRET)).isPresent();
        }
    }

    @Test
    void oneJarHasAVerifierAndAnIssuerOfTheSameName() {
        new PluginJar()
                .verifier(
                        "acme",
                        "SerialVerifier, CredentialIssuer",
                        "public Verdict verify(Candidate candidate) { return Verdict.genuine(); }" + ISSUE)
                .service(CredentialIssuer.class, "acme.Acme")
                .write(directory.resolve("acme.jar"));

        try (TestNode registry = issuing(registry().with("muster.fleet.default.verifiers", "acme"), "acme")) {
            assertThat(registry.registrar().register(CANDIDATE).key()).isEqualTo(KEY);
        }
    }

    @Test
    void registryReadsTheSecretsOfAnIssuer() throws IOException {
        new PluginJar()
                .issuer(
                        "acme",
                        "CredentialIssuer, Configurable",
                        "private Map<String, String> told;"
                                + "public Set<String> settingNames() { return Set.of(\"site\"); }"
                                + "public Set<String> secretNames() { return Set.of(\"password\"); }"
                                + "public void configure(Map<String, String> settings) { told = settings; }"
                                + "public Credential issue(RegisteredDevice device)"
                                + "{ return new Credential.Secret(\"" + KEY + "\", \"" + SECRET + "\", told); }")
                .write(directory.resolve("acme.jar"));
        Path password = Files.writeString(directory.resolve("password"), "sesame\n");
        TestRegistry test = registry()
                .with("muster.issuer.acme.site", "north")
                .with("muster.issuer.acme.password-file", password.toString());

        try (TestNode registry = issuing(test, "acme")) {
            assertThat(registry.registrar().register(CANDIDATE).extras())
                    .isEqualTo(Map.of("site", "north", "password", "sesame"));
        }

        assertFault(test.with("muster.issuer.acme.stie", "north"), "muster.issuer.acme.stie: unknown key");
    }

    @Test
    void issuerThatLacksASettingIsThereForNoFleetAndStopsNobody() {
        new PluginJar()
                .issuer(
                        "acme",
                        "CredentialIssuer, Configurable",
                        "public Set<String> settingNames() { return Set.of(\"site\"); }"
                                + "public void configure(Map<String, String> settings)"
                                + "{ throw new IllegalArgumentException(\"site is required\"); }" + ISSUE)
                .write(directory.resolve("acme.jar"));

        registry().start().close();

        assertThatThrownBy(() -> issuing(registry(), "acme"))
                .isInstanceOfSatisfying(RegistryException.class, no -> assertThat(no.faults())
                        .extracting(Problem.Fault::pointer, Problem.Fault::detail)
                        .containsExactly(tuple(
                                "#/issuer",
                                "the issuer \"acme\" is not configured: muster.issuer.acme.*: site is required")));
    }

    @Test
    void everyFaultOfEveryIssuerStopsTheStartAtOnce() {
        acme().write(directory.resolve("a.jar"));
        acme().write(directory.resolve("b.jar"));
        new PluginJar().issuer("secret", "CredentialIssuer", ISSUE).write(directory.resolve("c.jar"));
        new PluginJar().issuer("bean", "CredentialIssuer", ISSUE).write(directory.resolve("d.jar"));
        new PluginJar()
                .source(
                        "acme/Acme.java",
                        "package acme; import io.muster.spi.*; import java.util.*;"
                                + "public class Acme implements CredentialIssuer { " + ISSUE + " }")
                .service(CredentialIssuer.class, "acme.Acme")
                .write(directory.resolve("e.jar"));
        new PluginJar()
                .source(
                        "io/muster/spi/CredentialIssuer.java",
                        "package io.muster.spi; public interface CredentialIssuer { Credential issue(String serial); }")
                .issuer("old", "CredentialIssuer", "public Credential issue(String serial) { return null; }")
                .without("io/")
                .write(directory.resolve("f.jar"));

        assertFault(
                registry().withIssuer("bean", device -> null),
                "plug-in b.jar: its credential issuer has the name acme, and that of a.jar too",
                "plug-in c.jar: its credential issuer has the name of the built-in credential issuer secret",
                "plug-in d.jar: a CDI bean has the name bean too",
                "plug-in e.jar: acme.Acme has no @PluginName",
                "plug-in f.jar: acme.Acme has no method issue",
                "another version");
    }

    @Test
    void whatAnIssuerThrowsIsNotPassedOnAndNothingIsStored() {
        TestRegistry test = registry().withIssuer("bean", device -> {
            throw new IllegalStateException(SECRET, new java.sql.SQLIntegrityConstraintViolationException());
        });

        try (TestNode registry = issuing(test, "bean")) {
            assertThatThrownBy(() -> registry.registrar().register(CANDIDATE))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the credential issuer bean failed with java.lang.IllegalStateException")
                    .hasNoCause();
            assertNobodyIsRegistered(registry);
        }
    }

    @Test
    void issuerThatIsMissingAClassIsNamedAndNothingIsStored() {
        new PluginJar()
                .source("lib/Maker.java", "package lib; public class Maker { public static void make() {} }")
                .issuer(
                        "acme",
                        "CredentialIssuer",
                        "public Credential issue(RegisteredDevice device) { lib.Maker.make(); return null; }")
                .without("lib/")
                .write(directory.resolve("acme.jar"));

        try (TestNode registry = issuing(registry(), "acme")) {
            assertThatThrownBy(() -> registry.registrar().register(CANDIDATE))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the credential issuer acme failed with java.lang.NoClassDefFoundError");
            assertNobodyIsRegistered(registry);
        }
    }

    @Test
    void failureWhenADeviceRegistersAgainLeavesItTheCredentialThatItHas() {
        boolean[] fails = {false};
        TestRegistry test = registry().withIssuer("bean", device -> {
            if (fails[0]) {
                throw new IllegalStateException();
            }
            return new Credential.Secret(KEY, SECRET);
        });

        try (TestNode registry = issuing(test, "bean")) {
            registry.registrar().register(CANDIDATE);
            fails[0] = true;

            assertThatThrownBy(() -> registry.registrar().register(CANDIDATE))
                    .isInstanceOf(IllegalStateException.class);
            assertThat(registry.authenticator().authenticate(KEY, SECRET)).isPresent();
        }
    }

    @Test
    void keyThatAnotherDeviceHasIsNotStored() {
        TestRegistry test = registry().withIssuer("bean", device -> new Credential.Secret(KEY, SECRET));

        try (TestNode registry = issuing(test, "bean")) {
            String first = registry.registrar().register(CANDIDATE).deviceId();

            assertThatThrownBy(() -> registry.registrar().register(Candidates.withSerial("SN-0002")))
                    .isInstanceOf(IllegalStateException.class);
            assertThat(registry.authenticator().authenticate(KEY, SECRET))
                    .get()
                    .extracting(device -> device.deviceId().value())
                    .isEqualTo(first);
            assertThat(devices(registry)).isEqualTo(1);
        }
    }

    @Test
    @Timeout(value = 1, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void issuerThatDoesNotAnswerIsUnavailableAndNothingIsStored() {
        new PluginJar()
                .issuer(
                        "acme",
                        "CredentialIssuer",
                        "static void hang() { while (true) { java.util.concurrent.locks.LockSupport.park(); } }"
                                + "public Credential issue(RegisteredDevice device) {"
                                + "return new Credential.Secret(\"" + KEY + "\", \"" + SECRET + "\", new HashMap<>() {"
                                + "public Set<Map.Entry<String, String>> entrySet() { hang(); return null; } }); }")
                .write(directory.resolve("acme.jar"));

        try (TestNode registry = issuing(registry(), "acme")) {
            assertThatThrownBy(() -> registry.registrar().register(CANDIDATE))
                    .isInstanceOfSatisfying(RegistryException.class, no -> assertThat(no.type())
                            .isEqualTo(ProblemType.SERVICE_UNAVAILABLE));
            assertNobodyIsRegistered(registry);
        }
    }

    @Test
    void extrasThatAreNoTextsAreNotHandedOut() {
        @SuppressWarnings({"unchecked", "rawtypes"})
        Map<String, String> odd = (Map) Map.of("n", 5);
        TestRegistry test = registry().withIssuer("bean", device -> new Credential.Secret(KEY, SECRET, odd));

        try (TestNode registry = issuing(test, "bean")) {
            assertThatThrownBy(() -> registry.registrar().register(CANDIDATE))
                    .isInstanceOf(IllegalStateException.class);
            assertNobodyIsRegistered(registry);
        }
    }
}
