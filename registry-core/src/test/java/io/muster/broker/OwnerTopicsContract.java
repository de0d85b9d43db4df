// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.credential.AuthenticatedDevice;
import io.muster.device.OwnerMark;
import io.muster.fleet.Fleet;
import io.muster.ownership.Owner;
import io.muster.ownership.Ownership;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import io.muster.user.User;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The topics of devices by their owners, on every database. */
interface OwnerTopicsContract {

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    User ANNA = user("anna");
    User BERND = user("bernd");

    private static User user(String subject) {
        return new User("customers", "https://login.example", subject, Optional.empty(), Set.of("family"));
    }

    private TestNode started() {
        TestNode node = fresh().withUsers("customers", "https://login.example")
                .with("muster.fleet.default.verifiers", "yes")
                .with("yes", candidate -> Verdict.genuine())
                .with("muster.mqtt.brokers", "emqx")
                .with("muster.mqtt.broker.emqx.kind", "emqx")
                .with("muster.mqtt.broker.emqx.secret", "secret-of-the-broker-0123456789abcdef")
                // Nobody listens there, so requests to disconnect stay.
                .with("muster.mqtt.broker.emqx.management-url", "http://127.0.0.1:1")
                .with("muster.mqtt.broker.emqx.management-user", "muster")
                .with("muster.mqtt.broker.emqx.management-password", "a password")
                .start();
        fleet(node, "{owner}/{deviceId}/state", "{owner}/news", "");
        return node;
    }

    private static void fleet(TestNode node, String publish, String subscribe, String more) {
        node.fleets()
                .put(
                        "default",
                        ("{'verifiers':['yes'],'brokerClaims':['emqx','rabbitmq'],'topics':{'publish':['" + publish
                                        + "'],'subscribe':['all','" + subscribe + "']}" + more + "}")
                                .replace('\'', '"')
                                .getBytes(StandardCharsets.UTF_8),
                        version -> true,
                        "somebody");
    }

    private static RegistrationReceipt registered(TestNode node, String serial) {
        return node.registrar().register(Candidate.of(new SerialNumber(serial), "default", "127.0.0.1"));
    }

    private static void own(TestNode node, RegistrationReceipt device, Optional<User> user, Optional<String> group) {
        Ownership ownership = node.part(Ownership.class);
        Fleet fleet = node.fleets().get("default");
        String serial = device.tags().get("serial");
        user.ifPresentOrElse(
                owner -> ownership.assign(fleet, serial, new Owner(owner, group), "somebody"),
                () -> ownership.release(fleet, serial, "somebody"));
    }

    private static Account account(TestNode node, RegistrationReceipt device) {
        return node.part(BrokerAccess.class)
                .account(node.config().brokers().get(0), device.key(), Optional.of(device.deviceId()))
                .orElseThrow();
    }

    private static String token(TestNode node, RegistrationReceipt device) {
        AuthenticatedDevice authenticated =
                node.authenticator().authenticate(device.key(), device.secret()).orElseThrow();
        return node.tokenIssuer().issue(authenticated);
    }

    private static boolean isGood(TestNode node, String token) {
        return node.tokenVerifier().verify(token).isPresent();
    }

    private static String mark(User user) {
        return Ids.hex(user.key()).substring(0, 32);
    }

    private static String markOfFamily() {
        return Ids.hex(ANNA.groupKey("family")).substring(0, 32);
    }

    @Test
    default void deviceWithoutOwnerHasNoTopicsOfAnOwner() {
        try (TestNode node = started()) {
            Account account = account(node, registered(node, "SN-0001"));

            assertThat(account).isInstanceOfSatisfying(Account.OfDevice.class, device -> {
                assertThat(device.topics().publish()).isEmpty();
                assertThat(device.topics().subscribe()).containsExactly("all");
            });
        }
    }

    @Test
    default void topicsFollowTheOwner() {
        try (TestNode node = started()) {
            RegistrationReceipt device = registered(node, "SN-0001");
            String state = "/" + device.deviceId() + "/state";
            account(node, device);

            own(node, device, Optional.of(ANNA), Optional.empty());
            assertThat(account(node, device).mayPublish(mark(ANNA) + state)).isTrue();
            assertThat(account(node, device).maySubscribe(mark(ANNA) + "/news")).isTrue();

            own(node, device, Optional.of(BERND), Optional.empty());
            assertThat(account(node, device).mayPublish(mark(ANNA) + state)).isFalse();
            assertThat(account(node, device).maySubscribe(mark(ANNA) + "/news")).isFalse();
            assertThat(account(node, device).mayPublish(mark(BERND) + state)).isTrue();

            own(node, device, Optional.of(ANNA), Optional.of("family"));
            assertThat(account(node, device).mayPublish(mark(ANNA) + state)).isFalse();
            assertThat(account(node, device).mayPublish(markOfFamily() + state)).isTrue();

            own(node, device, Optional.empty(), Optional.empty());
            assertThat(account(node, device).mayPublish(markOfFamily() + state)).isFalse();
            assertThat(account(node, device).maySubscribe("all")).isTrue();
        }
    }

