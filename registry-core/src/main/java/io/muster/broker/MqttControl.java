// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.config.MusterConfig.Management;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.spi.DeviceId;
import io.muster.tls.TlsContext;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLSocketFactory;
import org.eclipse.paho.client.mqttv3.IMqttDeliveryToken;
import org.eclipse.paho.client.mqttv3.IMqttToken;
import org.eclipse.paho.client.mqttv3.MqttAsyncClient;
import org.eclipse.paho.client.mqttv3.MqttCallback;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.MqttMessage;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/**
 * Speaks to the plug-in on its control topic, over MQTT. Connects at the first command, and stays connected. If the
 * broker publishes its log, it learns from there which devices connected. Thread-safe.
 */
final class MqttControl implements ControlChannel {

    private static final String CONTROL = "$CONTROL/dynamic-security/v1";
    private static final String RESPONSE = CONTROL + "/response";
    private static final String LOG_TOPIC = "$SYS/broker/log/N";
    /**
     * QoS 0: the answer is the acknowledgement. An acknowledgement by the broker would delay the answer until the next
     * packet, by 40 ms.
     */
    private static final int QUALITY = 0;

    private static final int REFUSED = 128;
    private static final int IN_FLIGHT = 200;
    private static final int NOTED = 10_000;
    private static final Duration CONNECT = Duration.ofSeconds(3);
    private static final Duration ANSWER = Duration.ofSeconds(15);

    /** Matches the whole line, so that nobody can forge one in a client id. */
    private static final Pattern CONNECTED = Pattern.compile(
            "\\d+: New client connected from \\S+ as ([0-9a-f]{32}) \\(p\\d, c\\d, k\\d+, u'([A-Za-z0-9]{16,64})'\\)\\.");

    private final Management management;
    private final Optional<SSLSocketFactory> trust;
    private final Runnable lost;
    private final BiConsumer<DeviceId, String> connected;
    private final ExecutorService noting = noting();
    private final AtomicLong numbers = new AtomicLong();
    private final Map<String, CompletableFuture<List<JsonNode>>> waiting = new ConcurrentHashMap<>();
    private final AtomicBoolean another = new AtomicBoolean();
    private MqttAsyncClient client;
    private boolean closed;

    /**
     * Connects when it is first used.
     *
     * @param lost run when a connection was lost, on a thread that must not wait long
     * @param connected gets the device and the user name of each connection, on a thread of its own
     */
    MqttControl(Management management, Runnable lost, BiConsumer<DeviceId, String> connected) {
        this.management = management;
        this.trust = management.authorities().map(authorities -> TlsContext.of(
                        Optional.of(authorities), Optional.empty())
                .getSocketFactory());
        this.lost = lost;
        this.connected = connected;
    }

    /**
     * A separate thread, because noting writes to the database, and answers must not wait for it. Connections beyond
     * its queue are noted when the device next connects.
     */
    private static ExecutorService noting() {
        ThreadPoolExecutor one = new ThreadPoolExecutor(
                1,
                1,
                10,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(NOTED),
                task -> {
                    Thread thread = new Thread(task, "muster-broker-uses");
                    thread.setDaemon(true);
                    return thread;
                },
                new ThreadPoolExecutor.DiscardPolicy());
        one.allowCoreThreadTimeOut(true);
        return one;
    }

    @Override
    public List<JsonNode> send(List<Map<String, Object>> commands) throws IOException, InterruptedException {
        MqttAsyncClient over = connection();
        String number = over.getClientId() + "-" + numbers.incrementAndGet();
        List<Map<String, Object>> numbered = new ArrayList<>();
        for (Map<String, Object> command : commands) {
            Map<String, Object> one = new LinkedHashMap<>(command);
            one.put("correlationData", number);
            numbered.add(one);
        }
        CompletableFuture<List<JsonNode>> answer = new CompletableFuture<>();
        waiting.put(number, answer);
        try {
            over.publish(CONTROL, Json.bytes(Map.of("commands", numbered)), QUALITY, false);
            List<JsonNode> answers = answer.get(ANSWER.toSeconds(), TimeUnit.SECONDS);
            if (answers.size() != commands.size()) {
                throw new IOException("it answered to " + answers.size() + " of " + commands.size() + " commands");
            }
            return answers;
        } catch (MqttException e) {
            throw failed("it could not be told", e);
        } catch (ExecutionException e) {
            throw new IOException(e.getCause().getMessage());
        } catch (TimeoutException e) {
            throw new IOException("no answer within " + ANSWER.toSeconds()
                    + " s: does the broker have the plug-in for dynamic security, and may management-user use "
                    + CONTROL
                    + "?");
        } finally {
            waiting.remove(number);
        }
    }

