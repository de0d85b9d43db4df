// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Measures {@code muster.jar} and its floors in one run. Every round measures everything once, so that other work of
 * the machine affects all alike. Only ratios within a run are results.
 */
public final class Bench {

    /**
     * A first guess, in serials per second, that no run exceeds. Later the measured speed tells how many are needed.
     */
    private static final double FIRST_GUESS = 8000;

    private final Options options;
    private final Path target;
    private final Map<String, Double> fastest = new HashMap<>();
    private final Report report = new Report();
    private final ColdReport coldReport = new ColdReport();
    private String fault;

    private Bench(Options options, Path target) {
        this.options = options;
        this.target = target;
    }

    /**
     * Runs and prints. Ends with status 1 after any wrong answer, with 2 for a wrong command line.
     *
     * @param arguments see {@code --help}
     */
    public static void main(String... arguments) throws IOException, SQLException, InterruptedException {
        if (List.of(arguments).contains("--help")) {
            System.out.print(Options.HELP);
            return;
        }
        Options options;
        try {
            options = Options.of(arguments);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.err.print(Options.HELP);
            System.exit(2);
            return;
        }
        Path module = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
        Bench bench = new Bench(options, module.resolve("target"));
        Path jar = options.jar()
                .orElse(module.resolve("../micro/target/muster.jar").normalize());
        if (!Files.isRegularFile(jar)) {
            System.err.println("There is no " + jar.getFileName() + "; build first: mvn -DskipTests package");
            System.exit(2);
        }
        bench.run(jar);
        System.exit(bench.fault == null ? 0 : 1);
    }

    private void run(Path musterJar) throws IOException, SQLException, InterruptedException {
        long begun = System.nanoTime();
        say("load average %.2f; starting MariaDB, the registry and the floors", load());
        double loadBefore = load();
        try (Stage stage = Stage.set(target, musterJar, options)) {
            Operations operations = new Operations(stage);
            Gauge gauge = stage.gauge();
            if (options.cold()) {
                cold(stage, gauge, operations);
                checkRows(stage, operations);
                publish(stage, fingerprint(stage.jar()), loadBefore, begun);
                return;
            }
            warmUp(stage, operations);
            for (int round = 1; round <= options.rounds(); round++) {
                for (int connections : options.connections()) {
                    for (Operation operation : inTurn(operations.all(), round)) {
                        if (options.measures(operation.name())) {
                            measure(stage, gauge, operation, round, connections);
                        }
                    }
                }
            }
            checkRows(stage, operations);
            publish(stage, fingerprint(stage.jar()), loadBefore, begun);
        }
    }

    /** Measures processes that have just started. */
    private void cold(Stage stage, Gauge gauge, Operations operations)
            throws IOException, SQLException, InterruptedException {
        stage.restart(false, options, Map.of("MUSTER_WARM_UP", "PT0S"));
        stage.server().awaitReady();
        Operation register = operations.named(Operations.REGISTER);
        // This creates known devices, and warms up the driver itself.
        for (String name : List.of(Operations.REGISTER, Operations.TOKEN, Operations.BROKER_LOGIN)) {
            if (name.equals(Operations.TOKEN)) {
                say("%d devices have a confirmed credential and a token", operations.confirm());
            }
            warmUp(stage, operations.named(name));
        }
        for (int round = 1; round <= options.rounds(); round++) {
            for (ColdStart start : inTurn(ColdStart.of(options), round)) {
                stage.stop();
                prepare(stage, register, options.time());
                try {
                    ColdStart.Seen seen = start.measure(stage, gauge, operations, options);
                    note(register, seen.sample());
                    coldReport.add(round, seen);
                    say("round %d, %s", round, seen);
                } catch (WrongAnswerException | IOException e) {
                    fault(start.name() + ": " + e);
                }
            }
        }
    }

    /** Reverses the order in every other round, so that nothing always follows the same thing. */
    private static <T> List<T> inTurn(List<T> operations, int round) {
        List<T> turned = new ArrayList<>(operations);
        if (round % 2 == 0) {
            Collections.reverse(turned);
        }
        return turned;
    }

    /**
     * Does everything for a while, twice. So it is compiled, and there are devices for which tokens can be requested.
     */
    private void warmUp(Stage stage, Operations operations) throws IOException, SQLException, InterruptedException {
        int least = options.quick() ? 100 : Operations.DEVICES;
        for (int pass = 1; pass <= 2; pass++) {
            for (Operation operation : operations.all()) {
                if (pass == 1 && operation.name().equals(Operations.TOKEN)) {
                    say("%d devices have a confirmed credential and a token", operations.confirm());
                }
                do {
                    warmUp(stage, operation);
                } while (operation.name().endsWith(Operations.REGISTER)
                        && operations.devices(operation.database()) < least);
            }
        }
    }

    private void warmUp(Stage stage, Operation operation) throws IOException, SQLException, InterruptedException {
        if (operation.beside().isPresent()) {
            Operation.Beside beside = operation.beside().get();
            note(
                    beside.warmUp(),
                    Load.run(beside.warmUp(), beside.connections(), Duration.ZERO, options.warmUp(), () -> {}));
        }
        prepare(stage, operation, options.warmUp());
        Load.Sample sample = Load.run(operation, 8, Duration.ZERO, options.warmUp(), () -> {});
        note(operation, sample);
        if (sample.total() == 0) {
            throw new IllegalStateException("nothing works: " + sample.firstFault());
        }
        say("warm-up %s: %.0f a second", operation.name(), sample.perSecond());
    }

