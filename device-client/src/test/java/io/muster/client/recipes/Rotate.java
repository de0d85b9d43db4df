// SPDX-License-Identifier: Apache-2.0
package io.muster.client.recipes;

import io.muster.client.DeviceClient;
import io.muster.client.RefusedException;
import java.io.IOException;
import java.nio.file.Path;

/** Replaces the credential now. */
public final class Rotate {

    private Rotate() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        // tag::recipe
        DeviceClient client = DeviceClient.builder().store(Path.of(args[0])).build();
        try {
            client.rotate();
        } catch (RefusedException e) {
            System.err.println(e.getMessage()); // the credential before it is still there, and works
        }
        // end::recipe
    }
}
