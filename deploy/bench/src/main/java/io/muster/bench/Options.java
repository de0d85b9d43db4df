// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * The command line.
 *
 * @param quick whether only to see that everything works
 * @param cold whether to measure the first minutes of processes that have just started
 * @param rounds how often each thing is measured with each number of connections
 * @param time how long each time
 * @param warmUp how long each thing is done before
 * @param connections the numbers of connections
 * @param only the names of the operations to measure; empty for all
 * @param musterOptions further options of the virtual machine that runs the registry
 * @param musterArguments further arguments of the registry
 * @param jar the {@code muster.jar} to measure; empty for that of this build
 * @param against another {@code muster.jar} to measure beside the first; empty for none
 */
record Options(
        boolean quick,
        boolean cold,
        int rounds,
        Duration time,
        Duration warmUp,
        List<Integer> connections,
        List<String> only,
        List<String> musterOptions,
        List<String> musterArguments,
        Optional<Path> jar,
        Optional<Path> against) {

    static final String HELP =
            """
            bash deploy/bench/run [option]...

            --quick              one short round, about a minute: shows that it works, not how fast
            --cold               measures what a process does just after its start: with its warm-up, and without one;
                                 eight minutes a round, --quick takes one
            --rounds N           rounds (3)
            --seconds N          seconds of each measurement (4; with --cold 180)
            --warm-up N          seconds of each operation, twice, before the first round (6)
            --connections A,B    numbers of connections (1,8,64)
            --only A,B           operations: register, register-beside-hanging, token, introspect, broker-login, floor-register,
                                 floor-token, floor-echo, jdbc-register
            --muster-option X    an option of the virtual machine that runs the registry, for example
                                 -XX:StartFlightRecording=filename=muster.jfr; may be repeated
            --muster-argument X  an argument of muster.jar, for example --maxhttpthreads=16; may be repeated
            --jar JAR            measures this muster.jar instead of deploy/micro/target/muster.jar
            --against JAR        measures another muster.jar in the same rounds, without the options and arguments above; with
                                 --cold on the same database, so both must have the same tables
            """;

    static Options of(String... arguments) {
        List<String> given = List.of(arguments);
        boolean quick = given.contains("--quick");
        int rounds = quick ? 1 : 3;
        boolean cold = given.contains("--cold");
        double seconds = quick ? 0.8 : 4;
        if (cold) {
            seconds = quick ? 6 : 180;
        }
        double warmUp = quick ? 1 : 6;
        List<Integer> connections = cold ? List.of(8) : List.of(1, 8, 64);
        List<String> only = List.of();
        List<String> musterOptions = new ArrayList<>();
        List<String> musterArguments = new ArrayList<>();
        Optional<Path> jar = Optional.empty();
        Optional<Path> against = Optional.empty();
        Iterator<String> rest = given.iterator();
        while (rest.hasNext()) {
            String option = rest.next();
            switch (option) {
                case "--quick", "--cold" -> {}
                case "--rounds" -> rounds = Integer.parseInt(value(option, rest));
                case "--seconds" -> seconds = Double.parseDouble(value(option, rest));
                case "--warm-up" -> warmUp = Double.parseDouble(value(option, rest));
                case "--connections" ->
                    connections = List.of(value(option, rest).split(",")).stream()
                            .map(Integer::valueOf)
                            .toList();
                case "--only" -> only = List.of(value(option, rest).split(","));
                case "--muster-option" -> musterOptions.add(value(option, rest));
                case "--muster-argument" -> musterArguments.add(value(option, rest));
                case "--jar" -> jar = Optional.of(Path.of(value(option, rest)));
                case "--against" -> against = Optional.of(Path.of(value(option, rest)));
                default -> throw new IllegalArgumentException("unknown option " + option);
            }
        }
        return new Options(
                quick,
                cold,
                rounds,
                Duration.ofMillis((long) (seconds * 1000)),
                Duration.ofMillis((long) (warmUp * 1000)),
                connections,
                only,
                List.copyOf(musterOptions),
                List.copyOf(musterArguments),
                jar,
                against);
    }

    private static String value(String option, Iterator<String> rest) {
        if (!rest.hasNext()) {
            throw new IllegalArgumentException(option + " needs a value");
        }
        return rest.next();
    }

    /** How long threads run before they are measured. */
    Duration settle() {
        return Duration.ofMillis(quick ? 200 : 500);
    }

    boolean measures(String operation) {
        return only.isEmpty() || only.contains(operation);
    }
}
