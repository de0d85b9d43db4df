// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A closed loop: each of several threads repeats the same operation as soon as the last answer has arrived and been
 * checked.
 */
final class Load {

    /** The number of faults after which a thread gives up. */
    private static final int PATIENCE = 20;

    /**
     * The result.
     *
     * @param nanos the time of each operation that was begun after the threads had settled, in ascending order
     * @param elapsed from then to the end of the last one
     * @param seconds how many of them ended in each second of that time
     * @param total operations, including the settling ones
     * @param beside operations of the second load, which are in no other number
     * @param faults the number of faults, also in the second load, which is in no other number
     * @param firstFault of a thread that had one, or null
     */
    record Sample(long[] nanos, long elapsed, long[] seconds, long total, long beside, int faults, String firstFault) {

        double perSecond() {
            return Statistics.perSecond(nanos.length, elapsed);
        }
    }

    /** A callback for the end of the measured part. */
    @FunctionalInterface
    interface AtEnd {
        void run() throws IOException, SQLException;
    }

    /** The observations of one thread. */
    private static final class Worker {

        private final Operation operation;
        private long[] nanos = new long[4096];
        private int count;
        private long[] seconds;
        private long total;
        private long last;
        private int faults;
        private String firstFault;

        Worker(Operation operation) {
            this.operation = operation;
        }

        Worker work(CountDownLatch ready, CountDownLatch start, long[] times) throws InterruptedException {
            Operation.Task task;
            try {
                task = open();
            } finally {
                ready.countDown();
            }
            try {
                start.await();
                seconds = new long[seconds(times[1] - times[0]) + 1];
                for (long begun = System.nanoTime(); begun < times[1] && faults < PATIENCE; begun = System.nanoTime()) {
                    task = once(task, begun, times[0]);
                }
            } finally {
                close(task);
            }
            return this;
        }

        private Operation.Task once(Operation.Task task, long begun, long settled) {
            Operation.Task usable = task == null ? open() : task;
            if (usable == null) {
                return null;
            }
            try {
                usable.run();
                total++;
                if (begun >= settled) {
                    last = System.nanoTime();
                    add(last - begun);
                    seconds[Math.min(seconds(last - settled), seconds.length - 1)]++;
                }
                return usable;
            } catch (WrongAnswerException e) {
                fault(e);
                return usable;
            } catch (IOException | SQLException e) {
                fault(e);
                close(usable);
                return null;
            }
        }

        private Operation.Task open() {
            try {
                return operation.open();
            } catch (IOException | SQLException e) {
                fault(e);
                return null;
            }
        }

        private void add(long time) {
            if (count == nanos.length) {
                nanos = Arrays.copyOf(nanos, count * 2);
            }
            nanos[count++] = time;
        }

        private void fault(Exception e) {
            faults++;
            if (firstFault == null) {
                firstFault = operation.name() + ": " + e;
            }
        }

        private void close(Operation.Task task) {
            try {
                if (task != null) {
                    task.close();
                }
            } catch (IOException | SQLException e) {
                fault(e);
            }
        }
    }

    private Load() {}

    /**
     * Runs the loop, and beside it that of the second load if the operation has one.
     *
     * @param settle the time before anything is measured
     * @param time the measured time
     * @param measured is called when the loop has ended, and before the last answers of the second load have arrived
     */
    static Sample run(Operation operation, int connections, Duration settle, Duration time, AtEnd measured)
            throws InterruptedException, IOException, SQLException {
        int beside = operation.beside().map(Operation.Beside::connections).orElse(0);
        ExecutorService threads = Executors.newFixedThreadPool(connections + beside);
        try {
            CountDownLatch ready = new CountDownLatch(connections + beside);
            CountDownLatch start = new CountDownLatch(1);
            long[] times = new long[2];
            List<Future<Worker>> working = new ArrayList<>();
            for (int i = 0; i < connections + beside; i++) {
                Operation does = i < connections
                        ? operation
                        : operation.beside().orElseThrow().operation();
                working.add(threads.submit(() -> new Worker(does).work(ready, start, times)));
            }
            ready.await();
            times[0] = System.nanoTime() + settle.toNanos();
            times[1] = times[0] + time.toNanos();
            start.countDown();
            List<Worker> workers = new ArrayList<>();
            for (Future<Worker> future : working) {
                workers.add(future.get());
                if (workers.size() == connections) {
                    measured.run();
                }
            }
            return sample(workers.subList(0, connections), workers.subList(connections, workers.size()), times[0]);
        } catch (ExecutionException e) {
            throw new IllegalStateException("the driver failed", e.getCause());
        } finally {
            threads.shutdownNow();
        }
    }

    private static int seconds(long nanos) {
        return (int) (nanos / 1_000_000_000);
    }

    private static long[] seconds(List<Worker> workers) {
        long[] all = new long[workers.get(0).seconds.length];
        for (Worker worker : workers) {
            for (int i = 0; i < all.length; i++) {
                all[i] += worker.seconds[i];
            }
        }
        return all;
    }

    private static Sample sample(List<Worker> workers, List<Worker> beside, long from) {
        List<Worker> all = new ArrayList<>(workers);
        all.addAll(beside);
        long last = workers.stream()
                .mapToLong(worker -> worker.last == 0 ? from : worker.last)
                .max()
                .orElse(from);
        return new Sample(
                Statistics.sorted(workers.stream()
                        .map(worker -> Arrays.copyOf(worker.nanos, worker.count))
                        .toList()),
                last - from,
                seconds(workers),
                workers.stream().mapToLong(worker -> worker.total).sum(),
                beside.stream().mapToLong(worker -> worker.total).sum(),
                all.stream().mapToInt(worker -> worker.faults).sum(),
                all.stream()
                        .map(worker -> worker.firstFault)
                        .filter(fault -> fault != null)
                        .findFirst()
                        .orElse(null));
    }
}
