// SPDX-License-Identifier: Apache-2.0
package io.muster.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A person with an operator's token: plain HTTP requests, as {@code curl} sends them. */
record Operator(URI registry, String token) {

    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final Pattern DEVICE = Pattern.compile("\"deviceId\":\"([^\"]+)\"");
    private static final Pattern TOKEN = Pattern.compile("\"token\":\"([^\"]+)\"");

    /** Tells the registry which serials may register. */
    void expect(List<String> serials) throws IOException, InterruptedException {
        post("/api/v1/fleets/default/serials", "text/csv", "serial\n" + String.join("\n", serials) + "\n");
    }

    /** Creates another operator. Returns its token, which is shown this once. */
    String operator(String name, String right) throws IOException, InterruptedException {
        String made = post(
                "/api/v1/operators",
                "application/json",
                "{\"name\": \"" + name + "\", \"rights\": [\"" + right + "\"]}");
        Matcher member = TOKEN.matcher(made);
        if (!member.find()) {
            throw new IOException("the reply to a new operator has no token");
        }
        return member.group(1);
    }

    void revoke(String deviceId) throws IOException, InterruptedException {
        post("/api/v1/devices/" + deviceId + "/revoke", "application/json", "");
    }

    /** Returns the ids of the devices with this serial. */
    List<String> devices(String serial) throws IOException, InterruptedException {
        return DEVICE.matcher(get("/api/v1/devices?serial=" + serial))
                .results()
                .map(found -> found.group(1))
                .toList();
    }

    /** Returns the reason of a serial's last refusal. Refusals are recorded a moment later. */
    String refusal(String serial) throws IOException, InterruptedException {
        Pattern reason = Pattern.compile("\"serial\":\"" + serial + "\"[^}]*\"detail\":\"([^\"]+)\"");
        for (int i = 0; i < 100; i++) {
            Matcher refusal = reason.matcher(get("/api/v1/events?limit=20"));
            if (refusal.find()) {
                return refusal.group(1);
            }
            Thread.sleep(100);
        }
        throw new IOException("no event says that " + serial + " was refused");
    }

    private String get(String path) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(registry + path)));
    }

    private String post(String path, String type, String body) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(registry + path))
                .header("Content-Type", type)
                .POST(BodyPublishers.ofString(body)));
    }

    private String send(HttpRequest.Builder builder) throws IOException, InterruptedException {
        HttpRequest request = builder.header("Authorization", "Bearer " + token).build();
        var reply = HTTP.send(request, BodyHandlers.ofString());
        if (reply.statusCode() / 100 != 2) {
            throw new IOException(
                    request.method() + " " + request.uri() + " answered " + reply.statusCode() + ": " + reply.body());
        }
        return reply.body();
    }

    @Override
    public String toString() {
        return "Operator[" + registry + "]";
    }
}
