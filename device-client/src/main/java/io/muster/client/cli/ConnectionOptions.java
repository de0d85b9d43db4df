// SPDX-License-Identifier: Apache-2.0
package io.muster.client.cli;

import io.muster.client.DeviceClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Option;

/** The options of every subcommand that talks to the registry. */
final class ConnectionOptions {

    @Option(
            names = "--give-up-after",
            paramLabel = "DURATION",
            defaultValue = "PT2M",
            description = "How long to try, as PT30S or PT24H (default: ${DEFAULT-VALUE}).")
    Duration giveUpAfter;

    @Option(
            names = "--initial-spread",
            paramLabel = "DURATION",
            defaultValue = "PT0S",
            description =
                    "Wait a random part of this first, for fleets that start all at once; less than --give-up-after.")
    Duration initialSpread;

    @Option(
            names = "--ca-file",
            paramLabel = "FILE",
            description = "Trust these PEM certificates instead of Java's own list.")
    Path caFile;

    @Option(
            names = "--allow-plain-http",
            description = "Permit http to other hosts than this one. Everybody on the way can read the secret.")
    boolean plainHttp;

    DeviceClient.Builder builder(StoredCommand stored) throws IOException {
        DeviceClient.Builder builder = DeviceClient.builder()
                .store(stored.file)
                .giveUpAfter(giveUpAfter)
                .initialSpread(initialSpread);
        if (caFile != null) {
            try {
                builder.trustedCertificates(caFile);
            } catch (IOException e) {
                throw new IllegalArgumentException("--ca-file: " + e.getMessage(), e);
            }
        }
        return plainHttp ? builder.allowPlainHttp() : builder;
    }
}
