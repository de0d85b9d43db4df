// SPDX-License-Identifier: Apache-2.0
package io.muster.client.recipes;

import io.muster.client.DeviceClient;
import io.muster.client.RefusedException;
import io.muster.client.TokenSource;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;

/** Code that needs tokens, and does not know their source. */
public final class CallAnApiWithTokenSource {

    private CallAnApiWithTokenSource() {}

    public static void main(String[] args) throws IOException, InterruptedException, RefusedException {
        // tag::recipe
        TokenSource tokens = DeviceClient.builder().store(Path.of(args[0])).build(); // in a test: () -> "a token"
        HttpRequest request = HttpRequest.newBuilder(URI.create(args[1]))
                .header("Authorization", tokens.bearer())
                .build();
        System.out.println(HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.ofString())
                .statusCode());
        // end::recipe
    }
}
