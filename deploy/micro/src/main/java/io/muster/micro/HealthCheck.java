// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;

/**
 * {@code java -cp muster.jar io.muster.micro.HealthCheck [port]}: asks the registry of this machine whether it is ready. For containers,
 * whose images need not have a program that speaks HTTP.
 */
public final class HealthCheck {

    private static final int PATIENCE_MILLIS = 4_000;

    private HealthCheck() {}

    /**
     * Ends with status 0 if the registry is ready, and otherwise with 1 and the reason on standard error.
     *
     * @param arguments the port, if it is not 8080
     */
    public static void main(String... arguments) {
        String port = arguments.length == 0 ? "8080" : arguments[0];
        String fault = fault(URI.create("http://127.0.0.1:" + port + "/health/ready"));
        if (fault != null) {
            System.err.println(fault);
            System.exit(1);
        }
    }

    /** Returns why the registry is not ready, or null if it is. */
    static String fault(URI ready) {
        try {
            // Never by a proxy of the environment: it is this machine that is asked.
            HttpURLConnection connection = (HttpURLConnection) ready.toURL().openConnection(Proxy.NO_PROXY);
            connection.setConnectTimeout(PATIENCE_MILLIS);
            connection.setReadTimeout(PATIENCE_MILLIS);
            int status = connection.getResponseCode();
            return status == 200 ? null : ready + " answered " + status;
        } catch (IOException e) {
            return ready + ": " + e.getMessage();
        }
    }
}
