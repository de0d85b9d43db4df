// SPDX-License-Identifier: Apache-2.0
package io.muster.client.cli;

import io.muster.client.CredentialStore;
import io.muster.client.RefusedException;
import io.muster.client.UnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * Registers this device, shows its identity, gets access tokens and rotates the credential. Exit codes: 0 done, 1 the
 * registry refused, 2 wrong usage, 3 no answer in time, 4 no usable store, 70 a fault of the program.
 */
@Command(
        name = "muster-device",
        description = "Registers this device and gets access tokens for it.",
        mixinStandardHelpOptions = true,
        versionProvider = MusterDevice.Version.class,
        subcommands = {
            Register.class,
            Token.class,
            Mqtt.class,
            Rotate.class,
            Status.class,
            ClaimCode.class,
            Configuration.class,
            Report.class,
            Show.class,
            Forget.class
        },
        synopsisSubcommandLabel =
                "(register | token | mqtt | rotate | status | claim-code | configuration | report | show"
                        + " | forget)",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:the registry refused; repeating does not help",
            "2:wrong usage",
            "3:no answer in time; try again later",
            "4:no usable store: missing, damaged or not writable",
            "70:a fault of this program"
        })
public final class MusterDevice {

    static final int REFUSED = 1;
    static final int UNAVAILABLE = 3;
    static final int NO_STORE = 4;
    static final int FAULT = 70;

    private MusterDevice() {}

    /**
     * Runs the command and ends the process with its exit code.
     *
     * @param args a subcommand and its options; {@code --help} lists them
     */
    public static void main(String[] args) {
        // One line for each failed attempt instead of two. It must be set before anything logs.
        if (System.getProperty("java.util.logging.SimpleFormatter.format") == null) {
            System.setProperty("java.util.logging.SimpleFormatter.format", "muster-device: %5$s%n");
        }
        System.exit(run(writer(System.out), writer(System.err), args));
    }

    /** In the encoding of the terminal, which is the platform's. */
    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(stream, true, Charset.defaultCharset());
    }

    static int run(PrintWriter out, PrintWriter err, String... args) {
        CommandLine command = new CommandLine(new MusterDevice())
                .setOut(out)
                .setErr(err)
                // A serial may begin with @.
                .setExpandAtFiles(false)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((e, line, parsed) -> explain(e, line));
        return command.execute(args);
    }

    private static int explain(Exception e, CommandLine line) {
        PrintWriter err = line.getErr();
        if (e instanceof RefusedException refused) {
            err.println(refused.getMessage());
            if (!refused.detail().isEmpty()) {
                err.println("  " + printable(refused.detail()));
            }
            refused.faults().forEach(fault -> err.println("  " + printable(fault.pointer() + ": " + fault.detail())));
            return REFUSED;
        }
        if (e instanceof UnavailableException unavailable) {
            err.println(unavailable.getMessage());
            err.println("  next attempt in " + unavailable.retryAfter());
            return UNAVAILABLE;
        }
        if (e instanceof CredentialStore.UnusableException) {
            err.println(e.getMessage());
            return NO_STORE;
        }
        if (e instanceof IOException) {
            err.println("the store cannot be used: " + e);
            return NO_STORE;
        }
        if (e instanceof InterruptedException) {
            err.println("interrupted");
            return UNAVAILABLE;
        }
        if (e instanceof IllegalArgumentException) {
            err.println(e.getMessage());
            return CommandLine.ExitCode.USAGE;
        }
        err.println("a fault of this program: " + e);
        return FAULT;
    }

    /** A server's text must not control the terminal. */
    static String printable(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }

    static final class Version implements CommandLine.IVersionProvider {

        @Override
        public String[] getVersion() throws IOException {
            try (InputStream in = CredentialStore.class.getResourceAsStream("version.txt")) {
                return new String[] {"muster-device " + new String(in.readAllBytes(), StandardCharsets.UTF_8).strip()};
            }
        }
    }
}