    @Override
    public boolean isAnother() {
        return another.getAndSet(false);
    }

    private static IOException failed(String what, MqttException e) {
        return new IOException(what + " (" + e.getReasonCode() + ", " + e.getMessage() + ")");
    }

    private synchronized MqttAsyncClient connection() throws IOException {
        if (closed) {
            throw new IOException("closing");
        }
        if (client != null && client.isConnected()) {
            return client;
        }
        drop();
        try {
            client = new MqttAsyncClient(address(), name(), new MemoryPersistence());
            client.setCallback(new Heard(client));
            MqttConnectOptions options = new MqttConnectOptions();
            options.setMqttVersion(MqttConnectOptions.MQTT_VERSION_3_1_1);
            options.setUserName(management.user());
            options.setPassword(management.password().toCharArray());
            options.setConnectionTimeout((int) CONNECT.toSeconds());
            options.setMaxInflight(IN_FLIGHT);
            trust.ifPresent(options::setSocketFactory);
            client.connect(options).waitForCompletion(CONNECT.toMillis());
            subscribe(RESPONSE, true);
            subscribe(LOG_TOPIC, false);
            another.set(true);
            return client;
        } catch (MqttException e) {
            drop();
            int code = e.getReasonCode();
            boolean refused = code == MqttException.REASON_CODE_FAILED_AUTHENTICATION
                    || code == MqttException.REASON_CODE_NOT_AUTHORIZED;
            throw failed(
                    refused
                            ? "it does not let this registry in: look at management-user and management-password"
                            : "it cannot be reached",
                    e);
        } catch (IOException e) {
            drop();
            throw e;
        }
    }

    private String address() {
        URI url = management.url();
        return (url.getScheme().equals("mqtts") ? "ssl://" : "tcp://") + url.getHost() + ":" + url.getPort();
    }

    /** Returns a client id for one connection, so that nodes do not disconnect each other. */
    private static String name() {
        byte[] random = new byte[8];
        new SecureRandom().nextBytes(random);
        return "muster-registry-" + HexFormat.of().formatHex(random);
    }

    private void subscribe(String topic, boolean required) throws MqttException, IOException {
        IMqttToken token = client.subscribe(topic, QUALITY);
        try {
            token.waitForCompletion(CONNECT.toMillis());
        } catch (MqttException e) {
            // A refusal arrives as an exception too.
            if (required || token.getGrantedQos() == null) {
                throw e;
            }
        }
        int[] granted = token.getGrantedQos();
        if (required && (granted.length == 0 || granted[0] == REFUSED)) {
            throw new IOException("management-user may not subscribe to " + topic);
        }
    }

    /** Receives the messages of one connection. */
    private final class Heard implements MqttCallback {

        private final MqttAsyncClient on;

        private Heard(MqttAsyncClient on) {
            this.on = on;
        }

        @Override
        public void connectionLost(Throwable cause) {
            failAll(on.getClientId());
            lost.run();
        }

        @Override
        public void messageArrived(String topic, MqttMessage message) {
            // An exception thrown here would end the connection.
            try {
                if (topic.equals(RESPONSE)) {
                    answered(message.getPayload());
                } else {
                    logged(new String(message.getPayload(), StandardCharsets.UTF_8));
                }
            } catch (MalformedJsonException e) {
                // The caller that waits for the answer times out.
            }
        }

        @Override
        public void deliveryComplete(IMqttDeliveryToken token) {
            // Nothing to do: only the plug-in's answer counts.
        }
    }

    private void answered(byte[] payload) {
        List<JsonNode> answers = new ArrayList<>();
        Json.parse(payload).path("responses").forEach(answers::add);
        if (!answers.isEmpty()) {
            String number = answers.get(0).path("correlationData").asText();
            CompletableFuture<List<JsonNode>> waits = waiting.get(number);
            if (waits != null) {
                waits.complete(answers);
            }
        }
    }

    private void logged(String line) {
        Matcher matcher = CONNECTED.matcher(line);
        if (matcher.matches()) {
            DeviceId device = new DeviceId(matcher.group(1));
            String key = matcher.group(2);
            noting.execute(() -> connected.accept(device, key));
        }
    }

    private void failAll(String name) {
        waiting.forEach((number, waits) -> {
            if (number.startsWith(name)) {
                waits.completeExceptionally(new IOException("the connection was lost"));
            }
        });
    }

    private void drop() {
        if (client != null) {
            try {
                client.disconnectForcibly(0, 0, false);
            } catch (MqttException e) {
                // It is disconnected already.
            }
            try {
                client.close(true);
            } catch (MqttException e) {
                // There is nothing left to close.
            }
            client = null;
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        noting.shutdownNow();
        drop();
    }
}
