// SPDX-License-Identifier: Apache-2.0
package io.muster.install;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The commands of docs/installing.md for the tar, as they stand there, on a machine with systemd. */
@Tag("extended")
class TarIT {

    private static Machine machine;

    @BeforeAll
    static void boot() throws IOException {
        Machine.require();
        Path directory = Files.createTempDirectory(Path.of(System.getProperty("package.directory")), "machine");
        machine = Machine.boot(Path.of(System.getProperty("package.root")), directory);
        Required.there(Files.exists(machine.file("/usr/bin/curl")), "the machine has no curl");
    }

    @AfterAll
    static void end() {
        if (machine != null) {
            machine.close();
        }
    }

    @Test
    void theCommandsOfThePageInstallARegistryThatRegistersADevice() throws IOException {
        Path sent = Files.createDirectories(machine.file("/root/sent"));
        Files.copy(Packages.tar(), sent.resolve(Packages.tar().getFileName().toString()));
        machine.in("bash", "-c", "set -e; cd /root/sent; " + commands("## tar")).out();
        Machine.within(
                Duration.ofMinutes(3),
                "/health/ready answers 200",
                () -> machine.in("curl", "--silent", "--fail", "http://127.0.0.1:8080/health/ready")
                                .status()
                        == 0);
        assertThat(machine.in("bash", "-c", commands("## Check it")).out())
                .contains("200 OK", "\"accepted\":1", "\"secret\":\"");
        assertThat(machine.in("systemd-analyze", "verify", "muster.service").out())
                .doesNotContain("muster.service");
    }

    /** The first commands below a heading. */
    private static String commands(String heading) throws IOException {
        String page = Files.readString(Repository.file("docs/installing.md"));
        String section = page.substring(page.indexOf("\n" + heading + "\n"));
        int from = section.indexOf("```\n") + 4;
        return section.substring(from, section.indexOf("```", from));
    }
}
