// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.RegistryUnderTest.CSV;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static io.muster.suite.fixture.RegistryUnderTest.encoded;
import static io.muster.suite.fixture.RegistryUnderTest.unusedSerial;
import static io.muster.suite.fixture.RegistryUnderTest.unusedSerials;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.ProblemAssert;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** Expected serials after their import: looked up, blocked, unblocked, and limited by their lots. */
public interface SerialListContract {

    String SERIALS = "api/v1/fleets/default/serials";
    String LOTS = "api/v1/fleets/default/lots";

    RegistryUnderTest registry();

    private Reply post(String path, String json) {
        return registry().post(path, JSON, json, registry().asOperator());
    }

    private Reply postNothing(String path) {
        return registry().send("POST", path, new byte[0], registry().asOperator());
    }

    private Reply get(String path) {
        return registry().get(path, registry().asOperator());
    }

    private JsonNode put(String lot, String json) {
        Reply reply = putReply(lot, json);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply.json();
    }

    private Reply putReply(String lot, String json) {
        List<String> headers = new ArrayList<>(List.of(registry().asOperator()));
        headers.addAll(List.of("Content-Type", JSON));
        return registry()
                .send("PUT", LOTS + "/" + lot, json.getBytes(StandardCharsets.UTF_8), headers.toArray(String[]::new));
    }

    private JsonNode load(String csv) {
        Reply reply = registry().load(csv);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply.json();
    }

    /** With whatever status this registry refuses. */
    private void assertRefused(String serial) {
        Reply reply = registry().register(serial);
        assertThat(reply.json().path("type").asText()).as(reply.toString()).endsWith(":registration-refused");
    }

    private List<String> serials(String query) {
        List<String> serials = new ArrayList<>();
        String next = "";
        do {
            Reply reply = get(SERIALS + "?limit=3" + query + (next.isEmpty() ? "" : "&cursor=" + encoded(next)));
            assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
            reply.json()
                    .path("serials")
                    .forEach(row -> serials.add(row.path("serial").asText()));
            next = reply.json().path("next").asText();
        } while (!next.isEmpty());
        return serials;
    }

    @Test
    default void serialIsExpectedRegisteredBlockedAndRegisteredAgain() {
        String serial = registry().expectedSerial();
        assertThat(get(SERIALS + "/" + serial).json().path("state").asText()).isEqualTo("expected");
        String device = registry().registered(serial).deviceId();

        JsonNode blocked = post(SERIALS + "/" + serial + "/block", "{\"reason\":\"stolen\"}")
                .json();

        assertThat(blocked.path("state").asText()).isEqualTo("blocked");
        assertThat(blocked.path("reason").asText()).isEqualTo("stolen");
        assertThat(blocked.path("deviceId").asText()).isEqualTo(device);
        assertRefused(serial);
        assertThat(postNothing(SERIALS + "/" + serial + "/unblock")
                        .json()
                        .path("state")
                        .asText())
                .isEqualTo("registered");
        assertThat(registry().register(serial).status()).isEqualTo(200);
    }

    @Test
    default void blockOfASerialThatIsInNoListGoesWithoutATrace() {
        String serial = unusedSerial();

        assertThat(postNothing(SERIALS + "/" + serial + "/block")
                        .json()
                        .path("listed")
                        .booleanValue())
                .isFalse();

        assertThat(postNothing(SERIALS + "/" + serial + "/unblock").status()).isEqualTo(204);
        assertProblem(get(SERIALS + "/" + serial), 404, "not-found");
        assertProblem(postNothing(SERIALS + "/" + serial + "/unblock"), 404, "not-found");
        assertRefused(serial);
    }

    @Test
    default void otherSpellingOfABlockedSerialIsAnotherSerial() {
        String serial = registry().expectedSerial();
        String other = serial.toLowerCase(Locale.ROOT);
        registry().expect(other);

        post(SERIALS + "/" + other + "/block", "{}");

        assertRefused(other);
        assertThat(registry().register(serial).status()).isEqualTo(200);
    }

