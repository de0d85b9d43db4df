// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.user;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Request;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.user.Chromium.Visitor;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every state of the claim page in a real browser, with answers that the test makes up. The page's files are the registry's own.
 * {@link ClaimingDayIT} has the whole way with nothing made up.
 */
@Tag("extended")
class ClaimPageIT {

    private static final String CODE = "ABCDE-FGHJK-MNPQR-STVWX-B";
    private static final String DEVICE = "{\"claimId\":\"" + "a".repeat(32) + "\",\"deviceId\":\"" + "b".repeat(32)
            + "\",\"fleet\":\"default\",\"serial\":\"SN-1\",\"name\":\"Boiler\",\"state\":\"active\","
            + "\"owner\":\"customers:ada\",\"claimedAt\":\"2026-11-30T09:00:00Z\",\"tags\":{\"room\":\"attic\"},"
            + "\"can\":{\"rename\":true,\"release\":true,\"transfer\":true,\"tags\":[\"room\"]}}";
    private static final String WAITING = "{\"claimId\":\"" + "c".repeat(32)
            + "\",\"fleet\":\"default\",\"serial\":\"SN-2\",\"name\":\"SN-2\",\"state\":\"expected\",\"group\":\"family\","
            + "\"owner\":\"customers:ada\",\"claimedAt\":\"2026-11-30T09:05:00Z\",\"tags\":{},"
            + "\"can\":{\"rename\":true,\"release\":false,\"transfer\":false,\"tags\":[]}}";

    private static Chromium chromium;

    private final URI base = SharedWorld.embedded().server().base();
    private final Map<String, Answer> answers = new TreeMap<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private Visitor visitor;
    private Page page;

