// SPDX-License-Identifier: Apache-2.0
package io.muster.start;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.muster.audit.Audit;
import io.muster.audit.AuditEvent;
import io.muster.broker.BrokerClaims;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.cdi.Parts;
import io.muster.cdi.RegistryScoped;
import io.muster.config.MusterConfig;
import io.muster.config.Sources;
import io.muster.credential.CredentialKind;
import io.muster.credential.CredentialState;
import io.muster.credential.StoredCredential;
import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.device.DeviceTag;
import io.muster.disconnection.Disconnections;
import io.muster.fleet.Fleets;
import io.muster.issuer.Issuers;
import io.muster.limit.Limits;
import io.muster.once.Nonces;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.InstantConverter;
import io.muster.persistence.MasterKey;
import io.muster.plugin.NamedBeans;
import io.muster.plugin.Observers;
import io.muster.plugin.Plugins;
import io.muster.token.SigningKeys;
import io.muster.token.TokenIssuer;
import io.muster.user.IdentityProviders;
import io.muster.verification.policy.Verifiers;
import jakarta.enterprise.inject.Produces;
import java.time.Clock;
import java.time.Duration;
import java.util.List;

/**
 * Makes the parts that are of a foreign type, are read from the database, or connect packages that do not know each
 * other.
 */
@Part
final class Producers {

    private static final List<Class<?>> ENTITIES = List.of(
            Device.class,
            DeviceTag.class,
            StoredCredential.class,
            AuditEvent.class,
            InstantConverter.class,
            DeviceState.Letter.class,
            CredentialState.Letter.class,
            CredentialKind.Letter.class);

    @Produces
    @RegistryScoped
    Surroundings surroundings() {
        return Parts.current().surroundings(Surroundings.class);
    }

    @Produces
    @RegistryScoped
    Sources sources(Surroundings surroundings) {
        return surroundings.sources();
    }

    @Produces
    @RegistryScoped
    NamedBeans beans(Surroundings surroundings) {
        return surroundings.beans();
    }

    /** Truncates to the precision of the database, so that a time is the same in the first reply as in later ones. */
    @Produces
    @RegistryScoped
    @Ours
    Clock clock(Surroundings surroundings) {
        return Clock.tick(surroundings.clock(), Duration.ofMillis(1));
    }

    @Produces
    @RegistryScoped
    @Ours
    Observers observers(Surroundings surroundings, BeanObservers beans) {
        return surroundings.observers().orElse(beans);
    }

    @Produces
    @RegistryScoped
    MusterConfig config(Sources sources) {
        return MusterConfig.from(sources);
    }

    @Produces
    @RegistryScoped
    Plugins plugins(MusterConfig config) {
        return Plugins.load(config.pluginsDir(), config.settings()::fault);
    }

    @Produces
    @RegistryScoped
    Database database(MusterConfig config, @Ours Clock clock) {
        return Database.open(config.database(), ENTITIES, clock);
    }

    @Produces
    @RegistryScoped
    MasterKey masterKey(Database database, MusterConfig config) {
        return MasterKey.open(database, config.masterKeyFile());
    }

    @Produces
    @RegistryScoped
    Nonces nonces(MasterKey master, MusterConfig config, @Ours Clock clock) {
        return new Nonces(master.derive("nonce"), config.issuer(), clock);
    }

    @Produces
    @RegistryScoped
    SigningKeys signingKeys(
            Database database, MasterKey master, Changes changes, Audit audit, MusterConfig config, @Ours Clock clock) {
        return SigningKeys.open(database, master, changes, audit, config, clock);
    }

    @Produces
    @RegistryScoped
    Fleets fleets(
            Database database,
            Changes changes,
            Audit audit,
            Verifiers verifiers,
            Issuers issuers,
            IdentityProviders users,
            Disconnections disconnections,
            MusterConfig config,
            @Ours Clock clock) {
        return Fleets.open(database, changes, audit, verifiers, issuers, users, disconnections, config.fleets(), clock);
    }

    /** Returns the limit on failed authentications of devices. */
    @Produces
    @RegistryScoped
    Limits failures(MusterConfig config, @Ours Clock clock) {
        return new Limits(config.limits().failures(), config.limits().window(), clock);
    }

    @Produces
    @RegistryScoped
    TokenIssuer tokenIssuer(SigningKeys keys, MusterConfig config, Ids ids, BrokerClaims brokers, @Ours Clock clock) {
        return new TokenIssuer(keys, config.issuer(), config.token(), ids, brokers::of, clock);
    }

    @Produces
    @RegistryScoped
    @Ours
    PrometheusMeterRegistry meters() {
        return new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    }
}
