// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.IdentityProviderProcess;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Operators sign in with the company's provider, a token and a link, at two nodes. */
@Tag("extended")
@Aside
class ConsoleSignInIT {

    private static final String OPERATOR = "__Host-muster-operator";
    private static final Map<String, Object> BERLIN =
            Map.of("name", "Ada Lovelace", "groups", List.of("staff", "fleet berlin"));
    private static final Map<String, Object> ADMINS = Map.of("groups", List.of("admins"));

    private static IdentityProviderProcess provider;
    private static final List<MusterServer> SERVERS = new ArrayList<>();
    private static RegistryUnderTest one;
    private static RegistryUnderTest other;
    private static String origin;

    @BeforeAll
    static void start() {
        provider = IdentityProviderProcess.start();
        Path directory = SharedWorld.directory("console-node-1");
        Map<String, String> properties = SharedWorld.database(directory, SharedWorld.mariaDb(), "console_sign_in");
        properties.put("muster.limits.failures", "100");
        String oidc = "muster.operators.oidc.";
        provider(properties, oidc, "company", "muster-operators");
        properties.put(oidc + "client-id", "console");
        properties.put(oidc + "grants", "admins, berlin");
        properties.put(oidc + "grant.admins.group", "admins");
        properties.put(oidc + "grant.admins.role", "admin");
        properties.put(oidc + "grant.berlin.group", "fleet berlin");
        properties.put(oidc + "grant.berlin.role", "operator");
        properties.put(oidc + "grant.berlin.fleets", "berlin");
        properties.put("muster.users", "customers");
        provider(properties, "muster.users.customers.", "customers", "muster");
        MusterServer first = MusterServer.start(SharedWorld.settings(directory, properties));
        SERVERS.add(first);
        one = new RegistryUnderTest(first, first.operatorToken());
        origin = one.base().toString().replaceAll("/$", "");
        Map<String, String> others = new TreeMap<>(properties);
        others.put("muster.issuer", origin);
        others.put(
                "muster.master-key-file", first.dataDir().resolve("master-key").toString());
        MusterServer second = MusterServer.start(SharedWorld.settings(SharedWorld.directory("console-node-2"), others));
        SERVERS.add(second);
        other = new RegistryUnderTest(second, first.operatorToken());
        for (String fleet : List.of("berlin", "hamburg")) {
            Reply made = send(one, "PUT", "api/v1/fleets/" + fleet, "{\"verifiers\":[\"database\"]}", one.asOperator());
            assertThat(made.status()).as(made.toString()).isEqualTo(201);
        }
    }

    private static void provider(Map<String, String> properties, String prefix, String issuer, String audience) {
        properties.put(prefix + "issuer", provider.issuer(issuer).toString());
        properties.put(prefix + "audience", audience);
        properties.put(prefix + "allow-http", "true");
        properties.put(prefix + "allow-private", "true");
        // Both are cold at the first sign-in, on a busy machine.
        properties.put(prefix + "timeout", "PT20S");
    }

    @AfterAll
    static void stop() {
        SERVERS.forEach(MusterServer::close);
        provider.close();
    }

    private static Reply send(RegistryUnderTest at, String method, String path, String json, String... headers) {
        return at.send(
                method,
                path,
                json == null ? null : json.getBytes(StandardCharsets.UTF_8),
                json == null ? headers : with(headers, "Content-Type", JSON));
    }

    private static String[] with(String[] headers, String... more) {
        return Stream.concat(Arrays.stream(headers), Stream.of(more)).toArray(String[]::new);
    }

    private static String token(String sub, Map<String, Object> claims) {
        return provider.accessToken("company", sub, "muster-operators", claims);
    }

