// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Requests of the process to itself, for the warm-up, if it knows its own port: {@code muster.jar} tells it when it
 * listens. They are anonymous and malformed, or read what everybody may read. So they get no further than the edge, and
 * nothing is counted, stored or logged.
 */
final class OwnVisits implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(OwnVisits.class);
    private static final int PATIENCE = 2000;

    private final String context;
    private volatile boolean over;

    OwnVisits(String context) {
        this.context = context;
    }

    @Override
    public void run() {
        int port = Integer.getInteger("launcher.http-port", 0);
        if (port == 0 || over) {
            return;
        }
        try {
            ask(port, "/.well-known/jwks.json", "", null);
            ask(port, "/register", Bodies.JSON, "{\"warmUp\": true}");
            ask(port, "/token", Bodies.FORM, "grant_type=warm_up");
        } catch (IOException e) {
            over = true;
            LOG.debug("The warm-up makes no more requests", e);
        }
    }

    private void ask(int port, String path, String type, String body) throws IOException {
        URL url = new URL("http", InetAddress.getLoopbackAddress().getHostAddress(), port, context + path);
        HttpURLConnection connection = (HttpURLConnection) url.openConnection();
        connection.setConnectTimeout(PATIENCE);
        connection.setReadTimeout(PATIENCE);
        if (body != null) {
            connection.setDoOutput(true);
            connection.setRequestProperty("Content-Type", type);
            try (OutputStream out = connection.getOutputStream()) {
                out.write(body.getBytes(StandardCharsets.UTF_8));
            }
        }
        try (InputStream in =
                connection.getResponseCode() < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            if (in != null) {
                in.readAllBytes();
            }
        }
    }
}
