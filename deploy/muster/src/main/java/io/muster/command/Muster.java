// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import io.muster.command.audit.Audit;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;

/** The command for operators. {@link Orders} has its subcommands. */
@Command(
        name = "muster",
        description = "Works with a registry of devices.",
        mixinStandardHelpOptions = true,
        versionProvider = Muster.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:not as it should be: a record was changed, rows of a job failed, a test was not accepted",
            "2:wrong usage, or a file that cannot be used",
            "3:the registry refused the request",
            "4:not signed in, or not permitted",
            "5:not found",
            "6:conflict, or somebody changed it meanwhile",
            "7:the registry cannot be reached, or is too busy",
            "8:a fault of the registry",
            "9:not confirmed, so nothing was done",
            "70:a fault of this program"
        })
public final class Muster {

    private Muster() {}

    /**
     * Runs the command and ends the process with its exit code.
     *
     * @param args subcommands and their options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(run(Shell.ofProcess(), args));
    }

    /** Runs the command, and returns its exit code. */
    public static int run(Shell shell, String... args) {
        return line(shell).execute(args);
    }

    /** Makes the command with all subcommands. */
    static CommandLine line(Shell shell) {
        CommandLine line = new CommandLine(new Muster());
        line.addSubcommand(new Login(shell));
        line.addSubcommand(new Logout(shell));
        line.addSubcommand(new Renew(shell));
        line.addSubcommand(new ProfilesCommand(shell));
        line.addSubcommand(new ConsoleCommand(shell));
        Orders.GROUPS.forEach((name, description) -> {
            CommandSpec group = name.equals("audit")
                    ? CommandSpec.forAnnotatedObject(new Audit())
                    : CommandSpec.create().addOption(OrderCommand.help());
            group.usageMessage().description(description).synopsisSubcommandLabel("COMMAND");
            line.addSubcommand(name, group);
        });
        Map<String, CommandLine> groups = line.getSubcommands();
        for (Order order : Orders.all()) {
            String[] words = order.words.split(" ");
            (words.length == 1 ? line : groups.get(words[0]))
                    .addSubcommand(words[words.length - 1], OrderCommand.of(order, shell));
        }
        line.addSubcommand(new ApiCommand(shell));
        line.addSubcommand(new Completion());
        return line.setOut(shell.writer(shell.out(), true))
                .setErr(shell.writer(shell.err(), true))
                .setUsageHelpWidth(Math.min(shell.columns(), 100))
                .setExpandAtFiles(false)
                .setExecutionExceptionHandler((e, failed, parsed) -> exit(shell, e));
    }

    /** The version of the jar. */
    static final class Version implements CommandLine.IVersionProvider {

        @Override
        public String[] getVersion() {
            return new String[] {
                "muster "
                        + Optional.ofNullable(Muster.class.getPackage().getImplementationVersion())
                                .orElse("of the classes of a build")
            };
        }
    }

    private static int exit(Shell shell, Exception e) {
        if (e instanceof Failure failure) {
            shell.say(failure.getMessage());
            return failure.exit();
        }
        if (e instanceof InterruptedException) {
            return Exit.INTERRUPTED;
        }
        shell.say("muster: a fault of this program: " + Printable.text(e.toString()));
        return Exit.FAULT;
    }
}