    @Test
    default void everySerialCanBeBlockedWhateverItsCharacters() {
        String unique = unusedSerial();
        List<String> hostile = List.of(
                unique + "/x",
                unique + "/../x",
                unique + "%2f",
                unique + ";a=b",
                unique + "?a=b",
                unique + "'OR'1'='1",
                unique + "\\\\x",
                "{$ne:1}" + unique);
        String all = "[\"" + String.join("\",\"", hostile) + "\"]";

        assertThat(post(SERIALS + "/block", "{\"serials\":" + all + ",\"reason\":\"recall\"}")
                        .json()
                        .path("changed")
                        .asInt())
                .isEqualTo(hostile.size());

        for (String escaped : hostile) {
            String serial = escaped.replace("\\\\", "\\");
            JsonNode rows = get(SERIALS + "?serial=" + encoded(serial)).json().path("serials");
            assertThat(rows).as(serial).hasSize(1);
            assertThat(rows.get(0).path("serial").asText()).isEqualTo(serial);
            assertThat(rows.get(0).path("reason").asText()).isEqualTo("recall");
        }
        assertThat(post(SERIALS + "/unblock", "{\"serials\":" + all + "}")
                        .json()
                        .path("changed")
                        .asInt())
                .isEqualTo(hostile.size());
    }

    @Test
    default void importedBlockKeepsAListedSerialFromRegistering() {
        List<String> serials = unusedSerials(3);
        registry().expect("default", serials);

        JsonNode result = load("serial,state,reason\n" + serials.get(0) + ",blocked,stolen\n" + serials.get(1)
                + ",expected,\n" + serials.get(2) + ",stolen,\n");

        assertThat(result.path("accepted").asInt()).isEqualTo(2);
        assertThat(result.path("errors").get(0).path("row").asInt()).isEqualTo(4);
        assertRefused(serials.get(0));
        assertThat(registry().register(serials.get(1)).status()).isEqualTo(200);
        assertThat(registry().register(serials.get(2)).status()).isEqualTo(200);
    }

    @Test
    default void listPagesAndFilters() {
        List<String> serials = unusedSerials(8);
        String lot = "list-" + serials.get(0);
        load("serial,lot\n" + String.join("," + lot + "\n", serials) + "," + lot + "\n");
        registry().registered(serials.get(1));
        post(SERIALS + "/" + serials.get(2) + "/block", "{}");

        assertThat(serials("&lot=" + lot)).isEqualTo(serials);
        assertThat(serials("&lot=" + lot + "&state=registered")).containsExactly(serials.get(1));
        assertThat(serials("&lot=" + lot + "&state=blocked")).containsExactly(serials.get(2));
        assertThat(serials("&lot=" + lot + "&state=expected")).hasSize(6);
        assertThat(serials("&state=blocked")).contains(serials.get(2));
        assertProblem(get(SERIALS + "?state=lost"), 400, "invalid-request");
        assertProblem(get(SERIALS + "?offset=3"), 400, "invalid-request");
    }

    @Test
    default void lotIsPausedAndExpiresAndGoesOn() {
        List<String> serials = unusedSerials(2);
        // A slash is part of the name.
        String lot = "2026/" + serials.get(0);
        load("serial,lot\n" + String.join("," + lot + "\n", serials) + "," + lot + "\n");
        assertThat(get(LOTS + "/" + lot).json().path("imported").asInt()).isEqualTo(2);

        put(lot, "{\"paused\":true}");
        assertRefused(serials.get(0));
        put(lot, "{\"notAfter\":\"2020-01-01T00:00:00Z\"}");
        assertRefused(serials.get(0));
        put(lot, "{\"notBefore\":\"2199-01-01T00:00:00Z\"}");
        assertRefused(serials.get(0));
        put(lot, "{\"notBefore\":\"2020-01-01T00:00:00Z\",\"notAfter\":\"2199-01-01T00:00:00Z\"}");
        assertThat(registry().register(serials.get(0)).status()).isEqualTo(200);

        JsonNode now = get(LOTS + "/" + lot).json();
        assertThat(now.path("registered").asInt()).isEqualTo(1);
        assertThat(now.path("blocked").asInt()).isZero();
        assertThat(now.path("notBefore").asText()).isEqualTo("2020-01-01T00:00:00Z");
        assertThat(now.path("paused").booleanValue()).isFalse();
    }

