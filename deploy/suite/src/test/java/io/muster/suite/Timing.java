package io.muster.suite;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Whether somebody who has a watch can tell two kinds of requests apart. */
final class Timing {

    private static final double LEAST = 0.40;
    private static final double MOST = 0.60;
    private static final int MEASUREMENTS = 3;

    private Timing() {}

    /**
     * Runs the kinds by turns, each as often as said, after a tenth as often to warm up; then no kind's times may tell it from
     * another's: the area under the curve is the chance that of two times, one of each kind, the first is the longer. Where a busy
     * machine makes one measurement look so, two more are taken, and all times together decide.
     */
    static void assertIndistinguishable(Map<String, Runnable> kinds, int times, int threads) {
        measure(kinds, times / 10, threads);
        Map<String, List<Long>> measured = measure(kinds, times, threads);
        for (int again = 1; again < MEASUREMENTS && !toldApart(measured).isEmpty(); again++) {
            measure(kinds, times, threads)
                    .forEach((kind, more) -> measured.get(kind).addAll(more));
        }
        assertThat(toldApart(measured)).isEmpty();
    }

    private static Set<String> toldApart(Map<String, List<Long>> measured) {
        Set<String> toldApart = new HashSet<>();
        List<String> names = List.copyOf(measured.keySet());
        for (int i = 0; i < names.size(); i++) {
            for (int j = i + 1; j < names.size(); j++) {
                double area = area(measured.get(names.get(i)), measured.get(names.get(j)));
                if (area < LEAST) {
                    toldApart.add(names.get(i) + " is shorter than " + names.get(j) + ": " + area);
                } else if (area > MOST) {
                    toldApart.add(names.get(i) + " is longer than " + names.get(j) + ": " + area);
                }
            }
        }
        return toldApart;
    }

    private static Map<String, List<Long>> measure(Map<String, Runnable> kinds, int times, int threads) {
        Map<String, List<Long>> measured = new LinkedHashMap<>();
        kinds.keySet().forEach(kind -> measured.put(kind, Collections.synchronizedList(new ArrayList<>())));
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<?>> rounds = new ArrayList<>();
            for (int round = 0; round < times; round++) {
                List<String> order = new ArrayList<>(kinds.keySet());
                Collections.shuffle(order);
                rounds.add(pool.submit(() -> {
                    for (String kind : order) {
                        long started = System.nanoTime();
                        kinds.get(kind).run();
                        measured.get(kind).add(System.nanoTime() - started);
                    }
                }));
            }
            for (Future<?> round : rounds) {
                round.get();
            }
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } finally {
            pool.shutdownNow();
        }
        return measured;
    }

    private static double area(List<Long> some, List<Long> others) {
        double sum = 0;
        for (long one : some) {
            for (long other : others) {
                sum += one > other ? 1 : one == other ? 0.5 : 0;
            }
        }
        return sum / some.size() / others.size();
    }
}
