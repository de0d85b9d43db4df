// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MusterTest {

    private static final String TOKEN = "mo_a-token-of-the-tests";

    @TempDir
    Path home;

    private final ScriptedRegistry registry = new ScriptedRegistry();

    @AfterEach
    void close() {
        registry.close();
    }

    private Desk desk() {
        return new Desk(home);
    }

    /** A desk with the registry and a token in its environment. */
    private Desk signedIn() {
        return desk().with("MUSTER_URL", registry.url()).with("MUSTER_TOKEN", TOKEN);
    }

    private static String problem(String slug, int status, String rest) {
        return "{\"type\":\"urn:muster:problem:" + slug + "\",\"title\":\"Title of " + slug + "\",\"status\":" + status
                + rest + "}";
    }

    // signing in

    @Test
    void tokenIsReadFromTheInputAndStoredWhereOnlyItsOwnerReads() throws IOException {
        registry.says(200, "{\"name\":\"ann\"}");

        Desk.Ran login = desk().typing(TOKEN + "\n").run("login", registry.url(), "--fleet", "pumps");

        assertThat(login.status()).as(login.err()).isZero();
        assertThat(login.out() + login.err()).contains("You are ann").doesNotContain(TOKEN);
        Path file = home.resolve("muster/profiles.json");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent())))
                .isEqualTo("rwx------");
        assertThat(desk().run("whoami").status()).isZero();
        assertThat(registry.asked().get(1).authorization()).isEqualTo("Bearer " + TOKEN);
        assertThat(desk().run("profiles").out())
                .contains("default", registry.url(), "pumps")
                .doesNotContain(TOKEN);
        assertThat(desk().run("logout").status()).isZero();
        assertThat(desk().run("whoami").status()).isEqualTo(Exit.NOT_PERMITTED);
    }

    @Test
    void tokenThatIsNotGoodIsNotStored() {
        registry.says(401, problem("unauthorized", 401, ""));

        Desk.Ran login = desk().typing(TOKEN).run("login", registry.url());

        assertThat(login.status()).isEqualTo(Exit.NOT_PERMITTED);
        assertThat(home.resolve("muster")).doesNotExist();
    }

    @Test
    void profilesThatOthersCanReadAreNotUsed() throws IOException {
        registry.says(200, "{\"name\":\"ann\"}");
        desk().typing(TOKEN).run("login", registry.url());
        Path file = home.resolve("muster/profiles.json");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));

        Desk.Ran ran = desk().run("whoami");

        assertThat(ran.status()).isEqualTo(Exit.USAGE);
        assertThat(ran.err()).contains("Others can read " + file);
    }

    @ParameterizedTest
    @CsvSource({
        "http://registry.example, must begin with https",
        "ftp://registry.example, https://host",
        "https://ann:secret@registry.example, https://host",
        "https://registry.example?a=b, https://host",
        "http://127.0.0.1.example, must begin with https",
        "registry.example, https://host"
    })
    void tokenIsNotSentToAnAddressThatOthersCanReadOrThatIsNone(String address, String says) {
        Desk.Ran ran = desk().typing(TOKEN).run("login", address);

        assertThat(ran.status()).isEqualTo(Exit.USAGE);
        assertThat(ran.err()).contains(says).doesNotContain("secret");
    }

    @Test
    void tokenOfAProfileIsSentNowhereElse() {
        registry.says(200, "{\"name\":\"ann\"}");
        desk().typing(TOKEN).run("login", registry.url());

        Desk.Ran ran = desk().with("MUSTER_URL", "https://other.example").run("whoami");

        assertThat(ran.status()).isEqualTo(Exit.USAGE);
        assertThat(registry.requests()).hasSize(1);
    }

    @Test
    void consoleIsOpenedByAPageThatOthersCannotRead() throws Exception {
        String link = registry.url() + "/ui#code=abc";
        registry.says(201, "{\"url\":\"" + link + "\",\"expiresAt\":\"2026-12-01T00:01:00Z\"}");
        Path seen = home.resolve("seen");
        Path browser = Files.writeString(home.resolve("browser"), "#!/bin/sh\nprintf %s \"$1\" > " + seen + "\n");
        Files.setPosixFilePermissions(browser, PosixFilePermissions.fromString("rwx------"));

        Desk.Ran ran = signedIn().with("BROWSER", browser.toString()).run("console");

        Path page = home.resolve("muster/console.html");
        assertThat(ran.status()).isZero();
        assertThat(ran.err()).doesNotContain("abc");
        assertThat(Files.readString(page)).contains("url=" + link);
        assertThat(Files.getPosixFilePermissions(page)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
        assertThat(seen).hasContent(page.toUri().toString());
        assertThat(registry.requests()).contains("POST /api/v1/console-links");
    }

    @ParameterizedTest
    @ValueSource(strings = {"..", "../../boilers/lots/B1", "a/./b"})
    void nameDoesNotLeadToAnotherAddress(String lot) {
        assertThat(signedIn().run("lots", "show", lot).status()).isEqualTo(Exit.USAGE);
        assertThat(signedIn().run("devices", "show", "..").status()).isEqualTo(Exit.USAGE);
        assertThat(registry.requests()).isEmpty();
    }

    @Test
    void answerThatIsNoLinkOpensNothing() {
        registry.says(201, "{\"url\":\"file:///etc/passwd#code=abc\"}");

        assertThat(signedIn().with("BROWSER", "/bin/true").run("console").status())
                .isEqualTo(Exit.SERVER_FAULT);
        assertThat(home.resolve("muster/console.html")).doesNotExist();
    }

    @Test
    void pageThatComesAgainEndsTheList() {
        registry.says(200, "{\"devices\":[],\"next\":\"a\"}").says(200, "{\"devices\":[],\"next\":\"a\"}");

        Desk.Ran ran = signedIn().run("devices", "list", "--all");

        assertThat(ran.status()).isEqualTo(Exit.SERVER_FAULT);
        assertThat(registry.requests()).hasSize(2);
    }

    @Test
    void answerThatIsTooDeepIsNoFaultOfTheProgram() {
        registry.says(200, "[".repeat(200_000));

        assertThat(signedIn().run("whoami").status()).isNotEqualTo(Exit.FAULT);
    }

    @Test
    void linkToTheConsoleIsPrintedIfWanted() {
        registry.says(201, "{\"url\":\"https://registry.example/ui#code=abc\"}");

        assertThat(signedIn().run("console", "--print").out().strip())
                .isEqualTo("https://registry.example/ui#code=abc");
    }

    @Test
    void redirectIsNotFollowed() {
        registry.says(307, "", "Location", registry.url() + "/elsewhere");

        Desk.Ran ran = signedIn().run("whoami");

        assertThat(ran.status()).isEqualTo(Exit.SERVER_FAULT);
        assertThat(ran.err()).contains("redirects to", "the token is not sent");
        assertThat(registry.requests()).containsExactly("GET /api/v1/me");
    }

    @Test
    void tokenIsRenewedInTheProfileAndShownNowhere() {
        registry.says(200, "{\"name\":\"ann\"}")
                .says(200, "{\"name\":\"ann\",\"token\":\"mo_new\"}")
                .says(200, "{}");
        desk().typing(TOKEN).run("login", registry.url());

        Desk.Ran ran = desk().run("renew", "--overlap", "PT1H");
        desk().run("whoami");

        assertThat(ran.status()).as(ran.err()).isZero();
        assertThat(ran.out() + ran.err()).doesNotContain("mo_new");
        assertThat(registry.asked().get(1).body()).isEqualTo("{\"overlap\":\"PT1H\"}");
        assertThat(registry.asked().get(2).authorization()).isEqualTo("Bearer mo_new");
    }

    // failures

    @ParameterizedTest
    @CsvSource({"400,3", "401,4", "403,4", "404,5", "409,6", "412,6", "413,3", "429,7", "500,8", "502,8", "503,7"})
    void exitCodeTellsTheKindOfFailure(int status, int exit) {
        registry.says(status, problem("some-problem", status, ",\"detail\":\"why\""));

        Desk.Ran ran = signedIn().run("whoami");

        assertThat(ran.status()).isEqualTo(exit);
        assertThat(ran.err()).contains("Title of some-problem (some-problem, " + status + ")", "why");
        assertThat(ran.out()).isEmpty();
    }

    @Test
    void everyFaultIsShownAndNoneControlsTheTerminal() {
        registry.says(
                400,
                problem(
                        "invalid-request",
                        400,
                        ",\"errors\":[{\"pointer\":\"#/filter\",\"detail\":\"character 1: \\u001b[2Junknown\"},"
                                + "{\"pointer\":\"#/lot\",\"detail\":\"is required\"}]"));

        Desk.Ran ran = signedIn().run("devices", "list", "--filter", "colour eq 1");

        assertThat(ran.err()).contains("  filter: character 1: ?[2Junknown", "  lot: is required");
    }

    @Test
    void registryThatIsNotThereIsUnavailableAndATokenIsInNoMessage() {
        registry.close();

        Desk.Ran ran = signedIn().run("whoami");

        assertThat(ran.status()).isEqualTo(Exit.UNAVAILABLE);
        assertThat(ran.err()).contains(registry.url()).doesNotContain(TOKEN);
    }

    @Test
    void busyRegistryIsAskedAgainWhenItSaysAndNotForEver() {
        registry.says(503, problem("too-busy", 503, ""), "Retry-After", "7").says(200, "{\"name\":\"ann\"}");
        Desk desk = signedIn();
        assertThat(desk.run("whoami").status()).isZero();
        assertThat(desk.pauses()).containsExactly(Duration.ofSeconds(7));

        ScriptedRegistry busy =
                new ScriptedRegistry().says(429, problem("too-many-requests", 429, ""), "Retry-After", "30");
        Desk other = desk().with("MUSTER_URL", busy.url()).with("MUSTER_TOKEN", TOKEN);
        Desk.Ran ran = other.run("whoami");
        busy.close();

        assertThat(ran.status()).isEqualTo(Exit.UNAVAILABLE);
        assertThat(ran.err()).contains("Ask again in 30 s");
        assertThat(other.pauses()).hasSize(4);
    }

    // lists

    @Test
    void cursorsAreFollowedToTheLimit() {
        registry.says(200, "{\"events\":[{\"type\":\"a\"},{\"type\":\"b\"}],\"next\":\"x y\"}")
                .says(200, "{\"events\":[{\"type\":\"c\"}],\"next\":\"z\"}");

        Desk.Ran ran = signedIn().run("events", "list", "--limit", "3", "-o", "json");

        assertThat(ran.out()).isEqualTo("[\n{\"type\":\"a\"},\n{\"type\":\"b\"},\n{\"type\":\"c\"}\n]\n");
        assertThat(ran.err()).contains("There is more");
        assertThat(registry.requests())
                .containsExactly("GET /api/v1/events?limit=3", "GET /api/v1/events?limit=1&cursor=x%20y");
    }

    @Test
    void allPagesAreListedAlsoThoseThatAreEmpty() {
        registry.says(200, "{\"serials\":[],\"next\":\"1\"}").says(200, "{\"serials\":[{\"serial\":\"S\"}]}");

        Desk.Ran ran = signedIn().run("serials", "list", "--all", "--fleet", "a b", "--columns", "serial");

        assertThat(ran.out()).isEqualTo("SERIAL\nS\n");
        assertThat(ran.err()).isEmpty();
        assertThat(registry.requests()).last().asString().contains("/fleets/a%20b/serials?limit=1000&cursor=1");
    }

    @Test
    void tableFitsTheTerminalWhateverStrangersWrite() {
        registry.says(
                200,
                "{\"serials\":[{\"serial\":\"SN-1\",\"name\":\"\\u001b]0;x\\u0007\\u202e" + "\u6c34\u6cf5".repeat(40)
                        + "\"},{\"serial\":\"SN-2\",\"name\":\"e\\u0301\"}]}");

        Desk.Ran ran = signedIn().atTerminal(60).run("serials", "list");

        assertThat(ran.out().lines().map(Printable::width)).allMatch(width -> width <= 60);
        assertThat(ran.out()).contains("SN-1").doesNotContain("\u001b", "\u0007", "\u202e");
    }

    @Test
    void csvHasNoFormulasAndNumbersStayNumbers() {
        registry.says(
                200,
                "{\"serials\":[{\"serial\":\"=1+1\",\"name\":\"a,\\\"b\\\"\",\"attributes\":{\"t\":-5,\"f\":\"-x\"}}]}");

        Desk.Ran ran =
                signedIn().run("serials", "list", "-o", "csv", "--columns", "serial,name,attributes.t,attributes.f");

        assertThat(ran.out()).isEqualTo("serial,name,attributes.t,attributes.f\r\n'=1+1,\"a,\"\"b\"\"\",-5,'-x\r\n");
    }

    @Test
    void jsonIsHarmlessAndStaysWhatItWas() throws IOException {
        registry.says(200, "{\"name\":\"\\u009b\\u202ex\\ud83d\\ude00\"}");

        Desk.Ran ran = signedIn().run("fleets", "show", "f", "-o", "json");

        assertThat(ran.out()).doesNotContain("\u009b", "\u202e");
        assertThat(Json.object(ran.out())).containsEntry("name", "\u009b\u202ex\ud83d\ude00");
    }

    @Test
    void watchEndsWhenTheUserInterruptsItOrTheJobHasEnded() {
        registry.says(200, "{\"webhooks\":[]}");
        assertThat(signedIn()
                        .interruptedAfter(2)
                        .run("webhooks", "list", "--watch")
                        .status())
                .isEqualTo(Exit.INTERRUPTED);
        assertThat(registry.requests()).hasSize(3);

        registry.says(200, "{\"state\":\"running\"}").says(200, "{\"state\":\"done\",\"endedAt\":\"now\"}");
        assertThat(signedIn().run("jobs", "show", "j", "--watch=5").status()).isZero();
    }

    // changes

    @Test
    void changeKeepsTheRestAndCountsForTheVersionThatWasRead() {
        registry.says(
                        200,
                        "{\"id\":\"w\",\"url\":\"https://a.example/\",\"types\":[\"registered\"],\"description\":\"old\"}",
                        "ETag",
                        "\"7\"")
                .says(412, problem("precondition-failed", 412, ""));

        Desk.Ran ran = signedIn().run("webhooks", "update", "w", "--enabled", "false", "--description", "");

        assertThat(registry.asked().get(1).ifMatch()).isEqualTo("\"7\"");
        assertThat(registry.asked().get(1).body())
                .isEqualTo("{\"url\":\"https://a.example/\",\"types\":[\"registered\"],\"enabled\":false}");
        assertThat(ran.status()).isEqualTo(Exit.CONFLICT);
        assertThat(ran.err()).contains("Somebody changed it since it was read");
    }

    @Test
    void mergePatchHasOnlyWhatOptionsName() {
        registry.says(200, "{}");

        signedIn().run("devices", "update", "d", "--tags", "room=12", "--tags", "hall=", "--attributes", "limit=21.5");

        assertThat(registry.asked().get(0).type()).isEqualTo("application/merge-patch+json");
        assertThat(registry.asked().get(0).body())
                .isEqualTo("{\"tags\":{\"room\":\"12\",\"hall\":null},\"attributes\":{\"limit\":21.5}}");
    }

    @Test
    void manyDevicesNeedAYesOrTheNameOfTheFleet() {
        registry.says(202, "{\"id\":\"j\",\"state\":\"waiting\"}");
        String[] all = {"devices", "delete", "--all", "--fleet", "pumps"};

        Desk.Ran program = signedIn().run(all);
        assertThat(program.status()).isEqualTo(Exit.NOT_CONFIRMED);
        assertThat(program.err()).contains("every device of the fleet pumps", "--yes");
        assertThat(signedIn().atTerminal(80).typing("pump\n").run(all).status()).isEqualTo(Exit.NOT_CONFIRMED);
        assertThat(registry.requests()).isEmpty();

        assertThat(signedIn().atTerminal(80).typing("pumps\n").run(all).status())
                .isZero();
        assertThat(registry.asked().get(0).body()).isEqualTo("{\"all\":true,\"action\":\"delete\"}");
        assertThat(signedIn().run("devices", "disable", "--yes").status()).isEqualTo(Exit.USAGE);
        assertThat(signedIn().run("devices", "disable", "a", "--all", "--yes").status())
                .isEqualTo(Exit.USAGE);
    }

    @Test
    void oneDeviceIsNoJobAndIsDeletedOnlyIfConfirmed() {
        registry.says(200, "{}").says(204, "");

        assertThat(signedIn().run("devices", "disable", "d/1").status()).isZero();
        assertThat(signedIn().run("devices", "delete", "d").status()).isEqualTo(Exit.NOT_CONFIRMED);
        assertThat(signedIn().run("devices", "delete", "d", "--yes").status()).isZero();

        assertThat(registry.requests())
                .containsExactly("POST /api/v1/devices/d%2F1/disable", "DELETE /api/v1/devices/d");
    }

    @Test
    void everyCandidateIsDecidedAThousandInEachRequest() {
        registry.says(200, "{\"changed\":1000,\"unchanged\":0,\"more\":true}")
                .says(200, "{\"changed\":5,\"unchanged\":0,\"contested\":[\"c\"],\"more\":false}");

        Desk.Ran ran = signedIn().run("approvals", "approve", "--lot", "L", "--reason", "r");

        assertThat(ran.status()).isEqualTo(Exit.DIFFERENT);
        assertThat(ran.out()).containsPattern("changed +1005");
        assertThat(registry.asked()).hasSize(2).allMatch(one -> one.body().equals("{\"lot\":\"L\",\"reason\":\"r\"}"));
    }

    // jobs

    @Test
    void importWaitsForItsJobAlsoWhileTheRegistryIsUnreachable() throws IOException {
        Path file = Files.writeString(home.resolve("s.csv"), "serial\nSN 1\n");
        registry.says(202, "{\"id\":\"j\",\"state\":\"waiting\"}")
                .says(200, "{\"id\":\"j\",\"state\":\"running\",\"done\":1,\"total\":2}")
                .says(502, "")
                .says(200, "{\"id\":\"j\",\"state\":\"done\",\"done\":2,\"total\":2,\"failed\":1}")
                .says(200, "fault,serial\nbad,SN 1\n");
        Path failures = home.resolve("failures.csv");

        Desk.Ran ran = signedIn()
                .atTerminal(80)
                .run("serials", "import", file.toString(), "--wait", "--failures", failures.toString());

        assertThat(ran.status()).as(ran.err()).isEqualTo(Exit.DIFFERENT);
        assertThat(ran.err())
                .contains("[############............] running 1 of 2")
                .contains("muster jobs wait j");
        assertThat(failures).hasContent("fault,serial\nbad,SN 1");
        assertThat(registry.asked().get(0).body()).isEqualTo("serial\nSN 1\n");
        assertThat(registry.requests()).last().isEqualTo("GET /api/v1/fleets/default/jobs/j/failures");
    }

    @Test
    void progressIsForTerminalsOnly() {
        registry.says(200, "{\"state\":\"running\"}").says(200, "{\"state\":\"done\"}");

        assertThat(signedIn().run("jobs", "wait", "j").err()).isEmpty();
    }

    // files and secrets

    @Test
    void exportIsWrittenAsItIsAndAnIncompleteOneIsAFailure() throws IOException {
        Path file = home.resolve("out.csv");
        registry.says(200, "serial,name\n=1,+x\n").says(200, "serial\nTHIS EXPORT IS INCOMPLETE, REQUEST IT AGAIN\n");

        assertThat(signedIn()
                        .run("serials", "export", "--save", file.toString())
                        .status())
                .isZero();
        assertThat(file).hasContent("serial,name\n=1,+x");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        Desk.Ran again = signedIn().run("serials", "export", "--save", file.toString());
        assertThat(again.status()).isEqualTo(Exit.USAGE);
        assertThat(again.err()).contains("is there already");

        Path other = home.resolve("other.csv");
        assertThat(signedIn()
                        .run("serials", "export", "--save", other.toString())
                        .status())
                .isEqualTo(Exit.DIFFERENT);
        assertThat(other).doesNotExist();
    }

    @Test
    void newSecretIsInItsFileOrIsShownOnce() throws IOException {
        registry.says(201, "{\"id\":\"o\",\"name\":\"bot\",\"token\":\"mo_new\"}");
        Path file = home.resolve("bot.token");

        Desk.Ran ran = signedIn()
                .run(
                        "operators",
                        "create",
                        "bot",
                        "--grants",
                        "[{\"role\":\"viewer\"}]",
                        "--secret-file",
                        file.toString());

        assertThat(ran.status()).as(ran.err()).isZero();
        assertThat(ran.out() + ran.err()).contains("bot").doesNotContain("mo_new");
        assertThat(file).hasContent("mo_new");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(registry.asked().get(0).body()).isEqualTo("{\"name\":\"bot\",\"grants\":[{\"role\":\"viewer\"}]}");
        assertThat(signedIn().run("operators", "create", "bot", "-o", "json").out())
                .contains("mo_new");
    }

    @Test
    void anyRequestCanBeSentButToThisRegistryOnly() {
        registry.says(200, "{\"a\":1}");

        Desk.Ran ran = signedIn().typing("{\"x\":2}").run("api", "post", "/api/v1/new?y=z", "--body", "-");

        assertThat(ran.out()).isEqualTo("{\"a\":1}");
        assertThat(registry.requests()).containsExactly("POST /api/v1/new?y=z");
        assertThat(registry.asked().get(0).body()).isEqualTo("{\"x\":2}");
        assertThat(signedIn().run("api", "GET", "https://other.example/").status())
                .isEqualTo(Exit.USAGE);
        assertThat(signedIn().run("api", "GET", "@other.example/").status()).isEqualTo(Exit.USAGE);
        assertThat(signedIn()
                        .run("api", "GET", "/", "--header", "Authorization: x")
                        .status())
                .isEqualTo(Exit.USAGE);
    }

    @Test
    void wrongUsageIsSaidWithoutARequest() {
        assertThat(signedIn().run("devices").status()).isEqualTo(Exit.USAGE);
        assertThat(signedIn().run("device").err()).contains("Did you mean", "muster devices");
        assertThat(signedIn().run("lots", "update", "L", "--paused", "maybe").status())
                .isEqualTo(Exit.USAGE);
        assertThat(signedIn().run("fleets", "update", "f", "--set", "x").status())
                .isEqualTo(Exit.USAGE);
        assertThat(signedIn().run("devices", "export", "--format", "xml").status())
                .isEqualTo(Exit.USAGE);
        assertThat(registry.requests()).isEmpty();
    }

    @Test
    void completionKnowsTheCommands() {
        Desk.Ran ran = desk().run("completion", "zsh");

        assertThat(ran.status()).isZero();
        assertThat(ran.out()).contains("bashcompinit", "enrolment-keys", "--secret-file");
    }
}
