// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.ledger;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Every answer that a registry gave, and what follows from it. It is also a file, line by line. Thread-safe. */
final class Ledger implements AutoCloseable {

    private final BufferedWriter file;
    private final Map<String, AtomicInteger> counts = new ConcurrentSkipListMap<>();
    private final Map<String, Account> accounts = new ConcurrentHashMap<>();
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();

    /**
     * The answers about one serial that were acknowledged. Only one worker writes it.
     *
     * <p>A promise holds until the worker itself asks for something else: it first takes the promise back, then sends.
     */
    static final class Account {

        final String fleet;
        final String serial;
        final Map<String, String> secrets = new ConcurrentHashMap<>();

        /** The keys that no node may accept, with the time from which on. */
        final Map<String, Long> ended = new ConcurrentHashMap<>();

        volatile String deviceId = "";

        /** The key that every node must accept; empty if that is not known. */
        volatile String working = "";

        /** Whether it ended by a change of an operator that was answered, so that the broker must be told. */
        volatile boolean toldToBroker;

        /** Whether at most one of the credentials may be good. */
        volatile boolean oneAtMost;

        /** The types of the events that must be in the record once. */
        final List<String> events = new java.util.concurrent.CopyOnWriteArrayList<>();

        Account(String fleet, String serial) {
            this.fleet = fleet;
            this.serial = serial;
        }

        /** No credential that it has may work from this time on. */
        void endAll(long nanos) {
            working = "";
            secrets.keySet().forEach(key -> ended.putIfAbsent(key, nanos));
        }
    }

    Ledger(Path path) {
        try {
            file = Files.newBufferedWriter(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Account open(String fleet, String serial) {
        Account account = new Account(fleet, serial);
        accounts.put(serial, account);
        return account;
    }

    Map<String, Account> accounts() {
        return accounts;
    }

    /** Writes down an answer, or a fault. */
    void note(String what, String detail) {
        counts.computeIfAbsent(what, one -> new AtomicInteger()).incrementAndGet();
        synchronized (file) {
            try {
                file.write(Instant.now() + " " + what + " " + detail + "\n");
                file.flush();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Writes down that a promise was broken. */
    void wrong(String promise, String detail) {
        wrong.add(promise + ": " + detail);
        note("WRONG", promise + ": " + detail);
    }

    List<String> wrong() {
        return List.copyOf(wrong);
    }

    /** How many of each were noted. */
    Map<String, Integer> counts() {
        Map<String, Integer> all = new TreeMap<>();
        counts.forEach((what, count) -> all.put(what, count.get()));
        return all;
    }

    @Override
    public void close() {
        synchronized (file) {
            try {
                file.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
