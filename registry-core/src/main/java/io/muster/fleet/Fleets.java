package io.muster.fleet;

import io.muster.api.Problem.Fault;
import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import io.muster.credential.Issuers;
import io.muster.device.Disconnections;
import io.muster.json.Json;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.persistence.DuplicateException;
import io.muster.problem.RegistryException;
import io.muster.verification.VerifierPolicy;
import io.muster.verification.Verifiers;
import jakarta.persistence.EntityManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The fleets of this registry; {@code default} is always among them. Their documents are in the database, where every node reads
 * them, at most two seconds late. Those that the configuration describes are written there when they are missing. Thread-safe.
 */
public final class Fleets {

    private static final Logger LOG = LoggerFactory.getLogger(Fleets.class);
    private static final String SUBJECT = "fleets";

    private final Database database;
    private final Changes changes;
    private final Audit audit;
    private final Verifiers verifiers;
    private final Issuers issuers;
    private final Disconnections disconnections;
    private final Clock clock;
    private final Changes.Remembered<Snapshot> remembered;
    private volatile Snapshot last = new Snapshot(Map.of(), Map.of());

    /** All fleets at one time. */
    private record Snapshot(Map<String, Fleet> byName, Map<String, String> byPath) {}

    private Fleets(
            Database database,
            Changes changes,
            Audit audit,
            Verifiers verifiers,
            Issuers issuers,
            Disconnections disconnections,
            Clock clock) {
        this.database = database;
        this.changes = changes;
        this.audit = audit;
        this.verifiers = verifiers;
        this.issuers = issuers;
        this.disconnections = disconnections;
        this.clock = clock;
        this.remembered = changes.remember(1, subject -> Optional.of(load()));
    }

    /**
     * Reads the fleets, and writes those of the configuration that are missing.
     *
     * @throws ConfigurationException if a fleet names a verifier that is not there; lists all
     */
    public static Fleets open(
            Database database,
            Changes changes,
            Audit audit,
            Verifiers verifiers,
            Issuers issuers,
            Disconnections disconnections,
            Map<String, MusterConfig.Fleet> seeds,
            Clock clock) {
        Fleets fleets = new Fleets(database, changes, audit, verifiers, issuers, disconnections, clock);
        Map<String, Fleet> there = fleets.load().byName;
        checkRoutes(there, seeds);
        new TreeMap<>(seeds).forEach((name, seed) -> {
            FleetDocument document = FleetDocument.of(seed);
            if (!there.containsKey(name)) {
                fleets.seed(name, document);
            } else if (!seed.isUnset() && !there.get(name).document().equals(document)) {
                LOG.warn(
                        "Fleet {} is in the database already; muster.fleet.{}.* describes another and is not used",
                        name,
                        name);
            }
        });
        List<String> faults = new ArrayList<>();
        new TreeMap<>(fleets.load().byName).values().forEach(fleet -> fleets.warnings(fleet)
                .forEach(LOG::warn));
        fleets.load().byName.values().forEach(fleet -> Stream.concat(
                        fleet.document().rules().verifiers().stream(), fleet.document().rules().shadow().stream())
                .distinct()
                .forEach(verifier -> verifiers
                        .fault(verifier)
                        .ifPresent(fault -> faults.add(
                                "fleet " + fleet.name() + " names the verifier " + verifier + ", which " + fault))));
        fleets.load().byName.values().forEach(fleet -> issuers.fault(
                        fleet.document().issuer())
                .ifPresent(fault -> faults.add("fleet " + fleet.name() + " names the credential issuer "
                        + fleet.document().issuer() + ", which " + fault)));
        if (!faults.isEmpty()) {
            throw new ConfigurationException(faults);
        }
        return fleets;
    }

