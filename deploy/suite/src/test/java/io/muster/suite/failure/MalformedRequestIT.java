// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static io.muster.suite.fixture.ProblemAssert.assertAnyProblem;
import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.assertTellsNothing;
import static io.muster.suite.fixture.RegistryUnderTest.CSV;
import static io.muster.suite.fixture.RegistryUnderTest.FORM;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.body;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.muster.suite.fixture.ProblemAssert;
import io.muster.suite.fixture.RawHttp;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import io.muster.suite.server.ServerKind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Any malformed request to any address gets the right 4xx and a problem. If the server answers before the WAR is asked,
 * the WAR cannot choose the form; {@link #answeredByTheServerItself} lists these requests.
 */
@Tag("portable")
class MalformedRequestIT {

    private static final String ID = "0".repeat(12) + "7" + "0".repeat(19);

    /** Every address, with the methods it has. */
    private static final Map<String, List<String>> ADDRESSES = addresses();

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();

    private static Map<String, List<String>> addresses() {
        Map<String, List<String>> addresses = new LinkedHashMap<>();
        addresses.put("/register", List.of("POST"));
        addresses.put("/fleets/default/register", List.of("POST"));
        addresses.put("/nonce", List.of("POST"));
        addresses.put("/token", List.of("POST"));
        addresses.put("/introspect", List.of("POST"));
        addresses.put("/revoke", List.of("POST"));
        addresses.put("/devices/me", List.of("GET", "HEAD", "PATCH"));
        addresses.put("/devices/me/credentials", List.of("POST"));
        addresses.put("/devices/me/claim-code", List.of("POST"));
        addresses.put("/claims", List.of("GET", "HEAD", "POST"));
        addresses.put("/claims/me", List.of("GET", "HEAD"));
        addresses.put("/claims/" + ID, List.of("GET", "HEAD", "PATCH", "DELETE"));
        addresses.put("/claims/" + ID + "/transfer", List.of("POST"));
        addresses.put("/claim", List.of("GET", "HEAD"));
        addresses.put("/ui", List.of("GET", "HEAD"));
        addresses.put("/ui/app.js", List.of("GET", "HEAD"));
        addresses.put("/console", List.of("GET", "HEAD"));
        addresses.put("/claim/page.json", List.of("GET", "HEAD"));
        addresses.put("/claim/app.js", List.of("GET", "HEAD"));
        addresses.put("/claim/sign-in/customers", List.of("GET", "HEAD"));
        addresses.put("/claim/signed-in", List.of("GET", "HEAD"));
        addresses.put("/claim/session", List.of("DELETE"));
        addresses.put("/provision", List.of("GET", "HEAD", "POST"));
        addresses.put("/.well-known/jwks.json", List.of("GET", "HEAD"));
        addresses.put("/.well-known/oauth-authorization-server", List.of("GET", "HEAD"));
        addresses.put("/.well-known/openid-configuration", List.of("GET", "HEAD"));
        addresses.put("/health/live", List.of("GET", "HEAD"));
        addresses.put("/health/ready", List.of("GET", "HEAD"));
        addresses.put("/api/v1/fleets", List.of("GET", "HEAD"));
        addresses.put("/api/v1/fleets/default", List.of("GET", "HEAD", "PUT"));
        addresses.put("/api/v1/fleets/default/explain", List.of("POST"));
        addresses.put("/api/v1/fleets/default/preview", List.of("POST"));
        addresses.put("/api/v1/fleets/default/registration-tokens", List.of("POST"));
        addresses.put("/api/v1/fleets/default/enrolment-keys", List.of("GET", "HEAD", "POST"));
        addresses.put("/api/v1/fleets/default/enrolment-keys/k", List.of("GET", "HEAD"));
        addresses.put("/api/v1/fleets/default/enrolment-keys/k/revoke", List.of("POST"));
        addresses.put("/api/v1/fleets/default/serials", List.of("GET", "HEAD", "POST"));
        addresses.put("/api/v1/fleets/default/serials/SN-0001", List.of("GET", "HEAD", "DELETE"));
        addresses.put("/api/v1/fleets/default/imports", List.of("GET", "HEAD"));
        addresses.put("/api/v1/fleets/default/imports/" + ID, List.of("GET", "HEAD"));
        addresses.put("/api/v1/fleets/default/serials/SN-0001/block", List.of("POST"));
        addresses.put("/api/v1/fleets/default/serials/SN-0001/unblock", List.of("POST"));
        addresses.put("/api/v1/fleets/default/serials/SN-0001/claim-code", List.of("POST"));
        addresses.put("/api/v1/fleets/default/claim-codes", List.of("POST"));
        addresses.put("/api/v1/fleets/default/serials/SN-0001/owner", List.of("GET", "HEAD", "PUT", "DELETE"));
        addresses.put("/api/v1/fleets/default/lots", List.of("GET", "HEAD"));
        addresses.put("/api/v1/fleets/default/lots/L1", List.of("GET", "HEAD", "PUT"));
        addresses.put("/api/v1/fleets/default/allowances", List.of("GET", "HEAD", "POST"));
        addresses.put("/api/v1/fleets/default/allowances/" + ID, List.of("DELETE"));
        addresses.put("/api/v1/fleets/default/revocations", List.of("GET", "HEAD", "POST"));
        addresses.put("/api/v1/fleets/default/rotations", List.of("GET", "HEAD", "POST"));
        addresses.put("/api/v1/fleets/default/rotations/" + ID, List.of("DELETE"));
        addresses.put("/api/v1/fleets/default/approvals", List.of("GET", "HEAD", "POST"));
        addresses.put("/api/v1/fleets/default/approvals/" + ID, List.of("GET", "HEAD", "DELETE"));
        addresses.put("/api/v1/fleets/default/approvals/" + ID + "/approve", List.of("POST"));
        addresses.put("/api/v1/fleets/default/approvals/" + ID + "/reject", List.of("POST"));
        for (String kind : List.of("devices", "serials", "events", "lots")) {
            addresses.put("/api/v1/fleets/default/exports/" + kind, List.of("GET", "HEAD"));
        }
        String jobs = "/api/v1/fleets/default/jobs";
        addresses.put(jobs, List.of("GET", "HEAD", "POST"));
        addresses.put(jobs + "/" + ID, List.of("GET", "HEAD"));
        addresses.put(jobs + "/" + ID + "/cancel", List.of("POST"));
        addresses.put(jobs + "/" + ID + "/results", List.of("GET", "HEAD"));
        addresses.put(jobs + "/" + ID + "/failures", List.of("GET", "HEAD"));
        String webhooks = "/api/v1/fleets/default/webhooks";
        addresses.put(webhooks, List.of("GET", "HEAD", "POST"));
        addresses.put(webhooks + "/" + ID, List.of("GET", "HEAD", "PUT", "DELETE"));
        addresses.put(webhooks + "/" + ID + "/rotate", List.of("POST"));
        addresses.put(webhooks + "/" + ID + "/test", List.of("POST"));
        addresses.put(webhooks + "/" + ID + "/deliveries", List.of("GET", "HEAD"));
        addresses.put(webhooks + "/" + ID + "/deliveries/" + ID, List.of("GET", "HEAD"));
        addresses.put(webhooks + "/" + ID + "/deliveries/" + ID + "/resend", List.of("POST"));
        addresses.put("/api/v1/devices", List.of("GET", "HEAD"));
        addresses.put("/api/v1/devices/" + ID, List.of("GET", "HEAD", "PATCH", "DELETE"));
        addresses.put("/api/v1/devices/" + ID + "/events", List.of("GET", "HEAD"));
        addresses.put("/api/v1/devices/" + ID + "/disable", List.of("POST"));
        addresses.put("/api/v1/devices/" + ID + "/enable", List.of("POST"));
        addresses.put("/api/v1/devices/" + ID + "/retire", List.of("POST"));
        addresses.put("/api/v1/devices/" + ID + "/revoke", List.of("POST"));
        addresses.put("/api/v1/devices/" + ID + "/rotate", List.of("POST"));
        addresses.put("/api/v1/devices/" + ID + "/owner", List.of("GET", "HEAD", "PUT", "DELETE"));
        addresses.put("/api/v1/operators", List.of("GET", "HEAD", "POST"));
        addresses.put("/api/v1/operators/" + ID, List.of("GET", "HEAD", "PUT", "DELETE"));
        addresses.put("/api/v1/operators/" + ID + "/token", List.of("POST"));
        addresses.put("/api/v1/console", List.of("GET", "HEAD"));
        addresses.put("/api/v1/console/session", List.of("POST", "DELETE"));
        addresses.put("/api/v1/console/sign-in", List.of("GET", "HEAD"));
        addresses.put("/api/v1/console/signed-in", List.of("GET", "HEAD"));
        addresses.put("/api/v1/console-links", List.of("POST"));
        addresses.put("/api/v1/console-sessions", List.of("GET", "HEAD", "DELETE"));
        addresses.put("/api/v1/console-sessions/x", List.of("DELETE"));
        addresses.put("/api/v1/me", List.of("GET", "HEAD"));
        addresses.put("/api/v1/me/token", List.of("POST"));
        addresses.put("/api/v1/signing-keys", List.of("GET", "HEAD"));
        addresses.put("/api/v1/signing-keys/rotate", List.of("POST"));
        addresses.put("/.well-known/seal-keys.json", List.of("GET", "HEAD"));
        addresses.put("/api/v1/audit/seals", List.of("GET", "HEAD"));
        addresses.put("/api/v1/audit/seals/1", List.of("GET", "HEAD"));
        addresses.put("/api/v1/audit/export", List.of("GET", "HEAD"));
        addresses.put("/api/v1/audit/records/" + ID + "/receipt", List.of("GET", "HEAD"));
        addresses.put("/api/v1/audit/keys/replace", List.of("POST"));
        addresses.put("/api/v1/statistics", List.of("GET", "HEAD"));
        addresses.put("/api/v1/events", List.of("GET", "HEAD"));
        addresses.put("/api/v1/events/stream", List.of("GET", "HEAD"));
        return addresses;
    }

    private Reply raw(String method, String target, String type, String body) throws Exception {
        try (RawHttp http = new RawHttp(registry.base())) {
            http.write(RawHttp.request(method, target, type, body.getBytes(StandardCharsets.UTF_8)));
            return http.reply(method.equals("HEAD"));
        }
    }

    private boolean onMuster() {
        return registry.server().kind() == ServerKind.MICRO;
    }

    @Test
    void wrongMethodIsNotAllowedAndTheRightOnesAreNamed() throws Exception {
        for (Map.Entry<String, List<String>> address : ADDRESSES.entrySet()) {
            if (address.getKey().equals("/console") && registry.server().kind() == ServerKind.WILDFLY) {
                // WildFly answers this one itself.
                continue;
            }
            for (String method : List.of("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "FOO", "post")) {
                // RESTEasy, of WildFly and Liberty, accepts methods in any case, against RFC 9110 section 9.1.
                boolean known = address.getValue().contains(method) || (method.equals("post") && !onMuster());
                if (!known) {
                    Reply reply = raw(method, address.getKey(), method.equals("POST") ? JSON : null, "");
                    String what = method + " " + address.getKey() + ": " + reply;
                    assertThat(reply.status()).as(what).isEqualTo(405);
                    assertThat(reply.header("Allow").orElse(""))
                            .as(what)
                            .contains(address.getValue().get(0));
                    if (!method.equals("HEAD")) {
                        assertProblem(reply, 405, "method-not-allowed");
                    }
                }
            }
        }
    }

    @Test
    void traceNeverEchoes() throws Exception {
        for (String address : ADDRESSES.keySet()) {
            Reply reply = RawHttp.exchange(
                    registry.base(),
                    RawHttp.request("TRACE", address, null, new byte[0], "X-Secret: do-not-echo-this"));

            assertThat(reply.status()).as(address + ": " + reply).isBetween(400, 501);
            assertThat(reply.text()).as(address).doesNotContain("do-not-echo-this");
            assertThat(reply.text().toLowerCase(java.util.Locale.ROOT)).doesNotContain("<html", "exception");
        }
    }

    private static void assertOAuthError(Reply reply, int status) {
        assertThat(reply.status()).as(reply.toString()).isEqualTo(status);
        assertThat(reply.type()).isEqualTo("application/json");
        assertThat(reply.json().path("error").asText()).isEqualTo("invalid_request");
        assertThat(reply.json().path("error_description").asText()).isNotBlank();
    }

    @Test
    void bodiesOfTheWrongTypeAreRefusedEverywhere() {
        String[] operator = registry.asOperator();
        for (String type : List.of(
                "text/plain", "application/xml", "application/jsonx", "multipart/form-data; boundary=x", "*/*", FORM)) {
            assertProblem(registry.post("register", type, body("SN-0001")), 415, "unsupported-media-type");
            assertProblem(
                    registry.post("fleets/default/register", type, body("SN-0001")), 415, "unsupported-media-type");
            assertProblem(registry.post("api/v1/operators", type, "{}", operator), 415, "unsupported-media-type");
        }
        for (String type : List.of("text/plain", JSON, "multipart/form-data; boundary=x")) {
            assertOAuthError(registry.post("token", type, "grant_type=client_credentials"), 415);
            assertOAuthError(registry.post("revoke", type, "token=x"), 415);
            assertProblem(registry.post("introspect", type, "token=x", operator), 415, "unsupported-media-type");
        }
        assertOAuthError(registry.send("POST", "token", body("SN-0001").getBytes(StandardCharsets.UTF_8)), 415);
        for (String address : List.of("register", "fleets/default/register")) {
            assertProblem(
                    registry.send("POST", address, body("SN-0001").getBytes(StandardCharsets.UTF_8)),
                    415,
                    "unsupported-media-type");
        }
    }

    @Test
    void compressedBodiesAreRefused() {
        for (String encoding : List.of("gzip", "deflate", "br", "x")) {
            assertProblem(
                    registry.post("register", JSON, body("SN-0001"), "Content-Encoding", encoding),
                    415,
                    "unsupported-media-type");
            assertOAuthError(
                    registry.post("token", FORM, "grant_type=client_credentials", "Content-Encoding", encoding), 415);
        }
    }

    @Test
    void contentTypeMayHaveParametersAndAnyCase() {
        for (String type : List.of("application/json; charset=utf-8", "Application/JSON", "application/json;x=\"y\"")) {
            assertProblem(registry.post("register", type, body("SN-nobody")), 400, "registration-refused");
        }
    }

    @Test
    void anyAcceptHeaderIsAnsweredInTheOneFormThereIs() {
        for (String accept : List.of("text/html", "image/png", "application/xml;q=1", "*/*")) {
            assertProblem(
                    registry.post("register", JSON, body("SN-nobody"), "Accept", accept), 400, "registration-refused");
            assertProblem(registry.get("nowhere", "Accept", accept), 404, "not-found");
        }
    }

    static Stream<Arguments> unknownAddresses() {
        return Stream.of(
                        "/",
                        "/nowhere",
                        "/Register",
                        "/REGISTER",
                        "/register.json",
                        "/register/x",
                        "/%2fregister",
                        "/register%2f",
                        "/register%2fx",
                        "/fleets/default%2fregister",
                        "/fleets/nowhere/register",
                        "/fleets//register",
                        "/fleets/%2e%2e/register",
                        "/fleets/DEFAULT/register",
                        "/index.html",
                        "/claims/x",
                        "/claims/me/transfer",
                        "/health",
                        "/openapi/x",
                        "/application.wadl",
                        "/container-problem",
                        "/.well-known/",
                        "/api",
                        "/api/v1",
                        "/api/v2/devices",
                        "/favicon.ico",
                        "/robots.txt")
                .map(Arguments::of);
    }

    @ParameterizedTest
    @MethodSource("unknownAddresses")
    void unknownAddressIsNotFound(String target) throws Exception {
        // Other servers refuse some spellings of an address before they look for an application.
        assumeTrue(onMuster() || !target.contains("%"));

        assertProblem(raw("POST", target, JSON, body("SN-nobody")), 404, "not-found");
        Reply get = raw("GET", target, null, "");
        // The address of a fleet's registration exists, whatever the fleet.
        assertProblem(
                get,
                target.endsWith("/register") && !target.contains("//") && !target.startsWith("/%") ? 405 : 404,
                get.status() == 405 ? "method-not-allowed" : "not-found");
    }

    @Test
    void filesOfTheWarAreNotServed() throws Exception {
        for (String target : List.of(
                "/WEB-INF/web.xml",
                "/web-inf/web.xml",
                "/WEB-INF/beans.xml",
                "/WEB-INF/classes/",
                "/WEB-INF/lib/",
                "/META-INF/MANIFEST.MF",
                "/;/WEB-INF/web.xml",
                "/./WEB-INF/web.xml",
                "/x/../WEB-INF/web.xml",
                "/%57EB-INF/web.xml",
                "/WEB-INF%2fweb.xml")) {
            for (String method : List.of("GET", "HEAD", "POST")) {
                Reply reply = raw(method, target, method.equals("POST") ? JSON : null, "");
                // WildFly answers with a page of its own, which names nothing.
                assertThat(reply.status())
                        .as(method + " " + target + ": " + reply)
                        .isBetween(400, 499);
                assertThat(reply.text()).as(target).doesNotContain("web-app", "<beans", "Manifest-Version");
                if (onMuster() && !method.equals("HEAD")) {
                    assertProblem(reply, 404, "not-found");
                }
            }
        }
    }

    /** Spellings that servers, proxies and filters have been made to disagree about. */
    static Stream<Arguments> spellings() {
        return Stream.of(
                        "/%s/",
                        "/%s;x=y",
                        "/;x=y/%s",
                        "//%s",
                        "///%s",
                        "/./%s",
                        "/x/../%s",
                        "/x/..;/%s",
                        "/..;/%s",
                        "/;/%s",
                        "/%%2e/%s",
                        "/x/%%2e%%2e/%s",
                        "/%s?x=y",
                        "/%s#x",
                        "/%s%%20",
                        "/%s%%09",
                        "/%s%%0a",
                        "/%s%%3f",
                        "/%s%%3bx",
                        "/%s%%23",
                        "/%s%%c0%%af",
                        "/%s%%ff")
                .map(Arguments::of);
    }

    @ParameterizedTest
    @MethodSource("spellings")
    void otherSpellingOfAnAddressIsThatAddressOrNone(String pattern) throws Exception {
        String serial = registry.expectedSerial();

        Reply register = raw("POST", pattern.formatted("register"), JSON, body("SN-nobody"));
        if (register.status() == 404 && onMuster()) {
            assertProblem(register, 404, "not-found");
        } else if (register.status() == 400 && register.body().length > 0 && onMuster()) {
            assertAnyProblem(register);
        } else {
            assertTellsNothing(register);
            assertThat(register.status()).as(register.toString()).isBetween(400, 499);
        }

        for (String guarded : List.of("api/v1/devices", "api/v1/operators", "api/v1/events", "devices/me", "claims")) {
            Reply reply = raw("GET", pattern.formatted(guarded), null, "");
            assertThat(reply.status()).as(guarded + ": " + reply).isBetween(400, 499);
            assertTellsNothing(reply);
        }
        Reply load = raw("POST", pattern.formatted("api/v1/fleets/default/serials"), CSV, "serial\nSN-smuggled\n");
        assertThat(load.status()).as(load.toString()).isBetween(400, 499);
        assertThat(registry.devicesOf(serial)).isEmpty();
    }

    /**
     * Requests that a server refuses before it looks for an application: they are no HTTP, or have no valid address.
     */
    static Stream<Arguments> answeredByTheServerItself() {
        String end = " HTTP/1.1\r\nHost: muster\r\nConnection: close\r\n";
        String post = "POST /register" + end + "Content-Type: application/json\r\n";
        return Stream.of(
                Arguments.of("above the root", "GET /../register" + end + "\r\n"),
                Arguments.of("NUL", "GET /register%00" + end + "\r\n"),
                Arguments.of("backslash", "GET /register\\" + end + "\r\n"),
                Arguments.of("eight bits", "GET /r\u00e9gister" + end + "\r\n"),
                Arguments.of("no host", "GET /nowhere HTTP/1.1\r\nConnection: close\r\n\r\n"),
                Arguments.of("no length", post + "Content-Length: abc\r\n\r\n"),
                Arguments.of("negative length", post + "Content-Length: -5\r\n\r\n"),
                Arguments.of("bad chunk", post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
                Arguments.of("long line", "GET /" + "a".repeat(70_000) + end + "\r\n"),
                Arguments.of("long header", "GET /nowhere" + end + "X: " + "a".repeat(70_000) + "\r\n\r\n"),
                Arguments.of("many headers", "GET /nowhere" + end + "X: y\r\n".repeat(2_000) + "\r\n"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void answeredByTheServerItself(String what, String request) throws Exception {
        // WildFly waits for the rest of it.
        assumeFalse(what.equals("bad chunk") && registry.server().kind() == ServerKind.WILDFLY);

        Reply reply = RawHttp.exchange(registry.base(), request.getBytes(StandardCharsets.ISO_8859_1));

        assertThat(reply.status()).as(reply.toString()).isBetween(400, 499);
        if (onMuster()) {
            assertTellsNothing(reply);
        }
    }

    @Test
    void pathThatCannotBeDecodedIsRefusedAndLeavesNothingBehind() throws Exception {
        // Elsewhere the server answers 400 too, or asks the WAR, as its makers like.
        assumeTrue(onMuster());
        String operator = "Authorization: Bearer " + registry.operatorToken();
        byte[] document = "{}".getBytes(StandardCharsets.UTF_8);

        for (int i = 0; i < 30; i++) {
            for (String target : List.of("/%zz", "/%", "/%ZZ/x", "/register%c", "/.well-known/%g0")) {
                Reply reply = raw("GET", target, null, "");

                assertThat(reply.status()).as(target + ": " + reply).isEqualTo(400);
                assertTellsNothing(reply);
            }
            Reply block = RawHttp.exchange(
                    registry.base(),
                    RawHttp.request(
                            "POST",
                            "/api/v1/fleets/default/serials/SN-100%/block",
                            null,
                            new byte[0],
                            operator,
                            "Content-Length: 0"));
            assertThat(block.status()).as(block.toString()).isEqualTo(400);
            Reply dot = RawHttp.exchange(
                    registry.base(), RawHttp.request("PUT", "/api/v1/fleets/.", JSON, document, operator));
            assertThat(dot.status()).as(dot.toString()).isEqualTo(400);
            assertThat(raw("GET", "/health/live", null, "").status()).isEqualTo(200);
            assertThat(registry.get("api/v1/fleets/default", registry.asOperator())
                            .status())
                    .isEqualTo(200);
        }
    }

    /** Heads of requests that a proxy and a server, or two servers, could read as different ones. */
    static Stream<Arguments> twoInOne() {
        String length = "Content-Length: 22\r\n";
        String chunked = "Transfer-Encoding: chunked\r\n";
        String host = "Host: muster\r\n";
        return Stream.of(
                Arguments.of("two hosts", host + "Host: other\r\n" + length),
                Arguments.of("the same host twice", host + host + length),
                Arguments.of("no host", length),
                Arguments.of("a host that two became", "Host: muster,other\r\n" + length),
                Arguments.of("a host with a user", "Host: user@muster\r\n" + length),
                Arguments.of("a host with a blank", "Host: mus ter\r\n" + length),
                Arguments.of("a host with a path", "Host: muster/x\r\n" + length),
                Arguments.of("a host with a long port", "Host: muster:8080808080\r\n" + length),
                Arguments.of("an empty host", "Host:\r\n" + length),
                Arguments.of("a length and chunks", host + length + chunked),
                Arguments.of("chunks and a length", host + chunked + length),
                Arguments.of("the same length twice", host + length + length),
                Arguments.of("two lengths", host + length + "Content-Length: 5\r\n"),
                Arguments.of("a list of lengths", host + "Content-Length: 22, 22\r\n"),
                Arguments.of("a length with a sign", host + "Content-Length: +22\r\n"),
                Arguments.of("chunks in something", host + "Transfer-Encoding: chunked, identity\r\n"),
                Arguments.of("something in chunks", host + "Transfer-Encoding: identity, chunked\r\n"),
                Arguments.of("chunks twice", host + chunked + chunked),
                Arguments.of("an unknown encoding", host + "Transfer-Encoding: xchunked\r\n"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("twoInOne")
    void requestThatCouldBeTwoIsRefusedAndItsConnectionIsClosed(String what, String head) throws Exception {
        ServerKind kind = registry.server().kind();
        // GlassFish answers an empty 200 before the WAR is asked; WildFly waits for the body in its own encodings.
        assumeFalse(kind.isGlassFish() && what.equals("an empty host"));
        // They choose one of two lengths and do not tell the WAR of the other, as docs/deploying.md warns.
        assumeFalse((kind.isGlassFish() || kind == ServerKind.LIBERTY)
                && List.of("a length and chunks", "chunks and a length", "two lengths")
                        .contains(what));
        assumeFalse(kind == ServerKind.WILDFLY && what.equals("an unknown encoding"));
        String body = head.contains("Transfer-Encoding")
                ? "16\r\n{\"serial\":\"SN-nobody\"}\r\n0\r\n\r\n"
                : body("SN-nobody");
        String second = "GET /health/live HTTP/1.1\r\nHost: muster\r\n\r\n";

        try (RawHttp http = new RawHttp(registry.base())) {
            http.write(("POST /register HTTP/1.1\r\nContent-Type: application/json\r\n" + head + "\r\n" + body + second)
                    .getBytes(StandardCharsets.UTF_8));
            Reply reply = http.reply(false);

            assertThat(reply.status()).as(reply.toString()).isEqualTo(400);
            assertThat(reply.text()).doesNotContain("registration-refused");
            assertThat(http.rest()).isEmpty();
        }
    }

    /** HTTP/2 does not use lines, so these are requests of HTTP/1 in disguise. */
    @Test
    void requestLineWithAnotherVersionThanOneIsRefusedAndItsConnectionIsClosed() throws Exception {
        // The behaviour of other servers is up to them.
        assumeTrue(onMuster());
        String body = body("SN-nobody");
        String chunks = "16\r\n" + body + "\r\n0\r\n\r\n";
        for (String version : List.of("HTTP/2.0", "HTTP/0.9")) {
            for (String rest : List.of(
                    "Content-Length: 22\r\n\r\n" + body,
                    "Host: other\r\nContent-Length: 22\r\n\r\n" + body,
                    "Content-Length: 22\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
                    "Content-Length: 5000\r\n\r\n" + body)) {
                try (RawHttp http = new RawHttp(registry.base())) {
                    http.write(("POST /register " + version + "\r\nHost: muster\r\nContent-Type: application/json\r\n"
                                    + rest)
                            .getBytes(StandardCharsets.UTF_8));
                    Reply reply = http.reply(false);

                    assertThat(reply.status()).as(version + " " + rest + reply).isEqualTo(505);
                    assertThat(reply.text()).isEmpty();
                    assertThat(http.rest()).isEmpty();
                }
            }
        }
    }

    @Test
    void offerToChangeTheProtocolChangesNothing() throws Exception {
        // Others may accept the offer, as HTTP permits.
        assumeTrue(onMuster());
        String body = body("SN-nobody");
        for (String offer : List.of(
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
                "Connection: Upgrade\r\nUpgrade: something\r\n")) {
            for (String framed : List.of(
                    "Content-Length: 22\r\n\r\n" + body,
                    "Transfer-Encoding: chunked\r\n\r\n16\r\n" + body + "\r\n0\r\n\r\n")) {
                assertProblem(
                        RawHttp.exchange(
                                registry.base(),
                                ("POST /register HTTP/1.1\r\nHost: muster\r\nContent-Type: application/json\r\n" + offer
                                                + framed)
                                        .getBytes(StandardCharsets.UTF_8)),
                        400,
                        "registration-refused");
            }
        }
    }

    @Test
    void contentTypeWithoutABodyIsNoBody() throws Exception {
        String serial = registry.expectedSerial();
        String head =
                " HTTP/1.1\r\nHost: muster\r\nConnection: close\r\nContent-Type: application/json\r\nAuthorization: "
                        + registry.asOperator()[1] + "\r\n";
        for (String change : List.of("block", "unblock")) {
            for (String framing : List.of("", "Content-Length: 0\r\n")) {
                Reply reply = RawHttp.exchange(
                        registry.base(),
                        ("POST /api/v1/fleets/default/serials/" + serial + "/" + change + head + framing + "\r\n")
                                .getBytes(StandardCharsets.UTF_8));

                assertThat(reply.status()).as(change + " " + framing + reply).isBetween(200, 299);
            }
        }
    }

    @Test
    void twoSlashesAreNamedInTheAnswer() throws Exception {
        for (String target : List.of("//register", "//token", "/fleets//default/register", "/register//")) {
            Reply reply = raw("POST", target, JSON, body("SN-nobody"));

            assertProblem(reply, 404, "not-found");
            assertThat(reply.json().path("detail").asText()).as(target).contains("two slashes");
        }
        assertProblem(raw("POST", "/register/", JSON, body("SN-nobody")), 400, "registration-refused");
    }

    @Test
    void requestsThatBreakOffAreNotWorthALineOfTheLog() throws Exception {
        // How other servers log is a setting of theirs.
        assumeTrue(onMuster());
        String head = "POST /register HTTP/1.1\r\nHost: muster\r\nConnection: close\r\nContent-Type: " + JSON + "\r\n";
        long before = Files.size(registry.server().log());

        for (int i = 0; i < 10; i++) {
            for (String request : List.of(
                    head + "Content-Length: 50\r\n\r\n{\"se",
                    head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"se",
                    head + "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"se\r\nzz\r\n",
                    head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n")) {
                try (RawHttp http = new RawHttp(registry.base())) {
                    http.write(request.getBytes(StandardCharsets.UTF_8));
                    http.end();
                    http.drain();
                }
            }
        }

        assertThat(raw("GET", "/health/live", null, "").status()).isEqualTo(200);
        byte[] log = Files.readAllBytes(registry.server().log());
        assertThat(new String(log, (int) before, (int) (log.length - before), StandardCharsets.UTF_8))
                .doesNotContain("\tat ", "Exception");
    }

    @Test
    void headersThatMakeNoSenseAreTheClientsFault() {
        // Liberty answers 500 to a cookie that is none before the WAR is asked.
        assumeTrue(registry.server().kind() != ServerKind.LIBERTY);

        for (String tag : List.of("garbage\"\"", "\"", "W/", "*", "\"a\", \"b\"")) {
            Reply reply = registry.get(".well-known/jwks.json", "If-None-Match", tag);
            assertThat(reply.status()).as(tag + ": " + reply).isBetween(200, 499);
            assertThat(registry.get(".well-known/jwks.json", "If-Match", tag).status())
                    .as(tag)
                    .isBetween(200, 499);
        }
        for (List<String> header : List.of(
                List.of("Accept", "///"),
                List.of("Accept", ";q=2"),
                List.of("Accept-Language", "@@@"),
                List.of("Accept-Charset", "nope"),
                List.of("Content-Language", "@"),
                List.of("If-Modified-Since", "yesterday"),
                List.of("Range", "bytes=9-1"),
                List.of("Cookie", "a=b; ;;=;$Version=9"),
                List.of("X-HTTP-Method-Override", "DELETE"),
                List.of("X-Forwarded-For", "<script>"),
                List.of("Forwarded", "for=;;"))) {
            Reply reply = registry.post("register", JSON, body("SN-nobody"), header.get(0), header.get(1));
            assertThat(reply.status()).as(header + ": " + reply).isEqualTo(400);
            assertAnyProblem(reply);
        }
    }

    /** A server that waits for the body on another thread may not run its error page there. */
    @Test
    void headersThatMakeNoSenseGetAProblemWhenTheBodyComesLater() throws Exception {
        byte[] body = body("SN-nobody").getBytes(StandardCharsets.UTF_8);
        for (String header : List.of("Accept: ///", "Accept: ;q=2", "Accept-Language: @@@", "Content-Type: bogus")) {
            for (String path : List.of("/register", "/fleets/default/register", "/token", "/introspect")) {
                String type = header.startsWith("Content-Type") ? "" : "Content-Type: " + JSON + "\r\n";
                try (RawHttp http = new RawHttp(registry.base())) {
                    http.write(("POST " + path + " HTTP/1.1\r\nHost: muster\r\nConnection: close\r\n" + type + header
                                    + "\r\nContent-Length: " + body.length + "\r\n\r\n")
                            .getBytes(StandardCharsets.ISO_8859_1));
                    Within.pass(Duration.ofMillis(100));
                    http.write(body);
                    Reply reply = http.reply(false);
                    assertThat(reply.status())
                            .as(path + " with " + header + ": " + reply)
                            .isBetween(400, 499);
                    assertThat(reply.header("Content-Type").orElse(""))
                            .as(path + " with " + header + ": " + reply)
                            .contains("json");
                    if (path.endsWith("/register")) {
                        assertAnyProblem(reply);
                    } else {
                        // If the server ignores the header, the endpoint itself answers, in the form of OAuth.
                        assertThat(reply.json().has("type") || reply.json().has("error"))
                                .as(path + " with " + header + ": " + reply)
                                .isTrue();
                    }
                }
            }
        }
    }

    @Test
    void operatorApiNamesFaultsOfItsQuery() {
        for (String query : List.of(
                "?limit=0",
                "?limit=1001",
                "?limit=x",
                "?state=lost",
                "?tag=x",
                "?cursor=1",
                "?fleet=default&serial=x", // other tests make fleets in which any text is a serial
                "?fleet=nowhere")) {
            Reply reply = registry.listDevices(query);
            assertProblem(reply, 400, "invalid-request");
            assertThat(ProblemAssert.pointers(reply)).as(query).hasSize(1);
        }
        Reply all = registry.listDevices("?limit=0&state=lost&colour=blue&serial=SN-0001&serial=SN-0002");
        assertThat(ProblemAssert.pointers(all)).hasSize(4);
        assertProblem(registry.get("api/v1/devices/nobody", registry.asOperator()), 404, "not-found");
        assertProblem(registry.get("api/v1/devices/" + ID, registry.asOperator()), 404, "not-found");
        assertProblem(registry.change(ID, "disable"), 404, "not-found");
    }

    /** The parameters that the resources of the operator API declare; a test beside them compares. */
    static Stream<Arguments> operatorRequests() throws IOException {
        return Files.readAllLines(Path.of("../../docs/operator-rights.csv")).stream()
                .filter(line -> line.contains(" /api/"))
                .map(line -> line.split("[ ,]"))
                .map(parts -> Arguments.of(
                        parts[0],
                        parts[1].substring(1)
                                .replace("{fleet}", "default")
                                .replace("{serial}", "SN-0001")
                                .replace("{lot}", "L1")
                                .replace("{delivery}", ID)
                                .replace("{number}", "1")
                                .replace("{id}", ID)));
    }

    @ParameterizedTest
    @MethodSource("operatorRequests")
    void unknownQueryParametersAreRefused(String method, String path) {
        String[] headers = Stream.concat(Stream.of(registry.asOperator()), Stream.of("Content-Type", JSON))
                .toArray(String[]::new);

        Reply reply = registry.send(
                method,
                path + "?dryRun=true&limt=1",
                method.equals("GET") || method.equals("DELETE") ? null : "{}".getBytes(StandardCharsets.UTF_8),
                headers);

        assertProblem(reply, 400, "invalid-request");
        assertThat(ProblemAssert.pointers(reply)).hasSize(2);
        assertThat(reply.text()).contains("\\\"dryRun\\\" is not a query parameter", "\\\"limt\\\" is not");
    }

    @Test
    void whatHasAnUnknownQueryParameterIsNotDone() {
        RegistryUnderTest.Registered device = registry.newDevice();
        String serial = RegistryUnderTest.unusedSerial();

        assertProblem(registry.change(device.deviceId(), "retire?dryRun=true"), 400, "invalid-request");
        assertProblem(
                registry.post(
                        "api/v1/fleets/default/serials?dryRun=true", CSV, ("serial\n" + serial), registry.asOperator()),
                400,
                "invalid-request");

        assertThat(registry.devicesOf(device.serial()).get(0).path("state").asText())
                .isEqualTo("active");
        assertThat(registry.register(serial).status()).isEqualTo(400);
    }

    @Test
    void queryThatIsEmptyRepeatedOrUndecodableIsAFault() throws Exception {
        for (String query : List.of("limit=", "limit=1&limit=2", "limit", "limit=1&x", "state=active&=")) {
            assertProblem(registry.get("api/v1/devices?" + query, registry.asOperator()), 400, "invalid-request");
        }
        for (String query : List.of("limit=%zz", "limit=%", "%ff=1")) {
            Reply reply = RawHttp.exchange(
                    registry.base(),
                    RawHttp.request(
                            "GET",
                            "/api/v1/devices?" + query,
                            null,
                            new byte[0],
                            "Authorization: " + registry.asOperator()[1]));
            assertThat(reply.status()).as(query + ": " + reply).isEqualTo(400);
        }
        assertThat(registry.listDevices("?limit=1&").status()).isEqualTo(200);
    }

    @Test
    void devicesMayAddAQueryExceptWhereCredentialsAre() {
        String serial = registry.expectedSerial();

        assertThat(registry.post("register?v=1.2", JSON, body(serial)).status()).isEqualTo(200);
        String form = "grant_type=client_credentials&token=x";
        assertProblem(registry.post("introspect?token=x", FORM, form, registry.asOperator()), 400, "invalid-request");
        for (String address : List.of("token", "revoke")) {
            Reply reply = registry.post(address + "?client_secret=x", FORM, form);
            assertThat(reply.status()).as(address).isEqualTo(400);
            assertThat(reply.json().path("error").asText()).as(address).isEqualTo("invalid_request");
        }
    }

    @Test
    void answersDoNotNameTheServer() throws Exception {
        // The headers of other servers are a setting of theirs.
        assumeTrue(onMuster());

        for (String target : List.of("/register", "/nowhere", "/health/live", "/.well-known/jwks.json")) {
            Reply reply = raw("GET", target, null, "");
            if (onMuster()) {
                assertThat(reply.headers()).doesNotContainKeys("Server", "X-Powered-By", "Via");
            } else {
                assertThat(reply.header("Server").orElse("")).doesNotMatch(".*\\d\\.\\d.*");
            }
            assertThat(reply.header("X-Content-Type-Options")).hasValue("nosniff");
            assertThat(reply.headers()).doesNotContainKey("Set-Cookie");
        }
    }
}
