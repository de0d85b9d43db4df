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

/** Somebody who has an operator's token: plain HTTP requests, as {@code curl} sends them. */
record Operator(URI registry, String token) {

    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final Pattern TOKEN = Pattern.compile("\"token\":\"([^\"]+)\"");

    /** Tells the registry which serials may register. */
    void expect(List<String> serials) throws IOException, InterruptedException {
        post("/api/v1/fleets/default/serials", "text/csv", "serial\n" + String.join("\n", serials) + "\n");
    }

    /** Makes another operator. Returns its token, which is shown this once. */
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

    private String post(String path, String type, String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(registry + path))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", type)
                .POST(BodyPublishers.ofString(body))
                .build();
        var reply = HTTP.send(request, BodyHandlers.ofString());
        if (reply.statusCode() / 100 != 2) {
            throw new IOException("POST " + path + " answered " + reply.statusCode() + ": " + reply.body());
        }
        return reply.body();
    }

    @Override
    public String toString() {
        return "Operator[" + registry + "]";
    }
}
