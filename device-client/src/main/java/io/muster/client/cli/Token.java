// SPDX-License-Identifier: Apache-2.0
package io.muster.client.cli;

import io.muster.client.RefusedException;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "token",
        mixinStandardHelpOptions = true,
        versionProvider = MusterDevice.Version.class,
        description = "Gets a new access token and prints it, and nothing else, to standard output.")
final class Token implements Callable<Integer> {

    @Mixin
    StoredCommand stored;

    @Mixin
    ConnectionOptions connection;

    @Override
    public Integer call() throws IOException, RefusedException, InterruptedException {
        if (stored.open().isEmpty()) {
            return MusterDevice.NO_STORE;
        }
        stored.out().println(connection.builder(stored).build().accessToken());
        return 0;
    }
}
