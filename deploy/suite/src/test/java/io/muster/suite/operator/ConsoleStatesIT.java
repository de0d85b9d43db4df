// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Request;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.user.Chromium;
import io.muster.suite.user.Chromium.Visitor;
import java.net.URI;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The views of the console in a real browser, empty, loading and failing, and with texts of strangers: with answers that the test makes
 * up. {@link OperatorsDayIT} has them full, and makes nothing up.
 */
@Tag("extended")
class ConsoleStatesIT {

    private static final List<String> VIEWS = List.of(
            "overview",
            "events",
            "fleets",
            "operators",
            "record",
            "signing-keys",
            "brokers",
            "me",
            "fleets/default/devices",
            "fleets/default/approvals",
            "fleets/default/serials",
            "fleets/default/lots",
            "fleets/default/jobs",
            "fleets/default/orders",
            "fleets/default/claims",
            "fleets/default/webhooks",
            "fleets/default/enrolment-keys",
            "fleets/default/rules");

    private static final String ID = "a".repeat(32);
    private static final String MARKUP = "<img src=x onerror=alert(1)>";
    private static final String ADMIN = "{\"id\":\"" + ID + "\",\"name\":\"ann\",\"grants\":[{\"role\":\"admin\"}],"
            + "\"rights\":[\"approvals:read\",\"approvals:write\",\"devices:read\",\"devices:write\",\"fleets:read\","
            + "\"fleets:write\",\"jobs:read\",\"keys:write\",\"lots:write\",\"metrics:read\",\"operators:write\","
            + "\"serials:read\",\"serials:write\",\"signing:write\",\"webhooks:read\",\"webhooks:write\"],"
            + "\"active\":true,\"createdAt\":\"2026-11-30T09:00:00Z\"}";
    private static final String FLEET =
            "{\"name\":\"default\",\"verifiers\":[\"block-list\",\"database\"],\"required\":1,\"registerAgain\":\"never\","
                    + "\"issuer\":\"standard\"}";
    private static final String EMPTY = "{\"devices\":[],\"events\":[],\"operators\":[" + ADMIN + "],\"seals\":[],"
            + "\"signingKeys\":[],\"approvals\":[],\"serials\":[],\"lots\":[],\"jobs\":[],\"allowances\":[],"
            + "\"webhooks\":[],\"enrolmentKeys\":[],\"statistics\":[],\"keys\":[]}";
    private static final String STRANGER = "{\"devices\":[{\"deviceId\":\"" + ID
            + "\",\"fleet\":\"default\",\"serial\":\"" + MARKUP + "\",\"name\":\"" + MARKUP
            + "\",\"state\":\"active\",\"tags\":{\"lot\":\"" + MARKUP + "\"},\"createdAt\":\"2026-11-30T09:00:00Z\"}]}";

    private static final String CONTESTED = "{\"approvals\":[" + entry("b") + "," + entry("c") + "]}";

    private static Chromium chromium;

    private final URI base = SharedWorld.embedded().server().base();
    private Visitor visitor;
    private Page page;
    private volatile String lists = EMPTY;
    /** The status of every answer but those for the frame. With 200 the answer is {@link #lists}; 0 is no answer at all. */
    private volatile int status = 200;

    /** One of two devices that claim a serial. */
    private static String entry(String digit) {
        return "{\"id\":\"" + digit.repeat(32) + "\",\"serial\":\"SN-1\",\"binding\":\"" + digit.repeat(43)
                + "\",\"state\":\"waiting\",\"origin\":\"192.0.2.7\",\"firstSeen\":\"2026-11-30T09:00:00Z\","
                + "\"lastSeen\":\"2026-11-30T09:05:00Z\",\"tries\":5,"
                + "\"verifiers\":[{\"verifier\":\"approval\",\"verdict\":\"pending\"}],"
                + "\"neighbours\":{\"sameSerial\":1,\"sameOrigin\":1,\"sameLot\":0}}";
    }

    @BeforeAll
    static void startBrowser() {
        chromium = Chromium.start();
    }

    @AfterAll
    static void stopBrowser() {
        if (chromium != null) {
            chromium.close();
        }
    }

    @BeforeEach
    void visit() {
        visitor = chromium.operator(base);
        page = visitor.page();
        page.route(Pattern.compile("/api/v1/|/metrics$|/[.]well-known/"), this::made);
    }

    @AfterEach
    void leave() {
        visitor.close();
    }

