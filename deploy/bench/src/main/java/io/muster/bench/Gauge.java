// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the cost of the work: the counters of MariaDB, and the processor time of each process and of all others on the
 * machine.
 */
final class Gauge {

    /** Statements that read or write rows. */
    private static final List<String> STATEMENTS = List.of("Com_select", "Com_insert", "Com_update", "Com_delete");

    private static final List<String> COUNTERS = List.of(
            "Questions",
            "Com_commit",
            "Com_set_option",
            "Com_stmt_prepare",
            "Innodb_data_fsyncs",
            "Innodb_os_log_written");
    private static final long NANOS_PER_TICK = 10_000_000;

    /** The counters at one time. */
    private record Reading(
            long at, Map<String, Long> status, Map<String, Duration> processes, long busy, long stolen) {}

    /**
     * The usage between two readings.
     *
     * @param status the difference of each counter
     * @param micros processor time of each process
     * @param others share of the machine's processors that other processes and the system itself used
     * @param stolen share that the hypervisor withheld
     */
    record Usage(Map<String, Long> status, Map<String, Double> micros, double others, double stolen) {

        /** Statements that read or write rows. */
        long statements() {
            return STATEMENTS.stream()
                    .mapToLong(name -> status.getOrDefault(name, 0L))
                    .sum();
        }

        long counter(String name) {
            return status.getOrDefault(name, 0L);
        }
    }

    private final Connection connection;
    private final Map<String, ProcessHandle> processes;
    private Reading last;
    private Reading end;

    /**
     * Watches processes.
     *
     * @param connection to the database server, for this gauge alone
     * @param processes by name
     */
    Gauge(Connection connection, Map<String, ProcessHandle> processes) {
        this.connection = connection;
        this.processes = processes;
    }

    void start() throws SQLException, IOException {
        last = read();
    }

    void stop() throws SQLException, IOException {
        end = read();
    }

    /** Returns the usage between start and stop. */
    Usage usage() {
        Reading now = end;
        Map<String, Long> status = new LinkedHashMap<>();
        now.status()
                .forEach((name, value) -> status.put(name, value - last.status().get(name)));
        // The reading itself.
        status.merge("Questions", -1L, Long::sum);
        Map<String, Double> micros = new LinkedHashMap<>();
        now.processes()
                .forEach((name, used) ->
                        micros.put(name, used.minus(last.processes().get(name)).toNanos() / 1e3));
        double all = (double) (now.at() - last.at()) * Runtime.getRuntime().availableProcessors();
        double ours = micros.values().stream().mapToDouble(Double::doubleValue).sum() * 1e3;
        return new Usage(
                status,
                micros,
                Math.max(0, ((now.busy() - last.busy()) * NANOS_PER_TICK - ours) / all),
                (now.stolen() - last.stolen()) * NANOS_PER_TICK / all);
    }

    private Reading read() throws SQLException, IOException {
        Map<String, Long> status = new LinkedHashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SHOW GLOBAL STATUS")) {
            while (rows.next()) {
                String name = rows.getString(1);
                if (STATEMENTS.contains(name) || COUNTERS.contains(name)) {
                    status.put(name, rows.getLong(2));
                }
            }
        }
        Map<String, Duration> used = new LinkedHashMap<>();
        processes.forEach((name, process) ->
                used.put(name, process.info().totalCpuDuration().orElse(Duration.ZERO)));
        // cpu user nice system idle iowait irq softirq steal
        String[] ticks = Files.readString(Path.of("/proc/stat"))
                .lines()
                .findFirst()
                .orElse("")
                .split("\\s+");
        long busy = 0;
        for (int i : new int[] {1, 2, 3, 6, 7}) {
            busy += Long.parseLong(ticks[i]);
        }
        return new Reading(System.nanoTime(), status, used, busy, Long.parseLong(ticks[8]));
    }
}
