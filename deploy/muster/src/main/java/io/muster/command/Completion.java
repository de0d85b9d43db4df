// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints the script for completion. */
@Command(
        name = "completion",
        mixinStandardHelpOptions = true,
        description = "Prints the script that completes commands in your shell: source <(muster completion bash)")
final class Completion implements Callable<Integer> {

    /** The shells that it knows. */
    enum Kind {
        bash,
        zsh
    }

    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "SHELL", description = "bash or zsh.")
    private Kind kind;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        out.println("# For " + kind + ". picocli's script sees by itself which shell runs it.");
        out.println(AutoComplete.bash("muster", spec.root().commandLine()));
        return Exit.DONE;
    }
}
