// SPDX-License-Identifier: Apache-2.0
package io.muster.install;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contents of the tar and of the Debian package, and how the launcher treats the Java that it finds. */
class ArchivesIT {

    private static final String JAVA = System.getProperty("java.home");

    @TempDir
    static Path directory;

    private static Path home;

    @BeforeAll
    static void unpack() {
        Required.programs("tar", "sh");
        Command.run("tar", "--extract", "--file", Packages.tar().toString(), "--directory", directory.toString())
                .out();
        home = directory.resolve("muster-" + System.getProperty("muster.version"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "README.md",
                "LICENSE",
                "copyright",
                "CHANGELOG.md",
                "docs/installing.md",
                "docs/configuration.md",
                "muster.jar",
                "bin/muster",
                "command/muster",
                "command/muster-command.jar",
                "etc/muster.properties",
                "etc/default",
                "etc/muster.service",
                "plugins/muster-redis.jar",
                "plugins/muster-mongo.jar"
            })
    void theTarHas(String file) {
        assertThat(home.resolve(file)).isRegularFile();
    }

    @Test
    void theLauncherStartsMusterFromAnyDirectoryAndByALink() throws IOException {
        Path link = Files.createSymbolicLink(directory.resolve("link"), home.resolve("bin/muster"));
        assertThat(launch(link, Map.of("JAVA_HOME", JAVA))).isEqualTo(said(0, "Muster " + version()));
        assertThat(launch(link, Map.of("PATH", JAVA + "/bin:/usr/bin:/bin"))).isEqualTo(said(0, "Muster " + version()));
    }

    @Test
    void theCommandForOperatorsStartsFromAnyDirectoryAndByALink() throws IOException {
        Path link = Files.createSymbolicLink(directory.resolve("operator"), home.resolve("command/muster"));
        assertThat(launch(link, Map.of("JAVA_HOME", JAVA))).isEqualTo(said(0, "muster " + version()));
    }

    @Test
    void theLauncherHandsOverOptionsOfTheVirtualMachine() throws IOException {
        String options = "-Xmx64m -XX:+PrintFlagsFinal";
        Command command = run(home.resolve("bin/muster"), Map.of("JAVA_HOME", JAVA, "JAVA_OPTS", options));
        assertThat(command.output())
                .containsPattern("MaxHeapSize +:?= 67108864 ")
                .contains("Muster " + version());
    }

    @Test
    void theLauncherRefusesAJavaThatIsTooOldAndOneThatIsNotThere() throws IOException {
        Path old = directory.resolve("old");
        Files.createDirectories(old.resolve("bin"));
        Files.createFile(
                old.resolve("bin/java"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        Files.writeString(old.resolve("release"), "IMPLEMENTOR=\"Debian\"\nJAVA_VERSION=\"11.0.28\"\n");
        assertThat(launch(home.resolve("bin/muster"), Map.of("JAVA_HOME", old.toString())))
                .isEqualTo(said(1, "Muster did not start: it needs Java 17 or newer, and JAVA_HOME names Java 11."));
        assertThat(launch(home.resolve("bin/muster"), Map.of("JAVA_HOME", "/nowhere")))
                .isEqualTo(
                        said(
                                1,
                                "Muster did not start: there is no /nowhere/bin/java. JAVA_HOME names a Java that is not there."));
    }

    @Test
    void theUnitOfTheTarStartsWhatIsInOpt() throws IOException {
        assertThat(Files.readString(home.resolve("etc/muster.service")))
                .contains("ExecStart=/opt/muster/bin/muster $ARGS")
                .doesNotContain("@home@", "@doc@");
    }

    @Test
    void theDebianPackageDependsOnAJavaThatIsNewEnough() {
        Required.programs("dpkg-deb");
        assertThat(field("Package")).isEqualTo("muster");
        assertThat(field("Architecture")).isEqualTo("all");
        assertThat(field("Version")).isEqualTo(version().replace("-SNAPSHOT", "~SNAPSHOT"));
        assertThat(field("Depends")).contains("default-jre-headless (>= 2:1.17) | java17-runtime-headless");
    }

    @Test
    void theDebianPackageKeepsWhatIsInEtcAsConfiguration() {
        Required.programs("dpkg-deb");
        List<String> files = Command.run(
                        "dpkg-deb", "--contents", Packages.debian().toString())
                .out()
                .lines()
                .filter(line -> !line.startsWith("d"))
                .map(line -> line.substring(line.indexOf(" ./") + 2))
                .toList();
        List<String> configuration = Command.run(
                        "dpkg-deb", "--info", Packages.debian().toString(), "conffiles")
                .out()
                .lines()
                .toList();
        assertThat(files)
                .filteredOn(file -> file.startsWith("/etc/"))
                .containsExactlyInAnyOrderElementsOf(configuration)
                .containsExactlyInAnyOrder("/etc/default/muster", "/etc/muster/muster.properties");
        assertThat(files)
                .contains("/usr/share/muster/muster.jar", "/lib/systemd/system/muster.service")
                .allMatch(file -> file.startsWith("/etc/")
                        || file.startsWith("/usr/share/muster/")
                        || file.startsWith("/usr/share/doc/muster/")
                        || file.startsWith("/usr/bin/muster ->")
                        || file.equals("/lib/systemd/system/muster.service"));
    }

    @Test
    void theUnitExposesLittle() throws IOException {
        Required.programs("systemd-analyze");
        Path units = Files.createDirectories(directory.resolve("root/lib/systemd/system"));
        Files.copy(home.resolve("etc/muster.service"), units.resolve("muster.service"));
        // Of 10 the most: 1.3 is what network, JIT and sight of the machine's /proc are charged with.
        Command command = Command.run(
                "systemd-analyze",
                "security",
                "--offline=true",
                "--no-pager",
                "--threshold=15",
                "--root=" + directory.resolve("root"),
                "muster.service");
        assertThat(command.status()).as(command.output()).isZero();
    }

    private static String version() {
        return System.getProperty("muster.version");
    }

    private static String field(String name) {
        return Command.run("dpkg-deb", "--field", Packages.debian().toString(), name)
                .out();
    }

    private static String launch(Path launcher, Map<String, String> environment) {
        Command command = run(launcher, environment);
        return said(command.status(), command.output().strip());
    }

    private static Command run(Path launcher, Map<String, String> environment) {
        return Command.run(environment, List.of(launcher.toString(), "--version"));
    }

    private static String said(int status, String output) {
        return status + ": " + output;
    }
}
