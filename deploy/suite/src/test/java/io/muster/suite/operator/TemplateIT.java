// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.client.DeviceClient;
import io.muster.client.DeviceConfiguration;
import io.muster.client.RefusedException;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Templates of fleets, their preview, and what devices see of them and report, with the device client. */
class TemplateIT {

    private static final RegistryUnderTest REGISTRY = SharedWorld.onMariaDb();
    private static final String TEMPLATE = "'template':{'name':'Pump {serial|last:4}','tags':{'batch':'{lot|lower}'},"
            + "'attributes':{'firmware':{'type':'string','maxLength':8,'report':true},"
            + "'gain':{'type':'number','default':2,'min':0,'max':9,'report':true},'site':{'type':'string'}},"
            + "'configuration':{'topic':'plant/{lot|or:none}/{serial}','image':'{attribute.firmware|or:factory}'}}";

    @TempDir
    Path directory;

    private static Reply send(String method, String path, String json, String... headers) {
        List<String> all = new ArrayList<>(List.of("Content-Type", JSON));
        all.addAll(List.of(headers));
        return REGISTRY.send(
                method, path, json.replace('\'', '"').getBytes(StandardCharsets.UTF_8), all.toArray(String[]::new));
    }

    private static Reply put(String fleet, String members) {
        return send(
                "PUT", "api/v1/fleets/" + fleet, "{'verifiers':['database']," + members + "}", REGISTRY.asOperator());
    }

    private static Reply preview(String fleet, String body) {
        return send("POST", "api/v1/fleets/" + fleet + "/preview", body, REGISTRY.asOperator());
    }

    private static String fleet(String name) {
        Reply made = put(name, TEMPLATE);
        assertThat(made.status()).as(made.toString()).isIn(200, 201);
        return name;
    }

    private DeviceClient device(String fleet, String serial) {
        return DeviceClient.builder()
                .registry(REGISTRY.base())
                .fleet(fleet)
                .serial(serial)
                .giveUpAfter(Duration.ofSeconds(20))
                .store(directory.resolve(serial + ".json"))
                .build();
    }

