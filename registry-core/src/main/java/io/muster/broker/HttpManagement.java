package io.muster.broker;

import io.muster.config.MusterConfig.Broker;
import io.muster.config.MusterConfig.Management;
import io.muster.spi.DeviceId;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/** The management of brokers that have it over HTTP. Follows no redirect. Thread-safe. */
final class HttpManagement implements BrokerManagement {

    private static final Duration CONNECT = Duration.ofSeconds(2);
    private static final Duration ANSWER = Duration.ofSeconds(5);
    private static final Set<Integer> GONE = Set.of(200, 204, 404);

    private final Management management;
    private final Calls calls;
    private final String authorization;
    private final HttpClient client;

    /** What is called for one device. */
    private interface Calls {

        List<Call> of(DeviceId device, List<String> keys, boolean forGood);
    }

    private record Call(String method, String path) {}

    private HttpManagement(Management management, Calls calls, String user, String password) {
        this.management = management;
        this.calls = calls;
        this.authorization =
                "Basic " + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
        this.client = HttpClient.newBuilder()
                .connectTimeout(CONNECT)
                .followRedirects(HttpClient.Redirect.NEVER)
                .version(HttpClient.Version.HTTP_1_1)
                .build();
    }

    /** Returns the management of a broker that has one. */
    static BrokerManagement of(Broker broker) {
        Management management = broker.management().orElseThrow();
        return switch (broker.kind()) {
            case RABBITMQ ->
                new HttpManagement(management, HttpManagement::rabbitMq, management.user(), management.password());
            case EMQX -> new HttpManagement(management, HttpManagement::emqx, management.user(), management.password());
            // Its API key is the user name, and there is no password.
            case VERNEMQ -> new HttpManagement(management, HttpManagement::verneMq, management.password(), "");
            case JSON, GO_AUTH ->
                new HttpManagement(management, HttpManagement::json, management.user(), management.password());
        };
    }

    /** By user name, since the broker knows a new connection by its client id only after some seconds. */
    private static List<Call> rabbitMq(DeviceId device, List<String> keys, boolean forGood) {
        List<Call> calls = new ArrayList<>();
        keys.forEach(key -> calls.add(new Call("DELETE", "/api/connections/username/" + encoded(key))));
        if (forGood) {
            // What a persistent session leaves behind, and fills.
            for (String quality : List.of("qos0", "qos1")) {
                calls.add(new Call("DELETE", "/api/queues/%2F/mqtt-subscription-" + device.value() + quality));
            }
        }
        return calls;
    }

    private static List<Call> emqx(DeviceId device, List<String> keys, boolean forGood) {
        return List.of(new Call("DELETE", "/api/v5/clients/" + device.value()));
    }

    private static List<Call> verneMq(DeviceId device, List<String> keys, boolean forGood) {
        return List.of(new Call(
                "GET", "/api/v1/session/disconnect?client-id=" + device.value() + (forGood ? "&--cleanup" : "")));
    }

    private static List<Call> json(DeviceId device, List<String> keys, boolean forGood) {
        return List.of(new Call("DELETE", "/clients/" + device.value() + (forGood ? "?session=end" : "")));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    @Override
    public void disconnect(DeviceId device, List<String> keys, boolean forGood)
            throws IOException, InterruptedException {
        for (Call call : calls.of(device, keys, forGood)) {
            HttpRequest request = HttpRequest.newBuilder(
                            URI.create(management.url().toString().replaceAll("/+$", "") + call.path()))
                    .method(call.method(), HttpRequest.BodyPublishers.noBody())
                    .header("Authorization", authorization)
                    .header("X-Reason", "no longer good at the registry")
                    .timeout(ANSWER)
                    .build();
            int status =
                    client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
            if (!GONE.contains(status)) {
                throw new IOException("it answered " + status);
            }
        }
    }
}
