// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.registration.ModelledRegistry.Serial;
import io.muster.registration.SerialModel.Allow;
import io.muster.registration.SerialModel.Answer;
import io.muster.registration.SerialModel.Become;
import io.muster.registration.SerialModel.Call;
import io.muster.registration.SerialModel.Register;
import io.muster.registration.SerialModel.Renew;
import io.muster.registration.SerialModel.Revoke;
import io.muster.registration.SerialModel.RevokeLot;
import io.muster.registration.SerialModel.Said;
import io.muster.registration.SerialModel.Standing;
import io.muster.registration.SerialModel.TakeBack;
import io.muster.registration.SerialModel.Use;
import io.muster.registration.SerialModel.View;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;
import net.jqwik.api.state.Action;
import net.jqwik.api.state.ActionChain;
import net.jqwik.api.state.Transformer;

/** Histories of one serial that a registry and its model go through together. */
final class ModelHistories {

    /** Longer than any node trusts its memory. */
    private static final Duration NO_MEMORY = Duration.ofSeconds(2);

    private ModelHistories() {}

    /** The kinds of acts. */
    private enum Kind {
        REGISTER,
        REGISTER_WITH_PROOF,
        USE,
        RENEW,
        REVOKE,
        REVOKE_ALL,
        REVOKE_LOT,
        DISABLE,
        ENABLE,
        RETIRE,
        ALLOW,
        ALLOW_LATER,
        TAKE_BACK
    }

    /**
     * Something that a device or an operator does. It becomes a call when it is known which credentials there are.
     *
     * @param which credential or allowance is meant, counted from the newest
     * @param pair the key pair that is offered; empty for none
     * @param seal the name of the attempt; empty for none
     * @param right whether secrets and signatures are right. For an act with a proof: whether the device has just
     *     authenticated, and not at some time before
     * @param pause how long nothing happens before. If it is negative, the clocks are set back
     */
    record Act(Kind kind, int node, int which, String pair, String seal, boolean right, Duration pause) {

        /** Returns the call, or empty if the serial has not what is needed. */
        private Optional<Call> call(Serial serial) {
            return switch (kind) {
                case REGISTER -> Optional.of(new Register(pair, right, "", seal));
                case REGISTER_WITH_PROOF -> accepted(serial).map(key -> new Register(pair, true, key, seal));
                case USE -> newest(serial.keys()).map(key -> new Use(key, right));
                case RENEW -> accepted(serial).map(key -> new Renew(pair, true, key, seal));
                case REVOKE -> newest(serial.keys()).map(Revoke::new);
                case REVOKE_ALL -> ofDevice(serial, new Revoke(""));
                case REVOKE_LOT -> Optional.of(new RevokeLot());
                case DISABLE -> ofDevice(serial, new Become(Standing.DISABLED));
                case ENABLE -> ofDevice(serial, new Become(Standing.ACTIVE));
                case RETIRE -> ofDevice(serial, new Become(Standing.RETIRED));
                case ALLOW -> Optional.of(new Allow(Duration.ZERO, Duration.ofHours(6)));
                case ALLOW_LATER -> Optional.of(new Allow(Duration.ofMinutes(30), Duration.ofDays(40)));
                case TAKE_BACK -> newest(serial.allowances()).map(TakeBack::new);
            };
        }

        /** Returns the authentication that comes before it, if one does. */
        private Optional<Call> before(Serial serial) {
            return right && (kind == Kind.REGISTER_WITH_PROOF || kind == Kind.RENEW)
                    ? newest(serial.keys()).map(key -> new Use(key, true))
                    : Optional.empty();
        }

        private static Optional<Call> ofDevice(Serial serial, Call call) {
            return serial.isDevice() ? Optional.of(call) : Optional.empty();
        }

        private Optional<String> accepted(Serial serial) {
            return newest(serial.keys()).filter(serial::wasAccepted);
        }

        private Optional<String> newest(List<String> all) {
            List<String> some = List.copyOf(all);
            return some.isEmpty() ? Optional.empty() : Optional.of(some.get(some.size() - 1 - which % some.size()));
        }
    }

    // Sequential histories

    /** Histories in which one act follows the other, whatever its node. */
    static Arbitrary<ActionChain<Walk>> sequential(ModelledRegistry registry) {
        Arbitrary<Integer> fleets = Arbitraries.integers().between(0, registry.fleets() - 1);
        Action.Independent<Walk> act = () ->
                acts(registry.nodes(), pauses()).map(one -> Transformer.mutate(one.toString(), walk -> walk.take(one)));
        return fleets.flatMap(fleet -> ActionChain.startWith(() -> new Walk(registry, registry.serial(fleet)))
                .withAction(act)
                .withMaxTransformations(24));
    }

