// SPDX-License-Identifier: Apache-2.0
package io.muster.start;

import io.muster.audit.Audit;
import io.muster.broker.Disconnectors;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.cdi.Parts;
import io.muster.cdi.RegistryScoped;
import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import io.muster.config.Sources;
import io.muster.credential.LastUses;
import io.muster.fleet.Fleets;
import io.muster.issuer.Issuers;
import io.muster.job.JobRunner;
import io.muster.log.RareLog;
import io.muster.operator.GroupGrants;
import io.muster.operator.Operators;
import io.muster.ownership.EvenClaims;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.persistence.MasterKey;
import io.muster.persistence.OwnerOnlyFile;
import io.muster.plugin.EventDelivery;
import io.muster.plugin.Plugins;
import io.muster.registration.EvenRefusals;
import io.muster.statistics.Statistics;
import io.muster.token.SigningKeys;
import io.muster.user.IdentityProviders;
import io.muster.user.OperatorProvider;
import io.muster.verification.list.ExpectedSerials;
import io.muster.verification.list.Spellings;
import io.muster.verification.policy.Verifiers;
import io.muster.webhook.Deliverer;
import io.muster.webhook.Outbox;
import io.muster.webhook.WebhookSender;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/** The order in which a registry starts and stops. Thread-safe once it has started. */
@Part
public final class Startup {

    private static final RareLog LOG = RareLog.of(Startup.class);

    private final Instance<Object> beans;
    private final Parts parts = Parts.current();
    private final MusterConfig config;
    private final Sources sources;
    private final Clock clock;
    private Optional<Path> firstOperatorToken = Optional.empty();
    private Optional<Path> requestedOperatorToken = Optional.empty();
    private volatile boolean warm;

    @Inject
    Startup(@Any Instance<Object> beans, MusterConfig config, Sources sources, @Ours Clock clock) {
        this.beans = beans;
        this.config = config;
        this.sources = sources;
        this.clock = clock;
    }