    private static String topic(DeviceClient device) {
        try {
            return device.configuration().values().get("topic");
        } catch (IOException | RefusedException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void deviceGetsWhatTheTemplateSaysAndSeesItsChange() throws Exception {
        String fleet = fleet("templated");
        String serial = RegistryUnderTest.unusedSerial();
        REGISTRY.load(fleet, "text/csv", ("serial,lot\n" + serial + ",L7\n").getBytes(StandardCharsets.UTF_8));
        JsonNode before = preview(fleet, "{'serial':'" + serial + "'}").json();
        DeviceClient device = device(fleet, serial);

        Map<String, String> told = device.register().configuration();
        DeviceConfiguration first = device.configuration();

        assertThat(told).isEqualTo(Map.of("topic", "plant/L7/" + serial, "image", "factory"));
        assertThat(first.values()).isEqualTo(told);
        JsonNode record = REGISTRY.ownRecord(device.accessToken()).json();
        assertThat(record.path("name").asText()).isEqualTo("Pump " + serial.substring(serial.length() - 4));
        assertThat(record.path("tags").path("batch").asText()).isEqualTo("l7");
        assertThat(record.path("attributes").path("gain").asInt()).isEqualTo(2);
        for (String same : List.of("name", "tags", "attributes", "configuration", "configurationVersion")) {
            assertThat(before.path(same)).as(same).isEqualTo(record.path(same));
        }
        assertThat(device.configuration()).isEqualTo(first);

        assertThat(put(fleet, TEMPLATE.replace("plant/", "hall/")).status()).isEqualTo(200);

        within(Duration.ofSeconds(10), "the device is told", () -> topic(device).equals("hall/L7/" + serial));
        assertThat(device.configuration().version()).isNotEqualTo(first.version());
    }

    @Test
    void recordThatIsTheSameIsNotSentAgain() throws Exception {
        String fleet = fleet("templated-tags");
        String serial = REGISTRY.expectedSerial(fleet);
        DeviceClient device = device(fleet, serial);
        String[] token = bearer(device.accessToken());
        Reply first = REGISTRY.get("devices/me", token);
        String tag = first.header("ETag").orElseThrow();

        Reply same = REGISTRY.get("devices/me", token[0], token[1], "If-None-Match", tag);
        assertThat(same.status()).as(same.toString()).isEqualTo(304);
        assertThat(same.text()).isEmpty();
        assertProblem(
                send("PATCH", "devices/me", "{'attributes':{'gain':3}}", token[0], token[1], "If-Match", "\"1\""),
                412,
                "precondition-failed");
        Reply reported = send("PATCH", "devices/me", "{'attributes':{'gain':3}}", token[0], token[1], "If-Match", tag);
        assertThat(reported.status()).as(reported.toString()).isEqualTo(200);
        assertThat(reported.json().path("attributes").path("gain").asInt()).isEqualTo(3);
        assertThat(REGISTRY.get("devices/me", token[0], token[1], "If-None-Match", tag)
                        .status())
                .isEqualTo(200);
    }

    @Test
    void deviceReportsWhatItsFleetLetsIt() throws Exception {
        String fleet = fleet("reporting");
        DeviceClient device = device(fleet, REGISTRY.expectedSerial(fleet));
        String id = device.register().deviceId();

        DeviceConfiguration after = device.report(Map.of("firmware", "1.4.2", "gain", 4.5));

        assertThat(after.values()).containsEntry("image", "1.4.2");
        device.report(Map.of("firmware", "1.4.3"));
        JsonNode record = REGISTRY.ownRecord(device.accessToken()).json();
        assertThat(record.path("attributes").toString()).contains("\"firmware\":\"1.4.3\"", "\"gain\":4.5");
        JsonNode events = REGISTRY.get("api/v1/devices/" + id + "/events", REGISTRY.asOperator())
                .json()
                .path("events");
        assertThat(events.findValuesAsText("type")).containsOnlyOnce("device-reported");

        RefusedException refused = catchThrowableOfType(
                RefusedException.class,
                () -> device.report(Map.of("firmware", "123456789", "gain", "4", "site", "B", "nix", true)));
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.faults().stream().map(fault -> fault.pointer() + " " + fault.detail()))
                .containsExactlyInAnyOrder(
                        "#/attributes/firmware must have at most 8 characters",
                        "#/attributes/gain must be a number, as the fleet declares",
                        "#/attributes/site is no attribute that the fleet lets its devices report",
                        "#/attributes/nix is no attribute that the fleet lets its devices report");
        String token = REGISTRY.accessToken(REGISTRY.newDevice());
        assertProblem(send("PATCH", "devices/me", "{'attributes':{'gain':1}}", bearer(token)), 403, "forbidden");
        assertProblem(send("PATCH", "devices/me", "{'attributes':{'gain':1}}"), 401, "unauthorized");
    }

    @Test
    void previewShowsDocumentsThatAreNotStored() {
        Reply shown = preview(
                "not-there-yet",
                "{'serial':'SN-0001','lot':'B','tags':{'batch':'own'},'document':{'verifiers':['database']," + TEMPLATE
                        + "}}");

        assertThat(shown.status()).as(shown.toString()).isEqualTo(200);
        assertThat(shown.json().path("tags").path("batch").asText()).isEqualTo("own");
        assertThat(shown.json().path("configuration").path("topic").asText()).isEqualTo("plant/B/SN-0001");
        assertThat(shown.json().path("reported").toString()).isEqualTo("[\"firmware\",\"gain\"]");
        JsonNode leftOut = preview(
                        "not-there-yet", "{'serial':'SN-0001','document':{'verifiers':['database']," + TEMPLATE + "}}")
                .json()
                .path("leftOut");
        assertThat(leftOut.findValuesAsText("pointer")).containsExactly("#/template/tags/batch");
        assertThat(leftOut.findValuesAsText("detail")).containsExactly("a placeholder has no value");
        assertThat(REGISTRY.get("api/v1/fleets/not-there-yet", REGISTRY.asOperator())
                        .status())
                .isEqualTo(404);
        Reply faulty = preview("templated", "{'document':{'template':{'name':'{nix}'}},'nix':1}");
        assertThat(faulty.status()).isEqualTo(400);
        assertThat(faulty.json().findValuesAsText("pointer"))
                .containsExactlyInAnyOrder("#/document/verifiers", "#/document/template/name", "#/serial", "#/nix");
    }

    @Test
    void previewShowsNothingOfListsAndDevicesThatTheOperatorMayNotRead() throws Exception {
        String fleet = fleet("previewed");
        String listed = RegistryUnderTest.unusedSerial();
        REGISTRY.load(fleet, "text/csv", ("serial,lot\n" + listed + ",L7\n").getBytes(StandardCharsets.UTF_8));
        String registered = REGISTRY.expectedSerial(fleet);
        DeviceClient device = device(fleet, registered);
        String id = device.register().deviceId();
        device.report(Map.of("firmware", "9"));
        String reader = REGISTRY.post(
                        "api/v1/operators",
                        JSON,
                        "{\"name\":\"previewer\",\"rights\":[\"fleets:read\"]}",
                        REGISTRY.asOperator())
                .json()
                .path("token")
                .asText();
        String path = "api/v1/fleets/" + fleet + "/preview";

        assertThat(preview(fleet, "{'serial':'" + listed + "'}").text()).contains("L7");
        assertThat(preview(fleet, "{'serial':'" + registered + "'}").text())
                .contains(id, "\"image\":\"9\"", "\"firmware\":\"9\"");
        assertThat(send("POST", path, "{'serial':'" + listed + "'}", bearer(reader))
                        .text())
                .contains("plant/none/")
                .doesNotContain("L7");
        assertThat(send("POST", path, "{'serial':'" + registered + "'}", bearer(reader))
                        .text())
                .contains("factory")
                .doesNotContain(id);
    }
}
