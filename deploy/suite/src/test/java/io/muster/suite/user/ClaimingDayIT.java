// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.user;

import static io.muster.suite.fixture.RegistryUnderTest.CSV;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.Cookie;
import io.muster.suite.fixture.IdentityProviderProcess;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import io.muster.suite.user.Chromium.Visitor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A day of two users with phones: an outside provider, a fake camera, and nothing else made up. {@link ClaimPageIT} has every state of the
 * page by itself.
 */
@Tag("extended")
class ClaimingDayIT {

    private static final String FLEET = "boilers";

    private static Chromium chromium;
    private static IdentityProviderProcess provider;
    private static MusterServer server;
    private static RegistryUnderTest registry;

    @BeforeAll
    static void start() {
        chromium = Chromium.start();
        provider = IdentityProviderProcess.startWithForm();
        String users = "muster.users.customers.";
        server = MusterServer.start(SharedWorld.settings(
                SharedWorld.directory("claiming"),
                Map.of(
                        "muster.users",
                        "customers",
                        users + "issuer",
                        provider.issuer("customers").toString(),
                        users + "audience",
                        "muster",
                        users + "client-id",
                        "claim-page",
                        users + "allow-http",
                        "true",
                        users + "allow-private",
                        "true",
                        // Both are cold at the first sign-in, on a busy machine.
                        users + "timeout",
                        "PT20S",
                        "muster.claim.title",
                        "Boilers & Sons",
                        "muster.claim.colour",
                        "#0a4a7a",
                        "muster.provision.fleet",
                        FLEET)));
        registry = new RegistryUnderTest(server, server.operatorToken());
        Reply made = registry.send(
                "PUT",
                "api/v1/fleets/" + FLEET,
                ("{\"verifiers\":[\"database\"],\"claims\":{\"users\":[\"customers\"],\"by\":[\"code\",\"serial\"],"
                                + "\"to\":[\"user\",\"group\"]}}")
                        .getBytes(StandardCharsets.UTF_8),
                "Authorization",
                "Bearer " + registry.operatorToken(),
                "Content-Type",
                JSON,
                "If-None-Match",
                "*");
        assertThat(made.status()).as(made.toString()).isEqualTo(201);
    }

    @AfterAll
    static void stop() {
        if (server != null) {
            server.close();
        }
        if (provider != null) {
            provider.close();
        }
        if (chromium != null) {
            chromium.close();
        }
    }

    private static void expect(String... serialsAndCodes) {
        Reply loaded = registry.load(
                FLEET,
                CSV,
                ("serial,claimCode\n" + String.join("\n", serialsAndCodes) + "\n").getBytes(StandardCharsets.UTF_8));
        assertThat(loaded.json().path("accepted").asInt()).as(loaded.toString()).isEqualTo(serialsAndCodes.length);
    }

    private static String address() {
        return server.base().resolve("claim").toString();
    }

    private static Locator button(Page page, String name) {
        return page.getByRole(
                AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
    }

    private static Locator code(Page page) {
        return page.getByLabel("Code", new Page.GetByLabelOptions().setExact(true));
    }

    private static void says(Page page, String text) {
        page.getByText(text).first().waitFor();
    }

    /** Signs in at the provider's own page. */
    private static void signIn(Page page, String sub, String claims) {
        page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName("Sign in"))
                .click();
        page.locator("[name=username]").fill(sub);
        page.locator("[name=claims]").fill(claims);
        page.locator("[type=submit]").click();
        says(page, "Signed in as");
    }

