// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.ledger;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.client.DeviceClient;
import io.muster.client.DeviceIdentity;
import io.muster.client.RefusedException;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.ledger.Ledger.Account;
import io.muster.suite.ledger.World.Node;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Devices and operators of a world, whose requests and their answers go into the ledger. Each worker has serials of its
 * own and, unless it races, one request at a time. So it knows what must hold after each answer.
 *
 * <p>A request without an answer may still be carried out at any later time. A worker then asks again until it has an
 * answer, and demands nothing that such a request could have changed.
 */
final class Load {

    private static final Duration STALE = Duration.ofSeconds(2);
    private static final int SERIALS = 30_000;
    private static final int PER_LOT = 3;

    private final World world;
    private final Ledger ledger;
    private final long seed;
    /** Serials and files are this run's own: the next run has another database. */
    private final String run = Long.toHexString(System.currentTimeMillis());

    private final Path stores = SharedWorld.directory("ledger-stores");
    private final AtomicInteger erpSerials = new AtomicInteger();
    private final AtomicInteger lots = new AtomicInteger();
    private final ExecutorService workers = Executors.newCachedThreadPool();
    private final ExecutorService requests = Executors.newCachedThreadPool();
    private final ScheduledExecutorService later = Executors.newScheduledThreadPool(3);
    private final Map<String, Kept> kept = new ConcurrentHashMap<>();
    private volatile boolean ends;

    /** A device of the client library: its store, and the device that it was told to be. */
    record Kept(String serial, URI address, Path store, String deviceId) {}

    /** The work that a worker repeats. */
    private interface Work {
        void once(Random random) throws InterruptedException;
    }

    Load(World world, Ledger ledger, long seed) {
        this.world = world;
        this.ledger = ledger;
        this.seed = seed;
    }

    /** Imports the serials and starts the workers. */
    void begin() {
        StringBuilder csv = new StringBuilder("serial,lot\n");
        for (int i = 0; i < SERIALS; i++) {
            csv.append(listed(i)).append(",lot-").append(i / PER_LOT).append('\n');
        }
        Reply loaded = world.node(0)
                .direct()
                .within(Duration.ofMinutes(2))
                .load("default", RegistryUnderTest.CSV, csv.toString().getBytes(StandardCharsets.UTF_8));
        if (loaded.status() != 200) {
            throw new IllegalStateException(loaded.toString());
        }
        List<Work> work =
                List.of(this::life, this::life, this::race, this::renewAgainstRevoke, this::lot, this::client);
        for (int i = 0; i < work.size(); i++) {
            Work one = work.get(i);
            Random random = new Random(seed + i);
            workers.execute(() -> repeat(one, random));
        }
    }

