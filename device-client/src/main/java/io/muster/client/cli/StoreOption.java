package io.muster.client.cli;

import io.muster.client.CredentialStore;
import io.muster.client.DeviceIdentity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** {@code --store}, the same for every subcommand. */
final class StoreOption {

    @Option(
            names = "--store",
            paramLabel = "FILE",
            defaultValue = "muster-device.json",
            description = "The file that keeps the identity (default: ${DEFAULT-VALUE}).")
    Path file;

    Optional<DeviceIdentity> load() throws IOException {
        return CredentialStore.at(file).load();
    }

    String missing() {
        return file + ": this device has not registered yet";
    }
}
