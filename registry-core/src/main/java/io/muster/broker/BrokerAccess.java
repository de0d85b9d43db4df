// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import io.muster.broker.Account.OfDevice;
import io.muster.broker.Account.OfOperator;
import io.muster.broker.Account.OfRegistry;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.config.MusterConfig.Broker;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.credential.ClientAuthenticator;
import io.muster.credential.ClientAuthenticator.Holder;
import io.muster.credential.Secrets;
import io.muster.fleet.Fleets;
import io.muster.operator.Operator;
import io.muster.operator.Operators;
import io.muster.operator.Right;
import io.muster.spi.DeviceId;
import io.muster.token.TokenVerifier;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Answers the questions of brokers: whether somebody may log in, and the topics that an account may use. In the steady
 * state it runs no SQL; its knowledge is at most two seconds old. Thread-safe.
 */
@Part
public final class BrokerAccess {

    private final List<BrokerSecrets> brokers;
    private final ClientAuthenticator authenticator;
    private final TokenVerifier tokens;
    private final Operators operators;
    private final Fleets fleets;

    /** Answers the brokers that the configuration names. */
    @Inject
    public BrokerAccess(
            MusterConfig config,
            ClientAuthenticator authenticator,
            TokenVerifier tokens,
            Operators operators,
            Fleets fleets) {
        this.brokers = config.brokers().stream().map(BrokerSecrets::of).toList();
        this.authenticator = authenticator;
        this.tokens = tokens;
        this.operators = operators;
        this.fleets = fleets;
    }

    /** A broker, and the hashes of the secrets that prove that it asks. */
    private record BrokerSecrets(Broker broker, List<byte[]> hashes) {

        static BrokerSecrets of(Broker broker) {
            return new BrokerSecrets(
                    broker, broker.secrets().stream().map(Secrets::hash).toList());
        }

        /** Compares with all hashes even after a match, so that the time reveals nothing about a secret. */
        boolean has(byte[] hash) {
            return hashes.stream()
                            .filter(candidate -> Secrets.same(candidate, hash))
                            .count()
                    > 0;
        }
    }

    /**
     * An account that logged in.
     *
     * @param until when the login expires: with the token that was the password; empty for a secret
     */
    public record Login(Account account, Optional<Instant> until) {}

    /**
     * Returns the broker that asks.
     *
     * @param listenerSecret of the address it asked
     * @param kind the kind of broker that the address serves
     * @return empty if the secret is not one of a broker of this kind
     */
    public Optional<Broker> broker(String listenerSecret, BrokerKind kind) {
        byte[] hash = Secrets.hash(listenerSecret);
        List<Broker> found = brokers.stream()
                .filter(candidate -> candidate.has(hash))
                .map(BrokerSecrets::broker)
                .toList();
        return found.stream().filter(broker -> broker.kind() == kind).findFirst();
    }

    /**
     * Logs in a device, an operator or this registry. A device uses the key of a credential, with its secret or an
     * access token for it. An operator uses name and token. This registry uses its user name at the broker.
     *
     * @param clientId the MQTT client id; empty where the broker has none, as for its management
     * @return empty for all others, for a device whose client id is not its own, and for one whose fleet is not the
     *     broker's
     */
    public Optional<Login> logIn(Broker broker, String user, String password, Optional<String> clientId) {
        return own(broker, user, clientId)
                .filter(account -> Secrets.same(
                        Secrets.hash(broker.management().orElseThrow().password()), Secrets.hash(password)))
                .map(account -> new Login(account, Optional.empty()))
                // Devices first: there are many of them, and for each unknown operator name the database is asked once.
                .or(() -> device(broker, user, password, clientId))
                .or(() -> operator(user, password, clientId));
    }

    /**
     * Returns the account of a user name that logged in before, if it could still log in.
     *
     * @param clientId as for {@link #logIn}
     */
    public Optional<Account> account(Broker broker, String user, Optional<String> clientId) {
        return own(broker, user, clientId)
                .or(() -> authenticator.holder(user).flatMap(holder -> device(broker, holder, clientId)))
                .or(() -> operators
                        .find(user)
                        .filter(operator -> isClient(operator, clientId))
                        .map(OfOperator::new));
    }

    private static Optional<Account> own(Broker broker, String user, Optional<String> clientId) {
        return broker.management()
                .filter(management -> management.user().equals(user) && clientId.isEmpty())
                .map(management -> new OfRegistry());
    }

    private Optional<Login> operator(String name, String token, Optional<String> clientId) {
        return operators
                .authenticate(token)
                .filter(operator -> operator.name().equals(name) && isClient(operator, clientId))
                .map(operator -> new Login(new OfOperator(operator), Optional.empty()));
    }

    /**
     * Tells whether an operator may be an MQTT client. A client id in the form of a device's would disconnect that
     * device, and a name in that form would be taken for the device.
     */
    private static boolean isClient(Operator operator, Optional<String> clientId) {
        return !Operators.isLikeADevices(operator.name())
                && Stream.of(Right.MQTT_READ, Right.MQTT_WRITE, Right.MQTT_ADMIN)
                        .anyMatch(operator::may)
                && clientId.filter(DeviceId::isValid).isEmpty();
    }

    private Optional<Login> device(Broker broker, String key, String password, Optional<String> clientId) {
        // Check this before the secret: a login that fails must not confirm a credential.
        Optional<Account> account = authenticator.holder(key).flatMap(holder -> device(broker, holder, clientId));
        if (account.isEmpty()) {
            return Optional.empty();
        }
        if (password.indexOf('.') >= 0) {
            // A token that is bound to a key needs a proof, and a broker cannot pass one on. So it does not count here.
            return tokens.verify(password)
                    .filter(token ->
                            token.key().equals(key) && token.thumbprint().isEmpty())
                    .map(token -> new Login(account.get(), Optional.of(token.expiresAt())));
        }
        return authenticator.authenticate(key, password).map(device -> new Login(account.get(), Optional.empty()));
    }

    private Optional<Account> device(Broker broker, Holder holder, Optional<String> clientId) {
        boolean own = clientId.filter(holder.deviceId().value()::equals).isPresent();
        boolean admitted = broker.fleets().isEmpty() || broker.fleets().contains(holder.fleet());
        return own && admitted
                ? fleets.find(holder.fleet())
                        .map(fleet -> new OfDevice(
                                holder.deviceId(),
                                fleet.document()
                                        .topics()
                                        .of(holder.deviceId(), fleet.name(), holder.serial(), holder.owner())))
                : Optional.empty();
    }
}