    /** An answer that the test makes up; status 0 is a connection that breaks. */
    private record Answer(int status, String body, Map<String, String> headers) {}

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
        visitor = chromium.visitor(base);
        page = visitor.page();
        page.route(Pattern.compile("/claim/(page\\.json|session)|/claims(/.*|\\?.*)?$"), this::made);
        signedIn("\"family\"");
        answer("GET /claims", 200, "{\"items\":[" + DEVICE + "," + WAITING + "]}");
    }

    @AfterEach
    void leave() {
        visitor.close();
    }

    private void made(Route route) {
        Request request = route.request();
        String what = request.method() + " " + URI.create(request.url()).getPath();
        asked.add(what + (request.postData() == null ? "" : " " + request.postData()));
        Answer answer = answers.get(what);
        if (answer == null || answer.status() == 0) {
            route.abort();
            return;
        }
        route.fulfill(new Route.FulfillOptions()
                .setStatus(answer.status())
                .setContentType(answer.status() < 300 ? "application/json" : "application/problem+json")
                .setHeaders(answer.headers())
                .setBody(answer.body()));
    }

    private void answer(String what, int status, String body) {
        answers.put(what, new Answer(status, body, Map.of()));
    }

    private void refuse(int status, String type) {
        answer("POST /claims", status, "{\"type\":\"https://muster.example/problems/" + type + "\"}");
    }

    private void settings(String more) {
        answer(
                "GET /claim/page.json",
                200,
                "{\"address\":\"" + base.resolve("claim") + "\",\"languages\":[\"de\",\"en\"],"
                        + "\"providers\":[{\"name\":\"customers\"}]" + more + "}");
    }

    private void signedIn(String groups) {
        settings(",\"user\":{\"user\":\"customers:ada\",\"name\":\"Ada\",\"groups\":[" + groups + "]}");
    }

    private void open(String fragment) {
        page.navigate(base.resolve("claim") + fragment);
    }

    private Locator button(String name) {
        return page.getByRole(
                AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
    }

    private Locator code() {
        return page.getByLabel("Code", new Page.GetByLabelOptions().setExact(true));
    }

    private Locator field(String name) {
        return page.getByRole(
                AriaRole.TEXTBOX, new Page.GetByRoleOptions().setName(name).setExact(true));
    }

    private void says(String text) {
        page.getByText(text).first().waitFor();
    }

    private void focusIsOn(String idOrText) {
        page.waitForFunction(
                "wanted => (document.activeElement.id || document.activeElement.textContent.trim()) === wanted",
                idOrText);
    }

    @Test
    void nobodyIsSignedInAndTheCodeOfTheLinkIsKeptAndNoLongerShown() {
        settings("");
        open("#" + CODE);

        Locator signIn = page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName("Sign in"));
        signIn.waitFor();
        assertThat(page.url()).isEqualTo(base.resolve("claim").toString());
        assertThat(signIn.getAttribute("href")).endsWith("/claim/sign-in/customers");
        says("Your code is kept");
        visitor.check("signed-out");

        signedIn("");
        page.reload();
        assertThat(code().inputValue()).isEqualTo(CODE);
        assertThat(page.getByLabel("Who owns it?").count()).isZero();
        assertThat(visitor.hosts()).containsExactly(base.getAuthority());
    }

    @Test
    void signInThatFailedSaysWhy() {
        settings("");
        Map<String, String> reasons = Map.of(
                "refused", "cancelled or refused",
                "expired", "took too long",
                "unavailable", "cannot be reached",
                "failed", "The sign-in failed");
        reasons.forEach((reason, text) -> {
            page.navigate("about:blank");
            open("#!" + reason);
            says(text);
            assertThat(page.url()).doesNotContain("#");
        });
        visitor.check("sign-in-failed");
        page.navigate("about:blank");
        open("#!<b>made up</b>");
        page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName("Sign in"))
                .waitFor();
        assertThat(page.getByText("made up").count()).isZero();
    }

    @Test
    void codeIsScannedWithTheCamera() {
        open("");
        chromium.camera().sees("https://shop.example/boiler?order=12");
        button("Scan the code with the camera").click();
        says("is not for claiming a device");
        visitor.check("scanning");
        button("Stop the camera").click();
        focusIsOn("Scan the code with the camera");

        chromium.camera().sees("https://other.example/claim#" + CODE);
        button("Scan the code with the camera").click();
        says("another address: other.example");
        button("Stop the camera").click();

        chromium.camera().sees(base.resolve("claim") + "#" + CODE);
        button("Scan the code with the camera").click();
        says("The code is read");
        assertThat(code().inputValue()).isEqualTo(CODE);
        focusIsOn("Claim this device");
        visitor.check("scanned");
        assertThat(asked).noneMatch(what -> what.startsWith("POST"));

        // As it is in a code of capitals, which is smaller.
        chromium.camera().sees(base.resolve("claim").toString().toUpperCase(java.util.Locale.ROOT) + "#" + CODE);
        code().fill("");
        button("Scan the code with the camera").click();
        says("The code is read");
        assertThat(code().inputValue()).isEqualTo(CODE);
    }

    @Test
    void withoutACameraOrWithoutLeaveTheCodeIsTyped() {
        Map<String, String> faults = Map.of(
                "NotFoundError", "There is no camera",
                "NotAllowedError", "may not use the camera",
                "NotReadableError", "Another program uses the camera",
                "TypeError", "does not work here");
        page.addInitScript("window.cameraFault = '';navigator.mediaDevices.getUserMedia = () => Promise.reject(new"
                + " DOMException('', window.cameraFault));");
        open("");
        faults.forEach((fault, text) -> {
            page.evaluate("fault => { window.cameraFault = fault; }", fault);
            button("Scan the code with the camera").click();
            says(text);
            focusIsOn("code");
        });
        visitor.check("no-camera");

        try (Visitor insecure = chromium.visitor(base)) {
            insecure.page().addInitScript("Object.defineProperty(navigator, 'mediaDevices', {value: undefined});");
            insecure.page().route(Pattern.compile("/claim/page\\.json|/claims(\\?.*)?$"), this::made);
            insecure.page().navigate(base.resolve("claim").toString());
            insecure.page().getByText("only to pages with a secure connection").waitFor();
            assertThat(insecure.page().getByText("Scan the code").count()).isZero();
        }
    }

    @Test
    void mistypedCodeIsFoundBeforeAnybodyIsAsked() {
        open("");
        Map<String, String> faults = new TreeMap<>(Map.of(
                "",
                "Type or scan the code first",
                "a-b",
                "at least 4 characters",
                "A".repeat(65),
                "at most 64 characters",
                "AB_CD",
                "letters and digits only",
                CODE.replace("WX-B", "WX-C"),
                "a typing error",
                CODE.replace("WX-B", "XW-B"),
                "a typing error",
                "0000-0000-1",
                "a typing error"));
        faults.forEach((text, fault) -> {
            code().fill(text);
            button("Claim this device").click();
            says(fault);
            focusIsOn("code");
            assertThat(code().getAttribute("aria-invalid")).isEqualTo("true");
        });
        code().fill(CODE.replace("WX-B", "XW-B"));
        button("Claim this device").click();
        visitor.check("mistyped");
        assertThat(asked).noneMatch(what -> what.startsWith("POST"));
    }

    @Test
    void codeIsReadHoweverItIsWrittenAndGoesToTheGroupThatWasChosen() {
        answer("POST /claims", 201, DEVICE);
        open("");
        code().fill("  abcde fghjk\u2013mnpqr stvwx b ");
        page.getByLabel("Who owns it?").selectOption("family");
        button("Claim this device").press("Enter");
        says("Boiler is yours now.");

        assertThat(asked)
                .anyMatch(what -> what.startsWith("POST /claims {") && what.contains("\"to\":{\"group\":\"family\"}"));
        assertThat(code().inputValue()).isEmpty();
        assertThat(page.evaluate("sessionStorage.length")).isEqualTo(0);
        visitor.check("claimed");

        answer("POST /claims", 200, DEVICE);
        code().fill(base.resolve("claim") + "#" + CODE);
        code().press("Enter");
        says("Boiler is yours already.");
        assertThat(asked.stream()
                        .filter(what -> what.startsWith("POST"))
                        .toList()
                        .get(1))
                .contains(CODE);
    }

    @Test
    void refusalsKeepWhatWasTyped() {
        open("");
        code().fill(CODE);
        refuse(404, "claim-refused");
        button("Claim this device").click();
        says("There is no device to claim with this code");
        visitor.check("refused");
        refuse(409, "already-claimed");
        button("Claim this device").click();
        says("has an owner already");
        visitor.check("already-claimed");
        refuse(403, "not-in-group");
        page.getByLabel("Who owns it?").selectOption("family");
        button("Claim this device").click();
        says("You are not in the group family");
        answers.put("POST /claims", new Answer(429, "{}", Map.of("Retry-After", "150")));
        button("Claim this device").click();
        says("Try again in 3 minutes");
        visitor.check("too-many");
        refuse(503, "service-unavailable");
        button("Claim this device").click();
        says("busy or being serviced");
        answer("POST /claims", 500, "<html>not even JSON");
        button("Claim this device").click();
        says("went wrong on our side");
        answer("POST /claims", 0, "");
        button("Claim this device").click();
        says("There is no answer");
        assertThat(code().inputValue()).isEqualTo(CODE);

        page.reload();
        assertThat(code().inputValue()).isEqualTo(CODE);
        refuse(401, "unauthorized");
        button("Claim this device").click();
        says("You are no longer signed in");
        page.reload();
        assertThat(code().inputValue()).isEqualTo(CODE);
    }

    @Test
    void slowAnswerIsAnnouncedAndNothingIsSentTwice() {
        List<Route> waiting = new CopyOnWriteArrayList<>();
        open("");
        page.route(Pattern.compile("/claims$"), waiting::add);
        code().fill(CODE);
        button("Claim this device").click();
        // As an impatient finger does, which does not look whether the button is off.
        button("Claiming…").dispatchEvent("click");
        says("This takes longer than usual");
        visitor.check("slow");

        assertThat(waiting).hasSize(1);
        waiting.get(0)
                .fulfill(new Route.FulfillOptions()
                        .setStatus(201)
                        .setContentType("application/json")
                        .setBody(DEVICE));
        says("Boiler is yours now.");
    }

    @Test
    void pageThatReachesNothingSaysSo() {
        answer("GET /claim/page.json", 0, "");
        open("#" + CODE);
        says("There is no answer");

        signedIn("");
        button("Try again").click();
        code().waitFor();
        assertThat(code().inputValue()).isEqualTo(CODE);
    }

    @Test
    void devicesAreListedPageByPageAndAListThatFailsCanBeReadAgain() {
        answer("GET /claims", 200, "{\"items\":[" + DEVICE + "],\"next\":\"cursor\"}");
        open("");
        button("Rename Boiler").waitFor();
        answer("GET /claims", 200, "{\"items\":[" + WAITING + "]}");
        button("Show more").click();
        button("Rename SN-2").waitFor();
        assertThat(button("Rename Boiler").count()).isEqualTo(1);
        assertThat(button("Release SN-2").count()).isZero();
        assertThat(button("Show more").count()).isZero();
        visitor.check("devices");

        answer("GET /claims", 503, "{}");
        page.reload();
        says("busy or being serviced");
        answer("GET /claims", 200, "{\"items\":[]}");
        button("Try again").click();
        says("You have no devices yet");
        visitor.check("no-devices");
    }

    @Test
    void deviceIsRenamedReleasedAndHandedOver() {
        String own = "/claims/" + "b".repeat(32);
        open("");
        button("Rename Boiler").click();
        field("Name").fill("Heating");
        field("room").fill("");
        visitor.check("rename");
        answer("PATCH " + own, 400, "{\"errors\":[{\"pointer\":\"#/name\",\"detail\":\"must be shorter\"}]}");
        button("Save").click();
        says("must be shorter");
        assertThat(field("Name").inputValue()).isEqualTo("Heating");
        answer("PATCH " + own, 200, DEVICE);
        button("Save").click();
        says("Heating is saved.");
        assertThat(asked).contains("PATCH " + own + " {\"name\":\"Heating\",\"tags\":{\"room\":null}}");

        button("Release Boiler").click();
        focusIsOn("Keep it");
        visitor.check("release");
        page.keyboard().press("Escape");
        assertThat(page.locator("dialog").count()).isZero();
        assertThat(page.evaluate("document.activeElement.ariaLabel")).isEqualTo("Release Boiler");
        assertThat(asked).noneMatch(what -> what.startsWith("DELETE"));

        button("Hand over Boiler").click();
        answer("POST " + own + "/transfer", 201, "{\"code\":\"" + CODE + "\",\"expiresAt\":\"2026-12-01T09:00:00Z\"}");
        button("Make a code").click();
        page.getByRole(AriaRole.IMG, new Page.GetByRoleOptions().setName("Square code with the address and the code"))
                .waitFor();
        says(CODE);
        visitor.check("hand-over");
        button("Close").click();

        button("Release Boiler").click();
        answer("DELETE " + own, 404, "{}");
        button("Release it").click();
        says("no longer yours");
        answer("DELETE " + own, 204, "");
        button("Release it").click();
        says("Boiler belongs to nobody now.");
    }

    @Test
    void textsOfStrangersAreTextsAndNeverMarkup() {
        String evil = "<img src=x onerror=document.title='hacked'><script>document.title='hacked'</script>";
        answer(
                "GET /claims",
                200,
                "{\"items\":["
                        + DEVICE.replace("Boiler", evil).replace("SN-1", evil).replace("attic", evil) + "]}");
        settings(",\"user\":{\"user\":\"u\",\"name\":\"" + evil + "\",\"groups\":[\"" + evil + "\"]}");
        open("");
        page.getByRole(AriaRole.HEADING, new Page.GetByRoleOptions().setName(evil))
                .waitFor();

        assertThat(page.title()).isEqualTo("Muster");
        assertThat(page.locator("main img").count()).isZero();
        assertThat(page.evaluate("(() => { try { document.body.innerHTML = '<b>x</b>'; return 'markup'; } catch (e) {"
                        + " return e.name; } })()"))
                .isEqualTo("TypeError");
    }

    @Test
    void germanDarkNarrowAndLargeAreAsGood() {
        open("");
        page.getByLabel("Language").selectOption("de");
        says("Meine Geräte");
        assertThat(page.evaluate("document.documentElement.lang")).isEqualTo("de");
        visitor.check("german");
        page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.DARK));
        visitor.check("dark");
        // 360 points at 200 %.
        page.setViewportSize(Chromium.PHONE_WIDTH / 2, 370);
        visitor.check("zoomed");
        page.reload();
        says("Meine Geräte");
    }

    @Test
    void everythingCanBeDoneWithTheKeyboard() {
        answer("POST /claims", 201, DEVICE);
        open("");
        code().waitFor();
        button("Rename Boiler").waitFor();
        StringBuilder order = new StringBuilder();
        for (int i = 0; i < 10; i++) {
            page.keyboard().press("Tab");
            order.append(page.evaluate("document.activeElement.ariaLabel || document.activeElement.id"
                            + " || document.activeElement.textContent.trim()"))
                    .append('\n');
        }
        assertThat(order.toString().lines())
                .containsExactly(
                        "Sign out",
                        "Scan the code with the camera",
                        "code",
                        "to",
                        "Claim this device",
                        "Rename Boiler",
                        "Hand over Boiler",
                        "Release Boiler",
                        "Rename SN-2",
                        "language");
    }

    @Test
    void signingOutForgetsTheCode() {
        open("");
        code().fill(CODE);
        answer("DELETE /claim/session", 204, "");
        button("Sign out").click();
        says("You are signed out.");

        assertThat(page.evaluate("sessionStorage.length")).isEqualTo(0);
        assertThat(asked).contains("DELETE /claim/session");
    }

    @Test
    void browserAndRegistryAgreeOnCheckSymbols() {
        open("");
        Object result = page.evaluate("async () => {"
                + "const { fault, normalised, grouped, read } = await import('./claim/code.js');"
                + "return [fault('0000-0000-0'), fault('0000000000000000000000'.slice(1)), fault('oOil-1111'),"
                + " normalised(' aO-iL1 '), grouped('abcdefghjkmnpqrstvwxb'), JSON.stringify(read('x://y', []))]"
                + ".map(String); }");

        assertThat(result).isEqualTo(List.of("null", "null", "null", "A0111", "ABCDE-FGHJK-MNPQR-STVWX-B", "{}"));
    }
}
