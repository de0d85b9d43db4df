// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The dependency rules of the house style that concern the WAR, one rule a line. */
@AnalyzeClasses(
        packages = "io.muster.web",
        importOptions = {ImportOption.DoNotIncludeTests.class, ImportOption.DoNotIncludeJars.class})
class ArchitectureTest {

    @ArchTest
    static final ArchRule microProfileIsUsedInWiringOnly = noClasses()
            .that()
            .haveNameNotMatching("io\\.muster\\.web\\.Wiring.*")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.eclipse.microprofile..");

    @ArchTest
    static final ArchRule clockIsMadeInWiringOnly = noClasses()
            .that()
            .doNotHaveSimpleName("Wiring")
            .should()
            .callMethod(java.time.Clock.class, "systemUTC")
            .orShould()
            .callMethod(java.time.Instant.class, "now")
            .orShould()
            .callMethod(System.class, "currentTimeMillis");

    @ArchTest
    static final ArchRule webKnowsNoPersistence = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("jakarta.persistence..", "org.eclipse.persistence..", "javax.sql..", "java.sql..");

    @ArchTest
    static final ArchRule devicePartsDoNotKnowOperatorParts = noClasses()
            .that()
            .resideInAPackage("io.muster.web.device")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.muster.web.operator");

    /** Or a response that comes later, which holds no thread meanwhile. */
    @ArchTest
    static final ArchRule resourcesReadBodiesThemselves = methods()
            .that()
            .areAnnotatedWith(jakarta.ws.rs.POST.class)
            .should()
            .haveRawReturnType(jakarta.ws.rs.core.Response.class)
            .orShould()
            .haveRawReturnType(java.util.concurrent.CompletionStage.class);
}
