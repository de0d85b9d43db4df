// SPDX-License-Identifier: Apache-2.0
package io.muster.client.recipes;

import io.muster.client.DeviceCertificate;
import io.muster.client.DeviceClient;
import io.muster.client.RefusedException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;

/** Proves the serial with the certificate that the factory put into the device. */
public final class ProveWithCertificate {

    private ProveWithCertificate() {}

    public static void main(String[] args) throws IOException, InterruptedException, RefusedException {
        // tag::recipe
        DeviceClient client = DeviceClient.builder()
                .registry(URI.create(args[0]))
                .serial(args[1])
                .certificate(DeviceCertificate.read(Path.of(args[3]), Path.of(args[4])))
                .store(Path.of(args[2]))
                .build();
        // end::recipe
        System.out.println(client.register().deviceId());
    }
}
