package io.muster.suite;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** A running registry, and what devices, resource servers and operators do with it: plain HTTP, no code of the product. */
final class RegistryUnderTest {

    static final String JSON = "application/json";
    static final String FORM = "application/x-www-form-urlencoded";
    static final String CSV = "text/csv";

    private static final AtomicInteger SERIALS = new AtomicInteger();
    private static final long RUN = System.currentTimeMillis();

    private final MusterServer server;
    private final String operatorToken;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(Duration.ofSeconds(5))
            .build();

    /** What a device got when it registered. */
    record Registered(String serial, String deviceId, String key, String secret) {}

    RegistryUnderTest(MusterServer server, String operatorToken) {
        this.server = server;
        this.operatorToken = operatorToken;
    }

    MusterServer server() {
        return server;
    }

    URI base() {
        return server.base();
    }

    String operatorToken() {
        return operatorToken;
    }

    /** Sends a request; headers are given as names and values in turn. */
    Reply send(String method, String path, byte[] body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(base().resolve(path))
                .timeout(Duration.ofSeconds(60))
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        try {
            HttpResponse<byte[]> response = http.send(request.build(), BodyHandlers.ofByteArray());
            return new Reply(response.statusCode(), response.headers().map(), response.body());
        } catch (IOException e) {
            throw new UncheckedIOException(method + " " + path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    Reply get(String path, String... headers) {
        return send("GET", path, null, headers);
    }

    Reply post(String path, String type, String body, String... headers) {
        return post(path, type, body.getBytes(StandardCharsets.UTF_8), headers);
    }

    Reply post(String path, String type, byte[] body, String... headers) {
        List<String> all = new ArrayList<>(List.of(headers));
        all.addAll(List.of("Content-Type", type));
        return send("POST", path, body, all.toArray(String[]::new));
    }

    // operators

    /** Names and values of the headers with which the first operator calls. */
    String[] asOperator() {
        return bearer(operatorToken);
    }

    static String[] bearer(String token) {
        return new String[] {"Authorization", "Bearer " + token};
    }

    Reply load(String fleet, String type, byte[] body) {
        return post("api/v1/fleets/" + fleet + "/serials", type, body, asOperator());
    }

    Reply load(String csv) {
        return load("default", CSV, csv.getBytes(StandardCharsets.UTF_8));
    }

    /** Makes serials expected in a fleet. */
    void expect(String fleet, List<String> serials) {
        Reply reply =
                load(fleet, CSV, ("serial\n" + String.join("\n", serials) + "\n").getBytes(StandardCharsets.UTF_8));
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.json().path("accepted").asInt()).isEqualTo(serials.size());
    }

    void expect(String... serials) {
        expect("default", List.of(serials));
    }

    /** Serials that were never used before. */
    static List<String> unusedSerials(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> "SN-%x-%06d".formatted(RUN, SERIALS.incrementAndGet()))
                .toList();
    }

    static String unusedSerial() {
        return unusedSerials(1).get(0);
    }

    /** A serial that was never used before and is expected. */
    String expectedSerial() {
        String serial = unusedSerial();
        expect(serial);
        return serial;
    }

    Reply listDevices(String query) {
        return get("api/v1/devices" + query, asOperator());
    }

    List<JsonNode> devicesOf(String serial) {
        Reply reply = listDevices("?serial=" + encoded(serial));
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        List<JsonNode> devices = new ArrayList<>();
        reply.json().path("devices").forEach(devices::add);
        return devices;
    }

    Reply change(String deviceId, String verb) {
        return send("POST", "api/v1/devices/" + deviceId + "/" + verb, new byte[0], asOperator());
    }

    // devices

    static String body(String serial) {
        return "{\"serial\":\"" + serial + "\"}";
    }

    Reply register(String serial) {
        return post("register", JSON, body(serial));
    }

    Reply registerIn(String fleet, String serial) {
        return post("fleets/" + fleet + "/register", JSON, body(serial));
    }

    /** Registers an expected serial. */
    Registered registered(String serial) {
        Reply reply = register(serial);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return receipt(serial, reply);
    }

    static Registered receipt(String serial, Reply reply) {
        JsonNode json = reply.json();
        return new Registered(
                serial,
                json.path("deviceId").asText(),
                json.path("key").asText(),
                json.path("secret").asText());
    }

    /** A device that has just registered under a new serial. */
    Registered newDevice() {
        return registered(expectedSerial());
    }

    static String basic(String key, String secret) {
        return "Basic "
                + Base64.getEncoder()
                        .encodeToString((encoded(key) + ":" + encoded(secret)).getBytes(StandardCharsets.UTF_8));
    }

    Reply token(String key, String secret) {
        return post("token", FORM, "grant_type=client_credentials", "Authorization", basic(key, secret));
    }

    Reply token(Registered device) {
        return token(device.key(), device.secret());
    }

    String accessToken(Registered device) {
        Reply reply = token(device);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply.json().path("access_token").asText();
    }

    Reply ownRecord(String accessToken) {
        return get("devices/me", bearer(accessToken));
    }

    // resource servers

    Reply introspect(String token) {
        return post("introspect", FORM, "token=" + encoded(token), asOperator());
    }

    boolean isActive(String token) {
        Reply reply = introspect(token);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply.json().path("active").booleanValue();
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
