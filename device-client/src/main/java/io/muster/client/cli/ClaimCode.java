// SPDX-License-Identifier: Apache-2.0
package io.muster.client.cli;

import io.muster.api.DisplayCode;
import io.muster.client.RefusedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "claim-code",
        mixinStandardHelpOptions = true,
        versionProvider = MusterDevice.Version.class,
        description = "Gets a code for this device's display, by which the user in front of it claims it, and the"
                + " address of the claim page for a QR code. It is good once and for some minutes.")
final class ClaimCode implements Callable<Integer> {

    @Mixin
    StoredCommand stored;

    @Mixin
    ConnectionOptions connection;

    @Override
    public Integer call() throws IOException, RefusedException, InterruptedException {
        if (stored.open().isEmpty()) {
            return MusterDevice.NO_STORE;
        }
        DisplayCode code = connection.builder(stored).build().claimCode();
        PrintWriter out = stored.out();
        out.println("code: " + MusterDevice.printable(code.code()));
        out.println("expiresAt: " + code.expiresAt());
        out.println("url: " + code.url());
        return 0;
    }
}
