// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.audit.AuditEvent;
import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.json.Json;
import io.muster.operator.Grant;
import io.muster.operator.Operator;
import io.muster.operator.Operators;
import io.muster.operator.People;
import io.muster.operator.Role;
import io.muster.persistence.Database;
import io.muster.problem.RegistryException;
import io.muster.registration.RegistrationAttempt;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The promises of jobs, on every database. */
interface JobContract {

    String FLEET = "default";
    String BY = "olga";

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    /** A node that is killed does nothing more, not even what is written for exceptions. */
    final class Killed extends Error {
        private static final long serialVersionUID = 1;
    }

    private TestRegistry test(TestClock clock) {
        return fresh().with(clock)
                .with("muster.fleets", "default,other")
                .with("muster.fleet.default.verifiers", "all")
                .with("muster.fleet.other.verifiers", "all")
                .with("all", candidate -> Verdict.genuine(Map.of()));
    }

    /** Starts a node that works on no job by itself. */
    private static TestNode idle(TestRegistry test) {
        TestNode node = test.start();
        node.part(JobRunner.class).close();
        Operators operators = node.operators();
        if (operators.find(BY).isEmpty()) {
            operators.create(
                    BY,
                    List.of(new Grant(Optional.of(Role.OPERATOR), Set.of(), Optional.empty())),
                    Optional.empty(),
                    operators.find(Operators.FIRST).orElseThrow());
        }
        return node;
    }

    private static JobRunner runner(TestNode node, Consumer<String> witness) {
        return new JobRunner(
                node.part(Database.class),
                node.audit(),
                node.part(Jobs.class),
                node.part(SerialJob.class),
                node.part(DeviceJob.class),
                node.operators(),
                node.part(People.class),
                node.config(),
                new SimpleMeterRegistry(),
                node.clock(),
                witness);
    }

    @Test
    default void jobOfAnOperatorWithoutTheRightFails() {
        try (TestNode node = idle(fresh())) {
            Job before = upload(node, false, "serial\nSN-0001\n", false);
            Operator olga = node.operators().find(BY).orElseThrow();
            node.operators().revoke(olga.id(), Operators.FIRST);

            run(node);

            Job after = now(node, before);
            assertThat(after.state()).isEqualTo(Job.State.FAILED);
            assertThat(after.error()).contains("the operator olga may not do this any more");
            assertThat(after.done()).isZero();
        }
    }

    private static void run(TestNode node) {
        try (JobRunner runner = runner(node, step -> {})) {
            boolean more = true;
            while (more) {
                more = runner.one();
            }
        }
    }

    /** Runs a job up to a step, counted from 1, at which the node is killed; false if it ended before. */
    private static boolean killedAt(TestNode node, int step) {
        AtomicInteger steps = new AtomicInteger();
        try (JobRunner runner = runner(node, name -> {
            if (steps.incrementAndGet() == step) {
                throw new Killed();
            }
        })) {
            runner.one();
            return false;
        } catch (Killed e) {
            return true;
        }
    }

    private static Job upload(TestNode node, boolean ndjson, String text, boolean dryRun) {
        return node.part(Jobs.class)
                .importSerials(
                        node.fleets().get(FLEET), ndjson, new ByteArrayInputStream(text.getBytes(UTF_8)), dryRun, BY);
    }

    private static Job devices(TestNode node, String fleet, Job.Kind kind, Map<String, Object> what, boolean dryRun) {
        return node.part(Jobs.class).create(fleet, kind, what, Optional.empty(), dryRun, BY);
    }

    private static Job now(TestNode node, Job job) {
        return node.part(Jobs.class).get(job.fleet(), job.id());
    }

