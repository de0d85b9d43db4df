// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import io.muster.api.Problem.Fault;
import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import io.muster.config.Settings;
import io.muster.disconnection.Disconnections;
import io.muster.issuer.Issuers;
import io.muster.json.Fields;
import io.muster.json.Json;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.RowLock;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.user.IdentityProviders;
import io.muster.verification.SerialForm;
import io.muster.verification.policy.Rules;
import io.muster.verification.policy.Verifiers;
import jakarta.persistence.EntityManager;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongPredicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The fleets of this registry; {@code default} is always among them. Their documents are in the database, where every
 * node reads them, at most two seconds late. Fleets of the configuration are written there if they are missing.
 * Thread-safe.
 */
public final class Fleets {

    /** Is said about a fleet that does not exist, and about one that the caller may not see. */
    public static final String NO_SUCH_FLEET = "no such fleet";

    private static final Logger LOG = LoggerFactory.getLogger(Fleets.class);
    private static final String SUBJECT = "fleets";
    private static final RowLock ROWS = RowLock.of("fleet", "name");

    private final Database database;
    private final Changes changes;
    private final Audit audit;
    private final Verifiers verifiers;
    private final Issuers issuers;
    private final IdentityProviders users;
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
            IdentityProviders users,
            Disconnections disconnections,
            Clock clock) {
        this.database = database;
        this.changes = changes;
        this.audit = audit;
        this.verifiers = verifiers;
        this.issuers = issuers;
        this.users = users;
        this.disconnections = disconnections;
        this.clock = clock;
        this.remembered = changes.remember(1, subject -> Optional.of(load()));
    }

    /** Reports the faults of the fleets in the configuration that can be found without a database. */
    public static void check(MusterConfig config) {
        Settings fleets = config.settings().below("fleet");
        config.fleets().forEach((name, fleet) -> {
            fleet.wire().filter(wire -> Wire.preset(wire).isEmpty()).ifPresent(wire -> fleets.below(name)
                    .fault("wire", "\"" + wire + "\" is none of " + String.join(", ", Wire.presets())));
            SerialForm.fault(fleet.serials())
                    .ifPresent(fault -> fleets.below(name).fault("serials", fault));
        });
    }

    /**
     * Reads the fleets, and writes those of the configuration that are missing.
     *
     * @throws ConfigurationException if a fleet names a verifier that does not exist; lists all
     */
    public static Fleets open(
            Database database,
            Changes changes,
            Audit audit,
            Verifiers verifiers,
            Issuers issuers,
            IdentityProviders users,
            Disconnections disconnections,
            Map<String, MusterConfig.Fleet> seeds,
            Clock clock) {
        Fleets fleets = new Fleets(database, changes, audit, verifiers, issuers, users, disconnections, clock);
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

    /** Logs what is permitted in a fleet but hardly intended. */
    public void announce() {
        new TreeMap<>(load().byName).values().forEach(fleet -> warnings(fleet).forEach(LOG::warn));
    }

    /** Checks that a fleet to be written does not take the route of another, whose devices would then end up in it. */
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
        Map<String, Fleet> byName = new LinkedHashMap<>();
        database.jdbc(Sql.of("SELECT name, version, document FROM fleet ORDER BY name")
                        .list(row -> {
                            long version = row.getLong(2);
                            Fleet known = before.get(row.getString(1));
                            // Keep the same object, because its policy remembers answers.
                            return known != null && known.version() == version
                                    ? known
                                    : fleet(row.getString(1), version, row.getString(3));
                        }))
                .forEach(fleet -> byName.put(fleet.name(), fleet));
        Map<String, String> byPath = new LinkedHashMap<>();
        byName.values()
                .forEach(fleet -> fleet.document().wire().path().ifPresent(path -> byPath.put(path, fleet.name())));
        Snapshot snapshot = new Snapshot(Map.copyOf(byName), Map.copyOf(byPath));
        last = snapshot;
        return snapshot;
    }

    private Fleet fleet(String name, long version, String stored) {
        // If a verifier no longer exists, the fleet's registrations must fail, but not the reading of all fleets.
        FleetDocument document;
        try {
            document = FleetDocument.stored(stored, name);
        } catch (RegistryException e) {
            LOG.error("Fleet {} cannot register devices on this node: its document is of a newer version", name);
            document = FleetDocument.NOT_UNDERSTOOD;
        }
        return new Fleet(name, version, document, verifiers.policy(document.rules(), document.serials()));
    }

    private Snapshot now() {
        return remembered.get(SUBJECT).orElseThrow();
    }

    /**
     * Returns the wire shape of a fleet as it was last read, without asking the database; empty for an unknown name.
     */
    public Optional<Wire> lastWire(String name) {
        return Optional.ofNullable(last.byName.get(name))
                .map(fleet -> fleet.document().wire());
    }

    /** Returns the document of a fleet as it was last read, without asking the database; empty for an unknown name. */
    public Optional<FleetDocument> last(String name) {
        return Optional.ofNullable(last.byName.get(name)).map(Fleet::document);
    }

    /** Returns the result of {@link #route} as it was last read, without asking the database. */
    public Optional<String> lastRoute(String path) {
        return Optional.ofNullable(last.byPath.get(path));
    }

    /** Returns the fleet, or empty if there is none of this name. */
    public Optional<Fleet> find(String name) {
        return Optional.ofNullable(now().byName.get(name));
    }

    /**
     * Returns the fleet that a caller asks for.
     *
     * @throws RegistryException {@code NOT_FOUND} if there is none of this name
     */
    public Fleet get(String name) {
        return find(name).orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, NO_SUCH_FLEET));
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
     * Returns the name of the fleet whose route this path is, or empty. Answers from memory while the database is
     * unreachable.
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
     * Creates a fleet or replaces its document.
     *
     * @param condition whether the present version may be replaced; 0 means that the fleet is new
     * @throws RegistryException {@code INVALID_REQUEST} with every fault; {@code PRECONDITION_FAILED} if another
     *     version is there; {@code CONFLICT} if serials of the fleet would be spelled otherwise
     */
    public Fleet put(String name, byte[] utf8, LongPredicate condition, String operator) {
        FleetDocument document = FleetDocument.parse(
                utf8, name, verifiers::fault, verifiers::neverGenuine, issuers::fault, users::fault);
        Optional<SerialForm> checked = checkSerials(name, document, condition);
        long written = database.transaction(em -> {
            // Two fleets with one route must not be written at the same time. So the first row is the lock of all.
            lock(em, MusterConfig.DEFAULT_FLEET);
            long there = lock(em, name);
            if (!condition.test(there)) {
                throw new RegistryException(ProblemType.PRECONDITION_FAILED, "version " + there + " is there");
            }
            checkRoute(em, name, document);
            String differences = "";
            if (there == 0) {
                insert(em, name, document);
            } else {
                Optional<FleetDocument> before = stored(em, name);
                if (!before.map(FleetDocument::topics).equals(Optional.of(document.topics()))) {
                    disconnections.requestAllLogins(em, name);
                }
                if (!before.map(FleetDocument::serials).equals(checked)) {
                    throw RegistryException.withDetail(
                            ProblemType.CONFLICT,
                            "somebody else wrote how serials of this fleet are spelled; try again");
                }
                differences = before.map(old -> differences(old.toJson(), document.toJson()))
                        .orElse("");
                em.createNativeQuery(
                                "UPDATE fleet SET version = version + 1, document = ?, updated_at = ? WHERE name = ?")
                        .setParameter(1, Json.text(document.toJson()))
                        .setParameter(2, clock.millis())
                        .setParameter(3, name)
                        .executeUpdate();
            }
            audit.record(
                    em, Audit.Type.FLEET_WRITTEN, name, null, null, operator, "version " + (there + 1) + differences);
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

    /** Reads a document that is part of another text and is not to be stored. Its faults are among those of the fields. */
    public FleetDocument read(Fields fields, String name) {
        FleetDocument document = FleetDocument.read(
                fields, name, true, verifiers::fault, verifiers::neverGenuine, issuers::fault, users::fault);
        fields.end();
        return document;
    }

    /** Returns settings that are permitted but hardly intended, as sentences for operators. */
    public List<String> warnings(Fleet fleet) {
        List<String> warnings = new ArrayList<>();
        fleet.document().claims().map(ClaimRules::users).orElse(List.of()).forEach(provider -> users.fault(provider)
                .ifPresent(fault -> warnings.add(
                        "Fleet " + fleet.name() + " lets users of " + provider + " claim devices, which " + fault)));
        Rules rules = fleet.document().rules();
        if (FleetDocument.admitsNobody(rules.verifiers(), rules.required(), verifiers::neverGenuine)) {
            warnings.add("Nobody can register in fleet " + fleet.name() + ": fewer than " + rules.required()
                    + " of its verifiers ever say genuine");
        } else if (verifiers.onlyIdentify(rules)) {
            warnings.add("Anyone who knows an unused serial of fleet " + fleet.name()
                    + " can register as that device: its verifiers identify devices and authenticate none");
        }
        return warnings;
    }

    private static long lock(EntityManager em, String name) {
        ROWS.take(em, name);
        List<?> versions = em.createNativeQuery("SELECT version FROM fleet WHERE name = ?")
                .setParameter(1, name)
                .getResultList();
        return versions.isEmpty() ? 0 : ((Number) versions.get(0)).longValue();
    }

    /**
     * Names the members of a document that differ, with their values before and after. Values of the configuration of
     * devices are left out: there may be secrets among them.
     */
    private static String differences(Map<String, Object> before, Map<String, Object> after) {
        flattenTemplate(before);
        flattenTemplate(after);
        Set<String> names = new TreeSet<>(before.keySet());
        names.addAll(after.keySet());
        return names.stream()
                .filter(name -> !Json.text(before.get(name)).equals(Json.text(after.get(name))))
                .map(name -> "; "
                        + (name.endsWith("configuration")
                                ? "another " + name
                                : name + " before: " + Json.text(before.get(name)) + ", after: "
                                        + Json.text(after.get(name))))
                .collect(Collectors.joining());
    }

    private static void flattenTemplate(Map<String, Object> document) {
        if (document.remove("template") instanceof Map<?, ?> template) {
            template.forEach((name, value) -> document.put("template." + name, value));
        }
    }

    /** Returns the document of a fleet; empty if it does not exist or cannot be read. */
    private static Optional<FleetDocument> stored(EntityManager em, String name) {
        List<?> stored = em.createNativeQuery("SELECT document FROM fleet WHERE name = ?")
                .setParameter(1, name)
                .getResultList();
        try {
            return stored.isEmpty()
                    ? Optional.empty()
                    : Optional.of(FleetDocument.stored(Database.text(stored.get(0)), name));
        } catch (RegistryException e) {
            return Optional.empty();
        }
    }

    /**
     * Refuses a document with another spelling of serials if devices or listed serials are not spelled that way. Two of
     * them could become one, and the others could no longer be named.
     *
     * @return their present spelling
     */
    private Optional<SerialForm> checkSerials(String name, FleetDocument document, LongPredicate condition) {
        Optional<SerialForm> before = database.read(em -> {
            List<?> versions = em.createNativeQuery("SELECT version FROM fleet WHERE name = ?")
                    .setParameter(1, name)
                    .getResultList();
            long version = versions.isEmpty() ? 0 : ((Number) versions.get(0)).longValue();
            if (!condition.test(version)) {
                // Check this before many rows are read in vain.
                throw new RegistryException(ProblemType.PRECONDITION_FAILED, "version " + version + " is there");
            }
            return stored(em, name).map(FleetDocument::serials);
        });
        SerialForm form = document.serials();
        boolean same = before.equals(Optional.of(form));
        boolean wider = form.rules().isEmpty()
                && before.filter(old -> form.takesAnyText() || !old.takesAnyText())
                        .isPresent();
        List<String> examples = same || wider ? List.of() : new StoredSerials(database).notIn(form, name);
        if (!examples.isEmpty()) {
            throw RegistryException.withDetail(
                    ProblemType.CONFLICT,
                    "serials of this fleet are not spelled as the new rules spell them: "
                            + String.join("; ", examples));
        }
        return before;
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
                throw RegistryException.invalid(List.of(new Fault("#/wire/path", "is the route of another fleet")));
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
