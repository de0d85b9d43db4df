import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Prints JaCoCo's table of classes as one line for each module: java Coverage.java jacoco.csv. */
final class Coverage {

    /** Covered and missed. */
    private record Count(long covered, long missed) {

        Count plus(Count other) {
            return new Count(covered + other.covered, missed + other.missed);
        }

        String percent() {
            long all = covered + missed;
            return all == 0 ? "     -" : String.format("%5.1f%%", 100.0 * covered / all);
        }
    }

    private record Module(Count lines, Count branches) {

        static final Module NONE = new Module(new Count(0, 0), new Count(0, 0));

        Module plus(Module other) {
            return new Module(lines.plus(other.lines), branches.plus(other.branches));
        }

        void print(String name) {
            System.out.printf(
                    "  %-26s lines %s of %6d    branches %s of %6d%n",
                    name,
                    lines.percent(),
                    lines.covered() + lines.missed(),
                    branches.percent(),
                    branches.covered() + branches.missed());
        }
    }

    public static void main(String[] args) throws IOException {
        List<String> rows = Files.readAllLines(Path.of(args[0]));
        List<String> columns = List.of(rows.get(0).split(","));
        Map<String, Module> modules = new TreeMap<>();
        for (String row : rows.subList(1, rows.size())) {
            String[] cells = row.split(",");
            // "Muster coverage/registry-core"
            String group = cells[columns.indexOf("GROUP")];
            modules.merge(
                    group.substring(group.lastIndexOf('/') + 1),
                    new Module(count(columns, cells, "LINE"), count(columns, cells, "BRANCH")),
                    Module::plus);
        }
        if (modules.isEmpty()) {
            throw new IOException(args[0] + " has no classes: no test was run with the profile \"coverage\"");
        }
        System.out.println("Coverage by tests in the same JVM:");
        modules.forEach((name, module) -> module.print(name));
        modules.values().stream().reduce(Module.NONE, Module::plus).print("all");
    }

    private static Count count(List<String> columns, String[] cells, String what) {
        return new Count(
                Long.parseLong(cells[columns.indexOf(what + "_COVERED")]),
                Long.parseLong(cells[columns.indexOf(what + "_MISSED")]));
    }
}
