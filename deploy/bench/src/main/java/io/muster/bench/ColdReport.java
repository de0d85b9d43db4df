// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** Collects the measurements of processes that have just started, and puts them into a table and into lines of JSON. */
final class ColdReport {

    /** One process in one round. */
    private record Cell(int round, ColdStart.Seen seen) {}

    /** A column: its place in the table and in the lines of JSON, and its value. */
    private record Column(String title, String member, String pattern, ToDoubleFunction<ColdStart.Seen> value) {}

    private static final List<Column> COLUMNS = List.of(
            new Column("ready after s", "readySeconds", "%.1f", ColdStart.Seen::ready),
            first("login", Operations.BROKER_LOGIN),
            first("token", Operations.TOKEN),
            first("registration", Operations.REGISTER),
            rate("0 to 10 s", "perSecond0To10", 0, 10),
            rate("10th second", "perSecondTenth", 9, 10),
            rate("10 to 30 s", "perSecond10To30", 10, 30),
            rate("30 to 60 s", "perSecond30To60", 30, 60),
            new Column("last third", "perSecondLastThird", "%,.0f", ColdStart.Seen::settled),
            ratio("10th second of it", "ratioTenth", 9, 10),
            ratio("5 to 15 s of it", "ratio5To15", 5, 15),
            new Column("others", "otherCpuShare", "%.2f", seen -> seen.usage().others()));

    private final List<Cell> cells = new ArrayList<>();

    private static Column first(String what, String operation) {
        return new Column(
                "first " + what + " ms",
                "first" + Character.toUpperCase(what.charAt(0)) + what.substring(1) + "Millis",
                "%,.0f",
                seen -> seen.first().get(operation));
    }

    private static Column rate(String title, String member, int from, int to) {
        return new Column(title, member, "%,.0f", seen -> seen.rate(from, to));
    }

    private static Column ratio(String title, String member, int from, int to) {
        return new Column(title, member, "**%.2f**", seen -> seen.rate(from, to) / seen.settled());
    }

    void add(int round, ColdStart.Seen seen) {
        cells.add(new Cell(round, seen));
    }

    /** Returns the median share of the processors that others used. */
    double others() {
        return Statistics.median(
                cells.stream().map(cell -> cell.seen().usage().others()).toList());
    }

    /** Returns a table in Markdown: every process, and below them the medians. */
    String table() {
        StringBuilder table = new StringBuilder("| start | round |");
        StringBuilder line = new StringBuilder("| --- | ---: |");
        for (Column column : COLUMNS) {
            table.append(' ').append(column.title()).append(" |");
            line.append(" ---: |");
        }
        table.append('\n').append(line).append('\n');
        Map<String, List<ColdStart.Seen>> starts = new LinkedHashMap<>();
        for (Cell cell : cells) {
            starts.computeIfAbsent(cell.seen().start().name(), name -> new ArrayList<>())
                    .add(cell.seen());
            row(table, cell.seen().start().name(), String.valueOf(cell.round()), List.of(cell.seen()));
        }
        starts.forEach((name, seen) -> row(table, name, "median", seen));
        return table.toString();
    }

    private static void row(StringBuilder table, String name, String round, List<ColdStart.Seen> seen) {
        table.append("| ").append(name).append(" | ").append(round).append(" |");
        for (Column column : COLUMNS) {
            double value = Statistics.median(
                    seen.stream().map(column.value()::applyAsDouble).toList());
            table.append(' ')
                    .append(Double.isNaN(value) ? "" : Report.format(column.pattern(), value))
                    .append(" |");
        }
        table.append('\n');
    }

    /** Returns one line of JSON for each process, each with all data of the run. */
    List<String> lines(Map<String, Object> run) {
        List<String> lines = new ArrayList<>();
        for (Cell cell : cells) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("what", "cold");
            line.put("start", cell.seen().start().name());
            line.put("round", cell.round());
            for (Column column : COLUMNS) {
                double value = column.value().applyAsDouble(cell.seen());
                line.put(column.member(), Double.isNaN(value) ? null : Report.rounded(value));
            }
            line.put(
                    "perSecond",
                    Arrays.copyOf(cell.seen().sample().seconds(), cell.seen().time()));
            line.put("faults", cell.seen().sample().faults());
            line.putAll(run);
            lines.add(Report.json(line));
        }
        return lines;
    }
}
