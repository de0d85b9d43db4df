// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.overlay.BeanVerifier;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A jar added to {@code WEB-INF/lib}: its bean is a verifier like any other. */
@Aside
@Tag("portable")
class OverlayIT {

    private static Path withBean(Path directory) throws IOException {
        Path jar = directory.resolve("bean-verifier.jar");
        String name = BeanVerifier.class.getName().replace('.', '/') + ".class";
        try (FileSystem zip = FileSystems.newFileSystem(jar, Map.of("create", "true"));
                InputStream compiled = BeanVerifier.class.getClassLoader().getResourceAsStream(name)) {
            Files.createDirectories(zip.getPath(name).getParent());
            Files.write(zip.getPath(name), compiled.readAllBytes());
            Files.createDirectories(zip.getPath("META-INF"));
            Files.writeString(
                    zip.getPath("META-INF/beans.xml"),
                    "<beans xmlns=\"https://jakarta.ee/xml/ns/jakartaee\" version=\"4.0\" bean-discovery-mode=\"annotated\"/>");
        }
        Path war = directory.resolve("overlaid.war");
        Files.copy(Path.of(System.getProperty("muster.war")), war);
        try (FileSystem zip = FileSystems.newFileSystem(war)) {
            Files.copy(jar, zip.getPath("WEB-INF/lib/bean-verifier.jar"));
        }
        return war;
    }

    @Test
    void beanOfAJarInTheWarIsAVerifier() throws IOException {
        assumeTrue(
                ServerKind.selected() != ServerKind.MICRO,
                "muster.jar brings its own WAR; ContainerIT of registry-web does this on Payara Micro");
        Path directory = SharedWorld.directory("overlay");

        try (MusterServer server = MusterServer.start(SharedWorld.settings(
                        directory, Map.of("muster.fleets", "beans", "muster.fleet.beans.verifiers", "bean"))
                .withWar(withBean(directory)))) {
            RegistryUnderTest registry = new RegistryUnderTest(server, server.operatorToken());

            Reply reply = registry.registerIn("beans", "BEAN-0001");

            assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
            assertThat(reply.json().at("/attributes/found").asText()).isEqualTo("in the WAR");
            assertProblem(registry.registerIn("beans", "SN-0001"), 400, "registration-refused");
        }
    }
}
