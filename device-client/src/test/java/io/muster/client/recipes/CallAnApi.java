// SPDX-License-Identifier: Apache-2.0
package io.muster.client.recipes;

import io.muster.client.DeviceClient;
import io.muster.client.RefusedException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;

/** Calls an HTTP API with an access token. */
public final class CallAnApi {

    private CallAnApi() {}

    public static void main(String[] args) throws IOException, InterruptedException, RefusedException {
        // tag::recipe
        DeviceClient client = DeviceClient.builder().store(Path.of(args[0])).build(); // one for the whole process
        HttpClient http = HttpClient.newHttpClient();

        HttpRequest request = HttpRequest.newBuilder(URI.create(args[1]))
                .header("Authorization", "Bearer " + client.accessToken()) // each time: it is cached and renewed
                .build();
        System.out.println(
                http.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
        // end::recipe
    }
}
