// SPDX-License-Identifier: Apache-2.0
package io.muster.client.recipes;

import io.muster.client.DeviceClient;
import io.muster.client.RefusedException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Offers evidence beside the serial, made anew for each attempt. */
public final class ProveWithHmac {

    private ProveWithHmac() {}

    public static void main(String[] args) throws IOException, InterruptedException, RefusedException {
        byte[] key = HexFormat.of().parseHex(args[3]);
        // tag::recipe
        DeviceClient client = DeviceClient.builder()
                .registry(URI.create(args[0]))
                .fleet("hall-b")
                .serial(args[1])
                .evidence(() -> Map.of("hmac", hmac(key, args[1])))
                .store(Path.of(args[2]))
                .build();
        // end::recipe
        System.out.println(client.register().deviceId());
    }

    private static String hmac(byte[] key, String serial) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return HexFormat.of().formatHex(mac.doFinal(serial.getBytes(StandardCharsets.US_ASCII)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
