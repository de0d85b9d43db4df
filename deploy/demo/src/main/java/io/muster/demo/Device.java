// SPDX-License-Identifier: Apache-2.0
package io.muster.demo;

import io.muster.client.DeviceClient;
import io.muster.client.MqttCredentials;
import io.muster.client.MqttTopics;
import io.muster.client.RefusedException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.eclipse.paho.client.mqttv3.MqttException;

/** A simulated device. It is built with only its serial and the registry's address. */
final class Device {

    private final String serial;
    private final MqttCredentials mqtt;
    private final List<String> commands = new CopyOnWriteArrayList<>();
    private volatile MqttTopics topics;
    private volatile Session session;

    /** Makes a device that keeps its credential in this file. */
    Device(URI registry, String serial, Path store, boolean allowPlainHttp) {
        DeviceClient.Builder builder =
                DeviceClient.builder().registry(registry).serial(serial).store(store);
        if (allowPlainHttp) {
            builder.allowPlainHttp();
        }
        this.serial = serial;
        this.mqtt = builder.build().mqtt();
    }

    String serial() {
        return serial;
    }

    /** Registers, if it has not before. Only this needs a network. */
    String deviceId() throws IOException, RefusedException, InterruptedException {
        return mqtt.clientId();
    }

    String stateTopic() {
        return topics.publish().get(0);
    }

    String commandTopic() {
        return topics.subscribe().get(0);
    }

    /** Logs in with its client id, key and secret, and listens to commands on the topic that the registry names. */
    void connect(String broker) throws IOException, RefusedException, InterruptedException, MqttException {
        if (session != null) {
            session.close();
        }
        if (topics == null) {
            topics = mqtt.topics();
        }
        session = Session.open(
                broker, mqtt.clientId(), mqtt.userName(), mqtt.password(), (topic, text) -> commands.add(text));
        session.subscribe(commandTopic());
    }

    void publish(String state) throws MqttException {
        session.publish(stateTopic(), state);
    }

    Session session() {
        return session;
    }

    /** Returns the commands that it received. */
    List<String> commands() {
        return commands;
    }
}