    @Test
    default void lotTakesAsManyAsItExpects() {
        List<String> serials = unusedSerials(4);
        String lot = "full-" + serials.get(0);
        put(lot, "{\"expected\":2}");

        JsonNode result = load("serial,lot\n" + String.join("," + lot + "\n", serials) + "," + lot + "\n");

        assertThat(result.path("accepted").asInt()).isEqualTo(2);
        assertThat(result.path("errors").get(0).path("row").asInt()).isEqualTo(4);
        assertThat(result.path("errors").get(0).path("reason").asText()).contains("expects 2 serials and has them");
        assertProblem(putReply(lot, "{\"expected\":1}"), 409, "conflict");
        assertThat(put(lot, "{\"expected\":3}").path("imported").asInt()).isEqualTo(2);
    }

    @Test
    default void everyFaultOfALotIsNamedAtOnce() {
        Reply reply =
                putReply("faulty", "{\"expected\":1.5,\"notBefore\":1,\"notAfter\":\"soon\",\"paused\":0,\"x\":1}");

        assertProblem(reply, 400, "invalid-request");
        assertThat(ProblemAssert.pointers(reply))
                .containsExactlyInAnyOrder("#/x", "#/expected", "#/notBefore", "#/notAfter", "#/paused");
        assertProblem(get(LOTS + "/faulty"), 404, "not-found");
    }

    @Test
    default void rightToReadIsNoRightToBlock() {
        String token = post(
                        "api/v1/operators",
                        "{\"name\":\"reader " + unusedSerial() + "\",\"rights\":[\"serials:read\"]}")
                .json()
                .path("token")
                .asText();

        assertThat(registry().get(SERIALS + "?limit=1", bearer(token)).status()).isEqualTo(200);
        assertThat(registry().get(LOTS, bearer(token)).status()).isEqualTo(200);
        for (String path : List.of(
                SERIALS, SERIALS + "/block", SERIALS + "/unblock", SERIALS + "/remove", SERIALS + "/SN-0001/block")) {
            assertProblem(registry().post(path, CSV, "serial\n", bearer(token)), 403, "forbidden");
            assertProblem(registry().post(path, CSV, "serial\n"), 401, "unauthorized");
        }
        assertProblem(registry().get(SERIALS), 401, "unauthorized");
        assertProblem(registry().get(LOTS + "/x"), 401, "unauthorized");
    }

    @Test
    default void serialThatIsNoDeviceYetIsTakenOffTheList() {
        List<String> serials = unusedSerials(4);
        String lot = "taken-" + serials.get(0);
        String slash = serials.get(3) + "/1";
        load("serial,lot\n" + String.join("," + lot + "\n", serials) + "," + lot + "\n" + slash + ",\n");
        registry().register(serials.get(1));

        Reply gone = registry()
                .send("DELETE", SERIALS + "/" + serials.get(0), null, registry().asOperator());
        assertThat(gone.status()).isEqualTo(204);
        assertProblem(get(SERIALS + "/" + serials.get(0)), 404, "not-found");
        assertRefused(serials.get(0));
        assertThat(get(LOTS + "/" + lot).json().path("imported").asInt()).isEqualTo(3);
        assertProblem(
                registry()
                        .send(
                                "DELETE",
                                SERIALS + "/" + serials.get(0),
                                null,
                                registry().asOperator()),
                404,
                "not-found");
        Reply device = registry()
                .send("DELETE", SERIALS + "/" + serials.get(1), null, registry().asOperator());
        assertProblem(device, 409, "conflict");
        assertThat(device.text()).contains("is a device");

        assertProblem(
                post(SERIALS + "/remove", "{\"serials\":[\"" + slash + "\",\"" + serials.get(1) + "\"]}"),
                409,
                "conflict");
        JsonNode changed = post(
                        SERIALS + "/remove",
                        "{\"serials\":[\"" + slash + "\",\"" + serials.get(2) + "\",\"" + serials.get(0) + "\"]}")
                .json();
        assertThat(changed.path("changed").asInt()).isEqualTo(2);
        assertThat(changed.path("unchanged").asInt()).isEqualTo(1);

        post(SERIALS + "/" + serials.get(0) + "/block", "{}");
        assertProblem(
                registry()
                        .send(
                                "DELETE",
                                SERIALS + "/" + serials.get(0),
                                null,
                                registry().asOperator()),
                409,
                "conflict");
    }
}
