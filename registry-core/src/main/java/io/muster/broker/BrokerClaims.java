// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import io.muster.broker.Account.OfDevice;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.credential.AuthenticatedDevice;
import io.muster.credential.ClientAuthenticator;
import io.muster.credential.ClientAuthenticator.Holder;
import io.muster.fleet.Fleet;
import io.muster.fleet.FleetDocument;
import io.muster.fleet.Fleets;
import io.muster.fleet.Topics;
import io.muster.token.VerifiedToken;
import jakarta.inject.Inject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Claims in access tokens for brokers that check tokens themselves, if the fleet wants them. In the steady state it
 * runs no SQL. Thread-safe.
 */
@Part
public final class BrokerClaims {

    private final String audience;
    private final ClientAuthenticator authenticator;
    private final Fleets fleets;

    /**
     * Makes claims for tokens of one audience.
     *
     * @param config has the audience, which RabbitMQ knows as its own name
     */
    @Inject
    public BrokerClaims(MusterConfig config, ClientAuthenticator authenticator, Fleets fleets) {
        this.audience = config.token().audience();
        this.authenticator = authenticator;
        this.fleets = fleets;
    }

    /** Returns the claims by name; empty for a fleet that wants none. */
    public Map<String, Object> of(AuthenticatedDevice device) {
        Optional<FleetDocument> document = fleets.find(device.fleet()).map(Fleet::document);
        List<BrokerKind> brokers = document.map(FleetDocument::brokerClaims).orElse(List.of());
        Optional<Holder> holder = brokers.isEmpty() ? Optional.empty() : authenticator.holder(device.key());
        Map<String, Object> claims = new LinkedHashMap<>();
        holder.ifPresent(own -> {
            Topics topics = document.orElseThrow().topics();
            OfDevice account =
                    new OfDevice(own.deviceId(), topics.of(own.deviceId(), own.fleet(), own.serial(), own.owner()));
            if (brokers.contains(BrokerKind.RABBITMQ)) {
                claims.put("scope", RabbitMqScopes.of(account, audience));
            }
            if (brokers.contains(BrokerKind.EMQX)) {
                claims.put("acl", EmqxRules.of(account));
            }
            if (document.orElseThrow().followsOwner()) {
                // A connection with these topics ends with the owner, so the token does too.
                claims.put(VerifiedToken.OWNER, VerifiedToken.owner(own.owner()));
            }
        });
        return claims;
    }
}
