package io.muster;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.muster.audit.Audit;
import io.muster.audit.AuditEvent;
import io.muster.broker.BrokerAccess;
import io.muster.broker.BrokerClaims;
import io.muster.broker.Disconnector;
import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import io.muster.config.Settings;
import io.muster.config.Sources;
import io.muster.credential.BrokerLogins;
import io.muster.credential.ClientAuthenticator;
import io.muster.credential.CredentialKind;
import io.muster.credential.CredentialOrders;
import io.muster.credential.CredentialState;
import io.muster.credential.Issuers;
import io.muster.credential.LastUses;
import io.muster.credential.Revocations;
import io.muster.credential.StoredCredential;
import io.muster.credential.TwoPlaces;
import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.device.DeviceTag;
import io.muster.device.Disconnections;
import io.muster.fleet.Fleets;
import io.muster.fleet.Wire;
import io.muster.operator.Operators;
import io.muster.operator.RegistrationTokens;
import io.muster.operator.SerialImport;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.InstantConverter;
import io.muster.persistence.MasterKey;
import io.muster.persistence.OwnerOnlyFile;
import io.muster.persistence.UsedOnce;
import io.muster.plugin.Plugins;
import io.muster.problem.Limits;
import io.muster.problem.RareLog;
import io.muster.problem.Turns;
import io.muster.registration.Allowances;
import io.muster.registration.Registrar;
import io.muster.registration.Spending;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.SerialVerifier;
import io.muster.token.ClientAssertions;
import io.muster.token.DpopProofs;
import io.muster.token.RevokedTokens;
import io.muster.token.SigningKeys;
import io.muster.token.TokenIssuer;
import io.muster.token.TokenVerifier;
import io.muster.verification.EnrolmentKeys;
import io.muster.verification.ExpectedSerials;
import io.muster.verification.Lots;
import io.muster.verification.Nonces;
import io.muster.verification.SerialList;
import io.muster.verification.Strategy;
import io.muster.verification.Verifiers;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * The whole registry, put together: the only place where its parts are made. Needs no container, so a test makes one as the WAR
 * does. Thread-safe; closed once, at the end.
 */
public final class Registry implements AutoCloseable {

    private static final RareLog LOG = RareLog.of(Registry.class);

    private static final List<Class<?>> ENTITIES = List.of(
            Device.class,
            DeviceTag.class,
            StoredCredential.class,
            AuditEvent.class,
            InstantConverter.class,
            DeviceState.Letter.class,
            CredentialState.Letter.class,
            CredentialKind.Letter.class);

    private final MusterConfig config;
    private final Clock clock;
    private final Database database;
    private final Plugins plugins;
    private final Verifiers verifiers;
    private final Nonces nonces;
    private final Fleets fleets;
    private final Registrar registrar;
    private final ClientAuthenticator authenticator;
    private final CredentialOrders credentialOrders;
    private final LastUses lastUses;
    private final BrokerLogins brokerLogins;
    private final Revocations revocations;
    private final TwoPlaces twoPlaces;
    private final Allowances allowances;
    private final SigningKeys signingKeys;
    private final TokenIssuer tokenIssuer;
    private final TokenVerifier tokenVerifier;
    private final RevokedTokens revokedTokens;
    private final ClientAssertions clientAssertions;
    private final DpopProofs dpopProofs;
    private final Limits failures;
    private final Turns turns;
    private final Disconnections disconnections;
    private final List<Disconnector> disconnectors;
    private final PrometheusMeterRegistry meters;
    private final DeviceStore devices;
    private final Operators operators;
    private final SerialImport serialImport;
    private final EnrolmentKeys enrolmentKeys;
    private final RegistrationTokens registrationTokens;
    private final SerialList serialList;
    private final Lots lots;
    private final BrokerAccess brokerAccess;
    private final Audit audit;
    private final Optional<Path> firstOperatorToken;
    private final ScheduledExecutorService background;

