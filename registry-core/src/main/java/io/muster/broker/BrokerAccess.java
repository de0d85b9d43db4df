package io.muster.broker;

import io.muster.broker.Account.OfDevice;
import io.muster.broker.Account.OfOperator;
import io.muster.broker.Account.OfRegistry;
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
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Answers brokers: who logs in, and what an account may do. In the steady state it runs no SQL; what it knows is two seconds old at
 * the most. Thread-safe.
 */
public final class BrokerAccess {

    private final List<Known> brokers;
    private final ClientAuthenticator authenticator;
    private final TokenVerifier tokens;
    private final Operators operators;
    private final Fleets fleets;

    /** Answers the brokers that the configuration names. */
    public BrokerAccess(
            MusterConfig config,
            ClientAuthenticator authenticator,
            TokenVerifier tokens,
            Operators operators,
            Fleets fleets) {
        this.brokers = config.brokers().stream().map(Known::of).toList();
        this.authenticator = authenticator;
        this.tokens = tokens;
        this.operators = operators;
        this.fleets = fleets;
    }

    /** A broker and the hashes of what proves that it asks. */
    private record Known(Broker broker, List<byte[]> hashes) {

        static Known of(Broker broker) {
            return new Known(
                    broker, broker.secrets().stream().map(Secrets::hash).toList());
        }

        /** Compares with all of them, whichever it is, so that the time tells nothing of a secret. */
        boolean has(byte[] hash) {
            return hashes.stream().filter(one -> Secrets.same(one, hash)).count() > 0;
        }
    }

    /**
     * Who logged in.
     *
     * @param until when the login ends by itself: that of the token that was the password; empty for a secret
     */
    public record Login(Account account, Optional<Instant> until) {}

    /**
     * Returns the broker that asks.
     *
     * @param listenerSecret of the address it asked
     * @param kind what the address is for
     * @return empty if the secret is not one of a broker of this kind
     */
    public Optional<Broker> broker(String listenerSecret, BrokerKind kind) {
        byte[] hash = Secrets.hash(listenerSecret);
        List<Broker> found =
                brokers.stream().filter(one -> one.has(hash)).map(Known::broker).toList();
        return found.stream().filter(broker -> broker.kind() == kind).findFirst();
    }

    /**
     * Logs in: a device by the key and secret of a credential, or by its key and an access token that it got with it; an operator by its
     * name and token; this registry by what it is called at the broker.
     *
     * @param clientId the MQTT client id; empty where the broker has none, as for its management
     * @return empty for everybody else, and for a device whose client id is not its own, or whose fleet is not the broker's
     */
    public Optional<Login> logIn(Broker broker, String user, String password, Optional<String> clientId) {
        return own(broker, user, clientId)
                .filter(account -> Secrets.same(
                        Secrets.hash(broker.management().orElseThrow().password()), Secrets.hash(password)))
                .map(account -> new Login(account, Optional.empty()))
                // Devices first: there are many of them, and that somebody is no operator is asked of the database once
                // for each.
                .or(() -> device(broker, user, password, clientId))
                .or(() -> operator(user, password, clientId));
    }

    /**
     * Returns who a user name is that logged in before, if it could still log in.
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

    /** A client id that could be a device's would throw that device off. */
    private static boolean isClient(Operator operator, Optional<String> clientId) {
        return Stream.of(Right.MQTT_READ, Right.MQTT_WRITE, Right.MQTT_ADMIN).anyMatch(operator::may)
                && clientId.filter(DeviceId::isValid).isEmpty();
    }

    private Optional<Login> device(Broker broker, String key, String password, Optional<String> clientId) {
        // Before the secret is looked at: a login that fails confirms no credential.
        Optional<Account> account = authenticator.holder(key).flatMap(holder -> device(broker, holder, clientId));
        if (account.isEmpty()) {
            return Optional.empty();
        }
        if (password.indexOf('.') >= 0) {
            // A token that is bound to a key is of no use to whoever cannot show a proof, and a broker cannot.
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
                                fleet.document().topics().of(holder.deviceId(), fleet.name(), holder.serial())))
                : Optional.empty();
    }
}