    @Test
    default void tokenWithTopicsOfAnOwnerIsNotGoodForAnother() {
        try (TestNode node = started()) {
            RegistrationReceipt device = registered(node, "SN-0001");
            String ofNobody = token(node, device);
            assertThat(isGood(node, ofNobody)).isTrue();

            own(node, device, Optional.of(ANNA), Optional.empty());
            String ofAnna = token(node, device);
            assertThat(isGood(node, ofNobody)).isFalse();
            assertThat(isGood(node, ofAnna)).isTrue();

            own(node, device, Optional.of(BERND), Optional.empty());
            assertThat(isGood(node, ofAnna)).isFalse();
            assertThat(isGood(node, token(node, device))).isTrue();

            own(node, device, Optional.empty(), Optional.empty());
            assertThat(isGood(node, ofAnna)).isFalse();
            assertThat(isGood(node, token(node, device))).isTrue();
        }
    }

    /** The password of a login is a token, and so it is refused too. */
    @Test
    default void loginWithATokenOfTheOwnerBeforeIsRefused() {
        try (TestNode node = started()) {
            RegistrationReceipt device = registered(node, "SN-0001");
            own(node, device, Optional.of(ANNA), Optional.empty());
            String ofAnna = token(node, device);
            assertThat(logIn(node, device, ofAnna)).isPresent();

            own(node, device, Optional.of(BERND), Optional.empty());

            assertThat(logIn(node, device, ofAnna)).isEmpty();
            assertThat(logIn(node, device, device.secret())).isPresent();
        }
    }

    private static Optional<BrokerAccess.Login> logIn(TestNode node, RegistrationReceipt device, String password) {
        return node.part(BrokerAccess.class)
                .logIn(node.config().brokers().get(0), device.key(), password, Optional.of(device.deviceId()));
    }

    @Test
    default void tokenWithoutTopicsOfAnOwnerOutlivesIt() {
        try (TestNode node = started()) {
            fleet(node, "{deviceId}/state", "news", "");
            RegistrationReceipt device = registered(node, "SN-0001");
            String token = token(node, device);

            own(node, device, Optional.of(ANNA), Optional.empty());

            assertThat(isGood(node, token)).isTrue();
        }
    }

    private static long disconnections(TestNode node, RegistrationReceipt device) {
        return node.part(Database.class)
                .jdbc(Sql.of(
                                "SELECT COUNT(*) FROM disconnection WHERE device_id = ? AND anew = TRUE",
                                Ids.bytes(device.deviceId()))
                        .first(row -> row.getLong(1)))
                .orElseThrow();
    }

    @Test
    default void changeOfTheOwnerEndsTheConnectionWhereTopicsDependOnIt() {
        try (TestNode node = started()) {
            RegistrationReceipt device = registered(node, "SN-0001");

            own(node, device, Optional.of(ANNA), Optional.empty());
            assertThat(disconnections(node, device)).isEqualTo(1);
            own(node, device, Optional.empty(), Optional.empty());
            assertThat(disconnections(node, device)).isEqualTo(2);

            fleet(node, "{deviceId}/state", "news", "");
            own(node, device, Optional.of(BERND), Optional.empty());
            assertThat(disconnections(node, device)).isEqualTo(2);
        }
    }

    @Test
    default void fleetMayWantThatConnectionsAndTokensEndWhateverItsTopicsAre() {
        try (TestNode node = started()) {
            fleet(
                    node,
                    "{deviceId}/state",
                    "news",
                    ",'claims':{'users':['customers'],'by':['code'],'disconnect':true}");
            RegistrationReceipt device = registered(node, "SN-0001");
            String token = token(node, device);

            own(node, device, Optional.of(ANNA), Optional.empty());

            assertThat(disconnections(node, device)).isEqualTo(1);
            assertThat(isGood(node, token)).isFalse();
            assertThat(isGood(node, token(node, device))).isTrue();
        }
    }

    @Test
    default void markIsOfTheGroupIfThereIsOne() {
        assertThat(OwnerMark.of(null, null)).isEmpty();
        // As the script of docs/brokers.md computes it.
        assertThat(mark(ANNA)).isEqualTo("4b04b6bf5a06ddb787c07d461229a1a0");
        assertThat(OwnerMark.of(ANNA.key(), null)).contains(new OwnerMark(mark(ANNA)));
        assertThat(OwnerMark.of(BERND.key(), BERND.groupKey("family"))).contains(new OwnerMark(markOfFamily()));
    }
}
