// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.broker.Dynsec.Acl;
import io.muster.broker.Dynsec.Role;
import io.muster.config.MusterConfig.Broker;
import io.muster.credential.BrokerLogins.Login;
import io.muster.credential.BrokerLogins.Standing;
import io.muster.credential.CredentialOrders.Scope;
import io.muster.device.DeviceState;
import io.muster.json.Json;
import io.muster.ownership.Owner;
import io.muster.ownership.Ownership;
import io.muster.persistence.Ids;
import io.muster.spi.Candidate;
import io.muster.spi.CredentialConfirmed;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import io.muster.user.User;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The commands for a Mosquitto, against one that answers as 2.0.11 does. */
class MosquittoManagementTest {

    private final FakeDynsec dynsec = new FakeDynsec();
    private final TestClock clock = new TestClock();
    private final Counter repaired = new SimpleMeterRegistry().counter("repaired");
    private TestRegistry settings;
    private TestNode registry;
    private MosquittoManagement management;

    @BeforeEach
    void start() {
        settings = TestRegistry.fresh()
                .with(clock)
                .with("anybody", candidate -> Verdict.genuine())
                .with("muster.fleet.default.verifiers", "anybody")
                .with("muster.mqtt.brokers", "mosquitto")
                .with("muster.mqtt.broker.mosquitto.kind", "mosquitto")
                // Nothing listens there: the tests talk to the fake broker.
                .with("muster.mqtt.broker.mosquitto.management-url", "mqtt://127.0.0.1:1")
                .with("muster.mqtt.broker.mosquitto.management-user", "muster")
                .with("muster.mqtt.broker.mosquitto.management-password", "a password");
        open();
    }

    private void open() {
        registry = settings.start();
        management = new MosquittoManagement(broker(), registry.brokerLogins(), registry.fleets(), dynsec, repaired);
    }

    @AfterEach
    void stop() {
        registry.close();
    }

    private Broker broker() {
        return registry.config().brokers().get(0);
    }

    private RegistrationReceipt registered(String serial) {
        return registry.registrar().register(Candidate.of(new SerialNumber(serial), "default", "127.0.0.1"));
    }

    private static DeviceId id(RegistrationReceipt device) {
        return new DeviceId(device.deviceId());
    }

    private RegistrationReceipt told(String serial) throws Exception {
        RegistrationReceipt device = registered(serial);
        management.keep(id(device));
        dynsec.changes.clear();
        return device;
    }

    private List<Login> logins(RegistrationReceipt device) {
        return registry.brokerLogins().of(broker(), id(device));
    }

    private void change(RegistrationReceipt device, DeviceState state) {
        registry.devices().change(id(device), state, "somebody");
    }

    private List<Object> commands() {
        return dynsec.changes.stream().map(command -> command.get("command")).toList();
    }

    private static String role(RegistrationReceipt device) {
        return "muster-" + device.deviceId();
    }

    @Test
    void deviceGetsAClientOfItsOwnIdAndARoleOfItsOwnTopics() throws Exception {
        RegistrationReceipt device = registered("SN-0001");

        management.keep(id(device));

        assertThat(dynsec.clients.get(device.key()))
                .containsEntry("password", device.secret())
                .containsEntry("clientid", device.deviceId())
                .containsEntry("textname", "Muster")
                .containsEntry("roles", List.of(Map.of("rolename", role(device))));
        String state = "muster/" + device.deviceId() + "/state";
        String command = "muster/" + device.deviceId() + "/command";
        assertThat(Role.read(Json.parse(Json.bytes(dynsec.roles.get(role(device)))))
                        .acls())
                .containsExactlyInAnyOrder(
                        new Acl("publishClientSend", state, 0, true),
                        new Acl("subscribeLiteral", command, 0, true),
                        new Acl("publishClientReceive", command, 1, true),
                        new Acl("publishClientReceive", "#", 0, false));
    }

    @Test
    void whatIsRightIsNotWrittenAgain() throws Exception {
        RegistrationReceipt device = told("SN-0001");

        assertThat(management.keep(id(device)).changes()).isZero();
        management.mend();

        assertThat(dynsec.changes).isEmpty();
        assertThat(repaired.count()).isZero();
    }

    /** Otherwise the credential would count as never used, and its serial could register again. */
    @Test
    void whoMayHaveConnectedWhenNobodyHeardItIsMadeToConnectAgain() throws Exception {
        RegistrationReceipt unseen = told("SN-0001");
        RegistrationReceipt seen = told("SN-0002");
        assertThat(registry.authenticator().authenticate(seen.key(), seen.secret()))
                .isPresent();
        dynsec.another = true;
        dynsec.broken = true;
        assertThatThrownBy(management::mend).isInstanceOf(IOException.class);
        dynsec.broken = false;

        management.mend();
        management.mend();

        assertThat(dynsec.changes)
                .containsExactly(
                        Map.of("command", "disableClient", "username", unseen.key()),
                        Map.of("command", "enableClient", "username", unseen.key()));
        assertThat(repaired.count()).isZero();
    }

