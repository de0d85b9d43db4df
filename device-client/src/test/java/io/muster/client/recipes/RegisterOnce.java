// SPDX-License-Identifier: Apache-2.0
package io.muster.client.recipes;

import io.muster.client.DeviceClient;
import io.muster.client.DeviceIdentity;
import io.muster.client.RefusedException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;

/** Registers the first time, and uses no network from then on. */
public final class RegisterOnce {

    private RegisterOnce() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        // tag::recipe
        DeviceClient client = DeviceClient.builder()
                .registry(URI.create(args[0]))
                .serial(args[1])
                .store(Path.of(args[2]))
                .build();
        try {
            DeviceIdentity me = client.register();
            System.out.println(
                    "I am " + me.deviceId() + ", every " + me.configuration().get("interval"));
        } catch (RefusedException e) {
            System.err.println(e.getMessage()); // tell a person; do not loop
        }
        // end::recipe
    }
}
