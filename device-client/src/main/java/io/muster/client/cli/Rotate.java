// SPDX-License-Identifier: Apache-2.0
package io.muster.client.cli;

import io.muster.client.DeviceClient;
import io.muster.client.KeyKind;
import io.muster.client.RefusedException;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "rotate",
        mixinStandardHelpOptions = true,
        versionProvider = MusterDevice.Version.class,
        description = "Replaces the credential. One that works is kept at every moment; after a failure, run it again.")
final class Rotate implements Callable<Integer> {

    @Mixin
    StoredCommand stored;

    @Mixin
    ConnectionOptions connection;

    @Option(
            names = "--device-key",
            paramLabel = "KIND",
            arity = "0..1",
            fallbackValue = "P256",
            description = "Replace a secret by a key that this device makes: P256 or ED25519 (default: what it has).")
    KeyKind deviceKey;

    @Override
    public Integer call() throws IOException, RefusedException, InterruptedException {
        if (stored.open().isEmpty()) {
            return MusterDevice.NO_STORE;
        }
        DeviceClient.Builder builder = connection.builder(stored);
        if (deviceKey != null) {
            builder.deviceKey(deviceKey);
        }
        builder.build().rotate();
        stored.say("rotated; saved in " + stored.file);
        return 0;
    }
}
