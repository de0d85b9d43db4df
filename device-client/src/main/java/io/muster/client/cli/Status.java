// SPDX-License-Identifier: Apache-2.0
package io.muster.client.cli;

import io.muster.client.RefusedException;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        versionProvider = MusterDevice.Version.class,
        description = "Asks the registry about this device and prints whether somebody owns it.")
final class Status implements Callable<Integer> {

    @Mixin
    StoredCommand stored;

    @Mixin
    ConnectionOptions connection;

    @Override
    public Integer call() throws IOException, RefusedException, InterruptedException {
        if (stored.open().isEmpty()) {
            return MusterDevice.NO_STORE;
        }
        stored.out().println("owned: " + connection.builder(stored).build().isOwned());
        return 0;
    }
}
