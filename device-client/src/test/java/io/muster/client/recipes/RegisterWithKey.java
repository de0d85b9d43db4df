// SPDX-License-Identifier: Apache-2.0
package io.muster.client.recipes;

import io.muster.client.DeviceClient;
import io.muster.client.RefusedException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;

/** Registers with a key that never leaves the device. */
public final class RegisterWithKey {

    private RegisterWithKey() {}

    public static void main(String[] args) throws IOException, InterruptedException, RefusedException {
        // tag::recipe
        DeviceClient client = DeviceClient.builder()
                .registry(URI.create(args[0]))
                .serial(args[1])
                .deviceKey() // P-256; or deviceKey(KeyKind.ED25519)
                .store(Path.of(args[2]))
                .build();
        System.out.println("I am " + client.register().deviceId() + ", and nobody ever saw my key");
        // end::recipe
    }
}
