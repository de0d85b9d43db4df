// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.user;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.pointers;
import static io.muster.suite.fixture.RegistryUnderTest.CSV;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.IdentityProviderProcess;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Users of an outside provider claim devices over HTTP. */
@Tag("portable")
class ClaimsIT {

    private static final String FLEET = "{\"verifiers\":[\"database\"],\"registerAgain\":\"always\",\"claims\":"
            + "{\"users\":[\"customers\"],\"by\":[\"code\",\"serial\"],\"to\":[\"user\",\"group\"],\"tags\":[\"room\"]}}";

    private static final IdentityProviderProcess provider = SharedWorld.provider();
    private static final RegistryUnderTest registry = SharedWorld.onMariaDb();

    @BeforeAll
    static void makeTheFleet() {
        assertThat(put("api/v1/fleets/claimed", FLEET).status()).isIn(200, 201);
    }

    private static String[] user(String name, String... groups) {
        return bearer(provider.accessToken(
                "customers", name, "muster", Map.of("name", "Name of " + name, "groups", List.of(groups))));
    }

    private static Reply claim(String[] user, String body) {
        return registry.post("claims", JSON, body, user);
    }

    private static Reply byCode(String[] user, String code) {
        return claim(user, "{\"code\":\"" + code + "\"}");
    }

    private static Reply change(String[] user, String id, String type, String body) {
        return registry.send(
                "PATCH", "claims/" + id, body.getBytes(StandardCharsets.UTF_8), user[0], user[1], "Content-Type", type);
    }

    /** Returns a new expected serial whose label has this code. */
    private static String labelled(String code) {
        String serial = RegistryUnderTest.unusedSerial();
        Reply reply = registry.load(
                "claimed", CSV, ("serial,claimCode\n" + serial + "," + code + "\n").getBytes(StandardCharsets.UTF_8));
        assertThat(reply.json().path("accepted").asInt()).as(reply.toString()).isEqualTo(1);
        return serial;
    }

    private static List<String> serials(Reply page) {
        List<String> serials = new ArrayList<>();
        page.json()
                .path("items")
                .forEach(item -> serials.add(item.path("serial").asText()));
        return serials;
    }

    @Test
    void personWithACodeOwnsTheDeviceAndASecondPersonDoesNot() {
        String serial = labelled("Quiet-Otter 77");
        String[] ann = user("ann");

        Reply claimed = byCode(ann, "quiet otter77");

        assertThat(claimed.status()).as(claimed.toString()).isEqualTo(201);
        String claimId = claimed.json().path("claimId").asText();
        assertThat(claimed.header("Location").orElse("")).endsWith("/claims/" + claimId);
        assertThat(claimed.json().path("state").asText()).isEqualTo("expected");
        assertThat(claimed.json().path("owner").asText()).isEqualTo("customers:ann");
        assertThat(claimed.json().path("ownerName").asText()).isEqualTo("Name of ann");
        assertThat(claimed.json().path("can").path("release").booleanValue()).isTrue();
        Reply again = byCode(ann, "QU1ET-0TTER-77");
        assertThat(again.status()).isEqualTo(200);
        assertThat(again.json()).isEqualTo(claimed.json());
        assertProblem(byCode(user("ben"), "quiet-otter-77"), 409, "already-claimed");

        Registered device = registry.registered("claimed", serial);

        JsonNode seen = registry.devicesOf(serial).get(0);
        assertThat(seen.path("tags").path("owner").asText()).isEqualTo("customers:ann");
        assertThat(registry.listDevices("?tag=owner:customers:ann")
                        .json()
                        .path("devices")
                        .findValuesAsText("deviceId"))
                .contains(device.deviceId());
        for (String id : List.of(claimId, device.deviceId())) {
            Reply one = registry.get("claims/" + id, ann);
            assertThat(one.json().path("deviceId").asText()).isEqualTo(device.deviceId());
            assertThat(one.json().path("state").asText()).isEqualTo("active");
            assertProblem(registry.get("claims/" + id, user("ben")), 404, "not-found");
        }
        assertThat(serials(registry.get("claims", ann))).containsExactly(serial);
        assertThat(serials(registry.get("claims", user("ben")))).isEmpty();
        Reply own = registry.ownRecord(registry.accessToken(device));
        assertThat(own.json().path("owned").booleanValue()).isTrue();
        assertThat(own.text()).doesNotContain("customers", "ann\"");
    }

