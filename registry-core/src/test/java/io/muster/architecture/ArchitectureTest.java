// SPDX-License-Identifier: Apache-2.0
package io.muster.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.core.domain.properties.CanBeAnnotated.Predicates.annotatedWith;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The dependency rules of the house style, one rule a line. */
@AnalyzeClasses(
        packages = "io.muster",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureTest.NoTestJars.class})
class ArchitectureTest {

    /** Leaves out the contracts that registry-api publishes. */
    static final class NoTestJars implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("-tests.jar");
        }
    }

    @ArchTest
    static final ArchRule apiDependsOnTheJdkOnly = classes()
            .that(resideInAnyPackage("io.muster.api", "io.muster.seal", "io.muster.spi"))
            .should()
            .onlyDependOnClassesThat(resideInAnyPackage("java..", "io.muster.api", "io.muster.seal", "io.muster.spi"));

    @ArchTest
    static final ArchRule coreKnowsNoJaxRsAndNoServlet =
            noClasses().should().dependOnClassesThat(resideInAnyPackage("jakarta.ws.rs..", "jakarta.servlet.."));

    @ArchTest
    static final ArchRule coreKnowsNoMicroProfile =
            noClasses().should().dependOnClassesThat(resideInAnyPackage("org.eclipse.microprofile.."));

    @ArchTest
    static final ArchRule coreKnowsNoEjbAndNoTransactionsOfTheServer =
            noClasses().should().dependOnClassesThat(resideInAnyPackage("jakarta.ejb..", "jakarta.transaction.."));

    @ArchTest
    static final ArchRule noPartHasAProxy =
            noClasses().should().beAnnotatedWith(jakarta.enterprise.context.ApplicationScoped.class);

    @ArchTest
    static final ArchRule whatIsInjectedIsAPart = classes()
            .that()
            .containAnyConstructorsThat(annotatedWith(jakarta.inject.Inject.class))
            .should()
            .beAnnotatedWith(io.muster.cdi.Part.class);

    @ArchTest
    static final ArchRule noPartStopsByItself =
            noMethods().should().beAnnotatedWith(jakarta.annotation.PreDestroy.class);

    @ArchTest
    static final ArchRule featuresHaveNoCycles =
            SlicesRuleDefinition.slices().matching("io.muster.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule verificationKnowsNeitherCredentialsNorRegistration = noClasses()
            .that()
            .resideInAPackage("io.muster.verification..")
            .should()
            .dependOnClassesThat(
                    resideInAnyPackage("io.muster.credential", "io.muster.registration", "io.muster.token"));

    @ArchTest
    static final ArchRule credentialsKnowNeitherVerificationNorRegistration = noClasses()
            .that()
            .resideInAPackage("io.muster.credential")
            .should()
            .dependOnClassesThat(resideInAnyPackage("io.muster.verification..", "io.muster.registration"));

    @ArchTest
    static final ArchRule configImportsNothingOfOursButTheReadersOfFiles = classes()
            .that()
            .resideInAPackage("io.muster.config")
            .should()
            .onlyDependOnClassesThat(resideOutsideOfPackages("io.muster..")
                    .or(resideInAnyPackage("io.muster.config", "io.muster.tls"))
                    .or(nameMatching("io\\.muster\\.spi\\.WrittenText.*")));

    @ArchTest
    static final ArchRule tlsImportsNothingOfOursButTheReaderOfText = classes()
            .that()
            .resideInAPackage("io.muster.tls")
            .should()
            .onlyDependOnClassesThat(resideOutsideOfPackages("io.muster..")
                    .or(resideInAnyPackage("io.muster.tls"))
                    .or(nameMatching("io\\.muster\\.spi\\.WrittenText.*")));

    @ArchTest
    static final ArchRule contextsOfTlsAreMadeInOnePlace = noClasses()
            .that()
            .resideOutsideOfPackage("io.muster.tls")
            .should()
            .callMethod(javax.net.ssl.SSLContext.class, "getInstance", String.class)
            .orShould()
            .callMethod(javax.net.ssl.TrustManagerFactory.class, "getInstance", String.class);

    @ArchTest
    static final ArchRule nobodyAsksTheSystemForTheTime = noClasses()
            .should()
            .callMethod(java.time.Instant.class, "now")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(java.time.Clock.class, "systemUTC");

    @ArchTest
    static final ArchRule credentialsComeFromASecureRandomOnly = noClasses()
            .that()
            .resideInAnyPackage(
                    "io.muster.credential", "io.muster.token", "io.muster.operator", "io.muster.persistence")
            .should()
            .dependOnClassesThat(
                    nameMatching("java\\.util\\.(Random|UUID|concurrent\\.ThreadLocalRandom|SplittableRandom)"));

    @ArchTest
    static final ArchRule nobodyMakesAParserOfTokensButStrictJws = noClasses()
            .that()
            .doNotHaveSimpleName("StrictJws")
            .should()
            .callMethod(io.jsonwebtoken.Jwts.class, "parser");

    @ArchTest
    static final ArchRule textOfPeopleIsReadByTheOneReader = noClasses()
            .that()
            .doNotHaveSimpleName("WrittenText")
            .should()
            .callMethod(Files.class, "readString", Path.class)
            .orShould()
            .callMethod(Files.class, "newBufferedReader", Path.class);

    @ArchTest
    static final ArchRule fieldsAreNeverPublicUnlessConstant =
            fields().that().arePublic().should().beStatic().andShould().beFinal();

    /** A rule that ArchUnit cannot check: only the configuration names keys. */
    @Test
    void nothingButTheConfigurationReadsAKey() throws IOException {
        try (Stream<Path> sources = Files.walk(Path.of("src/main/java"))) {
            List<Path> naming = sources.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> !file.toString().contains("/config/"))
                    .filter(ArchitectureTest::readsASystemSetting)
                    .toList();

            assertThat(naming).isEmpty();
        }
    }

    private static boolean readsASystemSetting(Path file) {
        try {
            String text = Files.readString(file);
            return text.contains("System.getenv") || text.contains("System.getProperty(\"muster");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
