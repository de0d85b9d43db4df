// SPDX-License-Identifier: Apache-2.0
package io.muster.client.cli;

import io.muster.client.CredentialStore;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "forget",
        mixinStandardHelpOptions = true,
        versionProvider = MusterDevice.Version.class,
        description =
                "Deletes the stored identity, damaged or not. The registry may refuse to register the device again.")
final class Forget implements Callable<Integer> {

    @Mixin
    StoredCommand stored;

    @Option(names = "--yes", description = "Yes, delete it.")
    boolean yes;

    @Override
    public Integer call() throws IOException {
        if (!yes) {
            stored.say("nothing deleted. The secret cannot be had again; if that is meant, repeat with --yes");
            return CommandLine.ExitCode.USAGE;
        }
        if (CredentialStore.at(stored.file).forget()) {
            stored.say("deleted " + stored.file);
        } else {
            stored.sayMissing();
        }
        return 0;
    }
}
