// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Collects the measurements, and puts them into a table and into lines of JSON. */
final class Report {

    /** One measurement; {@code hung} counts how often a verifier hung meanwhile. */
    record Cell(int round, String operation, int connections, Load.Sample sample, long hung, Gauge.Usage usage) {}

    /** All measurements of one thing with one number of connections. */
    private record Row(String operation, int connections, List<Cell> cells) {

        /** Returns the median of the rounds, so that a disturbed one does not count. */
        double perSecond() {
            return Statistics.median(
                    cells.stream().map(cell -> cell.sample().perSecond()).toList());
        }

        double millis(double percent) {
            long[] all = Statistics.sorted(
                    cells.stream().map(cell -> cell.sample().nanos()).toList());
            return Statistics.percentile(all, percent) / 1e6;
        }

        int faults() {
            return cells.stream().mapToInt(cell -> cell.sample().faults()).sum();
        }

        long total() {
            return cells.stream().mapToLong(cell -> cell.sample().total()).sum();
        }

        long beside() {
            return cells.stream().mapToLong(cell -> cell.sample().beside()).sum();
        }

        long hung() {
            return cells.stream().mapToLong(Cell::hung).sum();
        }

        double statements() {
            return Statistics.ratio(
                    (double) cells.stream()
                            .mapToLong(cell -> cell.usage().statements())
                            .sum(),
                    (double) total());
        }

        double counter(String name) {
            return Statistics.ratio(
                    (double) cells.stream()
                            .mapToLong(cell -> cell.usage().counter(name))
                            .sum(),
                    (double) total());
        }

        double micros(String process) {
            return Statistics.ratio(
                    cells.stream()
                            .mapToDouble(cell -> cell.usage().micros().get(process))
                            .sum(),
                    (double) total());
        }

        /** Returns the time of the server that was asked; the others are idle. */
        double serverMicros() {
            return cells.get(0).usage().micros().keySet().stream()
                    .filter(process -> !process.equals(Stage.MARIADB) && !process.equals(Stage.DRIVER))
                    .mapToDouble(this::micros)
                    .max()
                    .orElse(0);
        }

        double others() {
            return Statistics.median(
                    cells.stream().map(cell -> cell.usage().others()).toList());
        }

        double stolen() {
            return Statistics.median(
                    cells.stream().map(cell -> cell.usage().stolen()).toList());
        }
    }

    /** The median ratio of the rounds, the lowest and the highest. */
    private record Ratio(String to, double middle, double lowest, double highest) {}

    private final List<Cell> cells = new ArrayList<>();

    void add(Cell cell) {
        cells.add(cell);
    }

    int faults() {
        return cells.stream().mapToInt(cell -> cell.sample().faults()).sum();
    }

    /** Returns the median share of the processors that others used. */
    double others() {
        return Statistics.median(
                cells.stream().map(cell -> cell.usage().others()).toList());
    }

    private List<Row> rows() {
        Map<String, Row> rows = new LinkedHashMap<>();
        for (Cell cell : cells) {
            rows.computeIfAbsent(
                            cell.operation() + "/" + cell.connections(),
                            name -> new Row(cell.operation(), cell.connections(), new ArrayList<>()))
                    .cells()
                    .add(cell);
        }
        return List.copyOf(rows.values());
    }

    private static List<Ratio> ratios(Row row, List<Row> rows) {
        List<Ratio> ratios = new ArrayList<>();
        for (String to : Operations.COMPARED.getOrDefault(row.operation(), List.of())) {
            rows.stream()
                    .filter(other -> other.operation().equals(to) && other.connections() == row.connections())
                    .findFirst()
                    .ifPresent(other -> ratios.add(ratio(row, other)));
        }
        return ratios;
    }

    private static Ratio ratio(Row row, Row other) {
        List<Double> each = new ArrayList<>();
        for (int i = 0; i < Math.min(row.cells().size(), other.cells().size()); i++) {
            each.add(Statistics.ratio(
                    row.cells().get(i).sample().perSecond(),
                    other.cells().get(i).sample().perSecond()));
        }
        return new Ratio(
                other.operation(),
                Statistics.median(each),
                each.stream().mapToDouble(Double::doubleValue).min().orElse(0),
                each.stream().mapToDouble(Double::doubleValue).max().orElse(0));
    }

    /** Returns a table in Markdown. */
    String table() {
        List<Row> rows = rows();
        StringBuilder table = new StringBuilder(
                """
                | operation | connections | per second | p50 ms | p99 ms | ratio (lowest to highest round) | SQL | round trips | CPU µs: server | MariaDB | driver | others |
                | --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |
                """);
        for (Row row : rows) {
            List<String> ratios = new ArrayList<>();
            for (Ratio ratio : ratios(row, rows)) {
                ratios.add(
                        ratios.isEmpty()
                                ? format(
                                        "**%.2f** (%.2f to %.2f) of %s",
                                        ratio.middle(), ratio.lowest(), ratio.highest(), ratio.to())
                                : format("%.2f of %s", ratio.middle(), ratio.to()));
            }
            table.append(format(
                    "| %s | %d | %,.0f | %.1f | %.1f | %s | %.2f | %.2f | %.0f | %.0f | %.0f | %.0f %% |%n",
                    row.operation(),
                    row.connections(),
                    row.perSecond(),
                    row.millis(50),
                    row.millis(99),
                    String.join(", ", ratios),
                    row.statements(),
                    row.counter("Questions"),
                    row.serverMicros(),
                    row.micros(Stage.MARIADB),
                    row.micros(Stage.DRIVER),
                    100 * row.others()));
        }
        return table.toString();
    }

    /** Returns one line of JSON for each row of the table, each with all data of the run. */
    List<String> lines(Map<String, Object> run) {
        List<Row> rows = rows();
        List<String> lines = new ArrayList<>();
        for (Row row : rows) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("what", row.operation());
            line.put("connections", row.connections());
            line.put("perSecond", rounded(row.perSecond()));
            line.put("p50Millis", rounded(row.millis(50)));
            line.put("p99Millis", rounded(row.millis(99)));
            Map<String, Object> ratios = new LinkedHashMap<>();
            ratios(row, rows)
                    .forEach(ratio -> ratios.put(
                            ratio.to(),
                            List.of(rounded(ratio.middle()), rounded(ratio.lowest()), rounded(ratio.highest()))));
            line.put("ratio", ratios);
            line.put("faults", row.faults());
            line.put("operations", row.total());
            if (row.beside() > 0) {
                line.put("besideAnswers", row.beside());
                line.put("hung", row.hung());
            }
            line.put("sqlStatements", rounded(row.statements()));
            line.put("sqlRoundTrips", rounded(row.counter("Questions")));
            line.put("sqlPrepares", rounded(row.counter("Com_stmt_prepare")));
            line.put("commits", rounded(row.counter("Com_commit")));
            line.put("fsyncs", rounded(row.counter("Innodb_data_fsyncs")));
            line.put("redoBytes", Math.round(row.counter("Innodb_os_log_written")));
            line.put("serverCpuMicros", rounded(row.serverMicros()));
            line.put("mariadbCpuMicros", rounded(row.micros(Stage.MARIADB)));
            line.put("driverCpuMicros", rounded(row.micros(Stage.DRIVER)));
            line.put("otherCpuShare", rounded(row.others()));
            line.put("stolenCpuShare", rounded(row.stolen()));
            line.putAll(run);
            lines.add(json(line));
        }
        return lines;
    }

    static String json(Map<String, Object> line) {
        try {
            return new JsonMapper().writeValueAsString(line);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }

    static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