    private static Arbitrary<Duration> pauses() {
        return Arbitraries.frequency(
                Tuple.of(30, Duration.ofMillis(1)),
                Tuple.of(3, Duration.ofMinutes(10)),
                Tuple.of(3, Duration.ofMinutes(59)),
                Tuple.of(1, Duration.ofHours(-1)),
                Tuple.of(1, Duration.ofHours(6)),
                Tuple.of(1, Duration.ofHours(24)),
                Tuple.of(1, Duration.ofDays(30)),
                Tuple.of(1, Duration.ofDays(60)));
    }

    private static Arbitrary<Act> acts(int nodes, Arbitrary<Duration> pauses) {
        Arbitrary<Kind> kinds = Arbitraries.frequency(
                Tuple.of(16, Kind.REGISTER),
                Tuple.of(8, Kind.REGISTER_WITH_PROOF),
                Tuple.of(16, Kind.USE),
                Tuple.of(8, Kind.RENEW),
                Tuple.of(3, Kind.REVOKE),
                Tuple.of(3, Kind.REVOKE_ALL),
                Tuple.of(1, Kind.REVOKE_LOT),
                Tuple.of(2, Kind.DISABLE),
                Tuple.of(3, Kind.ENABLE),
                Tuple.of(2, Kind.RETIRE),
                Tuple.of(6, Kind.ALLOW),
                Tuple.of(2, Kind.ALLOW_LATER),
                Tuple.of(3, Kind.TAKE_BACK));
        return Combinators.combine(
                        kinds,
                        Arbitraries.integers().between(0, nodes - 1),
                        Arbitraries.frequency(Tuple.of(6, 0), Tuple.of(3, 1), Tuple.of(1, 2)),
                        Arbitraries.frequency(Tuple.of(6, ""), Tuple.of(2, "P"), Tuple.of(1, "E")),
                        Arbitraries.frequency(Tuple.of(4, ""), Tuple.of(2, "r1"), Tuple.of(1, "r2")),
                        Arbitraries.frequency(Tuple.of(5, true), Tuple.of(1, false)),
                        pauses)
                .as(Act::new);
    }

    /** A registry and the model of one of its serials, which are compared after each act. */
    static final class Walk {

        private final ModelledRegistry registry;
        private final Serial serial;
        private SerialModel model;
        private int lastNode;

        private Walk(ModelledRegistry registry, Serial serial) {
            this.registry = registry;
            this.serial = serial;
            this.model = SerialModel.unknown(serial.policy());
        }

        private void take(Act act) {
            // Another node may be late by two seconds, and no more.
            registry.pass(act.node() == lastNode ? act.pause() : act.pause().plus(NO_MEMORY));
            lastNode = act.node();
            act.before(serial).ifPresent(call -> answer(act, call));
            act.call(serial).ifPresent(call -> answer(act, call));
        }

        private void answer(Act act, Call call) {
            Instant now = registry.now();
            Said expected = model.expected(call, now);
            Answer answer = serial.call(act.node(), call);
            Optional<SerialModel> after = model.after(call, answer, now);
            assertThat(after)
                    .as("%s%nwas answered %s%nand must be %s%nafter %s", call, answer, expected, model)
                    .isPresent();
            model = after.get();
            assertThat(serial.view(act.node()))
                    .as("after %s, answered %s: %s", call, answer, model)
                    .isEqualTo(model.view(now));
        }

        @Override
        public String toString() {
            return serial.toString();
        }
    }

    // Concurrent histories

    /**
     * A history with a part in which several devices and operators act at once, on any nodes.
     *
     * @param before one after the other
     * @param atOnce for each thread, one after the other
     */
    record Concurrent(int fleet, List<Act> before, List<List<Act>> atOnce) {}

    /** Histories of three threads. */
    static Arbitrary<Concurrent> concurrent(ModelledRegistry registry) {
        Arbitrary<Act> acts = acts(registry.nodes(), Arbitraries.just(Duration.ZERO))
                // Its time is compared with times of other nodes' clocks, so it is in no order with what is at once.
                .filter(act -> act.kind() != Kind.REVOKE_LOT);
        return Combinators.combine(
                        Arbitraries.integers().between(0, registry.fleets() - 1),
                        acts.list().ofMinSize(0).ofMaxSize(5),
                        acts.list().ofMinSize(1).ofMaxSize(3).list().ofSize(3))
                .as(Concurrent::new);
    }