    private Registry(
            MusterConfig config,
            Database database,
            MasterKey masterKey,
            Changes changes,
            Plugins plugins,
            Verifiers verifiers,
            Issuers issuers,
            Strategy.Stores stores,
            Audit audit,
            Ids ids,
            Clock clock,
            Consumer<Object> events) {
        this.config = config;
        this.clock = clock;
        this.database = database;
        this.plugins = plugins;
        this.verifiers = verifiers;
        this.audit = audit;
        this.enrolmentKeys = stores.enrolmentKeys();
        this.nonces = stores.nonces();
        this.meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        this.disconnections = new Disconnections(database, config.brokers(), ids, clock);
        this.devices = new DeviceStore(database, changes, audit, disconnections, clock);
        this.credentialOrders = new CredentialOrders(database, changes, audit, disconnections, ids, clock);
        this.lastUses = new LastUses(database);
        this.brokerLogins =
                new BrokerLogins(database, masterKey, credentialOrders, disconnections, config.brokers(), clock);
        this.revocations = new Revocations(database, changes, audit, disconnections, clock);
        this.twoPlaces = new TwoPlaces(audit, clock);
        this.allowances = new Allowances(database, changes, audit, ids, clock);
        this.authenticator = new ClientAuthenticator(
                database, devices, credentialOrders, lastUses, brokerLogins, disconnections, changes, clock, events);
        this.signingKeys = SigningKeys.open(database, masterKey, changes, audit, config, clock);
        this.revokedTokens = new RevokedTokens(database, changes, clock);
        this.tokenVerifier =
                new TokenVerifier(signingKeys, config.issuer(), config.token(), authenticator, revokedTokens, clock);
        UsedOnce usedOnce = new UsedOnce(database);
        this.clientAssertions = new ClientAssertions(config, authenticator, nonces, usedOnce, clock);
        this.dpopProofs = new DpopProofs(config, nonces, usedOnce, clock);
        this.failures = new Limits(config.limits().failures(), config.limits().window(), clock);
        this.turns = new Turns(clock);
        this.operators = new Operators(
                database,
                changes,
                audit,
                disconnections,
                ids,
                config.brokers().stream()
                        .flatMap(broker -> broker.management().stream())
                        .map(MusterConfig.Management::user)
                        .collect(Collectors.toSet()),
                clock);
        this.serialImport = new SerialImport(stores.serials(), database, audit);
        this.serialList = new SerialList(database, audit);
        this.lots = new Lots(database, audit);
        this.registrationTokens = new RegistrationTokens(verifiers, database, audit, ids);
        this.fleets = Fleets.open(database, changes, audit, verifiers, issuers, disconnections, config.fleets(), clock);
        checkBrokers();
        BrokerClaims brokerClaims = new BrokerClaims(config.token().audience(), authenticator, fleets);
        this.tokenIssuer = new TokenIssuer(signingKeys, config.issuer(), config.token(), ids, brokerClaims::of, clock);
        this.disconnectors = config.brokers().stream()
                .filter(broker -> broker.management().isPresent())
                .map(broker ->
                        Disconnector.of(broker, disconnections, authenticator, brokerLogins, fleets, clock, meters))
                .toList();
        disconnections.onRequest(() -> disconnectors.forEach(Disconnector::wake));
        this.brokerAccess = new BrokerAccess(config, authenticator, tokenVerifier, operators, fleets);
        this.registrar = new Registrar(
                config,
                fleets,
                database,
                changes,
                credentialOrders,
                brokerLogins,
                nonces,
                audit,
                issuers,
                ids,
                clock,
                events);
        this.firstOperatorToken = operators.createFirst(config.dataDir());
        this.background = background(changes, clock);
    }

