// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes answers: as tables for people, as JSON for programs, as CSV for spreadsheets. */
enum Output {
    table,
    json,
    csv;

    /** Tables are measured by as many rows as a page has. */
    private static final int MEASURED = 1000;

    private static final int NARROWEST = 8;
    private static final String GAP = "  ";

    /** Takes the rows of a list one by one. */
    interface Rows {

        void add(Map<String, Object> row);

        void end();
    }

    /** @param columns members of the rows; JSON has all members whatever they are */
    Rows rows(Shell shell, List<String> columns) {
        PrintWriter out = shell.writer(shell.out(), this == table);
        return switch (this) {
            case table -> new TableRows(shell, out, columns);
            case json -> new JsonRows(out);
            case csv -> new CsvRows(out, columns);
        };
    }

    /** Writes one object. */
    void object(Shell shell, Map<String, Object> object) {
        if (this == csv) {
            Rows rows = rows(shell, List.copyOf(object.keySet()));
            rows.add(object);
            rows.end();
            return;
        }
        PrintWriter out = shell.writer(shell.out(), this == table);
        if (this == json) {
            out.println(Printable.json(Json.pretty(object)));
            return;
        }
        Map<String, String> lines = new LinkedHashMap<>();
        Map<String, List<Map<String, Object>>> tables = new LinkedHashMap<>();
        flatten("", object, lines, tables);
        int width = lines.keySet().stream().mapToInt(Printable::width).max().orElse(0);
        lines.forEach((name, value) -> out.println(Printable.fit(name, width, true) + GAP + value));
        tables.forEach((name, elements) -> {
            out.println();
            out.println(name + ":");
            List<String> columns = elements.stream()
                    .flatMap(element -> element.keySet().stream())
                    .distinct()
                    .toList();
            Rows rows = rows(shell, columns);
            elements.forEach(rows::add);
            rows.end();
        });
    }

    private static void flatten(
            String prefix, Map<?, ?> object, Map<String, String> lines, Map<String, List<Map<String, Object>>> tables) {
        object.forEach((key, value) -> {
            String name = Printable.text(prefix + key);
            if (value instanceof Map<?, ?> members) {
                flatten(prefix + key + ".", members, lines, tables);
            } else if (value instanceof List<?> list && !list.isEmpty() && list.get(0) instanceof Map) {
                tables.put(name, Json.objects(Map.of(name, list), name));
            } else {
                lines.put(name, Printable.text(cell(value)));
            }
        });
    }

    /** Returns a member, or one of an object in it: {@code tags.room}. */
    static Object member(Map<?, ?> row, String column) {
        if (row.containsKey(column)) {
            return row.get(column);
        }
        int dot = column.indexOf('.');
        return dot > 0 && row.get(column.substring(0, dot)) instanceof Map<?, ?> inner
                ? member(inner, column.substring(dot + 1))
                : null;
    }

    private static String cell(Object value) {
        if (value == null) {
            return "";
        }
        if (value instanceof List<?> list) {
            return list.stream().map(Output::cell).collect(Collectors.joining(", "));
        }
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(entry -> entry.getKey() + "=" + cell(entry.getValue()))
                    .collect(Collectors.joining(" "));
        }
        return value.toString();
    }

    private static final class TableRows implements Rows {

        private final Shell shell;
        private final PrintWriter out;
        private final List<String> columns;
        private final List<List<String>> measured = new ArrayList<>();
        private int[] widths;

        TableRows(Shell shell, PrintWriter out, List<String> columns) {
            this.shell = shell;
            this.out = out;
            this.columns = columns;
            measured.add(columns.stream()
                    .map(Printable::text)
                    .map(name -> name.replaceAll("([a-z])([A-Z])", "$1 $2").toUpperCase(java.util.Locale.ROOT))
                    .toList());
        }

        @Override
        public void add(Map<String, Object> row) {
            List<String> cells = columns.stream()
                    .map(column -> Printable.text(cell(member(row, column))))
                    .toList();
            if (widths != null) {
                print(cells);
                return;
            }
            measured.add(cells);
            if (measured.size() > MEASURED) {
                printMeasured();
            }
        }

        @Override
        public void end() {
            if (widths == null) {
                printMeasured();
            }
            out.flush();
        }

        private void printMeasured() {
            widths = new int[columns.size()];
            for (List<String> cells : measured) {
                for (int i = 0; i < widths.length; i++) {
                    widths[i] = Math.max(widths[i], Printable.width(cells.get(i)));
                }
            }
            if (shell.isTerminal(1)) {
                shrink();
            }
            measured.forEach(this::print);
            measured.clear();
        }

        /** Takes from the widest column until all fit. */
        private void shrink() {
            int gaps = GAP.length() * (widths.length - 1);
            while (java.util.Arrays.stream(widths).sum() + gaps > shell.columns()) {
                int widest = 0;
                for (int i = 1; i < widths.length; i++) {
                    widest = widths[i] > widths[widest] ? i : widest;
                }
                if (widths[widest] <= NARROWEST) {
                    return;
                }
                widths[widest]--;
            }
        }

        private void print(List<String> cells) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                boolean last = i == widths.length - 1;
                int width = shell.isTerminal(1) ? widths[i] : Math.max(widths[i], Printable.width(cells.get(i)));
                line.append(Printable.fit(cells.get(i), width, !last)).append(last ? "" : GAP);
            }
            out.println(line.toString().stripTrailing());
        }
    }

    private static final class JsonRows implements Rows {

        private final PrintWriter out;
        private String before = "[";

        JsonRows(PrintWriter out) {
            this.out = out;
        }

        @Override
        public void add(Map<String, Object> row) {
            out.print(before + "\n" + Printable.json(Json.write(row)));
            before = ",";
        }

        @Override
        public void end() {
            out.println(before.equals("[") ? "[]" : "\n]");
        }
    }

    private static final class CsvRows implements Rows {

        private final PrintWriter out;
        private final List<String> columns;

        CsvRows(PrintWriter out, List<String> columns) {
            this.out = out;
            this.columns = columns;
            line(columns.stream().map(Printable::csv).toList());
        }

        @Override
        public void add(Map<String, Object> row) {
            line(columns.stream().map(column -> field(member(row, column))).toList());
        }

        /** A number stays a number, also a negative one. */
        private static String field(Object value) {
            if (value == null) {
                return "";
            }
            if (value instanceof Number) {
                return value.toString();
            }
            return Printable.csv(value instanceof String ? value.toString() : Json.write(value));
        }

        private void line(List<String> fields) {
            out.print(String.join(",", fields) + "\r\n");
        }

        @Override
        public void end() {
            out.flush();
        }
    }
}