    /** Returns the value of a cookie that a reply sets. */
    private static String cookie(Reply reply, String name) {
        return reply.headers().entrySet().stream()
                .filter(header -> header.getKey().equalsIgnoreCase("Set-Cookie"))
                .flatMap(header -> header.getValue().stream())
                .filter(value -> value.startsWith(name + "=") && !value.startsWith(name + "=;"))
                .map(value -> {
                    assertThat(value).contains("Secure", "HttpOnly", "Path=/", "SameSite=");
                    return value.substring(0, value.indexOf(';'));
                })
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + " is not set: " + reply));
    }

    private static String[] own(String cookie) {
        return new String[] {"Cookie", cookie, "Origin", origin};
    }

    private static Reply me(RegistryUnderTest at, String cookie) {
        return at.get("api/v1/me", "Cookie", cookie);
    }

    /** Begins at one node, and comes back to another. */
    private static Reply signsIn(String sub, Map<String, Object> claims) throws IOException, InterruptedException {
        Reply begun = one.get("api/v1/console/sign-in");
        assertThat(begun.status()).as(begun.toString()).isEqualTo(303);
        provider.nextSignIn("company", sub, "console", claims);
        String back = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(
                                        URI.create(begun.header("Location").orElseThrow()))
                                .build(),
                        HttpResponse.BodyHandlers.discarding())
                .headers()
                .firstValue("Location")
                .orElseThrow();
        assertThat(back).startsWith(origin + "/api/v1/console/signed-in?");
        String path = back.substring(origin.length() + 1);
        String pending = cookie(begun, OPERATOR + "-sign-in");
        // In another browser, and as the sign-in of a user.
        for (String cookie : List.of("a=b", "__Host-muster-sign-in=" + pending.split("=", 2)[1])) {
            Reply refused = other.get(path, "Cookie", cookie);
            assertThat(refused.header("Location").orElseThrow()).isEqualTo(origin + "/ui#!expired");
        }
        Reply users = other.get(
                path.replace("api/v1/console/", "claim/"),
                "Cookie",
                "__Host-muster-sign-in=" + pending.split("=", 2)[1]);
        assertThat(users.header("Location").orElseThrow()).isEqualTo(origin + "/claim#!expired");
        Reply ended = other.get(path, "Cookie", pending);
        assertThat(ended.status()).as(ended.toString()).isEqualTo(303);
        assertThat(other.get(path, "Cookie", pending).header("Location").orElseThrow())
                .as("once")
                .isEqualTo(origin + "/ui#!expired");
        return ended;
    }

    /** Pages of others can make a browser ask for this, and neighbours behind one address can guess. */
    @Test
    void failuresOfOthersKeepNobodyOutWhoHasAToken() {
        for (int i = 0; i < 120; i++) {
            assertThat(one.get("api/v1/console/signed-in?code=a&state=b").status())
                    .isEqualTo(303);
            assertThat(one.get("claim/signed-in?code=a&state=b").status()).isEqualTo(303);
        }
        Reply wrong = null;
        for (int i = 0; i < 120; i++) {
            wrong = send(one, "POST", "api/v1/console/session", "{\"token\":\"wrong\"}", "Origin", origin);
        }
        assertThat(wrong.status()).as(wrong.toString()).isEqualTo(429);

        Reply right = send(
                one, "POST", "api/v1/console/session", "{\"token\":\"" + one.operatorToken() + "\"}", "Origin", origin);
        assertThat(right.status()).as(right.toString()).isEqualTo(201);
    }

    @Test
    void personSignsInWithTheProviderAndHasTheGrantsOfTheGroups() throws Exception {
        Reply ended = signsIn("ada-1", BERLIN);
        assertThat(ended.header("Location").orElseThrow()).isEqualTo(origin + "/ui");
        String session = cookie(ended, OPERATOR);

        for (RegistryUnderTest node : List.of(one, other)) {
            Reply me = me(node, session);
            assertThat(me.status()).as(me.toString()).isEqualTo(200);
            assertThat(me.json().path("name").asText()).isEqualTo(provider.issuer("company") + "#ada-1 (Ada Lovelace)");
            assertThat(node.get("api/v1/fleets", "Cookie", session).json().findValuesAsText("name"))
                    .containsExactly("berlin");
            assertProblem(node.get("api/v1/fleets/hamburg", "Cookie", session), 404, "not-found");
            assertProblem(node.get("api/v1/operators", "Cookie", session), 403, "forbidden");
        }

        String allow = "api/v1/fleets/berlin/allowances";
        String body = "{\"serial\":\"SN-1\"}";
        for (String[] headers : List.of(
                new String[] {"Cookie", session},
                new String[] {"Cookie", session, "Origin", "https://evil.example"},
                new String[] {"Cookie", session, "Origin", "null"},
                new String[] {"Cookie", session, "Origin", origin, "Sec-Fetch-Site", "cross-site"})) {
            assertProblem(send(one, "POST", allow, body, headers), 403, "forbidden");
            assertProblem(send(one, "DELETE", "api/v1/console/session", null, headers), 403, "forbidden");
        }
        Reply replaced = send(one, "POST", "api/v1/me/token", "{}", own(session));
        assertProblem(replaced, 409, "conflict");
        Reply faults = send(one, "POST", allow, "{}", own(session));
        assertThat(faults.status()).as("permitted: " + faults).isNotIn(401, 403);
        // A token counts alone, and a user's cookie is none of an operator.
        assertProblem(one.get("api/v1/me", "Cookie", session, "Authorization", "Bearer nonsense"), 401, "unauthorized");
        assertProblem(me(one, session.replace("operator", "user")), 401, "unauthorized");
        assertProblem(one.get("claims", "Cookie", session.replace("operator", "user")), 401, "unauthorized");

        assertThat(send(other, "DELETE", "api/v1/console/session", null, own(session))
                        .status())
                .isEqualTo(204);
        assertProblem(me(one, session), 401, "unauthorized");
        assertThat(one.get("api/v1/events?limit=100", one.asOperator()).text())
                .contains("console-signed-in", "console-signed-out", "#ada-1 (Ada Lovelace)");
    }

    @Test
    void personWithoutAGroupIsToldSo() throws Exception {
        Reply ended = signsIn("bob-1", Map.of("groups", List.of("staff", "Admins")));
        assertThat(ended.header("Location").orElseThrow()).isEqualTo(origin + "/ui#!forbidden");

        Reply refused = one.get("api/v1/me", bearer(token("bob-1", Map.of("groups", "staff"))));
        assertProblem(refused, 403, "forbidden");
        assertThat(refused.json().path("detail").asText()).contains("no group");
    }

    @Test
    void accessTokensOfTheProviderCountAndNoOtherTokens() {
        String good = token("ada-1", BERLIN);
        assertThat(other.get("api/v1/me", bearer(good)).json().path("id").asText())
                .hasSize(32);
        assertProblem(other.get("api/v1/fleets/hamburg", bearer(good)), 404, "not-found");
        assertThat(one.get("api/v1/operators", bearer(token("eve-1", ADMINS))).status())
                .isEqualTo(200);
        for (String bad : List.of(
                provider.accessToken("customers", "ada-1", "muster", ADMINS),
                provider.accessToken("customers", "ada-1", "muster-operators", ADMINS),
                provider.accessToken("company", "ada-1", "muster", ADMINS),
                provider.token("company", "JWT", "ada-1", "console", ADMINS, 600),
                provider.token("company", "at+jwt", "ada-1", "muster-operators", ADMINS, -120),
                good.substring(0, good.length() - 10) + "AAAAAAAAAA")) {
            assertProblem(one.get("api/v1/me", bearer(bad)), 401, "unauthorized");
        }
    }

    @Test
    void tokenAndLinkSignInOnce() {
        Reply made = send(
                one,
                "POST",
                "api/v1/operators",
                "{\"name\":\"console-ann\",\"grants\":[{\"role\":\"viewer\",\"fleets\":[\"hamburg\"]}]}",
                one.asOperator());
        String token = made.json().path("token").asText();
        String page = "api/v1/console/session";
        for (String[] headers : List.of(new String[0], new String[] {"Origin", "https://evil.example"})) {
            assertProblem(send(one, "POST", page, "{\"token\":\"" + token + "\"}", headers), 403, "forbidden");
        }
        String[] from = {"Origin", origin};
        assertProblem(send(one, "POST", page, "{\"token\":\"mo_no\"}", from), 401, "unauthorized");
        assertProblem(
                send(one, "POST", page, "{\"token\":\"" + token("x-1", ADMINS).substring(0, 90) + "\"}", from),
                401,
                "unauthorized");
        assertProblem(send(one, "POST", page, "{}", from), 400, "invalid-request");
        assertProblem(send(one, "POST", page, "{\"code\":\"a\",\"token\":\"b\"}", from), 400, "invalid-request");
        Reply signedIn = send(one, "POST", page, "{\"token\":\"" + token + "\"}", from);
        assertThat(signedIn.status()).as(signedIn.toString()).isEqualTo(201);
        assertThat(signedIn.text()).contains("console-ann").doesNotContain(token);
        String session = cookie(signedIn, OPERATOR);
        assertThat(signedIn.headers().toString()).contains("SameSite=Strict").doesNotContain(token);

        JsonNode state = other.get("api/v1/console", "Cookie", session).json();
        assertThat(state.at("/operator/name").asText()).isEqualTo("console-ann");
        assertThat(state.path("signIn").asBoolean()).isTrue();
        assertThat(other.get("api/v1/console").json().has("operator")).isFalse();

        Reply link = send(other, "POST", "api/v1/console-links", "{}", own(session));
        assertThat(link.status()).as(link.toString()).isEqualTo(201);
        assertThat(link.json().path("url").asText()).startsWith(origin + "/ui#code=");
        String code = "{\"code\":\"" + link.json().path("url").asText().split("#code=")[1] + "\"}";
        Reply linked = send(one, "POST", page, code, from);
        assertThat(linked.status()).as(linked.toString()).isEqualTo(201);
        assertProblem(send(other, "POST", page, code, from), 401, "unauthorized");
        String second = cookie(linked, OPERATOR);
        assertThat(other.get("api/v1/fleets", "Cookie", second).json().findValuesAsText("name"))
                .containsExactly("hamburg");

        // A second sign-in in the same browser makes a new session and ends the one before.
        Reply again = send(one, "POST", page, "{\"token\":\"" + token + "\"}", with(from, "Cookie", second));
        assertThat(cookie(again, OPERATOR)).isNotEqualTo(second);
        assertProblem(me(other, second), 401, "unauthorized");

        String id = made.json().path("id").asText();
        Reply listed = one.get("api/v1/console-sessions", one.asOperator());
        assertThat(listed.json().findValuesAsText("operator")).contains(id);
        Reply ended = send(one, "DELETE", "api/v1/console-sessions/" + id, null, one.asOperator());
        assertThat(ended.json().path("ended").asInt()).as(ended.toString()).isEqualTo(2);
        assertProblem(me(other, session), 401, "unauthorized");
        assertThat(send(one, "DELETE", "api/v1/console-sessions", null, one.asOperator())
                        .status())
                .isEqualTo(200);
    }
}
