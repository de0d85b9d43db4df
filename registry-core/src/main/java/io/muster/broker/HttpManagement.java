// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.config.MusterConfig.Broker;
import io.muster.config.MusterConfig.Management;
import io.muster.credential.ClientAuthenticator.Used;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.spi.DeviceId;
import io.muster.tls.TlsContext;
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
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** The management of brokers that offer it over HTTP. Follows no redirect. Thread-safe. */
final class HttpManagement implements BrokerManagement {

    private static final Duration CONNECT = Duration.ofSeconds(2);
    private static final Duration ANSWER = Duration.ofSeconds(5);
    private static final Set<Integer> GONE = Set.of(200, 204, 404);

    private final String base;
    private final Dialect dialect;
    private final Function<DeviceId, Used> used;
    private final String authorization;
    private final HttpClient client;

    /** The calls to a kind of broker. */
    private interface Dialect {

        List<Call> device(DeviceId device, List<String> keys, boolean forGood);

        List<Call> operator(String name, HttpManagement broker) throws IOException, InterruptedException;
    }

    private record Call(String method, String path) {}

    private HttpManagement(
            Management management, Dialect dialect, Function<DeviceId, Used> used, String user, String password) {
        this.base = management.url().toString().replaceAll("/+$", "");
        this.dialect = dialect;
        this.used = used;
        this.authorization =
                "Basic " + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
        HttpClient.Builder connections = HttpClient.newBuilder()
                .connectTimeout(CONNECT)
                .followRedirects(HttpClient.Redirect.NEVER)
                .version(HttpClient.Version.HTTP_1_1);
        management
                .authorities()
                .map(authorities -> TlsContext.of(Optional.of(authorities), Optional.empty()))
                .ifPresent(connections::sslContext);
        this.client = connections.build();
    }

    /**
     * Returns the management of a broker that has one.
     *
     * @param used tells which credentials a device authenticated with
     */
    static BrokerManagement of(Broker broker, Function<DeviceId, Used> used) {
        Management management = broker.management().orElseThrow();
        return switch (broker.kind()) {
            case RABBITMQ ->
                new HttpManagement(management, new RabbitMq(), used, management.user(), management.password());
            case EMQX -> new HttpManagement(management, new Emqx(), used, management.user(), management.password());
            // The API key is the user name; the password is empty.
            case VERNEMQ -> new HttpManagement(management, new VerneMq(), used, management.password(), "");
            case JSON -> new HttpManagement(management, new Plain(), used, management.user(), management.password());
            case GO_AUTH -> throw new IllegalArgumentException("mosquitto-go-auth has no management");
            case MOSQUITTO -> throw new IllegalArgumentException("it is told over MQTT");
        };
    }

    /** Disconnects by user name, since the broker knows a new connection by its client id only after some seconds. */
    private static final class RabbitMq implements Dialect {

        @Override
        public List<Call> device(DeviceId device, List<String> keys, boolean forGood) {
            List<Call> calls = new ArrayList<>();
            keys.forEach(key -> calls.add(connections(key)));
            if (forGood) {
                // The queues of a persistent session, which would go on filling, and a delayed will.
                for (String queue : List.of("mqtt-subscription-%sqos0", "mqtt-subscription-%sqos1", "mqtt-will-%s")) {
                    calls.add(new Call("DELETE", "/api/queues/%2F/" + queue.formatted(device.value())));
                }
            }
            return calls;
        }

        @Override
        public List<Call> operator(String name, HttpManagement broker) {
            return List.of(connections(name));
        }

        private static Call connections(String user) {
            return new Call("DELETE", "/api/connections/username/" + encoded(user));
        }
    }

    /** Disconnects by client id. For an operator it first asks the broker for the client ids. */
    private static final class Emqx implements Dialect {

        @Override
        public List<Call> device(DeviceId device, List<String> keys, boolean forGood) {
            return List.of(client(device.value()));
        }

        @Override
        public List<Call> operator(String name, HttpManagement broker) throws IOException, InterruptedException {
            return broker.clients("/api/v5/clients?limit=1000&username=" + encoded(name), "data", "clientid").stream()
                    .map(Emqx::client)
                    .toList();
        }

        private static Call client(String id) {
            return new Call("DELETE", "/api/v5/clients/" + encoded(id));
        }
    }

    /** Disconnects by client id. For an operator it first asks the broker for the client ids. */
    private static final class VerneMq implements Dialect {

        @Override
        public List<Call> device(DeviceId device, List<String> keys, boolean forGood) {
            return List.of(session(device.value(), forGood));
        }

        @Override
        public List<Call> operator(String name, HttpManagement broker) throws IOException, InterruptedException {
            return broker
                    .clients("/api/v1/session/show?--client_id&--user=" + encoded(name), "table", "client_id")
                    .stream()
                    .map(id -> session(id, true))
                    .toList();
        }

        private static Call session(String client, boolean forGood) {
            return new Call(
                    "GET", "/api/v1/session/disconnect?client-id=" + encoded(client) + (forGood ? "&--cleanup" : ""));
        }
    }

    /** The interface that our documentation asks of other brokers. */
    private static final class Plain implements Dialect {

        @Override
        public List<Call> device(DeviceId device, List<String> keys, boolean forGood) {
            return List.of(new Call("DELETE", "/clients/" + device.value() + (forGood ? "?session=end" : "")));
        }

        @Override
        public List<Call> operator(String name, HttpManagement broker) {
            return List.of(new Call("DELETE", "/users/" + encoded(name)));
        }
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    @Override
    public Result keep(DeviceId device) throws IOException, InterruptedException {
        Used of = used.apply(device);
        if (of.ended().isEmpty()) {
            return new Result(0, false, Optional.empty());
        }
        call(dialect.device(device, of.ended(), of.ended().size() == of.keys().size()));
        return new Result(1, true, Optional.empty());
    }

    @Override
    public Result anew(DeviceId device) throws IOException, InterruptedException {
        List<String> keys = used.apply(device).keys();
        if (keys.isEmpty()) {
            // It was never connected.
            return new Result(0, false, Optional.empty());
        }
        call(dialect.device(device, keys, true));
        return new Result(1, true, Optional.empty());
    }

    @Override
    public void disconnect(String operator) throws IOException, InterruptedException {
        call(dialect.operator(operator, this));
    }

    private void call(List<Call> calls) throws IOException, InterruptedException {
        for (Call call : calls) {
            int status = client.send(request(call), HttpResponse.BodyHandlers.discarding())
                    .statusCode();
            if (!GONE.contains(status)) {
                throw new RefusedException("it answered " + status);
            }
        }
    }

    /** Asks for client ids: a list of objects, each with one. */
    private List<String> clients(String path, String list, String member) throws IOException, InterruptedException {
        HttpResponse<byte[]> response =
                client.send(request(new Call("GET", path)), HttpResponse.BodyHandlers.ofByteArray());
        if (response.statusCode() != 200) {
            throw new RefusedException("it answered " + response.statusCode());
        }
        try {
            List<String> ids = new ArrayList<>();
            for (JsonNode one : Json.parse(response.body()).path(list)) {
                ids.add(one.path(member).asText());
            }
            return ids;
        } catch (MalformedJsonException e) {
            throw new RefusedException("it answered with no JSON");
        }
    }

    private HttpRequest request(Call call) {
        return HttpRequest.newBuilder(URI.create(base + call.path()))
                .method(call.method(), HttpRequest.BodyPublishers.noBody())
                .header("Authorization", authorization)
                .header("X-Reason", "no longer good at the registry")
                .timeout(ANSWER)
                .build();
    }
}