    private void measure(Stage stage, Gauge gauge, Operation operation, int round, int connections)
            throws IOException, SQLException, InterruptedException {
        prepare(stage, operation, options.settle().plus(options.time()));
        long hungBefore = stage.hung();
        gauge.start();
        Load.Sample sample = Load.run(operation, connections, options.settle(), options.time(), gauge::stop);
        Gauge.Usage usage = gauge.usage();
        long hung = stage.hung() - hungBefore;
        report.add(new Report.Cell(round, operation.name(), connections, sample, hung, usage));
        note(operation, sample);
        say(
                "round %d, %d connections, %s: %.0f a second, p50 %.2f ms, p99 %.2f ms; others use %.0f %%",
                round,
                connections,
                operation.name(),
                sample.perSecond(),
                Statistics.percentile(sample.nanos(), 50) / 1e6,
                Statistics.percentile(sample.nanos(), 99) / 1e6,
                100 * usage.others());
        if (operation.beside().isPresent()) {
            say("beside it: %d answers that the verifier is unavailable; it hung %d times", sample.beside(), hung);
            if (hung < Operations.TURNED_AWAY / 4 || sample.beside() < Operations.TURNED_AWAY) {
                fault("there was hardly a second load");
            }
        }
    }

    private void prepare(Stage stage, Operation operation, Duration time)
            throws IOException, SQLException, InterruptedException {
        String database = operation.database();
        if (database != null) {
            double rate = Math.max(FIRST_GUESS, 2 * fastest.getOrDefault(operation.name(), 0.0));
            if (stage.stock(database).ensure((long) (rate * time.toMillis() / 1000))) {
                // gives MariaDB time to write its data
                Thread.sleep(500);
            }
        }
    }

    private void note(Operation operation, Load.Sample sample) {
        fastest.merge(operation.name(), sample.perSecond(), Math::max);
        if (sample.faults() > 0) {
            fault(sample.faults() + " faults, the first: " + sample.firstFault());
        }
    }

    private void fault(String what) {
        say("FAULT: %s", what);
        fault = fault == null ? what : fault;
    }

    /** Checks that every acknowledged registration is there, and nothing else. */
    private void checkRows(Stage stage, Operations operations) throws SQLException {
        for (String database : stage.databases()) {
            long rows = stage.devices(database);
            long acknowledged = operations.acknowledged(database);
            say("%s: %d devices in the database, %d acknowledged", database, rows, acknowledged);
            if (rows != acknowledged) {
                fault(database + " has " + rows + " devices and acknowledged " + acknowledged);
            }
        }
    }

    private void publish(Stage stage, String jar, double loadBefore, long begun) throws IOException, SQLException {
        Map<String, Object> run = new LinkedHashMap<>();
        run.put("rounds", options.rounds());
        run.put("seconds", options.time().toMillis() / 1e3);
        run.put("commit", commit());
        run.put("jar", jar);
        run.put("machine", machine(stage));
        run.put("loadBefore", Math.round(loadBefore * 100) / 100.0);
        run.put("at", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        List<String> lines = options.cold() ? coldReport.lines(run) : report.lines(run);
        Path file = target.resolve("results.jsonl");
        Files.write(file, lines);
        System.out.println();
        lines.forEach(System.out::println);
        System.out.println();
        System.out.print(options.cold() ? coldReport.table() : report.table());
        System.out.println();
        say("%s, commit %s, muster.jar %s", run.get("machine"), run.get("commit"), jar);
        say(
                "load average before %.2f; others used %.0f %% of the processors in the median measurement",
                loadBefore, 100 * (options.cold() ? coldReport.others() : report.others()));
        say("took %d s; the lines are in target/%s", (System.nanoTime() - begun) / 1_000_000_000, file.getFileName());
        if (options.quick()) {
            say("--quick is not a result: too short, and not warm");
        }
        if (fault != null) {
            say("NOT A RESULT: %s", fault);
        }
    }

    private static String machine(Stage stage) throws IOException, SQLException {
        String model = Files.readString(Path.of("/proc/cpuinfo"))
                .lines()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse(System.getProperty("os.arch"));
        return String.format(
                Locale.ROOT,
                "%d x %s, %d GB, Linux %s, JDK %s, MariaDB %s (innodb_flush_log_at_trx_commit=%d, buffer pool %d MB)",
                Runtime.getRuntime().availableProcessors(),
                model,
                system().getTotalMemorySize() >> 30,
                System.getProperty("os.version"),
                Runtime.version(),
                stage.mariaDbVersion(),
                stage.setting("innodb_flush_log_at_trx_commit"),
                stage.setting("innodb_buffer_pool_size") >> 20);
    }

    /** Returns the commit of the sources, with a mark if they were changed since. */
    private String commit() throws IOException {
        Process git = new ProcessBuilder("git", "describe", "--always", "--dirty", "--exclude=*")
                .directory(target.getParent().toFile())
                .redirectErrorStream(true)
                .start();
        return new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    }

    /** Identifies the measured jar, whatever sources it was built from. */
    private static String fingerprint(Path jar) throws IOException {
        try (InputStream in = Files.newInputStream(jar)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[65536];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
            return HexFormat.of().formatHex(digest.digest(), 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    static double load() {
        return system().getSystemLoadAverage();
    }

    private static OperatingSystemMXBean system() {
        return (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    }

    static void say(String pattern, Object... values) {
        System.out.println(String.format(Locale.ROOT, pattern, values));
    }
}