    @Test
    void disabledDeviceHasNoClientAndGetsItBackWithItsSecret() throws Exception {
        RegistrationReceipt device = told("SN-0001");

        change(device, DeviceState.DISABLED);
        assertThat(management.keep(id(device)).ended()).isTrue();
        assertThat(commands()).containsExactly("deleteClient", "deleteRole");
        assertThat(logins(device)).singleElement().extracting(Login::standing).isEqualTo(Standing.SUSPENDED);

        change(device, DeviceState.ACTIVE);
        management.keep(id(device));
        assertThat(dynsec.clients.get(device.key())).containsEntry("password", device.secret());
    }

    @Test
    void ofARevokedCredentialNothingIsKeptOnceTheBrokerKnows() throws Exception {
        RegistrationReceipt device = told("SN-0001");
        registry.revocations().revoke(id(device), Optional.empty(), "", "somebody");
        dynsec.broken = true;

        assertThatThrownBy(() -> management.keep(id(device))).isInstanceOf(IOException.class);
        assertThat(logins(device)).singleElement().extracting(Login::standing).isEqualTo(Standing.ENDED);

        dynsec.broken = false;
        management.keep(id(device));
        assertThat(dynsec.clients).isEmpty();
        assertThat(dynsec.roles).isEmpty();
        assertThat(logins(device)).isEmpty();
        assertThat(management.keep(id(device)).changes()).isZero();
    }

    @Test
    void revokedByAnOrderOfTheFleetEndsToo() throws Exception {
        RegistrationReceipt device = told("SN-0001");
        registry.credentialOrders()
                .revoke(new Scope("default", Optional.empty(), Optional.empty()), "leaked", "somebody");
        clock.pass(Duration.ofSeconds(1));

        management.keep(id(device));

        assertThat(dynsec.clients).isEmpty();
    }

    @Test
    void retiredDeviceIsForgotten() throws Exception {
        RegistrationReceipt device = told("SN-0001");
        change(device, DeviceState.RETIRED);

        management.keep(id(device));

        assertThat(dynsec.clients).isEmpty();
        assertThat(logins(device)).isEmpty();
    }

    @Test
    void credentialThatNobodyUsedGoesWhenItLapses() throws Exception {
        RegistrationReceipt device = registered("SN-0001");
        assertThat(management.keep(id(device)).until()).contains(TestRegistry.NOW.plus(Duration.ofDays(30)));
        clock.pass(Duration.ofDays(31));

        management.keep(id(device));

        assertThat(dynsec.clients).isEmpty();
        assertThat(logins(device)).isEmpty();
    }

    @Test
    void connectionIsAUseOfTheCredential() throws Exception {
        RegistrationReceipt device = told("SN-0001");
        RegistrationReceipt other = told("SN-0002");

        registry.authenticator().usedAtBroker(id(other), device.key());
        assertThat(settings.events()).noneMatch(CredentialConfirmed.class::isInstance);
        registry.authenticator().usedAtBroker(id(device), device.key());

        assertThat(settings.events()).anyMatch(CredentialConfirmed.class::isInstance);
        assertThat(management.keep(id(device)).until()).isEmpty();
    }

