// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.eclipse.paho.client.mqttv3.IMqttDeliveryToken;
import org.eclipse.paho.client.mqttv3.MqttCallback;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.MqttMessage;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/** A client that is connected to a broker by a stock MQTT library, and keeps the delivered messages. */
final class MqttParty implements AutoCloseable {

    private final MqttClient client;
    private final List<Message> received = new CopyOnWriteArrayList<>();
    private final CountDownLatch lost = new CountDownLatch(1);
    private volatile long lostAt;

    /** A delivered message. */
    record Message(String topic, String text) {}

    private MqttParty(MqttClient client) {
        this.client = client;
    }

    /** Connects, or throws the broker's answer. */
    static MqttParty connect(String broker, String clientId, String user, String password) throws MqttException {
        return connect(broker, clientId, options(user, password));
    }

    static MqttConnectOptions options(String user, String password) {
        MqttConnectOptions options = new MqttConnectOptions();
        options.setMqttVersion(MqttConnectOptions.MQTT_VERSION_3_1_1);
        options.setConnectionTimeout(20);
        // Several threads may publish by one.
        options.setMaxInflight(1000);
        if (user != null) {
            options.setUserName(user);
            options.setPassword(password.toCharArray());
        }
        return options;
    }

    static MqttParty connect(String broker, String clientId, MqttConnectOptions options) throws MqttException {
        MqttClient client = new MqttClient(broker, clientId, new MemoryPersistence());
        MqttParty party = new MqttParty(client);
        client.setTimeToWait(20_000);
        client.setCallback(new MqttCallback() {
            @Override
            public void connectionLost(Throwable cause) {
                party.lostAt = System.nanoTime();
                party.lost.countDown();
            }

            @Override
            public void messageArrived(String topic, MqttMessage message) {
                party.received.add(new Message(topic, new String(message.getPayload(), StandardCharsets.UTF_8)));
            }

            @Override
            public void deliveryComplete(IMqttDeliveryToken token) {
                // This does not show that the message is delivered to others.
            }
        });
        try {
            client.connect(options);
        } catch (MqttException e) {
            client.close(true);
            throw e;
        }
        return party;
    }

    MqttParty subscribe(String filter) throws MqttException {
        client.subscribe(filter, 1);
        return this;
    }

    void publish(String topic, String text) throws MqttException {
        client.publish(topic, text.getBytes(StandardCharsets.UTF_8), 1, false);
    }

    /** Breaks the connection off without a word, as a power cut does. */
    void cut() throws MqttException {
        client.disconnectForcibly(0, 0, false);
    }

    List<Message> received() {
        return received;
    }

    boolean isConnected() {
        return client.isConnected();
    }

    /** Waits until the connection is lost; returns when that was, in {@link System#nanoTime}. */
    long lost(Duration limit) {
        try {
            if (!lost.await(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("still connected after " + limit);
            }
            return lostAt;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        try {
            // Not forcibly, which waits for its time to be over.
            client.disconnect(0);
        } catch (MqttException e) {
            // It is gone already.
        }
        try {
            client.close(true);
        } catch (MqttException e) {
            throw new IllegalStateException(e);
        }
    }
}
