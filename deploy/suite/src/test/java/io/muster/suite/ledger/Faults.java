// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.ledger;

import io.muster.persistence.MariaDbServer;
import io.muster.suite.fixture.Line;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.ledger.Outside.Mood;
import io.muster.suite.ledger.World.Databases;
import io.muster.suite.ledger.World.Node;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A list of faults that follows from a seed, carried out one after the other. A fault lasts for some seconds. The next
 * one may begin while a process of an earlier one still starts. One database node at a time is broken, and one registry
 * at a time starts again. Not for concurrent use.
 */
final class Faults {

    /** The kinds, and how often each comes in comparison. */
    enum Kind {
        REGISTRY_KILLED(2),
        REGISTRY_FROZEN(6),
        REGISTRY_STOPPED_FOR_A_MINUTE(1),
        DATABASE_KILLED(2),
        DATABASE_FROZEN(3),
        DATABASE_CONNECTIONS_BROKEN(6),
        DATABASE_LINE_CUT(6),
        DATABASE_LINE_SLOW(6),
        DISK_FULL(5),
        FRONT_CUT(5),
        FRONT_SLOW(4),
        FRONT_REPLIES_LOST(8),
        FRONT_BROKEN(4),
        POOL_EXHAUSTED(4),
        HEAP_PRESSED(2),
        THREADS_TAKEN(4),
        VERIFIER_HANGING(4),
        VERIFIER_FAILING(3),
        BROKER_HANGING(4),
        BROKER_FAILING(3);

        private final int weight;

        Kind(int weight) {
            this.weight = weight;
        }
    }

    /**
     * One entry of the list.
     *
     * @param target the number of the node that it is for
     */
    record Fault(Kind kind, int target, Duration lasts) {}

    private static final Duration START_LIMIT = Duration.ofMinutes(3);
    private static final int CONNECTIONS = 400;
    private static final int AT_ONCE = 80;

    private final World world;
    private final Ledger ledger;
    private final boolean withMinutes;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Semaphore starting = new Semaphore(1);
    private final Semaphore database = new Semaphore(1);
    private final Set<Integer> busy = new HashSet<>();
    private final Map<Kind, Integer> done = new EnumMap<>(Kind.class);

    /**
     * Faults for a world.
     *
     * @param withMinutes whether processes are also stopped for a whole minute
     */
    Faults(World world, Ledger ledger, boolean withMinutes) {
        this.world = world;
        this.ledger = ledger;
        this.withMinutes = withMinutes;
    }