    @Test
    void brokerThatIsOpenByDefaultGetsNoClientsAndLosesThem() throws Exception {
        RegistrationReceipt gone = told("SN-0001");
        RegistrationReceipt device = registered("SN-0002");
        change(gone, DeviceState.DISABLED);
        dynsec.open = true;

        management.keep(id(gone));
        assertThatThrownBy(() -> management.keep(id(device)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("setDefaultACLAccess");

        assertThat(dynsec.clients).isEmpty();
    }

    @Test
    void whoIsInWhenTheBrokerBecomesOpenByDefaultIsOutUntilItNoLongerIs() throws Exception {
        RegistrationReceipt device = told("SN-0001");
        dynsec.open = true;

        management.mend();
        assertThat(dynsec.clients).isEmpty();
        dynsec.changes.clear();
        management.mend();
        assertThat(dynsec.changes).isEmpty();

        dynsec.open = false;
        management.mend();
        assertThat(dynsec.clients).containsOnlyKeys(device.key());
        assertThat(management.keep(id(device)).changes()).isZero();
    }

    @Test
    void oneThatCannotBeMendedKeepsNoOtherFromIt() throws Exception {
        RegistrationReceipt refused = told("SN-0001");
        RegistrationReceipt unreadable = told("SN-0002");
        RegistrationReceipt device = told("SN-0003");
        dynsec.clients.clear();
        dynsec.unwanted = refused.key();
        assertThat(settings.execute(
                        "UPDATE broker_login SET secret = (SELECT secret FROM broker_login WHERE access_key = '"
                                + device.key() + "') WHERE access_key = '" + unreadable.key() + "'"))
                .isEqualTo(1);

        management.mend();

        assertThat(dynsec.clients).containsOnlyKeys(device.key());
        assertThatThrownBy(() -> management.keep(id(unreadable)))
                .isInstanceOf(BrokerManagement.RefusedException.class)
                .hasMessageNotContaining(unreadable.secret());
    }

    @Test
    void differencesAreMendedAndCounted() throws Exception {
        RegistrationReceipt lost = told("SN-0001");
        RegistrationReceipt changed = told("SN-0002");
        RegistrationReceipt freed = told("SN-0003");
        RegistrationReceipt off = told("SN-0004");
        dynsec.clients.remove(lost.key());
        Map<String, Object> role = new HashMap<>(dynsec.roles.get(role(changed)));
        role.put("acls", List.of(Map.of("acltype", "publishClientSend", "topic", "#", "priority", 0, "allow", true)));
        dynsec.roles.put(role(changed), role);
        dynsec.clients.get(freed.key()).put("clientid", "");
        dynsec.clients.get(off.key()).put("disabled", true);

        management.mend();

        assertThat(commands())
                .containsExactlyInAnyOrder(
                        "createClient",
                        "modifyRole",
                        "disableClient",
                        "enableClient",
                        "deleteClient",
                        "createClient",
                        "deleteClient",
                        "createClient");
        assertThat(repaired.count()).isEqualTo(6);
        for (RegistrationReceipt device : List.of(lost, changed, freed, off)) {
            assertThat(management.keep(id(device)).changes()).isZero();
        }
    }

    @Test
    void emptyBrokerGetsEverythingBack() throws Exception {
        RegistrationReceipt device = told("SN-0001");
        RegistrationReceipt never = registered("SN-0002");
        dynsec.clients.clear();
        dynsec.roles.clear();

        management.mend();

        assertThat(dynsec.clients).containsOnlyKeys(device.key(), never.key());
        assertThat(dynsec.roles).containsOnlyKeys(role(device), role(never));
    }

    @Test
    void whatIsNotOursIsLeftAlone() throws Exception {
        RegistrationReceipt device = told("SN-0001");
        Map<String, Object> theirs = new HashMap<>(Map.of(
                "username",
                "collector",
                "roles",
                List.of(Map.of("rolename", "all"), Map.of("rolename", role(device)))));
        dynsec.clients.put("collector", theirs);
        dynsec.clients.put("admin", Map.of("username", "admin", "roles", List.of(Map.of("rolename", "admin"))));
        dynsec.clients.put("aged", Map.of("username", "aged", "textname", "Muster", "roles", List.of()));
        dynsec.roles.put("all", Map.of("rolename", "all", "acls", List.of()));
        dynsec.roles.put("muster-old", Map.of("rolename", "muster-old", "acls", List.of()));

        management.mend();

        assertThat(dynsec.clients).containsOnlyKeys("collector", "admin", device.key());
        assertThat(dynsec.clients.get("collector")).containsEntry("roles", List.of(Map.of("rolename", "all")));
        assertThat(dynsec.roles).containsOnlyKeys("all", role(device));
    }

    @Test
    void topicsOfTheFleetChangeTheRole() throws Exception {
        RegistrationReceipt device = told("SN-0001");
        registry.fleets()
                .put(
                        "default",
                        "{\"verifiers\":[\"anybody\"],\"topics\":{\"publish\":[\"x/{deviceId}\"],\"subscribe\":[]}}"
                                .getBytes(StandardCharsets.UTF_8),
                        version -> true,
                        "somebody");

        management.keep(id(device));

        assertThat(commands()).containsExactly("modifyRole", "disableClient", "enableClient");
        assertThat(Role.read(Json.parse(Json.bytes(dynsec.roles.get(role(device)))))
                        .acls())
                .contains(new Acl("publishClientSend", "x/" + device.deviceId(), 0, true))
                .hasSize(2);
    }

    private Role roleOf(RegistrationReceipt device) throws Exception {
        return Role.read(Json.parse(Json.bytes(dynsec.roles.get(role(device)))));
    }

    @Test
    void ownerOfTheDeviceChangesTheRole() throws Exception {
        RegistrationReceipt device = told("SN-0001");
        registry.fleets()
                .put(
                        "default",
                        ("{\"verifiers\":[\"anybody\"],\"topics\":{\"publish\":[\"{owner}/{deviceId}\"],"
                                        + "\"subscribe\":[\"{owner}/news\"]}}")
                                .getBytes(StandardCharsets.UTF_8),
                        version -> true,
                        "somebody");
        management.keep(id(device));
        assertThat(roleOf(device).acls()).containsExactly(new Acl("publishClientReceive", "#", 0, false));
        dynsec.changes.clear();
        User user = new User("customers", "https://login.example", "anna", Optional.empty(), Set.of());
        String mark = Ids.hex(user.key()).substring(0, 32);

        registry.part(Ownership.class).assign(registry.fleets().get("default"), "SN-0001", Owner.of(user), "somebody");
        assertThat(management.anew(id(device)).ended()).isTrue();

        assertThat(commands()).containsExactly("modifyRole", "disableClient", "enableClient");
        assertThat(roleOf(device).acls())
                .containsExactlyInAnyOrder(
                        new Acl("publishClientSend", mark + "/" + device.deviceId(), 0, true),
                        new Acl("subscribeLiteral", mark + "/news", 0, true),
                        new Acl("publishClientReceive", mark + "/news", 1, true),
                        new Acl("publishClientReceive", "#", 0, false));
    }

    @Test
    void deviceThatIsToConnectAnewIsDisconnectedAlthoughNothingElseChanges() throws Exception {
        RegistrationReceipt device = told("SN-0001");
        RegistrationReceipt unknown = registered("SN-0002");

        assertThat(management.anew(id(device)).ended()).isTrue();
        assertThat(commands()).containsExactly("disableClient", "enableClient");
        dynsec.changes.clear();
        assertThat(management.anew(id(unknown)).ended()).isFalse();
        assertThat(commands()).containsExactly("createRole", "createClient");
    }

    @Test
    void patternsAreOneRoleForAFleet() throws Exception {
        RegistrationReceipt before = told("SN-0001");
        registry.close();
        settings.with("muster.mqtt.broker.mosquitto.patterns", "true");
        open();
        RegistrationReceipt device = registered("SN-0002");

        management.mend();

        assertThat(dynsec.clients).containsOnlyKeys(before.key(), device.key());
        assertThat(dynsec.roles).containsOnlyKeys("muster-fleet-default");
        assertThat(Role.read(Json.parse(Json.bytes(dynsec.roles.get("muster-fleet-default"))))
                        .acls())
                .containsExactlyInAnyOrder(
                        new Acl("publishClientSend", "muster/%c/state", 0, true),
                        new Acl("subscribePattern", "muster/%c/command", 0, true),
                        new Acl("publishClientReceive", "muster/%c/command", 1, true),
                        new Acl("publishClientReceive", "#", 0, false));
    }

    @Test
    void secretIsKeptOnlyWhereABrokerWantsItAndFromItsNextUse() throws Exception {
        registry.close();
        settings.with("muster.mqtt.broker.mosquitto.fleets", "others");
        open();
        RegistrationReceipt device = registered("SN-0001");
        assertThat(settings.execute("UPDATE broker_login SET secret = secret")).isZero();
        registry.close();
        settings.with("muster.mqtt.broker.mosquitto.fleets", "default");
        open();
        assertThat(logins(device)).isEmpty();

        assertThat(registry.authenticator().authenticate(device.key(), device.secret()))
                .isPresent();
        management.keep(id(device));

        assertThat(dynsec.clients.get(device.key())).containsEntry("password", device.secret());
        // Not at each use: the memory knows that it is stored.
        registry.authenticator().authenticate(device.key(), device.secret());
        assertThat(settings.execute("DELETE FROM broker_login")).isEqualTo(1);
        registry.authenticator().authenticate(device.key(), device.secret());
        assertThat(settings.execute("DELETE FROM broker_login")).isZero();
    }

    @Test
    void whatIsKeptIsSealedForItsKeyAlone() {
        RegistrationReceipt device = registered("SN-0001");
        registered("SN-0002");

        assertThat(logins(device).get(0).toString()).doesNotContain(device.secret());
        assertThat(settings.execute(
                        "UPDATE broker_login SET access_key = 'x' WHERE access_key = '" + device.key() + "'"))
                .isEqualTo(1);
        Login moved = logins(device).get(0);
        assertThatThrownBy(() -> registry.brokerLogins().open(moved)).hasMessageNotContaining(device.secret());
    }
}
