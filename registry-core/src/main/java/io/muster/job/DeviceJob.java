// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import io.muster.cdi.Part;
import io.muster.credential.CredentialOrders;
import io.muster.credential.Revocations;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.lifecycle.DeviceLifecycle;
import io.muster.lifecycle.DevicePatch;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.search.DeviceFields;
import io.muster.search.DeviceSearch;
import io.muster.search.Expression;
import io.muster.search.FilterException;
import io.muster.search.FilterParser;
import io.muster.search.Sort;
import io.muster.spi.DeviceId;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Does with many devices what operators do with one, by the same methods. The devices are those of a list, or those
 * that match a filter when they have their turn, in the order of their ids. One that was created after the job is left
 * alone. Thread-safe.
 */
@Part
public final class DeviceJob {

    /** The member with the filter. */
    public static final String FILTER = "filter";
    /** The member that means every device. */
    public static final String ALL = "all";
    /** The member with a list of devices. */
    public static final String DEVICES = "devices";
    /** The member with tags to set. */
    public static final String TAGS = "tags";
    /** The member with the names of tags to remove. */
    public static final String REMOVED_TAGS = "removedTags";
    /** The member with the operator's reason. */
    public static final String REASON = "reason";
    /** The member with the beginning of the time for renewals. */
    public static final String NOT_BEFORE = "notBefore";
    /** The member with its end. */
    public static final String NOT_AFTER = "notAfter";

    /** So many devices get an order of their own at most: every node has all orders in memory. */
    public static final int MOST_ROTATED = 1000;

    private static final int BATCH = 50;
    private static final int PAGE = 4 * BATCH;

    private final Database database;
    private final Fleets fleets;
    private final DeviceSearch search;
    private final DeviceStore devices;
    private final DeviceLifecycle lifecycle;
    private final Revocations revocations;
    private final CredentialOrders orders;

    @Inject
    DeviceJob(
            Database database,
            Fleets fleets,
            DeviceSearch search,
            DeviceStore devices,
            DeviceLifecycle lifecycle,
            Revocations revocations,
            CredentialOrders orders) {
        this.database = database;
        this.fleets = fleets;
        this.search = search;
        this.devices = devices;
        this.lifecycle = lifecycle;
        this.revocations = revocations;
        this.orders = orders;
    }

    /**
     * Some devices to work on.
     *
     * @param next the place behind all of them; empty at the end
     */
    private record Page(List<Row> rows, Optional<String> next) {}

    /**
     * A device to work on.
     *
     * @param place the place that the job has reached when it was worked on
     */
    private record Row(DeviceId device, String place) {}

    /** Works on it, and tells whether it is complete. */
    boolean work(JobLease lease) {
        while (true) {
            Page page = page(lease);
            for (int from = 0; from < page.rows().size(); from += BATCH) {
                if (!lease.goesOn()) {
                    return false;
                }
                some(
                        lease,
                        page.rows()
                                .subList(
                                        from, Math.min(from + BATCH, page.rows().size())));
            }
            if (page.next().isEmpty()) {
                return true;
            }
            if (!page.next().get().equals(lease.progress().place())) {
                // Nothing matched up to there.
                lease.committed(database.jdbcTransaction(connection -> {
                    lease.hold(connection);
                    return lease.write(connection, page.next().get(), List.of());
                }));
            }
            if (page.rows().isEmpty() && !lease.goesOn()) {
                return false;
            }
        }
    }

    private Page page(JobLease lease) {
        return lease.job().what().get(DEVICES) instanceof List<?> list ? listed(lease, list) : matching(lease);
    }

    private static Page listed(JobLease lease, List<?> ids) {
        String place = lease.progress().place();
        int from = place.isEmpty() ? 0 : Integer.parseInt(place);
        int until = Math.min(ids.size(), from + PAGE);
        List<Row> rows = new ArrayList<>();
        for (int i = from; i < until; i++) {
            rows.add(new Row(new DeviceId(String.valueOf(ids.get(i))), String.valueOf(i + 1)));
        }
        return new Page(rows, until < ids.size() ? Optional.of(String.valueOf(until)) : Optional.empty());
    }

    private Page matching(JobLease lease) {
        Job job = lease.job();
        DeviceSearch.Page found = search.list(
                new DeviceSearch.Wanted(
                        job.fleet(),
                        filter(job),
                        Optional.empty(),
                        // The ids stay as they are, whatever is done with the devices.
                        Optional.of(new Sort(Sort.Key.REGISTERED, false))),
                Optional.of(lease.progress().place()).filter(place -> !place.isEmpty()),
                PAGE);
        List<Row> rows = found.devices().stream()
                .filter(device -> !device.createdAt().isAfter(job.createdAt()))
                .map(device -> new Row(device.id(), device.id().value()))
                .toList();
        // Ids begin with the time. The clocks of nodes differ, so go on for a while.
        Optional<String> next = found.next().filter(place -> Ids.time(Ids.bytes(place))
                .isBefore(job.createdAt().plus(JobLease.LENGTH)));
        return new Page(rows, next);
    }

    private Expression filter(Job job) {
        Fleet fleet = fleets.find(job.fleet()).orElseThrow(() -> new JobRunner.HopelessException("the fleet is gone"));
        if (Boolean.TRUE.equals(job.what().get(ALL))) {
            return Expression.all();
        }
        try {
            return FilterParser.parse(
                    String.valueOf(job.what().get(FILTER)),
                    new DeviceFields(fleet.document().serials()));
        } catch (FilterException e) {
            throw new JobRunner.HopelessException("the filter, " + String.join("; ", e.faults()));
        }
    }

