package io.muster.suite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Two OAuth clients for Node.js, oauth4webapi and openid-client, which nobody told of Muster; left out where there is no Node.js. */
class ForeignNodeClientsIT {

    private static final Path HERE = Path.of(System.getProperty("basedir", "")).toAbsolutePath();

    private final RegistryUnderTest registry = Registries.embedded();

    @Test
    void everyWayToGetATokenWorks() throws Exception {
        Path clients = HERE.resolve("target/node");
        assumeTrue(install(clients), "there is no node, no npm, or no registry of packages to be reached");
        List<String> serials = RegistryUnderTest.unusedSerials(3);
        registry.expect("default", serials);
        String issuer = registry.base().toString().replaceAll("/$", "");
        List<String> command = new ArrayList<>(List.of("node", "foreign.mjs", issuer));
        command.addAll(serials);

        Ended node = run(clients, command);

        assertThat(node.status()).as(node.output()).isZero();
        for (String library : List.of("oauth4webapi", "openid-client")) {
            for (String way : List.of(
                    "client_secret_basic",
                    "client_secret_post",
                    "private_key_jwt with ES256",
                    "private_key_jwt with EdDSA")) {
                assertThat(node.output())
                        .contains(library + " " + way + "\n")
                        .contains(library + " " + way + " and DPoP\n");
            }
        }
    }

    /** Exactly what the lock file names, from the registry that npm is set to. */
    private static boolean install(Path clients) throws Exception {
        Files.createDirectories(clients);
        for (String file : List.of("package.json", "package-lock.json", "foreign.mjs")) {
            Files.write(
                    clients.resolve(file),
                    Files.readAllBytes(HERE.resolve("src/test/node").resolve(file)));
        }
        try {
            return run(clients, List.of("node", "--version")).status() == 0
                    && run(
                                            clients,
                                            List.of(
                                                    "npm",
                                                    "ci",
                                                    "--no-audit",
                                                    "--no-fund",
                                                    "--ignore-scripts",
                                                    "--fetch-retries=0"))
                                    .status()
                            == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private record Ended(int status, String output) {}

    private static Ended run(Path directory, List<String> command) throws IOException, InterruptedException {
        Path output = directory.resolve("output");
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        if (!process.waitFor(2, TimeUnit.MINUTES)) {
            process.destroyForcibly();
        }
        return new Ended(process.waitFor(), Files.readString(output, StandardCharsets.UTF_8));
    }
}
