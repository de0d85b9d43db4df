// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.command.Muster;
import io.muster.command.Shell;
import io.muster.suite.fixture.Page;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.Processes.Ended;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code muster} against a registry. Most runs are in this process, because each Java costs a second. */
@Tag("portable")
class MusterIT {

    private static final String FLEET = "command";

    @TempDir
    Path directory;

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();
    private final Map<String, String> environment = new LinkedHashMap<>();

    @BeforeEach
    void signIn() throws IOException {
        environment.put("XDG_CONFIG_HOME", directory.toString());
        Path token = Files.writeString(directory.resolve("token"), registry.operatorToken());
        run(0, "login", registry.base().toString(), "--token-file", token.toString(), "--fleet", FLEET);
        Ended made = muster("fleets", "create", FLEET, "--set", "verifiers=[\"database\"]");
        assertThat(made.status()).as(made.all()).isIn(0, 6);
    }

    private Ended muster(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Muster.run(
                new Shell(
                        InputStream.nullInputStream(),
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        "",
                        100,
                        environment,
                        // A second of the command is a tenth here.
                        time -> Thread.sleep(time.toMillis() / 10)),
                arguments);
        return new Ended(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private String run(int status, String... arguments) {
        Ended ended = muster(arguments);
        assertThat(ended.status())
                .as(String.join(" ", arguments) + "\n" + ended.all())
                .isEqualTo(status);
        assertThat(ended.all()).doesNotContain(registry.operatorToken());
        return ended.out();
    }

    private JsonNode json(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("-o", "json"));
        return Reply.json(run(0, all.toArray(String[]::new)).getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void listIsImportedCorrectedFoundDisabledExportedAndImportedAgain() throws IOException {
        String lot = RegistryUnderTest.unusedSerial();
        List<String> serials = RegistryUnderTest.unusedSerials(12);
        Path list = Files.writeString(
                directory.resolve("list.csv"),
                "serial,lot,name\n"
                        + serials.stream()
                                .map(serial -> serial + "," + lot + ",=pump\n")
                                .collect(Collectors.joining())
                        + "no serial," + lot + ",x\n");
        Path failures = directory.resolve("failures.csv");

        String job = run(1, "serials", "import", list.toString(), "--wait", "--failures", failures.toString());
        assertThat(job).containsPattern("failed +1\n");
        assertThat(failures).content().contains("fault,serial,lot,name", "no serial," + lot);
        run(0, "lots", "update", lot, "--expected", "12");
        run(6, "lots", "update", lot, "--expected", "2");
        serials.subList(0, 5).forEach(serial -> registry.registered(FLEET, serial));

        String filter = "lot eq \"" + lot + "\"";
        assertThat(json("devices", "list", "--filter", filter)).hasSize(5);
        assertThat(run(0, "devices", "list", "--filter", filter, "-o", "csv", "--columns", "serial,name"))
                .isEqualTo("serial,name\r\n"
                        + serials.stream()
                                .limit(5)
                                .map(serial -> serial + ",'=pump\r\n")
                                .collect(Collectors.joining()));
        assertThat(muster("serials", "list", "--lot", lot, "--limit", "2").err())
                .contains("There is more");
        assertThat(json("serials", "list", "--lot", lot, "--all")).hasSize(12);

        run(9, "devices", "disable", "--filter", filter, "--wait");
        run(0, "devices", "disable", "--filter", filter, "--wait", "--dry-run");
        assertThat(json("devices", "list", "--filter", filter + " and state eq \"active\""))
                .hasSize(5);
        assertThat(run(0, "devices", "disable", "--filter", filter, "--wait", "--yes"))
                .containsPattern("done +5\n");
        assertThat(json("devices", "list", "--filter", filter + " and state eq \"disabled\""))
                .hasSize(5);

        Path export = directory.resolve("export.csv");
        run(0, "serials", "export", "--filter", filter, "--save", export.toString());
        assertThat(export).content().contains(serials.get(11) + ",=pump," + lot);
        assertThat(run(0, "serials", "import", export.toString(), "--wait")).containsPattern("total +12\n");
        run(3, "devices", "list", "--filter", "colour eq 1");
    }

    @Test
    void documentIsChangedByMembersAndOnlyTheVersionThatWasRead() {
        run(0, "fleets", "update", FLEET, "--set", "registerAgain=\"never\"");
        JsonNode fleet = json("fleets", "show", FLEET);
        assertThat(fleet.path("registerAgain").asText()).isEqualTo("never");
        assertThat(fleet.path("verifiers").path(0).asText()).isEqualTo("database");
        run(0, "fleets", "update", FLEET, "--set", "registerAgain=");
        run(6, "fleets", "create", FLEET, "--set", "verifiers=[\"database\"]");

        String serial = registry.expectedSerial(FLEET);
        String id = registry.registered(FLEET, serial).deviceId();
        assertThat(run(0, "devices", "update", id, "--name", "Boiler", "--tags", "room=12"))
                .contains("Boiler");
        run(6, "devices", "update", id, "--name", "Oven", "--if-match", "\"1\"");
        assertThat(run(0, "devices", "timeline", id)).contains("device-changed");
        run(9, "devices", "delete", id);
        run(0, "devices", "delete", id, "--yes");
        assertThat(json("devices", "show", id).path("state").asText()).isEqualTo("retired");
        run(5, "devices", "show", "0123456789abcdef0123456789abcdef");

        String webhook = json("webhooks", "create", "--url", "https://receiver.example/", "--types", "registered")
                .path("id")
                .asText();
        assertThat(json("webhooks", "update", webhook, "--enabled", "false")
                        .path("types")
                        .path(0)
                        .asText())
                .isEqualTo("registered");
        run(0, "webhooks", "deliveries", webhook);
        run(0, "webhooks", "delete", webhook, "--yes");
    }

    @Test
    void everyListAnswers() {
        for (String list : List.of(
                "fleets",
                "serials",
                "imports",
                "lots",
                "devices",
                "approvals",
                "allowances",
                "revocations",
                "rotations",
                "enrolment-keys",
                "jobs",
                "events",
                "webhooks",
                "operators",
                "signing-keys")) {
            json(list, "list");
            assertThat(run(0, list, "list")).as(list).isNotEmpty();
        }
        assertThat(json("audit", "seals", "--limit", "1")).isNotNull();
        assertThat(run(0, "metrics")).contains("muster_");
        assertThat(run(0, "events", "export")).startsWith("id,at,type");
        assertThat(run(0, "lots", "export", "--format", "ndjson")).isNotNull();
        run(5, "jobs", "failures", "0123456789abcdef0123456789abcdef");
    }

    @Test
    void viewerOfOneFleetIsRefusedThereAndSeesNoOther() throws IOException {
        Path token = directory.resolve("viewer-token");
        String name = "viewer of " + RegistryUnderTest.unusedSerial();
        String grants = "[{\"role\":\"viewer\",\"fleets\":[\"" + FLEET + "\"]}]";
        String made = run(0, "operators", "create", name, "--grants", grants, "--secret-file", token.toString());
        assertThat(made).contains(name).doesNotContain(Files.readString(token).strip());
        String serial = registry.expectedSerial(FLEET);
        run(
                0,
                "login",
                registry.base().toString(),
                "--token-file",
                token.toString(),
                "--fleet",
                FLEET,
                "--profile",
                "v");

        assertThat(run(0, "whoami", "--profile", "v")).contains(name);
        run(0, "serials", "show", serial, "--profile", "v");
        run(4, "serials", "block", serial, "--profile", "v");
        run(4, "devices", "disable", "--all", "--yes", "--profile", "v");
        run(5, "serials", "list", "--fleet", "default", "--profile", "v");
        run(4, "operators", "list", "--profile", "v");
        run(0, "renew", "--overlap", "PT0S", "--profile", "v");
        run(0, "whoami", "--profile", "v");
        environment.put("MUSTER_TOKEN", Files.readString(token).strip());
        run(4, "whoami", "--profile", "v");
    }

    /** The commands of {@code docs/tutorials/first-thousand.md}, as they stand there. The launcher runs the jar. */
    @Tag("extended")
    @Test
    void tutorialLeadsToAThousandDevices() throws IOException {
        RegistryUnderTest empty = SharedWorld.embedded();
        Path bin = Files.createDirectory(directory.resolve("bin"));
        Path launcher = Path.of(System.getProperty("basedir"), "../muster/muster");
        Files.copy(launcher, bin.resolve("muster"), StandardCopyOption.COPY_ATTRIBUTES);
        Files.createSymbolicLink(
                bin.resolve("muster-command.jar"),
                Path.of(System.getProperty("muster-command.jar")).toRealPath());
        Files.writeString(directory.resolve("operator-token"), empty.operatorToken());
        Page page = Page.of("tutorials/first-thousand.md");
        String base = empty.base().toString().replaceAll("/$", "");
        String script = page.countOfCommands().keySet().stream()
                .flatMap(heading -> page.commands(heading).stream())
                .collect(Collectors.joining("\n"))
                .replace("http://127.0.0.1:8080", base)
                .replace("/tmp/muster-thousand/", directory + "/");

        Ended ended = Processes.run(
                directory,
                Map.of(
                        "XDG_CONFIG_HOME",
                        directory.resolve("config").toString(),
                        "PATH",
                        bin + ":" + System.getenv("PATH"),
                        "JAVA_HOME",
                        System.getProperty("java.home")),
                List.of("bash", "-c", script));

        assertThat(ended.status()).as(ended.all()).isZero();
        assertThat(ended.out())
                .contains("fault,serial,lot,name,tags.hall", "PUMP-1001  expected  2026-12  Pump 1001")
                .containsPattern("registered +1000\n")
                .containsPattern("done +125\n")
                .contains(": intact");
        assertThat(ended.err()).contains("(forbidden, 403)");
        assertThat(directory.resolve("hall-3.csv")).content().hasLineCount(126);
        assertThat(Files.readAllLines(directory.resolve("devices.csv"))).hasSize(1001);
    }
}
