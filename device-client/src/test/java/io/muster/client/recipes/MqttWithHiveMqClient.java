// SPDX-License-Identifier: Apache-2.0
package io.muster.client.recipes;

import com.hivemq.client.mqtt.lifecycle.MqttDisconnectSource;
import com.hivemq.client.mqtt.mqtt5.Mqtt5BlockingClient;
import com.hivemq.client.mqtt.mqtt5.Mqtt5Client;
import com.hivemq.client.mqtt.mqtt5.lifecycle.Mqtt5ClientDisconnectedContext;
import com.hivemq.client.mqtt.mqtt5.lifecycle.Mqtt5ClientReconnector;
import com.hivemq.client.mqtt.mqtt5.message.auth.Mqtt5SimpleAuth;
import io.muster.client.DeviceClient;
import io.muster.client.MqttCredentials;
import io.muster.client.RefusedException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Lives on MQTT 5 by HiveMQ's client, which logs in with a new password each time. */
public final class MqttWithHiveMqClient {

    private MqttWithHiveMqClient() {}

    // tag::recipe
    public static Mqtt5BlockingClient connect(MqttCredentials mqtt, String host, int port)
            throws IOException, RefusedException, InterruptedException {
        Mqtt5BlockingClient client = Mqtt5Client.builder()
                .identifier(mqtt.clientId())
                .serverHost(host)
                .serverPort(port) // and .sslWithDefaultConfig()
                .automaticReconnectWithDefaultConfig()
                .addDisconnectedListener(lost -> {
                    if (lost.getSource() == MqttDisconnectSource.USER) {
                        return; // its own disconnect()
                    }
                    Mqtt5ClientReconnector next = ((Mqtt5ClientDisconnectedContext) lost).getReconnector();
                    next.reconnectWhen(CompletableFuture.supplyAsync(() -> login(mqtt)), (login, failure) -> {
                        if (login != null) {
                            next.connectWith().simpleAuth(login).applyConnect();
                        }
                    });
                })
                .buildBlocking();
        client.connectWith().simpleAuth(login(mqtt)).send();
        return client;
    }

    private static Mqtt5SimpleAuth login(MqttCredentials mqtt) {
        try {
            return Mqtt5SimpleAuth.builder()
                    .username(mqtt.userName())
                    .password(mqtt.password().getBytes(StandardCharsets.UTF_8))
                    .build();
        } catch (IOException | RefusedException | InterruptedException e) {
            throw new CompletionException(e);
        }
    }
    // end::recipe

    public static void main(String[] args) throws IOException, InterruptedException, RefusedException {
        MqttCredentials mqtt =
                DeviceClient.builder().store(Path.of(args[0])).build().mqttWithToken();
        Mqtt5BlockingClient client = connect(mqtt, args[1], Integer.parseInt(args[2]));
        client.publishWith()
                .topic(mqtt.topics().publish().get(0))
                .payload("hello".getBytes(StandardCharsets.UTF_8))
                .send();
        client.disconnect();
    }
}