    /** A fleet that is to be written may not take the route of another, whose devices would land in it. */
    private static void checkRoutes(Map<String, Fleet> there, Map<String, MusterConfig.Fleet> seeds) {
        Map<String, String> routes = new LinkedHashMap<>();
        there.values()
                .forEach(fleet -> fleet.document().wire().path().ifPresent(path -> routes.put(path, fleet.name())));
        List<String> faults = new ArrayList<>();
        new TreeMap<>(seeds).forEach((name, seed) -> {
            Optional<String> path = there.containsKey(name)
                    ? Optional.empty()
                    : FleetDocument.of(seed).wire().path();
            Optional<String> other = path.map(route -> routes.putIfAbsent(route, name));
            other.ifPresent(taken -> faults.add("muster.fleet." + name + ".wire: " + path.get()
                    + " is the route of the fleet " + taken + " already"));
        });
        if (!faults.isEmpty()) {
            throw new ConfigurationException(faults);
        }
    }

    private void seed(String name, FleetDocument document) {
        try {
            database.transaction(em -> {
                insert(em, name, document);
                changes.note(em, List.of(SUBJECT));
                return null;
            });
        } catch (DuplicateException e) {
            LOG.debug("Another node wrote fleet {}", name);
        }
        changes.forget(List.of(SUBJECT));
    }

