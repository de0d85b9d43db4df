// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.config.MusterConfig;
import io.muster.credential.ClientAuthenticator;
import io.muster.device.DeviceTag;
import io.muster.fleet.Fleets;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.problem.RegistryException;
import io.muster.registration.Registrar;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import io.muster.spi.SerialVerifier;
import jakarta.inject.Inject;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jboss.arquillian.container.test.api.Deployment;
import org.jboss.arquillian.junit5.container.annotation.ArquillianTest;
import org.jboss.shrinkwrap.api.ShrinkWrap;
import org.jboss.shrinkwrap.api.asset.StringAsset;
import org.jboss.shrinkwrap.api.exporter.ZipExporter;
import org.jboss.shrinkwrap.api.importer.ZipImporter;
import org.jboss.shrinkwrap.api.spec.JavaArchive;
import org.jboss.shrinkwrap.api.spec.WebArchive;
import org.junit.jupiter.api.Test;

/**
 * Inside a container: verifiers are found in both ways, issuers as beans, and transactions commit and roll back with
 * the server's EclipseLink.
 */
@ArquillianTest
class ContainerIT {

    @Inject
    Registrar registrar;

    @Inject
    ClientAuthenticator authenticator;

    @Inject
    Fleets fleets;

    /** Returns the WAR that people deploy, with a verifier in its lib, and another in the plug-in directory. */
    @Deployment
    public static WebArchive deployment() throws IOException {
        forgetRunBefore();
        File plugins = new File("target/container-plugins");
        plugins.mkdirs();
        ShrinkWrap.create(JavaArchive.class, "directory-verifier.jar")
                .addClass(DirectoryVerifier.class)
                .addAsManifestResource(
                        new StringAsset(DirectoryVerifier.class.getName() + "\n"),
                        "services/" + SerialVerifier.class.getName())
                .as(ZipExporter.class)
                .exportTo(new File(plugins, "directory-verifier.jar"), true);
        JavaArchive cdi = ShrinkWrap.create(JavaArchive.class, "cdi-verifier.jar")
                .addClass(CdiVerifier.class)
                .addClass(CdiIssuer.class)
                .addClass(CdiObserver.class)
                .addAsManifestResource(
                        new StringAsset("<beans xmlns=\"https://jakarta.ee/xml/ns/jakartaee\" version=\"4.0\""
                                + " bean-discovery-mode=\"annotated\"/>"),
                        "beans.xml");
        return ShrinkWrap.create(ZipImporter.class, "container.war")
                .importFrom(new File(System.getProperty("muster.war")))
                .as(WebArchive.class)
                .addAsLibrary(cdi);
    }

    /** Without {@code mvn clean} its devices would be there. */
    private static void forgetRunBefore() throws IOException {
        Path data = Path.of("target/container-data");
        if (Files.exists(data)) {
            try (Stream<Path> files = Files.walk(data)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private static Candidate candidate(String serial) {
        return Candidate.of(new SerialNumber(serial), MusterConfig.DEFAULT_FLEET, "192.0.2.7");
    }

    @Test
    void verifiersOfThePluginDirectoryAndOfCdiDecideTogether() {
        RegistrationReceipt receipt = registrar.register(candidate("SN-1001"));

        assertEquals(Map.of("found", "directory"), receipt.attributes());
        assertTrue(authenticator.authenticate(receipt.key(), receipt.secret()).isPresent());
        for (String refused : List.of("SN-1000", "XX-1001")) {
            RegistryException no = assertThrows(RegistryException.class, () -> registrar.register(candidate(refused)));
            assertEquals(ProblemType.REGISTRATION_REFUSED, no.type());
        }
    }

    @Test
    void observerOfCdiHasSeenADeviceWhenItIsAnswered() {
        registrar.register(candidate("SN-1007"));

        assertTrue(CdiObserver.SEEN.contains("SN-1007 true"));
    }

    @Test
    void issuerOfCdiIssuesForTheFleetThatNamesIt() {
        fleets.put(
                "issued",
                "{\"verifiers\":[\"from-directory\"],\"issuer\":\"issuer-from-cdi\"}".getBytes(StandardCharsets.UTF_8),
                there -> true,
                "test");

        RegistrationReceipt receipt =
                registrar.register(Candidate.of(new SerialNumber("SN-2001"), "issued", "192.0.2.7"));

        assertEquals(Map.of("found", "CDI"), receipt.extras());
        assertEquals(receipt.deviceId(), receipt.key());
    }

    @Test
    void transactionsCommitAndRollBack() {
        byte[] device = new Ids(Clock.systemUTC()).next();
        try (Database database = Database.open(
                new MusterConfig.Database(
                        "jdbc:h2:mem:container;DB_CLOSE_DELAY=-1",
                        Optional.empty(),
                        Optional.empty(),
                        2,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(5)),
                List.of(DeviceTag.class),
                Clock.systemUTC())) {
            database.transaction(em -> {
                em.persist(new DeviceTag(device, "kept", "yes"));
                return null;
            });
            assertThrows(
                    IllegalArgumentException.class,
                    () -> database.transaction(em -> {
                        em.persist(new DeviceTag(device, "dropped", "yes"));
                        em.flush();
                        throw new IllegalArgumentException("no");
                    }));

            List<String> names = database.read(em -> em.createQuery("SELECT t.name FROM DeviceTag t", String.class)
                    .getResultList());

            assertEquals(List.of("kept"), names);
        }
    }
}
