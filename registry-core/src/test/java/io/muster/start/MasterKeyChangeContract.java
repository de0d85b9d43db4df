// SPDX-License-Identifier: Apache-2.0
package io.muster.start;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig.Broker;
import io.muster.credential.BrokerLogins.Login;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.verification.hmac.EnrolmentKeys;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

/** How one master key follows another, on every database. */
interface MasterKeyChangeContract {

    String OLD =
            Base64.getEncoder().encodeToString("an old key that has 32 bytes ...".getBytes(StandardCharsets.US_ASCII));
    String NEW =
            Base64.getEncoder().encodeToString("a new key, which has 32 bytes...".getBytes(StandardCharsets.US_ASCII));

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    /** A registry with something of each kind that is sealed: signing keys, enrolment keys, logins of a broker. */
    private TestRegistry registry() {
        return fresh().with("muster.fleet.default.verifiers", "hmac")
                .with("muster.mqtt.brokers", "mosquitto")
                .with("muster.mqtt.broker.mosquitto.kind", "mosquitto")
                // Where nobody is.
                .with("muster.mqtt.broker.mosquitto.management-url", "mqtt://127.0.0.1:1")
                .with("muster.mqtt.broker.mosquitto.management-user", "muster")
                .with("muster.mqtt.broker.mosquitto.management-password", "a password");
    }

    /** Starts a node with these lines in its file. */
    private static TestNode start(TestRegistry registry, String... lines) {
        try {
            Path file = registry.dataDir().resolve("master-key-of-" + System.nanoTime());
            Files.writeString(file, String.join("\n", lines));
            return registry.with("muster.master-key-file", file.toString()).start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static EnrolmentKeys.Created enrolmentKey(TestNode node, String id) {
        return node.enrolmentKeys()
                .create(
                        new EnrolmentKeys.Draft(
                                "default",
                                Optional.of(id),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                OptionalLong.empty()),
                        "test");
    }

    private static RegistrationReceipt register(TestNode node, EnrolmentKeys.Created key, String serial) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(Base64.getDecoder().decode(key.secret()), "HmacSHA256"));
            String evidence = Base64.getEncoder().encodeToString(mac.doFinal(serial.getBytes(StandardCharsets.UTF_8)));
            return node.registrar()
                    .register(new Candidate(
                            new SerialNumber(serial),
                            "default",
                            Optional.empty(),
                            Map.of("hmac", evidence),
                            List.of(),
                            Candidates.ORIGIN));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String token(TestNode node, RegistrationReceipt device) {
        return node.tokenIssuer()
                .issue(node.authenticator()
                        .authenticate(device.key(), device.secret())
                        .orElseThrow());
    }

    /** The message to the broker about a device. */
    private static String secretForTheBroker(TestNode node, RegistrationReceipt device) {
        Broker broker = node.config().brokers().get(0);
        List<Login> logins = node.brokerLogins().of(broker, new DeviceId(device.deviceId()));
        assertThat(logins).hasSize(1);
        return node.brokerLogins().open(logins.get(0));
    }

    @Test
    default void nothingIsLostWhenOneNodeChangesItAndTheOldKeyOpensNothingAfterwards() {
        TestRegistry registry = registry();
        EnrolmentKeys.Created key;
        RegistrationReceipt device;
        String token;
        try (TestNode node = start(registry, OLD)) {
            key = enrolmentKey(node, "lot-1");
            device = register(node, key, "SN-0001");
            token = token(node, device);
        }

        try (TestNode node = start(registry, NEW, OLD)) {
            assertThat(node.tokenVerifier().verify(token)).isPresent();
            register(node, key, "SN-0002");
        }

        try (TestNode node = start(registry, NEW)) {
            assertThat(node.tokenVerifier().verify(token)).isPresent();
            assertThat(secretForTheBroker(node, device)).isEqualTo(device.secret());
            register(node, key, "SN-0003");
        }
        assertThatThrownBy(() -> start(registry, OLD))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("muster.master-key-file: this is not the master key");
    }

    /** Each node is stopped and started again, three times, and there is always one that works. */
    @Test
    default void severalNodesChangeItOneAfterTheOther() {
        TestRegistry registry = registry();
        TestNode one = start(registry, OLD);
        EnrolmentKeys.Created key = enrolmentKey(one, "lot-1");
        one.close();

        // first both keys everywhere, while the old one seals
        one = start(registry, OLD, NEW);
        TestNode two = start(registry, OLD, NEW);
        RegistrationReceipt device = register(two, key, "SN-0001");
        String token = token(two, device);
        one.close();

        // then the new one seals
        one = start(registry, NEW, OLD);
        EnrolmentKeys.Created made = enrolmentKey(one, "lot-2");
        EnrolmentKeys.Created last = enrolmentKey(two, "lot-3");
        for (TestNode node : List.of(one, two)) {
            assertThat(node.tokenVerifier().verify(token)).isPresent();
            assertThat(secretForTheBroker(node, device)).isEqualTo(device.secret());
            register(node, made, "SN-2" + System.identityHashCode(node));
        }
        assertThat(two.nonces().accept(one.nonces().issue().nonce())).isPresent();
        assertThat(one.nonces().accept(two.nonces().issue().nonce())).isPresent();
        two.close();
        two = start(registry, NEW, OLD);
        one.close();

        // then the old one goes
        one = start(registry, NEW);
        two.close();
        two = start(registry, NEW);
        for (TestNode node : List.of(one, two)) {
            assertThat(node.tokenVerifier().verify(token)).isPresent();
            assertThat(secretForTheBroker(node, device)).isEqualTo(device.secret());
            register(node, last, "SN-3" + System.identityHashCode(node));
            node.close();
        }
    }

    /** The losses that docs/operations.md names. */
    @Test
    default void whoeverLostItKeepsDevicesAndTheirCredentials() {
        TestRegistry registry = registry();
        EnrolmentKeys.Created key;
        RegistrationReceipt device;
        try (TestNode node = start(registry, OLD)) {
            key = enrolmentKey(node, "lot-1");
            device = register(node, key, "SN-0001");
        }
        List.of("signing_key", "enrolment_key", "broker_login")
                .forEach(table -> registry.execute("DELETE FROM " + table));
        registry.execute("UPDATE seal_key SET private_key = '', salt_key = '', replaced_at = 1");

        try (TestNode node = start(registry, NEW)) {
            assertThat(node.tokenVerifier().verify(token(node, device))).isPresent();
            assertThat(secretForTheBroker(node, device)).isEqualTo(device.secret());
            EnrolmentKeys.Created other = enrolmentKey(node, "lot-1");
            register(node, other, "SN-0002");
        }
    }

    @Test
    default void fileWithMoreKeysOrSomethingElseIsAFault() {
        for (String[] lines : new String[][] {{OLD, NEW, OLD}, {OLD, "x"}, {""}, {OLD + NEW}}) {
            assertThatThrownBy(() -> start(fresh(), lines))
                    .isInstanceOf(ConfigurationException.class)
                    .hasMessageContaining("a key is 44 characters, and there are 2 at most, one a line")
                    .hasMessageNotContaining(OLD);
        }
    }
}
