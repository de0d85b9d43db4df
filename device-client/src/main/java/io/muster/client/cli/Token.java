package io.muster.client.cli;

import io.muster.client.RefusedException;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
        name = "token",
        mixinStandardHelpOptions = true,
        versionProvider = MusterDevice.Version.class,
        description = "Gets a new access token and prints it, and nothing else, to standard output.")
final class Token implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    @Mixin
    StoreOption store;

    @Mixin
    ConnectionOptions connection;

    @Override
    public Integer call() throws IOException, RefusedException, InterruptedException {
        if (store.load().isEmpty()) {
            spec.commandLine().getErr().println(store.missing());
            return MusterDevice.NO_STORE;
        }
        spec.commandLine().getOut().println(connection.builder(store).build().accessToken());
        return 0;
    }
}