    /**
     * Starts a registry.
     *
     * @param sources the configuration
     * @param suppliedVerifiers verifiers that are there already, by name
     * @param suppliedIssuers credential issuers that are there already, by name
     * @param wallClock what time it is; all of the registry goes by its milliseconds
     * @param events gets the events of {@code io.muster.spi}, on the thread that causes them; what it throws is logged
     * @throws io.muster.config.ConfigurationException if the configuration or the database is not usable; lists every fault
     */
    public static Registry start(
            Sources sources,
            Map<String, SerialVerifier> suppliedVerifiers,
            Map<String, CredentialIssuer> suppliedIssuers,
            Clock wallClock,
            Consumer<Object> events) {
        // What the database keeps: a time is the same in the first reply as in later ones.
        Clock clock = Clock.tick(wallClock, Duration.ofMillis(1));
        MusterConfig config = MusterConfig.from(sources);
        Settings settings = config.settings();
        Ids ids = new Ids(clock);
        // Verifiers and issuers come first, so that their faults are reported with all others; the database is opened
        // when there are none.
        Plugins plugins = Plugins.load(config.pluginsDir(), settings::fault);
        AtomicReference<Strategy.Stores> stores = new AtomicReference<>();
        Verifiers verifiers = new Verifiers(
                config,
                suppliedVerifiers,
                plugins.verifiers(),
                new Strategy.Surroundings(stores::get, config.issuer(), clock),
                sources.names());
        Issuers issuers = new Issuers(ids, suppliedIssuers, plugins.issuers(), settings.below("issuer"));
        Database database = null;
        try {
            checkFleets(config);
            settings.check(sources.names());
            verifiers.announce();
            issuers.announce();
            createDataDir(config.dataDir());
            database = Database.open(config.database(), ENTITIES, clock);
            MasterKey masterKey = MasterKey.open(database, config.masterKeyFile());
            Changes changes = new Changes(database, clock);
            Audit audit = new Audit(database, ids);
            stores.set(new Strategy.Stores(
                    new ExpectedSerials(database),
                    new EnrolmentKeys(database, masterKey, changes, audit, ids, clock),
                    new Nonces(masterKey.derive("nonce"), config.issuer(), clock)));
            return new Registry(
                    config,
                    database,
                    masterKey,
                    changes,
                    plugins,
                    verifiers,
                    issuers,
                    stores.get(),
                    audit,
                    ids,
                    clock,
                    guarded(events));
        } catch (RuntimeException e) {
            if (database != null) {
                database.close();
            }
            verifiers.close();
            plugins.close();
            throw e;
        }
    }

    private static void checkFleets(MusterConfig config) {
        config.fleets().forEach((name, fleet) -> fleet.wire()
                .filter(wire -> Wire.preset(wire).isEmpty())
                .ifPresent(wire -> config.settings()
                        .below("fleet")
                        .below(name)
                        .fault("wire", "\"" + wire + "\" is none of " + String.join(", ", Wire.presets()))));
    }