    private static String text(Job job, BiFunction<Job, Integer, Optional<Jobs.Piece>> read) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        Optional<Jobs.Piece> part = read.apply(job, -1);
        while (part.isPresent()) {
            all.writeBytes(part.get().bytes());
            part = read.apply(job, part.get().number());
        }
        return all.toString(UTF_8);
    }

    private static String failures(TestNode node, Job job) {
        return text(job, node.part(Jobs.class)::failures);
    }

    private static List<JsonNode> results(TestNode node, Job job) {
        return text(job, node.part(Jobs.class)::results)
                .lines()
                .map(line -> Json.parse(line.getBytes(StandardCharsets.UTF_8)))
                .toList();
    }

    private static Device register(TestNode node, String fleet, String serial) {
        node.registrar().register(RegistrationAttempt.of(Candidate.of(new SerialNumber(serial), fleet, "192.0.2.7")));
        return node.devices().find(fleet, serial).orElseThrow();
    }

    private static List<Device> register(TestNode node, int number) {
        return IntStream.range(0, number)
                .mapToObj(i -> register(node, FLEET, "SN-%04d".formatted(i)))
                .toList();
    }

    private static DeviceState state(TestNode node, Device device) {
        return node.devices().find(device.id()).orElseThrow().state();
    }

    private static List<String> recorded(TestNode node, Job job) {
        return node.audit().list(Optional.empty(), 1000).stream()
                .filter(event -> event.detail() != null && event.detail().contains(job.id()))
                .map(AuditEvent::type)
                .toList();
    }

    private static List<String> recorded(TestNode node, String type) {
        return node.audit().list(Optional.empty(), 1000).stream()
                .filter(event -> event.type().equals(type))
                .map(AuditEvent::deviceId)
                .toList();
    }

    @Test
    default void importIsDoneOnceForEachRowWhereverANodeIsKilled() {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock);
        int rows = 1302;
        try (TestNode here = idle(test);
                TestNode there = idle(test)) {
            boolean killed = true;
            for (int step = 1; killed; step++) {
                String lot = "lot " + step;
                // One row has too many fields. The last one repeats the first, which another node may have stored.
                String text = "serial,lot\r\n"
                        + IntStream.range(0, rows - 1)
                                .mapToObj(i -> "SN-%04d,%s%s\r\n".formatted(i, lot, i == 700 ? ",x" : ""))
                                .collect(Collectors.joining())
                        + "SN-0000," + lot;
                Job job = upload(here, false, text, false);
                assertThat(job.total()).contains((long) rows);

                killed = killedAt(here, step);
                clock.pass(JobLease.LENGTH);
                run(there);

                Job done = now(here, job);
                assertThat(done.state()).as("killed at step %d", step).isEqualTo(Job.State.DONE);
                assertThat(done.done()).as("killed at step %d", step).isEqualTo(rows);
                assertThat(done.failed()).as("killed at step %d", step).isEqualTo(2);
                assertThat(results(there, job))
                        .as("killed at step %d", step)
                        .extracting(result -> result.path("row").asInt())
                        .containsExactlyElementsOf(
                                IntStream.rangeClosed(2, rows + 1).boxed().toList());
                assertThat(failures(there, job))
                        .isEqualTo("fault,serial,lot\r\n\"has 3 fields, the header has 2 with a name\",SN-0700," + lot
                                + ",x\r\nrepeats the serial of row 2,SN-0000," + lot + "\r\n");
                assertThat(here.lots().find(FLEET, lot).orElseThrow().imported())
                        .as("killed at step %d", step)
                        .isEqualTo(rows - 2);
                assertThat(recorded(here, job)).containsExactlyInAnyOrder("job-created", "job-ended");
                assertThat(test.number("SELECT COUNT(*) FROM job_data WHERE kind = 'I'"))
                        .isZero();
            }
        }
    }

    @Test
    default void bulkActionIsDoneOnceForEachDeviceWhereverANodeIsKilled() {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock);
        try (TestNode here = idle(test);
                TestNode there = idle(test)) {
            List<Device> devices = register(here, 54);
            Device retired = devices.get(52);
            here.devices().change(retired.id(), DeviceState.RETIRED, BY);
            clock.pass(Duration.ofMillis(1));
            boolean killed = true;
            int step = 0;
            while (killed) {
                step++;
                Job job = devices(
                        here,
                        FLEET,
                        Job.Kind.ROTATE,
                        Map.of(
                                DeviceJob.FILTER,
                                "serial sw \"SN-\"",
                                DeviceJob.NOT_BEFORE,
                                clock.instant().toString(),
                                DeviceJob.NOT_AFTER,
                                clock.instant().plusSeconds(600).toString()),
                        false);

                killed = killedAt(here, step);
                clock.pass(JobLease.LENGTH);
                run(there);

                assertThat(now(here, job).state()).as("killed at step %d", step).isEqualTo(Job.State.DONE);
                assertThat(now(here, job).done()).as("killed at step %d", step).isEqualTo(54);
                assertThat(now(here, job).failed())
                        .as("killed at step %d", step)
                        .isEqualTo(1);
                assertThat(results(there, job))
                        .extracting(result -> result.path("deviceId").asText())
                        .as("killed at step %d", step)
                        .containsExactlyInAnyOrderElementsOf(
                                devices.stream().map(one -> one.id().value()).toList());
                assertThat(failures(there, job))
                        .isEqualTo("{\"deviceId\":\"" + retired.id().value() + "\",\"serial\":\"SN-0052\","
                                + "\"outcome\":\"failed\",\"fault\":\"the device is retired and renews nothing\"}\n");
            }
            // An order is a row of its own, so one too many would show.
            assertThat(test.number("SELECT COUNT(*) FROM credential_order")).isEqualTo(53L * step);
            assertThat(test.number(
                            "SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM credential_order GROUP BY device_id) c"))
                    .isEqualTo(step);
        }
    }

    @Test
    default void nodeThatSleepsLongerThanItsLeaseChangesNothing() {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock);
        try (TestNode here = idle(test);
                TestNode there = idle(test)) {
            register(here, 54);
            Job job = devices(
                    here,
                    FLEET,
                    Job.Kind.ROTATE,
                    Map.of(
                            DeviceJob.ALL,
                            true,
                            DeviceJob.NOT_BEFORE,
                            clock.instant().toString(),
                            DeviceJob.NOT_AFTER,
                            clock.instant().plusSeconds(600).toString()),
                    false);
            AtomicInteger steps = new AtomicInteger();
            try (JobRunner runner = runner(here, step -> {
                if (step.equals("before a batch") && steps.incrementAndGet() == 2) {
                    clock.pass(JobLease.LENGTH);
                    run(there);
                }
            })) {
                runner.one();
            }

            assertThat(steps).hasValue(2);
            assertThat(now(here, job).state()).isEqualTo(Job.State.DONE);
            assertThat(now(here, job).done()).isEqualTo(54);
            assertThat(results(here, job)).doesNotHaveDuplicates().hasSize(54);
            assertThat(test.number("SELECT COUNT(*) FROM credential_order")).isEqualTo(54);
        }
    }

    @Test
    default void everyActionDoesWhatTheSingleOneDoes() {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock);
        try (TestNode node = idle(test)) {
            List<Device> devices = register(node, 3);
            clock.pass(Duration.ofMillis(1));
            Device first = devices.get(0);
            String unknown = "0".repeat(32);
            Map<String, Object> two = Map.of(
                    DeviceJob.DEVICES,
                    List.of(first.id().value(), unknown, devices.get(1).id().value()));

            Job disabled = devices(node, FLEET, Job.Kind.DISABLE, two, false);
            run(node);
            assertThat(devices)
                    .extracting(one -> state(node, one))
                    .containsExactly(DeviceState.DISABLED, DeviceState.DISABLED, DeviceState.ACTIVE);
            assertThat(now(node, disabled).failed()).isEqualTo(1);
            assertThat(failures(node, disabled)).contains(unknown, "the fleet has no such device");
            assertThat(recorded(node, "device-disabled"))
                    .containsExactlyInAnyOrder(
                            first.id().value(), devices.get(1).id().value());

            devices(node, FLEET, Job.Kind.ENABLE, Map.of(DeviceJob.FILTER, "state eq \"disabled\""), false);
            run(node);
            assertThat(devices).extracting(one -> state(node, one)).containsOnly(DeviceState.ACTIVE);

            devices(
                    node,
                    FLEET,
                    Job.Kind.TAG,
                    Map.of(DeviceJob.ALL, true, DeviceJob.TAGS, Map.of("room", "12")),
                    false);
            run(node);
            assertThat(node.devices().tags(first)).containsEntry("room", "12");
            devices(
                    node,
                    FLEET,
                    Job.Kind.TAG,
                    Map.of(DeviceJob.FILTER, "tags.room eq \"12\"", DeviceJob.REMOVED_TAGS, List.of("room")),
                    false);
            run(node);
            assertThat(node.devices().tags(first)).doesNotContainKey("room");

            devices(node, FLEET, Job.Kind.REVOKE, Map.of(DeviceJob.ALL, true, DeviceJob.REASON, "stolen"), false);
            run(node);
            assertThat(recorded(node, "credentials-revoked")).hasSize(3);

            devices(node, FLEET, Job.Kind.RETIRE, Map.of(DeviceJob.FILTER, "serial eq \"SN-0001\""), false);
            devices(node, FLEET, Job.Kind.DELETE, Map.of(DeviceJob.FILTER, "serial eq \"SN-0002\""), false);
            run(node);
            assertThat(devices)
                    .extracting(one -> state(node, one))
                    .containsExactly(DeviceState.ACTIVE, DeviceState.RETIRED, DeviceState.RETIRED);
            assertThat(recorded(node, "device-deleted"))
                    .containsExactly(devices.get(2).id().value());
        }
    }

    @Test
    default void deviceThatIsCreatedAfterTheJobIsLeftAlone() {
        TestClock clock = new TestClock();
        try (TestNode node = idle(test(clock))) {
            Device before = register(node, FLEET, "SN-1");
            Job job = devices(node, FLEET, Job.Kind.DISABLE, Map.of(DeviceJob.ALL, true), false);
            clock.pass(Duration.ofMillis(1));
            Device after = register(node, FLEET, "SN-2");
            Device elsewhere = register(node, "other", "SN-1");

            run(node);

            assertThat(now(node, job).done()).isEqualTo(1);
            assertThat(state(node, before)).isEqualTo(DeviceState.DISABLED);
            assertThat(state(node, after)).isEqualTo(DeviceState.ACTIVE);
            assertThat(state(node, elsewhere)).isEqualTo(DeviceState.ACTIVE);
        }
    }

    @Test
    default void dryRunSaysWhatWouldHappenAndChangesNothing() {
        TestClock clock = new TestClock();
        try (TestNode node = idle(test(clock))) {
            Device active = register(node, FLEET, "SN-1");
            Device retired = register(node, FLEET, "SN-2");
            node.devices().change(retired.id(), DeviceState.RETIRED, BY);

            Job devices = devices(node, FLEET, Job.Kind.DISABLE, Map.of(DeviceJob.ALL, true), true);
            Job serials = upload(node, false, "serial\nSN-7\n\nSN 8\n", true);
            run(node);

            assertThat(now(node, devices).done()).isEqualTo(2);
            assertThat(now(node, devices).failed()).isEqualTo(1);
            assertThat(state(node, active)).isEqualTo(DeviceState.ACTIVE);
            assertThat(recorded(node, "device-disabled")).isEmpty();
            assertThat(now(node, serials).done()).isEqualTo(2);
            assertThat(now(node, serials).failed()).isEqualTo(1);
            assertThat(results(node, serials))
                    .extracting(one -> one.path("outcome").asText())
                    .containsExactly("done", "failed");
            assertThat(node.serialList().find(FLEET, "SN-7")).isEmpty();
        }
    }

    @Test
    default void failedRowsCanBeCorrectedAndSentAgain() {
        TestClock clock = new TestClock();
        try (TestNode node = idle(test(clock))) {
            Job job = upload(
                    node,
                    false,
                    "\ufeffsep=;\nSerial;tags.room;name\nSN-1;12;Pump\nSN 2;\"1;3\";\nSN-3;\"open;\n;;\n\u00ff",
                    false);
            run(node);
            String failed = failures(node, job);
            assertThat(failed.lines())
                    .hasSize(4)
                    .startsWith("fault;Serial;tags.room;name")
                    .element(2)
                    .asString()
                    .isEqualTo("a quote that is not closed;SN-3;\"open;");
            assertThat(now(node, job).done()).isEqualTo(4);

            Job again = upload(node, false, failed.replace("SN 2", "SN-2").replace("\"open", "open"), false);
            run(node);

            assertThat(now(node, again).failed()).isEqualTo(1);
            assertThat(failures(node, again).lines()).hasSize(2).startsWith("fault;Serial;tags.room;name");
            assertThat(node.serialList()
                            .find(FLEET, "SN-2")
                            .orElseThrow()
                            .serial()
                            .tags())
                    .containsEntry("room", "1;3");
            assertThat(node.serialList().find(FLEET, "SN-3")).isPresent();
        }
    }

    @Test
    default void linesOfJsonAreImported() {
        TestClock clock = new TestClock();
        try (TestNode node = idle(test(clock))) {
            Job job = upload(
                    node,
                    true,
                    "{\"serial\":\"SN-1\",\"tags\":{\"room\":\"12\"}}\n{\"serial\":7}\nnonsense\n{\"serial\":\"SN-9\",\"state\":\"blocked\"}",
                    false);
            run(node);

            assertThat(now(node, job).total()).contains(4L);
            assertThat(failures(node, job).lines())
                    .containsExactly(
                            "{\"fault\":\"serial must be a string; serial is missing\",\"serial\":7}", "nonsense");
            Job again = upload(node, true, failures(node, job).replace("7", "\"SN-7\""), false);
            run(node);
            assertThat(now(node, again).failed()).isEqualTo(1);
            assertThat(node.serialList().find(FLEET, "SN-7")).isPresent();
        }
    }

    @Test
    default void cancelledJobStopsAndWhatItDidStaysDone() {
        TestClock clock = new TestClock();
        try (TestNode node = idle(test(clock))) {
            List<Device> devices = register(node, 54);
            Job job = devices(node, FLEET, Job.Kind.DISABLE, Map.of(DeviceJob.ALL, true), false);
            try (JobRunner runner = runner(node, step -> {
                if (step.equals("after a batch")) {
                    node.part(Jobs.class).cancel(job, BY);
                }
            })) {
                runner.one();
            }

            Job cancelled = now(node, job);
            assertThat(cancelled.state()).isEqualTo(Job.State.CANCELLED);
            assertThat(cancelled.done()).isEqualTo(50);
            assertThat(devices.stream().filter(one -> state(node, one) == DeviceState.DISABLED))
                    .hasSize(50);
            assertThatThrownBy(() -> node.part(Jobs.class).cancel(job, BY))
                    .isInstanceOfSatisfying(
                            RegistryException.class, e -> assertThat(e.type()).isEqualTo(ProblemType.CONFLICT));
            assertThat(recorded(node, job)).containsExactlyInAnyOrder("job-created", "job-cancelled");
        }
    }

    @Test
    default void jobsOfAFleetKeepTheirOrderAndFleetsTakeTurns() {
        TestClock clock = new TestClock();
        try (TestNode node = idle(test(clock))) {
            List<Job> all = new ArrayList<>();
            for (String fleet : List.of(FLEET, FLEET, FLEET, "other")) {
                all.add(devices(node, fleet, Job.Kind.ENABLE, Map.of(DeviceJob.ALL, true), false));
                clock.pass(Duration.ofMillis(1));
            }
            List<Integer> order = new ArrayList<>();
            try (JobRunner runner = runner(node, step -> {})) {
                while (runner.one()) {
                    clock.pass(Duration.ofMillis(1));
                    IntStream.range(0, all.size())
                            .filter(i ->
                                    !order.contains(i) && now(node, all.get(i)).hasEnded())
                            .forEach(order::add);
                }
            }

            assertThat(order).containsExactly(0, 3, 1, 2);
        }
    }

    @Test
    default void jobThatBreaksOffAgainAndAgainFails() {
        TestClock clock = new TestClock();
        try (TestNode node = idle(test(clock))) {
            register(node, FLEET, "SN-1");
            Job job = devices(node, FLEET, Job.Kind.DISABLE, Map.of(DeviceJob.ALL, true), false);
            try (JobRunner runner = runner(node, step -> {
                if (step.equals("before a batch")) {
                    throw new IllegalStateException("broken");
                }
            })) {
                for (int i = 0; i <= JobQueue.MOST_TRIES; i++) {
                    assertThat(now(node, job).hasEnded()).isFalse();
                    runner.one();
                    clock.pass(Duration.ofSeconds(10));
                }
            }

            assertThat(now(node, job).state()).isEqualTo(Job.State.FAILED);
            assertThat(now(node, job).error().orElseThrow()).contains("broke off");
        }
    }

    @Test
    default void jobsAreBoundedAndExpire() {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock);
        try (TestNode node = idle(test)) {
            for (int i = 0; i < Jobs.MOST; i++) {
                upload(node, false, "serial\nSN-" + i, false);
            }
            assertThatThrownBy(() -> upload(node, false, "serial\nSN-1", false))
                    .isInstanceOfSatisfying(
                            RegistryException.class, e -> assertThat(e.type()).isEqualTo(ProblemType.CONFLICT));
            run(node);
            assertThat(node.part(Jobs.class).list(FLEET, Optional.of(Job.State.DONE), Optional.empty(), 100))
                    .hasSize(Jobs.MOST);
            List<Job> page = node.part(Jobs.class).list(FLEET, Optional.empty(), Optional.empty(), 15);
            assertThat(node.part(Jobs.class)
                            .list(
                                    FLEET,
                                    Optional.empty(),
                                    Optional.of(page.get(14).id()),
                                    15))
                    .hasSize(Jobs.MOST - 15)
                    .doesNotContainAnyElementsOf(page);

            node.part(Jobs.class).deleteExpired();
            assertThat(node.part(Jobs.class).list(FLEET, Optional.empty(), Optional.empty(), 100))
                    .hasSize(Jobs.MOST);
            clock.pass(Duration.ofDays(7));
            node.part(Jobs.class).deleteExpired();

            assertThat(test.number("SELECT COUNT(*) FROM job")).isZero();
            assertThat(test.number("SELECT COUNT(*) FROM job_data")).isZero();
        }
    }

    @Test
    default void badUploadLeavesNothing() {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock);
        try (TestNode node = idle(test)) {
            for (String text : List.of("", "name\nx", "serial,serial\nSN-1,SN-2", "\"serial\nx", "\n\n")) {
                assertThatThrownBy(() -> upload(node, false, text, false))
                        .as(text)
                        .isInstanceOfSatisfying(RegistryException.class, e -> assertThat(e.type())
                                .isEqualTo(ProblemType.INVALID_REQUEST));
            }
            assertThat(test.number("SELECT COUNT(*) FROM job")).isZero();
            assertThat(test.number("SELECT COUNT(*) FROM job_data")).isZero();
        }
    }

    @Test
    default void uploadIsUnreadableInTheDatabase() {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock);
        try (TestNode node = idle(test)) {
            upload(node, false, "serial,claimCode\nSN-1,ABCD", false);

            assertThat(node.part(Database.class)
                            .jdbc(io.muster.persistence.Sql.of("SELECT sealed FROM job_data")
                                    .list(row -> new String(row.getBytes(1), StandardCharsets.ISO_8859_1))))
                    .isNotEmpty()
                    .noneMatch(text -> text.contains("ABCD") || text.contains("serial"));
        }
    }
}