    @Test
    void deviceIsScannedClaimedRefusedHandedOverAndReleased() throws IOException {
        expect("SN-DAY-1,day one");
        try (Visitor ada = chromium.visitor(server.base());
                Visitor bob = chromium.visitor(server.base())) {
            // Ada follows the code of a label with the camera of her phone, before she is signed in.
            ada.page().navigate(address() + "#DAY-ONE");
            ada.check("day-1-signed-out");
            signIn(ada.page(), "ada", "{\"name\":\"Ada\",\"groups\":[\"family\"]}");
            assertThat(ada.page().url()).isEqualTo(address());
            assertThat(code(ada.page()).inputValue()).isEqualTo("DAY-ONE");

            // She scans it again with the page.
            code(ada.page()).fill("");
            chromium.camera().sees(address() + "#DAY-ONE");
            button(ada.page(), "Scan the code with the camera").click();
            says(ada.page(), "The code is read");
            button(ada.page(), "Claim this device").click();
            says(ada.page(), "SN-DAY-1 is yours now.");
            says(ada.page(), "not started yet");
            ada.check("day-2-claimed");
            button(ada.page(), "Rename SN-DAY-1").click();
            ada.page()
                    .getByRole(AriaRole.TEXTBOX, new Page.GetByRoleOptions().setName("Name"))
                    .fill("Boiler <in the> cellar");
            button(ada.page(), "Save").click();
            says(ada.page(), "Boiler <in the> cellar is saved.");

            // The device starts.
            Reply registered = registry.registerIn(FLEET, "SN-DAY-1");
            assertThat(registered.status()).as(registered.toString()).isEqualTo(200);
            ada.page().reload();
            ada.page()
                    .getByText("not started yet")
                    .waitFor(new Locator.WaitForOptions()
                            .setState(com.microsoft.playwright.options.WaitForSelectorState.DETACHED));
            says(ada.page(), "Boiler <in the> cellar");
            assertThat(registry.listDevices("?tag=owner:customers:ada").text()).contains("SN-DAY-1");

            // Bob copies the label, too late.
            bob.page().navigate(address());
            signIn(bob.page(), "bob", "{\"name\":\"Bob\"}");
            code(bob.page()).fill("day one");
            button(bob.page(), "Claim this device").click();
            says(bob.page(), "This device has an owner already");
            bob.check("day-3-refused");

            // Ada hands it over, and Bob scans her screen.
            button(ada.page(), "Hand over Boiler <in the> cellar").click();
            button(ada.page(), "Make a code").click();
            says(ada.page(), "The next owner scans this");
            ada.check("day-4-hand-over");
            String handedOver = ada.page().locator(".code-shown").textContent();
            chromium.camera().sees(address().toUpperCase(Locale.ROOT) + "#" + handedOver);
            button(bob.page(), "Scan the code with the camera").click();
            says(bob.page(), "The code is read");
            button(bob.page(), "Claim this device").click();
            says(bob.page(), "is yours now.");
            ada.page().reload();
            says(ada.page(), "You have no devices yet");

            // Bob releases it. The label is worthless by then, and a code of Ada's memory too.
            button(bob.page(), "Release SN-DAY-1")
                    .or(button(bob.page(), "Release Boiler <in the> cellar"))
                    .click();
            button(bob.page(), "Release it").click();
            says(bob.page(), "belongs to nobody now.");
            for (String worthless : List.of("DAY ONE", handedOver)) {
                code(ada.page()).fill(worthless);
                button(ada.page(), "Claim this device").click();
                says(ada.page(), "There is no device to claim with this code");
                ada.page().reload();
            }

            assertThat(ada.hosts()).containsExactly(server.base().getAuthority());
            assertThat(bob.hosts()).containsExactly(server.base().getAuthority());
            String session = session(ada).value;
            button(ada.page(), "Sign out").click();
            says(ada.page(), "You are signed out.");
            assertThat(ada.context().cookies()).noneMatch(cookie -> cookie.name.equals("__Host-muster-user"));
            Reply gone = registry.get("claims", "Cookie", "__Host-muster-user=" + session);
            assertThat(gone.status()).as(gone.toString()).isEqualTo(401);
            assertThat(Files.readString(server.log())).doesNotContain(session, "DAYONE", handedOver);
        }
    }

    private static Cookie session(Visitor visitor) {
        Cookie session = visitor.context().cookies().stream()
                .filter(cookie -> cookie.name.equals("__Host-muster-user"))
                .findFirst()
                .orElseThrow();
        assertThat(session.httpOnly).isTrue();
        assertThat(session.secure).isTrue();
        return session;
    }

    @Test
    void everyMemberOfTheGroupHasWhatOneClaimsForIt() {
        expect("SN-DAY-2,day two");
        try (Visitor ada = chromium.visitor(server.base());
                Visitor carol = chromium.visitor(server.base())) {
            ada.page().navigate(address());
            signIn(ada.page(), "ada2", "{\"name\":\"Ada\",\"groups\":[\"house\"]}");
            // The label is one that the registry makes.
            Reply label = registry.send(
                    "POST",
                    "api/v1/fleets/" + FLEET + "/serials/SN-DAY-2/claim-code",
                    new byte[0],
                    "Authorization",
                    "Bearer " + registry.operatorToken(),
                    "Accept",
                    JSON);
            assertThat(label.status()).as(label.toString()).isEqualTo(200);
            chromium.camera().sees(label.json().path("url").asText());
            button(ada.page(), "Scan the code with the camera").click();
            says(ada.page(), "The code is read");
            assertThat(code(ada.page()).inputValue()).matches("([0-9A-Z]{5}-){4}[0-9A-Z]");
            ada.page().getByLabel("Who owns it?").selectOption("house");
            button(ada.page(), "Claim this device").click();
            says(ada.page(), "SN-DAY-2 is yours now.");

            carol.page().navigate(address());
            signIn(carol.page(), "carol", "{\"name\":\"Carol\",\"groups\":[\"house\"]}");
            button(carol.page(), "Release SN-DAY-2").waitFor();
        }
    }

    @Test
    void cookieIsOfNoUseToOtherSitesPages() {
        try (Visitor ada = chromium.visitor(server.base())) {
            ada.page().navigate(address());
            signIn(ada.page(), "ada3", "{}");
            String cookie = "__Host-muster-user=" + session(ada).value;

            assertThat(registry.get("claims", "Cookie", cookie).status()).isEqualTo(200);
            for (String[] headers : List.of(
                    new String[] {"Cookie", cookie},
                    new String[] {"Cookie", cookie, "Origin", "https://evil.example"},
                    new String[] {"Cookie", cookie, "Sec-Fetch-Site", "cross-site"})) {
                Reply reply = registry.post("claims", JSON, "{\"code\":\"abcd\"}", headers);
                assertThat(reply.status())
                        .as(String.join(" ", headers) + " " + reply)
                        .isEqualTo(403);
            }
            // A token counts alone.
            Reply token = registry.get("claims", "Cookie", cookie, "Authorization", "Bearer nonsense");
            assertThat(token.status()).as(token.toString()).isEqualTo(401);
        }
    }

