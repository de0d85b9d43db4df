package io.muster.client.cli;

import io.muster.client.CredentialStore;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "forget",
        mixinStandardHelpOptions = true,
        versionProvider = MusterDevice.Version.class,
        description =
                "Deletes the stored identity, damaged or not. The registry may refuse to register the device again.")
final class Forget implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    @Mixin
    StoreOption store;

    @Option(names = "--yes", description = "Yes, delete it.")
    boolean yes;

    @Override
    public Integer call() throws IOException {
        if (!yes) {
            spec.commandLine()
                    .getErr()
                    .println("nothing deleted. The secret cannot be had again; if that is meant, repeat with --yes");
            return CommandLine.ExitCode.USAGE;
        }
        boolean existed = CredentialStore.at(store.file).forget();
        spec.commandLine().getErr().println(existed ? "deleted " + store.file : store.missing());
        return 0;
    }
}