    /** A call that was answered, with the order in which calls began and ended. */
    private record Event(int thread, int node, Call call, Answer answer, int began, int ended) {}

    /**
     * Runs a history, and fails unless some order of its calls explains every answer and the final state. In this order
     * a call that ended before another began comes first.
     */
    static void check(ModelledRegistry registry, Concurrent history) {
        Serial serial = registry.serial(history.fleet());
        Instant now = registry.now();
        AtomicInteger order = new AtomicInteger();
        List<Event> events = Collections.synchronizedList(new ArrayList<>());
        history.before().forEach(act -> run(registry, serial, act, 0, order, events));
        runAtOnce(registry, serial, history.atOnce(), order, events);
        registry.pass(NO_MEMORY);
        for (int node = 0; node < registry.nodes(); node++) {
            View seen = withoutEnds(serial.view(node));
            List<Event> sorted = List.copyOf(events);
            assertThat(isExplained(SerialModel.unknown(serial.policy()), sorted, 0, seen, now, new HashSet<>()))
                    .as(
                            "an order of these calls of %s that ends with%n%s%n%s",
                            serial, seen, sorted.stream().map(Event::toString).collect(Collectors.joining("\n")))
                    .isTrue();
        }
    }

    private static void runAtOnce(
            ModelledRegistry registry, Serial serial, List<List<Act>> acts, AtomicInteger order, List<Event> events) {
        ExecutorService threads = Executors.newFixedThreadPool(acts.size());
        try {
            CyclicBarrier start = new CyclicBarrier(acts.size());
            List<Callable<Void>> all = new ArrayList<>();
            for (List<Act> some : acts) {
                int thread = all.size() + 1;
                all.add(() -> {
                    start.await(30, TimeUnit.SECONDS);
                    some.forEach(act -> run(registry, serial, act, thread, order, events));
                    return null;
                });
            }
            for (Future<Void> ended : threads.invokeAll(all)) {
                ended.get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (java.util.concurrent.ExecutionException e) {
            throw new AssertionError("a call was not answered", e.getCause());
        } finally {
            threads.shutdownNow();
        }
    }

    private static void run(
            ModelledRegistry registry, Serial serial, Act act, int thread, AtomicInteger order, List<Event> events) {
        act.before(serial).ifPresent(call -> send(registry, serial, act, call, thread, order, events));
        act.call(serial).ifPresent(call -> send(registry, serial, act, call, thread, order, events));
    }

    private static void send(
            ModelledRegistry registry,
            Serial serial,
            Act act,
            Call call,
            int thread,
            AtomicInteger order,
            List<Event> events) {
        registry.pass(NO_MEMORY);
        int began = order.incrementAndGet();
        Answer answer = serial.call(act.node(), call);
        events.add(new Event(thread, act.node(), call, answer, began, order.incrementAndGet()));
    }

    /** Where a search was without success. */
    private record Place(SerialModel model, int done) {}

    private static boolean isExplained(
            SerialModel model, List<Event> events, int done, View seen, Instant now, Set<Place> hopeless) {
        if (done == (1 << events.size()) - 1) {
            return withoutEnds(model.view(now)).equals(seen);
        }
        if (!hopeless.add(new Place(model, done))) {
            return false;
        }
        int firstEnd = Integer.MAX_VALUE;
        for (int i = 0; i < events.size(); i++) {
            if ((done & 1 << i) == 0) {
                firstEnd = Math.min(firstEnd, events.get(i).ended());
            }
        }
        for (int i = 0; i < events.size(); i++) {
            Event event = events.get(i);
            if ((done & 1 << i) == 0 && event.began() < firstEnd && isPossible(model, event)) {
                Optional<SerialModel> after = model.after(event.call(), event.answer(), now);
                if (after.isPresent() && isExplained(after.get(), events, done | 1 << i, seen, now, hopeless)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Tells whether the call is about something that exists in this state. */
    private static boolean isPossible(SerialModel model, Event event) {
        if (event.call() instanceof Become || event.call() instanceof Renew) {
            return model.device().isPresent();
        }
        return !(event.call() instanceof TakeBack back)
                || model.allowances().stream().anyMatch(one -> one.id().equals(back.allowance()));
    }

    /** The clock moves while calls are at once, so their times differ by seconds. */
    private static View withoutEnds(View view) {
        View without = new View(view.device(), new java.util.TreeMap<>(view.credentials()), view.allowances());
        without.credentials()
                .replaceAll((key, seen) -> new SerialModel.Seen(seen.good(), seen.used(), Optional.empty()));
        return without;
    }
}