    /** What only the database can tell of brokers. */
    private void checkBrokers() {
        List<String> faults = new ArrayList<>();
        for (MusterConfig.Broker broker : config.brokers()) {
            broker.management()
                    .filter(own -> operators.find(own.user()).isPresent())
                    .ifPresent(own -> faults.add("muster.mqtt.broker." + broker.name()
                            + ".management-user: an operator has this name; the registry needs one of its own"));
            broker.fleets().stream()
                    .filter(fleet -> fleets.find(fleet).isEmpty())
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

    private static void createDataDir(Path dataDir) {
        try {
            OwnerOnlyFile.createDirectory(dataDir);
        } catch (IOException e) {
            throw new ConfigurationException(List.of("muster.data-dir: cannot create " + dataDir + " ("
                    + e.getClass().getSimpleName() + ")"));
        }
    }

    private static Consumer<Object> guarded(Consumer<Object> events) {
        return event -> {
            try {
                events.accept(event);
            } catch (RuntimeException e) {
                LOG.error(
                        event.getClass().getName() + e.getClass().getName(),
                        "An observer of {} failed",
                        event.getClass().getSimpleName(),
                        e);
            }
        };
    }

    private ScheduledExecutorService background(Changes changes, Clock clock) {
        ScheduledExecutorService threads = Executors.newScheduledThreadPool(2, task -> {
            Thread thread = new Thread(task, "muster-background");
            thread.setDaemon(true);
            return thread;
        });
        changes.poll();
        long interval = Changes.INTERVAL.toMillis();
        threads.scheduleWithFixedDelay(changes::poll, interval, interval, TimeUnit.MILLISECONDS);
        long tending = SigningKeys.INTERVAL.toSeconds();
        threads.scheduleWithFixedDelay(signingKeys::tend, tending, tending, TimeUnit.SECONDS);
        disconnectors.forEach(Disconnector::start);
        long looking = Disconnector.INTERVAL.toMillis();
        disconnectors.forEach(
                one -> threads.scheduleWithFixedDelay(one::wake, looking, looking, TimeUnit.MILLISECONDS));
        threads.scheduleWithFixedDelay(audit::flush, 1, 1, TimeUnit.SECONDS);
        threads.scheduleWithFixedDelay(lastUses::flush, 10, 10, TimeUnit.SECONDS);
        threads.scheduleWithFixedDelay(() -> Spending.forgetExpired(database, clock), 1, 1, TimeUnit.MINUTES);
        return threads;
    }

    /** Returns the configuration. */
    public MusterConfig config() {
        return config;
    }

    /** Returns what time it is. */
    public Clock clock() {
        return clock;
    }

    /** Returns the fleets. */
    public Fleets fleets() {
        return fleets;
    }

    /** Returns what gives out nonces. */
    public Nonces nonces() {
        return nonces;
    }

    /** Returns what registers devices. */
    public Registrar registrar() {
        return registrar;
    }

    /** Returns what authenticates devices. */
    public ClientAuthenticator authenticator() {
        return authenticator;
    }

    /** Returns what brokers that keep logins are to be told. */
    public BrokerLogins brokerLogins() {
        return brokerLogins;
    }

    /** Returns what operators order for many credentials at once. */
    public CredentialOrders credentialOrders() {
        return credentialOrders;
    }

    /** Returns what revokes credentials. */
    public Revocations revocations() {
        return revocations;
    }

    /** Returns what notices credentials in two places. */
    public TwoPlaces twoPlaces() {
        return twoPlaces;
    }

    /** Returns the permissions to register once more. */
    public Allowances allowances() {
        return allowances;
    }

    /** Returns the keys that sign. */
    public SigningKeys signingKeys() {
        return signingKeys;
    }

    /** Returns what issues access tokens. */
    public TokenIssuer tokenIssuer() {
        return tokenIssuer;
    }

    /** Returns what checks access tokens. */
    public TokenVerifier tokenVerifier() {
        return tokenVerifier;
    }

    /** Returns the access tokens that are no longer good although they have not expired. */
    public RevokedTokens revokedTokens() {
        return revokedTokens;
    }

    /** Returns what authenticates devices by what they sign. */
    public ClientAssertions clientAssertions() {
        return clientAssertions;
    }

    /** Returns what checks proofs of possession. */
    public DpopProofs dpopProofs() {
        return dpopProofs;
    }

    /** Returns how often devices may fail to authenticate. */
    public Limits failures() {
        return failures;
    }

    /** Returns the turns of those who cannot be served now. */
    public Turns turns() {
        return turns;
    }

    /** Returns the devices. */
    public DeviceStore devices() {
        return devices;
    }

    /** Returns the operators. */
    public Operators operators() {
        return operators;
    }

    /** Returns what imports expected serials. */
    public SerialImport serialImport() {
        return serialImport;
    }

    /** Returns the enrolment keys. */
    public EnrolmentKeys enrolmentKeys() {
        return enrolmentKeys;
    }

    /** Returns what makes registration tokens. */
    public RegistrationTokens registrationTokens() {
        return registrationTokens;
    }

    /** Returns the list of serials that may register and of those that may not. */
    public SerialList serialList() {
        return serialList;
    }

    /** Returns the lots of expected serials. */
    public Lots lots() {
        return lots;
    }

    /** Returns what answers MQTT brokers. */
    public BrokerAccess brokerAccess() {
        return brokerAccess;
    }

    /** Returns what is measured, in Prometheus' text format (version 0.0.4). */
    public String metrics() {
        return meters.scrape();
    }

    /** Returns the record of decisions. */
    public Audit audit() {
        return audit;
    }

    /** Returns the file with the first operator's token, if that operator was made by this start. */
    public Optional<Path> firstOperatorToken() {
        return firstOperatorToken;
    }

    /** Tells whether it can register devices and issue tokens now: its database answers. */
    public boolean isReady() {
        return database.isAvailable();
    }

    /** Stops what runs in the background, writes what waits, and closes the database. */
    @Override
    public void close() {
        background.shutdown();
        disconnectors.forEach(Disconnector::close);
        try {
            background.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        audit.flush();
        lastUses.flush();
        verifiers.close();
        plugins.close();
        database.close();
    }
}