    /**
     * Starts the registry.
     *
     * @throws ConfigurationException if the configuration or the database is not usable; lists every fault
     */
    void start() {
        try {
            // Identity providers, verifiers and issuers come first, so that their faults are reported with all others.
            // The database is opened only if there are none.
            part(IdentityProviders.class);
            part(GroupGrants.class);
            Verifiers verifiers = part(Verifiers.class);
            Issuers issuers = part(Issuers.class);
            part(WebhookSender.class);
            Fleets.check(config);
            config.settings().check(sources.names(), sources.variables());
            config.settings()
                    .unknownVariables(sources.variables())
                    .forEach(sentence -> LOG.warn(sentence, "{}", sentence));
            verifiers.announce();
            issuers.announce();
            createDataDir();
            compareWithDatabase();
            part(Fleets.class).announce();
            makeAll();
            part(MasterKeyChange.class).run();
            part(Audit.class).hints(part(Spellings.class)::listed);
            part(Audit.class).listener(part(Outbox.class));
            checkBrokers();
            firstOperatorToken = part(Operators.class).createFirst(config.dataDir());
            requestedOperatorToken = part(Operators.class).createRequested(config.dataDir());
            part(Background.class).start();
            warm = config.warmUp().isZero();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private <T> T part(Class<T> type) {
        return beans.select(type).get();
    }

    /** Makes the parts whose rows can contradict the configuration, so that all their faults are reported at once. */
    private void compareWithDatabase() {
        part(Database.class);
        Set<String> faults = new LinkedHashSet<>();
        for (Class<?> part : List.of(MasterKey.class, SigningKeys.class, Fleets.class)) {
            try {
                part(part);
            } catch (ConfigurationException e) {
                faults.addAll(e.faults());
            }
        }
        if (!faults.isEmpty()) {
            throw new ConfigurationException(List.copyOf(faults));
        }
    }

    /**
     * Makes all parts, even those that nothing was injected into yet. A part that listens to changes of other nodes
     * must not miss the first one.
     */
    private void makeAll() {
        for (Instance.Handle<Object> bean : beans.handles()) {
            if (bean.getBean().getScope() == RegistryScoped.class) {
                bean.get();
            }
        }
    }

    private void createDataDir() {
        try {
            OwnerOnlyFile.createDirectory(config.dataDir());
        } catch (IOException e) {
            throw new ConfigurationException(List.of("muster.data-dir: cannot create " + config.dataDir() + " ("
                    + e.getClass().getSimpleName() + ")"));
        }
    }

    /** Checks the brokers for faults that only the database can show. */
    private void checkBrokers() {
        List<String> faults = new ArrayList<>();
        for (MusterConfig.Broker broker : config.brokers()) {
            broker.management()
                    .filter(own -> part(Operators.class).find(own.user()).isPresent())
                    .ifPresent(own -> faults.add("muster.mqtt.broker." + broker.name()
                            + ".management-user: an operator has this name; the registry needs one of its own"));
            broker.fleets().stream()
                    .filter(fleet -> part(Fleets.class).find(fleet).isEmpty())
                    .sorted()
                    .forEach(fleet -> LOG.warn(
                            broker.name() + " " + fleet,
                            "The broker {} is for the fleet {}, which does not exist",
                            broker.name(),
                            fleet));
        }
        if (!faults.isEmpty()) {
            throw new ConfigurationException(faults);
        }
    }

    /** Returns the file with the first operator's token, if this start created that operator. */
    public Optional<Path> firstOperatorToken() {
        return firstOperatorToken;
    }

    /**
     * Returns the file with the token of the operator that {@code new-operator} requested, if this start found that
     * file.
     */
    public Optional<Path> requestedOperatorToken() {
        return requestedOperatorToken;
    }

    /**
     * Makes the process fast, as far as that is possible without a device, and opens all connections to the database.
     * Until then it is not ready, but it works. It leaves no trace in the database, where it only looks for serials
     * that do not exist.
     *
     * @param visit makes a request to this process that leaves no trace, where it can; must not throw
     */
    public void warmUp(Runnable visit) {
        try {
            String nobody = "nobody-" + System.nanoTime() + "-";
            AtomicLong number = new AtomicLong();
            WarmUp.run(beans, config.warmUp(), clock, () -> {
                visit.run();
                parts.ifMade(ExpectedSerials.class, serials -> ask(serials, nobody + number.incrementAndGet()));
            });
            parts.ifMade(Database.class, Database::fill);
        } finally {
            // Even if the warm-up failed: a cold registry works too.
            warm = true;
        }
    }

    private static void ask(ExpectedSerials serials, String serial) {
        try {
            serials.has(MusterConfig.DEFAULT_FLEET, serial);
        } catch (DatabaseUnavailableException e) {
            LOG.warn("warm-up", "The warm-up cannot ask the database: {}", e.getMessage());
        }
    }

    /**
     * Tells whether it can register devices and issue tokens now. It can if it is warm, if its database accepted a
     * change within the last 1.5 seconds, and if a request would get a connection.
     */
    public boolean isReady() {
        return warm
                && parts.made(Changes.class).filter(Changes::isFresh).isPresent()
                && parts.made(Database.class).filter(Database::isAvailable).isPresent();
    }

    /** Stops the background tasks, writes what is queued, and closes everything, in this order. */
    void stop() {
        parts.ifMade(Background.class, Background::stop);
        parts.ifMade(Disconnectors.class, Disconnectors::close);
        parts.ifMade(Deliverer.class, Deliverer::close);
        parts.ifMade(JobRunner.class, JobRunner::close);
        parts.ifMade(Background.class, Background::await);
        parts.ifMade(EvenRefusals.class, EvenRefusals::close);
        parts.ifMade(EvenClaims.class, EvenClaims::close);
        parts.ifMade(Audit.class, Audit::flush);
        parts.ifMade(LastUses.class, LastUses::flush);
        parts.ifMade(Statistics.class, Statistics::flush);
        close();
    }

    /** Closes the parts that were made. */
    private void close() {
        parts.ifMade(Metrics.class, Metrics::close);
        parts.ifMade(EventDelivery.class, EventDelivery::close);
        parts.ifMade(WebhookSender.class, WebhookSender::close);
        parts.ifMade(Verifiers.class, Verifiers::close);
        parts.ifMade(IdentityProviders.class, IdentityProviders::close);
        parts.ifMade(OperatorProvider.class, OperatorProvider::close);
        parts.ifMade(Issuers.class, Issuers::close);
        parts.ifMade(Plugins.class, Plugins::close);
        parts.ifMade(Database.class, Database::close);
    }
}
