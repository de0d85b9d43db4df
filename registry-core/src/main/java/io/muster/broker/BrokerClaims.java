package io.muster.broker;

import io.muster.broker.Account.OfDevice;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.credential.AuthenticatedDevice;
import io.muster.credential.ClientAuthenticator;
import io.muster.credential.ClientAuthenticator.Holder;
import io.muster.fleet.Fleet;
import io.muster.fleet.FleetDocument;
import io.muster.fleet.Fleets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an access token says for brokers that check it themselves, where the fleet wants it. In the steady state it runs no SQL.
 * Thread-safe.
 */
public final class BrokerClaims {

    private final String audience;
    private final ClientAuthenticator authenticator;
    private final Fleets fleets;

    /**
     * Makes claims for tokens of one audience.
     *
     * @param audience what RabbitMQ knows itself as
     */
    public BrokerClaims(String audience, ClientAuthenticator authenticator, Fleets fleets) {
        this.audience = audience;
        this.authenticator = authenticator;
        this.fleets = fleets;
    }

    /** Returns the claims by name; none for a fleet that wants none. */
    public Map<String, Object> of(AuthenticatedDevice device) {
        Optional<FleetDocument> document = fleets.find(device.fleet()).map(Fleet::document);
        List<BrokerKind> brokers = document.map(FleetDocument::brokerClaims).orElse(List.of());
        Optional<Holder> holder = brokers.isEmpty() ? Optional.empty() : authenticator.holder(device.key());
        Map<String, Object> claims = new LinkedHashMap<>();
        holder.ifPresent(own -> {
            OfDevice account = new OfDevice(
                    own.deviceId(), document.orElseThrow().topics().of(own.deviceId(), own.fleet(), own.serial()));
            if (brokers.contains(BrokerKind.RABBITMQ)) {
                claims.put("scope", RabbitMqScopes.of(account, audience));
            }
            if (brokers.contains(BrokerKind.EMQX)) {
                claims.put("acl", EmqxRules.of(account));
            }
        });
        return claims;
    }
}
