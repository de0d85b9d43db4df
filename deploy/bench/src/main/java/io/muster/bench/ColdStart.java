// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A way to start a process whose first minutes are measured.
 *
 * @param name in the report
 * @param other whether it starts the other jar
 * @param environment its settings beside those of the stage
 */
record ColdStart(String name, boolean other, Map<String, String> environment) {

    private static final List<String> FIRST = List.of(Operations.BROKER_LOGIN, Operations.TOKEN, Operations.REGISTER);

    /**
     * The measurements of one process.
     *
     * @param ready seconds from the start of the process until it was ready
     * @param first milliseconds of the first of each, one after the other, each on a connection of its own
     * @param sample registrations from then on
     */
    record Seen(
            ColdStart start, double ready, Map<String, Double> first, Load.Sample sample, Gauge.Usage usage, int time) {

        /** Returns the registrations per second between two seconds; not a number beyond the end. */
        double rate(int from, int to) {
            if (to > time) {
                return Double.NaN;
            }
            long count = 0;
            for (int second = from; second < to; second++) {
                count += sample.seconds()[second];
            }
            return (double) count / (to - from);
        }

        /** Returns the final speed: the rate of the last third, which is the third minute of three. */
        double settled() {
            return rate(time - Math.max(1, time / 3), time);
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%s: ready after %.1f s, first %s ms, then registrations a second by tenths of the time %s",
                    start.name(),
                    ready,
                    first,
                    tenths());
        }

        private List<Long> tenths() {
            List<Long> tenths = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                int from = time * i / 10;
                tenths.add(Math.round(rate(from, Math.max(from + 1, time * (i + 1) / 10))));
            }
            return tenths;
        }
    }

    static List<ColdStart> of(Options options) {
        List<ColdStart> all = new ArrayList<>();
        all.add(new ColdStart("warm-up", false, Map.of()));
        all.add(new ColdStart("no warm-up", false, Map.of("MUSTER_WARM_UP", "PT0S")));
        if (options.against().isPresent()) {
            all.add(new ColdStart("warm-up of the other jar", true, Map.of()));
        }
        return all;
    }

    /** Starts a process and measures it. */
    Seen measure(Stage stage, Gauge gauge, Operations operations, Options options)
            throws IOException, SQLException, InterruptedException {
        long begun = System.nanoTime();
        stage.restart(other, options, environment);
        stage.server().awaitReady();
        double ready = (System.nanoTime() - begun) / 1e9;
        Map<String, Double> first = new LinkedHashMap<>();
        for (String name : FIRST) {
            long asked = System.nanoTime();
            try (Operation.Task task = operations.named(name).open()) {
                task.run();
            }
            first.put(name, Report.rounded((System.nanoTime() - asked) / 1e6));
        }
        gauge.start();
        Load.Sample sample = Load.run(
                operations.named(Operations.REGISTER),
                options.connections().get(0),
                Duration.ZERO,
                options.time(),
                gauge::stop);
        return new Seen(
                this, ready, first, sample, gauge.usage(), (int) options.time().toSeconds());
    }
}
