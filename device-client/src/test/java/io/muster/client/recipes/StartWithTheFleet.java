// SPDX-License-Identifier: Apache-2.0
package io.muster.client.recipes;

import io.muster.client.DeviceClient;
import io.muster.client.RefusedException;
import io.muster.client.UnavailableException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;

/** Starts together with ten thousand others, under a watchdog. */
public final class StartWithTheFleet {

    private StartWithTheFleet() {}

    public static void main(String[] args) throws IOException, InterruptedException, RefusedException {
        // tag::recipe
        DeviceClient client = DeviceClient.builder()
                .registry(URI.create(args[0]))
                .serial(args[1])
                .store(Path.of(args[2]))
                .initialSpread(Duration.ofMillis(Long.parseLong(args[3])))
                .giveUpAfter(Duration.ofMinutes(2))
                .build();
        try {
            System.out.println(client.accessToken());
        } catch (UnavailableException e) {
            System.out.println("not before " + e.retryAfter()); // feed the watchdog, call again
        }
        // end::recipe
    }
}
