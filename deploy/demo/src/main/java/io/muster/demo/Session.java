// SPDX-License-Identifier: Apache-2.0
package io.muster.demo;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import org.eclipse.paho.client.mqttv3.IMqttDeliveryToken;
import org.eclipse.paho.client.mqttv3.MqttCallback;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.MqttMessage;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/** One connection to the broker, by an MQTT client that knows nothing of Muster. */
final class Session implements AutoCloseable {

    private final MqttClient client;
    private final CompletableFuture<Long> lost = new CompletableFuture<>();

    private Session(MqttClient client) {
        this.client = client;
    }

    /**
     * Logs in.
     *
     * @param heard is told topic and text of each message
     * @throws MqttException with the broker's answer
     */
    static Session open(String broker, String clientId, String user, String password, BiConsumer<String, String> heard)
            throws MqttException {
        MqttClient client = new MqttClient(broker, clientId, new MemoryPersistence());
        Session session = new Session(client);
        client.setTimeToWait(10_000);
        client.setCallback(new MqttCallback() {
            @Override
            public void connectionLost(Throwable cause) {
                session.lost.complete(System.nanoTime());
            }

            @Override
            public void messageArrived(String topic, MqttMessage message) {
                heard.accept(topic, new String(message.getPayload(), StandardCharsets.UTF_8));
            }

            @Override
            public void deliveryComplete(IMqttDeliveryToken token) {
                // The broker has it. This does not tell whether anybody else gets it.
            }
        });
        MqttConnectOptions options = new MqttConnectOptions();
        options.setMqttVersion(MqttConnectOptions.MQTT_VERSION_3_1_1);
        options.setUserName(user);
        options.setPassword(password.toCharArray());
        try {
            client.connect(options);
        } catch (MqttException e) {
            client.close(true);
            throw e;
        }
        return session;
    }

    void subscribe(String filter) throws MqttException {
        client.subscribe(filter, 1);
    }

    void publish(String topic, String text) throws MqttException {
        client.publish(topic, text.getBytes(StandardCharsets.UTF_8), 1, false);
    }

    boolean isConnected() {
        return client.isConnected();
    }

    /** Calls this when the broker ends the connection. */
    void whenLost(Runnable then) {
        var unused = lost.thenRun(then);
    }

    /** Waits until the broker has ended the connection. Returns when it did, in {@link System#nanoTime}. */
    long lost(Duration limit) throws InterruptedException, TimeoutException {
        try {
            return lost.get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new TimeoutException("still connected after " + limit.toSeconds() + " s");
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws MqttException {
        if (client.isConnected()) {
            client.disconnectForcibly(0, 1000, true);
        }
        client.close(true);
    }
}