    @Test
    void deviceTellsThatNobodyOwnsIt() {
        Reply own = registry.ownRecord(
                registry.accessToken(registry.registered("claimed", registry.expectedSerial("claimed"))));

        assertThat(own.json().path("owned").isBoolean()).isTrue();
        assertThat(own.json().path("owned").booleanValue()).isFalse();
    }

    @Test
    void deviceOfAGroupIsEveryMembers() {
        String serial = registry.expectedSerial("claimed");
        String body = "{\"fleet\":\"claimed\",\"serial\":\"" + serial + "\",\"to\":{\"group\":\"fitters\"},"
                + "\"name\":\"Pump 1\"}";

        assertProblem(claim(user("eve", "cooks"), body), 403, "not-in-group");
        Reply claimed = claim(user("cat", "fitters"), body);

        assertThat(claimed.status()).as(claimed.toString()).isEqualTo(201);
        String[] dan = user("dan", "fitters", "cooks");
        assertThat(serials(registry.get("claims", dan))).containsExactly(serial);
        assertThat(registry.get("claims/" + claimed.json().path("claimId").asText(), dan)
                        .json()
                        .path("name")
                        .asText())
                .isEqualTo("Pump 1");
        assertProblem(registry.get("claims/" + claimed.json().path("claimId").asText(), user("cat")), 404, "not-found");
    }

    @Test
    void ownerRenamesHandsOverAndReleases() {
        String serial = labelled("Brave-Heron-12");
        Registered device = registry.registered("claimed", serial);
        String[] fay = user("fay");
        String[] gus = user("gus");
        String id = byCode(fay, "Brave-Heron-12").json().path("deviceId").asText();
        assertThat(id).isEqualTo(device.deviceId());

        Reply changed = change(
                fay, id, "application/merge-patch+json", "{\"name\":\"Kitchen\",\"tags\":{\"room\":\"kitchen\"}}");
        assertThat(changed.status()).as(changed.toString()).isEqualTo(200);
        assertThat(changed.json().path("name").asText()).isEqualTo("Kitchen");
        assertThat(changed.json().path("tags").path("room").asText()).isEqualTo("kitchen");
        assertThat(change(fay, id, JSON, "{\"name\":null,\"tags\":{\"room\":null}}")
                        .json()
                        .path("tags"))
                .isEmpty();

        Reply made = registry.post("claims/" + id + "/transfer", JSON, "{}", fay);
        assertThat(made.status()).as(made.toString()).isEqualTo(201);
        String code = made.json().path("code").asText();
        assertThat(code).matches("([0-9A-Z]{5}-){4}[0-9A-Z]");
        assertThat(byCode(gus, code).status()).isEqualTo(201);
        assertProblem(registry.get("claims/" + id, fay), 404, "not-found");

        assertThat(registry.send("DELETE", "claims/" + id, null, gus).status()).isEqualTo(204);
        assertProblem(byCode(gus, code), 404, "claim-refused");
        assertProblem(byCode(fay, "Brave-Heron-12"), 404, "claim-refused");
        assertThat(registry.ownRecord(registry.accessToken(device))
                        .json()
                        .path("owned")
                        .booleanValue())
                .isFalse();
        String events =
                registry.get("api/v1/events?limit=100", registry.asOperator()).text();
        assertThat(events)
                .contains("device-claimed", "device-transferred", "device-released")
                .contains("before: customers:fay; after: customers:gus")
                .doesNotContain(code, code.replace("-", ""), "Heron", "HERON");
    }

    @Test
    void refusalsLookAlikeWhateverTheirReason() {
        String blocked = RegistryUnderTest.unusedSerial();
        registry.load("claimed", CSV, ("serial,state\n" + blocked + ",blocked\n").getBytes(StandardCharsets.UTF_8));
        String owned = registry.expectedSerial("claimed");
        String[] hal = user("hal");
        String owns = "{\"fleet\":\"claimed\",\"serial\":\"" + owned + "\"}";
        assertThat(claim(hal, owns).status()).isEqualTo(201);
        Registered retired = registry.registered("claimed", registry.expectedSerial("claimed"));
        registry.change(retired.deviceId(), "retire");
        Set<String> answers = new HashSet<>();
        for (String body : List.of(
                "{\"code\":\"no such code\"}",
                "{\"code\":\"00000-00000-00000-00000-0\"}",
                "{\"fleet\":\"claimed\",\"serial\":\"SN-nobodys\"}",
                "{\"fleet\":\"claimed\",\"serial\":\"" + blocked + "\"}",
                "{\"fleet\":\"claimed\",\"serial\":\"" + retired.serial() + "\"}",
                "{\"fleet\":\"claimed\",\"tag\":{\"mac\":\"x\"}}",
                "{\"fleet\":\"default\",\"serial\":\"" + owned + "\"}",
                "{\"fleet\":\"nowhere\",\"serial\":\"" + owned + "\"}",
                owns)) {
            Reply reply = claim(user("ida"), body);
            assertProblem(reply, 404, "claim-refused");
            Map<String, List<String>> headers = new TreeMap<>(reply.headers());
            headers.keySet().removeIf(name -> name.equalsIgnoreCase("date"));
            answers.add(headers + reply.text().replaceAll("urn:uuid:[0-9a-f-]+", ""));
        }

        assertThat(answers).hasSize(1);
        assertThat(claim(hal, owns).status()).isEqualTo(200);
    }