    private void repeat(Work work, Random random) {
        while (!ends) {
            try {
                work.once(random);
                // The machine has few processors, and faults want to be seen between requests.
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(15));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            } catch (RuntimeException e) {
                ledger.wrong("the harness itself", e + " " + e.getStackTrace()[0]);
            }
        }
    }

    /** Lets every worker end what it does. */
    void end() throws InterruptedException {
        ends = true;
        workers.shutdown();
        if (!workers.awaitTermination(3, TimeUnit.MINUTES)) {
            workers.shutdownNow();
        }
        requests.shutdown();
        later.shutdown();
        later.awaitTermination(1, TimeUnit.MINUTES);
    }

    Map<String, Kept> kept() {
        return kept;
    }

    private String listed(int number) {
        return "LD-%s-%06d".formatted(run, number);
    }

    // Requests

    /** Sends a request. Empty if there was no answer, or the answer that the registry cannot serve it now. */
    private Optional<Reply> send(String what, String serial, Node node, Supplier<Reply> request) {
        try {
            Reply reply = request.get();
            if (reply.status() == 503 || reply.status() == 429 || reply.status() == 504) {
                ledger.note("unavailable", what + " " + serial + " at " + node.number());
                return Optional.empty();
            }
            if (reply.status() >= 500) {
                ledger.wrong("no answer is a 500", what + " " + serial + " at " + node.number() + ": " + reply);
                return Optional.empty();
            }
            ledger.note(what + " " + reply.status(), serial + " at " + node.number());
            return Optional.of(reply);
        } catch (UncheckedIOException e) {
            ledger.note("no answer", what + " " + serial + " at " + node.number());
            return Optional.empty();
        }
    }

    private Optional<Reply> register(Account account, Node node) {
        return send(
                "register", account.serial, node, () -> node.throughFront().registerIn(account.fleet, account.serial));
    }

    private Optional<Reply> token(Account account, String key, Node node) {
        return send("token", account.serial, node, () -> node.throughFront().token(key, account.secrets.get(key)));
    }

    private Optional<Reply> renew(Account account, String key, Node node) {
        return send("renew", account.serial, node, () -> node.throughFront()
                .post(
                        "devices/me/credentials",
                        RegistryUnderTest.JSON,
                        "{}",
                        "Authorization",
                        RegistryUnderTest.basic(key, account.secrets.get(key))));
    }

    private Optional<Reply> operator(String what, Account account, Node node, String path, String json) {
        return send(what, account.serial, node, () -> node.direct()
                .post(path, RegistryUnderTest.JSON, json, node.direct().asOperator()));
    }

    private Node any(Random random) {
        return world.node(random.nextInt(world.nodes().size()));
    }

    private String taken(Account account, Reply reply) {
        JsonNode json = reply.json();
        String id = json.path("deviceId").asText();
        if (!account.deviceId.isEmpty() && !account.deviceId.equals(id)) {
            ledger.wrong("one serial is one device", account.serial + " is " + account.deviceId + " and " + id);
        }
        account.deviceId = id;
        String key = json.path("key").asText();
        account.secrets.put(key, json.path("secret").asText());
        return key;
    }

    /** Returns the key of a credential that was used, or empty if the run ends first. */
    private Optional<String> registered(Account account, Random random) throws InterruptedException {
        boolean unanswered = false;
        while (!ends) {
            Node node = any(random);
            Optional<Reply> reply = register(account, node);
            if (reply.isEmpty()) {
                unanswered = true;
                pause();
                continue;
            }
            if (reply.get().status() != 200) {
                ledger.wrong(
                        "an unused serial registers", account.serial + " at " + node.number() + ": " + reply.get());
                return Optional.empty();
            }
            String key = taken(account, reply.get());
            Optional<Boolean> good = confirmed(account, key, unanswered, random);
            if (good.isPresent() && good.get()) {
                return Optional.of(key);
            }
        }
        return Optional.empty();
    }

    /**
     * Uses a credential for the first time, at any node.
     *
     * @param doubtful whether a request without an answer may have made it void
     * @return whether it is good; empty if the run ends first
     */
    private Optional<Boolean> confirmed(Account account, String key, boolean doubtful, Random random)
            throws InterruptedException {
        long since = System.nanoTime();
        while (!ends) {
            long sent = System.nanoTime();
            Node node = any(random);
            Optional<Reply> reply = token(account, key, node);
            if (reply.isPresent() && reply.get().status() == 200) {
                account.working = key;
                return Optional.of(true);
            }
            if (reply.isPresent() && sent - since > STALE.toNanos()) {
                if (!doubtful) {
                    ledger.wrong(
                            "an acknowledged credential works",
                            key + " of " + account.serial + " at " + node.number() + ": " + reply.get());
                }
                return Optional.of(false);
            }
            pause();
        }
        return Optional.empty();
    }

    private static void pause() {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(150));
    }

    /** Checks two seconds from now that no node accepts any of these keys. */
    private void mustBeRefused(Account account, List<String> keys, String why) {
        try {
            Future<?> unused = later.schedule(
                    () -> world.nodes().forEach(node -> keys.forEach(key -> refuses(account, key, node, why))),
                    STALE.toMillis(),
                    TimeUnit.MILLISECONDS);
        } catch (java.util.concurrent.RejectedExecutionException e) {
            // The run ends, and the end checks it.
        }
    }

    private void refuses(Account account, String key, Node node, String why) {
        Optional<Reply> reply =
                send("check", account.serial, node, () -> node.throughFront().token(key, account.secrets.get(key)));
        if (reply.isPresent() && reply.get().status() == 200) {
            ledger.wrong(
                    "a revocation holds everywhere after two seconds",
                    why + ": " + key + " of " + account.serial + " got a token at " + node.number());
        }
    }

    // Workers

    private Account fresh() {
        return ledger.open("erp", "LE-%s-%06d".formatted(run, erpSerials.incrementAndGet()));
    }

    /** A device registers, renews its credential, and is shut out by an operator, or not. */
    private void life(Random random) throws InterruptedException {
        Account account = fresh();
        Optional<String> first = registered(account, random);
        if (first.isEmpty()) {
            return;
        }
        String key = first.get();
        for (int times = random.nextInt(3); times > 0 && !ends; times--) {
            Optional<String> next = renewed(account, key, random);
            if (next.isEmpty()) {
                return;
            }
            key = next.get();
        }
        switch (random.nextInt(6)) {
            case 0 -> shutOut(account, "revoke", "credentials-revoked", random);
            case 1 -> shutOut(account, "disable", "device-disabled", random);
            case 2 -> shutOut(account, "retire", "device-retired", random);
            case 3 -> allowed(account, random);
            default -> {
                // It stays as it is, and must work at the end.
            }
        }
    }

    /** Renews a credential and uses the new one. */
    private Optional<String> renewed(Account account, String key, Random random) throws InterruptedException {
        boolean unanswered = false;
        while (!ends) {
            Node node = any(random);
            Optional<Reply> reply = renew(account, key, node);
            if (reply.isEmpty()) {
                unanswered = true;
                pause();
                continue;
            }
            if (reply.get().status() != 200) {
                ledger.wrong(
                        "a credential that works is renewed",
                        key + " of " + account.serial + " at " + node.number() + ": " + reply.get());
                return Optional.empty();
            }
            String next = taken(account, reply.get());
            account.working = "";
            Optional<Boolean> good = confirmed(account, next, unanswered, random);
            if (good.isPresent() && good.get()) {
                account.ended.put(key, System.nanoTime());
                mustBeRefused(account, List.of(key), "renewed");
                return Optional.of(next);
            }
            if (good.isEmpty()) {
                return Optional.empty();
            }
            account.working = key;
        }
        return Optional.empty();
    }

    /** An operator ends every use of a device. */
    private void shutOut(Account account, String verb, String event, Random random) {
        account.working = "";
        Optional<Reply> reply = Optional.empty();
        for (int tries = 0; tries < 40 && reply.isEmpty() && !ends; tries++) {
            reply = operator(
                    verb,
                    account,
                    any(random),
                    "api/v1/devices/" + account.deviceId + "/" + verb,
                    verb.equals("revoke") ? "{\"reason\":\"ledger\"}" : "");
            if (reply.isEmpty()) {
                pause();
            }
        }
        if (reply.isEmpty()) {
            return;
        }
        if (reply.get().status() != 200) {
            ledger.wrong("an operator is answered", verb + " " + account.serial + ": " + reply.get());
            return;
        }
        account.endAll(System.nanoTime());
        account.toldToBroker = true;
        account.events.add(event);
        mustBeRefused(account, List.copyOf(account.secrets.keySet()), verb);
    }

    /** A device that lost its credential registers by an allowance, at two nodes at once. */
    private void allowed(Account account, Random random) throws InterruptedException {
        Optional<Reply> given = Optional.empty();
        String before = account.working;
        for (int tries = 0; tries < 40 && given.isEmpty() && !ends; tries++) {
            given = operator(
                    "allow",
                    account,
                    any(random),
                    "api/v1/fleets/" + account.fleet + "/allowances",
                    "{\"serials\":[\"" + account.serial + "\"],\"reason\":\"ledger\"}");
            if (given.isEmpty()) {
                pause();
            }
        }
        if (given.isEmpty()) {
            return;
        }
        account.working = "";
        List<String> keys = atOnce(account, 2, random);
        Optional<String> winner = Optional.empty();
        for (String key : keys) {
            Optional<Boolean> good = confirmed(account, key, true, random);
            if (good.isPresent() && good.get()) {
                if (winner.isPresent()) {
                    ledger.wrong("an allowance is for one credential", account.serial + ": " + keys);
                }
                winner = Optional.of(key);
            }
        }
        account.working = winner.orElse("");
        if (winner.isPresent()) {
            account.ended.put(before, System.nanoTime());
            mustBeRefused(account, List.of(before), "replaced by an allowance");
        }
    }

    private List<String> atOnce(Account account, int clients, Random random) throws InterruptedException {
        int from = random.nextInt(world.nodes().size());
        List<Future<Optional<Reply>>> replies = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            Node node = world.node(from + i);
            replies.add(requests.submit(() -> register(account, node)));
        }
        List<String> keys = new ArrayList<>();
        for (Future<Optional<Reply>> reply : replies) {
            done(reply).filter(one -> one.status() == 200).ifPresent(one -> keys.add(taken(account, one)));
        }
        return keys;
    }

    private static <T> T done(Future<T> future) throws InterruptedException {
        try {
            return future.get();
        } catch (java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Clients with one serial register at all nodes at once, and then use what they got at once. */
    private void race(Random random) throws InterruptedException {
        Account account = fresh();
        List<String> keys = atOnce(account, 3, random);
        account.oneAtMost = true;
        List<Future<Optional<Reply>>> uses = new ArrayList<>();
        for (String key : keys) {
            Node node = any(random);
            uses.add(requests.submit(() -> token(account, key, node)));
        }
        for (Future<Optional<Reply>> use : uses) {
            done(use);
        }
    }

    /** A device renews its credential at one node while an operator revokes all of them at another. */
    private void renewAgainstRevoke(Random random) throws InterruptedException {
        Account account = fresh();
        Optional<String> key = registered(account, random);
        if (key.isEmpty()) {
            return;
        }
        account.working = "";
        Node one = any(random);
        List<Future<Optional<Reply>>> renewals = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            Node other = world.node(one.number() + 1 + i);
            renewals.add(requests.submit(() -> renew(account, key.get(), other)));
        }
        Optional<Reply> revoked = operator(
                "revoke", account, one, "api/v1/devices/" + account.deviceId + "/revoke", "{\"reason\":\"ledger\"}");
        for (Future<Optional<Reply>> renewal : renewals) {
            done(renewal).filter(reply -> reply.status() == 200).ifPresent(reply -> taken(account, reply));
        }
        if (revoked.isPresent() && revoked.get().status() == 200) {
            account.endAll(System.nanoTime());
            account.toldToBroker = true;
            account.events.add("credentials-revoked");
            mustBeRefused(account, List.copyOf(account.secrets.keySet()), "revoked while it was renewed");
        }
    }

    /** An operator revokes a lot at one node, and a device of it renews its credential at another right afterwards. */
    private void lot(Random random) throws InterruptedException {
        int lot = lots.getAndIncrement();
        if ((lot + 1) * PER_LOT > SERIALS) {
            return;
        }
        List<Account> members = new ArrayList<>();
        for (int i = 0; i < PER_LOT; i++) {
            Account account = ledger.open("default", listed(lot * PER_LOT + i));
            if (registered(account, random).isEmpty()) {
                return;
            }
            members.add(account);
        }
        members.forEach(account -> account.working = "");
        Node node = any(random);
        Optional<Reply> ordered = operator(
                "revoke-lot",
                members.get(0),
                node,
                "api/v1/fleets/default/revocations",
                "{\"lot\":\"lot-" + lot + "\",\"reason\":\"ledger\"}");
        if (ordered.isEmpty() || ordered.get().status() != 201) {
            return;
        }
        for (Account account : members) {
            String key = account.secrets.keySet().iterator().next();
            renew(account, key, world.node(node.number() + 1))
                    .filter(reply -> reply.status() == 200)
                    .ifPresent(reply -> taken(account, reply));
            account.endAll(System.nanoTime());
            mustBeRefused(account, List.copyOf(account.secrets.keySet()), "its lot was revoked");
        }
    }

    /** A device with the client library starts, asks for a token, and starts again. */
    private void client(Random random) throws InterruptedException {
        String serial = "LC-%s-%06d".formatted(run, erpSerials.incrementAndGet());
        Path store = stores.resolve(serial + ".json");
        URI address = any(random).throughFront().base();
        Optional<String> id = Optional.empty();
        for (int starts = 0; starts < 3 && !ends; starts++) {
            DeviceClient client = DeviceClient.builder()
                    .registry(address)
                    .fleet("kept")
                    .serial(serial)
                    .store(store)
                    .initialSpread(Duration.ZERO)
                    .giveUpAfter(Duration.ofSeconds(10))
                    .build();
            try {
                client.accessToken();
                DeviceIdentity identity = client.identity().orElseThrow();
                if (id.isPresent() && !id.get().equals(identity.deviceId())) {
                    ledger.wrong(
                            "one serial is one device", serial + " is " + id.get() + " and " + identity.deviceId());
                }
                id = Optional.of(identity.deviceId());
                kept.put(serial, new Kept(serial, address, store, identity.deviceId()));
                ledger.note("client 200", serial + " at " + address);
                if (random.nextInt(3) == 0) {
                    client.rotate();
                    ledger.note("client rotated", serial);
                }
            } catch (IOException e) {
                ledger.note("no answer", "client " + serial + ": " + e);
            } catch (RefusedException e) {
                ledger.wrong("a device-client is never locked out", serial + ": " + e);
                return;
            }
        }
    }
}
