// SPDX-License-Identifier: Apache-2.0
package io.muster.client.cli;

import io.muster.client.CredentialStore;
import io.muster.client.DeviceIdentity;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The common part of all subcommands: {@code --store}, and where they print. */
final class StoredCommand {

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--store",
            paramLabel = "FILE",
            defaultValue = "muster-device.json",
            description = "The file that keeps the identity (default: ${DEFAULT-VALUE}).")
    Path file;

    /** Returns the stored identity. If there is none, it tells the user. */
    Optional<DeviceIdentity> open() throws IOException {
        Optional<DeviceIdentity> identity = CredentialStore.at(file).load();
        if (identity.isEmpty()) {
            sayMissing();
        }
        return identity;
    }

    void sayMissing() {
        say(file + ": this device has not registered yet");
    }

    /** Prints a line for people. */
    void say(String line) {
        command.commandLine().getErr().println(line);
    }

    /** Returns the writer for results. */
    PrintWriter out() {
        return command.commandLine().getOut();
    }
}
