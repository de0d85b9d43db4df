// SPDX-License-Identifier: Apache-2.0
package io.muster.client.cli;

import io.muster.client.DeviceConfiguration;
import io.muster.client.RefusedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "configuration",
        mixinStandardHelpOptions = true,
        versionProvider = MusterDevice.Version.class,
        description = "Asks the registry for the present configuration of this device, and prints its version and"
                + " values.")
final class Configuration implements Callable<Integer> {

    @Mixin
    StoredCommand stored;

    @Mixin
    ConnectionOptions connection;

    @Option(names = "--version-only", description = "Print the version only, to see whether there is a change.")
    boolean versionOnly;

    @Override
    public Integer call() throws IOException, RefusedException, InterruptedException {
        if (stored.open().isEmpty()) {
            return MusterDevice.NO_STORE;
        }
        DeviceConfiguration configuration = connection.builder(stored).build().configuration();
        PrintWriter out = stored.out();
        out.println("version: " + MusterDevice.printable(configuration.version()));
        if (!versionOnly) {
            new TreeMap<>(configuration.values())
                    .forEach((name, value) -> out.println(
                            "configuration." + MusterDevice.printable(name) + ": " + MusterDevice.printable(value)));
        }
        return 0;
    }
}