    private void made(Route route) {
        Request request = route.request();
        String path = URI.create(request.url()).getPath();
        switch (path) {
            case "/api/v1/console" -> answer(route, 200, "{\"signIn\":false,\"operator\":" + ADMIN + "}");
            case "/api/v1/fleets" -> answer(route, 200, "{\"fleets\":[" + FLEET + "]}");
            default -> {
                if (status >= 400) {
                    answer(
                            route,
                            status,
                            "{\"type\":\"urn:muster:problem:too-busy\",\"title\":\"Too busy\",\"detail\":\"" + MARKUP
                                    + "\"}");
                } else if (status == 200) {
                    answer(route, 200, path.equals("/api/v1/fleets/default") ? FLEET : lists);
                }
            }
        }
    }

    private static void answer(Route route, int status, String body) {
        route.fulfill(new Route.FulfillOptions()
                .setStatus(status)
                .setContentType(status < 300 ? "application/json" : "application/problem+json")
                .setBody(body));
    }

    private void open(String view) {
        page.navigate(base.resolve("ui") + "#/" + view);
        page.locator("main h1").waitFor();
        PlaywrightAssertions.assertThat(page.locator(".loading, [aria-busy=true]"))
                .hasCount(0);
    }

    @Test
    void everyViewIsThereWhenThereIsNothing() {
        for (String view : VIEWS) {
            open(view);

            assertThat(page.locator(".fault-box").count()).as(view).isZero();
            visitor.check("empty-" + view.replace('/', '-'));
        }
        assertThat(visitor.hosts()).containsExactly(base.getAuthority());
    }

    @Test
    void everyViewSaysWhatWentWrong() {
        status = 503;
        for (String view : VIEWS) {
            open(view);

            if (!List.of("me", "fleets", "fleets/default/claims").contains(view)) {
                assertThat(page.locator(".fault-box").first().innerText())
                        .as(view)
                        .contains("The registry is busy", MARKUP);
            }
            // The browser logs each request that failed.
            visitor.faults().removeIf(fault -> fault.contains("Failed to load resource"));
            visitor.check("failing-" + view.replace('/', '-'));
        }
    }

    @Test
    void endOfASessionKeepsWhatWasTyped() {
        open("fleets/default/rules");
        Locator document = page.locator("textarea.document");
        document.fill("{\"verifiers\": [\"typed\"]}");
        status = 401;
        page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Save"))
                .last()
                .click();
        Locator token = page.locator(".alone input");
        token.waitFor();
        assertThat(document.isVisible()).isFalse();

        status = 200;
        token.fill("another");
        token.press("Enter");
        document.waitFor();

        assertThat(document.inputValue()).isEqualTo("{\"verifiers\": [\"typed\"]}");
        assertThat(token.count()).isZero();
    }

    @Test
    void slowRegistryKeepsTheFrameAndSaysSo() {
        status = 0;
        page.navigate(base.resolve("ui") + "#/fleets/default/devices");
        page.getByText("Loading").waitFor();

        assertThat(page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName("Serials"))
                        .count())
                .isEqualTo(1);
        visitor.check("loading");
    }

    @Test
    void textsOfStrangersAreNeverMarkup() {
        lists = STRANGER;
        open("fleets/default/devices");

        assertThat(page.locator("tbody td").first().innerText()).isEqualTo(MARKUP);
        assertThat(page.locator("main img").count()).isZero();
        visitor.check("strangers");
    }

    @Test
    void twoThatClaimOneSerialAreSideBySide() {
        lists = CONTESTED;
        open("fleets/default/approvals");
        page.getByText("Compare two").first().click();

        Locator cards = page.locator("dialog article");
        cards.nth(1).waitFor();
        assertThat(cards.nth(0).boundingBox().y).isEqualTo(cards.nth(1).boundingBox().y);
        assertThat(page.locator("dialog").getByText("Approve").count()).isEqualTo(2);
        visitor.check("pair");
    }

    @Test
    void phoneAndDarkAndGermanFit() {
        page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.DARK));
        page.setViewportSize(Chromium.PHONE_WIDTH, 740);
        open("overview");
        page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Menu"))
                .click();
        page.getByLabel("Language").selectOption("de");
        page.getByText("Was einen Menschen braucht").waitFor();
        visitor.check("phone-menu");
        open("fleets/default/serials");
        visitor.check("phone-serials");
    }

    @Test
    void keysGoToViewsAndSearch() {
        open("overview");
        page.keyboard().press("g");
        page.keyboard().press("d");
        page.getByRole(AriaRole.HEADING, new Page.GetByRoleOptions().setName("Devices"))
                .waitFor();
        page.keyboard().press("/");

        assertThat(page.evaluate("document.activeElement.type")).isEqualTo("search");
        page.keyboard().press("Escape");
        page.evaluate("document.activeElement.blur()");
        page.keyboard().press("?");
        page.getByRole(AriaRole.DIALOG).waitFor();
        visitor.check("keys");
    }
}