    private Snapshot load() {
        Map<String, Fleet> before = last.byName;
        Map<String, Fleet> byName = database.query(connection -> {
            Map<String, Fleet> fleets = new LinkedHashMap<>();
            try (PreparedStatement select =
                            connection.prepareStatement("SELECT name, version, document FROM fleet ORDER BY name");
                    ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    String name = rows.getString(1);
                    long version = rows.getLong(2);
                    Fleet known = before.get(name);
                    fleets.put(
                            name,
                            // The same one, because its policy remembers answers.
                            known != null && known.version() == version
                                    ? known
                                    : fleet(name, version, rows.getString(3)));
                }
            }
            return fleets;
        });
        Map<String, String> byPath = new LinkedHashMap<>();
        byName.values()
                .forEach(fleet -> fleet.document().wire().path().ifPresent(path -> byPath.put(path, fleet.name())));
        Snapshot snapshot = new Snapshot(Map.copyOf(byName), Map.copyOf(byPath));
        last = snapshot;
        return snapshot;
    }

    private Fleet fleet(String name, long version, String stored) {
        // A verifier that is not there any more makes the fleet's registrations fail, not the reading of all fleets.
        FleetDocument document;
        try {
            document = FleetDocument.stored(stored, name);
        } catch (RegistryException e) {
            LOG.error("Fleet {} cannot register devices on this node: its document is of a newer version", name);
            document = FleetDocument.NOT_UNDERSTOOD;
        }
        return new Fleet(name, version, document, verifiers.policy(document.rules()));
    }

    private Snapshot now() {
        return remembered.get(SUBJECT).orElseThrow();
    }

    /** Returns the fleet, or empty if there is none of this name. */
    public Optional<Fleet> find(String name) {
        return Optional.ofNullable(now().byName.get(name));
    }

    /**
     * Returns the fleet that somebody asks for.
     *
     * @throws RegistryException {@code NOT_FOUND} if there is none of this name
     */
    public Fleet get(String name) {
        return find(name).orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such fleet"));
    }

    /** Returns all names. */
    public Set<String> names() {
        return now().byName.keySet();
    }

    /** Returns all fleets by name. */
    public List<Fleet> list() {
        return List.copyOf(new TreeMap<>(now().byName).values());
    }

    /**
     * Returns the name of the fleet that this path is the route of, or empty. Answers from memory while the database is away.
     *
     * @param path below the root, beginning with a slash
     */
    public Optional<String> route(String path) {
        Snapshot snapshot;
        try {
            snapshot = now();
        } catch (DatabaseUnavailableException e) {
            snapshot = last;
        }
        return Optional.ofNullable(snapshot.byPath.get(path));
    }

    /**
     * Makes a fleet or replaces its document.
     *
     * @param condition whether the version that is there may be replaced; 0 is none: the fleet is new
     * @throws RegistryException {@code INVALID_REQUEST} with every fault; {@code PRECONDITION_FAILED} if another version is there
     */
    public Fleet put(String name, byte[] utf8, LongPredicate condition, String operator) {
        FleetDocument document =
                FleetDocument.parse(utf8, name, verifiers::fault, verifiers::neverGenuine, issuers::fault);
        long written = database.transaction(em -> {
            // Two fleets with one route must not be written at the same time: the first row is the lock of all.
            lock(em, MusterConfig.DEFAULT_FLEET);
            long there = lock(em, name);
            if (!condition.test(there)) {
                throw new RegistryException(ProblemType.PRECONDITION_FAILED, "version " + there + " is there");
            }
            checkRoute(em, name, document);
            if (there == 0) {
                insert(em, name, document);
            } else {
                if (!topics(em, name).equals(Optional.of(document.topics()))) {
                    disconnections.requestAllLogins(em, name);
                }
                em.createNativeQuery(
                                "UPDATE fleet SET version = version + 1, document = ?, updated_at = ? WHERE name = ?")
                        .setParameter(1, Json.text(document.toJson()))
                        .setParameter(2, clock.millis())
                        .setParameter(3, name)
                        .executeUpdate();
            }
            audit.record(em, Audit.Type.FLEET_WRITTEN, name, null, null, operator, "version " + (there + 1));
            changes.note(em, List.of(SUBJECT));
            return there + 1;
        });
        changes.forget(List.of(SUBJECT));
        disconnections.committed();
        LOG.info("Fleet {} is now version {}, written by {}", name, written, operator);
        Fleet fleet = fleet(name, written, Json.text(document.toJson()));
        warnings(fleet).forEach(LOG::warn);
        return fleet;
    }

    /** Returns what is allowed and hardly meant, in sentences for operators. */
    public List<String> warnings(Fleet fleet) {
        VerifierPolicy.Rules rules = fleet.document().rules();
        if (FleetDocument.admitsNobody(rules.verifiers(), rules.required(), verifiers::neverGenuine)) {
            return List.of("Nobody can register in fleet " + fleet.name() + ": fewer than " + rules.required()
                    + " of its verifiers ever say genuine");
        }
        if (verifiers.onlyIdentify(rules)) {
            return List.of("Whoever knows an unused serial of fleet " + fleet.name()
                    + " is that device: its verifiers identify and authenticate nobody");
        }
        return List.of();
    }

    private static long lock(EntityManager em, String name) {
        List<?> versions = em.createNativeQuery("SELECT version FROM fleet WHERE name = ? FOR UPDATE")
                .setParameter(1, name)
                .getResultList();
        return versions.isEmpty() ? 0 : ((Number) versions.get(0)).longValue();
    }

    /** Returns the topics of a fleet that is there; empty if its document cannot be read. */
    private static Optional<Topics> topics(EntityManager em, String name) {
        Object stored = em.createNativeQuery("SELECT document FROM fleet WHERE name = ?")
                .setParameter(1, name)
                .getSingleResult();
        try {
            return Optional.of(FleetDocument.stored(Database.text(stored), name).topics());
        } catch (RegistryException e) {
            return Optional.empty();
        }
    }

    private void checkRoute(EntityManager em, String name, FleetDocument document) {
        Optional<String> path = document.wire().path();
        if (path.isEmpty()) {
            return;
        }
        List<?> others = em.createNativeQuery("SELECT name, document FROM fleet WHERE name <> ?")
                .setParameter(1, name)
                .getResultList();
        for (Object row : others) {
            Object[] columns = (Object[]) row;
            FleetDocument other = FleetDocument.stored(Database.text(columns[1]), String.valueOf(columns[0]));
            if (other.wire().path().equals(path)) {
                throw RegistryException.invalid(
                        List.of(new Fault("#/wire/path", "is the route of the fleet " + columns[0])));
            }
        }
    }

    private void insert(EntityManager em, String name, FleetDocument document) {
        em.createNativeQuery("INSERT INTO fleet (name, version, document, updated_at) VALUES (?, 1, ?, ?)")
                .setParameter(1, name)
                .setParameter(2, Json.text(document.toJson()))
                .setParameter(3, clock.millis())
                .executeUpdate();
    }
}