    @Test
    void badBodyIsAnsweredWithEveryFault() {
        String[] user = user("jan");
        Map<String, List<String>> faulty = new TreeMap<>();
        faulty.put("{}", List.of("#/code"));
        faulty.put("[]", List.of("#"));
        faulty.put("{\"code\":\"00000-00000-00000-00000-1\"}", List.of("#/code"));
        faulty.put("{\"code\":\"abc\"}", List.of("#/code"));
        faulty.put("{\"code\":1,\"name\":\"\",\"to\":\"me\",\"x\":1}", List.of("#/code", "#/to", "#/name", "#/x"));
        faulty.put("{\"code\":\"ABCD\",\"serial\":\"SN-1\"}", List.of("#/serial"));
        faulty.put("{\"fleet\":\"claimed\"}", List.of("#/serial"));
        faulty.put("{\"serial\":\"SN-1\"}", List.of("#/fleet"));
        faulty.put("{\"fleet\":\"claimed\",\"serial\":\"SN-1\",\"tag\":{\"a\":\"b\"}}", List.of("#/serial"));
        faulty.put("{\"fleet\":\"claimed\",\"tag\":{\"a\":\"b\",\"c\":\"d\"}}", List.of("#/tag"));
        faulty.put("{\"fleet\":\"claimed\",\"tag\":{\"a b\":\"\"}}", List.of("#/tag/a%20b"));
        faulty.put("{\"code\":\"ABCD\",\"to\":{}}", List.of("#/to/group"));
        faulty.put("{\"code\":\"ABCD\",\"to\":{\"group\":\"\",\"y\":1}}", List.of("#/to/group", "#/to/y"));
        faulty.put("{\"code\":null}", List.of("#/code"));
        faulty.forEach((body, expected) -> {
            Reply reply = claim(user, body);
            assertProblem(reply, 400, "invalid-request");
            assertThat(pointers(reply)).as(body).containsAll(expected);
        });
        assertProblem(registry.post("claims?code=ABCD", JSON, "{}", user), 400, "invalid-request");
        assertProblem(registry.get("claims?limit=0", user), 400, "invalid-request");
        assertProblem(registry.get("claims?cursor=x", user), 400, "invalid-request");

        String serial = registry.expectedSerial("claimed");
        String id = claim(user, "{\"fleet\":\"claimed\",\"serial\":\"" + serial + "\"}")
                .json()
                .path("claimId")
                .asText();
        assertThat(pointers(
                        change(user, id, JSON, "{\"name\":\"\",\"tags\":{\"owner\":\"me\",\"room\":5},\"serial\":1}")))
                .containsExactlyInAnyOrder("#/name", "#/tags/owner", "#/tags/room", "#/serial");
        assertProblem(change(user, id, JSON, "{}"), 400, "invalid-request");
        assertProblem(change(user, id, "text/plain", "{}"), 415, "unsupported-media-type");
        assertProblem(change(user, id, JSON, "{\"tags\":{\"room\":\"attic\"}}"), 409, "conflict");
    }

    @Test
    void tokensThatAreNotOfAUserHereAreRefused() {
        Map<String, Object> none = Map.of();
        for (String token : List.of(
                "",
                "x",
                "a.b.c",
                registry.operatorToken(),
                registry.accessToken(registry.registered("claimed", registry.expectedSerial("claimed"))),
                provider.accessToken("strangers", "ann", "muster", none),
                provider.accessToken("customers", "ann", "others", none),
                provider.token("customers", "JWT", "ann", "muster", none, 3600),
                provider.token("customers", "at+jwt", "ann", "muster", none, -3600))) {
            for (String path : List.of("claims", "claims/me", "claims/" + "0".repeat(32))) {
                Reply reply = registry.get(path, bearer(token));
                assertProblem(reply, 401, "unauthorized");
                assertThat(reply.header("WWW-Authenticate").orElse("")).startsWith("Bearer realm=\"muster\"");
            }
        }
        assertProblem(registry.get("claims"), 401, "unauthorized");
        assertProblem(registry.post("claims", JSON, "{}"), 401, "unauthorized");
        assertProblem(registry.get("api/v1/devices", user("ann")), 401, "unauthorized");
        assertProblem(registry.get("devices/me", user("ann")), 401, "unauthorized");
    }