    /** Works on some devices together, or one after the other if one of them fails. */
    private void some(JobLease lease, List<Row> rows) {
        try {
            together(lease, rows);
        } catch (RegistryException e) {
            if (rows.size() > 1) {
                rows.forEach(row -> some(lease, List.of(row)));
                return;
            }
            Row row = rows.get(0);
            lease.committed(database.jdbcTransaction(connection -> {
                lease.hold(connection);
                Optional<String> serial =
                        known(lease.job(), row.device()).in(connection).map(Known::serial);
                return lease.write(
                        connection,
                        row.place(),
                        List.of(Result.of(subject(row.device(), serial), Optional.of(fault(e)))));
            }));
        }
    }

    private static String fault(RegistryException e) {
        return e.faults().isEmpty()
                ? e.detail().orElseGet(() -> e.type().title())
                : e.faults().stream().map(Problem.Fault::detail).collect(Collectors.joining("; "));
    }

    private void together(JobLease lease, List<Row> rows) {
        String place = rows.get(rows.size() - 1).place();
        try {
            lease.committed(database.together(em -> {
                Database.within(em, connection -> {
                    lease.hold(connection);
                    return null;
                });
                List<Result> results = new ArrayList<>();
                for (Row row : rows) {
                    results.add(one(em, lease, row.device(), results.size()));
                }
                if (lease.job().dryRun()) {
                    throw new DryRunException(results);
                }
                return Database.within(em, connection -> lease.write(connection, place, results));
            }));
        } catch (DryRunException e) {
            e.record(database, lease, place);
        }
    }

    private static Map<String, Object> subject(DeviceId device, Optional<String> serial) {
        Map<String, Object> subject = new LinkedHashMap<>();
        subject.put("deviceId", device.value());
        serial.ifPresent(text -> subject.put("serial", text));
        return subject;
    }

    /** A device as it is in the transaction. */
    private record Known(String serial, DeviceState state) {}

    private static Database.SqlWork<Optional<Known>> known(Job job, DeviceId device) {
        return Sql.of(
                        "SELECT serial, state FROM device WHERE id = ? AND fleet = ?",
                        Ids.bytes(device.value()),
                        job.fleet())
                .first(row -> new Known(row.getString(1), DeviceState.ofLetter(row.getString(2))));
    }

    private Result one(EntityManager em, JobLease lease, DeviceId device, int before) {
        Job job = lease.job();
        Optional<Known> known = Database.within(em, known(job, device));
        Optional<String> fault = known.isPresent()
                ? act(
                        job,
                        device,
                        known.get(),
                        lease.progress().done() - lease.progress().failed() + before)
                : Optional.of("the fleet has no such device");
        return Result.of(subject(device, known.map(Known::serial)), fault);
    }

    /** Does it, and returns why it cannot be done. */
    private Optional<String> act(Job job, DeviceId device, Known known, long done) {
        String reason = String.valueOf(job.what().getOrDefault(REASON, ""));
        boolean there =
                switch (job.kind()) {
                    case DISABLE -> changed(job, device, DeviceState.DISABLED);
                    case ENABLE -> changed(job, device, DeviceState.ACTIVE);
                    case RETIRE -> changed(job, device, DeviceState.RETIRED);
                    case REVOKE ->
                        revocations
                                .revoke(device, Optional.empty(), reason, job.operator())
                                .isPresent();
                    case ROTATE -> rotated(job, device, known, reason, done);
                    case TAG ->
                        lifecycle
                                .change(device, tags(job), version -> true, job.operator())
                                .isPresent();
                    case DELETE -> lifecycle.delete(device, version -> true, job.operator());
                    case IMPORT_SERIALS -> throw new IllegalArgumentException("not with devices");
                };
        return there ? Optional.empty() : Optional.of("the fleet has no such device");
    }

    private boolean changed(Job job, DeviceId device, DeviceState wanted) {
        return devices.change(device, wanted, job.operator()).isPresent();
    }

    private boolean rotated(Job job, DeviceId device, Known known, String reason, long done) {
        if (known.state() == DeviceState.RETIRED) {
            throw RegistryException.withDetail(ProblemType.CONFLICT, "the device is retired and renews nothing");
        }
        if (done >= MOST_ROTATED) {
            throw RegistryException.withDetail(
                    ProblemType.CONFLICT,
                    "a job orders " + MOST_ROTATED
                            + " devices to renew at most; order a rotation of the lot or the fleet");
        }
        orders.rotate(
                new CredentialOrders.Scope(job.fleet(), Optional.empty(), Optional.of(device)),
                Instant.parse(String.valueOf(job.what().get(NOT_BEFORE))),
                Instant.parse(String.valueOf(job.what().get(NOT_AFTER))),
                reason,
                job.operator());
        return true;
    }

    private static DevicePatch tags(Job job) {
        Map<String, Optional<String>> tags = new HashMap<>();
        if (job.what().get(TAGS) instanceof Map<?, ?> given) {
            given.forEach((name, text) -> tags.put(String.valueOf(name), Optional.of(String.valueOf(text))));
        }
        if (job.what().get(REMOVED_TAGS) instanceof List<?> names) {
            names.forEach(name -> tags.put(String.valueOf(name), Optional.empty()));
        }
        return new DevicePatch(Optional.empty(), tags, Map.of());
    }
}
