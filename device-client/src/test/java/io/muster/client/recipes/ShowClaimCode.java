// SPDX-License-Identifier: Apache-2.0
package io.muster.client.recipes;

import io.muster.api.DisplayCode;
import io.muster.client.DeviceClient;
import io.muster.client.RefusedException;
import java.io.IOException;
import java.nio.file.Path;

/** Shows a code until somebody owns the device. */
public final class ShowClaimCode {

    private ShowClaimCode() {}

    public static void main(String[] args) throws IOException, InterruptedException, RefusedException {
        // tag::recipe
        DeviceClient client = DeviceClient.builder().store(Path.of(args[0])).build();
        if (!client.isOwned()) {
            DisplayCode code = client.claimCode(); // when the user presses a button: it is good for minutes
            System.out.println(code.code() + " or, as a QR code, " + code.url());
        }
        // end::recipe
    }
}