    @Test
    void userIsToldWhoTheRegistryTakesThemFor() {
        Reply me = registry.get("claims/me", user("kim", "b", "a"));

        assertThat(me.json().path("user").asText()).isEqualTo("customers:kim");
        assertThat(me.json().path("name").asText()).isEqualTo("Name of kim");
        assertThat(me.json().path("groups").toString()).isEqualTo("[\"a\",\"b\"]");
        assertThat(me.header("Cache-Control")).hasValue("no-store");
    }

    @Test
    void operatorsSeeAssignAndReleaseOwners() {
        String serial = registry.expectedSerial("claimed");
        String ofSerial = "api/v1/fleets/claimed/serials/" + serial + "/owner";
        assertProblem(registry.get(ofSerial, registry.asOperator()), 404, "not-found");
        assertProblem(put(ofSerial, "{}"), 400, "invalid-request");
        assertThat(pointers(put(ofSerial, "{\"provider\":\"nobody\",\"subject\":\"\",\"group\":\"\",\"x\":1}")))
                .containsExactlyInAnyOrder("#/provider", "#/subject", "#/group", "#/x");
        assertProblem(
                put(
                        "api/v1/fleets/claimed/serials/SN-nobodys/owner",
                        "{\"provider\":\"customers\",\"subject\":\"leo\"}"),
                404,
                "not-found");

        Reply assigned = put(ofSerial, "{\"provider\":\"customers\",\"subject\":\"leo\",\"group\":\"fitters of leo\"}");
        assertThat(assigned.status()).as(assigned.toString()).isEqualTo(200);
        Registered device = registry.registered("claimed", serial);
        String ofDevice = "api/v1/devices/" + device.deviceId() + "/owner";
        for (String address : List.of(ofSerial, ofDevice)) {
            JsonNode owner = registry.get(address, registry.asOperator()).json();
            assertThat(owner.path("subject").asText()).isEqualTo("leo");
            assertThat(owner.path("group").asText()).isEqualTo("fitters of leo");
        }
        assertThat(serials(registry.get("claims", user("mia", "fitters of leo"))))
                .containsExactly(serial);

        assertThat(put(ofDevice, "{\"provider\":\"customers\",\"subject\":\"ned\"}")
                        .status())
                .isEqualTo(200);
        assertThat(serials(registry.get("claims", user("ned")))).containsExactly(serial);
        assertThat(registry.send("DELETE", ofDevice, null, registry.asOperator())
                        .status())
                .isEqualTo(204);
        assertProblem(registry.send("DELETE", ofSerial, null, registry.asOperator()), 404, "not-found");
        assertThat(serials(registry.get("claims", user("ned")))).isEmpty();
    }

    private static Reply put(String path, String body) {
        return registry.send(
                "PUT",
                path,
                body.getBytes(StandardCharsets.UTF_8),
                "Authorization",
                "Bearer " + registry.operatorToken(),
                "Content-Type",
                JSON);
    }

    @Test
    void listIsPaged() {
        String[] user = user("oda", "pagers");
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            String serial = registry.expectedSerial("claimed");
            String to = i % 2 == 0 ? "\"user\"" : "{\"group\":\"pagers\"}";
            assertThat(claim(user, "{\"fleet\":\"claimed\",\"serial\":\"" + serial + "\",\"to\":" + to + "}")
                            .status())
                    .isEqualTo(201);
            expected.add(serial);
        }
        List<String> found = new ArrayList<>();
        String next = "";
        do {
            Reply page = registry.get("claims?limit=2" + next, user);
            assertThat(page.json().path("items").size()).isLessThanOrEqualTo(2);
            found.addAll(serials(page));
            next = page.json().has("next")
                    ? "&cursor=" + page.json().path("next").asText()
                    : "";
        } while (!next.isEmpty());

        assertThat(found).containsExactlyInAnyOrderElementsOf(expected);
    }
}