    @Test
    void formOfTheScenarioWorksWithoutAScript() {
        expect("SN-DAY-3,day three", "SN-DAY-4,day four", "SN-DAY-5,day five");
        try (Visitor ada = chromium.visitor(server.base())) {
            Page page = ada.page();
            page.navigate(server.base().resolve("provision").toString());
            says(page, "Sign in to see and add devices");
            ada.faults().clear();
            page.navigate(address());
            signIn(page, "ada4", "{\"name\":\"Ada\",\"groups\":[\"shed\"]}");
            page.navigate(server.base().resolve("provision").toString());
            says(page, "You have no devices yet");
            ada.check("provision");

            provision(page, "SN-DAY-3", "provision_to_user");
            assertThat(page.url()).endsWith("/provision?success=true");
            says(page, "The device is yours now.");
            provision(page, "SN-DAY-4", "provision_to_group");
            says(page, "SN-DAY-4 (shed)");
            // Again changes nothing.
            provision(page, "SN-DAY-3", "provision_to_user");
            assertThat(page.url()).endsWith("/provision?success=true");
            provision(page, "SN-NOBODY", "provision_to_user");
            assertThat(page.url()).endsWith("/provision?error=device_not_found");
            says(page, "There is no device with this number");
            ada.check("provision-refused");

            String cookie = "__Host-muster-user=" + session(ada).value;
            String token = page.locator("[name=form_token]").getAttribute("value");
            String own = server.base().toString().replaceAll("/$", "");
            assertProvision("manufacturerId=SN-DAY-5&provision_type=provision_to_user", 403, "", cookie, own);
            assertProvision(
                    "manufacturerId=SN-DAY-5&provision_type=provision_to_user&form_token=" + token.substring(1) + "A",
                    403,
                    "",
                    cookie,
                    own);
            assertProvision(
                    "manufacturerId=SN-DAY-5&provision_type=provision_to_user&form_token=" + token,
                    403,
                    "",
                    cookie,
                    "https://evil.example");
            assertProvision(
                    "manufacturerId=SN-DAY-5&form_token=" + token, 302, "?error=invalid_provision_type", cookie, own);
            assertProvision(
                    "manufacturerId=SN-DAY-5&provision_type=provision_to_group&group=other&form_token=" + token,
                    302,
                    "?error=invalid_provision_type",
                    cookie,
                    own);
            assertProvision(
                    "provision_type=provision_to_user&form_token=" + token,
                    302,
                    "?error=device_not_found",
                    cookie,
                    own);
            assertProvision(
                    "manufacturerId=a&manufacturerId=b&provision_type=provision_to_user&form_token=" + token,
                    400,
                    "",
                    cookie,
                    own);
            assertProvision(
                    "manufacturerId=SN-DAY-5&provision_type=provision_to_user&form_token=" + token,
                    302,
                    "?success=true",
                    cookie,
                    own);
        }
        // Somebody else, by a token and without a group.
        String token = provider.accessToken("customers", "dave", "muster", Map.of());
        String[] dave = {"Authorization", "Bearer " + token};
        assertThat(registry.get("provision", dave).text()).doesNotContain("SN-DAY", "form_token");
        for (Map.Entry<String, String> one : Map.of(
                        "manufacturerId=SN-DAY-5&provision_type=provision_to_user", "device_not_found",
                        "manufacturerId=SN-NOBODY&provision_type=provision_to_user", "device_not_found",
                        "manufacturerId=SN-DAY-5&provision_type=provision_to_group", "invalid_provision_type",
                        "manufacturerId=SN-DAY-5&provision_type=provision_to_group&group=", "invalid_provision_type")
                .entrySet()) {
            Reply reply = registry.post("provision", FORM, one.getKey(), dave);
            assertThat(reply.status()).as(one.getKey() + " " + reply).isEqualTo(302);
            assertThat(reply.header("Location").orElseThrow()).endsWith("/provision?error=" + one.getValue());
        }
        assertThat(registry.post("provision", FORM, "manufacturerId=SN-DAY-5").status())
                .isEqualTo(401);
    }

    private static final String FORM = "application/x-www-form-urlencoded";

    private static void provision(Page page, String number, String type) {
        page.getByLabel("Number on the device").fill(number);
        page.getByLabel("Who owns it?").selectOption(type);
        button(page, "Add").click();
    }

    private static void assertProvision(String form, int status, String query, String cookie, String origin) {
        Reply reply = registry.post("provision", FORM, form, "Cookie", cookie, "Origin", origin);
        assertThat(reply.status()).as(form + " " + reply).isEqualTo(status);
        if (status == 302) {
            assertThat(reply.header("Location").orElseThrow()).endsWith("/provision" + query);
        }
    }
}
