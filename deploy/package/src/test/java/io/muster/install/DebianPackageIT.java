// SPDX-License-Identifier: Apache-2.0
package io.muster.install;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The life of the package on one machine, from {@code apt install} to {@code apt purge}, with systemd. Each test goes on where the last ended. */
@Tag("extended")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DebianPackageIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String BASE = "http://127.0.0.1:8080";
    private static final String DATA = "/var/lib/muster";
    private static final String CONFIGURATION = "/etc/muster/muster.properties";
    private static final String SECRET = "a-secret-of-a-broker-that-only-root-reads";

    private static Machine machine;
    private static List<String> listenersBefore;
    private static String operator;
    private static JsonNode device;
    private static String process;

    @BeforeAll
    static void boot() throws IOException {
        Machine.require();
        // Beside the package: the machine's own files must not lie on what it copies on write, if that is one layer of
        // several.
        Path directory = Files.createTempDirectory(Path.of(System.getProperty("package.directory")), "machine");
        machine = Machine.boot(Path.of(System.getProperty("package.root")), directory);
        listenersBefore = machine.listeners();
    }

    @AfterAll
    static void end() {
        if (machine != null) {
            machine.close();
        }
    }

    @Test
    @Order(1)
    void theInstallationStartsARegistryOnTheLoopbackAddressAlone() throws IOException {
        Path deb = machine.file("/var/tmp/muster.deb");
        Files.copy(Packages.debian(), deb);
        install("/var/tmp/muster.deb");
        assertThat(machine.in("systemctl", "is-enabled", "muster").out()).isEqualTo("enabled");
        awaitReady();
        assertThat(machine.listeners())
                .filteredOn(address -> !listenersBefore.contains(address))
                .isNotEmpty()
                .allMatch(address -> address.matches("0100007F:1F90|0{16}FFFF00000100007F:1F90"), "127.0.0.1:8080");
    }

    @Test
    @Order(2)
    void systemdFindsNoFaultInTheUnit() {
        assertThat(machine.in("systemd-analyze", "verify", "muster.service").out())
                .doesNotContain("muster.service");
    }

    @Test
    @Order(3)
    void theProcessHasItsOwnUserAndNoWayToGetRights() throws IOException {
        process = mainProcess();
        String status = machine.in("cat", "/proc/" + process + "/status").out();
        String user = machine.in("id", "--user", "muster").out();
        assertThat(status)
                .contains("Uid:\t" + user + "\t" + user + "\t" + user + "\t" + user)
                .contains("CapEff:\t0000000000000000")
                .contains("CapBnd:\t0000000000000000")
                .contains("NoNewPrivs:\t1")
                .contains("Seccomp:\t2");
        // Seen with its own mounts: the system is read-only.
        assertThat(machine.in("grep", " / / ", "/proc/" + process + "/mountinfo")
                        .out())
                .contains(" ro,");
        assertThat(user).isNotEqualTo("0");
    }

    @Test
    @Order(4)
    void nobodyElseReadsItsFiles() {
        assertThat(mode("/etc/muster")).isEqualTo("root muster 750");
        assertThat(mode(CONFIGURATION)).isEqualTo("root muster 640");
        assertThat(mode(DATA)).isEqualTo("muster muster 700");
        assertThat(mode(DATA + "/master-key")).isEqualTo("muster muster 600");
        assertThat(mode(DATA + "/operator-token")).isEqualTo("muster muster 600");
    }

    @Test
    @Order(5)
    void aDeviceRegisters() throws IOException {
        operator = machine.in("cat", DATA + "/operator-token").out();
        JsonNode loaded = JSON.readTree(curl(
                "-H",
                "Authorization: Bearer " + operator,
                "-H",
                "Content-Type: text/csv",
                "--data-binary",
                "serial\nSN-0001\n",
                BASE + "/api/v1/fleets/default/serials"));
        assertThat(loaded.path("accepted").asInt()).isEqualTo(1);
        device = JSON.readTree(
                curl("-H", "Content-Type: application/json", "-d", "{\"serial\": \"SN-0001\"}", BASE + "/register"));
        assertThat(device.path("secret").asText()).isNotEmpty();
        assertThat(token()).isNotEmpty();
    }

    @Test
    @Order(6)
    void aProcessThatIsKilledIsStartedAgain() {
        machine.in("systemctl", "kill", "--signal=KILL", "muster").out();
        Machine.within(Duration.ofSeconds(60), "another process", () -> {
            String now = mainProcess();
            return !now.equals("0") && !now.equals(process);
        });
        awaitReady();
    }

    @Test
    @Order(7)
    void anUpgradeKeepsDataAndConfigurationAndHandsOverSecretsThatOnlyRootReads() throws IOException {
        Path secret = machine.file("/etc/muster/emqx");
        Files.createFile(secret, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(secret, SECRET);
        Path dropIn = Files.createDirectories(machine.file("/etc/systemd/system/muster.service.d"));
        Files.writeString(dropIn.resolve("secrets.conf"), "[Service]\nLoadCredential=emqx:/etc/muster/emqx\n");
        String changed =
                """

                muster.registration.refused-status = 403
                muster.mqtt.brokers = emqx
                muster.mqtt.broker.emqx.kind = emqx
                muster.mqtt.broker.emqx.secret-file = /run/credentials/muster.service/emqx
                """;
        Files.writeString(machine.file(CONFIGURATION), changed, StandardOpenOption.APPEND);
        String configured = machine.in("cat", CONFIGURATION).out();
        process = mainProcess();

        Path newer = Packages.newer(Path.of(System.getProperty("package.directory")), "999.0");
        Files.move(newer, machine.file("/var/tmp/newer.deb"));
        install("/var/tmp/newer.deb");

        assertThat(machine.in("dpkg-query", "--show", "--showformat=${Version}", "muster")
                        .out())
                .isEqualTo("999.0");
        assertThat(mainProcess()).isNotIn(process, "0");
        awaitReady();
        assertThat(machine.in("cat", CONFIGURATION).out()).isEqualTo(configured);
        assertThat(mode(CONFIGURATION)).isEqualTo("root muster 640");
        assertThat(token()).isNotEmpty();
        assertThat(curl(
                        "-o",
                        "/dev/null",
                        "-w",
                        "%{http_code}",
                        "-H",
                        "Content-Type: application/json",
                        "-d",
                        "{\"serial\": \"SN-0002\"}",
                        BASE + "/register"))
                .isEqualTo("403");
    }

    @Test
    @Order(8)
    void aMachineThatCannotResolveItsOwnNameIsToldWhatToDo() {
        String name = machine.in("hostname").out();
        machine.in("hostname", "nameless.invalid").out();
        machine.in("systemctl", "restart", "muster").out();
        Machine.within(Duration.ofSeconds(60), "the log tells", () -> machine.in(
                        "journalctl", "--unit", "muster", "--output", "cat", "--lines", "20")
                .output()
                .contains("This machine cannot resolve its own name (nameless.invalid: "));
        machine.in("hostname", name).out();
    }

    @Test
    @Order(9)
    void aServiceThatWasDisabledIsNotEnabledByAnUpgrade() throws IOException {
        machine.in("systemctl", "disable", "--now", "muster").out();
        install("/var/tmp/newer.deb", "--reinstall");
        assertThat(machine.in("systemctl", "is-enabled", "muster").output().strip())
                .isEqualTo("disabled");
    }

    @Test
    @Order(10)
    void removalStopsTheServiceAndKeepsDataAndConfiguration() {
        machine.in("systemctl", "enable", "--now", "muster").out();
        process = mainProcess();
        assertThat(process).isNotEqualTo("0");
        machine.in("apt-get", "remove", "-y", "muster").out();
        assertThat(machine.file("/proc/" + process)).doesNotExist();
        assertThat(machine.file("/usr/share/muster")).doesNotExist();
        assertThat(machine.file(DATA + "/master-key")).exists();
        assertThat(machine.file(CONFIGURATION)).exists();
    }

    @Test
    @Order(11)
    void whatWasRemovedGoesOnWhereItEndedWhenItIsInstalledAgain() throws IOException {
        install("/var/tmp/muster.deb");
        awaitReady();
        assertThat(token()).isNotEmpty();
    }

    @Test
    @Order(12)
    void purgeLeavesNothing() {
        machine.in("apt-get", "purge", "-y", "muster").out();
        assertThat(machine.in("getent", "passwd", "muster").status()).isNotZero();
        assertThat(machine.in("getent", "group", "muster").status()).isNotZero();
        // The drop-in is the administrator's.
        assertThat(machine.in(
                                "find",
                                "/etc",
                                "/lib",
                                "/usr",
                                "/var",
                                "-xdev",
                                "-path",
                                "*muster*",
                                "-not",
                                "-path",
                                "/var/tmp/*",
                                "-not",
                                "-path",
                                "/var/log/*",
                                "-not",
                                "-path",
                                "/etc/systemd/system/muster.service.d*")
                        .out())
                .isEmpty();
    }

    /** Without what the package recommends, because the machine has no network to fetch it. */
    private static void install(String deb, String... options) {
        List<String> words = new ArrayList<>(List.of("apt-get", "install", "-y", "--no-install-recommends"));
        words.addAll(List.of(options));
        words.add(deb);
        machine.in(words.toArray(String[]::new)).out();
    }

    private static String token() throws IOException {
        return JSON.readTree(curl(
                        "-u",
                        device.path("key").asText() + ":"
                                + device.path("secret").asText(),
                        "-d",
                        "grant_type=client_credentials",
                        BASE + "/token"))
                .path("access_token")
                .asText();
    }

    private static void awaitReady() {
        Machine.within(Duration.ofMinutes(3), "/health/ready answers 200", () -> {
            if (machine.in("systemctl", "is-failed", "--quiet", "muster").status() == 0) {
                throw new AssertionError(
                        machine.in("journalctl", "--unit", "muster", "--output", "cat", "--lines", "40")
                                .output());
            }
            return machine.inNetwork(
                            "curl",
                            "--silent",
                            "--output",
                            "/dev/null",
                            "--write-out",
                            "%{http_code}",
                            BASE + "/health/ready")
                    .output()
                    .equals("200");
        });
    }

    private static String curl(String... arguments) {
        String[] words = new String[arguments.length + 3];
        words[0] = "curl";
        words[1] = "--silent";
        words[2] = "--show-error";
        System.arraycopy(arguments, 0, words, 3, arguments.length);
        return machine.inNetwork(words).out();
    }

    private static String mainProcess() {
        return machine.in("systemctl", "show", "--property", "MainPID", "--value", "muster")
                .out();
    }

    private static String mode(String file) {
        return machine.in("stat", "--format", "%U %G %a", file).out();
    }
}