    /** Returns the kinds that are possible here. */
    private List<Kind> kinds() {
        List<Kind> kinds = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            boolean possible =
                    switch (kind) {
                        case DATABASE_KILLED,
                                DATABASE_FROZEN,
                                DATABASE_CONNECTIONS_BROKEN,
                                DATABASE_LINE_CUT,
                                DATABASE_LINE_SLOW,
                                POOL_EXHAUSTED -> world.kind() != Databases.EMBEDDED;
                        case DISK_FULL -> world.disk().isPresent();
                        case REGISTRY_STOPPED_FOR_A_MINUTE -> withMinutes;
                        default -> true;
                    };
            if (possible) {
                kinds.add(kind);
            }
        }
        return kinds;
    }

    /** Returns the list. It has every possible kind if it is long enough. */
    List<Fault> list(long seed, int count) {
        Random random = new Random(seed);
        List<Kind> weighted = new ArrayList<>();
        for (Kind kind : kinds()) {
            for (int i = 0; i < kind.weight; i++) {
                weighted.add(kind);
            }
        }
        List<Kind> each = kinds();
        List<Fault> faults = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Kind kind = i < each.size() ? each.get(i) : weighted.get(random.nextInt(weighted.size()));
            faults.add(new Fault(kind, random.nextInt(3), Duration.ofMillis(300 + random.nextInt(1300))));
        }
        java.util.Collections.shuffle(faults, random);
        return faults;
    }

    /**
     * Carries them out, and returns when everything works again.
     *
     * @param limit after this time no further one begins
     */
    void run(List<Fault> faults, Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        for (Fault fault : faults) {
            if (System.nanoTime() > end) {
                break;
            }
            ledger.note("fault " + fault.kind(), fault.toString());
            long started = System.nanoTime();
            try {
                inject(fault);
                done.merge(fault.kind(), 1, Integer::sum);
            } catch (RuntimeException | IOException e) {
                ledger.wrong("the harness itself", fault + ": " + e + " " + e.getStackTrace()[0]);
            }
            ledger.note("healed " + fault.kind(), (System.nanoTime() - started) / 1_000_000 + " ms");
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(150));
        }
        calm();
    }

    /** How many of each kind were carried out. */
    Map<Kind, Integer> done() {
        return Map.copyOf(done);
    }

    private void calm() throws InterruptedException {
        threads.shutdown();
        threads.awaitTermination(5, TimeUnit.MINUTES);
        for (Node node : world.nodes()) {
            awaitReady(node);
        }
    }

    private void awaitReady(Node node) {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (System.nanoTime() < deadline) {
            try {
                if (node.direct().get("health/ready").status() == 200) {
                    return;
                }
            } catch (UncheckedIOException e) {
                // It does not answer yet.
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200));
        }
        ledger.wrong("a registry recovers without help", "node " + node.number() + " is not ready after 3 minutes");
    }

    private static void hold(Duration time) {
        LockSupport.parkNanos(time.toNanos());
    }

    private void inject(Fault fault) throws InterruptedException, IOException {
        Node node = world.node(fault.target());
        switch (fault.kind()) {
            case REGISTRY_KILLED -> killed(node);
            case REGISTRY_FROZEN -> frozen(node, fault.lasts().multipliedBy(2));
            case REGISTRY_STOPPED_FOR_A_MINUTE -> aside(node, () -> frozen(node, Duration.ofSeconds(60)));
            case DATABASE_KILLED -> databaseKilled(fault.target());
            case DATABASE_FROZEN -> databaseFrozen(fault);
            case DATABASE_CONNECTIONS_BROKEN -> line(node.toDatabase().orElseThrow(), Line::refuse, fault.lasts());
            case DATABASE_LINE_CUT ->
                line(node.toDatabase().orElseThrow(), Line::cut, fault.lasts().multipliedBy(2));
            case DATABASE_LINE_SLOW ->
                line(node.toDatabase().orElseThrow(), slow -> slow.delay(Duration.ofMillis(60)), fault.lasts());
            case DISK_FULL -> diskFull(fault.lasts().multipliedBy(2));
            case FRONT_CUT -> line(node.front(), Line::cut, fault.lasts());
            case FRONT_SLOW -> line(node.front(), slow -> slow.delay(Duration.ofMillis(250)), fault.lasts());
            case FRONT_REPLIES_LOST -> line(node.front(), Line::loseReplies, fault.lasts());
            case FRONT_BROKEN -> line(node.front(), Line::refuse, fault.lasts());
            case POOL_EXHAUSTED -> poolExhausted(node, fault.lasts());
            case HEAP_PRESSED -> heapPressed(node);
            case THREADS_TAKEN -> threadsTaken(node, fault.lasts());
            case VERIFIER_HANGING -> outside(Mood.HANGING, true, fault.lasts());
            case VERIFIER_FAILING -> outside(Mood.FAILING, true, fault.lasts());
            case BROKER_HANGING -> outside(Mood.HANGING, false, fault.lasts());
            case BROKER_FAILING -> outside(Mood.FAILING, false, fault.lasts());
        }
    }

    private interface Disturbance {
        void of(Line line);
    }

    private static void line(Line line, Disturbance disturbance, Duration lasts) {
        disturbance.of(line);
        hold(lasts);
        line.mend();
    }

    private void outside(Mood mood, boolean verifier, Duration lasts) {
        if (verifier) {
            world.outside().verifier(mood);
            hold(lasts);
            world.outside().verifier(Mood.WELL);
        } else {
            world.outside().broker(mood);
            hold(lasts);
            world.outside().broker(Mood.WELL);
        }
    }

    // Processes

    private void killed(Node node) throws InterruptedException {
        starting.acquire();
        node.direct().server().kill();
        aside(node, () -> {
            try {
                restart(node);
            } finally {
                starting.release();
            }
        });
    }

    /** Starts it again and again, as a service manager does: a start whose database cannot be reached ends. */
    private void restart(Node node) {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (true) {
            try {
                node.direct().server().restart();
                return;
            } catch (RuntimeException e) {
                String why = "node " + node.number() + ": " + e.getMessage();
                if (System.nanoTime() > deadline) {
                    ledger.wrong("a killed registry starts again", why);
                    return;
                }
                ledger.note("start ended", why.lines().findFirst().orElse(""));
            }
        }
    }

    /** Does the rest of a fault while others begin, but none that is for the same registry. */
    private void aside(Node node, Runnable rest) {
        synchronized (busy) {
            busy.add(node.number());
        }
        threads.execute(() -> {
            try {
                rest.run();
            } catch (RuntimeException e) {
                ledger.wrong("the harness itself", e.toString());
            } finally {
                synchronized (busy) {
                    busy.remove(node.number());
                }
            }
        });
    }

    private void frozen(Node node, Duration lasts) {
        long pid;
        synchronized (busy) {
            if (busy.contains(node.number()) && lasts.toSeconds() < 60) {
                return;
            }
            pid = node.direct().server().pid();
            Processes.signal(pid, "STOP");
        }
        hold(lasts);
        if (ProcessHandle.of(pid).isPresent()) {
            Processes.signal(pid, "CONT");
        }
    }

    private MariaDbServer databaseOf(int number) {
        return world.databases().get(Math.floorMod(number, world.databases().size()));
    }

    private void databaseKilled(int number) throws InterruptedException {
        database.acquire();
        MariaDbServer killed = databaseOf(number);
        killed.kill();
        threads.execute(() -> {
            try {
                killed.restart();
                world.cluster().ifPresent(cluster -> cluster.awaitSize(3));
            } catch (RuntimeException e) {
                ledger.wrong("the harness itself", "database " + number + ": " + e.getMessage());
            } finally {
                database.release();
            }
        });
        if (world.cluster().isEmpty()) {
            // Its only database is unreachable, so nothing else can be learned until it is back.
            database.acquire();
            database.release();
        }
    }

    private void databaseFrozen(Fault fault) throws InterruptedException {
        database.acquire();
        try {
            MariaDbServer frozen = databaseOf(fault.target());
            frozen.freeze();
            hold(fault.lasts().multipliedBy(2));
            frozen.thaw();
            world.cluster().ifPresent(cluster -> cluster.awaitSize(3));
        } finally {
            database.release();
        }
    }

    private void diskFull(Duration lasts) throws InterruptedException {
        database.acquire();
        try {
            world.disk().orElseThrow().fill();
            hold(lasts);
            world.disk().orElseThrow().empty();
            for (MariaDbServer server : world.databases()) {
                if (!server.isRunning()) {
                    ledger.note("database ended by a full disk", "");
                    server.restart();
                }
            }
        } finally {
            database.release();
        }
    }

    // Resources

    /** Requests that each need a connection, while the database answers slowly. */
    private void poolExhausted(Node node, Duration lasts) {
        Line line = node.toDatabase().orElseThrow();
        line.delay(Duration.ofMillis(300));
        crowd(() -> node.direct().within(Duration.ofSeconds(10)).token("nobody-" + System.nanoTime(), "x"));
        hold(lasts);
        line.mend();
    }

    /** Large bodies at once: imports, and registrations that are refused. */
    private void heapPressed(Node node) {
        byte[] csv = ("serial,attributes.a\n" + ("S-1 ," + "x".repeat(1000) + "\n").repeat(8000))
                .getBytes(StandardCharsets.UTF_8);
        byte[] json = ("{\"serial\":\"S\",\"evidence\":{\"a\":\"" + "y".repeat(60_000) + "\"}}")
                .getBytes(StandardCharsets.UTF_8);
        RegistryUnderTest registry = node.direct().within(Duration.ofSeconds(10));
        for (int i = 0; i < 6; i++) {
            threads.execute(() -> quietly(() -> registry.load("erp", RegistryUnderTest.CSV, csv)));
        }
        crowd(() -> registry.post("register", RegistryUnderTest.JSON, json));
        hold(Duration.ofSeconds(2));
    }

    /** Connections that say nothing further. */
    private static void threadsTaken(Node node, Duration lasts) throws IOException {
        List<Socket> sockets = new ArrayList<>();
        try {
            byte[] start =
                    "POST /register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n{"
                            .getBytes(StandardCharsets.US_ASCII);
            for (int i = 0; i < CONNECTIONS; i++) {
                Socket socket = new Socket(
                        InetAddress.getLoopbackAddress(),
                        node.direct().server().base().getPort());
                sockets.add(socket);
                socket.getOutputStream().write(start);
            }
            hold(lasts);
        } catch (IOException e) {
            // It accepts no more, or it was just killed.
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    private void crowd(Runnable request) {
        for (int i = 0; i < AT_ONCE; i++) {
            threads.execute(() -> quietly(request));
        }
    }

    private static void quietly(Runnable request) {
        try {
            request.run();
        } catch (UncheckedIOException e) {
            // The answers are nobody's.
        }
    }
}
