// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import io.muster.command.audit.Audit;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command for operators. Exit codes: 0 done, 1 not as it should be, 2 wrong usage, 70 a fault of the program. */
@Command(
        name = "muster",
        description = "Works with a registry of devices.",
        mixinStandardHelpOptions = true,
        subcommands = Audit.class,
        synopsisSubcommandLabel = "audit",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:not as it should be", "2:wrong usage", "70:a fault of this program"})
public final class Muster {

    private static final int FAULT = 70;

    private Muster() {}

    /**
     * Runs the command and ends the process with its exit code.
     *
     * @param args subcommands and their options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(run(writer(System.out), writer(System.err), args));
    }

    /** In the encoding of the terminal, which is the platform's. */
    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(stream, true, Charset.defaultCharset());
    }

    /** Runs the command, and returns its exit code. */
    public static int run(PrintWriter out, PrintWriter err, String... args) {
        return new CommandLine(new Muster())
                .setOut(out)
                .setErr(err)
                .setExpandAtFiles(false)
                .setExecutionExceptionHandler((e, line, parsed) -> {
                    err.println("muster: " + e);
                    return FAULT;
                })
                .execute(args);
    }
}
