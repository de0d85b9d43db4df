// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.microsoft.playwright.Download;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.FilePayload;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import io.muster.suite.server.MusterServer;
import io.muster.suite.user.Chromium;
import io.muster.suite.user.Chromium.Visitor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An operator's day, from an empty registry on, in a browser alone. Only devices speak to the registry without it. The methods are the
 * hours of the day, one after the other.
 */
@Aside
@Tag("extended")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OperatorsDayIT {

    private static final String FLEET = "boilers";
    private static final int SERIALS = 1000;
    private static final int DEVICES = 500;
    private static final List<Integer> BAD = List.of(10, 500, 990);

    private static Chromium chromium;
    private static MusterServer server;
    private static RegistryUnderTest registry;
    private static Visitor visitor;
    private static Page page;

    @BeforeAll
    static void start() {
        chromium = Chromium.start();
        server = MusterServer.start(SharedWorld.settings(SharedWorld.directory("operators-day"), Map.of()));
        registry = new RegistryUnderTest(server, server.operatorToken());
        visitor = chromium.operator(server.base());
        page = visitor.page();
    }

    @AfterAll
    static void stop() {
        if (visitor != null) {
            visitor.close();
        }
        if (server != null) {
            server.close();
        }
        if (chromium != null) {
            chromium.close();
        }
    }

    private static Locator button(String name) {
        return button(page, name);
    }

    private static Locator button(Page page, String name) {
        return page.getByRole(
                AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
    }

    private static Locator inDialog(String name) {
        return page.getByRole(AriaRole.DIALOG)
                .getByRole(
                        AriaRole.BUTTON,
                        new Locator.GetByRoleOptions().setName(name).setExact(true));
    }

    private static Locator field(String label) {
        return page.getByRole(AriaRole.DIALOG).getByLabel(label, new Locator.GetByLabelOptions().setExact(true));
    }

    private static Locator heading(Page page, String text) {
        return page.locator("main h1", new Page.LocatorOptions().setHasText(text));
    }

    private static void go(String view) {
        page.evaluate("view => { location.hash = '#/' + view; }", view);
    }

    private static void signIn(Page page, String token) {
        page.navigate(server.base().resolve("ui").toString());
        page.getByLabel("Operator token").fill(token);
        button(page, "Sign in").click();
        heading(page, "Overview").waitFor();
    }

    @Test
    @Order(11)
    void linkSignsInOnceAndIsGoneFromTheAddress() {
        String link = registry.post("api/v1/console-links", JSON, "{}", registry.asOperator())
                .json()
                .path("url")
                .asText();
        try (Visitor somebody = chromium.operator(server.base())) {
            somebody.page().navigate(link);
            heading(somebody.page(), "Overview").waitFor();
            assertThat(somebody.page().url()).doesNotContain("code");
            button(somebody.page(), "Sign out").click();
            somebody.page().getByLabel("Operator token").waitFor();

            somebody.page().navigate("about:blank");
            somebody.page().navigate(link);
            somebody.page()
                    .getByText("This sign-in or link is used up or too old")
                    .waitFor();
            somebody.check("link-used");
        }
    }

    private static String serial(int number) {
        return String.format("BO-%05d", number);
    }

    @Test
    @Order(1)
    void wrongTokenStaysInTheFieldAndTheRightOneShowsAnEmptyRegistry() {
        page.navigate(server.base().resolve("ui").toString());
        page.getByLabel("Operator token").fill("mo_" + "A".repeat(43));
        button("Sign in").click();
        page.getByText("This token is not known").waitFor();
        assertThat(page.getByLabel("Operator token").inputValue()).startsWith("mo_AAAA");
        visitor.check("sign-in");

        signIn(page, registry.operatorToken());
        page.getByText("Nothing needs you now").waitFor();
        page.getByText("First steps").waitFor();
        page.reload();
        page.getByText("First steps").waitFor();
        visitor.check("overview-empty");
        assertThat(page.evaluate("JSON.stringify([localStorage, sessionStorage])")
                        .toString())
                .doesNotContain(registry.operatorToken());
    }

    @Test
    @Order(2)
    void fleetGetsItsVerifiersAndAllFaultsAreShown() {
        go("fleets");
        button("New fleet").click();
        field("Name").fill(FLEET);
        field("Verifiers").fill("nonsense");
        inDialog("New fleet").click();
        page.getByRole(AriaRole.DIALOG).getByRole(AriaRole.ALERT).waitFor();
        assertThat(field("Name").inputValue()).isEqualTo(FLEET);
        visitor.check("fleet-fault");
        field("Verifiers").fill("database block-list");
        inDialog("New fleet").click();
        heading(page, FLEET).waitFor();

        page.locator(".order li").nth(1).focus();
        page.keyboard().press("ArrowUp");
        button("Save").first().click();
        page.getByText("Saved.").waitFor();

        JsonNode stored =
                registry.get("api/v1/fleets/" + FLEET, registry.asOperator()).json();
        assertThat(stored.path("verifiers").get(0).asText()).isEqualTo("block-list");
        visitor.check("fleet");
    }

    private static String csv(boolean mended) {
        return "serial,name,lot\n"
                + IntStream.range(0, SERIALS)
                        .mapToObj(i ->
                                (!mended && BAD.contains(i) ? "BAD " + i : serial(i)) + ",Boiler " + i + ",2026-12\n")
                        .collect(Collectors.joining());
    }

    private static void drop(String content) {
        page.locator("#file")
                .setInputFiles(new FilePayload("serials.csv", "text/csv", content.getBytes(StandardCharsets.UTF_8)));
        page.getByText("of 1,000 rows done")
                .or(page.getByText("of 3 rows done"))
                .waitFor();
        page.locator(".head .state-done").waitFor();
    }

    @Test
    @Order(3)
    void thousandSerialsAreImportedAndThreeBadRowsMended() throws IOException {
        go("fleets/" + FLEET + "/serials");
        page.getByText("No serial is expected yet").waitFor();
        visitor.check("serials-empty");
        drop(csv(false));
        page.getByText("3 rows failed").waitFor();
        visitor.check("import");
        Download download =
                page.waitForDownload(() -> button("Download failed rows").click());
        String failed;
        try (InputStream in = download.createReadStream()) {
            failed = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertThat(failed.lines()).hasSize(4);

        String mended = failed;
        for (int i : BAD) {
            mended = mended.replace("BAD " + i, serial(i));
        }
        page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName("Send the mended file"))
                .click();
        drop(mended);
        page.getByText("Every row was done").waitFor();

        JsonNode lot = registry.get("api/v1/fleets/" + FLEET + "/lots/2026-12", registry.asOperator())
                .json();
        assertThat(lot.path("imported").asInt()).isEqualTo(SERIALS);
        go("fleets/" + FLEET + "/serials");
        page.locator("tbody tr").first().waitFor();
        visitor.check("serials");
    }

    @Test
    @Order(4)
    void refusalIsExplainedRuleByRule() {
        go("fleets/" + FLEET + "/rules");
        page.getByLabel("Serial", new Page.GetByLabelOptions().setExact(true))
                .first()
                .fill("BO-99999");
        button("Explain").click();
        page.getByText("This registration would be refused").waitFor();

        assertThat(page.locator(".trail li").count()).isEqualTo(2);
        assertThat(page.getByText("Rule 5:").count()).isEqualTo(1);
        visitor.check("explain");
    }

    @Test
    @Order(5)
    void waitingDeviceIsApproved() {
        go("fleets");
        button("New fleet").click();
        field("Name").fill("watched");
        field("Verifiers").fill("approval");
        inDialog("New fleet").click();
        heading(page, "watched").waitFor();
        assertThat(registry.registerIn("watched", "WA-00001").status()).isEqualTo(202);

        go("overview");
        page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName("waiting for approval"))
                .click();
        page.getByText("WA-00001").waitFor();
        visitor.check("approvals");
        button("Approve").first().click();
        inDialog("Approve").click();
        page.getByText("Nothing waits for you").waitFor();

        assertThat(registry.registerIn("watched", "WA-00001").status()).isEqualTo(200);
    }

    @Test
    @Order(6)
    void fiveHundredDevicesAreDisabledByTheirFilter() {
        for (int i = 0; i < DEVICES; i++) {
            registry.registered(FLEET, serial(i));
        }
        assertThat(registry.registered(FLEET, serial(SERIALS - 1)).deviceId()).isNotEmpty();
        go("fleets/" + FLEET + "/devices?filter="
                + RegistryUnderTest.encoded("name ne \"Boiler " + (SERIALS - 1) + "\""));
        page.locator("tbody tr").first().waitFor();
        visitor.check("devices");
        page.locator(".bulk select").selectOption("disable");
        inDialog("Count first").click();
        page.getByText("500 devices would be changed").waitFor();
        visitor.check("bulk");
        field("Type " + FLEET + " to confirm").fill("boiler");
        inDialog("Disable 500 devices").click();
        page.getByText("Type exactly").waitFor();
        field("Type " + FLEET + " to confirm").fill(FLEET);
        inDialog("Disable 500 devices").click();
        page.getByText("500 of 500 rows done").waitFor();
        page.getByText("Every row was done").waitFor();

        for (int number : new int[] {0, DEVICES - 1, SERIALS - 1}) {
            JsonNode device = registry.listDevices("?fleet=" + FLEET + "&serial=" + serial(number))
                    .json()
                    .path("devices")
                    .get(0);
            assertThat(device.path("state").asText())
                    .as(serial(number))
                    .isEqualTo(number < DEVICES ? "disabled" : "active");
        }
        visitor.check("job");
    }

    @Test
    @Order(7)
    void revokedDeviceHasARecordThatVerifies() {
        go("fleets/" + FLEET + "/devices");
        page.getByRole(
                        AriaRole.LINK,
                        new Page.GetByRoleOptions().setName(serial(0)).setExact(true))
                .click();
        heading(page, "Boiler 0").waitFor();
        visitor.check("device");
        page.locator(".head")
                .getByText("Revoke", new Locator.GetByTextOptions().setExact(true))
                .click();
        field("Type " + serial(0) + " to confirm").fill(serial(0));
        field("Reason").fill("stolen");
        inDialog("Revoke").click();
        Locator row = page.locator("tr", new Page.LocatorOptions().setHasText("credentials revoked"));
        row.waitFor();
        // A record is sealed some seconds after it was written.
        String id = registry.get("api/v1/events?limit=1", registry.asOperator())
                .json()
                .path("events")
                .get(0)
                .path("id")
                .asText();
        Within.within(
                Duration.ofMinutes(1),
                "the record is sealed",
                () -> registry.get("api/v1/audit/records/" + id + "/receipt", registry.asOperator())
                                .status()
                        == 200);
        row.getByText("Verify").click();
        page.getByText("Intact: this is the record that was sealed").waitFor();
        visitor.check("verify");
        inDialog("Close").click();
        visitor.picture("device-revoked");
    }

    @Test
    @Order(8)
    void viewerOfOneFleetSeesThatFleetAndNoButtonThatDoesNotWork() {
        go("operators");
        button("New operator").click();
        field("Name").fill("vera");
        field("Fleets").fill(FLEET);
        inDialog("New operator").click();
        String token = page.locator(".secret").innerText();
        visitor.check("operator-token");
        inDialog("Close").click();

        try (Visitor viewer = chromium.operator(server.base())) {
            signIn(viewer.page(), token);
            for (String view : everyViewWorks(viewer.page())) {
                assertThat(view).doesNotContain("operators", "signing-keys", "brokers", "enrolment-keys", "claims");
            }
            viewer.check("viewer");
        }
    }

    /** Opens all views of the menu and returns their addresses. */
    private static List<String> everyViewWorks(Page page) {
        List<String> views = page.locator("#menu a").all().stream()
                .map(link -> link.getAttribute("href"))
                .toList();
        assertThat(views).hasSizeGreaterThan(8);
        boolean changesNothing = page.locator("#menu a[href$='/claims']").count() == 0;
        for (String view : views) {
            Locator link = page.locator("#menu a[href='" + view + "']");
            link.click();
            PlaywrightAssertions.assertThat(link).hasAttribute("aria-current", "page");
            PlaywrightAssertions.assertThat(page.locator(".loading, [aria-busy=true]"))
                    .hasCount(0);
            assertThat(page.locator(".fault-box").count()).as(view).isZero();
            if (changesNothing) {
                assertThat(page.locator("main .danger, main button.main, main .drop, main .bulk")
                                .allInnerTexts())
                        .as("buttons in " + view)
                        .isSubsetOf("Explain", "Preview");
            }
        }
        return views;
    }

    @ParameterizedTest
    @ValueSource(strings = {"operator", "manager", "admin"})
    @Order(9)
    void everyRoleSeesViewsThatWork(String role) {
        String grant = "{\"role\":\"" + role + "\"" + (role.equals("admin") ? "}" : ",\"fleets\":[\"" + FLEET + "\"]}");
        Reply made = registry.post(
                "api/v1/operators",
                JSON,
                "{\"name\":\"role " + role + "\",\"grants\":[" + grant + "]}",
                registry.asOperator());
        try (Visitor somebody = chromium.operator(server.base())) {
            signIn(somebody.page(), made.json().path("token").asText());
            everyViewWorks(somebody.page());
            assertThat(somebody.faults()).isEmpty();
        }
    }

    @Test
    @Order(10)
    void overviewShowsTheDay() {
        registry.registerIn("watched", "WA-00002");
        registry.post("fleets/" + FLEET + "/register", JSON, RegistryUnderTest.body("BO-99998"));
        go("overview");
        page.getByText("waiting for approval").waitFor();
        visitor.check("overview");
    }
}
